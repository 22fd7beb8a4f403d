package split

import (
	"fmt"
	"strings"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
)

func (s *splitting) step(rule string, input, result money.Fen, zh, en string) {
	s.steps = append(s.steps, Step{Rule: rule, Input: input, Result: result, Zh: zh, En: en})
}

// percent writes basis points as a percentage: 8500 is "85%", 7225 "72.25%".
func percent(bp money.BasisPoints) string {
	text := strings.TrimRight(fmt.Sprintf("%d.%02d", bp/100, bp%100), "0")
	return strings.TrimSuffix(text, ".") + "%"
}

func (s *splitting) scope() {
	t := s.totals
	rest := t.Total - t.OutOfCatalogue
	if t.OutOfCatalogue > 0 {
		s.step("out_of_catalogue", t.Total, rest,
			fmt.Sprintf("总费用 %s 元中，有 %s 元不在就医地医保目录内，由您自付。", t.Total, t.OutOfCatalogue),
			fmt.Sprintf("Of the total of %s, %s is outside the catalogue of the treatment place and is yours to pay.", t.Total, t.OutOfCatalogue))
	}
	if t.OverLimit > 0 {
		s.step("over_limit", rest, rest-t.OverLimit,
			fmt.Sprintf("超过限价的 %s 元由您自付。", t.OverLimit),
			fmt.Sprintf("%s lies above price limits and is yours to pay.", t.OverLimit))
		rest -= t.OverLimit
	}
	if t.ClassB > 0 {
		s.step("class_b_first_pay", rest, rest-t.ClassB,
			fmt.Sprintf("乙类项目需先行自付 %s 元。", t.ClassB),
			fmt.Sprintf("For class-B items %s is paid by you first.", t.ClassB))
	}
	s.step("in_scope", t.Total, t.InScope,
		fmt.Sprintf("进入医保支付范围的费用为 %s 元。", t.InScope),
		fmt.Sprintf("%s is within the scope of the insurance.", t.InScope))
}

var filingWords = map[policy.Filing][2]string{
	policy.LongTerm: {"长期异地备案", "a long-term filing"}, policy.Referral: {"转诊备案", "a referral filing"},
	policy.Emergency: {"急诊（视同备案）", "an emergency, deemed filed"}, policy.Other: {"临时外出备案", "a filing for another stay"},
	policy.Unfiled: {"未备案", "no filing"},
}

func (s *splitting) explainRemote(filing policy.Filing) {
	words := filingWords[filing]
	switch r := s.remote; {
	case s.local:
		s.step("local", s.totals.InScope, s.eligible, "就医地视同参保地，不降低待遇。", "The treatment place is treated as your own: nothing is taken off.")
	case r.FirstPay != nil:
		s.step("remote_first_pay", s.totals.InScope, s.eligible,
			fmt.Sprintf("跨省就医（%s）先行自付 %s，即 %s 元。", words[0], percent(r.FirstPay.BP), s.firstPay),
			fmt.Sprintf("Treatment in another province (%s): you pay %s first, %s.", words[1], percent(r.FirstPay.BP), s.firstPay))
	case r.Own != nil:
		s.step("remote_own_terms", s.totals.InScope, s.eligible,
			fmt.Sprintf("跨省就医（%s）适用单独的起付线 %s 元和支付比例 %s。", words[0], r.Own.Deductible.Fen, percent(r.Own.Ratio.BP)),
			fmt.Sprintf("Treatment in another province (%s) has its own deductible of %s and ratio of %s.", words[1], r.Own.Deductible.Fen, percent(r.Own.Ratio.BP)))
	case r.PointsOff != nil:
		s.step("remote_points_off", s.totals.InScope, s.eligible,
			fmt.Sprintf("跨省就医（%s）支付比例降低 %s。", words[0], percent(r.PointsOff.BP)),
			fmt.Sprintf("Treatment in another province (%s) takes %s off the ratio.", words[1], percent(r.PointsOff.BP)))
	case r.Factor != nil:
		s.step("remote_factor", s.totals.InScope, s.eligible,
			fmt.Sprintf("跨省就医（%s）支付比例按 %s 计算。", words[0], percent(r.Factor.BP)),
			fmt.Sprintf("Treatment in another province (%s) is paid at %s of the usual ratio.", words[1], percent(r.Factor.BP)))
	}
}

func (s *splitting) explainDeductible(yearly money.Fen) {
	zh := fmt.Sprintf("年度起付线 %s 元，本年已累计 %s 元，本次由您承担 %s 元。", yearly, s.before.Deductible, s.deductible)
	en := fmt.Sprintf("Of the yearly deductible of %s, %s was used before; %s is yours this time.", yearly, s.before.Deductible, s.deductible)
	s.step("deductible", s.eligible, s.eligible-s.deductible, zh, en)
}

