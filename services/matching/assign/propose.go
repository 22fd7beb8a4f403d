package assign

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
)

// Case is one that waits (待统筹病例).
type Case struct {
	ReferralID string
	// Province is the patient's, for fairness; empty counts as one of its own.
	Province   string
	Organ      string
	Urgency    string
	DaysWaited int32
	// Choices are the centers ranked for the case, with their scores, 0 to 10000.
	Choices []Choice
}

// Choice is a center that may take the case.
type Choice struct {
	CenterID string
	Score    int32
}

// Place is what a center has free for an organ.
type Place struct {
	CenterID, Organ string
	Free            int32
}

// Ask is everything a proposal depends on. Quotas bound a center's programs together; a center without one is bound by its
// places alone.
type Ask struct {
	Cases  []Case
	Places []Place
	Quotas map[string]int32
}

// board is an ask as a problem, and back.
type board struct {
	ask     Ask
	rules   *Rules
	problem *Problem
	centers []string
	programs
}

type programs struct {
	list []Place
	at   map[Place]int32 // by center and organ, Free zero
}

// Bounds of an ask beyond those of a problem.
const mostFree = 1_000_000

// lay makes the problem. Columns are programs by organ and center, then two of waiting for each province: in its turn,
// and below its share.
func lay(ask Ask, rules *Rules) (*board, error) {
	// The order in which cases are told decides nothing, not even between equals.
	ask.Cases = slices.SortedFunc(slices.Values(ask.Cases), func(a, b Case) int { return cmp.Compare(a.ReferralID, b.ReferralID) })
	b := &board{ask: ask, rules: rules, problem: new(Problem)}
	if err := b.programsOf(); err != nil {
		return nil, err
	}
	provinces, waiting := b.provinces()
	own := int32(len(b.list))
	for n := range provinces {
		b.problem.Columns = append(b.problem.Columns,
			Column{Capacity: waiting[n], Center: NoCenter}, Column{Capacity: Unbounded, Center: NoCenter})
	}
	seen := make(map[string]bool, len(ask.Cases))
	for n := range ask.Cases {
		c := &ask.Cases[n]
		if seen[c.ReferralID] {
			return nil, fmt.Errorf("case %s: there twice", c.ReferralID)
		}
		seen[c.ReferralID] = true
		if rules.Urgency[c.Urgency] == 0 {
			return nil, fmt.Errorf("case %s: no such urgency", c.ReferralID)
		}
		var options []Option
		for _, choice := range c.Choices {
			if choice.Score < 0 || choice.Score > whole {
				return nil, fmt.Errorf("case %s: score %d", c.ReferralID, choice.Score)
			}
			if column, there := b.at[Place{CenterID: choice.CenterID, Organ: c.Organ}]; there {
				value, _ := rules.worth(c, choice.Score)
				options = append(options, Option{column, value})
			}
		}
		slices.SortFunc(options, func(a, b Option) int { return cmp.Compare(a.Column, b.Column) })
		at, _ := slices.BinarySearch(provinces, c.Province)
		first := own + 2*int32(at)
		b.problem.Cases = append(b.problem.Cases, append(options, Option{first, 0}, Option{first + 1, -rules.BelowShare}))
	}
	return b, b.problem.Check()
}

func (b *board) programsOf() error {
	b.list = slices.SortedFunc(slices.Values(b.ask.Places), func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Organ, b.Organ), cmp.Compare(a.CenterID, b.CenterID))
	})
	b.at = make(map[Place]int32, len(b.list))
	for _, p := range b.list {
		b.centers = append(b.centers, p.CenterID)
	}
	slices.Sort(b.centers)
	b.centers = slices.Compact(b.centers)
	for _, center := range b.centers {
		quota, bound := b.ask.Quotas[center]
		if !bound {
			quota = Unbounded
		}
		b.problem.Quotas = append(b.problem.Quotas, quota)
	}
	for n, p := range b.list {
		key := Place{CenterID: p.CenterID, Organ: p.Organ}
		if _, twice := b.at[key]; twice || p.Free < 0 || p.Free > mostFree {
			return fmt.Errorf("place %s %s: twice, or %d free", p.CenterID, p.Organ, p.Free)
		}
		b.at[key] = int32(n)
		center, _ := slices.BinarySearch(b.centers, p.CenterID)
		b.problem.Columns = append(b.problem.Columns, Column{Capacity: p.Free, Center: int32(center)})
	}
	return nil
}

// provinces of the cases, and how many cases of each may wait before it has less than its share.
func (b *board) provinces() (codes []string, waiting []int32) {
	cases := map[string]int64{}
	for n := range b.ask.Cases {
		cases[b.ask.Cases[n].Province]++
	}
	for code := range cases {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	weights := make([]int64, len(codes))
	for n, code := range codes {
		weights[n] = cases[code] * b.rules.weight(code)
	}
	for n, share := range shares(b.room(), weights) {
		waiting = append(waiting, int32(max(cases[codes[n]]-share, 0)))
	}
	return codes, waiting
}

// room is how many cases could be placed at most, as far as places and quotas tell.
func (b *board) room() int64 {
	free := make([]int64, len(b.centers))
	for n, p := range b.list {
		free[b.problem.Columns[n].Center] += int64(p.Free)
	}
	sum := int64(0)
	for n, quota := range b.problem.Quotas {
		sum += min(free[n], int64(quota))
	}
	return min(sum, int64(len(b.ask.Cases)))
}

// shares splits a total in proportion to weights; the largest remainders get what is left, the first of equals first.
func shares(total int64, weights []int64) []int64 {
	sum := int64(0)
	for _, w := range weights {
		sum += w
	}
	out := make([]int64, len(weights))
	if sum == 0 {
		return out
	}
	order := make([]int, len(weights))
	rest := make([]int64, len(weights))
	left := total
	for n, w := range weights {
		product, whole := new(big.Int).Mul(big.NewInt(total), big.NewInt(w)), big.NewInt(sum)
		quotient, remainder := product.QuoRem(product, whole, new(big.Int))
		out[n], rest[n], order[n] = quotient.Int64(), remainder.Int64(), n
		left -= out[n]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rest[b], rest[a]) })
	for n := range left {
		out[order[n]]++
	}
	return out
}

// Propose places the cases and explains each placement. told, when not nil, hears how many are placed.
func Propose(ctx context.Context, ask Ask, rules *Rules, told func(placed int)) (*Proposal, error) {
	b, err := lay(ask, rules)
	if err != nil {
		return nil, err
	}
	plan, err := Work(ctx, b.problem, told)
	if err != nil {
		return nil, err
	}
	return b.explain(ctx, plan)
}
