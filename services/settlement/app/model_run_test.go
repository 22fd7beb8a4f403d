package app_test

import (
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/settlement"
)

// TestModel is a short run of what TestSoakModel does for long.
func TestModel(t *testing.T) {
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
		seed := uint64(clock.System().Now().UnixNano())
		t.Logf("seed %d", seed)
		newWorld(t, dsn, 6, seed).run(t, 2, 1500, time.Minute)
	})
}

// run does random operations until there are enough or the time is over, and returns how many there were. Between rounds
// the model and the counters of the insured province are equal; in the end so are the books of both.
func (w *world) run(t *testing.T, workers, atMost int, limit time.Duration) (done int) {
	t.Helper()
	const each = 50
	people := slices.Collect(maps.Values(w.people))
	mine := make([][]*insuredPerson, workers) // nobody is worked on by two
	for i, p := range people {
		mine[i%workers] = append(mine[i%workers], p)
	}
	ends := clock.System().Now().Add(limit)
	for round := 0; done < atMost && clock.System().Now().Before(ends); round++ {
		var all sync.WaitGroup
		for i := range workers {
			all.Go(func() {
				for n := range each {
					w.step(t.Context(), mine[i][n%len(mine[i])])
				}
			})
		}
		all.Wait()
		done += workers * each
		w.tick(round % 3)
		w.check(t, people)
	}
	for _, p := range people {
		w.settleDown(t.Context(), p)
	}
	w.check(t, people)
	w.books(t, people)
	did := map[string]int{}
	for _, p := range people {
		for what, n := range p.did {
			did[what] += n
		}
	}
	t.Logf("%d operations: %v", done, did)
	return done
}

func (w *world) check(t *testing.T, people []*insuredPerson) {
	t.Helper()
	for _, p := range people {
		if p.broken != nil {
			t.Fatal(p.broken)
		}
		for year, want := range p.years {
			got, err := w.farStore.Counters(t.Context(), insured, p.id, year)
			if err != nil || got != want {
				t.Fatalf("%s of %s: %+v, the model has %+v, %v", year, p.id, got, want, err)
			}
		}
	}
}

// books checks that both trial balances are zero and that the two provinces agree with the model on what is owed.
func (w *world) books(t *testing.T, people []*insuredPerson) {
	t.Helper()
	var want money.Fen
	for _, p := range people {
		want += p.owed
	}
	for _, side := range []struct {
		use         *settlement.Service
		at, account string
		sign        money.Fen
	}{{w.here, treatment, "receivable:310000:360000", 1}, {w.far, insured, "payable:360000:310000", -1}} {
		balances, difference, err := side.use.TrialBalance(as(t, operations), side.at)
		if err != nil || difference != 0 {
			t.Fatalf("trial balance of %s: %s, %v", side.at, difference, err)
		}
		var owed money.Fen
		for _, b := range balances {
			if b.Account == side.account {
				owed = side.sign * (b.Debit - b.Credit)
			}
		}
		if owed != want {
			t.Fatalf("%s: %s, the model has %s", side.account, owed, want)
		}
	}
}
