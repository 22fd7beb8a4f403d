package split

import (
	"slices"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
)

// Split divides the bill by the policy of the insured province. Faults: FIELD_INVALID for totals that do not add up,
// NO_POLICY where the policy has no terms for the scheme or the hospital's level, AMOUNT_OVERFLOW for impossible counters.
func Split(p *policy.Policy, person Person, stay Stay, totals Totals, counters Counters) (Result, error) {
	if err := totals.Check(); err != nil {
		return Result{}, err
	}
	if err := counters.check(); err != nil {
		return Result{}, err
	}
	terms, ok := p.Terms(person.Scheme)
	if !ok {
		return Result{}, noTerms()
	}
	term, ok := terms.Basic.Term(totals.HospitalLevel, person.Retired)
	if !ok {
		return Result{}, noTerms()
	}
	s := &splitting{
		policy: p, rounding: money.Rounding(p.Rounding), terms: terms, person: person, totals: totals, before: counters,
		remote: policy.RemoteTerm{FirstPay: &policy.Ratio{Set: true}}, local: p.Local(terms, stay.Province), paid: map[Payer]money.Fen{},
	}
	if !s.local {
		if s.remote, ok = terms.Remote.Term(stay.Filing); !ok {
			return Result{}, noTerms()
		}
	}
	s.scope()
	s.remoteFirstPay(stay.Filing)
	s.basic(term)
	s.second()
	s.supplement()
	s.assistance()
	return s.result(), nil
}

func noTerms() error {
	return fault.New(fault.FailedPrecondition, fault.NoPolicy, "",
		"The policy has no terms for this scheme, filing or hospital level.", "政策未规定该险种、备案类型或医院等级的待遇。")
}

// splitting is one split under way.
type splitting struct {
	policy   *policy.Policy
	rounding money.Rounding
	terms    *policy.SchemeTerms
	person   Person
	totals   Totals
	before   Counters
	remote   policy.RemoteTerm
	local    bool

	firstPay   money.Fen // remote first-pay
	eligible   money.Fen // in scope less the remote first-pay
	deductible money.Fen
	overCap    money.Fen // what is in scope beyond the point where basic reached its cap
	used       Counters
	paid       map[Payer]money.Fen
	steps      []Step
}

func (s *splitting) remoteFirstPay(filing policy.Filing) {
	if s.remote.FirstPay != nil {
		s.firstPay = share(s.totals.InScope, s.remote.FirstPay.BP, s.rounding)
	}
	s.eligible = s.totals.InScope - s.firstPay
	s.explainRemote(filing)
}

func (s *splitting) basic(term policy.Term) {
	yearly := term.Deductible.Fen
	c := curve{bands: term.Bands, rounding: s.rounding}
	switch r := s.remote; {
	case r.Own != nil:
		yearly = r.Own.Deductible.Fen
		c.bands = []policy.Band{{From: policy.Amount{Set: true}, Ratio: r.Own.Ratio}}
	case r.PointsOff != nil:
		c.adjust = func(bp money.BasisPoints) money.BasisPoints { return max(bp-r.PointsOff.BP, 0) }
	case r.Factor != nil:
		// The lowered ratio is itself a whole number of basis points, half up.
		c.adjust = func(bp money.BasisPoints) money.BasisPoints { return (bp*r.Factor.BP + money.Whole/2) / money.Whole }
	}
	s.deductible = min(s.eligible, max(yearly-s.before.Deductible, 0))
	s.used.Deductible = s.deductible
	s.explainDeductible(yearly)

	base := s.eligible - s.deductible
	owed := c.at(base)
	pays := owed
	if left, limited := s.terms.Basic.Cap.Left(s.before.Basic); limited && owed > left {
		pays = left
		s.overCap = base - c.reaches(left, base)
	}
	s.paid[Basic], s.used.Basic = pays, pays
	s.explainBasic(c, base, owed, pays)
}

