package app_test

import (
	"context"
	"errors"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement"
)

// mix is how often each thing is tried.
var mix = []string{
	"charge", "charge", "charge", "refund", "recall", "discharge", "discharge", "discharge", "undischarge", "unadmit",
	"settle", "settle", "settle", "settle", "settle", "ask", "ask", "reverse", "reverse", "repeat", "repeat",
	"reserve", "reserve", "unreserve", "expire", "manual", "resume", "resume", "accept", "quote",
}

// step does one random thing to a person; the model and the provinces must agree afterwards.
func (w *world) step(ctx context.Context, p *insuredPerson) {
	ctx = access.With(ctx, center)
	if len(p.claims) == 0 || len(p.claims) < 12 && p.random.IntN(10) == 0 {
		w.open(ctx, p)
		return
	}
	at := p.random.IntN(len(p.claims))
	c, err := w.here.GetClaim(ctx, p.claims[at])
	if err != nil {
		p.fail("%v", err)
		return
	}
	if c.Status == settlement.Cancelled || c.ManualReason == string(fault.ClaimManual) {
		p.claims = append(p.claims[:at], p.claims[at+1:]...)
		return
	}
	name := mix[p.random.IntN(len(mix))]
	if p.random.IntN(2) == 0 {
		name = next(p, c)
	}
	before := c.Version
	c, err = w.do(ctx, p, c, name)
	key := name
	var f *fault.Fault
	if errors.As(err, &f) {
		key += " " + string(f.Reason)
		if f.Code == fault.Internal {
			p.fail("%s: %v", name, err)
		}
	} else if err != nil {
		p.fail("%s: %v", name, err)
	}
	p.did[key]++
	if err != nil && name != "ask" && name != "settle" && name != "reverse" && name != "manual" {
		if now, e := w.here.GetClaim(ctx, c.ID); e != nil || now.Version != before {
			p.fail("%s was refused (%v) and changed %+v, %v", name, err, now, e)
		}
	}
	w.agree(ctx, p, c.ID)
}

// next is what a claim's life goes on with.
func next(p *insuredPerson, c *settlement.Claim) string {
	switch {
	case c.Status == settlement.Open && c.LineCount < 3:
		return "charge"
	case c.Status == settlement.Open && c.Kind == settlement.Inpatient:
		return "discharge"
	case c.Status == settlement.Open || c.Status == settlement.Discharged:
		return "settle"
	case c.Status == settlement.Settled && p.random.IntN(2) == 0:
		return "reverse"
	case c.Status == settlement.Manual && c.MessageID == "":
		return []string{"resume", "resume", "accept"}[p.random.IntN(3)]
	case c.Status == settlement.Settling && p.random.IntN(4) == 0:
		return "manual"
	}
	return "ask"
}

func (w *world) open(ctx context.Context, p *insuredPerson) {
	kind := settlement.Inpatient
	if p.random.IntN(3) == 0 {
		kind = settlement.Outpatient
	}
	ask := settlement.ClaimAsk{
		ReferralID: p.cases[p.random.IntN(len(p.cases))], PatientID: p.id, CenterID: "C-SH-01", Province: treatment, TreatmentCity: "310100",
		InsuredProvince: insured, Organ: "kidney", Kind: kind,
		// Late arrivals: what began weeks ago, at times in the year before.
		AdmissionDate: clock.Day(w.clock.Now().AddDate(0, 0, -p.random.IntN(40))),
	}
	c, err := w.here.OpenClaim(ctx, ask, w.here.PrepareClaim(ctx, ask))
	if err == nil {
		p.claims = append(p.claims, c.ID)
		p.did["open"]++
	} else if !fault.Is(err, fault.WrongState) {
		p.fail("open: %v", err)
	}
}

