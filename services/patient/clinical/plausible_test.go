package clinical_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/fault"
	"huhang.example/services/patient/clinical"
)

var now = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

func quantity(v float64, unit string) *clinical.Quantity {
	return &clinical.Quantity{Value: v, Unit: unit}
}

// A value in the wrong unit is refused with the unit it was probably given in; the value itself is not told.
func TestMistakenUnitsAreNamed(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		name             string
		c                clinical.Clinical
		field, suspected string
		reason           fault.Reason
	}{
		{"creatinine of 97 mg/dL", clinical.Clinical{Labs: &clinical.Labs{Creatinine: quantity(97, clinical.MgPerDL)}}, "clinical.labs.creatinine_mg_dl", clinical.UmolPerL, fault.ValueImplausible},
		{"creatinine of 1.1 umol/L", clinical.Clinical{Labs: &clinical.Labs{Creatinine: quantity(1.1, clinical.UmolPerL)}}, "clinical.labs.creatinine_umol_l", clinical.MgPerDL, fault.ValueImplausible},
		{"bilirubin of 300 mg/dL", clinical.Clinical{Labs: &clinical.Labs{Bilirubin: quantity(300, clinical.MgPerDL)}}, "clinical.labs.bilirubin_mg_dl", clinical.UmolPerL, fault.ValueImplausible},
		{"albumin of 3.9 g/L", clinical.Clinical{Labs: &clinical.Labs{Albumin: quantity(3.9, clinical.GPerL)}}, "clinical.labs.albumin_g_l", clinical.GPerDL, fault.ValueImplausible},
		{"albumin of 39 g/dL", clinical.Clinical{Labs: &clinical.Labs{Albumin: quantity(39, clinical.GPerDL)}}, "clinical.labs.albumin_g_dl", clinical.GPerL, fault.ValueImplausible},
		{"height in metres", clinical.Clinical{HeightCm: f(1.72)}, "clinical.height_cm", "m", fault.ValueImplausible},
		{"a newborn's weight in grams", clinical.Clinical{WeightKg: f(3200)}, "clinical.weight_kg", "g", fault.ValueImplausible},
		{"an ejection fraction as a fraction", clinical.Clinical{Heart: &clinical.Heart{LVEFPercent: f(0.25)}}, "clinical.heart.lvef_percent", "fraction", fault.ValueImplausible},
		{"nodules in mm", clinical.Clinical{Liver: &clinical.Liver{NodulesCm: []float64{2, 35}}}, "clinical.liver.hcc_nodules_cm", "mm", fault.ValueImplausible},
		{"PVR of 240 Wood", clinical.Clinical{Heart: &clinical.Heart{PVRWood: f(240)}}, "clinical.heart.pvr_wood", "dyn.s/cm5", fault.ValueImplausible},
		{"pCO2 of 5.5 mmHg", clinical.Clinical{Lung: &clinical.Lung{PCO2MmHg: f(5.5)}}, "clinical.lung.pco2_mmhg", "kPa", fault.ValueImplausible},
		{"nothing explains it", clinical.Clinical{HeightCm: f(0.25), Child: nil}, "clinical.height_cm", "m", fault.ValueImplausible},
		{"a z-score of 40", clinical.Clinical{Child: &clinical.Child{HeightZ: f(40)}}, "clinical.child.height_z", "", fault.ValueImplausible},
		{"tomorrow", clinical.Clinical{Labs: &clinical.Labs{TestDate: "2026-11-23"}}, "clinical.labs.test_date", "", fault.TimeInvalid},
		{"no day", clinical.Clinical{Heart: &clinical.Heart{VADSinceOn: "2026-02-30"}}, "clinical.heart.vad_since_on", "", fault.TimeInvalid},
		{"before birth", clinical.Clinical{Kidney: &clinical.Kidney{DialysisStart: "1979-03-11"}}, "clinical.kidney.dialysis_start", "", fault.TimeInvalid},
		{"in a list", clinical.Clinical{Malignancies: []clinical.Malignancy{{}, {RemissionOn: "2027-01-01"}}}, "clinical.malignancies[1].remission_on", "", fault.TimeInvalid},
		{"remission before diagnosis", clinical.Clinical{Malignancies: []clinical.Malignancy{{DiagnosedOn: "2020-01-02", RemissionOn: "2020-01-01"}}}, "clinical.malignancies[0].remission_on", "", fault.TimeInvalid},
		{"active in remission", clinical.Clinical{Malignancies: []clinical.Malignancy{{RemissionOn: "2020-01-01", Active: &yes}}}, "clinical.malignancies[0].active", "", fault.FieldInvalid},
		{"HIV both ways", clinical.Clinical{HIVPositive: &no, Serology: &clinical.Serology{HIV: "POSITIVE"}}, "clinical.serology.hiv", "", fault.FieldInvalid},
		{"cancer both ways", clinical.Clinical{NoMalignancy: &yes, Malignancies: []clinical.Malignancy{{}}}, "clinical.no_malignancy", "", fault.FieldInvalid},
		{"a peak below the present", clinical.Clinical{CPRAPercent: f(50), Immunology: &clinical.Immunology{CPRAPeakPercent: f(40)}}, "clinical.immunology.cpra_peak_percent", "", fault.FieldInvalid},
		{"a peak class I below the present", clinical.Clinical{Immunology: &clinical.Immunology{PRAClass1Percent: f(50), PRAClass1PeakPercent: f(40)}}, "clinical.immunology.pra_class1_peak_percent", "", fault.FieldInvalid},
		{"a peak class II below the present", clinical.Clinical{Immunology: &clinical.Immunology{PRAClass2Percent: f(50), PRAClass2PeakPercent: f(40)}}, "clinical.immunology.pra_class2_peak_percent", "", fault.FieldInvalid},
		{"active tuberculosis, and no infection", clinical.Clinical{ActiveInfection: &no, Serology: &clinical.Serology{TuberculosisActive: &yes}}, "clinical.serology.tuberculosis_active", "", fault.FieldInvalid},
		{"needs what is not accepted", clinical.Clinical{NeedsABOIncompat: true}, "clinical.needs_abo_incompatible", "", fault.FieldInvalid},
		{"two counts", clinical.Clinical{PreviousTransplants: 2, Transplants: []clinical.Transplant{{Organ: "KIDNEY"}}}, "clinical.previous_transplants", "", fault.FieldInvalid},
	} {
		err := clinical.Check(&c.c, "1979-03-12", now)
		got, _ := fault.As(err)
		if !fault.Is(err, c.reason) || got.Field != c.field || got.Meta["suspected_unit"] != c.suspected {
			t.Errorf("%s: %v %v", c.name, err, got)
		}
	}
	whole := liver(12, 128, 2.2, 1.8, 2.0)
	whole.HeightCm, whole.WeightKg, whole.Labs.TestDate = f(172), f(70), "2026-11-22"
	if err := clinical.Check(whole, "1979-03-12", now); err != nil {
		t.Errorf("a plausible record: %v", err)
	}
}

