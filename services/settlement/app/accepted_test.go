package app_test

import (
	"slices"
	"testing"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/app"
)

// farJobs runs the jobs of the insured province.
func (p *pair) farJobs() {
	w := sqldb.NewWorkers()
	app.Handle(w, p.far)
	if err := p.farDB.StartJobs(p.t.Context(), w); err != nil {
		p.t.Fatal(err)
	}
}

// takes has the insured province's agency take a bill as a manual claim.
func (p *pair) takes(c *settlement.Claim) settlement.ManualClaim {
	p.t.Helper()
	m, err := p.far.AcceptManualClaim(as(p.t, agency(insured)), settlement.ManualClaim{ClaimID: c.ID, Province: insured, PatientID: p.patient, Total: c.Total})
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

// hears waits until the case has heard exactly these events of a claim, in this order, the last of them from the agency.
func (p *pair) hears(c *settlement.Claim, want ...string) {
	p.t.Helper()
	of := func() (kinds []string, last settlement.Event) {
		p.wire.mu.Lock()
		defer p.wire.mu.Unlock()
		for _, e := range p.wire.told {
			if e.ClaimID == c.ID {
				if e.Number <= last.Number {
					p.t.Errorf("%s has number %d after %d", e.Kind, e.Number, last.Number)
				}
				kinds, last = append(kinds, e.Kind), e
			}
		}
		return kinds, last
	}
	sqldbtest.Eventually(p.t, "the case hears of the acceptance", func() bool {
		p.clock.Advance(10 * time.Second)
		kinds, _ := of()
		return len(kinds) >= len(want)
	})
	sqldbtest.Idle(p.t, p.db)
	sqldbtest.Idle(p.t, p.farDB)
	kinds, last := of()
	if !slices.Equal(kinds, want) || last.Actor.Organisation != agency(insured).Organisation || last.Reason == "" || last.Total != c.Total ||
		last.Admitted == "" || last.Discharged == "" || last.CenterID != c.CenterID {
		p.t.Errorf("the case heard %v, want %v, last of %+v", kinds, want, last)
	}
}

// That the agency took a manual claim is told to the case after what came before it, once, whatever is lost on the way; the claim
// keeps it and is not settled directly any more, whatever it became a manual claim for.
func TestTheCaseHearsOfAnAcceptance(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		p.file()
		p.jobs()
		p.farJobs()
		p.wire.lose(times(2, "accepted"), times(1, "accepted"))
		c := p.discharged()
		c, err := p.here.FallToManual(as(t, center), c.ID, c.Etag())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // an agency that asks twice took it once
			p.takes(c)
		}
		p.hears(c, "OPENED", "DISCHARGED", "MANUAL", "MANUAL_ACCEPTED")
		c = p.claim(c)
		if c.Accepted == nil || c.Accepted.Total != c.Total || c.Accepted.By.Organisation != "A-"+insured || c.ManualReason != string(fault.NoDirectSettlement) {
			t.Errorf("the claim keeps %+v", c.Accepted)
		}
		_, err = p.here.ResumeDirect(as(t, center), c.ID, c.Etag())
		reason(t, err, fault.ClaimManual)
	})
}

// A bill that is taken while it waits to be settled, or while its settlement is under way, is a manual claim then; the case hears
// of both in one.
func TestAcceptedBeforeItIsAManualClaim(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		p.file()
		p.jobs()
		p.farJobs()
		c := p.discharged()
		m := p.takes(c)
		if err := p.far.TellTreatment(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		p.hears(c, "OPENED", "DISCHARGED", "MANUAL_ACCEPTED")
		if c = p.claim(c); c.Status != settlement.Manual || c.ManualReason != string(fault.ClaimManual) {
			t.Errorf("%s for %s", c.Status, c.ManualReason)
		}

		p.referral = ids.New("ref") // another case's
		c = p.discharged()
		p.wire.lose(func(call string) error {
			if call == "commit" || call == "resolve" {
				return errLost
			}
			return nil
		}, nil)
		p.settle(c)
		if err := p.far.TellTreatment(t.Context(), p.takes(c)); err != nil {
			t.Fatal(err)
		}
		if got := p.claim(c); got.Status != settlement.Settling || got.Accepted == nil {
			t.Errorf("under way it is %s, accepted: %v", got.Status, got.Accepted)
		}
		p.wire.lose(nil, nil)
		p.hears(c, "OPENED", "DISCHARGED", "MANUAL_ACCEPTED")
		if c = p.claim(c); c.Status != settlement.Manual || c.UnderWay != nil {
			t.Errorf("%+v", c)
		}
	})
}

// Whoever names another person, another insured province or no claim at all changes nothing, and is not told again and again.
func TestAnAcceptanceOfAnotherClaim(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		p.file()
		c := p.discharged()
		m := p.takes(c)
		for want, change := range map[fault.Reason]func(*settlement.ManualClaim){
			fault.FieldInvalid:      func(m *settlement.ManualClaim) { m.PatientID = ids.New("pat") },
			fault.ReasonNotFound:    func(m *settlement.ManualClaim) { m.ClaimID = ids.New("clm_310000") },
			fault.ProvinceNotServed: func(m *settlement.ManualClaim) { m.ClaimID = ids.New("clm_110000") },
		} {
			wrong := m
			change(&wrong)
			_, err := p.here.ManualAccepted(as(t, line), wrong)
			reason(t, err, want)
		}
		elsewhere := m
		elsewhere.Province = "110000"
		_, err := p.here.ManualAccepted(as(t, line), elsewhere)
		reason(t, err, fault.FieldInvalid)
		if !settlement.NeverTaken(err) {
			t.Errorf("it is told again: %v", err)
		}
		if now := p.claim(c); now.Version != c.Version || now.Accepted != nil {
			t.Errorf("%+v", now)
		}
		if _, err := p.here.ManualAccepted(as(t, line), m); err != nil {
			t.Fatal(err)
		}
		once := p.claim(c)
		if again, err := p.here.ManualAccepted(as(t, line), m); err != nil || again.Version != once.Version {
			t.Errorf("told twice: %+v, %v", again, err)
		}
	})
}
