package app_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/split"
)

// always loses every call of the names.
func always(names ...string) func(string) error {
	return func(call string) error {
		for _, name := range names {
			if call == name {
				return errLost
			}
		}
		return nil
	}
}

// An insured province that does not answer: the claim is on the worklist with when and why, falls to a manual claim once
// the declared time is over, and whatever the province did unheard is undone before anybody can pay it twice.
func TestNoAnswer(t *testing.T) {
	for name, lose := range map[string]func(p *pair){
		"no instance":               func(p *pair) { p.wire.lose(always("commit", "resolve", "reverse"), nil) },
		"its answers are all lost":  func(p *pair) { p.wire.lose(nil, always("commit", "resolve", "reverse")) },
		"it commits, then vanishes": func(p *pair) { p.wire.lose(always("resolve", "reverse"), always("commit")) },
	} {
		t.Run(name, func(t *testing.T) {
			eachPair(t, func(t *testing.T, p *pair) {
				p.file()
				lose(p)
				c := p.settle(p.discharged())
				if err := p.here.Complete(t.Context(), c.ID); err == nil {
					t.Fatal("an outcome out of nothing")
				}
				p.stuck(0)
				p.clock.Advance(3 * time.Minute)
				w := p.stuck(1)[0].UnderWay
				if w.Tries != 1 || w.Reason != fault.PeerUnavailable || !w.Next.After(w.Last) {
					t.Fatalf("%+v", w)
				}
				_, err := p.here.ResumeDirect(as(t, center), c.ID, p.claim(c).Etag())
				reason(t, err, fault.WrongState)
				p.clock.Advance(71 * time.Hour)
				if err := p.here.Complete(t.Context(), c.ID); err == nil || p.claim(c).Status != settlement.Settling || p.claim(c).UnderWay.Tries != 2 {
					t.Fatalf("before its time: %+v, %v", p.claim(c), err)
				}
				p.clock.Advance(time.Hour)
				// One of them by its job, the others by hand: a job needs seconds to notice a clock that a test moves.
				try := func() { _ = p.here.Complete(t.Context(), c.ID) }
				if name == "no instance" {
					p.jobs()
					try = func() { p.clock.Advance(time.Minute) }
				}
				sqldbtest.Eventually(t, "a manual claim", func() bool {
					try()
					return p.claim(c).Status == settlement.Manual
				})
				papers, err := p.here.GetManualPapers(as(t, referrer), c.ID)
				if err != nil || papers.Payable || len(papers.Papers) < 5 || papers.Totals.Total != 30_000_000 {
					t.Fatalf("%+v, %v", papers, err)
				}
				p.stuck(1)
				_, err = p.here.ResumeDirect(as(t, center), c.ID, p.claim(c).Etag())
				reason(t, err, fault.ClaimUnderWay)
				// It is back.
				p.wire.lose(nil, nil)
				sqldbtest.Eventually(t, "closed at the insured province", func() bool {
					try()
					papers, err = p.here.GetManualPapers(as(t, referrer), c.ID)
					return err == nil && papers.Payable
				})
				p.stuck(0)
				p.balanced(0)
				if p.counters() != (split.Counters{}) {
					t.Fatalf("%+v", p.counters())
				}
				if _, err := p.far.CommitSplit(as(t, line), c.MessageID, *c.Input); err == nil && p.counters() != (split.Counters{}) {
					t.Fatal("a late commit of a withdrawn message took effect")
				}
				p.oneWay(c)
			})
		})
	}
}

// The case learns when a claim has waited for as long as declared, once each time, and of what ended that.
func TestTheCaseLearnsOfAWait(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		p.file()
		c := p.discharged()
		try := func(after time.Duration, works bool) {
			t.Helper()
			p.clock.Advance(after)
			if err := p.here.Complete(t.Context(), c.ID); (err == nil) != works {
				t.Fatalf("%+v: %v", p.claim(c).UnderWay, err)
			}
		}
		waits := func() {
			t.Helper()
			since := p.claim(c).UnderWay.Since
			try(0, false)
			try(119*time.Second, false)
			if next := p.claim(c).UnderWay.Next; next.After(since.Add(2 * time.Minute)) {
				t.Errorf("asked again %s after it was sent: too late to tell in time", next.Sub(since))
			}
			try(time.Second, false)
			try(time.Hour, false)
		}
		p.wire.lose(always("commit", "resolve", "reverse"), nil)
		p.settle(c)
		waits()
		p.wire.lose(nil, nil)
		try(time.Minute, true) // settled
		p.wire.lose(always("commit", "resolve", "reverse"), nil)
		if _, err := p.here.ReverseSettlement(as(t, center), c.ID, p.claim(c).Etag(), "wrong line"); err != nil {
			t.Fatal(err)
		}
		waits()
		p.wire.lose(nil, nil)
		try(time.Minute, true) // reversed
		p.wire.lose(always("commit", "resolve", "reverse"), nil)
		p.settle(p.claim(c))
		waits()
		p.clock.Advance(time.Minute)
		if _, err := p.here.FallToManual(as(t, center), c.ID, p.claim(c).Etag()); err != nil {
			t.Fatal(err)
		}
		try(time.Hour, false) // its message is still out
		p.wire.lose(nil, nil)
		try(time.Hour, true)
		p.clock.Advance(time.Minute)
		if _, err := p.here.ResumeDirect(as(t, center), c.ID, p.claim(c).Etag()); err != nil {
			t.Fatal(err)
		}
		p.jobs()
		p.clock.Advance(time.Minute)
		sqldbtest.Idle(t, p.db)
		for _, e := range p.wire.told {
			if e.Kind == "UNANSWERED" && (e.Reason != string(fault.PeerUnavailable) || e.Actor != settlement.Actor{}) {
				t.Errorf("%+v", e)
			}
		}
		want := []string{"OPENED", "DISCHARGED", "UNANSWERED", "SETTLED", "UNANSWERED", "REVERSED", "UNANSWERED", "MANUAL", "DISCHARGED"}
		if kinds := p.wire.heard(); !slices.Equal(kinds, want) {
			t.Errorf("told %v", kinds)
		}
	})
}

