package split

import (
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
)

// Payer is who pays a part (支付方).
type Payer string

// The payers, in the order in which they pay.
const (
	Basic           Payer = "basic"            // 基本医保统筹基金
	SecondLayer     Payer = "second_layer"     // 大病保险、大额
	CivilServant    Payer = "civil_servant"    // 公务员补助
	Assistance      Payer = "assistance"       // 医疗救助
	Commercial      Payer = "commercial"       // 惠民保、商业、慈善
	PersonalAccount Payer = "personal_account" // 个人账户
	Cash            Payer = "cash"             // 个人现金
)

// Person is what a policy looks at.
type Person struct {
	Scheme       policy.Scheme
	Retired      bool
	CivilServant bool
	// Groups are the assistance identities; of several the best one counts.
	Groups []policy.Group
}

// Stay is where and on which ground the person was treated.
type Stay struct {
	Filing   policy.Filing
	Province string
}

// Totals are the sums over a bill, as the treatment province makes them.
type Totals struct {
	Total, OutOfCatalogue, OverLimit, ClassB, InScope money.Fen
	CatalogueVersion                                  string
	HospitalLevel                                     int
}

// maxFen bounds every amount that comes in: ten trillion yuan, so that no sum here can overflow.
const maxFen money.Fen = 1_000_000_000_000_000

// Check refuses totals that do not add up.
func (t Totals) Check() error {
	var sum money.Fen
	for _, part := range []money.Fen{t.OutOfCatalogue, t.OverLimit, t.ClassB, t.InScope} {
		if part < 0 || part > maxFen {
			return badTotals()
		}
		sum += part
	}
	if sum != t.Total || t.Total > maxFen {
		return badTotals()
	}
	return nil
}

func badTotals() error {
	return fault.New(fault.InvalidArgument, fault.FieldInvalid, "totals",
		"The parts of the bill are negative or do not sum to its total.", "费用各部分为负，或合计不等于总费用。")
}

// Counters are the sums of a person's year at the insured province (年度累计).
type Counters struct {
	Deductible, Basic, SecondLayer, Assistance money.Fen
	// SecondBase and AssistanceBase are what counted toward these layers so far: their thresholds hold for the year.
	SecondBase, AssistanceBase money.Fen
}

// Plus returns the sums after a bill used u.
func (c Counters) Plus(u Counters) Counters {
	return Counters{
		c.Deductible + u.Deductible, c.Basic + u.Basic, c.SecondLayer + u.SecondLayer, c.Assistance + u.Assistance,
		c.SecondBase + u.SecondBase, c.AssistanceBase + u.AssistanceBase,
	}
}

// Minus returns the sums without what a bill used.
func (c Counters) Minus(u Counters) Counters {
	return c.Plus(Counters{-u.Deductible, -u.Basic, -u.SecondLayer, -u.Assistance, -u.SecondBase, -u.AssistanceBase})
}

// check refuses counters that cannot be.
func (c Counters) check() error {
	for _, sum := range []money.Fen{c.Deductible, c.Basic, c.SecondLayer, c.Assistance, c.SecondBase, c.AssistanceBase} {
		if sum < 0 || sum > maxFen {
			return fault.New(fault.OutOfRange, fault.AmountOverflow, "counters",
				"A sum of the year is outside the range of an amount.", "年度累计超出允许范围。")
		}
	}
	return nil
}

// Share is what one payer pays.
type Share struct {
	Payer  Payer     `json:"payer"`
	Amount money.Fen `json:"amount"`
}

// Step is one step of the split, in the patient's words.
type Step struct {
	Rule   string    `json:"rule"`
	Input  money.Fen `json:"input"`
	Result money.Fen `json:"result"`
	Zh     string    `json:"zh"`
	En     string    `json:"en"`
}

// Result is the split of one bill (分割结果).
type Result struct {
	Total   money.Fen `json:"total"`
	InScope money.Fen `json:"in_scope"`
	// Shares sum to Total.
	Shares []Share `json:"shares"`
	Steps  []Step  `json:"steps"`
	// Used is what this bill adds to the year.
	Used             Counters `json:"used"`
	PolicyVersion    string   `json:"policy_version"`
	CatalogueVersion string   `json:"catalogue_version"`
}

// Pays returns what a payer pays.
func (r Result) Pays(p Payer) money.Fen {
	for _, s := range r.Shares {
		if s.Payer == p {
			return s.Amount
		}
	}
	return 0
}

// Funds is what the insured province pays: all but what comes from the person.
func (r Result) Funds() money.Fen {
	var sum money.Fen
	for _, s := range r.Shares {
		if s.Payer != Cash && s.Payer != PersonalAccount {
			sum += s.Amount
		}
	}
	return sum
}

// Check refuses a result whose shares are negative or do not sum to its total: the last guard before money is posted.
func (r Result) Check() error {
	var sum money.Fen
	for _, s := range r.Shares {
		if s.Amount < 0 || s.Amount > maxFen {
			return unbalanced()
		}
		sum += s.Amount
	}
	if sum != r.Total {
		return unbalanced()
	}
	return nil
}

func unbalanced() error {
	return fault.New(fault.Internal, fault.ReasonInternal, "", "The split does not sum to the total.", "分割结果与总费用不符。")
}