// Whatever numbers come, the answer is a fault or a record whose scores are finite and in range.
func FuzzValues(fz *testing.F) {
	fz.Add(97.0, 12.0, 39.0, 1.2, 133.0, true)
	fz.Add(1.1, 0.7, 3.9, 20.0, 90.0, false)
	fz.Fuzz(func(t *testing.T, creatinine, bilirubin, albumin, inr, sodium float64, si bool) {
		for _, v := range []float64{creatinine, bilirubin, albumin, inr, sodium} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return // no bound of the contract lets them in
			}
		}
		if inr < 0.5 || inr > 20 || sodium < 90 || sodium > 200 {
			return
		}
		c := liver(bilirubin, sodium, inr, creatinine, albumin)
		if si {
			c.Labs.Creatinine, c.Labs.Bilirubin, c.Labs.Albumin = quantity(creatinine, clinical.UmolPerL), quantity(bilirubin, clinical.UmolPerL), quantity(albumin, clinical.GPerL)
		}
		if clinical.Check(c, "1979-03-12", now) != nil {
			return
		}
		for _, s := range clinical.Scores(c, person(47, true)) {
			if math.IsNaN(s.Value) || s.Value < 5 || s.Value > 40 {
				t.Errorf("%s is %v", s.Name, s.Value)
			}
		}
	})
}

// A change is told exactly where two versions differ, and applying none changes nothing.
func TestChanges(t *testing.T) {
	a, b := liver(2, 133, 1.4, 1.1, 3), liver(2, 133, 1.5, 1.1, 3)
	b.HeightCm, a.DiagnosisCode = f(170), "K74.600"
	got := clinical.Changes(a, b)
	want := []clinical.Change{{"diagnosis_code", `"K74.600"`, ""}, {"height_cm", "", "170"}, {"labs.inr", "1.4", "1.5"}}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("%+v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(n string) float64 { return rapid.Float64Range(0.1, 60).Draw(t, n) }
		x := liver(draw("a"), draw("b"), draw("c"), draw("d"), draw("e"))
		y := *x
		labs := *x.Labs
		y.Labs = &labs
		if len(clinical.Changes(x, &y)) != 0 {
			t.Fatal("equal records differ")
		}
		labs.INR = f(*x.Labs.INR + 1)
		if c := clinical.Changes(x, &y); len(c) != 1 || c[0].Path != "labs.inr" {
			t.Fatalf("%+v", c)
		}
	})
}
