package split_test

import (
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// The year's sums do not depend on the order in which its bills arrive, to the fen and beyond caps, where the policy
// measures over the year; stays and outpatient visits are in one year.
func TestOrderOfBillsDoesNotMatter(t *testing.T) {
	b := book(t)
	rapid.Check(t, func(t *rapid.T) {
		p, _ := b.Policy(rapid.SampledFrom(insured).Draw(t, "insured"), day)
		who, stay := person(t), split.Stay{Filing: rapid.SampledFrom(policy.Filings()).Draw(t, "filing"), Province: where(t)}
		bills := rapid.SliceOfN(rapid.Custom(totals), 2, 6).Draw(t, "bills")
		order := rapid.Permutation(bills).Draw(t, "order")
		pay := func(bills []split.Totals) (year split.Counters, cash money.Fen) {
			for _, x := range bills {
				r, err := split.Split(p, who, stay, x, year)
				if err != nil {
					t.Fatal(err)
				}
				year, cash = year.Plus(r.Used), cash+r.Pays(split.Cash)
			}
			return year, cash
		}
		one, oneCash := pay(bills)
		other, otherCash := pay(order)
		if one != other || oneCash != otherCash {
			t.Fatalf("%+v, cash %s\n%+v, cash %s", one, oneCash, other, otherCash)
		}
	})
}

// Negative control: with a deductible at every stay the order may matter, and the property would notice.
func TestOrderMattersWhereThePolicySaysSo(t *testing.T) {
	p := shipped(t, "360000")
	terms, _ := p.Terms(policy.Resident)
	terms.Basic.DeductibleOver = policy.Stay
	who, stay := split.Person{Scheme: policy.Resident}, split.Stay{Filing: policy.LongTerm, Province: "310000"}
	inScope := func(x money.Fen) split.Totals {
		return split.Totals{Total: x, InScope: x, CatalogueVersion: "c", HospitalLevel: 3}
	}
	var year split.Counters
	for range 2 {
		year = year.Plus(must(t, p, who, stay, inScope(100_000), year).Used)
	}
	if year.Deductible != 120_000 {
		t.Fatalf("two stays were charged %s", year.Deductible)
	}
	// Within one referral it goes on (连续计算).
	terms.Basic.Continuous = true
	stay.ReferralDeductible = 60_000
	if r := must(t, p, who, stay, inScope(100_000), split.Counters{}); r.Used.Deductible != 0 {
		t.Fatalf("the other end of the referral was charged again: %s", r.Used.Deductible)
	}
	stay.ReferralDeductible = 40_000 // the first hospital was of a lower level
	if r := must(t, p, who, stay, inScope(100_000), split.Counters{}); r.Used.Deductible != 20_000 {
		t.Fatalf("charged %s for the difference between the levels", r.Used.Deductible)
	}
}

// A bill cut in two pays as the whole does, but for the class-B and first-pay roundings that are the bill's own.
func TestABillCutInTwo(t *testing.T) {
	p := shipped(t, "340000")
	rapid.Check(t, func(t *rapid.T) {
		who, stay := person(t), split.Stay{Filing: policy.Referral, Province: "310000"}
		whole := fen(200_000_000).Draw(t, "whole")
		cut := money.Fen(rapid.Int64Range(0, int64(whole)).Draw(t, "cut"))
		var year split.Counters
		for _, x := range []money.Fen{cut, whole - cut} {
			r, err := split.Split(p, who, stay, split.Totals{Total: x, InScope: x, HospitalLevel: 3}, year)
			if err != nil {
				t.Fatal(err)
			}
			year = year.Plus(r.Used)
		}
		r, err := split.Split(p, who, stay, split.Totals{Total: whole, InScope: whole, HospitalLevel: 3}, split.Counters{})
		if err != nil || r.Used != year {
			t.Fatalf("%v: whole %+v, cut %+v", err, r.Used, year)
		}
	})
}

// Outpatient anti-rejection drugs: Jiangxi has no deductible, inpatient ratios and a shared cap.
func TestOutpatientAntiRejection(t *testing.T) {
	p := shipped(t, "360000")
	who := split.Person{Scheme: policy.Resident}
	visit := split.Stay{Filing: policy.Referral, Province: "310000", Disease: policy.AntiRejection}
	totals := split.Totals{Total: yuan(t, "10000"), InScope: yuan(t, "10000"), CatalogueVersion: "c", HospitalLevel: 3}
	r := must(t, p, who, visit, totals, split.Counters{})
	pays(t, r, map[split.Payer]string{split.Basic: "5400", split.Cash: "4600"}) // (10000 - 10 %) x 60 %
	if r.Used.Deductible != 0 || r.Used.OutpatientDeductible != 0 || r.Used.Basic != r.Pays(split.Basic) || r.Used.Outpatient != r.Used.Basic {
		t.Errorf("used %+v", r.Used)
	}
	nearCap := split.Counters{Basic: yuan(t, "98000")}
	if got := must(t, p, who, visit, totals, nearCap).Pays(split.Basic); got != yuan(t, "2000") {
		t.Errorf("beyond the shared cap: %s", got)
	}
	// Hebei: its own deductible, ratio and cap, and nothing off elsewhere.
	hebei := must(t, shipped(t, "130000"), who, visit, totals, split.Counters{})
	pays(t, hebei, map[split.Payer]string{split.Basic: "5700", split.Cash: "4300"}) // (10000 - 500) x 60 %
	if hebei.Used.OutpatientDeductible != yuan(t, "500") || hebei.Used.Deductible != 0 {
		t.Errorf("used %+v", hebei.Used)
	}
	own := split.Counters{Outpatient: yuan(t, "59000"), OutpatientDeductible: yuan(t, "500")}
	if got := must(t, shipped(t, "130000"), who, visit, totals, own).Pays(split.Basic); got != yuan(t, "1000") {
		t.Errorf("beyond its own cap: %s", got)
	}
	who.Scheme, visit.Disease = policy.Resident, "dialysis"
	if _, err := split.Split(p, who, visit, totals, split.Counters{}); err == nil {
		t.Error("a disease without terms was settled")
	}
}

// Commercial plan, charity, grant and personal account pay in this order, to those enrolled.
func TestLaterLayers(t *testing.T) {
	p := shipped(t, "360000")
	who := split.Person{Scheme: policy.Employee, Groups: []policy.Group{policy.Subsistence}, Plans: []string{"sample-huimin", "sample-charity", "sample-grant"}, Account: yuan(t, "3000")}
	stay := split.Stay{Filing: policy.Other, Province: "310000"}
	totals := split.Totals{Total: yuan(t, "300000"), OutOfCatalogue: yuan(t, "50000"), InScope: yuan(t, "250000"), CatalogueVersion: "c", HospitalLevel: 3}
	r := must(t, p, who, stay, totals, split.Counters{})
	// In scope 250,000, first-pay 50,000, deductible 800; basic 85 % of 199,200, capped at 100,000, reached at 117,647.06:
	// 81,552.94 lie beyond, 90 % of them 73,397.65. Of the compliant 26,602.35 aid pays 70 %: 18,621.65. The plan counts
	// the first-pay: (57,980.70 - 20,000) x 50 %; the fund 20 % of 88,990.35; the grant 5,000; the account 3,000.
	pays(t, r, map[split.Payer]string{
		split.Basic: "100000", split.SecondLayer: "73397.65", split.Assistance: "18621.65", split.Commercial: "18990.35",
		split.Charity: "17798.07", split.Grant: "5000", split.PersonalAccount: "3000", split.Cash: "63192.28",
	})
	if r.Funds() != r.Total-r.Pays(split.Cash) {
		t.Errorf("funds %s", r.Funds())
	}
	again := must(t, p, who, stay, totals, split.Counters{}.Plus(r.Used))
	if again.Pays(split.PersonalAccount) != 0 || again.Pays(split.Grant) != 0 || again.Pays(split.Charity) != yuan(t, "2201.93") {
		t.Errorf("the second bill of the year: %+v", again.Shares)
	}
	who.Plans, who.Account = nil, 0
	for _, s := range must(t, p, who, stay, totals, split.Counters{}).Shares {
		if s.Payer == split.Commercial || s.Payer == split.Charity || s.Payer == split.Grant || s.Payer == split.PersonalAccount {
			t.Errorf("%s pays for somebody who is not in it", s.Payer)
		}
	}
}

// Tilt aid is for treatment inside the province; no assistance where the filing excludes it.
func TestTiltAndExclusions(t *testing.T) {
	who := split.Person{Scheme: policy.Resident, Groups: []policy.Group{policy.Subsistence}}
	totals := split.Totals{Total: yuan(t, "200000"), InScope: yuan(t, "200000"), CatalogueVersion: "c", HospitalLevel: 3}
	p := shipped(t, "130000")
	away := must(t, p, who, split.Stay{Filing: policy.Referral, Province: "310000"}, totals, split.Counters{})
	if away.Used.Tilt != 0 {
		t.Errorf("tilt aid outside the province: %s", away.Used.Tilt)
	}
	home := must(t, p, who, split.Stay{Filing: policy.Referral, Province: "130000"}, totals, split.Counters{})
	if home.Used.Tilt == 0 || home.Pays(split.Assistance) != home.Used.Tilt+home.Used.Assistance {
		t.Errorf("tilt aid at home: %+v", home.Used)
	}
	unfiled := must(t, p, who, split.Stay{Filing: policy.Unfiled, Province: "310000"}, totals, split.Counters{})
	if unfiled.Pays(split.Assistance) != 0 {
		t.Errorf("assistance for an unfiled stay: %s", unfiled.Pays(split.Assistance))
	}
}

// A deductible may be a share of last year's income: a quarter of 34,500 for those impoverished by illness.
func TestDeductibleByIncome(t *testing.T) {
	totals := split.Totals{Total: yuan(t, "20000"), InScope: yuan(t, "20000"), CatalogueVersion: "c", HospitalLevel: 3}
	who := split.Person{Scheme: policy.Resident, Groups: []policy.Group{policy.IllnessPoverty}}
	r := must(t, shipped(t, "360000"), who, split.Stay{Filing: policy.LongTerm, Province: "310000"}, totals, split.Counters{})
	// Basic 60 % of 19,400; 8,360 are left, less than the 8,625 that go first.
	if got := r.Pays(split.Assistance); got != 0 {
		t.Errorf("assistance pays %s below its deductible", got)
	}
	if r := must(t, shipped(t, "360000"), who, split.Stay{Filing: policy.LongTerm, Province: "310000"}, totals, split.Counters{AssistanceBase: yuan(t, "8625")}); r.Pays(split.Assistance) != yuan(t, "4180") {
		t.Errorf("assistance pays %s above it", r.Pays(split.Assistance))
	}
}

// Once the cap is reached every further fen lies beyond it, also one for which rounding owes nothing.
func TestAFenBeyondTheCap(t *testing.T) {
	p := shipped(t, "130000")
	who, stay := split.Person{Scheme: policy.Employee}, split.Stay{Filing: policy.LongTerm, Province: "310000"}
	inScope := func(x money.Fen) split.Totals { return split.Totals{Total: x, InScope: x, HospitalLevel: 3} }
	var year split.Counters
	for _, x := range []money.Fen{1, 120_000_000, 1} {
		year = year.Plus(must(t, p, who, stay, inScope(x), year).Used)
	}
	// 350,000 at 50 % are reached at 700,000 (a fen less for the half that is rounded up), after 2,000 of deductible.
	if want := money.Fen(120_000_002 - 200_000 - 69_999_999); year.SecondBase != want {
		t.Errorf("beyond the cap lie %s, want %s", year.SecondBase, want)
	}
}

// The best of two identities is told with its cap: 70 % up to 50,000 is less than 60 % without one.
func TestTheBestIdentityCountsItsCap(t *testing.T) {
	text, err := os.ReadFile("../policy/sample/policy-340000.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.ParsePolicy([]byte(strings.Replace(string(text), "{group: destitute, ratio: 10000,", "{group: destitute, ratio: 6000,", 1)))
	if err != nil {
		t.Fatal(err)
	}
	who := split.Person{Scheme: policy.Employee, Groups: []policy.Group{policy.Destitute, policy.Subsistence}}
	stay := split.Stay{Filing: policy.Unfiled, Province: "310000"}
	totals := split.Totals{Total: 30_000_000, InScope: 30_000_000, HospitalLevel: 3}
	r := must(t, p, who, stay, totals, split.Counters{})
	left := r.Total - r.Pays(split.Basic) - r.Pays(split.SecondLayer)
	if want := left * 6 / 10; want <= 6_000_000 || r.Pays(split.Assistance) != want {
		t.Errorf("assistance pays %s of %s, want %s", r.Pays(split.Assistance), left, want)
	}
}
