package ranking

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Explanation is why a center stands where it stands (为何不是该中心).
type Explanation struct {
	// Exactly one of Ranked, Excluded and neither; Place counts from 1.
	Ranked   *Ranked
	Place    int
	Excluded *Excluded
	// Behind are the terms in which the first does better, the largest loss first.
	Behind  []Loss
	Gaps    []Gap
	Summary Remark
}

// Loss is what a center loses to the first in one term.
type Loss struct {
	Key           string
	Points, First int32
}

// Explain answers for any center, one that the directory never had too.
func Explain(r *Result, centerID string) Explanation {
	var e Explanation
	for _, g := range r.Missing {
		if slices.Contains(g.Centers, centerID) {
			e.Gaps = append(e.Gaps, g)
		}
	}
	s := standingsOf(r)
	switch {
	case s.excluded[centerID] != nil:
		e.Excluded = s.excluded[centerID]
		var zh, en []string
		for _, reason := range e.Excluded.Reasons {
			zh, en = append(zh, strings.TrimSuffix(reason.Because.Zh, "。")), append(en, strings.TrimSuffix(reason.Because.En, "."))
		}
		e.Summary = Remark{"未列入排序：" + strings.Join(zh, "；") + "。", "Not ranked: " + strings.Join(en, "; ") + "."}
	case s.ranked[centerID] == nil:
		e.Summary = Remark{"匹配时目录中没有此中心，请核对代码。", "The directory had no such center when the run was made: check the code."}
	default:
		e.Ranked, e.Place = s.ranked[centerID], s.place[centerID]
		e.behind(&r.Ranked[0], len(r.Ranked))
		if best := int(e.Ranked.RankAtBest); best > 0 && best < e.Place {
			e.Summary.Zh += fmt.Sprintf("未知项若均为最佳，可至第%d位。", best)
			e.Summary.En += fmt.Sprintf(" Were what is not known the best possible, it would be place %d.", best)
		}
	}
	return e
}

func (e *Explanation) behind(first *Ranked, of int) {
	e.Summary = Remark{fmt.Sprintf("共%d家，排第%d位，%d分。", of, e.Place, e.Ranked.Score), fmt.Sprintf("Place %d of %d with %d points.", e.Place, of, e.Ranked.Score)}
	if e.Place == 1 {
		return
	}
	for i, t := range e.Ranked.Terms {
		if i < len(first.Terms) && first.Terms[i].Points > t.Points {
			e.Behind = append(e.Behind, Loss{t.Key, t.Points, first.Terms[i].Points})
		}
	}
	slices.SortStableFunc(e.Behind, func(a, b Loss) int { return cmp.Compare(b.First-b.Points, a.First-a.Points) })
	if len(e.Behind) > 0 {
		l := e.Behind[0]
		e.Summary.Zh += fmt.Sprintf("与首位差%d分，主要在%s（%d对%d）。", first.Score-e.Ranked.Score, termZh[l.Key], l.Points, l.First)
		e.Summary.En += fmt.Sprintf(" %d points behind the first, most of it in %s (%d against %d).", first.Score-e.Ranked.Score, l.Key, l.Points, l.First)
	}
}
