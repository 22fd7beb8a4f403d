package split

import (
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
)

// Split divides the bill by the policy of the insured province and explains it. Faults: as of Compute.
func Split(p *policy.Policy, person Person, stay Stay, totals Totals, year Counters) (Result, error) {
	var o Outcome
	if err := o.Compute(p, &person, &stay, &totals, &year); err != nil {
		return Result{}, err
	}
	return o.Explain(), nil
}

// payer is a payer's place in the order of paying.
type payer uint8

const (
	basic payer = iota
	secondLayer
	civilServant
	assistance
	commercial
	charity
	grant
	personalAccount
	payers
)

var payerNames = [payers]Payer{Basic, SecondLayer, CivilServant, Assistance, Commercial, Charity, Grant, PersonalAccount}

// Outcome is a split in numbers. It may be used again for the next one; what it points at is the policy's.
type Outcome struct {
	// Used is what this bill adds to the year.
	Used Counters

	policy  *policy.Policy
	terms   *policy.SchemeTerms
	person  *Person
	stay    *Stay
	totals  Totals
	year    Counters
	paid    [payers]money.Fen
	asked   [payers]bool // layers that had a say, though they may pay nothing
	paidSum money.Fen

	rounding   money.Rounding
	disease    *policy.Outpatient // nil for a stay
	remote     *policy.RemoteTerm // nil where nothing is taken off
	firstPay   money.Fen          // remote first-pay
	eligible   money.Fen          // in scope less the remote first-pay
	deductible money.Fen
	overCap    money.Fen // what is in scope beyond the point where basic reached its cap

	marks [maxMarks]mark
	n     int
}

// Cash is what is left to the patient.
func (o *Outcome) Cash() money.Fen { return o.totals.Total - o.paidSum }

// Basic is what the basic fund pays.
func (o *Outcome) Basic() money.Fen { return o.paid[basic] }

// Compute divides the bill, without a word and without allocating. The arguments must not change while the outcome is
// explained. Faults: FIELD_INVALID for totals that do not add up or an account below nothing, NO_POLICY where the policy
// has no terms for the scheme, the disease, the filing or the hospital's level, AMOUNT_OVERFLOW for impossible counters.
func (o *Outcome) Compute(p *policy.Policy, person *Person, stay *Stay, totals *Totals, year *Counters) error {
	if err := totals.Check(); err != nil {
		return err
	}
	if err := year.check(); err != nil {
		return err
	}
	if person.Account < 0 || person.Account > maxFen || stay.ReferralDeductible < 0 {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, "account", "An account or a deductible is negative.", "账户余额或起付金额为负。")
	}
	terms, ok := p.Terms(person.Scheme)
	if !ok {
		return noTerms()
	}
	term, ok := terms.Basic.Term(totals.HospitalLevel, person.Retired)
	if !ok {
		return noTerms()
	}
	var disease *policy.Outpatient
	if stay.Disease != "" {
		if disease, ok = terms.Disease(stay.Disease); !ok {
			return noTerms()
		}
	}
	var remote *policy.RemoteTerm
	if !p.Local(terms, stay.Province, stay.City) {
		if remote, ok = terms.Remote.Term(stay.Filing); !ok {
			return noTerms()
		}
	}
	o.Used, o.paid, o.asked, o.paidSum, o.n = Counters{}, [payers]money.Fen{}, [payers]bool{}, 0, 0
	o.policy, o.terms, o.person, o.stay, o.totals, o.year = p, terms, person, stay, *totals, *year
	o.rounding, o.disease, o.remote, o.overCap = money.Rounding(p.Rounding), disease, remote, 0
	o.scope()
	o.remoteFirstPay()
	o.basic(term)
	o.second()
	o.supplement()
	o.assistance()
	o.tilt()
	o.plan(commercial, p.Commercial, o.year.CommercialBase, o.year.Commercial, &o.Used.CommercialBase, &o.Used.Commercial)
	o.plan(charity, p.Charities, o.year.CharityBase, o.year.Charity, &o.Used.CharityBase, &o.Used.Charity)
	o.plan(grant, p.Grants, o.year.GrantBase, o.year.Grant, &o.Used.GrantBase, &o.Used.Grant)
	o.account()
	o.mark(mark{rule: ruleCash, input: o.totals.Total, result: o.Cash()})
	return nil
}

