package offline_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"huhang.example/services/settlement/offline"
)

func changed(t *testing.T, file, from, to string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		t.Fatalf("no %q in %s", from, file)
	}
	out := filepath.Join(t.TempDir(), filepath.Base(file))
	if err := os.WriteFile(out, []byte(strings.ReplaceAll(string(text), from, to)), 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

const anhui = "../policy/sample/policy-340000.yaml"

func TestCheck(t *testing.T) {
	samples, err := filepath.Glob("../policy/sample/*.yaml")
	if err != nil || len(samples) < 8 {
		t.Fatal(samples, err)
	}
	var out bytes.Buffer
	if err := offline.CheckFiles(&out, samples); err != nil {
		t.Fatalf("the samples: %v\n%s", err, out.String())
	}
	// A referral that is paid worse than no filing at all.
	worse := changed(t, anhui, "{filings: [other, unfiled], factor: 6000}", "{filings: [other, unfiled], factor: 9000}")
	out.Reset()
	if err := offline.CheckFiles(&out, []string{worse}); err == nil || !strings.Contains(out.String(), "the filing referral costs the patient") || !strings.Contains(out.String(), "unfiled") {
		t.Fatalf("%v\n%s", err, out.String())
	}
	meant := changed(t, worse, "rounding: HALF_UP", "rounding: HALF_UP\naccepted: [better_filing_costs_more]")
	out.Reset()
	if err := offline.CheckFiles(&out, []string{meant}); err != nil || !strings.Contains(out.String(), "costs the patient") {
		t.Fatalf("said out loud, it is reported and accepted: %v\n%s", err, out.String())
	}
	gap := changed(t, "../policy/sample/policy-360000-2027.yaml", `valid_from: "2027-01-01"`, `valid_from: "2027-02-01"`)
	if err := offline.CheckFiles(&out, []string{"../policy/sample/policy-360000.yaml", gap}); err == nil || !strings.Contains(err.Error(), "gap") {
		t.Fatal(err)
	}
	if err := offline.CheckFiles(&out, []string{changed(t, anhui, "ratio: 9000", "ratio: 19000")}); err == nil || !strings.Contains(err.Error(), "line ") {
		t.Fatal(err)
	}
}

func TestDiffFiles(t *testing.T) {
	var out bytes.Buffer
	if err := offline.DiffFiles(&out, "../policy/sample/policy-360000.yaml", "../policy/sample/policy-360000-2027.yaml", false); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "employees, basic fund, cap: rises from CNY 100000.00 to CNY 120000.00.") {
		t.Fatal(out.String())
	}
}
