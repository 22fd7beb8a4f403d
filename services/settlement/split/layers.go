package split

import (
	"slices"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
)

// compliant is what the person is left with so far, as far as a layer counts it (合规自付).
func (o *Outcome) compliant(counts policy.Items) money.Fen {
	sum := o.eligible - o.paidSum
	if counts.Has(policy.CountClassB) {
		sum += o.totals.ClassB
	}
	if counts.Has(policy.CountOverLimit) {
		sum += o.totals.OverLimit
	}
	if counts.Has(policy.CountRemoteFirstPay) {
		sum += o.firstPay
	}
	if counts.Has(policy.CountOutOfCatalogue) {
		sum += o.totals.OutOfCatalogue
	}
	if !counts.Has(policy.CountDeductible) {
		sum -= o.deductible
	}
	return max(sum, 0)
}

// maxOpen bounds the tiers open to one person in one layer; a layer's groups and plans are fewer.
const maxOpen = 16

// opened are the tiers a layer opens to a person.
type opened struct {
	tiers [maxOpen]*policy.Tier
	// keys are the caller's, to find what a tier came from.
	keys [maxOpen]int
	n    int
}

func (t *opened) add(tier *policy.Tier, key int) {
	if t.n < maxOpen {
		t.tiers[t.n], t.keys[t.n] = tier, key
		t.n++
	}
}

// due is what the best of the tiers pays for an amount, when before counted this year already and paid was paid. What the
// year is owed is the best tier's for its whole sum; a bill gets the difference it makes, so that the order of the year's
// bills does not matter. owed is the best tier's own difference, before its cap.
func (o *Outcome) due(t *opened, from string, before, amount, paid money.Fen) (best int, owed, pays money.Fen) {
	was, now, room, limited := money.Fen(0), money.Fen(-1), money.Fen(0), true
	for i := range t.n {
		x, y := tier(t.tiers[i], from, o.rounding, before), tier(t.tiers[i], from, o.rounding, before+amount)
		difference := y - x
		if cap := t.tiers[i].Cap; !cap.None {
			x, y, room = min(x, cap.Fen), min(y, cap.Fen), max(room, cap.Fen-paid)
		} else {
			limited = false
		}
		was = max(was, x)
		if y > now {
			best, now, owed = i, y, difference
		}
	}
	pays = now - was
	if limited {
		pays = min(pays, room)
	}
	return best, owed, pays
}

func (o *Outcome) second() {
	layer := o.terms.SecondLayer
	if layer == nil {
		return
	}
	if o.remote != nil && o.remote.NoSecondLayer || o.disease != nil && !*o.disease.SecondLayer {
		o.mark(mark{rule: ruleNoSecondLayer})
		return
	}
	amount := o.overCap
	if layer.Base == policy.BaseSelfPay {
		amount = o.compliant(layer.Counts)
	}
	var open opened
	open.add(&layer.Tier, 0)
	for i := range layer.Hardship {
		if layer.Hardship[i].Groups.Any(o.person.Groups) {
			open.add(&layer.Hardship[i].Tier, i+1)
		}
	}
	best, owed, pays := o.due(&open, layer.BandsFrom, o.year.SecondBase, amount, o.year.SecondLayer)
	o.Used.SecondBase, o.Used.SecondLayer = amount, pays
	o.pay(secondLayer, pays)
	t := open.tiers[best]
	o.mark(mark{rule: ruleSecondLayer, input: amount, result: owed, a: o.year.SecondBase, b: t.Threshold.Fen, bands: t.Bands})
	if pays < owed {
		o.mark(mark{rule: ruleSecondLayerCap, input: owed, result: pays, a: t.Cap.Fen})
	}
}

// one pays by a layer that has one tier only, or nothing.
func (o *Outcome) one(who payer, t *policy.Tier, counts policy.Items, before, paid money.Fen, base, used *money.Fen) (amount, pays money.Fen) {
	var open opened
	open.add(t, 0)
	amount = o.compliant(counts)
	_, _, pays = o.due(&open, policy.FromThreshold, before, amount, paid)
	*base, *used = amount, pays
	o.pay(who, pays)
	return amount, pays
}

