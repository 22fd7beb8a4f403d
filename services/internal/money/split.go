package money

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// Split divides total in proportion to the weights by largest remainder: the parts sum to total exactly, each is less
// than one fen from its exact share, and of equal remainders the earlier gets the fen. A negative total is divided as
// its opposite is. If every weight is zero all count alike; no weights give no parts. A negative weight panics.
func Split(total Fen, weights []int64) []Fen {
	if len(weights) == 0 {
		return nil
	}
	scaled, sum := scale(weights)
	m := magnitude(int64(total))
	parts := make([]uint64, len(scaled))
	remainders := make([]uint64, len(scaled))
	left := m
	for i, weight := range scaled {
		high, low := bits.Mul64(m, weight)
		parts[i], remainders[i] = bits.Div64(high, low, sum) // fits: weight <= sum
		left -= parts[i]
	}
	order := make([]int, len(scaled))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(remainders[b], remainders[a]) })
	for _, i := range order[:left] { // left < len: each remainder is less than one fen
		parts[i]++
	}
	out := make([]Fen, len(parts))
	for i, part := range parts {
		out[i] = Fen(part)
		if total < 0 {
			out[i] = Fen(-part)
		}
	}
	return out
}

// scale returns the weights and their sum, halving all while the sum leaves 64 bits: far beyond any sum of amounts, but
// a split must not panic or lose a fen even then.
func scale(weights []int64) (scaled []uint64, sum uint64) {
	scaled = make([]uint64, len(weights))
	for i, weight := range weights {
		if weight < 0 {
			panic(fmt.Sprintf("money: negative weight %d", weight))
		}
		scaled[i] = uint64(weight)
	}
	for {
		var over uint64
		sum = 0
		for _, weight := range scaled {
			var carry uint64
			sum, carry = bits.Add64(sum, weight, 0)
			over += carry
		}
		if over == 0 {
			break
		}
		for i := range scaled {
			scaled[i] >>= 1
		}
	}
	if sum == 0 {
		for i := range scaled {
			scaled[i] = 1
		}
		sum = uint64(len(scaled))
	}
	return scaled, sum
}
