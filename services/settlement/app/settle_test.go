package app_test

import (
	"sync"
	"testing"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// What the insured province pays of example 5: 100,000 + 58,175 + 27,877.50.
const funds money.Fen = 18_605_250

// Example 5 of the brief through both provinces, and back again by a reversal.
func TestSettleAndReverse(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		filing := p.file()
		c := p.discharged()
		quote, err := p.here.PreSettle(as(t, center), c.ID)
		if err != nil || quote.Split.Pays(split.Cash) != 11_394_750 || quote.FilingID != filing.ID {
			t.Fatalf("quote: %+v, %v", quote, err)
		}
		if p.counters() != (split.Counters{}) || p.count(p.farDB, "message") != 0 || p.count(p.farDB, "posting") != 0 {
			t.Fatal("a quote left a trace")
		}
		c = p.settle(c)
		if c.Status != settlement.Settling {
			t.Fatalf("the intent is %s", c.Status)
		}
		if err := p.here.Complete(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
		c = p.claim(c)
		if c.Status != settlement.Settled || c.SettlementID == "" {
			t.Fatalf("%+v", c)
		}
		bill, err := p.here.GetStatement(as(t, referrer), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		got := bill.Settlement.Answer.Split
		for payer, want := range map[split.Payer]money.Fen{split.Basic: 10_000_000, split.SecondLayer: 5_817_500, split.Assistance: 2_787_750, split.Cash: 11_394_750} {
			if got.Pays(payer) != want {
				t.Errorf("%s pays %s, want %s", payer, got.Pays(payer), want)
			}
		}
		if got.PolicyVersion != "360000-2025.1" || got.CatalogueVersion != "310000-cat-2025.1" || got.Steps[0].Zh == "" {
			t.Errorf("%+v", got)
		}
		p.balanced(funds)
		year := p.counters()
		if year.Deductible != 60_000 || year.Basic != 10_000_000 || year.SecondLayer != 5_817_500 || year.Assistance != 2_787_750 {
			t.Fatalf("%+v", year)
		}
		_, err = p.here.SettleClaim(as(t, center), c.ID, c.Etag())
		reason(t, err, fault.AlreadySettled)

		if c, err = p.here.ReverseSettlement(as(t, center), c.ID, c.Etag(), "wrong line"); err != nil || c.Status != settlement.Reversing {
			t.Fatalf("%+v, %v", c, err)
		}
		if err := p.here.Complete(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
		if c = p.claim(c); c.Status != settlement.Discharged || c.SettlementID != "" {
			t.Fatalf("%+v", c)
		}
		if p.counters() != (split.Counters{}) {
			t.Fatalf("after the reversal: %+v", p.counters())
		}
		p.balanced(0)
		if bill, err = p.here.GetStatement(as(t, center), c.ID); err != nil || !bill.Settlement.Reversed {
			t.Fatalf("%+v, %v", bill, err)
		}
		c = p.settle(c)
		if err := p.here.Complete(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
		p.balanced(funds)
		if p.counters() != year {
			t.Fatalf("settled again: %+v", p.counters())
		}
		p.jobs()
		p.clock.Advance(time.Minute)
		sqldbtest.Idle(t, p.db)
		var kinds []string
		keys := map[string]bool{}
		for _, e := range p.wire.told {
			kinds = append(kinds, e.Kind)
			if keys[e.Key] || len(e.Key) > 64 {
				t.Errorf("key %s", e.Key)
			}
			keys[e.Key] = true
			if e.Kind == "SETTLED" && (e.SelfPay == nil || *e.SelfPay != 11_394_750) {
				t.Errorf("%+v", e)
			}
		}
		if len(kinds) != 5 {
			t.Errorf("told %v", kinds)
		}
	})
}

// Whatever is lost on the wire, and however often, there is exactly one settlement in the end.
func TestLostAnswers(t *testing.T) {
	for name, lose := range map[string]func(p *pair){
		"the answer":               func(p *pair) { p.wire.lose(nil, times(1, "commit")) },
		"the answer, three times":  func(p *pair) { p.wire.lose(nil, times(3, "commit")) },
		"the question":             func(p *pair) { p.wire.lose(times(2, "commit"), nil) },
		"questions and answers":    func(p *pair) { p.wire.lose(times(1, "commit"), times(1, "commit")) },
		"nothing (the control)":    func(p *pair) { p.wire.lose(nil, nil) },
		"the answer to a reversal": func(p *pair) { p.wire.lose(nil, times(1, "reverse")) },
	} {
		t.Run(name, func(t *testing.T) {
			eachPair(t, func(t *testing.T, p *pair) {
				p.file()
				c := p.discharged()
				lose(p)
				c = p.settle(c)
				// The caller's own attempt may be lost; the job goes on after it, as after a kill.
				first := p.here.Complete(t.Context(), c.ID)
				if state := p.claim(c).Status; first != nil && state != settlement.Settling {
					t.Fatalf("after a lost answer the claim is %s", state)
				}
				p.jobs()
				settled := func() bool {
					p.clock.Advance(time.Minute)
					return p.claim(c).Status == settlement.Settled
				}
				sqldbtest.Eventually(t, "the claim is settled", settled)
				if p.count(p.farDB, "message") != 1 || p.count(p.db, "settlement") != 1 {
					t.Fatalf("%d messages, %d settlements", p.count(p.farDB, "message"), p.count(p.db, "settlement"))
				}
				p.balanced(funds)
				if p.counters().Basic != 10_000_000 {
					t.Fatalf("%+v", p.counters())
				}
				c = p.claim(c)
				if _, err := p.here.ReverseSettlement(as(t, agency(treatment)), c.ID, c.Etag(), "test"); err != nil {
					t.Fatal(err)
				}
				sqldbtest.Eventually(t, "the settlement is reversed", func() bool {
					p.clock.Advance(time.Minute)
					return p.claim(c).Status == settlement.Discharged
				})
				p.balanced(0)
				if p.counters() != (split.Counters{}) {
					t.Fatalf("%+v", p.counters())
				}
			})
		})
	}
}

// A refusal for good falls back to a manual claim, but not before the message is closed: a commit that took place behind
// the refusal is found.
func TestRefusedForGood(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		p.patient = ids.New("pat") // insured nowhere
		p.wire.theCase.PatientID = p.patient
		c := p.settle(p.discharged())
		sent := *c
		p.wire.lose(nil, times(1, "resolve"))
		for _, commit := range []bool{false, true} {
			// The answer to ResolveMessage is lost once: the next attempt finds its own message closed.
			if err := p.here.Complete(t.Context(), c.ID); (err == nil) != commit {
				t.Fatal(err)
			}
		}
		if c = p.claim(c); c.Status != settlement.Manual || c.ManualReason != string(fault.NotEntitled) {
			t.Fatalf("%+v", c)
		}
		if _, err := p.far.CommitSplit(as(t, line), sent.MessageID, *sent.Input); !fault.Is(err, fault.WrongState) {
			t.Fatalf("a late commit of a closed message: %v", err)
		}
		if p.count(p.farDB, "posting") != 0 || p.count(p.db, "posting") != 0 || p.counters() != (split.Counters{}) {
			t.Fatal("a refused settlement left a trace")
		}
		_, err := p.here.SettleClaim(as(t, center), c.ID, c.Etag())
		reason(t, err, fault.WrongState)
	})
}

func TestCommittedBehindARefusal(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		p.file()
		c := p.settle(p.discharged())
		refused := false
		p.wire.lose(nil, func(call string) error {
			if call == "commit" && !refused {
				refused = true
				return fault.New(fault.FailedPrecondition, fault.NotEntitled, "", "x", "x")
			}
			return nil
		})
		if err := p.here.Complete(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
		if c = p.claim(c); c.Status != settlement.Settled {
			t.Fatalf("%+v", c)
		}
		p.balanced(funds)
	})
}

