package clinical

import "strings"

// Missing is a datum that is not known, and what that blocks.
type Missing struct {
	Path               string
	BlocksZh, BlocksEn string
	Blocked            []Blocked
}

// Blocked is one thing that cannot be done: a SCORE, a filter or term of MATCHING, a STEP.
type Blocked struct{ Kind, Code, Organ string }

// The kinds of what is blocked.
const (
	BlockedScore    = "SCORE"
	BlockedMatching = "MATCHING"
	BlockedStep     = "STEP"
)

// effect is what a missing datum blocks: its kind and code, and both languages' words.
type effect struct{ kind, code, zh, en string }

var (
	indication = effect{BlockedStep, "INDICATION", "接收中心无法判断指征", "the center cannot judge the indication"}
	abo        = effect{BlockedMatching, "ABO", "无法判断血型不合的限制", "limits on ABO-incompatible transplants cannot be judged"}
	bmi        = effect{BlockedMatching, "BMI", "无法判断体重指数限制", "limits on body mass index cannot be judged"}
	infection  = effect{BlockedMatching, "INFECTION", "无法判断感染限制", "limits on infection cannot be judged"}
	hiv        = effect{BlockedMatching, "HIV", "无法判断HIV限制", "limits on HIV cannot be judged"}
	sensitised = effect{BlockedMatching, "SENSITISATION", "无法判断致敏程度", "sensitisation cannot be judged"}
	hccSet     = effect{BlockedMatching, "HCC_SET", "无法判断肝癌标准", "HCC criteria cannot be judged"}
	timing     = effect{BlockedStep, "TIMING", "无法判断转诊时机", "whether it is time to refer cannot be judged"}
	way        = effect{BlockedStep, "TRANSFER", "无法规划转运方式", "the way of travelling cannot be planned"}
	evaluation = effect{BlockedStep, "EVALUATION", "接收中心无法完成术前评估", "the center cannot complete the evaluation"}
	care       = effect{BlockedStep, "REHABILITATION", "无法安排术后照护", "care after the operation cannot be planned"}
	surgery    = effect{BlockedStep, "SURGERY", "无法评估手术风险", "the risk of the operation cannot be judged"}
	guardian   = effect{BlockedStep, "GUARDIAN_CONSENT", "未成年人须监护人同意", "a minor needs the guardian's consent"}
	meldScores = effect{BlockedScore, "MELD 3.0", "无法计算MELD 3.0", "MELD 3.0 cannot be computed"}
	peldScore  = effect{BlockedScore, "PELD", "无法计算PELD", "PELD cannot be computed"}
	pughScore  = effect{BlockedScore, "Child-Pugh", "无法计算Child-Pugh", "Child-Pugh cannot be computed"}
	scoreDay   = effect{BlockedScore, "TEST_DATE", "评分无检验日期", "scores have no test date"}
)

// need is one datum a referral should carry.
type need struct {
	path  string
	known bool
	block []effect
}

// MissingData names what is missing for the organ and the age. Nothing missing refuses a referral; it only says what
// cannot be judged.
func MissingData(c *Clinical, of Person) []Missing {
	needs := everyone(c)
	if of.Months < adolescent {
		needs = append(needs, child(c, of)...)
	}
	switch c.Organ {
	case "LIVER":
		needs = append(needs, liver(c, of)...)
	case "KIDNEY":
		needs = append(needs, kidney(c)...)
	case "HEART":
		needs = append(needs, heart(c)...)
	case "LUNG":
		needs = append(needs, lung(c)...)
	case "PANCREAS":
		needs = append(needs, pancreas(c)...)
	case "SMALL_BOWEL":
		needs = append(needs, smallBowel(c)...)
	}
	var missing []Missing
	for _, n := range needs {
		if n.known {
			continue
		}
		m := Missing{Path: n.path}
		var zh, en []string
		for _, e := range n.block {
			m.Blocked = append(m.Blocked, Blocked{e.kind, e.code, c.Organ})
			zh, en = append(zh, e.zh), append(en, e.en)
		}
		m.BlocksZh, m.BlocksEn = strings.Join(zh, "；"), strings.Join(en, "; ")
		missing = append(missing, m)
	}
	return missing
}

