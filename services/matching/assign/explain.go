package assign

import (
	"context"
	"fmt"
	"slices"
)

// Proposal is an assignment with its reasons (统筹分配建议). Problem and Solution are for whoever verifies it.
type Proposal struct {
	RulesVersion string
	Items        []Item
	Placed       int
	Problem      *Problem
	Solution     *Solution
}

// What a center that was not given would take.
const (
	NeedsPlace  = "PLACE"  // one more place of the program
	NeedsQuota  = "QUOTA"  // one more of the center's quota
	NeedsPoints = "POINTS" // nothing is short there: only that the case be worth more there than where it is
)

// Item is one case's placement. Costs are in points of all cases together.
type Item struct {
	ReferralID string `json:"referral_id"`
	// CenterID is empty for a case that waits on.
	CenterID string `json:"center_id,omitempty"`
	Points   int32  `json:"points"`
	Terms    []Term `json:"terms,omitempty"`
	// Next is the center that would cost least instead, and what all together would lose; empty where there is none.
	Next     string `json:"next,omitempty"`
	NextCost int64  `json:"next_cost,omitempty"`
	// Wished is the center worth most to this case alone, if it did not get that; Needs says what is short there, and
	// WishedCost what all together would lose.
	Wished     string `json:"wished,omitempty"`
	WishedCost int64  `json:"wished_cost,omitempty"`
	Needs      string `json:"needs,omitempty"`
	// BelowShare says that the case waits although its province has less than its share.
	BelowShare bool   `json:"below_share,omitempty"`
	Zh         string `json:"zh"`
	En         string `json:"en"`
}

func (b *board) explain(ctx context.Context, plan *Plan) (*Proposal, error) {
	out := &Proposal{RulesVersion: b.rules.Version, Items: make([]Item, len(b.ask.Cases)), Problem: b.problem, Solution: plan.Solution}
	for i := range b.ask.Cases {
		if i%tellEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		out.Items[i] = b.item(plan, i)
		if out.Items[i].CenterID != "" {
			out.Placed++
		}
	}
	return out, nil
}

func (b *board) item(plan *Plan, i int) Item {
	c, column := &b.ask.Cases[i], plan.Solution.Column[i]
	item := Item{ReferralID: c.ReferralID}
	if int(column) < len(b.list) {
		item.CenterID = b.list[column].CenterID
		at := slices.IndexFunc(c.Choices, func(choice Choice) bool { return choice.CenterID == item.CenterID })
		value, terms := b.rules.worth(c, c.Choices[at].Score)
		item.Points, item.Terms = value, terms[:]
	} else {
		item.BelowShare = (column-int32(len(b.list)))%2 == 1
	}
	wished, next := b.others(plan, i, column)
	if next >= 0 {
		if cost, possible := plan.Cost(i, next); possible {
			item.Next, item.NextCost = b.list[next].CenterID, cost
		}
	}
	if wished >= 0 {
		item.Wished, item.Needs = b.list[wished].CenterID, b.short(plan, wished)
		if cost, possible := plan.Cost(i, wished); possible {
			item.WishedCost = cost
		}
	}
	item.Zh, item.En = item.words()
	return item
}

// others are the column worth most to the case alone, if that is not its own, and the one whose prices make it the next best.
func (b *board) others(plan *Plan, i int, own int32) (wished, next int32) {
	wished, next = -1, -1
	var most int32
	var least int64
	if value, may := b.problem.Worth(i, own); may && int(own) < len(b.list) {
		most = value
	}
	for _, o := range b.problem.Cases[i] {
		if int(o.Column) >= len(b.list) || o.Column == own || b.problem.Columns[o.Column].Capacity == 0 {
			continue
		}
		if o.Value > most {
			wished, most = o.Column, o.Value
		}
		left := plan.Solution.ColumnPrice[o.Column] + plan.Solution.QuotaPrice[b.problem.Columns[o.Column].Center] - int64(o.Value)
		if next < 0 || left < least {
			next, least = o.Column, left
		}
	}
	return wished, next
}

func (b *board) short(plan *Plan, column int32) string {
	switch {
	case plan.Solution.ColumnPrice[column] > 0:
		return NeedsPlace
	case plan.Solution.QuotaPrice[b.problem.Columns[column].Center] > 0:
		return NeedsQuota
	}
	return NeedsPoints
}

var needs = map[string][2]string{
	NeedsPlace: {"该项目名额已满", "its places are full"}, NeedsQuota: {"该中心预留配额已满", "its reserve quota is full"},
	NeedsPoints: {"该处名额未满，但整体更优的安排不同", "it has room, but all together do better this way"},
}

func (i *Item) words() (zh, en string) {
	if i.CenterID != "" {
		zh, en = fmt.Sprintf("建议由%s接收，计%d分。", i.CenterID, i.Points), fmt.Sprintf("To %s, worth %d points.", i.CenterID, i.Points)
	} else {
		zh, en = "建议继续等待：没有剩余名额能带来更大的总体收益。", "Waits on: no place is left that would be worth more with this case than with another."
	}
	if i.Next != "" {
		zh += fmt.Sprintf("其次为%s，总体少%d分。", i.Next, i.NextCost)
		en += fmt.Sprintf(" Next best %s: all cases together lose %d.", i.Next, i.NextCost)
	}
	if i.Wished != "" {
		zh += fmt.Sprintf("就本例而言%s最合适：%s；改派总体少%d分。", i.Wished, needs[i.Needs][0], i.WishedCost)
		en += fmt.Sprintf(" For this case alone %s would be best: %s; giving it that would cost all together %d.", i.Wished, needs[i.Needs][1], i.WishedCost)
	}
	return zh, en
}
