// Package offline splits a bill from files, checks policies and compares them, without a running line: for whoever writes
// a policy, and for whoever doubts a bill.
//
// Invariant: it decides nothing itself. The documents are parsed and the bill is divided by the packages that settle.
package offline

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// Claim is a bill in a file, YAML or JSON.
type Claim struct {
	Currency          policy.Currency `yaml:"currency"`
	Person            Person          `yaml:"person"`
	Filing            policy.Filing   `yaml:"filing"`
	TreatmentProvince string          `yaml:"treatment_province"`
	TreatmentCity     string          `yaml:"treatment_city"`
	Center            string          `yaml:"center"`
	DischargeDate     policy.Date     `yaml:"discharge_date"`
	// Disease makes it an outpatient special disease; the date is then that of the visit.
	Disease policy.Disease `yaml:"disease"`
	// ReferralDeductible is what other stays of the same referral were charged.
	ReferralDeductible policy.Amount `yaml:"referral_deductible"`
	Counters           Counters      `yaml:"counters"`
	Lines              []Line        `yaml:"lines"`
}

// Person is how the patient is insured.
type Person struct {
	Scheme       policy.Scheme  `yaml:"scheme"`
	Retired      bool           `yaml:"retired"`
	CivilServant bool           `yaml:"civil_servant"`
	Groups       []policy.Group `yaml:"groups"`
	// Plans are codes of the policy's commercial plans, charities and grants.
	Plans   []string      `yaml:"plans"`
	Account policy.Amount `yaml:"personal_account"`
}

// Counters are what the year has used before, by the names of split.CounterNames.
type Counters struct{ split.Counters }

// UnmarshalYAML reads amounts by name.
func (c *Counters) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return policy.At(node, "counters are amounts by name", "counters 须为按名称列出的金额")
	}
	all := c.Values()
	for i := 0; i+1 < len(node.Content); i += 2 {
		at := slices.Index(split.CounterNames[:], node.Content[i].Value)
		if at < 0 {
			return policy.At(node.Content[i], "there is no such counter", "没有此项年度累计")
		}
		var amount policy.Amount
		if err := amount.UnmarshalYAML(node.Content[i+1]); err != nil {
			return err
		}
		*all[at] = amount.Fen
	}
	return nil
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
	case c.Disease != "" && !c.Disease.Known():
		return refuse("the outpatient special disease is not known", "门诊特殊慢性病种不存在", "disease")
	case len(c.Lines) == 0 || len(c.Lines) > maxLines:
		return refuse("there are no lines, or too many", "没有明细，或明细过多", "lines")
	}
	for i, g := range c.Person.Groups {
		if !g.Known() {
			return refuse("the group is not known", "救助对象类别不存在", "person", "groups", i)
		}
	}
	return c.checkLines(refuse)
}

func (c *Claim) checkLines(refuse func(en, zh string, path ...any) error) error {
	seen := map[int32]Line{}
	for i, l := range c.Lines {
		if _, twice := seen[l.Number]; twice || l.Number < 1 {
			return refuse("a line has a number of its own, from 1", "明细编号须从 1 起且不重复", "lines", i, "number")
		}
		seen[l.Number] = l
		if l.Item == "" || !l.Price.Set {
			return refuse("item or price is missing", "缺少 item 或 price", "lines", i)
		}
		if policy.ForOrgan(l.Item) {
			return refuse("this reads like a charge for an organ; none may be on a bill", "疑似器官费用；不得列入账单", "lines", i, "item")
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

// enrolled refuses plans the policy does not have: a slip of the pen would cost the person a layer.
func (c *Claim) enrolled(p *policy.Policy) error {
	for _, code := range c.Person.Plans {
		if !slices.ContainsFunc(slices.Concat(p.Commercial, p.Charities, p.Grants), func(plan policy.Plan) bool { return plan.Code == code }) {
			return fmt.Errorf("the policy has no plan %q", code)
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

func (c *Claim) person() split.Person {
	return split.Person{
		Scheme: c.Person.Scheme, Retired: c.Person.Retired, CivilServant: c.Person.CivilServant, Groups: c.Person.Groups,
		Plans: c.Person.Plans, Account: c.Person.Account.Fen,
	}
}

func (c *Claim) stay() split.Stay {
	return split.Stay{
		Filing: c.Filing, Province: c.TreatmentProvince, City: c.TreatmentCity, Disease: c.Disease,
		ReferralDeductible: c.ReferralDeductible.Fen,
	}
}