// negative is the outcome of a test that rules a thing out.
const negative = "NEGATIVE"

func everyone(c *Clinical) []need {
	social, serology, cardiac := or(c.Social), or(c.Serology), or(c.CardiacWorkup)
	return []need{
		{"diagnosis_code", c.DiagnosisCode != "", []effect{indication}},
		{"blood_group", c.BloodGroup != "", []effect{abo}},
		{"height_cm", c.HeightCm != nil, []effect{bmi}},
		{"weight_kg", c.WeightKg != nil, []effect{bmi}},
		{"active_infection", c.ActiveInfection != nil, []effect{infection}},
		{"hiv_positive", c.HIVPositive != nil || serology.HIV != "", []effect{hiv}},
		{"hbv_positive", c.HBVPositive != nil || serology.HBsAg != "", []effect{infection}},
		{"hcv_positive", c.HCVPositive != nil || serology.HCVRNA != "" || serology.HCVAb == negative, []effect{infection}},
		{"serology.tuberculosis_active", serology.TuberculosisActive != nil || serology.Tuberculosis == negative, []effect{infection}},
		{"serology.cmv_dna", serology.CMVDNA != "" || serology.CMVIgG == negative, []effect{infection}},
		{"serology.ebv_dna", serology.EBVDNA != "" || serology.EBVIgG == negative, []effect{infection}},
		{"serology.syphilis", serology.Syphilis != "", []effect{infection}},
		{"fitness", c.Fitness != nil, []effect{way}},
		{"malignancies", len(c.Malignancies) > 0 || c.NoMalignancy != nil, []effect{indication}},
		{"cardiac_workup.lvef_percent", cardiac.LVEFPercent != nil || c.Organ == "HEART", []effect{surgery}},
		{"social.carer_available", social.CarerAvailable != nil, []effect{care}},
	}
}

func child(c *Clinical, of Person) []need {
	d := or(c.Child)
	growth := []effect{evaluation}
	if c.Organ == "LIVER" && of.Months < pediatric {
		growth = []effect{peldScore}
	}
	return []need{
		{"child.height_z", d.HeightZ != nil || d.WeightZ != nil, growth},
		{"child.vaccines_complete", d.VaccinesComplete != nil, []effect{evaluation}},
		{"child.guardian_consents", d.GuardianConsents != nil, []effect{guardian}},
	}
}

func liver(c *Clinical, of Person) []need {
	labs, l := or(c.Labs), or(c.Liver)
	score := meldScores
	if of.Months < pediatric {
		score = peldScore
	}
	both := []effect{score, pughScore}
	needs := []need{
		{"labs.bilirubin", labs.Bilirubin != nil, both},
		{"labs.inr", labs.INR != nil, both},
		{"labs.albumin", labs.Albumin != nil, both},
		{"labs.test_date", labs.TestDate != "", []effect{scoreDay}},
		{"liver.ascites", l.Ascites > 0, []effect{pughScore}},
		{"liver.encephalopathy", l.Encephalopathy > 0, []effect{pughScore}},
		{"liver.hcc", l.HCC != nil, []effect{hccSet}},
		{"liver.portal_vein_thrombosis", l.PortalThrombosis != nil, []effect{surgery}},
	}
	if of.Months >= pediatric {
		needs = append(needs, need{"labs.creatinine", labs.Creatinine != nil, []effect{score}}, need{"labs.sodium_mmol_l", labs.Sodium != nil, []effect{score}})
	}
	if l.HCC != nil && *l.HCC {
		needs = append(needs,
			need{"liver.hcc_nodules_cm", len(l.NodulesCm) > 0, []effect{hccSet}}, need{"liver.vascular_invasion", l.VascularInvasion != nil, []effect{hccSet}},
			need{"liver.extrahepatic_spread", l.ExtrahepaticSpread != nil, []effect{hccSet}}, need{"labs.afp_ng_ml", labs.AFP != nil, []effect{hccSet}})
	}
	return needs
}