func TestNoCatalogueFallsBackToManual(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		c := p.open("120000", "120100")
		ctx := as(t, center)
		c, err := p.here.AddFeeLines(ctx, c.ID, bill())
		if err != nil {
			t.Fatal(err)
		}
		if c, err = p.here.DischargeClaim(ctx, c.ID, c.Etag(), today); err != nil {
			t.Fatal(err)
		}
		_, err = p.here.PreSettle(ctx, c.ID)
		reason(t, err, fault.NoDirectSettlement)
		if c = p.settle(c); c.Status != settlement.Manual || c.ManualReason != "NO_DIRECT_SETTLEMENT" {
			t.Fatalf("%+v", c)
		}
		if p.wire.commits != 0 {
			t.Fatal("the insured province was asked")
		}
	})
}

// 64 callers with one message get one settlement and one answer; another content under its id is refused.
func TestOneMessageOnce(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		c := p.settle(p.discharged())
		const callers = 64
		answers := make([]settlement.Answer, callers)
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				a, err := p.far.CommitSplit(as(t, line), c.MessageID, *c.Input)
				for fault.Is(err, fault.PeerUnavailable) {
					a, err = p.far.CommitSplit(as(t, line), c.MessageID, *c.Input)
				}
				if err != nil {
					t.Error(err)
				}
				answers[i] = a
			})
		}
		all.Wait()
		for _, a := range answers {
			if a.SettlementID != answers[0].SettlementID || a.SettlementID == "" {
				t.Fatalf("%s and %s", a.SettlementID, answers[0].SettlementID)
			}
		}
		if n := p.count(p.farDB, "message"); n != 1 {
			t.Fatalf("%d messages", n)
		}
		before := p.counters()
		other := *c.Input
		other.Totals.InScope--
		other.Totals.ClassB++
		_, err := p.far.CommitSplit(as(t, line), c.MessageID, other)
		reason(t, err, fault.MessageIDReused)
		_, err = p.far.CommitSplit(as(t, line), ids.New("msg_310000"), *c.Input)
		reason(t, err, fault.AlreadySettled)
		if err := p.far.ReverseSplit(as(t, line), ids.New("rev_310000"), ids.New("msg_310000"), insured, "x", ""); !fault.Is(err, fault.ReasonNotFound) {
			t.Fatal(err)
		}
		if p.counters() != before {
			t.Fatal("a refusal changed the counters")
		}
		reversal := ids.New("rev_310000")
		for range 3 {
			if err := p.far.ReverseSplit(as(t, line), reversal, c.MessageID, insured, "x", ""); err != nil {
				t.Fatal(err)
			}
		}
		if p.counters() != (split.Counters{}) {
			t.Fatalf("reversed three times: %+v", p.counters())
		}
		reason(t, p.far.ReverseSplit(as(t, line), reversal, c.MessageID, insured, "y", ""), fault.MessageIDReused)
		reason(t, p.far.ReverseSplit(as(t, line), ids.New("rev_310000"), c.MessageID, insured, "x", ""), fault.WrongState)
	})
}

