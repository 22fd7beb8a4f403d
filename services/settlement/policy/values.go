package policy

import (
	"strconv"
	"time"

	"gopkg.in/yaml.v3"

	"huhang.example/services/internal/money"
)

// Scheme is the basic medical insurance scheme (险种).
type Scheme string

// The schemes.
const (
	Employee Scheme = "employee" // 职工基本医疗保险
	Resident Scheme = "resident" // 城乡居民基本医疗保险
)

// Known reports whether s is one of the schemes.
func (s Scheme) Known() bool { return s == Employee || s == Resident }

// Group is an identity that opens medical assistance (救助对象).
type Group string

// The groups.
const (
	Destitute      Group = "destitute"       // 特困
	Subsistence    Group = "subsistence"     // 低保
	Marginal       Group = "marginal"        // 低保边缘
	IllnessPoverty Group = "illness_poverty" // 因病致贫
)

// Known reports whether g is one of the groups.
func (g Group) Known() bool {
	return g == Destitute || g == Subsistence || g == Marginal || g == IllnessPoverty
}

// Filing is the ground on which a person is treated elsewhere, as far as a policy tells them apart (备案类型).
type Filing string

// The kinds, the best first.
const (
	LongTerm  Filing = "long_term" // 异地安置、长期居住、常驻工作
	Referral  Filing = "referral"  // 转诊转院
	Emergency Filing = "emergency" // 急诊抢救
	Other     Filing = "other"     // 其他临时外出
	Unfiled   Filing = "unfiled"   // 未备案
)

// Filings lists the kinds, the best first.
func Filings() []Filing { return []Filing{LongTerm, Referral, Emergency, Other, Unfiled} }

// Known reports whether f is one of the kinds.
func (f Filing) Known() bool {
	for _, known := range Filings() {
		if f == known {
			return true
		}
	}
	return false
}

// Disease is an outpatient special disease (门诊特殊慢性病) that is settled across provinces.
type Disease string

// AntiRejection is anti-rejection treatment after an organ transplantation (器官移植抗排异治疗).
const AntiRejection Disease = "anti_rejection"

// Known reports whether d is one of the diseases.
func (d Disease) Known() bool { return d == AntiRejection }

// Amount is yuan in a document and fen in memory; an amount that was not written is told apart from zero.
type Amount struct {
	Set bool
	Fen money.Fen
}

// maxAmount bounds every amount of a document: ten billion yuan.
const maxAmount money.Fen = 1_000_000_000_000

// Currency is that of every amount of a document: CNY, said out loud.
type Currency string

// UnmarshalYAML refuses every other currency.
func (c *Currency) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.ScalarNode || node.Value != "CNY" {
		return at(node, "the currency is not CNY", "币种须为 CNY")
	}
	*c = "CNY"
	return nil
}

// UnmarshalYAML reads yuan with at most two decimals.
func (a *Amount) UnmarshalYAML(node *yaml.Node) error {
	fen, err := money.Parse(node.Value)
	if node.Kind != yaml.ScalarNode || err != nil || fen < 0 || fen > maxAmount {
		return at(node, "an amount is yuan from 0 with at most two decimals", "金额须为非负的元，且最多两位小数")
	}
	*a = Amount{Set: true, Fen: fen}
	return nil
}

// Cap is a yearly limit or, said out loud, none.
type Cap struct {
	Set, None bool
	Fen       money.Fen
}

// UnmarshalYAML reads an amount or the word none.
func (c *Cap) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode && node.Value == "none" {
		*c = Cap{Set: true, None: true}
		return nil
	}
	var a Amount
	if err := a.UnmarshalYAML(node); err != nil {
		return at(node, "a cap is an amount in yuan, or none", "封顶线须为金额（元），或写 none")
	}
	*c = Cap{Set: true, Fen: a.Fen}
	return nil
}

// Left is what remains of the cap after used; limited is false where there is no cap.
func (c Cap) Left(used money.Fen) (left money.Fen, limited bool) {
	if c.None {
		return 0, false
	}
	return max(c.Fen-used, 0), true
}

// Ratio is a share in basis points, 0..10000.
type Ratio struct {
	Set bool
	BP  money.BasisPoints
}

// UnmarshalYAML reads an integer from 0 to 10000.
func (r *Ratio) UnmarshalYAML(node *yaml.Node) error {
	bp, err := strconv.ParseInt(node.Value, 10, 64)
	if node.Kind != yaml.ScalarNode || err != nil || bp < 0 || bp > int64(money.Whole) {
		return at(node, "a ratio is basis points, an integer from 0 to 10000", "比例须为 0 至 10000 的整数（万分比）")
	}
	*r = Ratio{Set: true, BP: money.BasisPoints(bp)}
	return nil
}

// Date is a day as YYYY-MM-DD; days compare as text.
type Date string

// UnmarshalYAML reads a day of the calendar, or nothing.
func (d *Date) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode && node.Value == "" {
		*d = ""
		return nil
	}
	if _, err := time.Parse(time.DateOnly, node.Value); node.Kind != yaml.ScalarNode || err != nil {
		return at(node, "a day is written YYYY-MM-DD", "日期须写作 YYYY-MM-DD")
	}
	*d = Date(node.Value)
	return nil
}

// Rounding is how this document rounds a fraction of a fen.
type Rounding money.Rounding

// UnmarshalYAML reads a name such as HALF_UP.
func (r *Rounding) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := money.ParseRounding(node.Value)
	if node.Kind != yaml.ScalarNode || err != nil {
		return at(node, "rounding is none of HALF_UP, DOWN, UP, HALF_EVEN", "取整方式须为 HALF_UP、DOWN、UP、HALF_EVEN 之一")
	}
	*r = Rounding(parsed)
	return nil
}
