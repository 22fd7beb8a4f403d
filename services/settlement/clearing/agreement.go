package clearing

import (
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
)

// Agreement is a treatment province's promise to bear a part of what an insured province owes it (风险共担协议).
type Agreement struct {
	Treatment string `json:"treatment"`
	Insured   string `json:"insured"`
	// Share is the treatment province's part.
	Share money.BasisPoints `json:"share"`
	// From is the first month it holds for, To the last; empty while open.
	From Month `json:"from"`
	To   Month `json:"to,omitempty"`
	// Title names the paper that was signed.
	Title string `json:"title"`
}

// Check refuses an agreement that says nothing.
func (a Agreement) Check() error {
	bad := func(field, en, zh string) error {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, field, en, zh)
	}
	switch {
	case a.Treatment == a.Insured:
		return bad("insured_province", "An agreement is between two provinces.", "协议须由两个省份签订。")
	case a.Share <= 0 || a.Share > money.Whole:
		return bad("share_basis_points", "The share is not within 1 to 10000.", "分担比例须在 1 至 10000 之间。")
	case a.To != "" && a.To < a.From:
		return bad("to_month", "The agreement ends before it begins.", "协议结束早于开始。")
	}
	return nil
}

// Holds reports whether the agreement is about a table of these provinces and month.
func (a Agreement) Holds(treatment, insured string, m Month) bool {
	return a.Treatment == treatment && a.Insured == insured && m >= a.From && (a.To == "" || m <= a.To)
}

// Overlaps reports whether two agreements would hold for the same table.
func (a Agreement) Overlaps(b Agreement) bool {
	return a.Treatment == b.Treatment && a.Insured == b.Insured && (a.To == "" || b.From <= a.To) && (b.To == "" || a.From <= b.To)
}

// Shared is the treatment province's part of an amount under whichever agreement holds; half a fen goes away from zero,
// so that a reversal takes back exactly what its settlement gave.
func Shared(all []Agreement, treatment, insured string, m Month, amount money.Fen) (money.Fen, error) {
	for _, a := range all {
		if a.Holds(treatment, insured, m) {
			return amount.Share(a.Share, money.HalfUp)
		}
	}
	return 0, nil
}
