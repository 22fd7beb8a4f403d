package rpc

import (
	"strconv"

	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/patient/clinical"
)

func etag(version int32) string { return strconv.Itoa(int(version)) }

func clinicalFrom(c *patientv1.Clinical) clinical.Clinical {
	out := clinical.Clinical{
		Organ: organFrom(c.GetOrgan()), DiagnosisCode: c.GetDiagnosisCode(),
		BloodGroup: code(bloodPrefix, c.GetBloodGroup().String(), int32(c.GetBloodGroup())), RhPositive: c.RhPositive,
		AcceptsABOIncompat: c.GetAcceptsAboIncompatible(), LivingDonorRoute: c.GetLivingDonorRoute(),
		HeightCm: c.HeightCm, WeightKg: c.WeightKg, PreviousTransplants: c.GetPreviousTransplants(),
		ActiveInfection: c.ActiveInfection, HBVPositive: c.HbvPositive, HCVPositive: c.HcvPositive, HIVPositive: c.HivPositive,
		CPRAPercent: c.CpraPercent, Labs: labsFrom(c.GetLabs()),
	}
	if l := c.GetLiver(); l != nil {
		out.Liver = &clinical.Liver{
			HCC: l.Hcc, NodulesCm: l.GetHccNodulesCm(), VascularInvasion: l.VascularInvasion, ExtrahepaticSpread: l.ExtrahepaticSpread,
			HistologicalGrade: l.GetHistologicalGrade(), Ascites: l.GetAscites(), Encephalopathy: l.GetEncephalopathy(), AcuteFailure: l.GetAcuteFailure(),
		}
	}
	if k := c.GetKidney(); k != nil {
		out.Kidney = &clinical.Kidney{EGFR: k.Egfr, DialysisStart: k.GetDialysisStart()}
	}
	if f := c.GetFitness(); f != nil {
		out.Fitness = &clinical.Fitness{
			Oxygen: f.GetOxygen(), Infusion: f.GetInfusion(), Ventilated: f.GetVentilated(), ECMO: f.GetEcmo(), Vasoactive: f.GetVasoactive(),
			Stretcher: f.GetStretcher(), ReducedConsciousness: f.GetReducedConsciousness(),
		}
	}
	return out
}

func labsFrom(l *patientv1.Labs) *clinical.Labs {
	if l == nil {
		return nil
	}
	out := &clinical.Labs{TestDate: l.GetTestDate(), INR: l.Inr, Sodium: l.SodiumMmolL, AFP: l.AfpNgMl, Dialysis: l.GetDialysis()}
	switch v := l.GetCreatinine().(type) {
	case *patientv1.Labs_CreatinineUmolL:
		out.Creatinine = quantity(v.CreatinineUmolL, clinical.UmolPerL)
	case *patientv1.Labs_CreatinineMgDl:
		out.Creatinine = quantity(v.CreatinineMgDl, clinical.MgPerDL)
	}
	switch v := l.GetBilirubin().(type) {
	case *patientv1.Labs_BilirubinUmolL:
		out.Bilirubin = quantity(v.BilirubinUmolL, clinical.UmolPerL)
	case *patientv1.Labs_BilirubinMgDl:
		out.Bilirubin = quantity(v.BilirubinMgDl, clinical.MgPerDL)
	}
	switch v := l.GetAlbumin().(type) {
	case *patientv1.Labs_AlbuminGL:
		out.Albumin = quantity(v.AlbuminGL, clinical.GPerL)
	case *patientv1.Labs_AlbuminGDl:
		out.Albumin = quantity(v.AlbuminGDl, clinical.GPerDL)
	}
	return out
}

func clinicalTo(c *clinical.Clinical) *patientv1.Clinical {
	out := &patientv1.Clinical{
		Organ: organv1.Organ(organv1.Organ_value[organPrefix+c.Organ]), DiagnosisCode: c.DiagnosisCode,
		BloodGroup: organv1.BloodGroup(organv1.BloodGroup_value[bloodPrefix+c.BloodGroup]), RhPositive: c.RhPositive,
		AcceptsAboIncompatible: c.AcceptsABOIncompat, LivingDonorRoute: c.LivingDonorRoute,
		HeightCm: c.HeightCm, WeightKg: c.WeightKg, PreviousTransplants: c.PreviousTransplants,
		ActiveInfection: c.ActiveInfection, HbvPositive: c.HBVPositive, HcvPositive: c.HCVPositive, HivPositive: c.HIVPositive,
		CpraPercent: c.CPRAPercent, Labs: labsTo(c.Labs),
	}
	if l := c.Liver; l != nil {
		out.Liver = &patientv1.LiverData{
			Hcc: l.HCC, HccNodulesCm: l.NodulesCm, VascularInvasion: l.VascularInvasion, ExtrahepaticSpread: l.ExtrahepaticSpread,
			HistologicalGrade: l.HistologicalGrade, Ascites: l.Ascites, Encephalopathy: l.Encephalopathy, AcuteFailure: l.AcuteFailure,
		}
	}
	if k := c.Kidney; k != nil {
		out.Kidney = &patientv1.KidneyData{Egfr: k.EGFR, DialysisStart: k.DialysisStart}
	}
	if f := c.Fitness; f != nil {
		out.Fitness = &patientv1.Fitness{
			Oxygen: f.Oxygen, Infusion: f.Infusion, Ventilated: f.Ventilated, Ecmo: f.ECMO, Vasoactive: f.Vasoactive,
			Stretcher: f.Stretcher, ReducedConsciousness: f.ReducedConsciousness,
		}
	}
	return out
}

func labsTo(l *clinical.Labs) *patientv1.Labs {
	if l == nil {
		return nil
	}
	out := &patientv1.Labs{TestDate: l.TestDate, Inr: l.INR, SodiumMmolL: l.Sodium, AfpNgMl: l.AFP, Dialysis: l.Dialysis}
	if q := l.Creatinine; q != nil && q.Unit == clinical.UmolPerL {
		out.Creatinine = &patientv1.Labs_CreatinineUmolL{CreatinineUmolL: q.Value}
	} else if q != nil {
		out.Creatinine = &patientv1.Labs_CreatinineMgDl{CreatinineMgDl: q.Value}
	}
	if q := l.Bilirubin; q != nil && q.Unit == clinical.UmolPerL {
		out.Bilirubin = &patientv1.Labs_BilirubinUmolL{BilirubinUmolL: q.Value}
	} else if q != nil {
		out.Bilirubin = &patientv1.Labs_BilirubinMgDl{BilirubinMgDl: q.Value}
	}
	if q := l.Albumin; q != nil && q.Unit == clinical.GPerL {
		out.Albumin = &patientv1.Labs_AlbuminGL{AlbuminGL: q.Value}
	} else if q != nil {
		out.Albumin = &patientv1.Labs_AlbuminGDl{AlbuminGDl: q.Value}
	}
	return out
}
