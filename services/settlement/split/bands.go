package split

import (
	"sort"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
)

// lowering is model B of paying less elsewhere; the zero value lowers nothing.
type lowering struct{ points, factor *policy.Ratio }

func (l lowering) of(bp money.BasisPoints) money.BasisPoints {
	switch {
	case l.points != nil:
		return max(bp-l.points.BP, 0)
	case l.factor != nil:
		// The lowered ratio is itself a whole number of basis points, half up.
		return (bp*l.factor.BP + money.Whole/2) / money.Whole
	}
	return bp
}

// curve is what a layer owes for an amount: the sum over its bands, rounded once at the end, so that it never falls and
// never grows faster than the amount.
type curve struct {
	bands    []policy.Band
	lower    lowering
	rounding money.Rounding
}

func (c *curve) at(amount money.Fen) money.Fen { return c.between(0, amount) }

// between is what is owed for the part of the bands that lies within [low, high).
func (c *curve) between(low, high money.Fen) money.Fen {
	var whole, rest money.Fen // owed = whole + rest/10000
	for i := range c.bands {
		b := &c.bands[i]
		from, to := max(low, b.From.Fen), high
		if b.To != nil {
			to = min(to, b.To.Fen)
		}
		if to <= from {
			continue
		}
		part, bp := to-from, money.Fen(c.lower.of(b.Ratio.BP))
		whole += part / money.Fen(money.Whole) * bp
		rest += part % money.Fen(money.Whole) * bp
	}
	return whole + fraction(rest, c.rounding)
}

// reaches returns the least amount on top of base for which at least owed more is owed; the caller knows that most
// suffices.
func (c *curve) reaches(base, owed, most money.Fen) money.Fen {
	before := c.at(base)
	return money.Fen(sort.Search(int(most), func(x int) bool { return c.at(base+money.Fen(x))-before >= owed }))
}

// tier is what a layer owes for the year's counted amount, its cap aside.
func tier(t *policy.Tier, from string, rounding money.Rounding, amount money.Fen) money.Fen {
	c := curve{bands: t.Bands, rounding: rounding}
	if from == policy.FromZero {
		return c.between(t.Threshold.Fen, amount)
	}
	return c.at(max(amount-t.Threshold.Fen, 0))
}

// share is amount x ratio; amounts here are bounded, so that it cannot overflow.
func share(amount money.Fen, ratio money.BasisPoints, rounding money.Rounding) money.Fen {
	whole := amount / money.Fen(money.Whole) * money.Fen(ratio)
	return whole + fraction(amount%money.Fen(money.Whole)*money.Fen(ratio), rounding)
}

// fraction is rest/10000 rounded; policies are validated to name their rounding, and rest is small and not negative.
func fraction(rest money.Fen, rounding money.Rounding) money.Fen {
	const whole = money.Fen(money.Whole)
	switch rounding {
	case money.HalfUp:
		return (rest + whole/2) / whole
	case money.Down:
		return rest / whole
	}
	rounded, err := rest.Portion(1, int64(whole), rounding)
	if err != nil {
		panic("split: " + err.Error())
	}
	return rounded
}