// Bills of one person that are committed at the same time share one deductible, one cap and one threshold.
func TestParallelBillsOfOnePerson(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		c := p.settle(p.discharged())
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() {
				in := *c.Input
				in.ClaimID = ids.New("clm_310000")
				if _, err := p.far.CommitSplit(access.With(t.Context(), line), ids.New("msg_310000"), in); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		year := p.counters()
		// In scope 220,000, unfiled: first-pay 20 %; the cap of basic is reached in the second bill, assistance's too.
		if year.Deductible != 60_000 || year.Basic != 10_000_000 || year.Assistance != 5_000_000 {
			t.Fatalf("%+v", year)
		}
		balances, difference, err := p.far.TrialBalance(as(t, operations), insured)
		if err != nil || difference != 0 {
			t.Fatal(difference, err)
		}
		var paid money.Fen
		for _, b := range balances {
			paid += b.Debit
		}
		if paid != year.Basic+year.SecondLayer+year.Assistance {
			t.Fatalf("posted %s, counted %+v", paid, year)
		}
	})
}

// A filing decides the ratio; the best of several that cover the stay counts.
func TestFilingOpensTheRatio(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		p.entitleAgain()
		c := p.discharged()
		cash := func() money.Fen {
			a, err := p.here.PreSettle(as(t, center), c.ID)
			if err != nil {
				t.Fatal(err)
			}
			return a.Split.Pays(split.Cash)
		}
		unfiled := cash()
		f := p.file()
		if again := p.file(); again.ID != f.ID {
			t.Fatalf("filed twice: %s, %s", f.ID, again.ID)
		}
		if f.ValidTo != "2027-05-01" || !f.Automatic || f.FiledBy != "H-NC-01" {
			t.Fatalf("%+v", f)
		}
		if filed := cash(); filed != 15_140_000 || filed >= unfiled {
			t.Fatalf("filed %s, unfiled %s", filed, unfiled)
		}
		if _, err := p.far.CancelFiling(as(t, agency("340000")), f.ID, f.Etag()); !fault.Is(err, fault.ReasonNotFound) {
			t.Fatalf("a stranger's cancellation: %v", err)
		}
		if _, err := p.far.CancelFiling(as(t, referrer), f.ID, "9"); !fault.Is(err, fault.StaleVersion) {
			t.Fatal(err)
		}
		if _, err := p.far.CancelFiling(as(t, referrer), f.ID, f.Etag()); err != nil {
			t.Fatal(err)
		}
		if again := p.file(); again.ID == f.ID {
			t.Fatal("a cancelled filing was answered")
		}
	})
}

// entitleAgain takes the assistance identities back.
func (p *pair) entitleAgain() {
	p.t.Helper()
	e := settlement.Entitlement{
		PatientID: p.patient, Province: insured, ValidFrom: "2020-01-01",
		Coverage: settlement.Coverage{Province: insured, PoolingArea: "360100", Scheme: policy.Resident},
	}
	if _, err := p.far.PutEntitlement(as(p.t, agency(insured)), e, "7"); !fault.Is(err, fault.StaleVersion) {
		p.t.Fatal(err)
	}
	if _, err := p.far.PutEntitlement(as(p.t, agency(insured)), e, "1"); err != nil {
		p.t.Fatal(err)
	}
}
