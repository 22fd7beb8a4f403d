package clinical_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"huhang.example/services/patient/clinical"
)

func paths(missing []clinical.Missing) []string {
	var all []string
	for _, m := range missing {
		all = append(all, m.Path)
	}
	return all
}

// Every organ's empty record says what it lacks, each with what that blocks; nothing is refused.
func TestEveryOrganSaysWhatIsMissing(t *testing.T) {
	for organ, want := range map[string]string{
		"LIVER": "labs.inr", "KIDNEY": "kidney.egfr", "HEART": "heart.pvr", "LUNG": "lung.fvc_percent", "PANCREAS": "pancreas.route", "SMALL_BOWEL": "small_bowel.tpn_start_on",
	} {
		missing := clinical.MissingData(&clinical.Clinical{Organ: organ}, person(47, false))
		if !slices.Contains(paths(missing), want) || slices.Contains(paths(missing), "child.height_z") {
			t.Errorf("%s: %v", organ, paths(missing))
		}
		for _, m := range missing {
			if len(m.Blocked) == 0 || m.BlocksEn == "" || m.BlocksZh == "" || m.Blocked[0].Organ != organ {
				t.Errorf("%s %s blocks nothing", organ, m.Path)
			}
		}
		young := clinical.MissingData(&clinical.Clinical{Organ: organ}, person(5, false))
		if !slices.Contains(paths(young), "child.guardian_consents") {
			t.Errorf("a child's %s: %v", organ, paths(young))
		}
	}
}

func TestWhatIsKnownIsNotMissing(t *testing.T) {
	no := false
	full := liver(1, 140, 1, 1, 4)
	full.DiagnosisCode, full.BloodGroup, full.HeightCm, full.WeightKg = "K74.600", "A", f(170), f(66)
	full.ActiveInfection, full.HIVPositive, full.HBVPositive, full.HCVPositive = &no, &no, &no, &no
	full.Fitness, full.NoMalignancy, full.CardiacWorkup = &clinical.Fitness{}, &no, &clinical.CardiacWorkup{LVEFPercent: f(60)}
	full.Social, full.Liver = &clinical.Social{CarerAvailable: &no}, &clinical.Liver{HCC: &no, Ascites: 1, Encephalopathy: 1, PortalThrombosis: &no}
	full.Labs.TestDate = "2026-11-01"
	full.Serology = &clinical.Serology{Tuberculosis: "NEGATIVE", CMVDNA: "NEGATIVE", EBVIgG: "NEGATIVE", Syphilis: "NEGATIVE"}
	if m := clinical.MissingData(full, person(47, false)); len(m) != 0 {
		t.Errorf("a full record misses %v", paths(m))
	}
	full.Labs.INR = nil
	m := clinical.MissingData(full, person(47, false))
	if len(m) != 1 || m[0].Path != "labs.inr" || m[0].Blocked[0] != (clinical.Blocked{Kind: clinical.BlockedScore, Code: "MELD 3.0", Organ: "LIVER"}) || m[0].Blocked[1].Code != "Child-Pugh" {
		t.Errorf("without INR: %+v", m)
	}
	if child := clinical.MissingData(full, person(6, false)); !slices.Contains(paths(child), "child.height_z") || child[0].Blocked[0].Code != "PELD" {
		t.Errorf("a child's: %+v", child)
	}
}

// A score is there exactly when nothing is named that blocks it.
func TestMissingAndScoresAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := liver(2, 133, 1.4, 1.1, 3)
		c.Labs.TestDate, c.Liver, c.Child = "2026-11-01", &clinical.Liver{Ascites: 2, Encephalopathy: 1}, &clinical.Child{HeightZ: f(-1)}
		for name, drop := range map[string]func(){
			"bilirubin": func() { c.Labs.Bilirubin = nil }, "creatinine": func() { c.Labs.Creatinine = nil }, "albumin": func() { c.Labs.Albumin = nil },
			"inr": func() { c.Labs.INR = nil }, "sodium": func() { c.Labs.Sodium = nil }, "ascites": func() { c.Liver.Ascites = 0 }, "growth": func() { c.Child = nil },
		} {
			if rapid.Bool().Draw(t, name) {
				drop()
			}
		}
		months := rapid.IntRange(0, 50*12).Draw(t, "months")
		of := clinical.Person{Months: months, RegisteredMonths: months}
		computed := map[string]bool{}
		for _, s := range clinical.Scores(c, of) {
			computed[s.Name] = true
		}
		blocked := map[string]bool{}
		for _, m := range clinical.MissingData(c, of) {
			for _, b := range m.Blocked {
				blocked[b.Code] = true
			}
		}
		main, other := "MELD 3.0", "PELD"
		if months < 144 {
			main, other = other, main
		}
		if computed[main] == blocked[main] || computed[other] || blocked[other] || computed["Child-Pugh"] == blocked["Child-Pugh"] {
			t.Fatalf("computed %v, blocked %v", computed, blocked)
		}
	})
}
