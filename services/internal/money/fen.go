// Package money is the arithmetic of amounts in Chinese currency.
//
// Invariant: an amount is a whole number of fen; no operation loses or invents one silently. A result outside int64 is
// the fault AMOUNT_OVERFLOW, rounding is always named, and parts of a Split sum to the whole. No floating point.
package money

import (
	"math"
	"math/bits"
	"strconv"
	"strings"

	"huhang.example/services/internal/fault"
)

// Fen is an amount in fen (分), 1/100 yuan.
type Fen int64

// BasisPoints is a ratio in 1/10000 (万分之一); 10000 is the whole.
type BasisPoints int64

// Whole is the ratio one.
const Whole BasisPoints = 10000

// Add returns f + g, or AMOUNT_OVERFLOW.
func (f Fen) Add(g Fen) (Fen, error) {
	sum := f + g
	if (g > 0) != (sum > f) && g != 0 {
		return 0, overflow()
	}
	return sum, nil
}

// Sub returns f - g, or AMOUNT_OVERFLOW.
func (f Fen) Sub(g Fen) (Fen, error) {
	difference := f - g
	if (g > 0) != (difference < f) && g != 0 {
		return 0, overflow()
	}
	return difference, nil
}

// MustAdd is Add for amounts whose bounds were checked before; it panics on overflow.
func (f Fen) MustAdd(g Fen) Fen {
	sum, err := f.Add(g)
	if err != nil {
		panic("money: " + err.Error())
	}
	return sum
}

// Neg returns -f, or AMOUNT_OVERFLOW.
func (f Fen) Neg() (Fen, error) { return Fen(0).Sub(f) }

// Times returns f * n, or AMOUNT_OVERFLOW.
func (f Fen) Times(n int64) (Fen, error) { return f.Portion(n, 1, Down) }

// Share returns f * bp / 10000, rounded as named.
func (f Fen) Share(bp BasisPoints, rounding Rounding) (Fen, error) {
	return f.Portion(int64(bp), int64(Whole), rounding)
}

// Portion returns f * num / den, rounded as named, with a 128-bit product in between. It fails with AMOUNT_OVERFLOW,
// and with FIELD_INVALID for a denominator of zero or an unnamed rounding.
func (f Fen) Portion(num, den int64, rounding Rounding) (Fen, error) {
	if den == 0 || !rounding.known() {
		return 0, fault.New(fault.InvalidArgument, fault.FieldInvalid, "",
			"A ratio has no denominator or no rounding.", "比例缺少分母或取整方式。")
	}
	divisor := magnitude(den)
	high, low := bits.Mul64(magnitude(int64(f)), magnitude(num))
	if high >= divisor {
		return 0, overflow()
	}
	quotient, remainder := bits.Div64(high, low, divisor)
	if rounding.away(quotient, remainder, divisor) {
		quotient++
		if quotient == 0 {
			return 0, overflow()
		}
	}
	negative := (f < 0) != (num < 0) != (den < 0)
	return signed(negative, quotient)
}

// Sum adds up, or fails with AMOUNT_OVERFLOW.
func Sum(amounts ...Fen) (Fen, error) {
	var total Fen
	var err error
	for _, amount := range amounts {
		if total, err = total.Add(amount); err != nil {
			return 0, err
		}
	}
	return total, nil
}

// String writes the amount in yuan with two decimals: "1234.56", "-0.05".
func (f Fen) String() string {
	sign := ""
	if f < 0 {
		sign = "-"
	}
	m := magnitude(int64(f))
	cents := strconv.FormatUint(m%100, 10)
	if len(cents) < 2 {
		cents = "0" + cents
	}
	return sign + strconv.FormatUint(m/100, 10) + "." + cents
}

// Parse reads an amount in yuan: digits with at most two decimals, and a minus where it is negative ("12", "12.3",
// "-12.34"). Anything else, such as "+1", "01" or "1,000", is FIELD_INVALID; too large a number is AMOUNT_OVERFLOW.
func Parse(s string) (Fen, error) {
	digits, negative := strings.CutPrefix(s, "-")
	yuan, cents, pointed := strings.Cut(digits, ".")
	if !allDigits(yuan) || (len(yuan) > 1 && yuan[0] == '0') || pointed && (!allDigits(cents) || len(cents) > 2) {
		return 0, fault.New(fault.InvalidArgument, fault.FieldInvalid, "",
			"The amount is not a number of yuan with at most two decimals.", "金额须为元，且最多两位小数。")
	}
	cents += "00"[:2-len(cents)]
	m, err := strconv.ParseUint(yuan+cents, 10, 64)
	if err != nil {
		return 0, overflow()
	}
	return signed(negative, m)
}

func allDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// magnitude is |n|, exact for the smallest int64 too.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func signed(negative bool, m uint64) (Fen, error) {
	switch {
	case !negative && m <= math.MaxInt64:
		return Fen(m), nil
	case negative && m <= 1<<63:
		return Fen(-m), nil
	}
	return 0, overflow()
}

func overflow() error {
	return fault.New(fault.OutOfRange, fault.AmountOverflow, "",
		"A sum would leave the range of an amount.", "金额计算超出允许范围。")
}