func (o *Outcome) supplement() {
	s := o.terms.CivilServant
	if s == nil || !o.person.CivilServant {
		return
	}
	amount, pays := o.one(civilServant, s.Tier(), s.Counts, o.year.CivilServantBase, o.year.CivilServant, &o.Used.CivilServantBase, &o.Used.CivilServant)
	o.mark(mark{rule: ruleCivilServant, input: amount, result: pays, ratio: s.Ratio.BP})
}

func (o *Outcome) assistance() {
	a := o.policy.Assistance
	if a == nil {
		return
	}
	var open opened
	for i := range a.Groups {
		if slices.Contains(o.person.Groups, a.Groups[i].Group) {
			open.add(a.Groups[i].Tier(), i)
		}
	}
	if open.n == 0 {
		return
	}
	if o.remote != nil && o.remote.NoAssistance {
		o.mark(mark{rule: ruleNoAssistance})
		return
	}
	amount := o.compliant(a.Counts)
	best, _, pays := o.due(&open, policy.FromThreshold, o.year.AssistanceBase, amount, o.year.Assistance)
	o.Used.AssistanceBase, o.Used.Assistance = amount, pays
	o.pay(assistance, pays)
	g := &a.Groups[open.keys[best]]
	o.mark(mark{rule: ruleAssistance, input: amount, result: pays, a: g.Tier().Threshold.Fen, ratio: g.Ratio.BP, group: g.Group})
}

func (o *Outcome) tilt() {
	a := o.policy.Assistance
	if a == nil || a.Tilt == nil || !a.Tilt.Groups.Any(o.person.Groups) {
		return
	}
	if *a.Tilt.OnlyWithin && o.stay.Province != o.policy.Province || o.remote != nil && o.remote.NoAssistance {
		o.mark(mark{rule: ruleNoTilt})
		return
	}
	amount, pays := o.one(assistance, a.Tilt.Tier(), a.Counts, o.year.TiltBase, o.year.Tilt, &o.Used.TiltBase, &o.Used.Tilt)
	o.mark(mark{rule: ruleTilt, input: amount, result: pays, a: a.Tilt.Threshold.Fen, ratio: a.Tilt.Ratio.BP})
}

// plan pays by the best of the plans of one kind the person is enrolled in.
func (o *Outcome) plan(who payer, all []policy.Plan, before, paid money.Fen, base, used *money.Fen) {
	var best *policy.Plan
	bestAmount, bestPays := money.Fen(0), money.Fen(-1)
	for i := range all {
		p := &all[i]
		if !slices.Contains(o.person.Plans, p.Code) || p.Groups != nil && !p.Groups.Any(o.person.Groups) {
			continue
		}
		var open opened
		open.add(&p.Tier, 0)
		amount := o.compliant(p.Counts)
		if _, _, pays := o.due(&open, policy.FromThreshold, before, amount, paid); pays > bestPays {
			best, bestAmount, bestPays = p, amount, pays
		}
	}
	if best == nil {
		return
	}
	*base, *used = bestAmount, bestPays
	o.pay(who, bestPays)
	o.mark(mark{rule: rulePlan, input: bestAmount, result: bestPays, a: best.Threshold.Fen, bands: best.Bands, plan: best, payer: who})
}

func (o *Outcome) account() {
	terms := o.terms.PersonalAccount
	if terms == nil || o.person.Account == 0 {
		return
	}
	amount := o.compliant(terms.Counts)
	left := max(o.person.Account-o.year.PersonalAccount, 0)
	pays := min(amount, left)
	o.Used.PersonalAccount = pays
	o.pay(personalAccount, pays)
	o.mark(mark{rule: ruleAccount, input: amount, result: pays, a: left})
}
