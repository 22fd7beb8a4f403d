package split

import (
	"fmt"
	"strings"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
)

// rule is the key of a step.
type rule string

const (
	ruleOutOfCatalogue rule = "out_of_catalogue"
	ruleOverLimit      rule = "over_limit"
	ruleClassB         rule = "class_b_first_pay"
	ruleInScope        rule = "in_scope"
	ruleRemote         rule = "remote" // written as the model that applies
	ruleDeductible     rule = "deductible"
	ruleBasic          rule = "basic"
	ruleBasicCap       rule = "basic_cap"
	ruleSecondLayer    rule = "second_layer"
	ruleSecondLayerCap rule = "second_layer_cap"
	ruleNoSecondLayer  rule = "second_layer_excluded"
	ruleCivilServant   rule = "civil_servant"
	ruleAssistance     rule = "assistance"
	ruleNoAssistance   rule = "assistance_excluded"
	ruleTilt           rule = "tilt"
	ruleNoTilt         rule = "tilt_excluded"
	rulePlan           rule = "plan" // written as its payer
	ruleAccount        rule = "personal_account"
	ruleCash           rule = "cash"
)

// mark is what was done in one step, in numbers; words are made of it when someone asks.
type mark struct {
	rule          rule
	input, result money.Fen
	a, b          money.Fen
	ratio         money.BasisPoints
	lower         lowering
	bands         []policy.Band
	group         policy.Group
	plan          *policy.Plan
	payer         payer
}

// maxMarks bounds the steps: every rule once.
const maxMarks = 24

func (o *Outcome) mark(m mark) {
	o.marks[o.n] = m
	o.n++
}

// Explain writes the outcome out: shares, and every step in words.
func (o *Outcome) Explain() Result {
	r := Result{
		Total: o.totals.Total, InScope: o.totals.InScope, Used: o.Used,
		PolicyVersion: o.policy.Version, PolicyDigest: o.policy.Digest,
		CatalogueVersion: o.totals.CatalogueVersion, CatalogueDigest: o.totals.CatalogueDigest,
		Shares: make([]Share, 0, len(o.paid)+1), Steps: make([]Step, 0, o.n),
	}
	for p, amount := range o.paid {
		if o.asked[p] {
			r.Shares = append(r.Shares, Share{payerNames[p], amount})
		}
	}
	r.Shares = append(r.Shares, Share{Cash, o.Cash()})
	for i := range o.n {
		m := &o.marks[i]
		s := Step{Rule: string(m.rule), Input: m.input, Result: m.result}
		switch m.rule {
		case ruleRemote:
			s.Rule, s.Zh, s.En = o.remoteWords()
			if s.Rule == "" {
				continue
			}
		case rulePlan:
			s.Rule = string(payerNames[m.payer])
			s.Zh, s.En = m.planWords()
		default:
			s.Zh, s.En = o.words(m)
		}
		r.Steps = append(r.Steps, s)
	}
	return r
}

// percent writes basis points as a percentage: 8500 is "85%", 7225 "72.25%".
func percent(bp money.BasisPoints) string {
	text := strings.TrimRight(fmt.Sprintf("%d.%02d", bp/100, bp%100), "0")
	return strings.TrimSuffix(text, ".") + "%"
}

// ratios writes bands: "60%", or "分段比例（至 50000.00 元 60%，50000.00 元以上 65%）".
func ratios(bands []policy.Band, lower lowering) (zh, en string) {
	if len(bands) == 1 {
		only := percent(lower.of(bands[0].Ratio.BP))
		return only, only
	}
	var zhs, ens []string
	for _, b := range bands {
		ratio := percent(lower.of(b.Ratio.BP))
		if b.To == nil {
			zhs = append(zhs, fmt.Sprintf("%s 元以上 %s", b.From.Fen, ratio))
			ens = append(ens, fmt.Sprintf("%s above %s", ratio, b.From.Fen))
			continue
		}
		zhs = append(zhs, fmt.Sprintf("至 %s 元 %s", b.To.Fen, ratio))
		ens = append(ens, fmt.Sprintf("%s up to %s", ratio, b.To.Fen))
	}
	return "分段比例（" + strings.Join(zhs, "，") + "）", strings.Join(ens, ", ")
}

func (m *mark) ratios() (zh, en string) { return ratios(m.bands, m.lower) }
