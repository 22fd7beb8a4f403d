package split

import (
	"cmp"
	"fmt"
	"slices"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
)

// Line is one charge of a bill, or with RefundOf the refund of one (费用明细).
type Line struct {
	Number        int32     `json:"number"`
	Item          string    `json:"item"`
	Price         money.Fen `json:"price"`
	QuantityMilli int64     `json:"quantity_milli"`
	// Amount is price times quantity, half up to the fen; negative on a refund.
	Amount   money.Fen `json:"amount"`
	RefundOf int32     `json:"refund_of"`
}

// Charge returns price times a quantity in thousandths, half up to the fen.
func Charge(price money.Fen, quantityMilli int64) (money.Fen, error) {
	if price >= 0 && quantityMilli >= 0 && price < small && quantityMilli < small {
		return (price*money.Fen(quantityMilli) + 500) / 1000, nil
	}
	return price.Portion(quantityMilli, 1000, money.HalfUp)
}

// small are factors whose product leaves room: nearly every line, without the long division.
const small = 1 << 31

// Adder sums bills; it keeps its memory from one to the next. The zero Adder is ready.
type Adder struct {
	refunds []refund // by the charge they point at
	next    int      // where the last charge's refunds ended
}

// refund is a refund line as its charge looks for it.
type refund struct {
	of, line int32
	quantity int64
	amount   money.Fen
	taken    bool
}

// Add sums the lines of a bill by the catalogue.
func Add(lines []Line, catalogue *policy.Catalogue, level int) (Totals, error) {
	var a Adder
	return a.Add(lines, catalogue, level)
}

// Add sums the lines of a bill by the catalogue: which is in force, and at which level, is the caller's to decide. A
// refund is taken off the charge it points at before that is divided, so that no part can become negative. Faults, with
// the line in their field: FIELD_INVALID for a price, quantity or amount that cannot be or a hospital level outside 1..3,
// REFUND_INVALID for a refund without its charge or beyond it, AMOUNT_OVERFLOW.
func (a *Adder) Add(lines []Line, catalogue *policy.Catalogue, level int) (Totals, error) {
	if level < 1 || level > 3 {
		return Totals{}, fault.New(fault.InvalidArgument, fault.FieldInvalid, "level", "A hospital level is 1, 2 or 3.", "医院等级须为 1、2 或 3。")
	}
	a.refunds, a.next = a.refunds[:0], 0
	for i := range lines {
		l := &lines[i]
		if err := l.check(i); err != nil {
			return Totals{}, err
		}
		if l.RefundOf != 0 {
			a.refunds = append(a.refunds, refund{of: l.RefundOf, line: int32(i), quantity: l.QuantityMilli, amount: l.Amount})
		}
	}
	slices.SortFunc(a.refunds, func(x, y refund) int { return cmp.Compare(x.of, y.of) })
	t := Totals{CatalogueVersion: catalogue.Version, CatalogueDigest: catalogue.Digest, HospitalLevel: level}
	for i := range lines {
		l := &lines[i]
		if l.RefundOf != 0 {
			continue
		}
		quantity, amount := l.QuantityMilli, l.Amount
		if len(a.refunds) > 0 {
			refunded, back := a.take(l.Number)
			if quantity, amount = quantity-refunded, amount+back; quantity < 0 || amount < 0 {
				return Totals{}, refundInvalid(i, "More is refunded than was charged.", "退费超过原收费。")
			}
		}
		if err := t.add(l, quantity, amount, catalogue); err != nil {
			return Totals{}, err
		}
	}
	for _, r := range a.refunds {
		if !r.taken {
			return Totals{}, refundInvalid(int(r.line), "The refund points at no charge of this bill.", "退费未指向本费用单的收费明细。")
		}
	}
	return t, t.Check()
}

// take sums the refunds of a charge, once.
func (a *Adder) take(number int32) (quantity int64, amount money.Fen) {
	i := a.next
	// Charges mostly come by their numbers, and the place is where the last one ended.
	if i > 0 && a.refunds[i-1].of >= number || i < len(a.refunds) && a.refunds[i].of < number {
		i, _ = slices.BinarySearchFunc(a.refunds, number, func(r refund, n int32) int { return cmp.Compare(r.of, n) })
	}
	for ; i < len(a.refunds) && a.refunds[i].of == number && !a.refunds[i].taken; i++ {
		a.refunds[i].taken = true
		quantity, amount = quantity+a.refunds[i].quantity, amount+a.refunds[i].amount
	}
	a.next = i
	return quantity, amount
}

// maxQuantity bounds a quantity in thousandths, so that no sum of them can overflow.
const maxQuantity int64 = 100_000_000_000

func (l *Line) check(i int) error {
	invalid := func(field, en, zh string) error {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, fmt.Sprintf("lines[%d].%s", i, field), en, zh)
	}
	if l.Price < 0 || l.Price > maxFen {
		return invalid("price", "A price is not negative, nor beyond the range of an amount.", "单价不能为负，也不能超出允许范围。")
	}
	if l.QuantityMilli < 0 || l.QuantityMilli > maxQuantity {
		return invalid("quantity_milli", "A quantity is not negative, nor beyond its range.", "数量不能为负，也不能超出允许范围。")
	}
	charge, err := Charge(l.Price, l.QuantityMilli)
	if err != nil || charge > maxFen {
		return overflow()
	}
	if l.RefundOf != 0 {
		charge = -charge
	}
	if l.Amount != charge {
		return invalid("amount", "The amount is not price times quantity, half up to the fen, negative on a refund.",
			"金额不等于单价乘数量（四舍五入到分，退费为负）。")
	}
	return nil
}

func (t *Totals) add(l *Line, quantity int64, amount money.Fen, catalogue *policy.Catalogue) error {
	t.Total += amount
	if t.Total > maxFen {
		return overflow()
	}
	item, known := catalogue.Item(l.Item)
	if !known || item.Class == policy.ClassC {
		t.OutOfCatalogue += amount
		return nil
	}
	within := amount
	if price, limited := item.PriceLimit.At(t.HospitalLevel); limited && l.Price > price {
		limit, err := Charge(price, quantity)
		if err != nil {
			return err
		}
		within = min(amount, limit)
	}
	first := money.Fen(0)
	if item.Class == policy.ClassB {
		first = share(within, item.FirstPay.BP, money.HalfUp)
	}
	t.OverLimit += amount - within
	t.ClassB += first
	t.InScope += within - first
	return nil
}

func overflow() error {
	return fault.New(fault.OutOfRange, fault.AmountOverflow, "lines",
		"A sum would leave the range of an amount.", "金额计算超出允许范围。")
}

func refundInvalid(i int, en, zh string) error {
	return fault.New(fault.InvalidArgument, fault.RefundInvalid, fmt.Sprintf("lines[%d].refund_of", i), en, zh)
}
