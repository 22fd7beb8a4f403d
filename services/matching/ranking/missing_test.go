package ranking

import (
	"slices"
	"strings"
	"testing"

	"huhang.example/services/matching/directory"
)

// What is missing excludes nobody, and is named in both languages with the centers and terms it would change.
func TestMissing(t *testing.T) {
	in := sample()
	in.Patient = Patient{Age: 47, Tumour: &Tumour{}}
	for i := range in.Candidates {
		c := &in.Candidates[i]
		c.DoorToDoor, c.FreeBeds, c.SelfPay = nil, nil, nil
		if p := c.Center.Program("LIVER"); p != nil {
			p.Licence, p.Open = directory.Licence{ValidFrom: "2020-01-01", ValidTo: "2030-01-01"}, true
			p.Criteria.MaxAge, p.Criteria.CallInMinutes = nil, 60
			p.SurvivalTier, p.MedianWaitDays, p.Capacity = 0, 0, nil
		}
	}
	in.Preferred = []string{"C-XX-01"}
	in.Refused = []string{"C-XX-02"}
	out := Rank(in, current())
	if len(out.Ranked) != 9 || len(out.Excluded) != 1 {
		t.Fatalf("%d ranked, %d excluded", len(out.Ranked), len(out.Excluded))
	}
	named := map[string]Gap{}
	for _, g := range out.Missing {
		named[g.Datum+" "+g.Code+g.Term] = g
	}
	for _, test := range []struct {
		what    string
		centers int
	}{
		{"clinical ", 0},
		{"height_cm, weight_kg BMI", 2},
		{"previous_transplants RETRANSPLANT", 1},
		{"active_infection ACTIVE_INFECTION", 9},
		{"hiv_positive HIV", 9},
		{"hcv_positive INFECTION", 9},
		{"liver.hcc HCC_BEYOND_CRITERIA", 9},
		{"door_to_door_minutes CALL_IN_WINDOW", 9},
		{"door_to_door_minutes door_to_door", 9},
		{"capacity capacity", 9},
		{"median_wait_days wait", 9},
		{"survival_tier survival", 9},
		{"estimated_self_pay self_pay", 9},
		{"preferred_centers preference", 1},
		{"refused_centers PATIENT_REFUSES", 1},
	} {
		g, ok := named[test.what]
		if !ok || len(g.Centers) != test.centers || g.Zh == "" || !strings.HasSuffix(g.En, ".") {
			t.Errorf("%s: %+v", test.what, g)
		}
	}
	if _, ok := named["hbv_positive INFECTION"]; ok {
		t.Error("what every program accepts is missed by none")
	}
	for g, text := range gapTexts {
		if text.datum == "" || text.En == "" || text.Zh == "" || text.code == "" && text.term == "" {
			t.Errorf("gap %d has no words", g)
		}
	}
}

// A datum that cannot be true is doubted aloud and excludes nobody: a typo is not an empty list.
func TestTypos(t *testing.T) {
	right := Rank(sample(), current())
	for _, test := range []struct {
		name, datum string
		change      func(*Patient)
	}{
		{"a height in metres", "height_cm, weight_kg", func(p *Patient) { p.BMI = ptr(239_000.0) }},
		{"a weight in jin of grams", "height_cm, weight_kg", func(p *Patient) { p.BMI = ptr(0.24) }},
		{"a nodule in millimetres", "liver.hcc_nodules_cm", func(p *Patient) { p.Tumour.NodulesCm = []float64{34, 21} }},
		{"a nodule below nothing", "liver.hcc_nodules_cm", func(p *Patient) { p.Tumour.NodulesCm = []float64{-3} }},
	} {
		in := sample()
		test.change(&in.Patient)
		out := Rank(in, current())
		if len(out.Ranked) < len(right.Ranked) {
			t.Errorf("%s: %d ranked of %d", test.name, len(out.Ranked), len(right.Ranked))
		}
		if !slices.ContainsFunc(out.Missing, func(g Gap) bool {
			return g.Datum == test.datum && strings.Contains(g.En, "cannot be") && strings.Contains(g.Zh, "不合理")
		}) {
			t.Errorf("%s is not doubted: %+v", test.name, out.Missing)
		}
	}
}

// Where no center is left, the datum that alone keeps centers out is named.
func TestHints(t *testing.T) {
	in := sample()
	in.Patient.BMI, in.Refused = ptr(99.0), nil // believed, but for most a typo
	for i := range in.Candidates {
		if p := in.Candidates[i].Center.Program("LIVER"); p != nil {
			p.Criteria.MaxBMI = ptr(35.0)
		}
	}
	out := Rank(in, current())
	if len(out.Ranked) != 0 || len(out.Hints) != 2 {
		t.Fatalf("%d ranked: %+v", len(out.Ranked), out.Hints)
	}
	if !strings.Contains(out.Hints[0].En, "of 10 in the directory 9") || !strings.Contains(out.Hints[1].En, "Body mass index 99.0") ||
		!strings.Contains(out.Hints[1].En, "C-SH-01") || !strings.Contains(out.Hints[1].Zh, "体重指数99.0") {
		t.Fatalf("%+v", out.Hints)
	}
	if hints := Rank(sample(), current()).Hints; hints != nil {
		t.Fatalf("there are centers left: %+v", hints)
	}
	none := Rank(Input{At: at, Organ: "LIVER"}, current())
	if len(none.Ranked)+len(none.Excluded) != 0 || len(none.Hints) != 1 {
		t.Fatalf("an empty directory: %+v", none)
	}
}
