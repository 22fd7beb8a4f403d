// Package ranking orders the centers that may take a patient.
//
// Invariants: every center of the directory comes out exactly once, ranked or excluded, and an excluded one with every
// reason there is. The outcome depends on the input's contents alone, not on its order. A datum that is missing excludes
// nobody: it is named, with what it would change. Only places for a patient are ranked; nothing here knows of an organ.
package ranking

import (
	"cmp"
	"slices"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/money"
	"huhang.example/services/matching/directory"
)

// Remark is a sentence in both languages.
type Remark struct {
	Zh string `json:"zh"`
	En string `json:"en"`
}

// Patient is what matters of a patient; nil is "not known".
type Patient struct {
	Age                 int32    `json:"age"`
	BMI                 *float64 `json:"bmi,omitempty"`
	PreviousTransplants int32    `json:"previous_transplants"`
	AcceptsABOIncompat  bool     `json:"accepts_abo_incompatible"`
	LivingDonorRoute    bool     `json:"living_donor_route"`
	ActiveInfection     *bool    `json:"active_infection,omitempty"`
	HIV                 *bool    `json:"hiv,omitempty"`
	// Tumour is nil where it plays no part: another organ than the liver.
	Tumour *Tumour `json:"tumour,omitempty"`
	// Recorded tells whether any clinical record exists.
	Recorded bool `json:"recorded"`
}

// Candidate is a center with what was found out about it for this patient; nil is "not known".
type Candidate struct {
	Center *directory.Center `json:"center"`
	// DoorToDoor is in minutes; NoWay says that the way was asked for and there is none.
	DoorToDoor       *int32     `json:"door_to_door,omitempty"`
	NoWay            bool       `json:"no_way,omitempty"`
	FreeBeds         *int32     `json:"free_beds,omitempty"`
	SelfPay          *money.Fen `json:"self_pay,omitempty"`
	DirectSettlement bool       `json:"direct_settlement"`
}

// Input is everything a ranking depends on.
type Input struct {
	At         time.Time   `json:"at"`
	Organ      string      `json:"organ"`
	Patient    Patient     `json:"patient"`
	Candidates []Candidate `json:"candidates"`
	// Preferred is first choice first.
	Preferred []string `json:"preferred,omitempty"`
	Refused   []string `json:"refused,omitempty"`
}

// Ranked is a center that may take the patient.
type Ranked struct {
	CenterID   string     `json:"center_id"`
	NameZh     string     `json:"name_zh"`
	NameEn     string     `json:"name_en"`
	Score      int32      `json:"score"`
	Terms      []Term     `json:"terms"`
	DoorToDoor *int32     `json:"door_to_door,omitempty"`
	SelfPay    *money.Fen `json:"self_pay,omitempty"`
	Warnings   []Remark   `json:"warnings,omitempty"`

	exact int64 // the sum of weight times value, before rounding: what the order is by
}

// Term is one part of a score, in basis points.
type Term struct {
	Key     string `json:"key"`
	Weight  int32  `json:"weight"`
	Value   int32  `json:"value"`
	Points  int32  `json:"points"`
	Because Remark `json:"because"`
}

// Excluded is a center that may not take the patient, with every reason.
type Excluded struct {
	CenterID string      `json:"center_id"`
	NameZh   string      `json:"name_zh"`
	NameEn   string      `json:"name_en"`
	Reasons  []Exclusion `json:"reasons"`
}

// Exclusion is one reason.
type Exclusion struct {
	Code    string `json:"code"`
	Because Remark `json:"because"`
}

// Result is a ranking.
type Result struct {
	Ranked   []Ranked   `json:"ranked"`
	Excluded []Excluded `json:"excluded"`
	Missing  []Remark   `json:"missing"`
}

// Rank ranks. The candidates' ids must differ, as a directory's do.
func Rank(in Input, w *Weights) Result {
	candidates := slices.SortedFunc(slices.Values(in.Candidates), func(a, b Candidate) int { return cmp.Compare(a.Center.ID, b.Center.ID) })
	gaps := newGaps()
	gaps.unknownChoices(in, candidates)
	var out Result
	for i := range candidates {
		c := &candidates[i]
		if reasons := filter(in, c, gaps); len(reasons) > 0 {
			out.Excluded = append(out.Excluded, Excluded{c.Center.ID, c.Center.NameZh, c.Center.NameEn, reasons})
			continue
		}
		out.Ranked = append(out.Ranked, score(in, c, w, gaps))
	}
	slices.SortFunc(out.Ranked, func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(b.exact, a.exact), cmp.Compare(a.CenterID, b.CenterID))
	})
	out.Missing = gaps.remarks(in)
	return out
}

func day(in Input) string { return clock.Day(in.At) }
