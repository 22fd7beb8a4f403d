package ranking

import (
	"fmt"
	"math/bits"
	"strconv"
	"time"

	"huhang.example/services/matching/directory"
)

func waitWords(p *directory.Program) Remark {
	if p.MedianWaitDays <= 0 {
		return Remark{"等待时间未知，计0分。", "Median wait not known: counts 0."}
	}
	return Remark{fmt.Sprintf("等待时间中位数%d天。", p.MedianWaitDays), fmt.Sprintf("Median wait %d days.", p.MedianWaitDays)}
}

func survivalWords(p *directory.Program) Remark {
	if p.SurvivalTier <= 0 {
		return Remark{"生存率分档未知，计0分。", "Survival tier not known: counts 0."}
	}
	return Remark{
		fmt.Sprintf("一年生存率（风险调整）第%d档，去年%d例。", p.SurvivalTier, p.Volume),
		fmt.Sprintf("One-year survival, risk-adjusted: tier %d of 5, %d transplants last year.", p.SurvivalTier, p.Volume),
	}
}

// because tells what a term's value comes from.
func (r *Ranking) because(term int, row *row, f *Found, i int) Remark {
	switch term {
	case termCapacity:
		return capacityWords(row.program.Capacity, f.FreeBeds)
	case termWait:
		return row.waitWords
	case termSurvival:
		return row.survivalWords
	case termDoor:
		switch {
		case f.DoorToDoor != nil:
			hours, minutes := *f.DoorToDoor/60, *f.DoorToDoor%60
			return Remark{fmt.Sprintf("门到门约%d小时%d分。", hours, minutes), fmt.Sprintf("Door to door about %d h %d min.", hours, minutes)}
		case f.NoWay:
			return Remark{"未找到患者可乘的路线。", "No way the patient may take was found."}
		}
		return Remark{"路程时间未知，计0分。", "Travel time not known: counts 0."}
	case termDirect:
		if f.DirectSettlement {
			return Remark{"可跨省直接结算。", "The bill is settled directly across provinces."}
		}
		return Remark{"暂不能跨省直接结算，需回参保地手工报销。", "No direct settlement: a manual claim at the insured place."}
	case termSelfPay:
		if f.SelfPay != nil {
			return Remark{fmt.Sprintf("预计自付%s元。", f.SelfPay), fmt.Sprintf("Estimated to be paid by the patient: CNY %s.", f.SelfPay)}
		}
		return Remark{"预计自付费用未知，计0分。", "Self-pay not known: counts 0."}
	}
	if choice := r.asked.choice[i]; choice > 0 {
		return Remark{fmt.Sprintf("患者第%d意向。", choice), fmt.Sprintf("The patient's choice no. %d.", choice)}
	}
	return Remark{"患者未表示意向。", "The patient named no preference for it."}
}

func capacityWords(declared *directory.Capacity, beds *int32) Remark {
	if declared == nil {
		return Remark{"中心未申报接收能力，计0分。", "No capacity was declared: counts 0."}
	}
	zh, en := fmt.Sprintf("申报空余名额%d个", declared.FreePlaces), fmt.Sprintf("%d free places declared", declared.FreePlaces)
	if beds == nil {
		return Remark{zh + "，资源池空床数未知。", en + ", the pool's free beds not known."}
	}
	return Remark{zh + fmt.Sprintf("，资源池空床%d张。", *beds), en + fmt.Sprintf(", %d free beds in the pool.", *beds)}
}

// warnings are what a reader of a ranked center must not overlook.
func (r *Ranking) warnings(row *row, f *Found, i int) (out []Remark) {
	warn := func(zh, en string) { out = append(out, Remark{zh, en}) }
	p := row.program
	if c := p.Capacity; c != nil {
		if age := r.q.At.Sub(c.AsOf); age > time.Duration(r.board.scales.StaleHours)*time.Hour {
			warn(fmt.Sprintf("接收能力为%d小时前申报，可能已变化。", int64(age.Hours())), fmt.Sprintf("Capacity was declared %d hours ago and may have changed.", int64(age.Hours())))
		}
	}
	if p.SurvivalTier > 0 && p.Volume < r.board.scales.SmallVolume {
		warn(fmt.Sprintf("去年仅%d例，生存率分档参考价值有限。", p.Volume), fmt.Sprintf("Only %d transplants last year: the survival tier says little.", p.Volume))
	}
	if f.DoorToDoor == nil && f.NoWay {
		warn("未找到患者可乘的路线，需安排医疗转运。", "No way the patient may take was found: a medical transfer has to be arranged.")
	}
	for s := row.treats & r.asked.untreated; s != 0; s &= s - 1 {
		n := names[bits.TrailingZeros16(uint16(s))]
		warn("该项目要求先治疗"+n.Zh+"，中心可能以此为接收条件。", "The program wants "+n.En+" treated first and may make that a condition.")
	}
	for s := r.asked.positive &^ row.stated; s != 0; s &= s - 1 {
		n := names[bits.TrailingZeros16(uint16(s))]
		warn("该项目未说明对"+n.Zh+"的收治政策，请向中心确认。", "The program has not said how it takes patients with "+n.En+": ask the center.")
	}
	if r.q.Patient.AcceptsABOIncompat && !p.Criteria.ABOIncompatible {
		warn("患者愿意接受血型不合移植，该项目不开展。", "The patient would accept an ABO-incompatible transplant; the program does none.")
	}
	if t := r.q.Patient.Tumour; t != nil && t.ExtrahepaticSpread != nil && *t.ExtrahepaticSpread {
		warn("有肝外转移，所采用的肝癌标准未涉及，由中心判断。", "There is spread outside the liver, which the program's HCC criteria do not judge: the center decides.")
	}
	return out
}

func couldRise(unknown int, score int32) Remark {
	return Remark{
		fmt.Sprintf("有%d项未知、计0分，补充后得分最高可至%d。", unknown, score),
		fmt.Sprintf("Terms that are not known and count 0: %d; with them the score could be as much as %d.", unknown, score),
	}
}

// names of directory.Infections, in their order.
var names = [8]Remark{
	{"活动性感染", "an active infection"},
	{"乙肝", "hepatitis B"},
	{"丙肝", "hepatitis C"},
	{"HIV感染", "HIV"},
	{"结核", "tuberculosis"},
	{"巨细胞病毒感染", "CMV"},
	{"EB病毒感染", "EBV"},
	{"梅毒", "syphilis"},
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
