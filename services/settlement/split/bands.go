package split

import (
	"sort"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
)

// curve is what a layer owes for an amount: the sum over its bands, rounded once at the end, so that it never falls and
// never grows faster than the amount.
type curve struct {
	bands    []policy.Band
	adjust   func(money.BasisPoints) money.BasisPoints
	rounding money.Rounding
}

func (c curve) at(amount money.Fen) money.Fen { return c.between(0, amount) }

// between is what is owed for the part of the bands that lies within [low, high).
func (c curve) between(low, high money.Fen) money.Fen {
	var whole, rest money.Fen // owed = whole + rest/10000
	for _, b := range c.bands {
		from, to := max(low, b.From.Fen), high
		if b.To != nil {
			to = min(to, b.To.Fen)
		}
		if to <= from {
			continue
		}
		part, bp := to-from, money.Fen(c.ratio(b))
		whole += part / money.Fen(money.Whole) * bp
		rest += part % money.Fen(money.Whole) * bp
	}
	return whole + fraction(rest, c.rounding)
}

func (c curve) ratio(b policy.Band) money.BasisPoints {
	if c.adjust == nil {
		return b.Ratio.BP
	}
	return c.adjust(b.Ratio.BP)
}

// reaches returns the least amount for which at least owed is owed; the caller knows that most suffices.
func (c curve) reaches(owed, most money.Fen) money.Fen {
	return money.Fen(sort.Search(int(most), func(x int) bool { return c.at(money.Fen(x)) >= owed }))
}

// tier is what a second layer owes for the year's counted amount.
func tier(t policy.Tier, from string, rounding money.Rounding, amount money.Fen) money.Fen {
	c := curve{bands: t.Bands, rounding: rounding}
	if from == policy.FromThreshold {
		return c.at(max(amount-t.Threshold.Fen, 0))
	}
	return c.between(t.Threshold.Fen, amount)
}

// share is amount x ratio; amounts here are bounded, so that it cannot overflow.
func share(amount money.Fen, ratio money.BasisPoints, rounding money.Rounding) money.Fen {
	whole := amount / money.Fen(money.Whole) * money.Fen(ratio)
	return whole + fraction(amount%money.Fen(money.Whole)*money.Fen(ratio), rounding)
}

// fraction is rest/10000 rounded; policies are validated to name their rounding.
func fraction(rest money.Fen, rounding money.Rounding) money.Fen {
	rounded, err := rest.Portion(1, int64(money.Whole), rounding)
	if err != nil {
		panic("split: " + err.Error())
	}
	return rounded
}
