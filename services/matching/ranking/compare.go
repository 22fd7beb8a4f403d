package ranking

import (
	"fmt"
	"slices"
	"strings"
)

// The ways a center can stand against the ranking before; a center that stands as it stood has none.
const (
	New     = "NEW"     // ranked now and not before
	Changed = "CHANGED" // another place or score, or excluded for other reasons
	Gone    = "GONE"    // ranked before and not now
)

// Delta is what changed for one center, and why.
type Delta struct {
	CenterID string   `json:"center_id"`
	Kind     string   `json:"kind"`
	Because  []Remark `json:"because"`
}

// standings of one result by center.
type standings struct {
	place    map[string]int
	ranked   map[string]*Ranked
	excluded map[string]*Excluded
}

func standingsOf(r *Result) standings {
	s := standings{map[string]int{}, map[string]*Ranked{}, map[string]*Excluded{}}
	for i := range r.Ranked {
		s.place[r.Ranked[i].CenterID], s.ranked[r.Ranked[i].CenterID] = i+1, &r.Ranked[i]
	}
	for i := range r.Excluded {
		s.excluded[r.Excluded[i].CenterID] = &r.Excluded[i]
	}
	return s
}

// Compare tells what changed between two rankings of the same case, by center.
func Compare(before, after *Result) []Delta {
	was, is := standingsOf(before), standingsOf(after)
	ids := map[string]bool{}
	for _, s := range []standings{was, is} {
		for id := range s.ranked {
			ids[id] = true
		}
		for id := range s.excluded {
			ids[id] = true
		}
	}
	var out []Delta
	for id := range ids {
		d := Delta{CenterID: id}
		switch a, b := was.ranked[id], is.ranked[id]; {
		case a == nil && b != nil:
			d.Kind, d.Because = New, came(was.excluded[id])
		case a != nil && b == nil:
			d.Kind, d.Because = Gone, wentOut(is.excluded[id])
		case a != nil:
			d.Kind, d.Because = Changed, moved(a, b, was.place[id], is.place[id])
		default:
			d.Kind, d.Because = Changed, otherwise(was.excluded[id], is.excluded[id])
		}
		if len(d.Because) > 0 {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b Delta) int { return strings.Compare(a.CenterID, b.CenterID) })
	return out
}

var unlisted = Remark{"此前不在目录中。", "It was not in the directory before."}

func came(was *Excluded) []Remark {
	if was == nil {
		return []Remark{unlisted}
	}
	return prefixed("此前的排除原因已消除：", "No longer so: ", was.Reasons)
}

func wentOut(is *Excluded) []Remark {
	if is == nil {
		return []Remark{{"已不在目录中。", "It is no longer in the directory."}}
	}
	return prefixed("", "", is.Reasons)
}

func prefixed(zh, en string, reasons []Exclusion) (out []Remark) {
	for _, r := range reasons {
		out = append(out, Remark{zh + r.Because.Zh, en + r.Because.En})
	}
	return out
}

func moved(a, b *Ranked, from, to int) (out []Remark) {
	for i, t := range b.Terms {
		if i >= len(a.Terms) || a.Terms[i].Key != t.Key {
			out = append(out, Remark{"评分项目已变更。", "The terms of the score are other ones."})
			break
		}
		old := a.Terms[i]
		if old.Unknown = t.Unknown; old != t { // its words tell of it; runs older than the field do not have it
			out = append(out, Remark{
				fmt.Sprintf("%s：%d→%d分（%s）", termZh[t.Key], old.Points, t.Points, strings.TrimSuffix(t.Because.Zh, "。")),
				fmt.Sprintf("%s: %d to %d points (%s)", t.Key, old.Points, t.Points, strings.TrimSuffix(t.Because.En, ".")),
			})
		}
	}
	if from != to || a.Score != b.Score {
		out = append([]Remark{{
			fmt.Sprintf("第%d位→第%d位，%d→%d分。", from, to, a.Score, b.Score),
			fmt.Sprintf("From place %d to %d, from %d to %d points.", from, to, a.Score, b.Score),
		}}, out...)
	}
	return out
}

// otherwise compares the reasons of a center that was and is excluded; one that left or entered the directory so is not
// what anybody waits to learn.
func otherwise(was, is *Excluded) (out []Remark) {
	if was == nil || is == nil {
		return nil
	}
	codes := func(list []Exclusion) []string {
		var codes []string
		for _, r := range list {
			codes = append(codes, r.Code+r.Because.En)
		}
		return codes
	}
	before, now := codes(was.Reasons), codes(is.Reasons)
	for i, r := range was.Reasons {
		if !slices.Contains(now, before[i]) {
			out = append(out, Remark{"已消除：" + r.Because.Zh, "No longer so: " + r.Because.En})
		}
	}
	for i, r := range is.Reasons {
		if !slices.Contains(before, now[i]) {
			out = append(out, Remark{"新增：" + r.Because.Zh, "Now: " + r.Because.En})
		}
	}
	return out
}

var termZh = map[string]string{
	TermCapacity: "接收能力", TermWait: "等待时间", TermSurvival: "生存率", TermDoor: "路程", TermDirect: "直接结算", TermSelfPay: "预计自付", TermPreference: "患者意向",
}
