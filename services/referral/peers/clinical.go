package peers

import (
	"google.golang.org/protobuf/proto"

	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/referral/fhir"
)

// clinicalIn is a draft's data as the patient service takes them, each in the unit it has.
func clinicalIn(d fhir.Draft) *patientv1.Clinical {
	c := d.Clinical
	out := &patientv1.Clinical{
		Organ: organ(d.Organ), DiagnosisCode: d.Diagnosis, FurtherDiagnosisCodes: d.Further, RhPositive: c.RhPositive,
		BloodGroup: organv1.BloodGroup(organv1.BloodGroup_value["BLOOD_GROUP_"+c.BloodGroup]), HeightCm: plain(c.Height), WeightKg: plain(c.Weight),
	}
	if c.TestDate == "" {
		return out
	}
	labs := &patientv1.Labs{TestDate: c.TestDate, Inr: plain(c.INR), SodiumMmolL: plain(c.Sodium), AfpNgMl: plain(c.AFP)}
	if v := c.Creatinine; v != nil && v.Unit == fhir.UmolPerL {
		labs.Creatinine = &patientv1.Labs_CreatinineUmolL{CreatinineUmolL: v.Number}
	} else if v != nil {
		labs.Creatinine = &patientv1.Labs_CreatinineMgDl{CreatinineMgDl: v.Number}
	}
	if v := c.Bilirubin; v != nil && v.Unit == fhir.UmolPerL {
		labs.Bilirubin = &patientv1.Labs_BilirubinUmolL{BilirubinUmolL: v.Number}
	} else if v != nil {
		labs.Bilirubin = &patientv1.Labs_BilirubinMgDl{BilirubinMgDl: v.Number}
	}
	if v := c.Albumin; v != nil && v.Unit == fhir.GPerL {
		labs.Albumin = &patientv1.Labs_AlbuminGL{AlbuminGL: v.Number}
	} else if v != nil {
		labs.Albumin = &patientv1.Labs_AlbuminGDl{AlbuminGDl: v.Number}
	}
	out.Labs = labs
	return out
}

func plain(v *fhir.Value) *float64 {
	if v == nil {
		return nil
	}
	return proto.Float64(v.Number)
}

// clinicalOut is the same way back.
func clinicalOut(c *patientv1.Clinical) *fhir.Clinical {
	labs := c.GetLabs()
	out := &fhir.Clinical{
		RhPositive: c.RhPositive, Height: value(c.HeightCm, fhir.Centimetre), Weight: value(c.WeightKg, fhir.Kilogram), TestDate: labs.GetTestDate(),
	}
	if g := c.GetBloodGroup(); g != organv1.BloodGroup_BLOOD_GROUP_UNSPECIFIED {
		out.BloodGroup = g.String()[len("BLOOD_GROUP_"):]
	}
	if labs == nil {
		return out
	}
	out.INR, out.Sodium, out.AFP = value(labs.Inr, fhir.One), value(labs.SodiumMmolL, fhir.MmolPerL), value(labs.AfpNgMl, fhir.NgPerML)
	switch v := labs.GetCreatinine().(type) {
	case *patientv1.Labs_CreatinineUmolL:
		out.Creatinine = value(&v.CreatinineUmolL, fhir.UmolPerL)
	case *patientv1.Labs_CreatinineMgDl:
		out.Creatinine = value(&v.CreatinineMgDl, fhir.MgPerDL)
	}
	switch v := labs.GetBilirubin().(type) {
	case *patientv1.Labs_BilirubinUmolL:
		out.Bilirubin = value(&v.BilirubinUmolL, fhir.UmolPerL)
	case *patientv1.Labs_BilirubinMgDl:
		out.Bilirubin = value(&v.BilirubinMgDl, fhir.MgPerDL)
	}
	switch v := labs.GetAlbumin().(type) {
	case *patientv1.Labs_AlbuminGL:
		out.Albumin = value(&v.AlbuminGL, fhir.GPerL)
	case *patientv1.Labs_AlbuminGDl:
		out.Albumin = value(&v.AlbuminGDl, fhir.GPerDL)
	}
	return out
}

func value(number *float64, unit string) *fhir.Value {
	if number == nil {
		return nil
	}
	return &fhir.Value{Number: *number, Unit: unit}
}
