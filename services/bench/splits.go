package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/settlement/offline"
)

var splits = figure{
	name: "splits", title: "splits of a bill of 100 lines per second, on one core",
	how: `The sample policy of Jiangxi and catalogue of Shanghai, a resident with two identities and every later layer, 100 lines of which 10 are refunds.
One goroutine sums the lines by the catalogue and divides the sum; no request, no store. Explained: with every step written out in two languages.
A second and core is a second of this process's processor time, so that other programs' work does not count. Allocations are those of the whole process, counted by the runtime. The result is compared with the first each time`,
	take: takeSplits,
}

const splitLines = 100

// splitFolder holds the sample documents, seen from the repository's root.
const splitFolder = "services/settlement/policy/sample"

func takeSplits(ctx context.Context, b *bed) ([]table, error) {
	claim := filepath.Join(b.dir, "claim.yaml")
	if err := os.WriteFile(claim, []byte(splitClaim()), 0o600); err != nil {
		return nil, err
	}
	folder := splitFolder
	if _, err := os.Stat(folder); err != nil { // a test runs in the package's folder
		folder = filepath.Join("..", "..", folder)
	}
	s, err := offline.Prepare(offline.Files{
		Policy: filepath.Join(folder, "policy-360000.yaml"), Catalogue: filepath.Join(folder, "catalogue-310000.yaml"), Claim: claim,
	})
	if err != nil {
		return nil, err
	}
	if s.Lines() != splitLines {
		return nil, fmt.Errorf("the claim has %d lines", s.Lines())
	}
	t := table{head: []string{"what", "splits /s and core", "a split", "by the clock /s", "allocations a split"}}
	for _, side := range []struct {
		name    string
		explain bool
	}{{"computed", false}, {"computed and explained", true}} {
		var rates, waits, clocked, allocations series
		for range b.rounds {
			r, err := splitRound(ctx, s, side.explain, b.round)
			if err != nil {
				return nil, err
			}
			rates, waits = append(rates, r.rate), append(waits, 1e6/r.rate)
			clocked, allocations = append(clocked, r.clocked), append(allocations, r.allocated)
		}
		t.add(side.name, rates.spread("%.0f"), waits.spread("%.2f")+" µs", clocked.spread("%.0f"), allocations.spread("%.2f"))
	}
	return []table{t}, nil
}

// splitFigures are those of one round, a split each or a second each.
type splitFigures struct{ rate, clocked, allocated float64 }

func splitRound(ctx context.Context, s *offline.Prepared, explain bool, round time.Duration) (r splitFigures, err error) {
	want, err := s.Compute()
	if err != nil {
		return r, err
	}
	var before, after runtime.MemStats
	system, n := clock.System(), 0
	runtime.GC()
	runtime.ReadMemStats(&before)
	spent, err := usage(syscall.RUSAGE_SELF)
	if err != nil {
		return r, err
	}
	began := system.Now()
	for system.Now().Sub(began) < round {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		for range 1000 {
			cash, err := s.Compute()
			if err != nil {
				return r, err
			}
			if cash != want || explain && s.Explain().Check() != nil {
				return r, errors.New("the same bill was split otherwise")
			}
		}
		n += 1000
	}
	took := system.Now().Sub(began)
	end, err := usage(syscall.RUSAGE_SELF)
	if err != nil {
		return r, err
	}
	runtime.ReadMemStats(&after)
	return splitFigures{
		rate: float64(n) / (end - spent).Seconds(), clocked: float64(n) / took.Seconds(), allocated: float64(after.Mallocs-before.Mallocs) / float64(n),
	}, nil
}

// splitClaim is a bill of splitLines lines, of every class, some above limits, some out of catalogue.
func splitClaim() string {
	items := []string{"S-BED", "S-TAC", "S-MAT", "S-SPECIAL", "S-CT", "S-LAB", "S-CONS", "S-ALB", "S-ICU"}
	var text strings.Builder
	text.WriteString(`person: {scheme: resident, groups: [subsistence, illness_poverty], plans: [sample-huimin, sample-charity, sample-grant], personal_account: 1000}
filing: referral
treatment_province: "310000"
center: C-SH-01
discharge_date: "2026-11-20"
lines:
`)
	for i := 1; i <= splitLines; i++ {
		of, refund := i, ""
		if i%10 == 0 {
			of, refund = i-1, fmt.Sprintf(", refund_of: %d", i-1)
		}
		fmt.Fprintf(&text, "  - {number: %d, item: %s, price: %d.%02d, quantity_milli: %d%s}\n",
			i, items[of%len(items)], 50*of, of, map[bool]int{true: 1000, false: 3000}[refund != ""], refund)
	}
	return text.String()
}