// do does one thing to a claim; refusals are answers too.
func (w *world) do(ctx context.Context, p *insuredPerson, c *settlement.Claim, name string) (*settlement.Claim, error) {
	stay := func(_ *settlement.Claim, err error) (*settlement.Claim, error) { return c, err }
	done := func(_ *settlement.Claim, err error) (*settlement.Claim, error) {
		if err != nil {
			return c, err
		}
		_ = w.here.Complete(ctx, c.ID) // lost: somebody asks again
		return c, nil
	}
	switch name {
	case "charge", "refund":
		return stay(w.here.AddFeeLines(ctx, c.ID, w.lines(p, c, name == "refund")))
	case "recall":
		var numbers []int32
		if p.random.IntN(2) == 0 {
			numbers = []int32{int32(1 + p.random.IntN(int(c.LineCount)+1))}
		}
		return stay(w.here.RecallFeeLines(ctx, c.ID, c.Etag(), numbers))
	case "discharge":
		return stay(w.here.DischargeClaim(ctx, c.ID, c.Etag(), clock.Day(w.clock.Now().AddDate(0, 0, -p.random.IntN(4)))))
	case "undischarge":
		return stay(w.here.CancelDischarge(ctx, c.ID, c.Etag()))
	case "unadmit":
		return stay(w.here.CancelAdmission(ctx, c.ID, c.Etag()))
	case "settle":
		return done(w.here.SettleClaim(ctx, c.ID, c.Etag()))
	case "ask":
		if err := w.here.Complete(ctx, c.ID); err != nil && c.UnderWay == nil {
			p.fail("nothing was under way: %v", err)
		}
		return c, nil
	case "reverse":
		return done(w.here.ReverseSettlement(ctx, c.ID, c.Etag(), "model"))
	case "repeat":
		w.repeat(ctx, p)
		return c, nil
	case "reserve":
		return c, w.reserve(ctx, p, c)
	case "unreserve", "expire":
		return c, w.release(ctx, p, c.ReferralID, name)
	case "manual":
		if c.Status != settlement.Settling && p.random.IntN(4) != 0 {
			return c, nil
		}
		return done(w.here.FallToManual(ctx, c.ID, c.Etag()))
	case "resume":
		return stay(w.here.ResumeDirect(ctx, c.ID, c.Etag()))
	case "accept":
		if c.Status != settlement.Manual && p.random.IntN(8) != 0 || c.Total <= 0 {
			return c, nil
		}
		_, err := w.far.AcceptManualClaim(access.With(ctx, agency(insured)), settlement.ManualClaim{ClaimID: c.ID, Province: insured, PatientID: p.id, Total: c.Total})
		if err != nil {
			return c, err
		}
		p.manual[c.ID] = true
		if p.random.IntN(3) == 0 {
			return c, nil // the treatment province is not told, or later
		}
		return done(w.here.ManualAccepted(service(ctx), settlement.ManualClaim{ClaimID: c.ID, Province: insured, PatientID: p.id, Total: c.Total}))
	}
	_, err := w.here.PreSettle(ctx, c.ID)
	return c, err
}

// lines are charges of a random day of the stay, or a refund; some are wrong.
func (w *world) lines(p *insuredPerson, c *settlement.Claim, back bool) []settlement.FeeLine {
	day := c.AdmissionDate
	if p.random.IntN(12) == 0 {
		day = "2024-02-30"
	}
	items := []string{"S-OP-LIVER", "S-CONS", "S-BED", "S-SPECIAL", "UNKNOWN"}
	n := c.LineCount + 1
	var out []settlement.FeeLine
	for range 1 + p.random.IntN(3) {
		l := charge(n, items[p.random.IntN(len(items))], money.Fen(p.random.IntN(15_000_000)), 1000)
		if back && c.LineCount > 0 {
			if have, _, err := w.here.FeeLines(access.With(context.Background(), center), c.ID, int32(p.random.IntN(int(c.LineCount))), 1); err == nil && len(have) == 1 {
				l = refund(n, have[0].Number, have[0].Item, have[0].Price, 1000)
			}
		}
		l.ServiceDate = day
		out, n = append(out, l), n+1
	}
	return out
}

