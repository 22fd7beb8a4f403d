package pool_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/fault"
	"huhang.example/services/transfer/pool"
)

// What is owed is the time from when the borrower had the unit to when it was given back, no more and never less than
// nothing, whenever it is taken and given back.
func TestALoanOwesTheTimeItWasHad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := pool.Loan{Status: pool.Offered, Interval: hours(10, 20)}
		at := func(name string) time.Time {
			return now.Add(time.Duration(rapid.IntRange(0, 25*60).Draw(t, name)) * time.Minute)
		}
		accepted, back := at("accepted"), at("back")
		if back.Before(accepted) {
			accepted, back = back, accepted
		}
		if err := l.Accept(accepted); err != nil {
			if !fault.Is(err, fault.WrongState) || accepted.Before(now.Add(20*time.Hour)) {
				t.Fatalf("%v at %v", err, accepted)
			}
			return
		}
		had := func(until time.Time) time.Duration {
			from := now.Add(10 * time.Hour)
			if accepted.After(from) {
				from = accepted
			}
			return max(until.Sub(from), 0)
		}
		if want := had(now.Add(20 * time.Hour)); l.Owed != want {
			t.Fatalf("accepted at %v owes %v, want %v", accepted, l.Owed, want)
		}
		if err := l.Finish(back); err != nil {
			if !fault.Is(err, fault.WrongState) || back.Before(now.Add(20*time.Hour)) {
				t.Fatalf("%v at %v", err, back)
			}
			return
		}
		if want := had(back); l.Owed != want || l.Status != pool.Ended {
			t.Fatalf("from %v, back at %v: owes %v, want %v", accepted, back, l.Owed, want)
		}
	})
}
