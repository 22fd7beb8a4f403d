package clinical_test

import (
	"testing"

	"huhang.example/services/patient/clinical"
)

func f(x float64) *float64 { return &x }

func liver(bilirubin, sodium, inr, creatinine, albumin float64) *clinical.Clinical {
	return &clinical.Clinical{Organ: "LIVER", Labs: &clinical.Labs{
		Bilirubin: &clinical.Quantity{Value: bilirubin, Unit: clinical.MgPerDL}, Creatinine: &clinical.Quantity{Value: creatinine, Unit: clinical.MgPerDL},
		Albumin: &clinical.Quantity{Value: albumin, Unit: clinical.GPerDL}, Sodium: f(sodium), INR: f(inr),
	}}
}

func score(t *testing.T, name string, c *clinical.Clinical, age int, female bool) clinical.Score {
	t.Helper()
	for _, s := range clinical.Scores(c, age, female) {
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
	for _, s := range clinical.Scores(c, 47, false) {
		if s.Name == "Child-Pugh" {
			t.Error("a score was computed without ascites")
		}
	}
}

// What is missing is named, and never refuses anything.
func TestMissing(t *testing.T) {
	if n := len(clinical.MissingData(&clinical.Clinical{Organ: "LIVER"})); n != 13 {
		t.Errorf("an empty liver record misses %d data", n)
	}
	full := liver(1, 140, 1, 1, 4)
	no := false
	full.DiagnosisCode, full.BloodGroup, full.HeightCm, full.WeightKg = "K74.600", "A", f(170), f(66)
	full.ActiveInfection, full.HIVPositive, full.Fitness, full.Liver = &no, &no, &clinical.Fitness{}, &clinical.Liver{HCC: &no}
	full.Labs.TestDate = "2026-11-01"
	if m := clinical.MissingData(full); len(m) != 0 {
		t.Errorf("a full record misses %v", m)
	}
	full.Labs.INR = nil
	if m := clinical.MissingData(full); len(m) != 1 || m[0].Path != "labs.inr" {
		t.Errorf("without INR: %v", m)
	}
}
