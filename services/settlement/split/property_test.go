package split_test

import (
	"testing"

	"pgregory.net/rapid"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

var insured = []string{"360000", "130000", "340000", "450000"}

func person(t *rapid.T) split.Person {
	all := []policy.Group{policy.Destitute, policy.Subsistence, policy.Marginal, policy.IllnessPoverty}
	return split.Person{
		Scheme:       rapid.SampledFrom([]policy.Scheme{policy.Employee, policy.Resident}).Draw(t, "scheme"),
		Retired:      rapid.Bool().Draw(t, "retired"),
		CivilServant: rapid.Bool().Draw(t, "civil servant"),
		Groups:       rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 4, rapid.ID[policy.Group]).Draw(t, "groups"),
	}
}

func fen(most int64) *rapid.Generator[money.Fen] {
	return rapid.Custom(func(t *rapid.T) money.Fen { return money.Fen(rapid.Int64Range(0, most).Draw(t, "fen")) })
}

func totals(t *rapid.T) split.Totals {
	x := split.Totals{
		OutOfCatalogue: fen(20_000_000).Draw(t, "out"), OverLimit: fen(5_000_000).Draw(t, "over"),
		ClassB: fen(9_000_000).Draw(t, "class b"), InScope: fen(120_000_000).Draw(t, "in scope"),
		CatalogueVersion: "c", HospitalLevel: 3,
	}
	x.Total = x.OutOfCatalogue + x.OverLimit + x.ClassB + x.InScope
	return x
}

func counters(t *rapid.T) split.Counters {
	return split.Counters{
		Deductible: fen(500_000).Draw(t, "deductible"), Basic: fen(60_000_000).Draw(t, "basic"),
		SecondLayer: fen(60_000_000).Draw(t, "second"), Assistance: fen(10_000_000).Draw(t, "assistance"),
		SecondBase: fen(100_000_000).Draw(t, "second base"), AssistanceBase: fen(30_000_000).Draw(t, "assistance base"),
	}
}

func where(t *rapid.T) string {
	return rapid.SampledFrom([]string{"110000", "310000", "440000", "360000"}).Draw(t, "where")
}

func TestPayersSumToTheTotal(t *testing.T) {
	b := book(t)
	rapid.Check(t, func(t *rapid.T) {
		p, _ := b.Policy(rapid.SampledFrom(insured).Draw(t, "insured"), day)
		x, c := totals(t), counters(t)
		r, err := split.Split(p, person(t), split.Stay{Filing: rapid.SampledFrom(policy.Filings()).Draw(t, "filing"), Province: where(t)}, x, c)
		if err != nil {
			t.Fatal(err)
		}
		var sum money.Fen
		for _, s := range r.Shares {
			if s.Amount < 0 {
				t.Fatalf("%s pays %s", s.Payer, s.Amount)
			}
			sum += s.Amount
		}
		if sum != x.Total || r.Total != x.Total {
			t.Fatalf("payers sum to %s of %s", sum, x.Total)
		}
		if r.Pays(split.Cash) < x.OutOfCatalogue {
			t.Fatalf("somebody pays for what is out of catalogue")
		}
		if back := c.Plus(r.Used).Minus(r.Used); back != c {
			t.Fatalf("a reversal does not restore the year: %+v, %+v", back, c)
		}
	})
}

func TestBasicNeverFallsAsTheBillGrows(t *testing.T) {
	b := book(t)
	rapid.Check(t, func(t *rapid.T) {
		p, _ := b.Policy(rapid.SampledFrom(insured).Draw(t, "insured"), day)
		who, stay, c, x := person(t), split.Stay{Filing: rapid.SampledFrom(policy.Filings()).Draw(t, "filing"), Province: where(t)}, counters(t), totals(t)
		y, more := x, fen(10_000_000).Draw(t, "more")
		y.InScope, y.Total = y.InScope+more, y.Total+more
		small, err1 := split.Split(p, who, stay, x, c)
		large, err2 := split.Split(p, who, stay, y, c)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if large.Pays(split.Basic) < small.Pays(split.Basic) {
			t.Fatalf("basic pays %s, then %s for a larger bill", small.Pays(split.Basic), large.Pays(split.Basic))
		}
	})
}

func TestABetterFilingNeverCostsMore(t *testing.T) {
	b := book(t)
	rapid.Check(t, func(t *rapid.T) {
		p, _ := b.Policy(rapid.SampledFrom(insured).Draw(t, "insured"), day)
		who, x, c, province := person(t), totals(t), counters(t), where(t)
		before := money.Fen(-1)
		for _, f := range policy.Filings() { // the best first
			r, err := split.Split(p, who, split.Stay{Filing: f, Province: province}, x, c)
			if err != nil {
				t.Fatal(err)
			}
			if cash := r.Pays(split.Cash); cash < before {
				t.Fatalf("%s costs %s, a better filing %s", f, cash, before)
			} else {
				before = cash
			}
		}
	})
}

// Whatever is charged and refunded, the parts of the bill sum to its total and none is negative; a bill refunded whole
// is zero in every part.
func TestTotalsOfChargesAndRefunds(t *testing.T) {
	c, ok := book(t).Catalogue("310000", day)
	if !ok {
		t.Fatal("no catalogue")
	}
	items := []string{"S-BED", "S-TAC", "S-MAT", "S-SPECIAL", "S-CT", "UNKNOWN"}
	rapid.Check(t, func(t *rapid.T) {
		var lines, refunds []split.Line
		var net money.Fen
		for i := range rapid.IntRange(1, 8).Draw(t, "lines") {
			l := split.Line{
				Number: int32(i + 1), Item: rapid.SampledFrom(items).Draw(t, "item"),
				Price: fen(100_000).Draw(t, "price"), QuantityMilli: rapid.Int64Range(1, 20_000).Draw(t, "quantity"),
			}
			l.Amount, _ = split.Charge(l.Price, l.QuantityMilli)
			lines, net = append(lines, l), net+l.Amount
			r := split.Line{Number: int32(100 + i), Item: l.Item, Price: l.Price, QuantityMilli: rapid.Int64Range(1, l.QuantityMilli).Draw(t, "refunded"), RefundOf: l.Number}
			amount, _ := split.Charge(r.Price, r.QuantityMilli)
			r.Amount = -amount
			refunds = append(refunds, r)
		}
		for _, r := range refunds {
			if rapid.Bool().Draw(t, "refund") {
				lines, net = append(lines, r), net+r.Amount
			}
		}
		x, err := split.Add(lines, c, 3)
		if err != nil {
			t.Fatal(err)
		}
		if x.Check() != nil || x.Total != net {
			t.Fatalf("%+v, charged %s", x, net)
		}
	})
}

func TestRefundedWhole(t *testing.T) {
	c, _ := book(t).Catalogue("310000", day)
	lines := []split.Line{
		{Number: 1, Item: "S-MAT", Price: 20001, QuantityMilli: 3000, Amount: 60003},
		{Number: 2, Item: "S-MAT", Price: 20001, QuantityMilli: 3000, Amount: -60003, RefundOf: 1},
	}
	x, err := split.Add(lines, c, 3)
	if err != nil || x.Total != 0 || x.ClassB != 0 || x.OverLimit != 0 || x.InScope != 0 {
		t.Fatalf("%+v, %v", x, err)
	}
}
