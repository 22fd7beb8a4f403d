package supervision

import (
	"slices"
	"time"

	"huhang.example/services/internal/money"
)

// Stay is what supervision knows of one bill: a stay, an outpatient visit, or a manual claim, of which it knows the total.
type Stay struct {
	ClaimID    string `json:"claim_id"`
	PatientID  string `json:"patient_id"`
	ReferralID string `json:"referral_id,omitempty"`
	CenterID   string `json:"center_id,omitempty"`
	// Treatment is the treatment province.
	Treatment  string `json:"treatment,omitempty"`
	Outpatient bool   `json:"outpatient,omitempty"`
	Manual     bool   `json:"manual,omitempty"`
	// Admission and Discharge are days; Discharge is empty while the stay goes on.
	Admission string `json:"admission,omitempty"`
	Discharge string `json:"discharge,omitempty"`
	Organ     string `json:"organ,omitempty"`
	// Diagnosis is an ICD-10 code, Planned a follow-up that was planned.
	Diagnosis string    `json:"diagnosis,omitempty"`
	Planned   bool      `json:"planned,omitempty"`
	Total     money.Fen `json:"total"`
	// Identity is the keyed hash of the number read at admission.
	Identity string `json:"identity,omitempty"`
	// Items are those of the bill, refunds taken off; only the treatment province has them.
	Items []Item `json:"-"`
}

// Item is what a person got on a day, in thousandths of its unit; a refund is negative.
type Item struct {
	Code     string
	Day      string
	Quantity int64
}

// Person is what the insured province knows of a person.
type Person struct {
	// Identity is the keyed hash of their identity number; empty: not recorded.
	Identity string
	// SamePhone is how many insured people have this person's telephone, this one among them.
	SamePhone int64
}

// Evidence is one number that a rule went by.
type Evidence struct {
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

// Finding is what one rule found.
type Finding struct {
	Rule    Rule
	Version string
	Action  Action
	// Cause tells apart findings of one rule about one claim: the other claim, the month, the sum.
	Cause string
	// Related is the other claim, Period the month or year, where there is one.
	Related, Period string
	Evidence        []Evidence
}

func (r *Rules) found(rule Rule, cause string, evidence ...Evidence) Finding {
	return Finding{Rule: rule, Version: r.Version, Action: r.Action(rule), Cause: cause, Evidence: evidence}
}

func (f Finding) about(related string) Finding {
	f.Related = related
	return f
}

func (f Finding) of(period string) Finding {
	f.Period = period
	return f
}

// between counts the days from one to another; false where one is no day.
func between(from, to string) (int64, bool) {
	a, err := time.Parse(time.DateOnly, from)
	if err != nil {
		return 0, false
	}
	b, err := time.Parse(time.DateOnly, to)
	if err != nil {
		return 0, false
	}
	return int64(b.Sub(a) / (24 * time.Hour)), true
}

func (s Stay) inpatient() bool { return !s.Outpatient && !s.Manual }

// month is that of the bill, YYYY-MM.
func (s Stay) month() string {
	if len(s.Admission) < 7 {
		return ""
	}
	return s.Admission[:7]
}

func categoryOf(diagnosis string) string {
	if len(diagnosis) < 3 {
		return ""
	}
	return diagnosis[:3]
}

// alike reports whether two stays have the same diagnosis, or related ones. Where one was not recorded, the organ decides:
// nothing is missed because it was left out.
func (r *Rules) alike(a, b Stay) (same, related bool) {
	if a.Diagnosis == "" || b.Diagnosis == "" {
		known := a.Organ == b.Organ
		return known, known
	}
	if a.Diagnosis == b.Diagnosis {
		return true, true
	}
	x, y := categoryOf(a.Diagnosis), categoryOf(b.Diagnosis)
	if x == y {
		return false, true
	}
	for _, group := range r.SplitAdmission.Related {
		if slices.Contains(group, x) && slices.Contains(group, y) {
			return false, true
		}
	}
	return false, false
}
