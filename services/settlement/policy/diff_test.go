package policy_test

import (
	"os"
	"strings"
	"testing"

	"huhang.example/services/settlement/policy"
)

func sampleText(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("sample/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDiffInWords(t *testing.T) {
	hebei, shanghai := sampleText(t, "policy-130000.yaml"), sampleText(t, "catalogue-310000.yaml")
	for name, test := range map[string]struct{ text, from, to, zh, en string }{
		"amount rises":     {hebei, "cap: 350000", "cap: 360000", "职工·基本医保·封顶线：由 350000.00 元 提高到 360000.00 元。", "employees, basic fund, cap: rises from CNY 350000.00 to CNY 360000.00."},
		"ratio falls":      {hebei, "ratio: 8200", "ratio: 8050", "职工·基本医保·3 级医院·在职·分段·自 0.00 元 起的分段·比例：由 82% 降低到 80.5%。", "employees, basic fund, hospital level 3, not retired, bands, the band from CNY 0.00, ratio: falls from 82% to 80.5%."},
		"cap goes":         {hebei, "cap: 350000", "cap: none", "由 350000.00 元 改为 不设", "changes from CNY 350000.00 to none"},
		"what counts":      {hebei, "base: self_pay\n      counts: [deductible]", "base: self_pay\n      counts: [deductible, over_limit]", "由 起付线 改为 起付线、超限价", "residents, second layer, what counts: changes from deductible to deductible, over the price limit."},
		"a band split":     {hebei, "{from: 200000, ratio: 8000}", "{from: 200000, to: 250000, ratio: 8000}\n        - {from: 250000, ratio: 8500}", "新增 自 250000.00 元，比例 85%", "the band from CNY 250000.00: new: from CNY 250000.00, ratio 85%."},
		"filings regroup":  {hebei, "[long_term, referral, emergency, other]", "[long_term, referral, other, emergency]", "取消", "long-term, referral, emergency, other stay: no longer there"},
		"an item's limit":  {shanghai, "class: A, price_limit: 160", "class: A, price_limit: 170", "S-BED·限价：由 160.00 元 提高到 170.00 元", "S-BED, price limit: rises from CNY 160.00 to CNY 170.00."},
		"an item is new":   {shanghai, "items:\n", "items:\n  - {code: N, name_zh: 新, name_en: new, class: C}\n", "N：新增", "N: new: code N, Chinese name 新, English name new, class C."},
		"another writing":  {hebei, "cap: 350000", "cap: 350000.00 # the same", "", ""},
		"nothing but text": {hebei, "# Hebei", "# hebei", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(test.text, test.from) {
				t.Fatalf("no %q", test.from)
			}
			changes, err := policy.Diff([]byte(test.text), []byte(strings.Replace(test.text, test.from, test.to, 1)))
			if err != nil {
				t.Fatal(err)
			}
			if test.en == "" {
				if len(changes) != 0 {
					t.Fatalf("%+v", changes)
				}
				return
			}
			var all strings.Builder
			for _, c := range changes {
				all.WriteString(c.Zh + "\n" + c.En + "\n")
				if c.OldLine == 0 && c.NewLine == 0 {
					t.Errorf("%s stands nowhere", c.En)
				}
			}
			if !strings.Contains(all.String(), test.zh) || !strings.Contains(all.String(), test.en) {
				t.Errorf("got\n%swant\n%s\n%s", all.String(), test.zh, test.en)
			}
		})
	}
	if _, err := policy.Diff([]byte(hebei), []byte(shanghai)); err == nil {
		t.Error("a policy was compared with a catalogue")
	}
	if _, err := policy.Diff([]byte(hebei), []byte("kind: policy")); err == nil || !strings.Contains(err.Error(), "second") {
		t.Error(err)
	}
}

func TestBookComparesItsVersions(t *testing.T) {
	book, err := policy.Sample()
	if err != nil {
		t.Fatal(err)
	}
	changes, err := book.Diff("360000", "360000-2025.1", "360000-2027.1")
	if err != nil || len(changes) < 3 {
		t.Fatal(changes, err)
	}
	if _, err := book.Diff("340000", "360000-2025.1", "360000-2027.1"); err == nil {
		t.Error("another province's versions were compared")
	}
}

