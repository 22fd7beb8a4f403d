package money_test

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"huhang.example/services/internal/money"
)

func TestSplitTable(t *testing.T) {
	for _, test := range []struct {
		name    string
		total   money.Fen
		weights []int64
		want    []money.Fen
	}{
		{"thirds: the first gets the fen", 100, []int64{1, 1, 1}, []money.Fen{34, 33, 33}},
		{"two fen over: the first two", 101, []int64{1, 1, 1}, []money.Fen{34, 34, 33}},
		{"the largest remainder, not the first", 10, []int64{1, 3}, []money.Fen{3, 7}},
		{"remainder decides", 100, []int64{333, 333, 334}, []money.Fen{33, 33, 34}},
		{"a refund mirrors the charge", -100, []int64{1, 1, 1}, []money.Fen{-34, -33, -33}},
		{"nothing to nobody", 100, []int64{0, 1}, []money.Fen{0, 100}},
		{"no weights count: alike", 5, []int64{0, 0}, []money.Fen{3, 2}},
		{"nothing to divide", 0, []int64{1, 2}, []money.Fen{0, 0}},
		{"one", -7, []int64{3}, []money.Fen{-7}},
		{"nobody", 7, nil, nil},
		{"the edge", math.MinInt64, []int64{math.MaxInt64, math.MaxInt64}, []money.Fen{math.MinInt64 / 2, math.MinInt64 / 2}},
	} {
		if got := money.Split(test.total, test.weights); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestSplitLosesNothingAndIsFair(t *testing.T) {
	weight := rapid.OneOf(rapid.Int64Range(0, 5), rapid.Int64Range(0, 1<<40), rapid.Int64Range(0, math.MaxInt64))
	rapid.Check(t, func(t *rapid.T) {
		total := anyFen().Draw(t, "total")
		weights := rapid.SliceOfN(weight, 1, 12).Draw(t, "weights")
		parts := money.Split(total, weights)
		sum, all := new(big.Int), new(big.Int)
		for i := range parts {
			sum.Add(sum, exact(int64(parts[i])))
			all.Add(all, exact(weights[i]))
		}
		if sum.Cmp(exact(int64(total))) != 0 {
			t.Fatalf("%v sums to %v", parts, sum)
		}
		if all.Sign() == 0 || !all.IsUint64() {
			return // weights that were changed: only the sum is promised
		}
		for i, part := range parts {
			// |part * all - total * weight| < all: less than one fen from the exact share.
			off := new(big.Int).Mul(exact(int64(part)), all)
			off.Sub(off, new(big.Int).Mul(exact(int64(total)), exact(weights[i])))
			if off.Abs(off).Cmp(all) >= 0 {
				t.Fatalf("part %d of %v is a fen or more off its share", i, parts)
			}
			if weights[i] == 0 && part != 0 {
				t.Fatalf("no weight, yet %d", part)
			}
		}
		if total != math.MinInt64 {
			for i, mirrored := range money.Split(-total, weights) {
				if mirrored != -parts[i] {
					t.Fatal("a refund is not divided as its charge was")
				}
			}
		}
	})
}

// Taking from the weights what was never there is a programming error, not a division.
func TestSplitRefusesNegativeWeights(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("a negative weight was accepted")
		}
	}()
	money.Split(1, []int64{2, -1})
}
