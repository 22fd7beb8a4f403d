package figures

import (
	"math/bits"

	"huhang.example/services/internal/money"
)

// BillRow is the bills under a key with those who paid them.
type BillRow struct {
	Row
	Payers []Paid
	// SelfPay is what patients paid of all totals, in basis points.
	SelfPay int64
}

// Paid is what one payer paid, and how much of the total that is in basis points.
type Paid struct {
	Payer  string
	Amount money.Fen
	Share  int64
}

// Bills puts the shares to the bills they are of.
func (a Answer) Bills() []BillRow {
	at := map[Key]int{}
	var out []BillRow
	for _, r := range a.Of(Bill) {
		at[r.Key] = len(out)
		out = append(out, BillRow{Row: r})
	}
	for _, s := range a.Of(Share) {
		i, there := at[s.Key]
		if !there || out[i].Withheld || s.Withheld {
			continue
		}
		b := &out[i]
		share := portion(s.Total, b.Total)
		b.Payers = append(b.Payers, Paid{s.Name, s.Total, share})
		if s.Name == Cash {
			b.SelfPay = share
		}
	}
	return out
}

// portion is part of whole in basis points, to the nearest. Sums of years of bills times ten thousand need 128 bits.
func portion(part, whole money.Fen) int64 {
	if part <= 0 || whole <= 0 || part > whole {
		if part > 0 && part >= whole {
			return Whole
		}
		return 0
	}
	high, low := bits.Mul64(uint64(part), Whole)
	low, carry := bits.Add64(low, uint64(whole)/2, 0)
	quotient, _ := bits.Div64(high+carry, low, uint64(whole))
	return int64(quotient)
}
