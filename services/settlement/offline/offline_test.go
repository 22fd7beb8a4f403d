package offline_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

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
