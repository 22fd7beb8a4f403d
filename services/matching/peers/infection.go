package peers

import (
	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/matching/ranking"
)

// infections reads what the record tells of each infection, by its flag or by its tests; what neither tells stays not known.
// A policy is about the infection that is there now: antibodies alone are a past one (CMV, EBV, HCV), and a positive test for
// tuberculosis without more is not known to be active.
func infections(p *ranking.Patient, c *patientv1.Clinical) {
	s := c.GetSerology()
	p.ActiveInfection, p.HIV = c.ActiveInfection, first(c.HivPositive, outcome(s.GetHiv()))
	if p.ActiveInfection == nil && s.GetTuberculosisActive() {
		p.ActiveInfection = s.TuberculosisActive
	}
	for name, positive := range map[string]*bool{
		"HBV":      first(c.HbvPositive, outcome(s.GetHbsAg())),
		"HCV":      first(c.HcvPositive, outcome(s.GetHcvRna()), ruledOut(s.GetHcvAb())),
		"TB":       first(activeTuberculosis(s), ruledOut(s.GetTuberculosis())),
		"CMV":      first(outcome(s.GetCmvDna()), ruledOut(s.GetCmvIgg())),
		"EBV":      first(outcome(s.GetEbvDna()), ruledOut(s.GetEbvIgg())),
		"SYPHILIS": outcome(s.GetSyphilis()),
	} {
		if positive == nil {
			continue
		}
		if p.Infections == nil {
			p.Infections = map[string]ranking.Infection{}
		}
		// No virus found any more is what treatment is for.
		treated := name == "HBV" && *positive && s.GetHbvDnaIuMl() == 0 && s != nil && s.HbvDnaIuMl != nil
		p.Infections[name] = ranking.Infection{Positive: *positive, Treated: treated}
	}
}

func activeTuberculosis(s *patientv1.Serology) *bool {
	if s == nil {
		return nil
	}
	return s.TuberculosisActive
}

// outcome of a test; neither positive nor negative is not known.
func outcome(o patientv1.TestOutcome) *bool {
	positive := o == patientv1.TestOutcome_TEST_OUTCOME_POSITIVE
	if !positive && o != patientv1.TestOutcome_TEST_OUTCOME_NEGATIVE {
		return nil
	}
	return &positive
}

// ruledOut is what a negative test tells where a positive one would not tell enough.
func ruledOut(o patientv1.TestOutcome) *bool {
	if positive := outcome(o); positive != nil && !*positive {
		return positive
	}
	return nil
}

// first of what is known.
func first(known ...*bool) *bool {
	for _, b := range known {
		if b != nil {
			return b
		}
	}
	return nil
}
