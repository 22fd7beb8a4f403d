package app_test

import (
	"slices"
	"testing"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/store"
)

// takenBack is a claim with every step that can be taken back taken back once: settled, reversed, reopened, settled again; and
// one whose admission is.
func (p *pair) takenBack() []string {
	p.t.Helper()
	ctx := as(p.t, center)
	must := func(c *settlement.Claim, err error) *settlement.Claim {
		p.t.Helper()
		if err != nil {
			p.t.Fatal(err)
		}
		return c
	}
	p.file()
	must(p.here.CancelAdmission(ctx, p.open(treatment, "310100").ID, "1"))
	c := p.discharged()
	complete := func() {
		p.t.Helper()
		if err := p.here.Complete(p.t.Context(), c.ID); err != nil {
			p.t.Fatal(err)
		}
		c = p.claim(c)
	}
	c = p.settle(c)
	complete()
	c = must(p.here.ReverseSettlement(ctx, c.ID, c.Etag(), "wrong line"))
	complete()
	c = must(p.here.CancelDischarge(ctx, c.ID, c.Etag()))
	c = must(p.here.DischargeClaim(ctx, c.ID, c.Etag(), today))
	c = p.settle(c)
	complete()
	return []string{"OPENED", "DISCHARGED", "SETTLED", "REVERSED", "REOPENED", "DISCHARGED", "SETTLED"}
}

// The case learns of everything that was taken back, and of a claim's events in the order in which they happened, however
// often the first attempts fail and whichever job runs first.
func TestTheCaseIsToldInOrder(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		want := p.takenBack()
		tries := map[string]int{}
		p.wire.telling = func(e settlement.Event) error {
			if tries[e.Key]++; e.Kind == "OPENED" && tries[e.Key] <= 3 || e.Kind == "REVERSED" && tries[e.Key] <= 2 {
				return errLost
			}
			return nil
		}
		p.jobs()
		sqldbtest.Eventually(t, "everything is told", func() bool {
			p.clock.Advance(10 * time.Second)
			return len(p.wire.heard()) == len(want)+2
		})
		stays := map[string][]string{}
		for _, e := range p.wire.told {
			stays[e.ClaimID] = append(stays[e.ClaimID], e.Kind)
		}
		for _, kinds := range stays {
			if !slices.Equal(kinds, want) && !slices.Equal(kinds, []string{"OPENED", "CANCELLED"}) {
				t.Errorf("told %v", kinds)
			}
		}
		sqldbtest.Idle(t, p.db)
		if n := p.count(p.db, "claim_event"); n != 0 {
			t.Errorf("%d events are still owed", n)
		}
	})
}

// One event that the case cannot take keeps nothing behind it; its own job goes on. While the case is away nothing overtakes.
func TestWhatTheCaseCannotTake(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		p.file()
		c := p.discharged()
		owed, err := store.New(p.db).Untold(t.Context(), c.ID, c.Version)
		if err != nil || len(owed) != 2 || owed[0].Kind != "OPENED" || owed[1].Kind != "DISCHARGED" || owed[1].Number != c.Version {
			t.Fatalf("%+v, %v", owed, err)
		}
		fails := func(with *fault.Fault) {
			p.wire.telling = func(e settlement.Event) error {
				if e.Kind == "OPENED" {
					return with
				}
				return nil
			}
		}
		fails(errLost)
		if err := p.here.TellCase(t.Context(), owed[1]); err == nil || len(p.wire.heard()) != 0 {
			t.Fatalf("told %v, %v", p.wire.heard(), err)
		}
		fails(fault.New(fault.Internal, fault.ReasonInternal, "", "broken", "出错"))
		if err := p.here.TellCase(t.Context(), owed[1]); err != nil || !slices.Equal(p.wire.heard(), []string{"DISCHARGED"}) {
			t.Fatalf("told %v, %v", p.wire.heard(), err)
		}
		if err := p.here.TellCase(t.Context(), owed[0]); err == nil {
			t.Fatal("what could not be told counts as told")
		}
		fails(fault.New(fault.NotFound, fault.ReasonNotFound, "", "no case", "没有病例"))
		if err := p.here.TellCase(t.Context(), owed[0]); !settlement.NeverTaken(err) {
			t.Fatalf("%v", err)
		}
		p.wire.telling = nil
		if err := p.here.TellCase(t.Context(), owed[1]); err != nil || p.count(p.db, "claim_event") != 0 {
			t.Fatalf("%v", err)
		}
	})
}
