package settlement

import (
	"fmt"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// FeeLine is one charge or refund of a claim (费用明细).
type FeeLine struct {
	split.Line
	Name        string
	ServiceDate string
}

const (
	// maxLines bounds a claim: the longest stays have some ten thousand lines.
	maxLines = 20_000
	// maxTotal bounds a bill.
	maxTotal money.Fen = 1_000_000_000_000_000
)

// bill is the lines of a claim, as new ones are added to it.
type bill struct {
	byNumber map[int32]FeeLine
	// refunded sums what was taken back of each line.
	refunded map[int32]struct {
		quantity int64
		amount   money.Fen
	}
	total money.Fen
}

func newBill(lines []FeeLine) *bill {
	b := &bill{byNumber: map[int32]FeeLine{}, refunded: map[int32]struct {
		quantity int64
		amount   money.Fen
	}{}}
	for _, l := range lines {
		b.put(l)
	}
	return b
}

func (b *bill) put(l FeeLine) {
	b.byNumber[l.Number] = l
	b.total += l.Amount
	if l.RefundOf != 0 {
		r := b.refunded[l.RefundOf]
		r.quantity, r.amount = r.quantity+l.QuantityMilli, r.amount-l.Amount
		b.refunded[l.RefundOf] = r
	}
}

// add checks one more line, the i-th of its request, against the claim and the lines before it.
func (b *bill) add(i int, l FeeLine, c *Claim, latest string) error {
	field := func(name string) string { return fmt.Sprintf("lines[%d].%s", i, name) }
	if _, has := b.byNumber[l.Number]; has {
		return fault.New(fault.AlreadyExists, fault.FieldInvalid, field("line_number"),
			"The claim has a line with this number.", "该费用单已有此编号的明细。")
	}
	if len(b.byNumber) >= maxLines {
		return fault.New(fault.ResourceExhausted, fault.BodyTooLarge, "lines",
			"The claim has as many lines as it can hold.", "该费用单明细数量已达上限。")
	}
	if err := checkDay(field("service_date"), l.ServiceDate); err != nil {
		return err
	}
	if l.ServiceDate < c.AdmissionDate || l.ServiceDate > latest || c.Kind == Outpatient && l.ServiceDate != c.AdmissionDate {
		return timeInvalid(field("service_date"), "The day of service lies before the admission or in the future.", "服务日期早于入院日或在未来。")
	}
	if policy.ForOrgan(l.Item, l.Name) {
		return policy.OrganFee(field("item_name"))
	}
	if l.Price < 0 {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, field("price"), "A price is not negative.", "单价不能为负。")
	}
	charge, err := split.Charge(l.Price, l.QuantityMilli)
	if err != nil {
		return err
	}
	if l.RefundOf != 0 {
		charge = -charge
	}
	if l.Amount != charge {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, field("amount"),
			"The amount is not price times quantity, half up to the fen, negative on a refund.",
			"金额不等于单价乘数量（四舍五入到分，退费为负）。")
	}
	if l.RefundOf != 0 {
		if err := b.refund(l, field("refund_of")); err != nil {
			return err
		}
	}
	if sum := b.total + l.Amount; sum > maxTotal || l.Amount > maxTotal || l.Amount < -maxTotal {
		return fault.New(fault.OutOfRange, fault.AmountOverflow, field("amount"),
			"A sum would leave the range of an amount.", "金额计算超出允许范围。")
	}
	b.put(l)
	return nil
}

func (b *bill) refund(l FeeLine, field string) error {
	refuse := func(en, zh string) error {
		return fault.New(fault.InvalidArgument, fault.RefundInvalid, field, en, zh)
	}
	original, has := b.byNumber[l.RefundOf]
	if !has || original.RefundOf != 0 {
		return refuse("The refund points at no charge of this claim.", "退费未指向本费用单的收费明细。")
	}
	if original.Item != l.Item || original.Price != l.Price {
		return refuse("The refund is of another item or price than its charge.", "退费的项目或单价与原收费不符。")
	}
	before := b.refunded[l.RefundOf]
	if before.quantity+l.QuantityMilli > original.QuantityMilli || before.amount-l.Amount > original.Amount {
		return refuse("More is refunded than was charged.", "退费超过原收费。")
	}
	return nil
}

func lines(all []FeeLine) []split.Line {
	out := make([]split.Line, len(all))
	for i, l := range all {
		out[i] = l.Line
	}
	return out
}
