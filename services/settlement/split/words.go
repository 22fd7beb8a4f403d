package split

import (
	"fmt"

	"huhang.example/services/settlement/policy"
)

var filingWords = map[policy.Filing][2]string{
	policy.LongTerm: {"长期异地备案", "a long-term filing"}, policy.Referral: {"转诊备案", "a referral filing"},
	policy.Emergency: {"急诊（视同备案）", "an emergency, deemed filed"}, policy.Other: {"临时外出备案", "a filing for another stay"},
	policy.Unfiled: {"未备案", "no filing"},
}

var groupWords = map[policy.Group][2]string{
	policy.Destitute: {"特困人员", "the destitute"}, policy.Subsistence: {"低保对象", "those on the minimum living allowance"},
	policy.Marginal: {"低保边缘", "those just above the allowance"}, policy.IllnessPoverty: {"因病致贫", "those impoverished by illness"},
}

func (o *Outcome) remoteWords() (rule, zh, en string) {
	filing := filingWords[o.stay.Filing]
	r := o.lessElsewhere()
	switch {
	case o.remote == nil:
		return "local", "就医地视同参保地，不降低待遇。", "The treatment place is treated as your own: nothing is taken off."
	case r == nil:
		return "remote_none", "该门诊病种异地就医不降低待遇。", "For this outpatient treatment nothing is taken off elsewhere."
	case r.FirstPay != nil:
		return "remote_first_pay",
			fmt.Sprintf("跨省就医（%s）先行自付 %s，即 %s 元。", filing[0], percent(r.FirstPay.BP), o.firstPay),
			fmt.Sprintf("Treatment in another province (%s): you pay %s first, %s.", filing[1], percent(r.FirstPay.BP), o.firstPay)
	case r.Own != nil && o.disease != nil:
		return "remote_own_terms",
			fmt.Sprintf("跨省就医（%s）适用单独的支付比例 %s。", filing[0], percent(r.Own.Ratio.BP)),
			fmt.Sprintf("Treatment in another province (%s) has its own ratio of %s.", filing[1], percent(r.Own.Ratio.BP))
	case r.Own != nil:
		return "remote_own_terms",
			fmt.Sprintf("跨省就医（%s）适用单独的起付线 %s 元和支付比例 %s。", filing[0], r.Own.Deductible.Fen, percent(r.Own.Ratio.BP)),
			fmt.Sprintf("Treatment in another province (%s) has its own deductible of %s and ratio of %s.", filing[1], r.Own.Deductible.Fen, percent(r.Own.Ratio.BP))
	case r.PointsOff != nil:
		return "remote_points_off",
			fmt.Sprintf("跨省就医（%s）支付比例降低 %s。", filing[0], percent(r.PointsOff.BP)),
			fmt.Sprintf("Treatment in another province (%s) takes %s off the ratio.", filing[1], percent(r.PointsOff.BP))
	default:
		return "remote_factor",
			fmt.Sprintf("跨省就医（%s）支付比例按 %s 计算。", filing[0], percent(r.Factor.BP)),
			fmt.Sprintf("Treatment in another province (%s) is paid at %s of the usual ratio.", filing[1], percent(r.Factor.BP))
	}
}

// words are those of the steps that are written as their own rule.
func (o *Outcome) words(m *mark) (zh, en string) {
	t := &o.totals
	switch m.rule {
	case ruleOutOfCatalogue:
		return fmt.Sprintf("总费用 %s 元中，有 %s 元不在就医地医保目录内，由您自付。", t.Total, t.OutOfCatalogue),
			fmt.Sprintf("Of the total of %s, %s is outside the catalogue of the treatment place and is yours to pay.", t.Total, t.OutOfCatalogue)
	case ruleOverLimit:
		return fmt.Sprintf("超过限价的 %s 元由您自付。", t.OverLimit), fmt.Sprintf("%s lies above price limits and is yours to pay.", t.OverLimit)
	case ruleClassB:
		return fmt.Sprintf("乙类项目需先行自付 %s 元。", t.ClassB), fmt.Sprintf("For class-B items %s is paid by you first.", t.ClassB)
	case ruleInScope:
		return fmt.Sprintf("进入医保支付范围的费用为 %s 元。", t.InScope), fmt.Sprintf("%s is within the scope of the insurance.", t.InScope)
	case ruleDeductible:
		return o.deductibleWords(m)
	case ruleBasic:
		return basicWords(m)
	case ruleBasicCap:
		return o.basicCapWords(m)
	case ruleCash:
		return fmt.Sprintf("您需支付 %s 元。", m.result), fmt.Sprintf("You pay %s.", m.result)
	}
	return layerWords(m)
}

func (o *Outcome) deductibleWords(m *mark) (zh, en string) {
	switch {
	case o.disease != nil:
		return fmt.Sprintf("门诊特殊慢性病年度起付线 %s 元，本年已累计 %s 元，本次由您承担 %s 元。", m.a, m.b, o.deductible),
			fmt.Sprintf("Of the yearly deductible of %s for this outpatient treatment, %s was used before; %s is yours this time.", m.a, m.b, o.deductible)
	case o.terms.Basic.DeductibleOver == policy.Stay && o.terms.Basic.Continuous:
		return fmt.Sprintf("本次起付线 %s 元，同一转诊已承担 %s 元（连续计算），本次由您承担 %s 元。", m.a, m.b, o.deductible),
			fmt.Sprintf("Of this stay's deductible of %s, %s was charged within the same referral; %s is yours this time.", m.a, m.b, o.deductible)
	case o.terms.Basic.DeductibleOver == policy.Stay:
		return fmt.Sprintf("本次起付线 %s 元，由您承担 %s 元。", m.a, o.deductible),
			fmt.Sprintf("Of this stay's deductible of %s, %s is yours.", m.a, o.deductible)
	}
	return fmt.Sprintf("年度起付线 %s 元，本年已累计 %s 元，本次由您承担 %s 元。", m.a, m.b, o.deductible),
		fmt.Sprintf("Of the yearly deductible of %s, %s was used before; %s is yours this time.", m.a, m.b, o.deductible)
}

