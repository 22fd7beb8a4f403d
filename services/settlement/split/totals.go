package split

import (
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
	return price.Portion(quantityMilli, 1000, money.HalfUp)
}

// Add sums the lines of a bill by the catalogue: what is in force and at which level is the caller's to decide. A refund
// is taken off the line it points at before that line is divided, so that no part can become negative.
func Add(lines []Line, catalogue *policy.Catalogue, level int) (Totals, error) {
	quantity, amount := map[int32]int64{}, map[int32]money.Fen{}
	for _, l := range lines {
		of, sign := l.Number, int64(1)
		if l.RefundOf != 0 {
			of, sign = l.RefundOf, -1
		}
		quantity[of] += sign * l.QuantityMilli
		amount[of] += l.Amount
		if max(amount[of], -amount[of]) > maxFen {
			return Totals{}, overflow()
		}
	}
	t := Totals{CatalogueVersion: catalogue.Version, HospitalLevel: level}
	for _, l := range lines {
		if l.RefundOf != 0 {
			continue
		}
		if amount[l.Number] < 0 || quantity[l.Number] < 0 {
			return Totals{}, refundTooLarge()
		}
		if err := t.add(l, quantity[l.Number], amount[l.Number], catalogue); err != nil {
			return Totals{}, err
		}
	}
	return t, t.Check()
}

func (t *Totals) add(l Line, quantity int64, amount money.Fen, catalogue *policy.Catalogue) error {
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
	if item.PriceLimit != nil && l.Price > item.PriceLimit.Fen {
		limit, err := Charge(item.PriceLimit.Fen, quantity)
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

func refundTooLarge() error {
	return fault.New(fault.InvalidArgument, fault.RefundInvalid, "lines",
		"More is refunded than was charged.", "退费超过原收费。")
}