// compliant is what the person is left with so far, as far as a layer counts it (合规自付).
func (s *splitting) compliant(counts []policy.Item) money.Fen {
	sum := s.eligible
	for item, amount := range map[policy.Item]money.Fen{
		policy.CountClassB: s.totals.ClassB, policy.CountOverLimit: s.totals.OverLimit, policy.CountRemoteFirstPay: s.firstPay,
	} {
		if slices.Contains(counts, item) {
			sum += amount
		}
	}
	if !slices.Contains(counts, policy.CountDeductible) {
		sum -= s.deductible
	}
	for _, paid := range s.paid {
		sum -= paid
	}
	return max(sum, 0)
}

func (s *splitting) second() {
	layer := s.terms.SecondLayer
	if layer == nil {
		return
	}
	if s.remote.NoSecondLayer {
		s.explainNoSecondLayer()
		return
	}
	amount := s.overCap
	if layer.Base == policy.BaseSelfPay {
		amount = s.compliant(layer.Counts)
	}
	s.used.SecondBase = amount
	tiers := []policy.Tier{layer.Tier}
	for _, h := range layer.Hardship {
		if slices.ContainsFunc(s.person.Groups, func(g policy.Group) bool { return slices.Contains(h.Groups, g) }) {
			tiers = append(tiers, h.Tier)
		}
	}
	best, pays, owed := tiers[0], money.Fen(-1), money.Fen(0)
	for _, t := range tiers {
		due := tier(t, layer.BandsFrom, s.rounding, s.before.SecondBase+amount) - tier(t, layer.BandsFrom, s.rounding, s.before.SecondBase)
		limited := due
		if left, has := t.Cap.Left(s.before.SecondLayer); has {
			limited = min(due, left)
		}
		if limited > pays {
			best, pays, owed = t, limited, due
		}
	}
	s.paid[SecondLayer], s.used.SecondLayer = pays, pays
	s.explainSecond(best, amount, owed, pays)
}

func (s *splitting) supplement() {
	terms := s.terms.CivilServant
	if terms == nil || !s.person.CivilServant {
		return
	}
	amount := s.compliant(terms.Counts)
	pays := share(amount, terms.Ratio.BP, s.rounding)
	s.paid[CivilServant] = pays
	s.explainSupplement(terms.Ratio.BP, amount, pays)
}

func (s *splitting) assistance() {
	if s.policy.Assistance == nil || len(s.person.Groups) == 0 {
		return
	}
	amount := s.compliant(s.policy.Assistance.Counts)
	s.used.AssistanceBase = amount
	var best policy.AssistanceTerms
	pays := money.Fen(-1)
	for _, t := range s.policy.Assistance.Groups {
		if !slices.Contains(s.person.Groups, t.Group) {
			continue
		}
		owed := func(year money.Fen) money.Fen { return share(max(year-t.Deductible.Fen, 0), t.Ratio.BP, s.rounding) }
		due := owed(s.before.AssistanceBase+amount) - owed(s.before.AssistanceBase)
		if left, has := t.Cap.Left(s.before.Assistance); has {
			due = min(due, left)
		}
		if due > pays {
			best, pays = t, due
		}
	}
	if pays < 0 {
		s.used.AssistanceBase = 0
		return
	}
	s.paid[Assistance], s.used.Assistance = pays, pays
	s.explainAssistance(best, amount, pays)
}

func (s *splitting) result() Result {
	r := Result{
		Total: s.totals.Total, InScope: s.totals.InScope, Used: s.used,
		PolicyVersion: s.policy.Version, CatalogueVersion: s.totals.CatalogueVersion,
	}
	cash := s.totals.Total
	for _, p := range []Payer{Basic, SecondLayer, CivilServant, Assistance} {
		if paid, has := s.paid[p]; has {
			r.Shares = append(r.Shares, Share{p, paid})
			cash -= paid
		}
	}
	r.Shares = append(r.Shares, Share{Cash, cash})
	s.explainCash(cash)
	r.Steps = s.steps
	return r
}