// repeat sends what was sent before once more, straight to the insured province: nothing comes of it.
func (w *world) repeat(ctx context.Context, p *insuredPerson) {
	if len(p.order) == 0 {
		return
	}
	id := p.order[p.random.IntN(len(p.order))]
	m := p.messages[id]
	if m.reversed && p.random.IntN(2) == 0 {
		if err := w.far.ReverseSplit(service(ctx), m.reversal, id, insured, m.why, m.day); err != nil {
			p.fail("a repeated reversal: %v", err)
		}
		return
	}
	a, err := w.far.CommitSplit(service(ctx), id, m.in)
	w.heard(p, id, m.in, a, err)
}

func (w *world) reserve(ctx context.Context, p *insuredPerson, c *settlement.Claim) error {
	ask := settlement.PreauthorisationAsk{
		Province: insured, PatientID: p.id, ReferralID: c.ReferralID, TreatmentCity: "310100", Organ: "kidney",
		AdmissionDate: clock.Day(w.clock.Now().AddDate(0, 0, p.random.IntN(30))), Total: money.Fen(p.random.IntN(40_000_000)),
	}
	var got *settlement.Preauthorisation
	prepared := w.far.PreparePreauthorisation(ctx, ask)
	err := w.farStore.Atomically(ctx, func(ctx context.Context) (err error) {
		got, err = w.far.Preauthorise(ctx, ask, prepared)
		return err
	})
	if err != nil {
		return err
	}
	if live := p.reserved[c.ReferralID]; live != nil && live.Holds(w.clock.Now()) && live.ID != got.ID {
		p.fail("two live pre-authorisations of a case")
	}
	p.reserved[c.ReferralID] = got
	return nil
}

func (w *world) release(ctx context.Context, p *insuredPerson, referral, how string) error {
	r := p.reserved[referral]
	if r == nil {
		return nil
	}
	if how == "expire" {
		if err := w.far.Expire(ctx, r.ID); err != nil {
			return err
		}
		if r.Holds(w.clock.Now()) {
			return nil
		}
	} else if _, err := w.far.CancelPreauthorisation(ctx, r.ID, r.Etag()); err != nil {
		return err
	}
	delete(p.reserved, referral)
	return nil
}

// agree checks that a claim's state fits what the insured province has committed of it.
func (w *world) agree(ctx context.Context, p *insuredPerson, claimID string) {
	c, err := w.here.GetClaim(ctx, claimID)
	if err != nil {
		p.fail("%v", err)
		return
	}
	standing := 0
	for _, id := range p.byClaim[claimID] {
		if p.messages[id].reversed {
			continue
		}
		standing++
		if id != c.MessageID {
			p.fail("%s is paid under %s, the claim has %+v", claimID, id, c)
		}
	}
	under := c.Status == settlement.Settling || c.Status == settlement.Reversing || c.Status == settlement.Manual && c.MessageID != ""
	if standing > 1 || standing == 1 && c.Status != settlement.Settled && !under || standing == 0 && c.Status == settlement.Settled {
		p.fail("%d standing commitments of %+v", standing, c)
	}
	if under != (c.UnderWay != nil) {
		p.fail("under way and not seen, or the other way round: %+v", c)
	}
	if standing == 1 && p.manual[claimID] {
		p.fail("%s is paid both ways", claimID)
	}
}

// settleDown ends every step that is under way, with a wire that loses nothing.
func (w *world) settleDown(ctx context.Context, p *insuredPerson) {
	p.lossless = true
	for _, id := range p.claims {
		if err := w.here.Complete(access.With(ctx, center), id); err != nil {
			p.fail("at the end: %v", err)
		}
		w.agree(access.With(ctx, center), p, id)
	}
	p.lossless = false
}

// tick moves the clock on, by minutes or days.
func (w *world) tick(days int) { w.clock.Advance(time.Duration(days)*24*time.Hour + 7*time.Minute) }
