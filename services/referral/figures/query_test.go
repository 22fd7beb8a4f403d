package figures_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/referral/figures"
)

func TestQueriesAreBoundAndScoped(t *testing.T) {
	desk := access.Caller{Organisation: "OPS", Roles: []access.Role{access.Operations}}
	center := access.Caller{Organisation: "C-SH-01", Roles: []access.Role{access.Center}}
	now := at(0)
	q, err := figures.Query{}.Complete(desk, now)
	if err != nil || q.From != "2025-12" || q.To != "2026-11" || q.Own != "" {
		t.Fatalf("%+v %v", q, err)
	}
	// What a caller asks for does not widen what the caller may see.
	if q, err := (figures.Query{Own: "C-NJ-01", Center: "C-NJ-01"}).Complete(center, now); err != nil || q.Own != "C-SH-01" {
		t.Fatalf("%+v %v", q, err)
	}
	for name, q := range map[string]figures.Query{
		"month": {From: "2026-13"}, "order": {From: "2026-11", To: "2026-10"}, "range": {From: "2023-11", To: "2026-11"},
	} {
		if _, err := q.Complete(desk, now); !fault.Is(err, fault.FieldInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (figures.Query{From: "2023-12", To: "2026-11"}).Complete(desk, now); err != nil {
		t.Errorf("36 months: %v", err)
	}
	if _, err := (figures.Query{}).Complete(access.Caller{Roles: []access.Role{access.Center}}, now); !fault.Is(err, fault.RightMissing) {
		t.Errorf("nobody's: %v", err)
	}
}

func answer() figures.Answer {
	key := figures.Key{Month: "2026-11", Line: "csj", Insured: "340000", Treatment: "310000", Center: "C-SH-01"}
	seconds := func(median, p90, mean int64) figures.Spread {
		return figures.Spread{Median: median * 1e6, P90: p90 * 1e6, Mean: mean * 1e6}
	}
	return figures.Answer{
		Rows: []figures.Row{
			{Key: key, Kind: figures.Life, Name: "OPENED", Cases: 9, Count: 9},
			{Key: key, Kind: figures.Life, Name: "COMPLETED", Cases: 7, Count: 7, Spread: seconds(86400, 90000, 86000)},
			{Key: key, Kind: figures.Stay, Name: "SCREENING", Cases: 9, Count: 8, Open: 1, Late: 2, Spread: seconds(3600, 7200, 4000), Paused: 90 * time.Second},
			{Key: key, Kind: figures.Stay, Name: "IN_TRANSIT", Withheld: true},
			{Key: key, Kind: figures.Offer, Name: "DECLINED", Reason: "NO_BED", Cases: 5, Count: 5, Spread: seconds(60, 70, 61)},
			{Key: key, Kind: figures.Offer, Name: "OPEN", Cases: 6, Open: 6},
			{Key: key, Kind: figures.Transfer, Name: "LATE", Cases: 5, Count: 5, Spread: seconds(600, 900, 650)},
			{Key: key, Kind: figures.Transfer, Name: "IN_TIME", Cases: 5, Count: 5},
			{Key: key, Kind: figures.Bill, Name: "SETTLED", Cases: 5, Count: 5, Total: 300_000, Spread: figures.Spread{Median: 2500, P90: 4000, Mean: 2600}},
			{Key: key, Kind: figures.Share, Name: "basic", Cases: 5, Count: 5, Total: 200_000},
			{Key: key, Kind: figures.Share, Name: "cash", Cases: 5, Count: 5, Total: 90_000},
			{Key: key, Kind: figures.Share, Name: "=new", Cases: 5, Count: 5, Total: 10_000},
		},
		Recognitions: []figures.Recognition{{Key: key, Recognised: 3, Repeated: 1, Avoided: 12_000}},
	}
}

// The columns are a contract: a golden file for each section. UPDATE_GOLDEN=1 writes them.
func TestCSV(t *testing.T) {
	for _, section := range []figures.Section{figures.Cases, figures.States, figures.Offers, figures.Transfers, figures.Bills, figures.Recognitions} {
		got, err := figures.CSV(answer(), section)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join("testdata", string(section)+".csv")
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(name, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s:\n%s\nwant\n%s", section, got, want)
		}
	}
	if _, err := figures.CSV(answer(), "NONE"); err == nil {
		t.Error("a section that does not exist")
	}
	bills := answer().Bills()
	if len(bills) != 1 || bills[0].SelfPay != 3000 || bills[0].Payers[0].Share != 6667 {
		t.Errorf("%+v", bills)
	}
}
