package clinical

// Missing is a datum that is not known, and what that blocks.
type Missing struct {
	Path               string
	BlocksZh, BlocksEn string
}

// MissingData names what is missing for the organ. Nothing missing refuses a referral; it only says what cannot be judged.
func MissingData(c *Clinical) []Missing {
	var missing []Missing
	need := func(known bool, path, zh, en string) {
		if !known {
			missing = append(missing, Missing{path, zh, en})
		}
	}
	labs := c.Labs
	if labs == nil {
		labs = &Labs{}
	}
	need(c.DiagnosisCode != "", "diagnosis_code", "接收中心无法判断指征", "the center cannot judge the indication")
	need(c.BloodGroup != "", "blood_group", "无法判断血型不合的限制", "limits on ABO-incompatible transplants cannot be judged")
	need(c.HeightCm != nil && c.WeightKg != nil, "height_cm, weight_kg", "无法判断体重指数限制", "limits on body mass index cannot be judged")
	need(c.ActiveInfection != nil, "active_infection", "无法判断感染限制", "limits on infection cannot be judged")
	need(c.HIVPositive != nil, "hiv_positive", "无法判断HIV限制", "limits on HIV cannot be judged")
	need(c.Fitness != nil, "fitness", "无法规划转运方式", "the way of travelling cannot be planned")
	switch c.Organ {
	case "LIVER":
		for _, d := range []struct {
			known bool
			path  string
		}{
			{labs.Bilirubin != nil, "labs.bilirubin"},
			{labs.Creatinine != nil, "labs.creatinine"},
			{labs.INR != nil, "labs.inr"},
			{labs.Sodium != nil, "labs.sodium_mmol_l"},
			{labs.Albumin != nil, "labs.albumin"},
			{labs.TestDate != "", "labs.test_date"},
		} {
			need(d.known, d.path, "无法计算MELD 3.0", "MELD 3.0 cannot be computed")
		}
		need(c.Liver != nil && c.Liver.HCC != nil, "liver.hcc", "无法判断肝癌标准", "HCC criteria cannot be judged")
		if c.Liver != nil && c.Liver.HCC != nil && *c.Liver.HCC {
			need(len(c.Liver.NodulesCm) > 0, "liver.hcc_nodules_cm", "无法判断肝癌标准", "HCC criteria cannot be judged")
			need(c.Liver.VascularInvasion != nil, "liver.vascular_invasion", "无法判断肝癌标准", "HCC criteria cannot be judged")
			need(c.Liver.ExtrahepaticSpread != nil, "liver.extrahepatic_spread", "无法判断肝癌标准", "HCC criteria cannot be judged")
		}
	case "KIDNEY":
		need(c.Kidney != nil && c.Kidney.EGFR != nil, "kidney.egfr", "无法判断转诊时机", "whether it is time to refer cannot be judged")
		need(c.CPRAPercent != nil, "cpra_percent", "无法判断致敏程度", "sensitisation cannot be judged")
	}
	return missing
}
