package assign_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"huhang.example/services/matching/assign"
	"huhang.example/services/matching/assign/certificate"
)

func propose(t *testing.T, ask assign.Ask, rules *assign.Rules) map[string]assign.Item {
	t.Helper()
	got, err := assign.Propose(t.Context(), ask, rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := certificate.Verify(got.Problem, got.Solution); err != nil {
		t.Fatal(err)
	}
	items := map[string]assign.Item{}
	for _, item := range got.Items {
		if item.Zh == "" || item.En == "" || (item.CenterID != "") != (len(item.Terms) == 3) {
			t.Fatalf("%+v", item)
		}
		sum := int32(0)
		for _, term := range item.Terms {
			sum += term.Points
		}
		if sum != item.Points {
			t.Fatalf("the terms of %+v sum to %d", item, sum)
		}
		items[item.ReferralID] = item
	}
	return items
}

func liver(id, province, urgency string, days int32, choices ...assign.Choice) assign.Case {
	return assign.Case{ReferralID: id, Province: province, Organ: "LIVER", Urgency: urgency, DaysWaited: days, Choices: choices}
}

func TestUrgencyScoreAndTheExplanation(t *testing.T) {
	sh, nj := func(score int32) assign.Choice { return assign.Choice{CenterID: "C-SH-01", Score: score} }, func(score int32) assign.Choice {
		return assign.Choice{CenterID: "C-NJ-01", Score: score}
	}
	items := propose(t, assign.Ask{
		Places: []assign.Place{{CenterID: "C-SH-01", Organ: "LIVER", Free: 1}, {CenterID: "C-NJ-01", Organ: "LIVER", Free: 1}, {CenterID: "C-NJ-01", Organ: "HEART", Free: 5}},
		Cases: []assign.Case{
			liver("routine", "340000", "ROUTINE", 3, sh(9000), nj(6000)),
			liver("urgent", "340000", "URGENT", 0, sh(8000), nj(7000)),
			liver("late", "340000", "ROUTINE", 0, sh(2000), nj(1000)),
		},
	}, assign.Current())
	// Routine keeps SH for 3000 more than NJ; urgent would gain 2000 by it: all together routine gets SH.
	r, u, l := items["routine"], items["urgent"], items["late"]
	if r.CenterID != "C-SH-01" || u.CenterID != "C-NJ-01" || l.CenterID != "" {
		t.Fatalf("%+v", items)
	}
	if r.Next != "C-NJ-01" || r.NextCost != 1000 || r.Wished != "" {
		t.Errorf("routine: %+v", r)
	}
	if u.Wished != "C-SH-01" || u.Needs != assign.NeedsPlace || u.WishedCost != 1000 || u.Points != 34_000 {
		t.Errorf("urgent: %+v", u)
	}
	if l.Next == "" || l.NextCost <= 0 || l.Needs != assign.NeedsPlace || !strings.Contains(l.En, "Waits on") {
		t.Errorf("late: %+v", l)
	}
}

func TestQuotaBindsAllProgramsOfACenter(t *testing.T) {
	items := propose(t, assign.Ask{
		Places: []assign.Place{{CenterID: "C-SH-01", Organ: "LIVER", Free: 3}, {CenterID: "C-SH-01", Organ: "HEART", Free: 3}},
		Quotas: map[string]int32{"C-SH-01": 1},
		Cases: []assign.Case{
			liver("liver", "340000", "ROUTINE", 0, assign.Choice{CenterID: "C-SH-01", Score: 9000}),
			{ReferralID: "heart", Province: "340000", Organ: "HEART", Urgency: "URGENT", Choices: []assign.Choice{{CenterID: "C-SH-01", Score: 100}}},
		},
	}, assign.Current())
	if items["heart"].CenterID != "C-SH-01" || items["liver"].CenterID != "" || items["liver"].Needs != assign.NeedsQuota {
		t.Fatalf("%+v", items)
	}
}

// Two provinces, places for half of the cases: by points alone the better scored province takes all, by shares each gets
// what its weight declares.
func TestSharesBetweenProvinces(t *testing.T) {
	ask := assign.Ask{Places: []assign.Place{{CenterID: "C-SH-01", Organ: "LIVER", Free: 10}}}
	for n := range 10 {
		ask.Cases = append(ask.Cases,
			liver(fmt.Sprint("near", n), "340000", "ROUTINE", 0, assign.Choice{CenterID: "C-SH-01", Score: 9000}),
			liver(fmt.Sprint("far", n), "360000", "ROUTINE", 0, assign.Choice{CenterID: "C-SH-01", Score: 7000}))
	}
	for _, test := range []struct {
		name                   string
		belowShare, near, want int32
	}{{"no fairness", 0, 100, 0}, {"equal weights", 4000, 100, 5}, {"three to one", 4000, 300, 2}, {"worth less than the difference", 1000, 100, 0}} {
		rules := *assign.Current()
		rules.BelowShare, rules.ProvinceWeights = test.belowShare, map[string]int32{"340000": test.near}
		far := int32(0)
		for id, item := range propose(t, ask, &rules) {
			if strings.HasPrefix(id, "far") && item.CenterID != "" {
				far++
			}
		}
		if far != test.want {
			t.Errorf("%s: %d of the far province, want %d", test.name, far, test.want)
		}
	}
}

// The outcome does not depend on the order in which cases, choices and places are told.
func TestProposalDependsOnContentsAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	ask := assign.Ask{Quotas: map[string]int32{"C-0": 4, "C-3": 2}}
	for g := range 8 {
		ask.Places = append(ask.Places, assign.Place{CenterID: fmt.Sprint("C-", g), Organ: "LIVER", Free: r.Int32N(4)})
	}
	for n := range 40 {
		c := liver(fmt.Sprint("ref", n), fmt.Sprint("3", n%4, "0000"), "URGENT", r.Int32N(30))
		for g := range 8 {
			c.Choices = append(c.Choices, assign.Choice{CenterID: fmt.Sprint("C-", g), Score: r.Int32N(10_000)})
		}
		ask.Cases = append(ask.Cases, c)
	}
	want := propose(t, ask, assign.Current())
	for range 5 {
		r.Shuffle(len(ask.Cases), func(a, b int) { ask.Cases[a], ask.Cases[b] = ask.Cases[b], ask.Cases[a] })
		r.Shuffle(len(ask.Places), func(a, b int) { ask.Places[a], ask.Places[b] = ask.Places[b], ask.Places[a] })
		for _, c := range ask.Cases {
			r.Shuffle(len(c.Choices), func(a, b int) { c.Choices[a], c.Choices[b] = c.Choices[b], c.Choices[a] })
		}
		for id, item := range propose(t, ask, assign.Current()) {
			if w := want[id]; w.CenterID != item.CenterID || w.Points != item.Points {
				t.Fatalf("%s: %+v and %+v", id, w, item)
			}
		}
	}
}

