package paper_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/clearing/paper"
	"huhang.example/services/settlement/ledger"
)

var renew = flag.Bool("renew", false, "write the golden files again")

func statement() *clearing.Statement {
	at := time.Date(2026, 12, 21, 2, 30, 0, 0, time.UTC)
	return &clearing.Statement{
		Province: "310000", Month: "2026-11", Made: at, Declared: true, Deadlines: clearing.ChinaRules().Of("2026-11"),
		Lines: []clearing.StatementLine{
			{
				Side: ledger.Treatment, Other: "340000", Window: clearing.Total{Items: 1234, Clears: 987_654_321}, Taken: 987_000_000, Shared: 5_000_000, Waived: 20_000,
				After: 654_321, Later: -4_321, Ledger: 650_000, Table: &clearing.Table{Status: clearing.Netted},
			},
			{Side: ledger.Treatment, Other: "360000", Before: 100, Window: clearing.Total{Items: 1, Clears: -100}, Table: &clearing.Table{Status: clearing.Confirmed}},
			{Side: ledger.Insured, Other: "110000", Window: clearing.Total{Items: 2, Clears: 7}, After: 7, Ledger: 7},
		},
		Net: 981_980_000, Computed: at,
		Transfers: []*clearing.Transfer{{Payer: "340000", Payee: "310000", Amount: 981_980_000, DueBy: at, Status: clearing.Sent, Reference: `=HYPERLINK("x")<script>alert(1)</script>`}},
		Books:     []clearing.BookEnd{{Side: ledger.Treatment, Head: ledger.Chain{Seq: 1235, Hash: strings.Repeat("ab", 32)}}, {Side: ledger.Insured}},
	}
}

func TestGolden(t *testing.T) {
	for name, make := range map[string]func() ([]byte, error){
		"statement-zh.csv":  func() ([]byte, error) { return paper.CSV(statement(), paper.Chinese) },
		"statement-en.csv":  func() ([]byte, error) { return paper.CSV(statement(), paper.English) },
		"statement-zh.html": func() ([]byte, error) { return paper.Page(statement(), paper.Chinese) },
		"statement-en.html": func() ([]byte, error) { return paper.Page(statement(), paper.English) },
	} {
		got, err := make()
		if err != nil {
			t.Fatal(err)
		}
		if *renew {
			if err := os.WriteFile("testdata/"+name, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile("testdata/" + name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what it was (%v); go test -renew writes it again", name, err)
		}
	}
}

// A page fetches nothing, runs nothing, and quotes what was written by others.
func TestPageIsItsOwn(t *testing.T) {
	page, err := paper.Page(statement(), paper.Chinese)
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`(?i)<script|https?:|url\(|src=|@import|javascript:|\son[a-z]+=`).Find(page); found != nil {
		t.Errorf("the page has %q", found)
	}
	for _, want := range []string{"9,876,543.21", "安徽", "上海", "@media print", "@page"} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page does not say %s", want)
		}
	}
	broken := statement()
	broken.Lines[0].Ledger++
	if page, err = paper.Page(broken, paper.English); err != nil || !bytes.Contains(page, []byte("verify the book first")) {
		t.Errorf("a statement that does not agree with the ledger says nothing of it: %v", err)
	}
}

func TestCSVIsReadable(t *testing.T) {
	text, err := paper.CSV(statement(), paper.English)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if strings.HasPrefix(cell, "=") {
				t.Errorf("a formula: %s", cell)
			}
		}
	}
}
