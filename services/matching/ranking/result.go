package ranking

import (
	"cmp"
	"slices"

	"huhang.example/services/internal/money"
)

// Result is a ranking in the reader's words.
type Result struct {
	Ranked   []Ranked   `json:"ranked"`
	Excluded []Excluded `json:"excluded"`
	Missing  []Gap      `json:"missing"`
	// Hints say, where no center is left, which single datum keeps the centers out.
	Hints []Remark `json:"hints,omitempty"`
}

// Ranked is a center that may take the patient.
type Ranked struct {
	CenterID string `json:"center_id"`
	NameZh   string `json:"name_zh"`
	NameEn   string `json:"name_en"`
	Score    int32  `json:"score"`
	// ScoreAtMost is the score if every term that is not known turned out best, RankAtBest the place with it.
	ScoreAtMost int32      `json:"score_at_most"`
	RankAtBest  int32      `json:"rank_at_best"`
	Terms       []Term     `json:"terms"`
	DoorToDoor  *int32     `json:"door_to_door,omitempty"`
	SelfPay     *money.Fen `json:"self_pay,omitempty"`
	Warnings    []Remark   `json:"warnings,omitempty"`
}

// Term is one part of a score, in basis points.
type Term struct {
	Key     string `json:"key"`
	Weight  int32  `json:"weight"`
	Value   int32  `json:"value"`
	Points  int32  `json:"points"`
	Because Remark `json:"because"`
	// Unknown: nothing to go by, so that it counts 0.
	Unknown bool `json:"unknown,omitempty"`
}

// Excluded is a center that may not take the patient, with every reason.
type Excluded struct {
	CenterID string      `json:"center_id"`
	NameZh   string      `json:"name_zh"`
	NameEn   string      `json:"name_en"`
	Reasons  []Exclusion `json:"reasons"`
}

// Exclusion is one reason, and what would have to change for it to fall away.
type Exclusion struct {
	Code    string `json:"code"`
	Because Remark `json:"because"`
	Change  Remark `json:"change"`
}

// Result tells the ranking.
func (r *Ranking) Result() Result {
	var out Result
	out.Ranked = make([]Ranked, 0, len(r.ranked))
	for i := range r.ranked {
		out.Ranked = append(out.Ranked, r.tell(i))
	}
	for _, e := range r.excluded {
		row := &r.board.rows[e.row]
		told := Excluded{CenterID: row.center.ID, NameZh: row.center.NameZh, NameEn: row.center.NameEn}
		for k := range reasonCount {
			if e.reasons.has(k) {
				told.Reasons = append(told.Reasons, r.reason(k, row, &r.q.Found[e.row]))
			}
		}
		out.Excluded = append(out.Excluded, told)
	}
	out.Missing = r.missing()
	if len(r.ranked) == 0 {
		out.Hints = r.hints()
	}
	return out
}

func (r *Ranking) tell(at int) Ranked {
	s := &r.ranked[at]
	row, found := &r.board.rows[s.row], &r.q.Found[s.row]
	out := Ranked{
		CenterID: row.center.ID, NameZh: row.center.NameZh, NameEn: row.center.NameEn, Score: int32(s.exact / whole),
		DoorToDoor: found.DoorToDoor, SelfPay: found.SelfPay, Warnings: r.warnings(row, found, int(s.row)), Terms: make([]Term, 0, termCount),
	}
	most, unknown := s.exact, 0
	for term := range termCount {
		t := Term{
			Key: Keys[term], Weight: int32(r.board.weights[term]), Value: s.values[term], Because: r.because(term, row, found, int(s.row)),
			Unknown: r.gaps[s.row]&countsNothing[term] != 0,
		}
		if t.Unknown {
			unknown++
			most += int64(t.Weight) * whole
		}
		out.Terms = append(out.Terms, t)
	}
	share(out.Terms, out.Score)
	out.ScoreAtMost, out.RankAtBest = int32(most/whole), r.placeWith(most, at)
	if unknown > 0 {
		out.Warnings = append(out.Warnings, couldRise(unknown, out.ScoreAtMost))
	}
	return out
}

// countsNothing has, by term, the gap for which it counts 0.
var countsNothing = [termCount]gapSet{
	termCapacity: gapCapacity.set(), termWait: gapWait.set(), termSurvival: gapSurvival.set(), termDoor: gapDoor.set(), termSelfPay: gapSelfPay.set(),
}

// placeWith is the place of the center ranked at if its exact sum were another, not lower one, and all others' as they are.
func (r *Ranking) placeWith(exact int64, at int) int32 {
	row := r.ranked[at].row
	before, _ := slices.BinarySearchFunc(r.ranked[:at], exact, func(s standing, exact int64) int {
		if s.exact > exact || s.exact == exact && s.row < row {
			return -1
		}
		return 1
	})
	return int32(before + 1)
}

// share gives the terms their points so that they sum to the score: the largest remainders get what is left.
func share(terms []Term, score int32) {
	type rest struct {
		index     int
		remainder int64
	}
	rests := make([]rest, 0, termCount)
	given := int32(0)
	for i := range terms {
		t := &terms[i]
		product := int64(t.Weight) * int64(t.Value)
		t.Points = int32(product / whole)
		given += t.Points
		rests = append(rests, rest{i, product % whole})
	}
	slices.SortStableFunc(rests, func(a, b rest) int { return cmp.Compare(b.remainder, a.remainder) })
	for i := 0; given < score; i++ {
		terms[rests[i].index].Points++
		given++
	}
}