func kidney(c *Clinical) []need {
	k, immunology := or(c.Kidney), or(c.Immunology)
	needs := []need{
		{"kidney.egfr", k.EGFR != nil || k.DialysisStart != "", []effect{timing}},
		{"kidney.modality", k.Modality != "", []effect{timing}},
		{"kidney.diabetes", k.Diabetes != "", []effect{evaluation}},
		{"cpra_percent", c.CPRAPercent != nil, []effect{sensitised}},
		{"immunology.hla", immunology.HLA != nil, []effect{sensitised}},
		{"immunology.dsa_detected", immunology.DSADetected != nil, []effect{sensitised}},
	}
	if k.Modality != "" && k.Modality != "NONE" {
		needs = append(needs, need{"kidney.dialysis_start", k.DialysisStart != "", []effect{timing}}, need{"kidney.access", k.Access != "", []effect{way}})
	}
	return needs
}

func heart(c *Clinical) []need {
	h := or(c.Heart)
	return []need{
		{"heart.nyha", h.NYHA != "", []effect{indication}},
		{"heart.lvef_percent", h.LVEFPercent != nil, []effect{indication}},
		{"heart.inotropes", h.Inotropes != nil, []effect{way}},
		{"heart.ecmo", h.ECMO != nil, []effect{way}},
		{"heart.iabp", h.IABP != nil, []effect{way}},
		{"heart.pvr", h.PVRWood != nil || h.PVRDynSCm5 != nil, []effect{evaluation}},
		{"heart.tpg_mmhg", h.TPGMmHg != nil, []effect{evaluation}},
		{"heart.peak_vo2_ml_kg_min", h.PeakVO2MlKgMin != nil, []effect{timing}},
		{"cpra_percent", c.CPRAPercent != nil, []effect{sensitised}},
	}
}

func lung(c *Clinical) []need {
	l, labs := or(c.Lung), or(c.Labs)
	return []need{
		{"lung.group", l.Group != "", []effect{indication}},
		{"lung.fvc_percent", l.FVCPercent != nil, []effect{timing}},
		{"lung.oxygen_rest_l_min", l.OxygenRestLMin != nil, []effect{way}},
		{"lung.ventilated", l.Ventilated != nil, []effect{way}},
		{"lung.ecmo", l.ECMO != nil, []effect{way}},
		{"lung.pa_systolic_mmhg", l.PASystolicMmHg != nil || l.PAMeanMmHg != nil, []effect{evaluation}},
		{"lung.six_minute_walk_m", l.SixMinuteWalkM != nil, []effect{timing}},
		{"lung.pco2", l.PCO2MmHg != nil || l.PCO2KPa != nil, []effect{timing}},
		{"labs.creatinine", labs.Creatinine != nil, []effect{evaluation}},
		{"labs.bilirubin", labs.Bilirubin != nil, []effect{evaluation}},
	}
}

func pancreas(c *Clinical) []need {
	p := or(c.Pancreas)
	return []need{
		{"pancreas.route", p.Route != "", []effect{indication}},
		{"pancreas.c_peptide", p.CPeptideNgMl != nil || p.CPeptideNmolL != nil, []effect{indication}},
		{"pancreas.insulin_units_day", p.InsulinUnitsDay != nil, []effect{indication}},
		{"pancreas.hypoglycaemia_unawareness", p.HypoglycaemiaUnawareness != nil, []effect{timing}},
		{"cpra_percent", c.CPRAPercent != nil, []effect{sensitised}},
	}
}

func smallBowel(c *Clinical) []need {
	b := or(c.SmallBowel)
	return []need{
		{"small_bowel.tpn_start_on", b.TPNStartOn != "", []effect{timing}},
		{"small_bowel.liver_disease_from_nutrition", b.LiverDiseaseFromNutrition != nil, []effect{indication}},
		{"small_bowel.line_sepsis_past_year", b.LineSepsisPastYear != nil, []effect{timing}},
		{"small_bowel.lost_venous_access", b.LostVenousAccess != nil, []effect{surgery}},
		{"cpra_percent", c.CPRAPercent != nil, []effect{sensitised}},
	}
}

// or is the record, or an empty one that knows nothing.
func or[T any](record *T) *T {
	if record == nil {
		return new(T)
	}
	return record
}