// ratios writes the bands: "60%", or "分段比例（至 50000.00 元 60%，50000.00 元以上 65%）".
func (c curve) ratios() (zh, en string) {
	if len(c.bands) == 1 {
		only := percent(c.ratio(c.bands[0]))
		return only, only
	}
	var zhs, ens []string
	for _, b := range c.bands {
		if b.To == nil {
			zhs = append(zhs, fmt.Sprintf("%s 元以上 %s", b.From.Fen, percent(c.ratio(b))))
			ens = append(ens, fmt.Sprintf("%s above %s", percent(c.ratio(b)), b.From.Fen))
			continue
		}
		zhs = append(zhs, fmt.Sprintf("至 %s 元 %s", b.To.Fen, percent(c.ratio(b))))
		ens = append(ens, fmt.Sprintf("%s up to %s", percent(c.ratio(b)), b.To.Fen))
	}
	return "分段比例（" + strings.Join(zhs, "，") + "）", strings.Join(ens, ", ")
}

func (s *splitting) explainBasic(c curve, base, owed, pays money.Fen) {
	zh, en := c.ratios()
	s.step("basic", base, owed,
		fmt.Sprintf("基本医保统筹基金按 %s 支付，应付 %s 元。", zh, owed),
		fmt.Sprintf("The basic fund pays %s of it: %s.", en, owed))
	if pays < owed {
		s.step("basic_cap", owed, pays,
			fmt.Sprintf("基本医保年度封顶线 %s 元，本年已支付 %s 元，本次支付 %s 元。", s.terms.Basic.Cap.Fen, s.before.Basic, pays),
			fmt.Sprintf("The basic fund pays at most %s a year and has paid %s before: %s this time.", s.terms.Basic.Cap.Fen, s.before.Basic, pays))
	}
}

func (s *splitting) explainNoSecondLayer() {
	s.step("second_layer_excluded", 0, 0, "按此备案情形，余下费用不纳入大病保险（大额）。", "On this ground, what is left is outside the second layer.")
}

func (s *splitting) explainSecond(t policy.Tier, amount, owed, pays money.Fen) {
	zh, en := curve{bands: t.Bands}.ratios()
	s.step("second_layer", amount, owed,
		fmt.Sprintf("纳入大病保险（大额）的费用 %s 元（本年此前 %s 元），起付线 %s 元，按 %s 支付，应付 %s 元。", amount, s.before.SecondBase, t.Threshold.Fen, zh, owed),
		fmt.Sprintf("%s counts toward the second layer (%s before, this year); above its threshold of %s it pays %s: %s.", amount, s.before.SecondBase, t.Threshold.Fen, en, owed))
	if pays < owed {
		s.step("second_layer_cap", owed, pays,
			fmt.Sprintf("大病保险（大额）年度封顶线 %s 元，本次支付 %s 元。", t.Cap.Fen, pays),
			fmt.Sprintf("The second layer pays at most %s a year: %s this time.", t.Cap.Fen, pays))
	}
}

func (s *splitting) explainSupplement(ratio money.BasisPoints, amount, pays money.Fen) {
	s.step("civil_servant", amount, pays,
		fmt.Sprintf("公务员医疗补助按 %s 支付剩余合规费用，补助 %s 元。", percent(ratio), pays),
		fmt.Sprintf("The civil servants' supplement pays %s of the compliant rest: %s.", percent(ratio), pays))
}

var groupWords = map[policy.Group][2]string{
	policy.Destitute: {"特困人员", "the destitute"}, policy.Subsistence: {"低保对象", "those on the minimum living allowance"},
	policy.Marginal: {"低保边缘", "those just above the allowance"}, policy.IllnessPoverty: {"因病致贫", "those impoverished by illness"},
}

func (s *splitting) explainAssistance(t policy.AssistanceTerms, amount, pays money.Fen) {
	words := groupWords[t.Group]
	s.step("assistance", amount, pays,
		fmt.Sprintf("医疗救助（%s）对剩余合规费用 %s 元按 %s 救助（年度起付线 %s 元），救助 %s 元。", words[0], amount, percent(t.Ratio.BP), t.Deductible.Fen, pays),
		fmt.Sprintf("Medical assistance for %s pays %s of the compliant rest of %s above %s a year: %s.", words[1], percent(t.Ratio.BP), amount, t.Deductible.Fen, pays))
}

func (s *splitting) explainCash(cash money.Fen) {
	s.step("cash", s.totals.Total, cash, fmt.Sprintf("您需支付 %s 元。", cash), fmt.Sprintf("You pay %s.", cash))
}
