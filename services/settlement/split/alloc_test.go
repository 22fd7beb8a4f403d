package split_test

import (
	"testing"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// bill100 has 100 lines, every tenth a refund.
func bill100() []split.Line {
	items := []string{"S-BED", "S-TAC", "S-MAT", "S-SPECIAL", "S-CT", "S-LAB", "S-CONS", "S-ALB", "UNKNOWN"}
	var lines []split.Line
	for i := range 100 {
		l := split.Line{Number: int32(i + 1), Item: items[i%len(items)], Price: money.Fen(1234 * (i + 1)), QuantityMilli: 3000}
		if i%10 == 9 {
			of := lines[i-1]
			l.Item, l.Price, l.QuantityMilli, l.RefundOf = of.Item, of.Price, 1000, of.Number
		}
		l.Amount, _ = split.Charge(l.Price, l.QuantityMilli)
		if l.RefundOf != 0 {
			l.Amount = -l.Amount
		}
		lines = append(lines, l)
	}
	return lines
}

func splitter(t testing.TB) func() {
	b := book(t)
	p, _ := b.Policy("360000", day)
	c, _ := b.Catalogue("310000", day)
	lines, adder, o := bill100(), new(split.Adder), new(split.Outcome)
	who := split.Person{
		Scheme: policy.Resident, Groups: []policy.Group{policy.Subsistence, policy.IllnessPoverty},
		Plans: []string{"sample-huimin", "sample-charity", "sample-grant"}, Account: 100_000,
	}
	stay, year := split.Stay{Filing: policy.Referral, Province: "310000"}, split.Counters{}
	return func() {
		totals, err := adder.Add(lines, c, 3)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Compute(p, &who, &stay, &totals, &year); err != nil {
			t.Fatal(err)
		}
	}
}

// A split allocates nothing, whatever its lines.
func TestNothingIsAllocated(t *testing.T) {
	if n := testing.AllocsPerRun(100, splitter(t)); n != 0 {
		t.Errorf("%v allocations a split", n)
	}
}

func BenchmarkSplit100(b *testing.B) {
	one := splitter(b)
	b.ReportAllocs()
	for b.Loop() {
		one()
	}
}
