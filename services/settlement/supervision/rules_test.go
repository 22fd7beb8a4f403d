package supervision

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
)

func rules(t testing.TB) *Rules {
	t.Helper()
	r, ok := Sample().On("2026-11-22")
	if !ok {
		t.Fatal("no rules are in force")
	}
	return r
}

func has(found []Finding, rule Rule) bool {
	return slices.ContainsFunc(found, func(f Finding) bool { return f.Rule == rule })
}

// stay is one that no rule finds anything about.
func stay(id, center, admission, discharge string) Stay {
	s := Stay{
		ClaimID: id, PatientID: "p", ReferralID: "r", CenterID: center, Treatment: "310000", Admission: admission, Discharge: discharge,
		Organ: "liver", Diagnosis: "K74.6", Total: 48_000_000,
	}
	for day := admission; day < discharge; {
		s.Items = append(s.Items, Item{"S-BED", day, 1000})
		day = plus(day, 1)
	}
	return s
}

// Each rule at its edge.
func TestEdges(t *testing.T) {
	r := rules(t)
	first := stay("a", "C-1", "2026-03-01", "2026-03-10")
	with := func(s Stay, change func(s *Stay)) Stay { change(&s); return s }
	again := func(day, diagnosis string, change ...func(s *Stay)) Stay {
		s := stay("b", "C-1", day, plus(day, 5))
		s.Diagnosis = diagnosis
		for _, c := range change {
			c(&s)
		}
		return s
	}
	planned := func(s *Stay) { s.Planned = true }
	visits := func(n int, month string) (out []Stay) {
		for i := range n {
			out = append(out, Stay{ClaimID: string(rune('a' + i)), PatientID: "p", Treatment: "310000", CenterID: "C-1", Outpatient: true, Admission: plus(month+"-01", i), Total: money.Fen(i + 1)})
		}
		return out
	}
	visit := func(day string, drug int64) Stay {
		return Stay{ClaimID: "z", PatientID: "p", Treatment: "310000", CenterID: "C-1", Outpatient: true, Admission: day, Total: 99, Items: []Item{{"XL04AD02", day, drug}}}
	}
	for _, c := range []struct {
		name   string
		rule   Rule
		s      Stay
		beside []Stay
		p      Person
		want   bool
	}{
		{"the same diagnosis after 7 days", SplitAdmission, again("2026-03-17", "K74.6"), []Stay{first}, Person{}, true},
		{"a related one on day 15", SplitAdmission, again("2026-03-25", "T86.4"), []Stay{first}, Person{}, true},
		{"a related one on day 16", SplitAdmission, again("2026-03-26", "T86.4"), []Stay{first}, Person{}, false},
		{"the same one on day 15 is related", SplitAdmission, again("2026-03-25", "K74.6"), []Stay{first}, Person{}, true},
		{"the same one on day 16", SplitAdmission, again("2026-03-26", "K74.6"), []Stay{first}, Person{}, false},
		{"an unrelated one", SplitAdmission, again("2026-03-12", "S72.0"), []Stay{first}, Person{}, false},
		{"an unknown one of the same organ", SplitAdmission, again("2026-03-12", ""), []Stay{first}, Person{}, true},
		{"a planned follow-up", SplitAdmission, again("2026-03-12", "Z94.4", planned), []Stay{first}, Person{}, false},
		{"a follow-up that was not planned", SplitAdmission, again("2026-03-12", "Z94.4"), []Stay{first}, Person{}, true},
		{"planned, but of no follow-up's diagnosis", SplitAdmission, again("2026-03-12", "K74.6", planned), []Stay{first}, Person{}, true},
		{"planned, but of another case", SplitAdmission, again("2026-03-12", "Z94.4", planned, func(s *Stay) { s.ReferralID = "other" }), []Stay{first}, Person{}, true},
		{"moved on the day of discharge", OverlappingStays, stay("b", "C-2", "2026-03-10", "2026-03-12"), []Stay{first}, Person{}, false},
		{"in two hospitals for a day", OverlappingStays, stay("b", "C-2", "2026-03-09", "2026-03-12"), []Stay{first}, Person{}, true},
		{"in two hospitals of two provinces", OverlappingStays, with(stay("b", "C-2", "2026-03-09", "2026-03-12"), func(s *Stay) { s.Treatment = "110000" }), []Stay{first}, Person{}, true},
		{"twice in one hospital", OverlappingStays, stay("b", "C-1", "2026-03-09", "2026-03-12"), []Stay{first}, Person{}, false},
		{"another is still open", OverlappingStays, stay("b", "C-2", "2026-03-01", "2026-03-12"), []Stay{with(first, func(s *Stay) { s.Discharge = "" })}, Person{}, true},
		{"another person's stay", OverlappingStays, stay("b", "C-2", "2026-03-02", "2026-03-12"), []Stay{with(first, func(s *Stay) { s.PatientID = "q" })}, Person{}, false},
		{"two days without items", HangingBed, idle(first, "2026-03-04", 2), nil, Person{}, false},
		{"three days without items", HangingBed, idle(first, "2026-03-04", 3), nil, Person{}, true},
		{"three days apart", HangingBed, idle(idle(first, "2026-03-04", 2), "2026-03-08", 1), nil, Person{}, false},
		{"the last three days", HangingBed, idle(first, "2026-03-07", 3), nil, Person{}, true},
		{"three days of what was taken back", HangingBed, with(idle(first, "2026-03-04", 3), func(s *Stay) {
			for i := range 3 {
				s.Items = append(s.Items, Item{"X", plus("2026-03-04", i), 1000}, Item{"X", plus("2026-03-04", i), -1000})
			}
		}), nil, Person{}, true},
		{"the fourth purchase of a month", DrugPurchases, visit("2026-03-20", 1), visits(3, "2026-03"), Person{}, false},
		{"the fifth", DrugPurchases, visit("2026-03-20", 1), visits(4, "2026-03"), Person{}, true},
		{"the fifth, but of two months", DrugPurchases, visit("2026-04-01", 1), visits(4, "2026-03"), Person{}, false},
		{"twice the guideline", DrugQuantity, visit("2026-03-20", 360_000), nil, Person{}, false},
		{"a thousandth more", DrugQuantity, visit("2026-03-20", 360_001), nil, Person{}, true},
		{"a thousandth more over two visits", DrugQuantity, visit("2026-03-20", 180_001), []Stay{with(visit("2026-03-02", 180_000), func(s *Stay) { s.ClaimID = "y" })}, Person{}, true},
		{"three deviations above", CostOutlier, with(first, func(s *Stay) { s.Total = 84_000_000 }), nil, Person{}, false},
		{"a fen more", CostOutlier, with(first, func(s *Stay) { s.Total = 84_000_001 }), nil, Person{}, true},
		{"a fen below three deviations", CostOutlier, with(first, func(s *Stay) { s.Total = 11_999_999 }), nil, Person{}, true},
		{"an organ without a group", CostOutlier, with(first, func(s *Stay) { s.Organ, s.Total = "small_bowel", 1 }), nil, Person{}, false},
		{"two with one telephone", SharedPhone, first, nil, Person{SamePhone: 2}, false},
		{"three with one telephone", SharedPhone, first, nil, Person{SamePhone: 3}, true},
		{"the same card", IdentityMismatch, with(first, func(s *Stay) { s.Identity = "x" }), nil, Person{Identity: "x"}, false},
		{"another card", IdentityMismatch, with(first, func(s *Stay) { s.Identity = "y" }), nil, Person{Identity: "x"}, true},
		{"no card was read", IdentityMismatch, first, nil, Person{Identity: "x"}, false},
		{"the same days under another claim", DuplicatePayment, with(first, func(s *Stay) { s.ClaimID = "b" }), []Stay{first}, Person{}, true},
		{"a day later", DuplicatePayment, stay("b", "C-1", "2026-03-02", "2026-03-10"), []Stay{first}, Person{}, false},
		{"paid by hand before", DuplicatePayment, first, []Stay{{ClaimID: "m", PatientID: "p", Manual: true, Total: first.Total}}, Person{}, true},
		{"another bill paid by hand", DuplicatePayment, first, []Stay{{ClaimID: "m", PatientID: "p", Manual: true, Total: first.Total + 1}}, Person{}, false},
		{"the claim itself", DuplicatePayment, first, []Stay{first}, Person{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := append(r.Insured(c.s, c.beside, c.p), r.Treatment(c.s, c.beside, "2026-03-31")...)
			if has(found, c.rule) != c.want {
				t.Fatalf("%s: %v", c.rule, found)
			}
			for _, f := range found {
				if f.Version != r.Version || f.Action != r.Action(f.Rule) || f.Cause == "" || len(f.Evidence) == 0 {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

// idle takes the items of days away.
func idle(s Stay, from string, days int) Stay {
	s.Items = slices.DeleteFunc(slices.Clone(s.Items), func(i Item) bool { return i.Day >= from && i.Day < plus(from, days) })
	return s
}

func TestBurdenAndRegion(t *testing.T) {
	r := rules(t)
	half := money.Fen(3_450_000) / 2 // of 34,500 yuan
	for burden, want := range map[money.Fen]bool{0: false, half: false, half + 1: true, 1 << 62: true} {
		if _, hit := r.Poverty("360000", 2026, burden); hit != want {
			t.Errorf("a burden of %s: %v", burden, hit)
		}
	}
	if _, hit := r.Poverty("110000", 2026, half*100); hit {
		t.Error("an income that is not known was compared")
	}
	before := Costs{Total: 1_000_000_000, Stays: 100}
	for _, c := range []struct {
		now    money.Fen
		before Costs
		want   bool
	}{
		{1_100_000_000, before, false}, // income grew by 5.00 %
		{1_100_100_000, before, true},
		{2_000_000_000, Costs{Total: 1_000_000_000, Stays: 99}, false},
		{900_000_000, before, false},
	} {
		if _, hit := r.Regional("360000", "2026-11", Costs{Total: c.now, Stays: 120}, c.before); hit != c.want {
			t.Errorf("%+v: %v", c, hit)
		}
	}
}

// What is wrong in a document is refused with its line; a document before or after another leaves no day without rules.
func TestWrongDocuments(t *testing.T) {
	text, err := sample.ReadFile("sample/rules-2020.yaml")
	if err != nil {
		t.Fatal(err)
	}
	line := func(part string) int {
		return strings.Count(string(text[:strings.Index(string(text), part)]), "\n") + 1
	}
	for _, c := range []struct{ old, new string }{
		{"same_days: 7", "same_days: 16"},
		{"related_days: 15", "related_days: 0"},
		{"{action: FLAG, days: 3}", "{action: BLOCK, days: 3}"},
		{"purchases: 4", "purchases: 0"},
		{"percent: 200", "percent: 99"},
		{"sigma: 3", "sigma: 21"},
		{"insured: 2}", "insured: 0}"},
		{"points: 5", "points: 101"},
		{"workdays: 15", "workdays: 0"},
		{"purchases: 4", "purchase: 4"},
		{"sigma: 3", "sigma: three"},
		{"- {organ: liver", "- {organ: kidney"},
		{"- {item: XL04AA06", "- {item: XL04AD02"},
		{"kind: supervision_rules", "kind: policy"},
	} {
		_, err := Parse([]byte(strings.Replace(string(text), c.old, c.new, 1)))
		var invalid *policy.Invalid
		if !errors.As(err, &invalid) {
			t.Errorf("%s: %v", c.new, err)
			continue
		}
		if want := line(c.old); invalid.Line < want-1 || invalid.Line > want {
			t.Errorf("%s is said to stand on line %d, not %d: %v", c.new, invalid.Line, want, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	text, err := sample.ReadFile("sample/rules-2020.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("kind: supervision_rules\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Parse(text)
		if err == nil && (r.Version == "" || r.SplitAdmission.SameDays > r.SplitAdmission.RelatedDays) {
			t.Fatalf("accepted: %+v", r)
		}
	})
}

// Whatever stands beside a bill, the rules say the same of it in any order, and a pair that overlaps does so from both ends.
func TestOrderDoesNotMatter(t *testing.T) {
	r := rules(t)
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.Custom(func(t *rapid.T) Stay {
			from := plus("2026-01-01", rapid.IntRange(0, 60).Draw(t, "from"))
			s := Stay{
				ClaimID: rapid.StringMatching(`[a-z]{8}`).Draw(t, "claim"), PatientID: "p", CenterID: rapid.SampledFrom([]string{"C-1", "C-2", "C-3"}).Draw(t, "center"),
				Treatment: "310000", Admission: from, Discharge: plus(from, rapid.IntRange(0, 20).Draw(t, "days")),
				Diagnosis: rapid.SampledFrom([]string{"", "K74.6", "T86.4", "S72.0"}).Draw(t, "diagnosis"), Total: money.Fen(rapid.Int64Range(1, 5).Draw(t, "total")),
			}
			return s
		})
		s, others := some.Draw(t, "s"), rapid.SliceOfN(some, 0, 6).Draw(t, "others")
		tell := func(others []Stay) []string {
			var out []string
			for _, f := range append(r.Insured(s, others, Person{}), r.Treatment(s, others, "2026-12-31")...) {
				out = append(out, string(f.Rule)+f.Cause)
			}
			slices.Sort(out)
			return out
		}
		back := slices.Clone(others)
		slices.Reverse(back)
		if a, b := tell(others), tell(back); !slices.Equal(a, b) {
			t.Fatalf("%v, %v", a, b)
		}
		for _, o := range others {
			_, one := r.overlap(s, o, "2026-12-31")
			_, other := r.overlap(o, s, "2026-12-31")
			if one != other {
				t.Fatalf("%+v and %+v overlap from one end", s, o)
			}
		}
	})
}
