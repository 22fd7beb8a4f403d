package policy_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"huhang.example/services/settlement/policy"
)

func TestSampleLoads(t *testing.T) {
	book, err := policy.Sample()
	if err != nil {
		t.Fatal(err)
	}
	for _, province := range []string{"360000", "130000", "340000", "450000"} {
		if p, ok := book.Policy(province, "2026-11-22"); !ok || p.Version == "" {
			t.Errorf("no policy of %s", province)
		}
		if _, ok := book.Policy(province, "2024-12-31"); ok {
			t.Errorf("a policy of %s before its first day", province)
		}
	}
	for _, province := range []string{"110000", "310000", "440000"} {
		if _, ok := book.Catalogue(province, "2026-11-22"); !ok {
			t.Errorf("no catalogue of %s", province)
		}
	}
	if _, ok := book.Typical("2026-11-22"); !ok {
		t.Error("no typical bills")
	}
}

// Each case breaks one line of a good document; the error must name that line.
func TestPolicyErrorsNameTheLine(t *testing.T) {
	text, err := os.ReadFile("sample/policy-130000.yaml")
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	cases := map[string]struct{ from, to, says string }{
		"gap":              {"{from: 100000, to: 200000,", "{from: 100001, to: 200000,", "gap"},
		"overlap":          {"{from: 100000, to: 200000,", "{from: 99999, to: 200000,", "overlaps"},
		"closed end":       {"{from: 200000, ratio: 8000}", "{from: 200000, to: 300000, ratio: 8000}", "not open"},
		"ratio too large":  {"ratio: 8000", "ratio: 10001", "basis points"},
		"ratio negative":   {"ratio: 8000", "ratio: -1", "basis points"},
		"ratio fraction":   {"ratio: 8000", "ratio: 0.8", "basis points"},
		"cap negative":     {"cap: 300000", "cap: -1", "cap"},
		"unknown key":      {"bands_from: zero", "bands_form: zero", "bands_form"},
		"unknown base":     {"base: self_pay", "base: all", "base"},
		"unknown item":     {"counts: [deductible]", "counts: [deductibles]", "item"},
		"currency":         {"currency: CNY", "currency: USD", "CNY"},
		"a plan twice":     {"code: sample-charity", "code: sample-huimin", "twice"},
		"two deductibles":  {"{group: marginal, ratio: 6000, deductible: 1000,", "{group: marginal, ratio: 6000, deductible: 1000, income_share: 10,", "either"},
		"no deductible":    {"{group: marginal, ratio: 6000, deductible: 1000,", "{group: marginal, ratio: 6000,", "either"},
		"two models":       {"no_second_layer: true,", "first_pay: 10,", "exactly one"},
		"bad day":          {`valid_from: "2025-01-01"`, `valid_from: "2025-02-30"`, "YYYY-MM-DD"},
		"bad rounding":     {"rounding: HALF_UP", "rounding: NEAREST", "rounding"},
		"standing":         {"standing: illustrative", "standing: rumour", "standing"},
		"province":         {`province: "130000"`, `province: "13"`, "province"},
		"a level too many": {"levels: [3]", "levels: [4]", "level"},
		"repeated key":     {"rounding: HALF_UP", "rounding: HALF_UP\nversion: x", "version"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			i := strings.Index(good, test.from)
			if i < 0 {
				t.Fatalf("%q is not in the document", test.from)
			}
			bad := good[:i] + test.to + good[i+len(test.from):]
			want := strings.Count(good[:i], "\n") + 1 + strings.Count(test.to, "\n")
			_, err := policy.ParsePolicy([]byte(bad))
			invalid := new(policy.Invalid)
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v", err)
			}
			if invalid.Line != want || !strings.Contains(invalid.En, test.says) {
				t.Errorf("got %v, want line %d about %q", invalid, want, test.says)
			}
			if f := invalid.Fault(); f.Reason != "POLICY_INVALID" || f.Meta["line"] == "" {
				t.Errorf("fault %v", f)
			}
		})
	}
}

func TestAShareOfIncomeNeedsTheIncome(t *testing.T) {
	text := sampleText(t, "policy-360000.yaml")
	without := strings.Replace(text, "  last_year_income: 34500\n", "", 1)
	if _, err := policy.ParsePolicy([]byte(without)); without == text || err == nil || !strings.Contains(err.Error(), "last_year_income") {
		t.Fatal(err)
	}
}

func TestMissingIsRefused(t *testing.T) {
	text, err := os.ReadFile("sample/policy-340000.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		key, _, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || key == "source" || key == "valid_to" || key == "counts" || strings.HasPrefix(key, "#") ||
			key == "second_layer" || key == "civil_servant" || key == "assistance" || key == "- {group" || key == "last_year_income" ||
			key == "charities" || key == "grants" || key == "groups" && i > len(lines)-40 { // of a plan
			continue
		}
		without := slices.Clone(lines)
		without[i] = "#"
		if _, err := policy.ParsePolicy([]byte(strings.Join(without, "\n"))); err == nil {
			t.Errorf("accepted without line %d: %s", i+1, line)
		}
	}
}

func TestVersionsOfOneProvinceDoNotOverlap(t *testing.T) {
	text, err := os.ReadFile("sample/policy-340000.yaml")
	if err != nil {
		t.Fatal(err)
	}
	next := strings.NewReplacer("340000-2025.1", "340000-2026.1", `"2025-01-01"`, `"2026-01-01"`).Replace(string(text))
	files := fstest.MapFS{"a.yaml": {Data: text}, "b.yaml": {Data: []byte(next)}}
	if _, err := policy.Load(files); err == nil {
		t.Fatal("two policies in force on one day were accepted")
	}
	files["a.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(text), `valid_to: ""`, `valid_to: "2025-12-31"`, 1))}
	book, err := policy.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	for day, version := range map[string]string{"2025-12-31": "340000-2025.1", "2026-01-01": "340000-2026.1"} {
		if p, ok := book.Policy("340000", day); !ok || p.Version != version {
			t.Errorf("on %s: %v", day, p)
		}
	}
	if all := book.Policies("340000"); len(all) != 2 || all[0].Version != "340000-2026.1" {
		t.Errorf("policies: %v", all)
	}
}

func FuzzParsePolicy(f *testing.F) {
	seed(f, "sample/policy-360000.yaml", "sample/policy-130000.yaml")
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := policy.ParsePolicy(text)
		if err != nil {
			if invalid := new(policy.Invalid); !errors.As(err, &invalid) || invalid.Line < 1 {
				t.Fatalf("an error without a line: %v", err)
			}
			return
		}
		if p.Province == "" || p.Rounding == 0 || len(p.Schemes) == 0 {
			t.Fatalf("accepted %+v", p)
		}
	})
}

func FuzzParseCatalogue(f *testing.F) {
	seed(f, "sample/catalogue-310000.yaml")
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := policy.ParseCatalogue(text); err != nil {
			if invalid := new(policy.Invalid); !errors.As(err, &invalid) || invalid.Line < 1 {
				t.Fatalf("an error without a line: %v", err)
			}
		}
	})
}

func seed(f *testing.F, names ...string) {
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("kind: policy\nschemes: [&a {basic: *a}]\n"))
	f.Add([]byte("{}"))
}
