package split

import (
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
)

// Counters are the sums of a person's year at the insured province (年度累计).
type Counters struct {
	Deductible, Basic, SecondLayer, Assistance money.Fen
	// SecondBase and AssistanceBase are what counted toward these layers so far: their thresholds hold for the year. So it
	// is with every Base below.
	SecondBase, AssistanceBase money.Fen
	BasicBase                  money.Fen `json:",omitempty"`
	// Outpatient special diseases have a deductible and, beside the shared one, a cap of their own; Outpatient is what basic
	// paid for them.
	OutpatientDeductible money.Fen `json:",omitempty"`
	OutpatientBase       money.Fen `json:",omitempty"`
	Outpatient           money.Fen `json:",omitempty"`
	CivilServantBase     money.Fen `json:",omitempty"`
	CivilServant         money.Fen `json:",omitempty"`
	TiltBase             money.Fen `json:",omitempty"`
	Tilt                 money.Fen `json:",omitempty"`
	CommercialBase       money.Fen `json:",omitempty"`
	Commercial           money.Fen `json:",omitempty"`
	CharityBase          money.Fen `json:",omitempty"`
	Charity              money.Fen `json:",omitempty"`
	GrantBase            money.Fen `json:",omitempty"`
	Grant                money.Fen `json:",omitempty"`
	PersonalAccount      money.Fen `json:",omitempty"`
}

// counterCount is how many sums there are.
const counterCount = 21

// CounterNames are the names of the sums as stores and files write them, in the order of Values.
var CounterNames = [counterCount]string{
	"deductible", "basic", "second_layer", "assistance", "second_base", "assistance_base", "basic_base",
	"outpatient_deductible", "outpatient_base", "outpatient", "civil_servant_base", "civil_servant", "tilt_base", "tilt",
	"commercial_base", "commercial", "charity_base", "charity", "grant_base", "grant_paid", "personal_account",
}

// Values points at the sums, in the order of CounterNames.
func (c *Counters) Values() [counterCount]*money.Fen {
	return [...]*money.Fen{
		&c.Deductible, &c.Basic, &c.SecondLayer, &c.Assistance, &c.SecondBase, &c.AssistanceBase, &c.BasicBase,
		&c.OutpatientDeductible, &c.OutpatientBase, &c.Outpatient, &c.CivilServantBase, &c.CivilServant, &c.TiltBase, &c.Tilt,
		&c.CommercialBase, &c.Commercial, &c.CharityBase, &c.Charity, &c.GrantBase, &c.Grant, &c.PersonalAccount,
	}
}

// Plus returns the sums after a bill used u.
func (c Counters) Plus(u Counters) Counters {
	of := u.Values()
	for i, sum := range c.Values() {
		*sum += *of[i]
	}
	return c
}

// Minus returns the sums without what a bill used.
func (c Counters) Minus(u Counters) Counters {
	of := u.Values()
	for i, sum := range c.Values() {
		*sum -= *of[i]
	}
	return c
}

// check refuses counters that cannot be.
func (c *Counters) check() error {
	for _, sum := range c.Values() {
		if *sum < 0 || *sum > maxFen {
			return fault.New(fault.OutOfRange, fault.AmountOverflow, "counters",
				"A sum of the year is outside the range of an amount.", "年度累计超出允许范围。")
		}
	}
	return nil
}
