// Package offline splits a bill from files, without a running line: for whoever writes a policy, and for whoever doubts
// a bill.
//
// Invariant: it decides nothing itself. The documents are parsed and the bill is divided by the packages that settle.
package offline

import (
	"gopkg.in/yaml.v3"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// Claim is a bill in a file, YAML or JSON.
type Claim struct {
	Person            Person        `yaml:"person"`
	Filing            policy.Filing `yaml:"filing"`
	TreatmentProvince string        `yaml:"treatment_province"`
	Center            string        `yaml:"center"`
	DischargeDate     policy.Date   `yaml:"discharge_date"`
	Counters          Counters      `yaml:"counters"`
	Lines             []Line        `yaml:"lines"`
}

// Person is how the patient is insured.
type Person struct {
	Scheme       policy.Scheme  `yaml:"scheme"`
	Retired      bool           `yaml:"retired"`
	CivilServant bool           `yaml:"civil_servant"`
	Groups       []policy.Group `yaml:"groups"`
}

// Counters are what the year has used before.
type Counters struct {
	Deductible     policy.Amount `yaml:"deductible"`
	Basic          policy.Amount `yaml:"basic"`
	SecondLayer    policy.Amount `yaml:"second_layer"`
	Assistance     policy.Amount `yaml:"assistance"`
	SecondBase     policy.Amount `yaml:"second_base"`
	AssistanceBase policy.Amount `yaml:"assistance_base"`
}

// Line is one charge or, with refund_of, the refund of one; its amount follows.
type Line struct {
	Number        int32         `yaml:"number"`
	Item          string        `yaml:"item"`
	Price         policy.Amount `yaml:"price"`
	QuantityMilli int64         `yaml:"quantity_milli"`
	RefundOf      int32         `yaml:"refund_of"`
}

const (
	maxLines         = 20_000
	maxQuantityMilli = 100_000_000
)

// ParseClaim reads a claim. Errors are *policy.Invalid and name the line.
func ParseClaim(text []byte) (*Claim, error) {
	c := new(Claim)
	root, err := policy.Strict(text, c)
	if err != nil {
		return nil, err
	}
	if err := c.check(root); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Claim) check(root *yaml.Node) error {
	refuse := func(en, zh string, path ...any) error { return policy.At(root, en, zh, path...) }
	switch {
	case !c.Person.Scheme.Known():
		return refuse("scheme is neither employee nor resident", "scheme 须为 employee 或 resident", "person", "scheme")
	case !c.Filing.Known():
		return refuse("the kind of filing is not known", "备案类型不存在", "filing")
	case c.TreatmentProvince == "":
		return refuse("treatment_province is missing", "缺少 treatment_province", "treatment_province")
	case c.DischargeDate == "":
		return refuse("discharge_date is missing", "缺少 discharge_date", "discharge_date")
	case len(c.Lines) == 0 || len(c.Lines) > maxLines:
		return refuse("there are no lines, or too many", "没有明细，或明细过多", "lines")
	}
	for i, g := range c.Person.Groups {
		if !g.Known() {
			return refuse("the group is not known", "救助对象类别不存在", "person", "groups", i)
		}
	}
	seen := map[int32]Line{}
	for i, l := range c.Lines {
		if _, twice := seen[l.Number]; twice || l.Number < 1 {
			return refuse("a line has a number of its own, from 1", "明细编号须从 1 起且不重复", "lines", i, "number")
		}
		seen[l.Number] = l
		if l.Item == "" || !l.Price.Set {
			return refuse("item or price is missing", "缺少 item 或 price", "lines", i)
		}
		if l.QuantityMilli < 1 || l.QuantityMilli > maxQuantityMilli {
			return refuse("a quantity is 1..100000000 thousandths", "数量须为 1 至 100000000 个千分之一", "lines", i, "quantity_milli")
		}
		if of := seen[l.RefundOf]; l.RefundOf != 0 && (l.RefundOf == l.Number || of.Number == 0 || of.RefundOf != 0 || of.Item != l.Item || of.Price != l.Price) {
			return refuse("a refund follows the charge it takes back, of the same item and price", "退费须在原收费之后，且项目与单价一致", "lines", i, "refund_of")
		}
	}
	return nil
}

func (c *Claim) lines() ([]split.Line, error) {
	out := make([]split.Line, 0, len(c.Lines))
	for _, l := range c.Lines {
		amount, err := split.Charge(l.Price.Fen, l.QuantityMilli)
		if err != nil {
			return nil, err
		}
		if l.RefundOf != 0 {
			amount = -amount
		}
		out = append(out, split.Line{
			Number: l.Number, Item: l.Item, Price: l.Price.Fen, QuantityMilli: l.QuantityMilli, Amount: amount, RefundOf: l.RefundOf,
		})
	}
	return out, nil
}

func (c Counters) year() split.Counters {
	fen := func(a policy.Amount) money.Fen { return a.Fen }
	return split.Counters{
		Deductible: fen(c.Deductible), Basic: fen(c.Basic), SecondLayer: fen(c.SecondLayer), Assistance: fen(c.Assistance),
		SecondBase: fen(c.SecondBase), AssistanceBase: fen(c.AssistanceBase),
	}
}
