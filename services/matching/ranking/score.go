package ranking

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"huhang.example/services/matching/directory"
)

// falling maps full and below to 10000, zero and above to 0.
func falling(at, full, zero int64) int32 {
	switch {
	case at <= full:
		return whole
	case at >= zero:
		return 0
	}
	return int32((zero - at) * whole / (zero - full))
}

func score(in Input, c *Candidate, w *Weights, gaps *gaps) Ranked {
	program := c.Center.Program(in.Organ)
	r := Ranked{CenterID: c.Center.ID, NameZh: c.Center.NameZh, NameEn: c.Center.NameEn, DoorToDoor: c.DoorToDoor, SelfPay: c.SelfPay}
	add := func(key string, value int32, zh, en string) {
		r.Terms = append(r.Terms, Term{Key: key, Weight: w.Terms[key], Value: value, Because: Remark{zh, en}})
	}
	warn := func(zh, en string) { r.Warnings = append(r.Warnings, Remark{zh, en}) }
	capacity(in, c, program, w, gaps, add, warn)

	if days := program.MedianWaitDays; days > 0 {
		add(TermWait, falling(int64(days), 0, int64(w.Scales.WaitZeroDays)), fmt.Sprintf("等待时间中位数%d天。", days), fmt.Sprintf("Median wait %d days.", days))
	} else {
		gaps.note(gapWait, r.CenterID)
		add(TermWait, 0, "等待时间未知，计0分。", "Median wait not known: counts 0.")
	}

	if tier := program.SurvivalTier; tier > 0 {
		add(TermSurvival, (5-tier)*whole/4, fmt.Sprintf("一年生存率（风险调整）第%d档，去年%d例。", tier, program.Volume),
			fmt.Sprintf("One-year survival, risk-adjusted: tier %d of 5, %d transplants last year.", tier, program.Volume))
		if program.Volume < w.Scales.SmallVolume {
			warn(fmt.Sprintf("去年仅%d例，生存率分档参考价值有限。", program.Volume),
				fmt.Sprintf("Only %d transplants last year: the survival tier says little.", program.Volume))
		}
	} else {
		gaps.note(gapSurvival, r.CenterID)
		add(TermSurvival, 0, "生存率分档未知，计0分。", "Survival tier not known: counts 0.")
	}

	switch {
	case c.DoorToDoor != nil:
		minutes := *c.DoorToDoor
		add(TermDoor, falling(int64(minutes), int64(w.Scales.DoorFullMinutes), int64(w.Scales.DoorZeroMinutes)),
			fmt.Sprintf("门到门约%d小时%d分。", minutes/60, minutes%60), fmt.Sprintf("Door to door about %d h %d min.", minutes/60, minutes%60))
	case c.NoWay:
		add(TermDoor, 0, "未找到患者可乘的路线。", "No way the patient may take was found.")
		warn("未找到患者可乘的路线，需安排医疗转运。", "No way the patient may take was found: a medical transfer has to be arranged.")
	default:
		gaps.note(gapDoor, r.CenterID)
		add(TermDoor, 0, "路程时间未知，计0分。", "Travel time not known: counts 0.")
	}

	if c.DirectSettlement {
		add(TermDirect, whole, "可跨省直接结算。", "The bill is settled directly across provinces.")
	} else {
		add(TermDirect, 0, "暂不能跨省直接结算，需回参保地手工报销。", "No direct settlement: a manual claim at the insured place.")
	}

	if c.SelfPay != nil {
		add(TermSelfPay, falling(int64(*c.SelfPay), 0, w.Scales.SelfPayZeroFen), fmt.Sprintf("预计自付%s元。", c.SelfPay),
			fmt.Sprintf("Estimated to be paid by the patient: CNY %s.", c.SelfPay))
	} else {
		gaps.note(gapSelfPay, r.CenterID)
		add(TermSelfPay, 0, "预计自付费用未知，计0分。", "Self-pay not known: counts 0.")
	}

	if i := slices.Index(in.Preferred, r.CenterID); i >= 0 {
		add(TermPreference, int32(max(whole-int64(i)*int64(w.Scales.PreferenceStep), 0)), fmt.Sprintf("患者第%d意向。", i+1), fmt.Sprintf("The patient's choice no. %d.", i+1))
	} else {
		add(TermPreference, 0, "患者未表示意向。", "The patient named no preference for it.")
	}

	if in.Patient.AcceptsABOIncompat && !program.Criteria.ABOIncompatible {
		warn("患者愿意接受血型不合移植，该项目不开展。", "The patient would accept an ABO-incompatible transplant; the program does none.")
	}
	if t := in.Patient.Tumour; t != nil && t.ExtrahepaticSpread != nil && *t.ExtrahepaticSpread {
		warn("有肝外转移，所采用的肝癌标准未涉及，由中心判断。", "There is spread outside the liver, which the program's HCC criteria do not judge: the center decides.")
	}
	r.total()
	return r
}

func capacity(in Input, c *Candidate, program *directory.Program, w *Weights, gaps *gaps, add func(key string, value int32, zh, en string), warn func(zh, en string)) {
	declared := program.Capacity
	if declared == nil {
		gaps.note(gapCapacity, c.Center.ID)
		add(TermCapacity, 0, "中心未申报接收能力，计0分。", "No capacity was declared: counts 0.")
		return
	}
	places := declared.FreePlaces
	zh, en := fmt.Sprintf("申报空余名额%d个", declared.FreePlaces), fmt.Sprintf("%d free places declared", declared.FreePlaces)
	if c.FreeBeds != nil {
		places = min(places, *c.FreeBeds)
		zh, en = zh+fmt.Sprintf("，资源池空床%d张。", *c.FreeBeds), en+fmt.Sprintf(", %d free beds in the pool.", *c.FreeBeds)
	} else {
		gaps.note(gapBeds, c.Center.ID)
		zh, en = zh+"，资源池空床数未知。", en+", the pool's free beds not known."
	}
	add(TermCapacity, int32(int64(min(max(places, 0), w.Scales.PlacesFull))*whole/int64(w.Scales.PlacesFull)), zh, en)
	if age := in.At.Sub(declared.AsOf); age > time.Duration(w.Scales.StaleHours)*time.Hour {
		warn(fmt.Sprintf("接收能力为%d小时前申报，可能已变化。", int64(age.Hours())), fmt.Sprintf("Capacity was declared %d hours ago and may have changed.", int64(age.Hours())))
	}
}

// total sums the terms. Points are rounded so that they sum to the score: the largest remainders get what is left.
func (r *Ranked) total() {
	type rest struct {
		index     int
		remainder int64
	}
	rests := make([]rest, 0, len(r.Terms))
	given := int32(0)
	for i := range r.Terms {
		t := &r.Terms[i]
		product := int64(t.Weight) * int64(t.Value)
		r.exact += product
		t.Points = int32(product / whole)
		given += t.Points
		rests = append(rests, rest{i, product % whole})
	}
	r.Score = int32(r.exact / whole)
	slices.SortStableFunc(rests, func(a, b rest) int { return cmp.Compare(b.remainder, a.remainder) })
	for i := 0; given < r.Score; i++ {
		r.Terms[rests[i].index].Points++
		given++
	}
}
