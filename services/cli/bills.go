package cli

import (
	"fmt"
	"strings"

	moneyv1 "huhang.example/gen/huhang/money/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
)

// stages are the words for how a bill stands: what happened to its claim last.
var stages = map[string][2]string{
	"OPENED": {"在院", "open"}, "DISCHARGED": {"已出院结转", "complete"}, "SETTLED": {"已结算", "settled"}, "REVERSED": {"已冲正", "reversed"},
	"MANUAL": {"转手工报销", "manual claim"}, "MANUAL_ACCEPTED": {"手工报销已受理", "manual claim, accepted"}, "UNANSWERED": {"参保地超时未答复", "waits for the insured province"},
	"REOPENED": {"出院已撤销", "discharge taken back"},
}

// billRows writes a bill for each stay.
func (a *app) billRows(bills []*referralv1.CaseBill) error {
	if len(bills) == 0 {
		return nil
	}
	rows := make([][]string, 0, len(bills))
	for _, b := range bills {
		stands := b.GetStage()
		if words, known := stages[stands]; known {
			stands = a.say(words[0], words[1])
		}
		if b.GetUndone() && b.GetStage() != "REVERSED" {
			stands += a.say("（曾冲正）", ", was reversed")
		}
		stay := ""
		if b.GetAdmissionDate() != "" {
			stay = strings.TrimSpace(b.GetAdmissionDate() + " – " + b.GetDischargeDate())
		}
		rows = append(rows, []string{
			stay, b.GetCenterId(), stands, at(b.GetStageTime()), yuan(b.GetTotal()), yuan(b.GetSelfPay()), b.GetClaimId(),
		})
	}
	_, _ = fmt.Fprintln(a.Out)
	return a.grid([]string{
		a.say("住院", "STAY"), a.say("中心", "CENTER"), a.say("费用单状态", "BILL"), a.say("时间", "SINCE"), a.say("总费用", "TOTAL"), a.say("个人支付", "SELF-PAY"), a.say("费用单", "CLAIM"),
	}, rows)
}

// yuan is an amount to the fen; empty where there is none.
func yuan(m *moneyv1.Money) string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf("%d.%02d CNY", m.GetFen()/100, m.GetFen()%100)
}