// Every key a document may have has a name in words.
func TestEveryKeyHasAWord(t *testing.T) {
	for _, name := range []string{"policy-130000.yaml", "policy-340000.yaml", "policy-360000.yaml", "policy-450000.yaml", "catalogue-310000.yaml", "typical-bills.yaml"} {
		text := sampleText(t, name)
		for line := range strings.Lines(text) {
			key, value, ok := strings.Cut(strings.TrimLeft(strings.TrimSpace(line), "- "), ": ")
			if !ok || strings.HasPrefix(key, "#") || strings.HasPrefix(key, "{") || value == "" {
				continue
			}
			if zh, _ := policy.WordOf(key); zh == key {
				t.Errorf("%s: no word for %q", name, key)
			}
		}
	}
}

func TestDates(t *testing.T) {
	head := func(version, from, to string) policy.Head {
		return policy.Head{Kind: policy.KindPolicy, Province: "340000", Version: version, ValidFrom: policy.Date(from), ValidTo: policy.Date(to)}
	}
	other := head("1", "2025-06-01", "")
	other.Province = "360000"
	for name, test := range map[string]struct {
		heads []policy.Head
		says  string
	}{
		"one after the other":  {[]policy.Head{head("2", "2026-01-01", ""), head("1", "2025-01-01", "2025-12-31"), other}, ""},
		"over a leap day":      {[]policy.Head{head("1", "2024-01-01", "2024-02-28"), head("2", "2024-02-29", "")}, ""},
		"overlap":              {[]policy.Head{head("1", "2025-01-01", "2026-01-01"), head("2", "2026-01-01", "")}, "overlaps"},
		"overlap of open ends": {[]policy.Head{head("1", "2025-01-01", ""), head("2", "2026-01-01", "")}, "both are in force on 2026-01-01"},
		"gap":                  {[]policy.Head{head("1", "2025-01-01", "2025-12-30"), head("2", "2026-01-01", "")}, "nothing is in force from 2025-12-31 until 2026-01-01"},
		"the same version":     {[]policy.Head{head("1", "2025-01-01", "2025-12-31"), head("1", "2026-01-01", "")}, "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			err := policy.Dates(test.heads...)
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestPriceLimitsByLevel(t *testing.T) {
	text := sampleText(t, "catalogue-310000.yaml")
	with := func(limit string) (*policy.Catalogue, error) {
		return policy.ParseCatalogue([]byte(strings.Replace(text, "class: A, price_limit: 160", "class: A, price_limit: "+limit, 1)))
	}
	c, err := with("{1: 80, 2: 120.5, 3: none}")
	if err != nil {
		t.Fatal(err)
	}
	item, _ := c.Item("S-BED")
	for level, want := range []int64{1: 8000, 2: 12050, 3: -1} {
		if level == 0 {
			continue
		}
		if price, limited := item.PriceLimit.At(level); limited != (want >= 0) || limited && int64(price) != want {
			t.Errorf("level %d: %s, %v", level, price, limited)
		}
	}
	for _, bad := range []string{"{1: 80, 2: 120}", "{1: 80, 2: 120, 3: -1}", "{1: 80, 2: 120, 4: 1}", "{1: 80, 2: 120, 3: 1, 4: 1}", "[80]", "-1", "none"} {
		if _, err := with(bad); err == nil {
			t.Errorf("accepted %s", bad)
		}
	}
}

// No organ is ever charged for; operations, tests and fluids that have an organ in their name are.
func TestNoFeeForAnOrgan(t *testing.T) {
	for _, name := range []string{"供肾费", "器官获取费", "Organ fee", "ORGAN-FEE", "organ_procurement", "Donor  compensation", "肾源费"} {
		if !policy.ForOrgan(name) {
			t.Errorf("%q passes", name)
		}
	}
	for _, name := range []string{"器官移植手术费", "肾移植术", "供体特异性抗体检测", "Kidney transplantation", "Donor-specific antibodies", "心源性休克监护", "肾源性贫血用药"} {
		if policy.ForOrgan(name) {
			t.Errorf("%q is refused", name)
		}
	}
	text := strings.Replace(sampleText(t, "catalogue-310000.yaml"), "示范床位费", "示范供肾费", 1)
	if _, err := policy.ParseCatalogue([]byte(text)); err == nil || !strings.Contains(err.Error(), "organ") {
		t.Errorf("a catalogue with a fee for an organ: %v", err)
	}
}