func (p *pair) stuck(want int) []*settlement.Claim {
	p.t.Helper()
	got, _, err := p.here.ListStuckClaims(as(p.t, agency(treatment)), treatment, 0, "", 10)
	if err != nil || len(got) != want {
		p.t.Fatalf("%d claims are stuck, want %d, %v", len(got), want, err)
	}
	_, _, err = p.here.ListStuckClaims(as(p.t, agency(insured)), treatment, 0, "", 10)
	reason(p.t, err, fault.RightMissing)
	return got
}

// oneWay takes the claim as a manual one at the insured province, after which it is never settled directly; and the other
// way round.
func (p *pair) oneWay(c *settlement.Claim) {
	p.t.Helper()
	ask := settlement.ManualClaim{ClaimID: c.ID, Province: insured, PatientID: p.patient, Total: c.Total}
	accept := func(ask settlement.ManualClaim) error {
		_, err := p.far.AcceptManualClaim(as(p.t, agency(insured)), ask)
		return err
	}
	// Settled directly first: no manual payment.
	again, err := p.here.ResumeDirect(as(p.t, center), c.ID, p.claim(c).Etag())
	if err != nil {
		p.t.Fatal(err)
	}
	p.settle(again)
	if err := p.here.Complete(p.t.Context(), c.ID); err != nil || p.claim(c).Status != settlement.Settled {
		p.t.Fatal(err)
	}
	p.balanced(funds)
	reason(p.t, accept(ask), fault.AlreadySettled)
	if _, err := p.here.ReverseSettlement(as(p.t, center), c.ID, p.claim(c).Etag(), "x"); err != nil {
		p.t.Fatal(err)
	}
	if err := p.here.Complete(p.t.Context(), c.ID); err != nil {
		p.t.Fatal(err)
	}
	// Taken as a manual claim: never directly again.
	for range 2 {
		if err := accept(ask); err != nil {
			p.t.Fatal(err)
		}
	}
	other := ask
	other.Total++
	reason(p.t, accept(other), fault.ClaimManual)
	p.settle(p.claim(c))
	if err := p.here.Complete(p.t.Context(), c.ID); err != nil {
		p.t.Fatal(err)
	}
	if got := p.claim(c); got.Status != settlement.Manual || got.ManualReason != string(fault.ClaimManual) {
		p.t.Fatalf("%+v", got)
	}
	_, err = p.here.ResumeDirect(as(p.t, center), c.ID, p.claim(c).Etag())
	reason(p.t, err, fault.ClaimManual)
	p.balanced(0)
}

