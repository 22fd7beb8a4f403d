package rpc

import (
	"google.golang.org/protobuf/proto"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/patient/clinical"
)

// Labs and the liver's data are kept in another form than they are sent in; all else crosses by the names of its fields.

func clinicalFrom(c *patientv1.Clinical) clinical.Clinical {
	rest := proto.CloneOf(c)
	rest.Labs, rest.Liver = nil, nil
	out := clinical.Clinical{Labs: labsFrom(c.GetLabs())}
	across(rest, &out)
	if l := c.GetLiver(); l != nil {
		out.Liver = &clinical.Liver{
			HCC: l.Hcc, NodulesCm: l.GetHccNodulesCm(), VascularInvasion: l.VascularInvasion, ExtrahepaticSpread: l.ExtrahepaticSpread,
			HistologicalGrade: l.GetHistologicalGrade(), Ascites: l.GetAscites(), Encephalopathy: l.GetEncephalopathy(), AcuteFailure: l.GetAcuteFailure(),
			PortalThrombosis: l.PortalVeinThrombosis, RefractoryAscites: l.RefractoryAscites, ImagingOn: l.GetImagingOn(),
		}
	}
	return out
}

func clinicalTo(c *clinical.Clinical) *patientv1.Clinical {
	rest := *c
	rest.Labs, rest.Liver = nil, nil
	out := new(patientv1.Clinical)
	back(rest, out)
	out.Labs = labsTo(c.Labs)
	if l := c.Liver; l != nil {
		out.Liver = &patientv1.LiverData{
			Hcc: l.HCC, HccNodulesCm: l.NodulesCm, VascularInvasion: l.VascularInvasion, ExtrahepaticSpread: l.ExtrahepaticSpread,
			HistologicalGrade: l.HistologicalGrade, Ascites: l.Ascites, Encephalopathy: l.Encephalopathy, AcuteFailure: l.AcuteFailure,
			PortalVeinThrombosis: l.PortalThrombosis, RefractoryAscites: l.RefractoryAscites, ImagingOn: l.ImagingOn,
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