func noTerms() error {
	return fault.New(fault.FailedPrecondition, fault.NoPolicy, "",
		"The policy has no terms for this scheme, disease, filing or hospital level.", "政策未规定该险种、病种、备案类型或医院等级的待遇。")
}

func (o *Outcome) pay(who payer, amount money.Fen) {
	o.paid[who] += amount
	o.paidSum += amount
	o.asked[who] = true
}

func (o *Outcome) scope() {
	t := &o.totals
	rest := t.Total - t.OutOfCatalogue
	if t.OutOfCatalogue > 0 {
		o.mark(mark{rule: ruleOutOfCatalogue, input: t.Total, result: rest})
	}
	if t.OverLimit > 0 {
		o.mark(mark{rule: ruleOverLimit, input: rest, result: rest - t.OverLimit})
		rest -= t.OverLimit
	}
	if t.ClassB > 0 {
		o.mark(mark{rule: ruleClassB, input: rest, result: rest - t.ClassB})
	}
	o.mark(mark{rule: ruleInScope, input: t.Total, result: t.InScope})
}

// lessElsewhere is the remote term where it takes something off basic.
func (o *Outcome) lessElsewhere() *policy.RemoteTerm {
	if o.disease != nil && !*o.disease.Remote {
		return nil
	}
	return o.remote
}

func (o *Outcome) remoteFirstPay() {
	o.firstPay = 0
	r := o.lessElsewhere()
	if r != nil && r.FirstPay != nil {
		o.firstPay = share(o.totals.InScope, r.FirstPay.BP, o.rounding)
	}
	o.eligible = o.totals.InScope - o.firstPay
	o.mark(mark{rule: ruleRemote, input: o.totals.InScope, result: o.eligible})
}

func (o *Outcome) basic(term *policy.Term) {
	charged, before := term.Deductible.Fen, o.year.Deductible
	c := curve{bands: term.Bands, rounding: o.rounding}
	r := o.lessElsewhere()
	if o.disease != nil {
		charged, before = o.disease.Deductible.Fen, o.year.OutpatientDeductible
		if !o.disease.InpatientRatios {
			c.bands = o.disease.Bands
		}
	} else if r != nil && r.Own != nil {
		charged = r.Own.Deductible.Fen
	}
	if r != nil {
		if r.Own != nil {
			c.bands = r.Own.Bands()
		}
		c.lower = lowering{r.PointsOff, r.Factor}
	}
	if o.disease == nil && o.terms.Basic.DeductibleOver == policy.Stay {
		before = 0
		if o.terms.Basic.Continuous {
			before = o.stay.ReferralDeductible
		}
	}
	o.deductible = min(o.eligible, max(charged-before, 0))
	o.mark(mark{rule: ruleDeductible, input: o.eligible, result: o.eligible - o.deductible, a: charged, b: before})

	base := o.eligible - o.deductible
	from := money.Fen(0)
	switch {
	case o.disease != nil:
		from, o.Used.OutpatientDeductible, o.Used.OutpatientBase = o.year.OutpatientBase, o.deductible, base
	case o.terms.Basic.BandsOver == policy.Year:
		from = o.year.BasicBase
		fallthrough
	default:
		o.Used.Deductible, o.Used.BasicBase = o.deductible, base
	}
	owed := c.at(from+base) - c.at(from)
	pays := owed
	// Also when it is just reached: the next fen may be owed nothing for its rounding, and lies beyond all the same.
	if left, limited := o.capLeft(); limited && owed >= left {
		pays = left
		o.overCap = base - c.reaches(from, left, base)
	}
	o.pay(basic, pays)
	if o.disease != nil {
		o.Used.Outpatient = pays
	}
	if o.disease == nil || *o.disease.SharedCap {
		o.Used.Basic = pays
	}
	o.mark(mark{rule: ruleBasic, input: base, result: owed, a: from, bands: c.bands, lower: c.lower})
	if pays < owed {
		o.mark(mark{rule: ruleBasicCap, input: owed, result: pays})
	}
}

// capLeft is what basic may still pay this year.
func (o *Outcome) capLeft() (left money.Fen, limited bool) {
	if o.disease == nil || *o.disease.SharedCap {
		left, limited = o.terms.Basic.Cap.Left(o.year.Basic)
	}
	if o.disease != nil {
		if own, has := o.disease.Cap.Left(o.year.Outpatient); has && (!limited || own < left) {
			left, limited = own, true
		}
	}
	return left, limited
}
