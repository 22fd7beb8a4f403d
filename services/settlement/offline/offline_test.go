package offline_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/offline"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

var files = offline.Files{
	Policy: "../policy/sample/policy-360000.yaml", Catalogue: "../policy/sample/catalogue-310000.yaml", Claim: "testdata/claim.yaml",
}

func TestRun(t *testing.T) {
	var text bytes.Buffer
	if err := offline.Run(&text, files); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"113947.50", "27877.50", "58175.00", "300000.00", "您需支付"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %s in\n%s", want, text.String())
		}
	}
	asJSON := files
	asJSON.JSON = true
	text.Reset()
	if err := offline.Run(&text, asJSON); err != nil {
		t.Fatal(err)
	}
	var r split.Result
	if err := json.Unmarshal(text.Bytes(), &r); err != nil || r.Check() != nil || r.Pays(split.Cash) != 11_394_750 {
		t.Fatalf("%+v, %v", r, err)
	}
}

// The brief's worked examples, from files.
func TestWorkedExamples(t *testing.T) {
	for n, want := range map[string]map[split.Payer]money.Fen{
		"1": {split.Basic: 17_000_000, split.CivilServant: 2_880_000, split.Cash: 120_000},
		"2": {split.Basic: 9_900, split.Cash: 2_100},
		"3": {split.Basic: 7_000_000, split.Assistance: 700_000, split.Cash: 2_300_000},
		"4": {split.Basic: 10_000_000, split.SecondLayer: 4_860_000, split.Cash: 15_140_000},
		"5": {split.Basic: 10_000_000, split.SecondLayer: 5_817_500, split.Assistance: 2_787_750, split.Cash: 11_394_750},
	} {
		t.Run(n, func(t *testing.T) {
			f := files
			switch n {
			case "4":
				f.Claim = changed(t, files.Claim, "  groups: [subsistence]\n", "")
			case "5":
			default:
				f = offline.Files{Policy: "testdata/example-" + n + "-policy.yaml", Catalogue: "testdata/example-" + n + "-catalogue.yaml", Claim: "testdata/example-" + n + "-claim.yaml"}
			}
			f.JSON = true
			var out bytes.Buffer
			if err := offline.Run(&out, f); err != nil {
				t.Fatal(err)
			}
			var r split.Result
			if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Check() != nil {
				t.Fatal(err, out.String())
			}
			for payer, amount := range want {
				if r.Pays(payer) != amount {
					t.Errorf("%s pays %s, want %s", payer, r.Pays(payer), amount)
				}
			}
		})
	}
}

func TestLanguage(t *testing.T) {
	for language, not := range map[string]string{"zh": "You pay", "en": "您需支付"} {
		var out bytes.Buffer
		f := files
		f.Language = language
		if err := offline.Run(&out, f); err != nil || strings.Contains(out.String(), not) {
			t.Errorf("%s: %v\n%s", language, err, out.String())
		}
	}
	f := files
	f.Language = "fr"
	if err := offline.Run(new(bytes.Buffer), f); err == nil {
		t.Error("accepted fr")
	}
}

func TestRunNamesTheFile(t *testing.T) {
	for name, change := range map[string]func(*offline.Files){
		"no policy":               func(f *offline.Files) { f.Policy = "nowhere.yaml" },
		"a catalogue as policy":   func(f *offline.Files) { f.Policy = f.Catalogue },
		"a policy as catalogue":   func(f *offline.Files) { f.Catalogue = f.Policy },
		"another province's list": func(f *offline.Files) { f.Catalogue = "../policy/sample/catalogue-110000.yaml" },
		"a policy as claim":       func(f *offline.Files) { f.Claim = f.Policy },
	} {
		t.Run(name, func(t *testing.T) {
			f := files
			change(&f)
			if err := offline.Run(new(bytes.Buffer), f); err == nil {
				t.Fatal("accepted")
			}
		})
	}
}

func TestClaimErrorsNameTheLine(t *testing.T) {
	text, err := os.ReadFile(files.Claim)
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	for name, test := range map[string]struct{ from, to string }{
		"scheme":              {"scheme: resident", "scheme: student"},
		"filing":              {"filing: referral", "filing: none"},
		"group":               {"groups: [subsistence]", "groups: [poor]"},
		"unknown key":         {"center: C-SH-01", "centre: C-SH-01"},
		"currency":            {"filing: referral", "currency: USD\nfiling: referral"},
		"counter":             {"filing: referral", "counters: {basics: 1}\nfiling: referral"},
		"counter negative":    {"filing: referral", "counters: {basic: -1}\nfiling: referral"},
		"disease":             {"filing: referral", "disease: gout\nfiling: referral"},
		"organ fee":           {"item: S-SPECIAL", "item: ORGAN-FEE"},
		"quantity":            {"price: 45000, quantity_milli: 1000", "price: 45000, quantity_milli: 0"},
		"number twice":        {"{number: 2", "{number: 1"},
		"price":               {"price: 45000", "price: -1"},
		"refund of nothing":   {"refund_of: 3", "refund_of: 9"},
		"refund, other price": {"price: 11000, quantity_milli: 1000", "price: 12000, quantity_milli: 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			i := strings.Index(good, test.from)
			if i < 0 {
				t.Fatalf("no %q", test.from)
			}
			_, err := offline.ParseClaim([]byte(strings.Replace(good, test.from, test.to, 1)))
			invalid := new(policy.Invalid)
			if want := strings.Count(good[:i], "\n") + 1; !errors.As(err, &invalid) || invalid.Line != want {
				t.Fatalf("got %v, want line %d", err, want)
			}
		})
	}
}

func FuzzParseClaim(f *testing.F) {
	text, err := os.ReadFile(files.Claim)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"person": {"scheme": "employee"}, "filing": "other", "lines": [{"number": 1, "item": "x", "price": 1, "quantity_milli": 1}]}`))
	book, err := policy.Sample()
	if err != nil {
		f.Fatal(err)
	}
	p, _ := book.Policy("360000", "2026-11-20")
	c, _ := book.Catalogue("310000", "2026-11-20")
	f.Fuzz(func(t *testing.T, text []byte) {
		claim, err := offline.ParseClaim(text)
		if err != nil {
			if invalid := new(policy.Invalid); !errors.As(err, &invalid) || invalid.Line < 1 {
				t.Fatalf("an error without a line: %v", err)
			}
			return
		}
		if r, err := offline.Split(p, c, claim); err == nil && r.Check() != nil {
			t.Fatalf("a split that does not sum: %+v", r)
		}
	})
}
