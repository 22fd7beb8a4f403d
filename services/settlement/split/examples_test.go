package split_test

import (
	"slices"
	"strings"
	"testing"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

const day = "2026-11-22"

func book(t testing.TB) *policy.Book {
	t.Helper()
	b, err := policy.Sample()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func shipped(t testing.TB, province string) *policy.Policy {
	t.Helper()
	p, ok := book(t).Policy(province, day)
	if !ok {
		t.Fatalf("no policy of %s", province)
	}
	return p
}

func yuan(t testing.TB, s string) money.Fen {
	t.Helper()
	f, err := money.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func must(t testing.TB, p *policy.Policy, person split.Person, stay split.Stay, totals split.Totals, counters split.Counters) split.Result {
	t.Helper()
	r, err := split.Split(p, person, stay, totals, counters)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	return r
}

func pays(t *testing.T, r split.Result, want map[split.Payer]string) {
	t.Helper()
	for _, s := range r.Shares {
		if want[s.Payer] == "" && s.Amount != 0 {
			t.Errorf("%s pays %s, want nothing", s.Payer, s.Amount)
		}
	}
	for payer, amount := range want {
		if got := r.Pays(payer); got != yuan(t, amount) {
			t.Errorf("%s pays %s, want %s", payer, got, amount)
		}
	}
}

// Example 1: a civil servant of Nanchang, 200,000 in scope at 85 %, no deductible, no cap, supplement 96 % of the rest.
func TestExample1CivilServant(t *testing.T) {
	p, err := policy.ParsePolicy([]byte(`
kind: policy
province: "360000"
version: example-1
valid_from: "2025-01-01"
valid_to: ""
standing: illustrative
title_zh: 例一
title_en: Example 1
source: ""
currency: CNY
rounding: HALF_UP
schemes:
  - scheme: employee
    basic: {cap: none, deductible_over: year, bands_over: stay, terms: [{levels: [3], deductible: 0, bands: [{from: 0, ratio: 8500}]}]}
    remote: {terms: [{filings: [long_term, referral, emergency, other, unfiled], first_pay: 0}]}
    civil_servant: {ratio: 9600, counts: [deductible], cap: none}
`))
	if err != nil {
		t.Fatal(err)
	}
	totals := split.Totals{Total: yuan(t, "200000"), InScope: yuan(t, "200000"), CatalogueVersion: "c", HospitalLevel: 3}
	r := must(t, p, split.Person{Scheme: policy.Employee, CivilServant: true}, split.Stay{Filing: policy.LongTerm, Province: "310000"}, totals, split.Counters{})
	pays(t, r, map[split.Payer]string{split.Basic: "170000", split.CivilServant: "28800", split.Cash: "1200"})
}

// Example 2: price 120, limit 110, class B 10 %: the price limit goes before class B.
func TestExample2PriceLimitBeforeClassB(t *testing.T) {
	c, err := policy.ParseCatalogue([]byte(`
kind: catalogue
province: "310000"
version: example-2
valid_from: "2025-01-01"
valid_to: ""
standing: illustrative
title_zh: 例二
title_en: Example 2
source: ""
currency: CNY
hospitals: [{center: C-SH-01, level: 3}]
items: [{code: X, name_zh: 示例, name_en: x, class: B, first_pay: 1000, price_limit: 110}]
`))
	if err != nil {
		t.Fatal(err)
	}
	totals, err := split.Add([]split.Line{{Number: 1, Item: "X", Price: 12000, QuantityMilli: 1000, Amount: 12000}}, c, 3)
	if err != nil {
		t.Fatal(err)
	}
	if totals.InScope != 9900 || totals.ClassB != 1100 || totals.OverLimit != 1000 || totals.Total-totals.InScope != 2100 {
		t.Errorf("got %+v, want fund 99, self 21", totals)
	}
}

// Example 3: total 100,000 of which insurance pays 70,000: assistance looks at the compliant part of the 30,000 only.
func TestExample3AssistanceOnCompliantPart(t *testing.T) {
	p, err := policy.ParsePolicy([]byte(`
kind: policy
province: "360000"
version: example-3
valid_from: "2025-01-01"
valid_to: ""
standing: illustrative
title_zh: 例三
title_en: Example 3
source: ""
currency: CNY
rounding: HALF_UP
schemes:
  - scheme: resident
    basic: {cap: none, deductible_over: year, bands_over: stay, terms: [{levels: [3], deductible: 0, bands: [{from: 0, ratio: 8750}]}]}
    remote: {terms: [{filings: [long_term, referral, emergency, other, unfiled], first_pay: 0}]}
assistance: {counts: [deductible], groups: [{group: subsistence, ratio: 7000, deductible: 0, cap: none}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	totals := split.Totals{
		Total: yuan(t, "100000"), OutOfCatalogue: yuan(t, "12000"), OverLimit: yuan(t, "3000"), ClassB: yuan(t, "5000"),
		InScope: yuan(t, "80000"), CatalogueVersion: "c", HospitalLevel: 3,
	}
	r := must(t, p, split.Person{Scheme: policy.Resident, Groups: []policy.Group{policy.Subsistence}}, split.Stay{Filing: policy.Referral, Province: "310000"}, totals, split.Counters{})
	// 30,000 remain, 10,000 of them compliant.
	pays(t, r, map[split.Payer]string{split.Basic: "70000", split.Assistance: "7000", split.Cash: "23000"})
}

func example4(t testing.TB) split.Totals {
	return split.Totals{
		Total: yuan(t, "300000"), OutOfCatalogue: yuan(t, "45000"), ClassB: yuan(t, "30000"), OverLimit: yuan(t, "5000"),
		InScope: yuan(t, "220000"), CatalogueVersion: "c", HospitalLevel: 3,
	}
}

// Example 4: a resident of Jiangxi, referred.
func TestExample4Referred(t *testing.T) {
	r := must(t, shipped(t, "360000"), split.Person{Scheme: policy.Resident}, split.Stay{Filing: policy.Referral, Province: "310000"}, example4(t), split.Counters{})
	pays(t, r, map[split.Payer]string{split.Basic: "100000", split.SecondLayer: "48600", split.Cash: "151400"})
	want := []struct{ rule, input, result string }{
		{"in_scope", "300000", "220000"},
		{"remote_first_pay", "220000", "198000"},
		{"deductible", "198000", "197400"},
		{"basic", "197400", "118440"},
		{"basic_cap", "118440", "100000"},
		{"second_layer", "98000", "48600"},
		{"cash", "300000", "151400"},
	}
	for _, w := range want {
		i := slices.IndexFunc(r.Steps, func(s split.Step) bool { return s.Rule == w.rule })
		if i < 0 {
			t.Errorf("no step %s", w.rule)
			continue
		}
		if s := r.Steps[i]; s.Input != yuan(t, w.input) || s.Result != yuan(t, w.result) {
			t.Errorf("%s: %s -> %s, want %s -> %s", w.rule, s.Input, s.Result, w.input, w.result)
		}
	}
	for _, s := range r.Steps {
		if s.Zh == "" || s.En == "" || strings.Contains(s.Zh+s.En, "%!") {
			t.Errorf("step %s is not explained: %q %q", s.Rule, s.Zh, s.En)
		}
	}
}

// Example 5: the same on the minimum living allowance.
func TestExample5Subsistence(t *testing.T) {
	for name, groups := range map[string][]policy.Group{
		"one identity":               {policy.Subsistence},
		"the best of several counts": {policy.IllnessPoverty, policy.Subsistence, policy.Marginal},
	} {
		t.Run(name, func(t *testing.T) {
			r := must(t, shipped(t, "360000"), split.Person{Scheme: policy.Resident, Groups: groups},
				split.Stay{Filing: policy.Referral, Province: "310000"}, example4(t), split.Counters{})
			pays(t, r, map[split.Payer]string{
				split.Basic: "100000", split.SecondLayer: "58175", split.Assistance: "27877.50", split.Cash: "113947.50",
			})
		})
	}
}

// The three remote models and a region treated as local, by the shipped policies; 100,000 in scope.
func TestRemoteModels(t *testing.T) {
	cases := []struct {
		province string
		scheme   policy.Scheme
		filing   policy.Filing
		where    string
		basic    string
	}{
		{"360000", policy.Employee, policy.LongTerm, "310000", "84320"}, // (100000 - 800) x 85 %
		{"360000", policy.Employee, policy.Referral, "310000", "75820"}, // (90000 - 800) x 85 %
		{"360000", policy.Employee, policy.Unfiled, "310000", "67320"},  // (80000 - 800) x 85 %
		{"340000", policy.Resident, policy.Referral, "310000", "63112.50"},
		{"340000", policy.Resident, policy.Other, "310000", "44550"}, // 99000 x 45 %
		{"450000", policy.Employee, policy.Referral, "440000", "71672"},
		{"130000", policy.Resident, policy.Referral, "310000", "49000"}, // (100000 - 2000) x 50 %
		{"130000", policy.Resident, policy.Unfiled, "310000", "28800"},  // (100000 - 4000) x 30 %
		{"130000", policy.Resident, policy.Unfiled, "110000", "59100"},  // Beijing is local: (100000 - 1500) x 60 %
	}
	for _, c := range cases {
		t.Run(c.province+" "+string(c.filing)+" "+c.where, func(t *testing.T) {
			totals := split.Totals{Total: yuan(t, "100000"), InScope: yuan(t, "100000"), CatalogueVersion: "c", HospitalLevel: 3}
			r := must(t, shipped(t, c.province), split.Person{Scheme: c.scheme}, split.Stay{Filing: c.filing, Province: c.where}, totals, split.Counters{})
			if got := r.Pays(split.Basic); got != yuan(t, c.basic) {
				t.Errorf("basic pays %s, want %s", got, c.basic)
			}
		})
	}
	totals := split.Totals{Total: yuan(t, "300000"), InScope: yuan(t, "300000"), CatalogueVersion: "c", HospitalLevel: 3}
	r := must(t, shipped(t, "130000"), split.Person{Scheme: policy.Resident}, split.Stay{Filing: policy.Unfiled, Province: "310000"}, totals, split.Counters{})
	if r.Pays(split.SecondLayer) != 0 || r.Used.SecondBase != 0 {
		t.Errorf("an unfiled stay reaches the second layer: %+v", r)
	}
}

// Bands measured from zero and from the threshold differ: 100,000 counted, threshold 13,400, 60 % to 100,000, 70 % to 200,000.
func TestBandsFromZeroOrThreshold(t *testing.T) {
	totals := split.Totals{Total: yuan(t, "300000"), InScope: yuan(t, "300000"), CatalogueVersion: "c", HospitalLevel: 3}
	p := shipped(t, "130000")
	person, stay := split.Person{Scheme: policy.Resident}, split.Stay{Filing: policy.Referral, Province: "310000"}
	// Basic (300000 - 2000) x 50 % = 149,000; 151,000 are left and count.
	zero := must(t, p, person, stay, totals, split.Counters{})
	if got := zero.Pays(split.SecondLayer); got != yuan(t, "87660") { // 86,600 x 60 % + 51,000 x 70 %
		t.Errorf("from zero: %s", got)
	}
	terms, _ := p.Terms(policy.Resident)
	terms.SecondLayer.BandsFrom = policy.FromThreshold
	threshold := must(t, p, person, stay, totals, split.Counters{})
	if got := threshold.Pays(split.SecondLayer); got != yuan(t, "86320") { // 100,000 x 60 % + 37,600 x 70 %
		t.Errorf("from threshold: %s", got)
	}
}

// The deductible, the caps and the second layer's threshold hold for the year, not for a bill.
func TestYearCountersContinue(t *testing.T) {
	p := shipped(t, "360000")
	person, stay := split.Person{Scheme: policy.Resident}, split.Stay{Filing: policy.Referral, Province: "310000"}
	first := must(t, p, person, stay, example4(t), split.Counters{})
	year := split.Counters{}.Plus(first.Used)
	second := must(t, p, person, stay, example4(t), year)
	if second.Used.Deductible != 0 {
		t.Errorf("the deductible was charged twice: %s", second.Used.Deductible)
	}
	if second.Pays(split.Basic) != 0 {
		t.Errorf("basic pays %s beyond its cap", second.Pays(split.Basic))
	}
	if got := second.Pays(split.SecondLayer); got != yuan(t, "118800") { // 198,000 x 60 %: the threshold was used up
		t.Errorf("second layer pays %s", got)
	}
	if back := year.Plus(second.Used).Minus(second.Used).Minus(first.Used); back != (split.Counters{}) {
		t.Errorf("after both reversals: %+v", back)
	}
}

// Employees' second layer begins where the basic fund stopped, not at what the person is left with.
func TestOverCap(t *testing.T) {
	totals := split.Totals{Total: yuan(t, "300800"), InScope: yuan(t, "300800"), CatalogueVersion: "c", HospitalLevel: 3}
	r := must(t, shipped(t, "360000"), split.Person{Scheme: policy.Employee}, split.Stay{Filing: policy.LongTerm, Province: "310000"}, totals, split.Counters{})
	// 100,000 are reached at 117,647.06 (rounded to the fen); 182,352.94 lie beyond and are paid at 90 %.
	pays(t, r, map[split.Payer]string{split.Basic: "100000", split.SecondLayer: "164117.65", split.Cash: "36682.35"})
}

func TestSplitRefuses(t *testing.T) {
	good := split.Totals{Total: 100, InScope: 100, CatalogueVersion: "c", HospitalLevel: 3}
	p := shipped(t, "360000")
	person, stay := split.Person{Scheme: policy.Resident}, split.Stay{Filing: policy.Referral, Province: "310000"}
	for name, change := range map[string]func(*split.Totals, *split.Counters, *split.Person){
		"does not add up": func(x *split.Totals, _ *split.Counters, _ *split.Person) { x.InScope = 99 },
		"negative part":   func(x *split.Totals, _ *split.Counters, _ *split.Person) { x.InScope, x.ClassB = 101, -1 },
		"too large":       func(x *split.Totals, _ *split.Counters, _ *split.Person) { x.InScope, x.Total = 2e15, 2e15 },
		"hospital level":  func(x *split.Totals, _ *split.Counters, _ *split.Person) { x.HospitalLevel = 0 },
		"counters":        func(_ *split.Totals, c *split.Counters, _ *split.Person) { c.Basic = -1 },
		"scheme":          func(_ *split.Totals, _ *split.Counters, p *split.Person) { p.Scheme = "" },
	} {
		t.Run(name, func(t *testing.T) {
			x, c, who := good, split.Counters{}, person
			change(&x, &c, &who)
			if r, err := split.Split(p, who, stay, x, c); err == nil {
				t.Errorf("accepted: %+v", r)
			}
		})
	}
}
