package peers

import (
	"math"
	"slices"
	"strings"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/matching"
	"huhang.example/services/matching/ranking"
)

func profileFrom(m *patientv1.GetMatchingProfileResponse, organ string) *matching.Profile {
	p := &matching.Profile{
		ResidenceCity: m.GetResidenceCity(), Coverage: coverageFrom(m.GetCoverage()), ClinicalVersion: m.GetRecord().GetVersion(),
		Consented: slices.Contains(m.GetConsents(), patientv1.Purpose_PURPOSE_REFERRAL),
		Patient:   ranking.Patient{Age: m.GetAgeYears(), Recorded: m.GetRecord() != nil},
	}
	c := m.GetRecord().GetClinical()
	if c == nil {
		return p
	}
	f := c.GetFitness()
	p.Fitness = matching.Fitness{
		Oxygen: f.GetOxygen(), Infusion: f.GetInfusion(), Ventilated: f.GetVentilated(), ECMO: f.GetEcmo(), Vasoactive: f.GetVasoactive(),
		Stretcher: f.GetStretcher(), ReducedConsciousness: f.GetReducedConsciousness(),
	}
	// The number or the list, whichever knows of more: a transplant that is told of once was there.
	p.Patient.PreviousTransplants = max(c.GetPreviousTransplants(), int32(len(c.GetTransplantHistory())))
	p.Patient.AcceptsABOIncompat, p.Patient.NeedsABOIncompat = c.GetAcceptsAboIncompatible(), c.GetNeedsAboIncompatible()
	p.Patient.LivingDonorRoute = c.GetLivingDonorRoute()
	infections(&p.Patient, c)
	if c.HeightCm != nil && c.WeightKg != nil && *c.HeightCm > 0 {
		metres := *c.HeightCm / 100
		// Two places: a limit of 30 is not passed by what floats make of 30.
		bmi := math.Round(*c.WeightKg/(metres*metres)*100) / 100
		p.Patient.BMI = &bmi
	}
	if organ == "LIVER" {
		l := c.GetLiver()
		if l == nil {
			l = &patientv1.LiverData{}
		}
		p.Patient.Tumour = &ranking.Tumour{
			Present: l.Hcc, NodulesCm: l.GetHccNodulesCm(), VascularInvasion: l.VascularInvasion, ExtrahepaticSpread: l.ExtrahepaticSpread,
			Grade: l.GetHistologicalGrade(),
		}
		if labs := c.GetLabs(); labs != nil {
			p.Patient.Tumour.AFP = labs.AfpNgMl
		}
	}
	return p
}

const (
	schemePrefix = "SCHEME_"
	groupPrefix  = "ASSISTANCE_GROUP_"
)

func coverageFrom(c *patientv1.Coverage) matching.Coverage {
	out := matching.Coverage{
		Province: c.GetProvince(), PoolingArea: c.GetPoolingArea(), Scheme: strings.TrimPrefix(c.GetScheme().String(), schemePrefix),
		Retired: c.GetRetired(), CivilServant: c.GetCivilServant(),
	}
	for _, g := range c.GetAssistanceGroups() {
		out.Groups = append(out.Groups, strings.TrimPrefix(g.String(), groupPrefix))
	}
	return out
}

func coverageTo(c matching.Coverage) *patientv1.Coverage {
	out := &patientv1.Coverage{
		Province: c.Province, PoolingArea: c.PoolingArea, Scheme: patientv1.Scheme(patientv1.Scheme_value[schemePrefix+c.Scheme]),
		Retired: c.Retired, CivilServant: c.CivilServant,
	}
	for _, g := range c.Groups {
		out.AssistanceGroups = append(out.AssistanceGroups, patientv1.AssistanceGroup(patientv1.AssistanceGroup_value[groupPrefix+g]))
	}
	return out
}