// Every stage is undone whole and done again correctly.
func TestUndoEveryStage(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		p.file()
		ctx := as(t, center)
		ok := func(c *settlement.Claim, err error) *settlement.Claim {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		c := p.settle(p.discharged())
		if err := p.here.Complete(ctx, c.ID); err != nil {
			t.Fatal(err)
		}
		ok(p.here.ReverseSettlement(ctx, c.ID, p.claim(c).Etag(), "wrong line"))
		if err := p.here.Complete(ctx, c.ID); err != nil {
			t.Fatal(err)
		}
		c = p.claim(c)
		_, err := p.here.RecallFeeLines(ctx, c.ID, c.Etag(), nil)
		reason(t, err, fault.WrongState)
		c = ok(p.here.CancelDischarge(ctx, c.ID, c.Etag()))
		if c.Status != settlement.Open || c.DischargeDate != "" {
			t.Fatalf("%+v", c)
		}
		for name, test := range map[string]struct {
			numbers []int32
			want    fault.Reason
		}{"a line that is not there": {[]int32{1, 77}, fault.FieldInvalid}, "a charge without its refund": {[]int32{3}, fault.RefundInvalid}} {
			before := p.image()
			_, err = p.here.RecallFeeLines(ctx, c.ID, c.Etag(), test.numbers)
			reason(t, err, test.want)
			if now := p.claim(c); p.image() != before || now.Version != c.Version {
				t.Fatalf("%s: changed something", name)
			}
		}
		_, err = p.here.CancelAdmission(ctx, c.ID, c.Etag())
		reason(t, err, fault.WrongState)
		_, err = p.here.RecallFeeLines(as(t, otherCenter), c.ID, c.Etag(), nil)
		reason(t, err, fault.ReasonNotFound)
		c = ok(p.here.RecallFeeLines(ctx, c.ID, c.Etag(), []int32{3, 4}))
		if c.Total != 21_200_000 || c.LineCount != 3 || p.count(p.db, "fee_line_recalled") != 2 {
			t.Fatalf("%+v", c)
		}
		_, err = p.here.CancelDischarge(ctx, c.ID, c.Etag())
		reason(t, err, fault.WrongState)
		// The same numbers again, then all of it once more.
		c = ok(p.here.AddFeeLines(ctx, c.ID, bill()[2:4]))
		if c.Total != 30_000_000 {
			t.Fatalf("%+v", c)
		}
		c = ok(p.here.RecallFeeLines(ctx, c.ID, c.Etag(), nil))
		if lines, _, err := p.here.FeeLines(ctx, c.ID, 0, 10); err != nil || len(lines) != 0 || c.Total != 0 || c.LineCount != 0 {
			t.Fatalf("%v, %+v, %v", lines, c, err)
		}
		c = ok(p.here.CancelAdmission(ctx, c.ID, c.Etag()))
		_, err = p.here.AddFeeLines(ctx, c.ID, bill())
		reason(t, err, fault.WrongState)
		all, _, err := p.here.ListClaims(ctx, settlement.ClaimQuery{Province: treatment, Status: settlement.Cancelled}, "", 10)
		if err != nil || len(all) != 1 || all[0].Status != settlement.Cancelled {
			t.Fatalf("%v, %v", all, err)
		}
		c = p.settle(p.discharged()) // admitted again, the bed is free
		if err := p.here.Complete(ctx, c.ID); err != nil {
			t.Fatal(err)
		}
		p.balanced(funds)
	})
}

// Anti-rejection drugs: several purchases, some in one month, beside an open stay; no admission, no discharge.
func TestOutpatient(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		p.file()
		ctx := as(t, center)
		p.open(treatment, "310100") // a stay that is still open does not stand in the way
		visit := func() *settlement.Claim {
			ask := p.ask(treatment, "310100")
			ask.Kind, ask.AdmissionDate = settlement.Outpatient, today
			c, err := p.here.OpenClaim(ctx, ask, p.here.PrepareClaim(ctx, ask))
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		line := charge(1, "S-CONS", 100_000, 1000)
		var paid money.Fen
		for range 3 {
			c := visit()
			_, err := p.here.AddFeeLines(ctx, c.ID, []settlement.FeeLine{line})
			reason(t, err, fault.TimeInvalid) // of another day
			drug := line
			drug.ServiceDate = today
			if c, err = p.here.AddFeeLines(ctx, c.ID, []settlement.FeeLine{drug}); err != nil {
				t.Fatal(err)
			}
			_, err = p.here.DischargeClaim(ctx, c.ID, c.Etag(), today)
			reason(t, err, fault.WrongState)
			c = p.settle(c)
			if err := p.here.Complete(context.WithoutCancel(ctx), c.ID); err != nil {
				t.Fatal(err)
			}
			bill, err := p.here.GetStatement(ctx, c.ID)
			if err != nil || p.claim(c).Status != settlement.Settled {
				t.Fatal(err)
			}
			paid += bill.Settlement.Answer.Split.Funds()
		}
		p.balanced(paid)
		// By the terms of the outpatient special disease: no deductible, ratios of a stay, the shared cap.
		if year := p.counters(); year.Outpatient == 0 || year.Basic != year.Outpatient || year.Deductible != 0 || year.BasicBase != 0 {
			t.Fatalf("the year after three visits: %+v", year)
		}
		c := visit()
		if _, err := p.here.CancelAdmission(ctx, c.ID, c.Etag()); err != nil {
			t.Fatal(err)
		}
		if n := len(p.wire.told); n != 0 {
			t.Fatalf("the case was told %d times before a job ran", n)
		}
		if n := p.count(p.db, "river_job WHERE kind = 'settlement_case_event'"); n != 1 {
			t.Fatalf("%d events: a visit is not the case's bill", n)
		}
	})
}
