package money_test

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
)

const (
	least    = money.Fen(math.MinInt64)
	greatest = money.Fen(math.MaxInt64)
)

// anyFen prefers the edges, where overflow lives.
func anyFen() *rapid.Generator[money.Fen] {
	return rapid.Custom(func(t *rapid.T) money.Fen {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			return least + money.Fen(rapid.Int64Range(0, 3).Draw(t, "above"))
		case 1:
			return greatest - money.Fen(rapid.Int64Range(0, 3).Draw(t, "below"))
		case 2:
			return money.Fen(rapid.Int64Range(-20, 20).Draw(t, "small"))
		}
		return money.Fen(rapid.Int64().Draw(t, "any"))
	})
}

func exact(n int64) *big.Int { return big.NewInt(n) }

// agrees holds a result to arbitrary precision: equal where it fits, AMOUNT_OVERFLOW where it does not.
func agrees(t *rapid.T, got money.Fen, err error, want *big.Int) {
	if !want.IsInt64() {
		if !fault.Is(err, fault.AmountOverflow) || got != 0 {
			t.Fatalf("%v should overflow, got %d, %v", want, got, err)
		}
		return
	}
	if err != nil || int64(got) != want.Int64() {
		t.Fatalf("want %v, got %d, %v", want, got, err)
	}
}

func TestArithmeticAgreesWithArbitraryPrecision(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyFen().Draw(t, "a"), anyFen().Draw(t, "b")
		x, y := exact(int64(a)), exact(int64(b))
		sum, err := a.Add(b)
		agrees(t, sum, err, new(big.Int).Add(x, y))
		difference, err := a.Sub(b)
		agrees(t, difference, err, new(big.Int).Sub(x, y))
		product, err := a.Times(int64(b))
		agrees(t, product, err, new(big.Int).Mul(x, y))
		opposite, err := a.Neg()
		agrees(t, opposite, err, new(big.Int).Neg(x))
	})
}

// reference rounds num/den by the definition of the mode, on the magnitude.
func reference(num, den *big.Int, mode money.Rounding) *big.Int {
	q, r := new(big.Int).QuoRem(new(big.Int).Abs(num), new(big.Int).Abs(den), new(big.Int))
	half := new(big.Int).Lsh(r, 1).Cmp(new(big.Int).Abs(den))
	up := false
	switch mode {
	case money.HalfUp:
		up = half >= 0
	case money.Up:
		up = r.Sign() > 0
	case money.HalfEven:
		up = half > 0 || half == 0 && q.Bit(0) == 1
	}
	if up {
		q.Add(q, big.NewInt(1))
	}
	if num.Sign()*den.Sign() < 0 {
		q.Neg(q)
	}
	return q
}

var modes = []money.Rounding{money.HalfUp, money.Down, money.Up, money.HalfEven}

func TestPortionAgreesWithArbitraryPrecision(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, num, den := anyFen().Draw(t, "f"), anyFen().Draw(t, "num"), anyFen().Draw(t, "den")
		mode := rapid.SampledFrom(modes).Draw(t, "mode")
		got, err := f.Portion(int64(num), int64(den), mode)
		if den == 0 {
			if !fault.Is(err, fault.FieldInvalid) {
				t.Fatal(err)
			}
			return
		}
		agrees(t, got, err, reference(new(big.Int).Mul(exact(int64(f)), exact(int64(num))), exact(int64(den)), mode))
	})
}

func TestShareIsSymmetricAndBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := money.Fen(rapid.Int64Range(0, math.MaxInt64).Draw(t, "f"))
		bp := money.BasisPoints(rapid.Int64Range(0, 10000).Draw(t, "bp"))
		mode := rapid.SampledFrom(modes).Draw(t, "mode")
		share, err := f.Share(bp, mode)
		if err != nil || share < 0 || share > f {
			t.Fatal(share, err)
		}
		if refund, err := (-f).Share(bp, mode); err != nil || refund != -share {
			t.Fatalf("a charge of %d and its refund of %d do not cancel", share, refund)
		}
		if whole, err := f.Share(money.Whole, mode); err != nil || whole != f {
			t.Fatal("the whole is not the whole")
		}
	})
}