func basicWords(m *mark) (zh, en string) {
	zhRatio, enRatio := m.ratios()
	zh = fmt.Sprintf("基本医保统筹基金按 %s 支付，应付 %s 元。", zhRatio, m.result)
	en = fmt.Sprintf("The basic fund pays %s of it: %s.", enRatio, m.result)
	if len(m.bands) > 1 && m.a > 0 {
		zh += fmt.Sprintf("分段按年度累计计算，本年此前 %s 元。", m.a)
		en += fmt.Sprintf(" The bands run over the year; %s came before.", m.a)
	}
	return zh, en
}

func (o *Outcome) basicCapWords(m *mark) (zh, en string) {
	zh = fmt.Sprintf("基本医保年度封顶线 %s 元，本年已支付 %s 元，本次支付 %s 元。", o.terms.Basic.Cap.Fen, o.year.Basic, m.result)
	en = fmt.Sprintf("The basic fund pays at most %s a year and has paid %s before: %s this time.", o.terms.Basic.Cap.Fen, o.year.Basic, m.result)
	if d := o.disease; d != nil && !d.Cap.None {
		if own, _ := d.Cap.Left(o.year.Outpatient); own == m.result {
			zh = fmt.Sprintf("门诊特殊慢性病年度封顶线 %s 元，本年已支付 %s 元，本次支付 %s 元。", d.Cap.Fen, o.year.Outpatient, m.result)
			en = fmt.Sprintf("For this outpatient treatment at most %s a year is paid and %s was before: %s this time.", d.Cap.Fen, o.year.Outpatient, m.result)
		}
	}
	return zh, en
}

func layerWords(m *mark) (zh, en string) {
	group := groupWords[m.group]
	switch m.rule {
	case ruleSecondLayer:
		zhRatio, enRatio := m.ratios()
		return fmt.Sprintf("纳入大病保险（大额）的费用 %s 元（本年此前 %s 元），起付线 %s 元，按 %s 支付，应付 %s 元。", m.input, m.a, m.b, zhRatio, m.result),
			fmt.Sprintf("%s counts toward the second layer (%s before, this year); above its threshold of %s it pays %s: %s.", m.input, m.a, m.b, enRatio, m.result)
	case ruleSecondLayerCap:
		return fmt.Sprintf("大病保险（大额）年度封顶线 %s 元，本次支付 %s 元。", m.a, m.result),
			fmt.Sprintf("The second layer pays at most %s a year: %s this time.", m.a, m.result)
	case ruleNoSecondLayer:
		return "按此情形，余下费用不纳入大病保险（大额）。", "On this ground, what is left is outside the second layer."
	case ruleCivilServant:
		return fmt.Sprintf("公务员医疗补助按 %s 支付剩余合规费用 %s 元，补助 %s 元。", percent(m.ratio), m.input, m.result),
			fmt.Sprintf("The civil servants' supplement pays %s of the compliant rest of %s: %s.", percent(m.ratio), m.input, m.result)
	case ruleAssistance:
		return fmt.Sprintf("医疗救助（%s）对剩余合规费用 %s 元按 %s 救助（年度起付线 %s 元），救助 %s 元。", group[0], m.input, percent(m.ratio), m.a, m.result),
			fmt.Sprintf("Medical assistance for %s pays %s of the compliant rest of %s above %s a year: %s.", group[1], percent(m.ratio), m.input, m.a, m.result)
	case ruleNoAssistance:
		return "按此备案情形，不予医疗救助。", "On this ground, there is no medical assistance."
	case ruleTilt:
		return fmt.Sprintf("倾斜救助对救助后剩余合规费用 %s 元、超过 %s 元的部分按 %s 再予救助 %s 元。", m.input, m.a, percent(m.ratio), m.result),
			fmt.Sprintf("Tilt aid pays %s of the compliant rest of %s above %s: %s.", percent(m.ratio), m.input, m.a, m.result)
	case ruleNoTilt:
		return "倾斜救助限省内规范就医，本次不适用。", "Tilt aid is for treatment inside the province and does not apply."
	case ruleAccount:
		return fmt.Sprintf("个人账户可用 %s 元，支付 %s 元。", m.a, m.result),
			fmt.Sprintf("Your personal account, with %s left, pays %s.", m.a, m.result)
	}
	return "", ""
}

func (m *mark) planWords() (zh, en string) {
	zhRatio, enRatio := m.ratios()
	return fmt.Sprintf("%s对剩余费用 %s 元、超过 %s 元的部分按 %s 支付 %s 元。", m.plan.NameZh, m.input, m.a, zhRatio, m.result),
		fmt.Sprintf("%s pays %s of the rest of %s above %s a year: %s.", m.plan.NameEn, enRatio, m.input, m.a, m.result)
}
