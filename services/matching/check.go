package matching

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"huhang.example/services/matching/directory"
	"huhang.example/services/matching/ranking"
)

// The standings of a run.
const (
	StandingCurrent  = "CURRENT"
	StandingOutdated = "OUTDATED"
	StandingUnknown  = "UNKNOWN"
)

// Checked tells whether what a run was made of still holds.
type Checked struct {
	Standing        string
	ClinicalVersion int32
	Changes         []InputChange
}

// InputChange is one input that is no longer as a run had it; it never holds the value of a clinical datum.
type InputChange struct {
	Input, CenterID string
	Because         ranking.Remark
}

// CheckRun compares a run's inputs with what they are now: a late edit is flagged, and the run stays as it was. Where the
// patient's service does not answer, that is said. Faults: NOT_FOUND.
func (s *Service) CheckRun(ctx context.Context, matchRunID string) (*Checked, error) {
	run, err := s.Run(ctx, matchRunID)
	if err != nil {
		return nil, err
	}
	e, err := s.edition(ctx)
	if err != nil {
		return nil, err
	}
	c := &Checked{}
	// As this service, on behalf of nobody: the caller may see the run, and learns no value from this.
	profile, gone := s.profile(ctx, run.PatientID, run.Input.Organ)
	if gone == nil {
		c.ClinicalVersion, c.Changes = profile.ClinicalVersion, patientChanges(run, profile)
	}
	c.Changes = append(c.Changes, directoryChanges(run, e.centers)...)
	if w := ranking.InForce(e.weights, s.clock.Now()); w != nil && w.Version != run.WeightsVersion {
		c.Changes = append(c.Changes, InputChange{"weights", "", ranking.Remark{Zh: "权重已换为" + w.Version + "版。", En: "The weights in force are now " + w.Version + "."}})
	}
	switch {
	case len(c.Changes) > 0:
		c.Standing = StandingOutdated
	case gone != nil:
		c.Standing = StandingUnknown
	default:
		c.Standing = StandingCurrent
	}
	return c, nil
}

// patientChanges compares the profile itself, for what is not in the clinical record has no version.
func patientChanges(run *Run, now *Profile) (out []InputChange) {
	edited := func(input, zh, en string) {
		out = append(out, InputChange{input, "", ranking.Remark{Zh: zh, En: en}})
	}
	if run.ClinicalVersion != now.ClinicalVersion {
		edited("clinical_version", "匹配之后临床资料有新版本。", "The clinical record was edited after the run.")
	}
	if !now.Consented {
		edited("consent", "患者已撤回转诊同意。", "The patient has withdrawn the consent to the referral.")
	}
	was, is := run.Input.Patient, now.Patient
	for _, part := range []struct {
		input, zh, en string
		was, is       any
	}{
		{"age", "年龄", "age", was.Age, is.Age},
		{"bmi", "体重指数", "body mass index", was.BMI, is.BMI},
		{"previous_transplants", "既往移植史", "previous transplants", was.PreviousTransplants, is.PreviousTransplants},
		{"accepts_abo_incompatible", "血型不合意愿", "acceptance of an ABO-incompatible transplant", was.AcceptsABOIncompat, is.AcceptsABOIncompat},
		{"living_donor_route", "活体途径", "living donor route", was.LivingDonorRoute, is.LivingDonorRoute},
		{"active_infection", "活动性感染", "active infection", was.ActiveInfection, is.ActiveInfection},
		{"hiv_positive", "HIV结果", "HIV result", was.HIV, is.HIV},
		{"infections", "感染检查结果", "infection results", orEmpty(was.Infections), orEmpty(is.Infections)},
		{"tumour", "肝癌资料", "data on the tumour", was.Tumour, is.Tumour},
	} {
		if !reflect.DeepEqual(part.was, part.is) {
			edited(part.input, "匹配之后"+part.zh+"已变更。", "The "+part.en+" changed after the run.")
		}
	}
	if run.Origin == nil {
		return out
	}
	if run.Origin.City != now.ResidenceCity {
		edited("residence_city", "匹配之后居住地已变更，路程随之改变。", "The city of residence changed after the run, and with it the way.")
	}
	if !sameCoverage(run.Origin.Coverage, now.Coverage) {
		edited("coverage", "匹配之后参保信息已变更，预计自付随之改变。", "The coverage changed after the run, and with it the estimated self-pay.")
	}
	if run.Origin.Fitness != now.Fitness {
		edited("fitness", "匹配之后转运适宜性已变更，路程随之改变。", "The fitness to travel changed after the run, and with it the way.")
	}
	return out
}

func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

func sameCoverage(a, b Coverage) bool {
	groups := slices.Equal(a.Groups, b.Groups)
	a.Groups, b.Groups = nil, nil
	return groups && reflect.DeepEqual(a, b)
}

func directoryChanges(run *Run, now []*directory.Center) (out []InputChange) {
	was := map[string]*directory.Center{}
	for _, c := range run.Input.Candidates {
		was[c.Center.ID] = c.Center
	}
	for _, c := range now {
		before := was[c.ID]
		if before == nil {
			out = append(out, InputChange{"center", c.ID, ranking.Remark{Zh: c.NameZh + "为匹配之后新增。", En: c.NameEn + " came into the directory after the run."}})
			continue
		}
		if run.CenterVersions[c.ID] == c.Version {
			continue
		}
		var columns []string
		for _, change := range directory.Changes(before, only(c, run.Input.Organ)) {
			columns = append(columns, change.Column)
		}
		if len(columns) > 0 {
			list := strings.Join(columns, ", ")
			out = append(out, InputChange{"center", c.ID, ranking.Remark{Zh: c.NameZh + "的信息已变更：" + list + "。", En: c.NameEn + " was edited: " + list + "."}})
		}
	}
	return out
}

// Explain answers why a center stands where it stands in a run. Faults: NOT_FOUND.
func (s *Service) Explain(ctx context.Context, matchRunID, centerID string) (*ranking.Explanation, error) {
	run, err := s.Run(ctx, matchRunID)
	if err != nil {
		return nil, err
	}
	e := ranking.Explain(&run.Result, centerID)
	return &e, nil
}