func TestBadAsks(t *testing.T) {
	place := []assign.Place{{CenterID: "C-1", Organ: "LIVER", Free: 1}}
	one := liver("a", "", "ROUTINE", 0, assign.Choice{CenterID: "C-1", Score: 1})
	for name, ask := range map[string]assign.Ask{
		"a case twice":     {Cases: []assign.Case{one, one}},
		"no urgency":       {Cases: []assign.Case{liver("a", "", "SOON", 0)}},
		"a score too high": {Places: place, Cases: []assign.Case{liver("a", "", "ROUTINE", 0, assign.Choice{CenterID: "C-1", Score: 10_001})}},
		"a choice twice":   {Places: place, Cases: []assign.Case{liver("a", "", "ROUTINE", 0, one.Choices[0], one.Choices[0])}},
		"a place twice":    {Places: slices.Concat(place, place)},
		"less than none":   {Places: []assign.Place{{CenterID: "C-1", Free: -1}}},
		"negative quota":   {Places: place, Quotas: map[string]int32{"C-1": -1}},
	} {
		if _, err := assign.Propose(t.Context(), ask, assign.Current(), nil); err == nil {
			t.Errorf("%s passed", name)
		}
	}
}

func TestParseRules(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"version":"1"}`, `{"version":"1","surprise":1}`,
		`{"version":"1","urgency":{"ROUTINE":1,"URGENT":1,"EMERGENCY":1},"province_weights":{"34":1}}`,
		`{"version":"1","urgency":{"ROUTINE":1,"URGENT":1,"EMERGENCY":200001}}`,
		`{"version":"1","urgency":{"ROUTINE":1,"URGENT":1,"EMERGENCY":1,"SOON":1}}`,
		`{"version":"1","urgency":{"ROUTINE":1,"URGENT":1,"EMERGENCY":1},"placed":-1}`,
		`{"version":"1","urgency":{"ROUTINE":1,"URGENT":1,"EMERGENCY":1},"day_waited":1000,"days_most":1001}`,
	} {
		if _, err := assign.ParseRules([]byte(text)); err == nil {
			t.Errorf("%s passed", text)
		}
	}
}
