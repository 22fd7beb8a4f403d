package clearing_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/clearing"
)

func TestPrepaid(t *testing.T) {
	rules := clearing.ChinaRules()
	proposed, err := rules.Prepayment(90_001)
	if err != nil || proposed != 60_001 {
		t.Errorf("two monthly averages of 900.01 in a quarter: %s, %v", proposed, err)
	}
	if proposed, err = rules.Prepayment(-5); err != nil || proposed != 0 {
		t.Errorf("a quarter of reversals proposes %s, %v", proposed, err)
	}
	for _, test := range []struct {
		paid, used money.Fen
		share      int64
		level      clearing.Level
		topUp      money.Fen
	}{
		{0, 500, 0, clearing.NoPrepayment, 0},
		{10_000, 0, 0, clearing.Green, 0},
		{10_000, -30, 0, clearing.Green, 0},
		{10_000, 6_999, 6_999, clearing.Green, 0},
		{10_000, 7_000, 7_000, clearing.Yellow, 1},
		{10_000, 8_999, 8_999, clearing.Yellow, 2_856},
		{10_000, 9_000, 9_000, clearing.Red, 2_858},
		{10_000, 25_000, 25_000, clearing.Red, 25_715},
		{3, 2, 6_666, clearing.Green, 0},
	} {
		p, err := rules.Prepaid(0, test.paid, test.used)
		if err != nil || p.UsedShare != test.share || p.Level != test.level || p.TopUp != test.topUp {
			t.Errorf("%d used of %d: %+v, %v", test.used, test.paid, p, err)
		}
	}
}

// A top-up brings the prepayment below the warning, and one fen less would not.
func TestTopUpIsEnoughAndNoMore(t *testing.T) {
	rules := clearing.ChinaRules()
	rapid.Check(t, func(t *rapid.T) {
		paid, used := money.Fen(rapid.Int64Range(1, 1e12).Draw(t, "paid")), money.Fen(rapid.Int64Range(0, 1e13).Draw(t, "used"))
		p, err := rules.Prepaid(0, paid, used)
		if err != nil {
			t.Fatal(err)
		}
		after, err := rules.Prepaid(0, paid+p.TopUp, used)
		if err != nil || after.Level != clearing.Green {
			t.Fatalf("after a top-up of %s: %+v, %v", p.TopUp, after, err)
		}
		if p.TopUp == 0 {
			return
		}
		if short, err := rules.Prepaid(0, paid+p.TopUp-1, used); err != nil || short.Level == clearing.Green {
			t.Fatalf("a fen less than %s: %+v, %v", p.TopUp, short, err)
		}
	})
}

func TestAgreements(t *testing.T) {
	all := []clearing.Agreement{
		{Treatment: "310000", Insured: "340000", Share: 500, From: "2026-03", To: "2026-11", Title: "示范"},
		{Treatment: "310000", Insured: "340000", Share: 1000, From: "2026-12", Title: "示范"},
	}
	for _, test := range []struct {
		treatment, insured string
		m                  clearing.Month
		amount, want       money.Fen
	}{
		{"310000", "340000", "2026-02", 10_000, 0},
		{"310000", "340000", "2026-03", 10_000, 500},
		{"310000", "340000", "2026-11", 10_000, 500},
		{"310000", "340000", "2027-08", 10_000, 1_000},
		{"340000", "310000", "2026-11", 10_000, 0},
		{"310000", "360000", "2026-11", 10_000, 0},
		{"310000", "340000", "2026-11", 30, 2},
		{"310000", "340000", "2026-11", -30, -2},
	} {
		if got, err := clearing.Shared(all, test.treatment, test.insured, test.m, test.amount); err != nil || got != test.want {
			t.Errorf("%+v: %s, %v", test, got, err)
		}
	}
	if all[0].Overlaps(all[1]) || all[1].Overlaps(all[0]) {
		t.Error("one after the other overlap")
	}
	if b := all[1]; !b.Overlaps(clearing.Agreement{Treatment: "310000", Insured: "340000", From: "2030-01"}) {
		t.Error("an open one ends")
	}
	for name, change := range map[string]func(a *clearing.Agreement){
		"with itself": func(a *clearing.Agreement) { a.Insured = a.Treatment }, "no share": func(a *clearing.Agreement) { a.Share = 0 },
		"more than all": func(a *clearing.Agreement) { a.Share = 10_001 }, "backwards": func(a *clearing.Agreement) { a.To = "2026-01" },
	} {
		a := all[0]
		if change(&a); a.Check() == nil {
			t.Errorf("accepted: %s", name)
		}
	}
}

// Two lists differ by exactly what was planted.
func TestDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var here, there []clearing.Item
		want := map[string]clearing.What{}
		for i := range rapid.IntRange(0, 60).Draw(t, "items") {
			item := clearing.Item{Source: "stl_" + string(rune('A'+i)), Kind: "settlement", Day: "2026-11-01", Month: "2026-11", Clears: 100}
			other := item
			switch what := rapid.SampledFrom([]clearing.What{"", "", "", clearing.OnlyHere, clearing.OnlyThere, clearing.Amounts, clearing.Windows}).Draw(t, "what"); what {
			case clearing.OnlyHere:
				want[item.Source] = what
				here = append(here, item)
				continue
			case clearing.OnlyThere:
				want[item.Source] = what
				there = append(there, item)
				continue
			case clearing.Amounts:
				want[item.Source] = what
				other.Clears++
			case clearing.Windows:
				want[item.Source] = what
				other.Month = "2026-12"
			}
			here, there = append(here, item), append(there, other)
		}
		found := clearing.Differ(here, there)
		for _, d := range found {
			if want[d.Key().Source] != d.What {
				t.Fatalf("%+v", d)
			}
			delete(want, d.Key().Source)
		}
		if len(want) > 0 {
			t.Fatalf("not found: %v", want)
		}
		back := clearing.Differ(there, here)
		if len(back) != len(found) || !slices.EqualFunc(found, back, func(a, b clearing.Difference) bool { return a.Key().Source == b.Key().Source }) {
			t.Fatal("the other side finds others")
		}
	})
}
