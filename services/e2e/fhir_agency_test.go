package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"huhang.example/services/sampleline"
)

// agencies are those of the province that insures, of the one that treats, and of one that has no part in the case.
type agencies map[string]*sampleline.Session

func bothAgencies(t *testing.T, l *devLine) agencies {
	return agencies{
		"insured": l.as(t, "A-340000", "agency", "340000"), "treatment": l.as(t, "A-310000", "agency", "310000"), "stranger": l.as(t, "A-450000", "agency", "450000"),
	}
}

// see exports a case as each agency sees it after a step: nothing before a center took the patient, then the course and the
// bill, never the person.
func (a agencies) see(t *testing.T, l *devLine, step, referralID string) {
	t.Helper()
	taken := !slices.Contains([]string{"2", "3", "4"}, step)
	for who, s := range a {
		status, of, text := fhirOf(t, l, s, referralID)
		if who == "stranger" || !taken {
			if status != http.StatusNotFound {
				t.Errorf("step %s, the agency %s: HTTP %d\n%.200s", step, who, status, text)
			}
			continue
		}
		if status != http.StatusOK || len(of["Task"]) != 1 || len(of["ServiceRequest"]) != 1 {
			t.Errorf("step %s, the agency %s: HTTP %d\n%.300s", step, who, status, text)
		}
		if step == "settled" && (len(of["Claim"]) != 1 || len(of["ClaimResponse"]) != 1) {
			t.Errorf("the agency %s sees %d claims and %d responses of a settled case", who, len(of["Claim"]), len(of["ClaimResponse"]))
		}
		for _, kind := range []string{"Patient", "Observation", "Condition"} {
			if len(of[kind]) != 0 {
				t.Errorf("step %s: the agency %s sees a %s", step, who, kind)
			}
		}
		for _, never := range []string{"示范患者", sampleline.IdentityNumber("340104", "19790312", 62), "13900000062", "K74.600"} {
			if strings.Contains(text, never) {
				t.Errorf("step %s: what names the person or the disease is in the export of the agency %s", step, who)
			}
		}
		if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "step-"+step+"-agency-"+who+".json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