func TestRoundingModes(t *testing.T) {
	for _, test := range []struct {
		f                          money.Fen
		halfUp, down, up, halfEven money.Fen
	}{ // 25 % of f
		{0, 0, 0, 0, 0},
		{1, 0, 0, 1, 0},
		{2, 1, 0, 1, 0}, // 0.5
		{3, 1, 0, 1, 1},
		{4, 1, 1, 1, 1},
		{6, 2, 1, 2, 2},  // 1.5
		{10, 3, 2, 3, 2}, // 2.5
		{-1, 0, 0, -1, 0},
		{-2, -1, 0, -1, 0},
		{-3, -1, 0, -1, -1},
		{-6, -2, -1, -2, -2},
		{-10, -3, -2, -3, -2},
	} {
		for mode, want := range map[money.Rounding]money.Fen{
			money.HalfUp: test.halfUp, money.Down: test.down, money.Up: test.up, money.HalfEven: test.halfEven,
		} {
			if got, err := test.f.Share(2500, mode); err != nil || got != want {
				t.Errorf("25%% of %d, %s: %d, want %d (%v)", test.f, mode, got, want, err)
			}
		}
	}
	if _, err := money.Fen(1).Share(1, 0); !fault.Is(err, fault.FieldInvalid) {
		t.Error("an unnamed rounding was accepted:", err)
	}
}

func TestRoundingNames(t *testing.T) {
	for _, mode := range modes {
		text, err := mode.MarshalText()
		var back money.Rounding
		if err != nil || back.UnmarshalText(text) != nil || back != mode {
			t.Errorf("%s does not come back", mode)
		}
	}
	if _, err := money.ParseRounding("half_up"); !fault.Is(err, fault.CodeUnknown) {
		t.Error(err)
	}
	if got := money.Rounding(0).String(); got != "UNSPECIFIED" {
		t.Error(got)
	}
}

func TestMustAddPanicsOnOverflow(t *testing.T) {
	if money.Fen(1).MustAdd(2) != 3 {
		t.Fatal("1 + 2")
	}
	defer func() {
		if recover() == nil {
			t.Fatal("overflow went unnoticed")
		}
	}()
	greatest.MustAdd(1)
}

func TestSum(t *testing.T) {
	if total, err := money.Sum(1, -2, 3); err != nil || total != 2 {
		t.Error(total, err)
	}
	if _, err := money.Sum(greatest, 1, -1); !fault.Is(err, fault.AmountOverflow) {
		t.Error(err)
	}
}

func TestTexts(t *testing.T) {
	for _, test := range []struct {
		f    money.Fen
		text string
	}{
		{0, "0.00"},
		{5, "0.05"},
		{-5, "-0.05"},
		{123456, "1234.56"},
		{-100, "-1.00"},
		{greatest, "92233720368547758.07"},
		{least, "-92233720368547758.08"},
	} {
		if got := test.f.String(); got != test.text {
			t.Errorf("%d is written %q", int64(test.f), got)
		}
		if back, err := money.Parse(test.text); err != nil || back != test.f {
			t.Errorf("%q is read as %d, %v", test.text, int64(back), err)
		}
	}
	for text, want := range map[string]money.Fen{"12": 1200, "12.3": 1230, "-12.34": -1234, "-0": 0, "0.5": 50} {
		if got, err := money.Parse(text); err != nil || got != want {
			t.Errorf("%q is read as %d, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "-", ".", "1.", ".5", "1.234", "+1", "01", "00", "--1", "1,000", "1e3", "1_0", " 1", "1 ", "1.2.3", "\uff11", "NaN", "0x1", "1.-5",
	} {
		if _, err := money.Parse(text); !fault.Is(err, fault.FieldInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"92233720368547758.08", "-92233720368547758.09", "99999999999999999999999"} {
		if _, err := money.Parse(text); !fault.Is(err, fault.AmountOverflow) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"0", "12.34", "-0.05", "92233720368547758.07", "1.", "+1", "1e9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		amount, err := money.Parse(text)
		if err != nil {
			if !fault.Is(err, fault.FieldInvalid) && !fault.Is(err, fault.AmountOverflow) {
				t.Fatal(err)
			}
			return
		}
		if back, err := money.Parse(amount.String()); err != nil || back != amount {
			t.Fatalf("%q is %d, but comes back as %d, %v", text, amount, back, err)
		}
		// The reference reads a superset of our notation, exactly.
		want, ok := new(big.Rat).SetString(text)
		if !ok || want.Cmp(big.NewRat(int64(amount), 100)) != 0 {
			t.Fatalf("%q was read as %d fen", text, amount)
		}
	})
}
