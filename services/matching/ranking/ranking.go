// Package ranking orders the centers that may take a patient.
//
// Invariants: every center of the directory comes out exactly once, ranked or excluded, and an excluded one with every
// reason there is. The outcome depends on the input's contents alone, not on its order. A datum that is missing, or that
// cannot be true, excludes nobody: it is named, with what it would change. Only places for a patient are ranked; nothing
// here knows of an organ.
//
// A Board is the directory made ready for one organ under one version of the weights. Rank compares figures only; what
// is told of them in words is written by Result, for whoever reads it.
package ranking

import (
	"cmp"
	"slices"
	"time"

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
	// NeedsABOIncompat is the referrer's word that only a program that transplants across ABO groups will do.
	NeedsABOIncompat bool  `json:"needs_abo_incompatible,omitempty"`
	LivingDonorRoute bool  `json:"living_donor_route"`
	ActiveInfection  *bool `json:"active_infection,omitempty"`
	HIV              *bool `json:"hiv,omitempty"`
	// Infections are the results by infection (directory.Infections) beside the two above; absent is "not known".
	Infections map[string]Infection `json:"infections,omitempty"`
	// Tumour is nil where it plays no part: another organ than the liver.
	Tumour *Tumour `json:"tumour,omitempty"`
	// Recorded tells whether any clinical record exists.
	Recorded bool `json:"recorded"`
}

// Infection is one result.
type Infection struct {
	Positive bool `json:"positive"`
	// Treated: positive, and under control by the record's word.
	Treated bool `json:"treated,omitempty"`
}

// Found is what was found out about a center for this patient; nil is "not known".
type Found struct {
	// DoorToDoor is in minutes; NoWay says that the way was asked for and there is none.
	DoorToDoor       *int32     `json:"door_to_door,omitempty"`
	NoWay            bool       `json:"no_way,omitempty"`
	FreeBeds         *int32     `json:"free_beds,omitempty"`
	SelfPay          *money.Fen `json:"self_pay,omitempty"`
	DirectSettlement bool       `json:"direct_settlement"`
}

// Candidate is a center of the directory with what was found out about it.
type Candidate struct {
	Center *directory.Center `json:"center"`
	Found
}

// Input is everything a ranking depends on but the weights.
type Input struct {
	At         time.Time   `json:"at"`
	Organ      string      `json:"organ"`
	Patient    Patient     `json:"patient"`
	Candidates []Candidate `json:"candidates"`
	// Preferred is first choice first.
	Preferred []string `json:"preferred,omitempty"`
	Refused   []string `json:"refused,omitempty"`
}

// Question is what is asked of a board. Found stands in the order of the board's centers.
type Question struct {
	At                 time.Time
	Patient            Patient
	Found              []Found
	Preferred, Refused []string
}

// Rank ranks. The candidates' ids must differ, as a directory's do.
func Rank(in Input, w *Weights) Result {
	candidates := slices.SortedFunc(slices.Values(in.Candidates), func(a, b Candidate) int { return cmp.Compare(a.Center.ID, b.Center.ID) })
	centers, found := make([]*directory.Center, len(candidates)), make([]Found, len(candidates))
	for i, c := range candidates {
		centers[i], found[i] = c.Center, c.Found
	}
	return NewBoard(centers, in.Organ, w).Rank(Question{
		At: in.At, Patient: in.Patient, Found: found, Preferred: in.Preferred, Refused: in.Refused,
	}).Result()
}

// Ranking is the outcome in figures.
type Ranking struct {
	board    *Board
	q        Question
	asked    asked
	ranked   []standing // best first
	excluded []left     // by center
	gaps     []gapSet   // by row
}

// standing is a ranked row; exact is the sum of weight times value, before rounding: what the order is by.
type standing struct {
	exact  int64
	row    int32
	values [termCount]int32
}

type left struct {
	row     int32
	reasons reasonSet
}

// Rank ranks the board's centers for a patient.
func (b *Board) Rank(q Question) *Ranking {
	if len(q.Found) != len(b.rows) {
		panic("ranking: a question about other centers than the board's")
	}
	r := &Ranking{board: b, q: q, ranked: make([]standing, 0, len(b.rows)), gaps: make([]gapSet, len(b.rows))}
	r.asked.prepare(b, &r.q)
	for i := range b.rows {
		row, found := &b.rows[i], &r.q.Found[i]
		reasons, gaps := r.asked.judge(row, found, i)
		if reasons != 0 {
			r.excluded, r.gaps[i] = append(r.excluded, left{int32(i), reasons}), gaps
			continue
		}
		s := standing{row: int32(i)}
		r.gaps[i] = gaps | r.asked.value(b, row, found, i, &s.values)
		for term, value := range s.values {
			s.exact += b.weights[term] * int64(value)
		}
		r.ranked = append(r.ranked, s)
	}
	// Rows stand by their code: of equal sums the lower code comes first.
	slices.SortFunc(r.ranked, func(a, b standing) int {
		if a.exact != b.exact {
			return cmp.Compare(b.exact, a.exact)
		}
		return cmp.Compare(a.row, b.row)
	})
	return r
}
