package clinical_test

import (
	"testing"

	"pgregory.net/rapid"

	"huhang.example/services/patient/clinical"
)

func f(x float64) *float64 { return &x }

func liver(bilirubin, sodium, inr, creatinine, albumin float64) *clinical.Clinical {
	return &clinical.Clinical{Organ: "LIVER", Labs: &clinical.Labs{
		Bilirubin: &clinical.Quantity{Value: bilirubin, Unit: clinical.MgPerDL}, Creatinine: &clinical.Quantity{Value: creatinine, Unit: clinical.MgPerDL},
		Albumin: &clinical.Quantity{Value: albumin, Unit: clinical.GPerDL}, Sodium: f(sodium), INR: f(inr),
	}}
}

func person(age int, female bool) clinical.Person {
	return clinical.Person{Months: 12 * age, RegisteredMonths: 12 * age, Female: female}
}

func score(t *testing.T, name string, c *clinical.Clinical, age int, female bool) clinical.Score {
	t.Helper()
	for _, s := range clinical.Scores(c, person(age, female)) {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no %s was computed", name)
	return clinical.Score{}
}

// The published checks of MELD 3.0.
func TestMELD3(t *testing.T) {
	for _, c := range []struct {
		female                                      bool
		bilirubin, sodium, inr, creatinine, albumin float64
		want                                        float64
	}{
		{false, 2.5, 131, 1.0, 1.2, 3.8, 16},
		{true, 2.5, 131, 1.0, 1.2, 3.8, 17},
		{false, 12, 128, 2.2, 1.8, 2.0, 34},
		{false, 0.2, 150, 0.6, 0.1, 5, 6},
		{true, 60, 110, 9, 8, 1, 40},
	} {
		if got := score(t, "MELD 3.0", liver(c.bilirubin, c.sodium, c.inr, c.creatinine, c.albumin), 47, c.female); got.Value != c.want {
			t.Errorf("%+v: %v", c, got.Value)
		}
	}
}

// The same blood in other units gives the same score.
func TestUnitsAreConverted(t *testing.T) {
	mine := liver(12, 128, 2.2, 1.8, 2.0)
	theirs := liver(12, 128, 2.2, 1.8, 2.0)
	theirs.Labs.Bilirubin = &clinical.Quantity{Value: 12 * 17.1, Unit: clinical.UmolPerL}
	theirs.Labs.Creatinine = &clinical.Quantity{Value: 1.8 * 88.4, Unit: clinical.UmolPerL}
	theirs.Labs.Albumin = &clinical.Quantity{Value: 20, Unit: clinical.GPerL}
	for _, name := range []string{"MELD", "MELD-Na", "MELD 3.0"} {
		if a, b := score(t, name, mine, 47, false), score(t, name, theirs, 47, false); a.Value != b.Value {
			t.Errorf("%s: %v in mg/dL, %v in umol/L", name, a.Value, b.Value)
		}
	}
}

func TestChildPugh(t *testing.T) {
	c := liver(1.5, 140, 1.5, 1, 4)
	c.Liver = &clinical.Liver{Ascites: 1, Encephalopathy: 1}
	if s := score(t, "Child-Pugh", c, 47, false); s.Value != 5 || s.Grade != "A" {
		t.Errorf("got %v %s", s.Value, s.Grade)
	}
	c = liver(3.1, 140, 2.4, 1, 2.7)
	c.Liver = &clinical.Liver{Ascites: 3, Encephalopathy: 3}
	if s := score(t, "Child-Pugh", c, 47, false); s.Value != 15 || s.Grade != "C" {
		t.Errorf("got %v %s", s.Value, s.Grade)
	}
	c.Liver.Ascites = 0
	for _, s := range clinical.Scores(c, person(47, false)) {
		if s.Name == "Child-Pugh" {
			t.Error("a score was computed without ascites")
		}
	}
}

// The terms of PELD stand with what they belong to: 0.436 with the age at registration, 0.667 with growth.
func TestPELD(t *testing.T) {
	c := liver(10, 140, 1.5, 0.4, 2.8)
	// 0.480 ln 10 + 1.857 ln 1.5 - 0.687 ln 2.8 = 1.1509
	for _, k := range []struct {
		name               string
		months, registered int
		z                  float64
		want               float64
	}{
		{"registered at two years", 30, 24, -1, 12},
		{"registered under one, still under 24 months", 23, 11, -1, 16},
		{"registered under one, 24 months now", 24, 11, -1, 12},
		{"registered at one year", 13, 12, -1, 12},
		{"small", 30, 24, -2.01, 18},
		{"exactly two deviations is not small", 30, 24, -2, 12},
		{"both", 11, 11, -3, 23},
	} {
		c.Child = &clinical.Child{HeightZ: f(k.z)}
		scores := clinical.Scores(c, clinical.Person{Months: k.months, RegisteredMonths: k.registered})
		if len(scores) != 1 || scores[0].Name != "PELD" || scores[0].Value != k.want {
			t.Errorf("%s: %+v, want %v", k.name, scores, k.want)
		}
	}
	c.Child = &clinical.Child{WeightZ: f(-2.5)}
	if s := score(t, "PELD", c, 5, true); s.Value != 18 || s.Inputs["growth_failure"] != 1 || s.Formula == "" {
		t.Errorf("by weight: %+v", s)
	}
	c.Child = nil
	if s := clinical.Scores(c, person(5, true)); len(s) != 0 {
		t.Errorf("without growth: %+v", s)
	}
	well := liver(0.3, 140, 0.9, 0.4, 0.9)
	well.Child = &clinical.Child{HeightZ: f(0)}
	if s := score(t, "PELD", well, 5, false); s.Value != 0 {
		t.Errorf("floors: %+v", s)
	}
}

// Who was registered at 12 to 17 keeps the adolescents' formula; the sex term is left out, and says so.
func TestAdolescents(t *testing.T) {
	c := liver(2.5, 131, 1.0, 1.2, 3.8)
	value := func(months, registered int, female bool) clinical.Score {
		for _, s := range clinical.Scores(c, clinical.Person{Months: months, RegisteredMonths: registered, Female: female}) {
			if s.Name == "MELD 3.0" {
				return s
			}
		}
		return clinical.Score{}
	}
	girl, boy := value(16*12, 15*12, true), value(16*12, 15*12, false)
	if girl.Value != boy.Value || girl.Note == "" || girl.Value != 17 {
		t.Errorf("%+v %+v", girl, boy)
	}
	if grown := value(20*12, 17*12+11, false); grown.Note == "" {
		t.Errorf("registered at 17, now 20: %+v", grown)
	}
	if late := value(20*12, 18*12, false); late.Note != "" || late.Value != 16 {
		t.Errorf("registered at 18: %+v", late)
	}
	if early := value(13*12, 11*12, false); early.Note != "" {
		t.Errorf("registered at 11: %+v", early)
	}
}

func TestCPRAIsAsGiven(t *testing.T) {
	s := clinical.Scores(&clinical.Clinical{Organ: "KIDNEY", CPRAPercent: f(87.5), Immunology: &clinical.Immunology{CPRATestedOn: "2026-10-01"}}, person(30, true))
	if len(s) != 1 || s[0].Value != 87.5 || s[0].TestDate != "2026-10-01" || s[0].Formula == "" {
		t.Errorf("%+v", s)
	}
}

// MELD rises with each value, MELD 3.0 stays in its range, and a table by hand agrees with the formula.
func TestScoresMoveAsTheyShould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string, lo, hi float64) float64 { return rapid.Float64Range(lo, hi).Draw(t, name) }
		b, na, inr, cr, alb := draw("bilirubin", 0.05, 60), draw("sodium", 100, 180), draw("inr", 0.5, 15), draw("creatinine", 0.05, 20), draw("albumin", 0.8, 7)
		female := rapid.Bool().Draw(t, "female")
		get := func(c *clinical.Clinical) map[string]float64 {
			out := map[string]float64{}
			for _, s := range clinical.Scores(c, person(40, female)) {
				out[s.Name] = s.Value
			}
			return out
		}
		base := get(liver(b, na, inr, cr, alb))
		worse := get(liver(b, na, inr*draw("more", 1, 3), cr, alb))
		for name, v := range base {
			if v < 6 || v > 40 {
				t.Fatalf("%s is %v", name, v)
			}
			if worse[name] < v {
				t.Fatalf("%s fell from %v to %v with a higher INR", name, v, worse[name])
			}
		}
		dialysis := liver(b, na, inr, cr, alb)
		dialysis.Labs.Dialysis = true
		if d := get(dialysis); d["MELD"] < base["MELD"] || d["MELD 3.0"] < base["MELD 3.0"] {
			t.Fatalf("dialysis lowers: %v %v", base, d)
		}
	})
}
