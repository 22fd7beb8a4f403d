package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/matching/assign"
	"huhang.example/services/matching/assign/certificate"
)

var assignment = figure{
	name: "assignment", title: "assignment of many waiting cases to 188 centers x 5 organs, proved optimal",
	how: `the engine alone, in this process on one core: invented cases of 31 provinces, each ranked at about three quarters of its organ's centers, a third of the centers
bound by a quota over all their organs, shares between provinces declared; the same seed each time. "solve" places all cases, "prove" is the checker of its own over all
cases and prices in exact integers, "all" lays the problem out, solves it and explains every case with what the next best would cost. Nothing counts with a gap other than 0`,
	take: takeAssignment,
}

const (
	assignedCenters = 188
	assignSeed      = 20261122
)

var assignedOrgans = []string{"HEART", "KIDNEY", "LIVER", "LUNG", "PANCREAS"}

// waitingCases invents n cases, and places for the given share of them.
func waitingCases(n int, share float64) assign.Ask {
	r := rand.New(rand.NewPCG(assignSeed, uint64(n)))
	ask := assign.Ask{Quotas: map[string]int32{}}
	codes := make([]string, assignedCenters)
	for g := range codes {
		codes[g] = fmt.Sprintf("C-X%03d-01", g)
	}
	center := func(g int) string { return codes[g] }
	each := share * float64(n) / float64(assignedCenters*len(assignedOrgans))
	for g := range assignedCenters {
		sum := int32(0)
		for _, organ := range assignedOrgans {
			free := int32(r.Float64()*2*each + r.Float64())
			sum += free
			ask.Places = append(ask.Places, assign.Place{CenterID: center(g), Organ: organ, Free: free})
		}
		if g%3 == 0 {
			ask.Quotas[center(g)] = sum*3/4 + 1
		}
	}
	for i := range n {
		c := assign.Case{
			ReferralID: fmt.Sprintf("ref%07d", i), Province: fmt.Sprintf("%d0000", 11+r.IntN(31)), Organ: assignedOrgans[r.IntN(len(assignedOrgans))],
			Urgency: "ROUTINE", DaysWaited: r.Int32N(400),
		}
		switch u := r.IntN(100); {
		case u < 5:
			c.Urgency = "EMERGENCY"
		case u < 20:
			c.Urgency = "URGENT"
		}
		for g := range assignedCenters {
			if r.IntN(4) > 0 {
				c.Choices = append(c.Choices, assign.Choice{CenterID: center(g), Score: r.Int32N(10_001)})
			}
		}
		ask.Cases = append(ask.Cases, c)
	}
	return ask
}

func takeAssignment(ctx context.Context, b *bed) ([]table, error) {
	t := table{head: []string{"cases", "places for", "placed", "solve", "its processor time", "prove", "all", "worth", "bound", "gap", "heap after"}}
	for _, row := range []struct {
		cases int
		share float64
	}{{1_000, 0.6}, {3_000, 0.6}, {10_000, 0.6}, {10_000, 1.2}, {30_000, 0.6}, {100_000, 0.6}} {
		if int64(row.cases) > b.most {
			continue
		}
		if err := assignOnce(ctx, b, &t, row.cases, row.share); err != nil {
			return nil, err
		}
	}
	return []table{t}, nil
}

func assignOnce(ctx context.Context, b *bed, t *table, cases int, share float64) error {
	system := clock.System()
	ask := waitingCases(cases, share)
	var whole, solve, used, prove series
	var proposal *assign.Proposal
	var proved certificate.Certificate
	rounds := b.rounds
	if cases > 30_000 {
		rounds = 1
	}
	for range rounds {
		begun := system.Now()
		var err error
		if proposal, err = assign.Propose(ctx, ask, assign.Current(), nil); err != nil {
			return err
		}
		whole = append(whole, system.Now().Sub(begun).Seconds())
		// What the first left is not collected on the second's account.
		runtime.GC()
		before, err := usage(syscall.RUSAGE_SELF)
		if err != nil {
			return err
		}
		begun = system.Now()
		solution, err := assign.Solve(ctx, proposal.Problem, nil)
		if err != nil {
			return err
		}
		solve = append(solve, system.Now().Sub(begun).Seconds())
		after, err := usage(syscall.RUSAGE_SELF)
		if err != nil {
			return err
		}
		used = append(used, (after - before).Seconds())
		begun = system.Now()
		if proved, err = certificate.Verify(proposal.Problem, solution); err != nil {
			return err
		}
		prove = append(prove, system.Now().Sub(begun).Seconds())
		if solution.Value != proposal.Solution.Value {
			return errors.New("the same problem had two values")
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.add(fmt.Sprint(cases), fmt.Sprintf("%.0f %%", share*100), fmt.Sprint(proposal.Placed), seconds(solve), seconds(used), seconds(prove), seconds(whole),
		proved.Primal.String(), proved.Dual.String(), proved.Gap().String(), fmt.Sprintf("%d MiB", m.HeapAlloc>>20))
	return nil
}

func seconds(s series) string {
	return time.Duration(s.median() * float64(time.Second)).Round(100 * time.Microsecond).String()
}
