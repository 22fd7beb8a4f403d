package ledger_test

import (
	"testing"

	"pgregory.net/rapid"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/ledger"
)

func head() ledger.Head {
	return ledger.Head{ID: "ent_1", Province: "340000", Side: ledger.Insured, Kind: ledger.Settlement, Source: "stl_1"}
}

func TestUnbalancedIsRefused(t *testing.T) {
	fund, owed := ledger.Fund("340000", "basic"), ledger.PayableTo("340000", "310000")
	for name, postings := range map[string][]ledger.Posting{
		"unequal":     {{Account: fund, Debit: 100}, {Account: owed, Credit: 99}},
		"one side":    {{Account: fund, Debit: 100}},
		"negative":    {{Account: fund, Debit: -100}, {Account: owed, Credit: -100}},
		"both sides":  {{Account: fund, Debit: 100, Credit: 100}},
		"too large":   {{Account: fund, Debit: 2e15}, {Account: owed, Credit: 2e15}},
		"no account":  {{Account: "", Debit: 1}, {Account: owed, Credit: 1}},
		"bad account": {{Account: "fund", Debit: 1}, {Account: owed, Credit: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if e, err := ledger.New(head(), postings...); err == nil {
				t.Fatalf("accepted %+v", e.Postings())
			}
		})
	}
	for name, change := range map[string]func(*ledger.Head){
		"id": func(h *ledger.Head) { h.ID = "" }, "province": func(h *ledger.Head) { h.Province = "" },
		"side": func(h *ledger.Head) { h.Side = "" }, "kind": func(h *ledger.Head) { h.Kind = "" }, "source": func(h *ledger.Head) { h.Source = "" },
	} {
		h := head()
		change(&h)
		if _, err := ledger.New(h); err == nil {
			t.Errorf("accepted without %s", name)
		}
	}
}

func TestReverseCancels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var postings []ledger.Posting
		var sum money.Fen
		for range rapid.IntRange(0, 5).Draw(t, "payers") {
			amount := money.Fen(rapid.Int64Range(0, 1e9).Draw(t, "amount"))
			postings = append(postings, ledger.Posting{Account: ledger.Fund("340000", "basic"), Debit: amount})
			sum += amount
		}
		postings = append(postings, ledger.Posting{Account: ledger.PayableTo("340000", "310000"), Credit: sum})
		e, err := ledger.New(head(), postings...)
		if err != nil {
			t.Fatal(err)
		}
		back, err := e.Reverse("ent_2", "2026-11-23")
		if err != nil {
			t.Fatal(err)
		}
		net := map[string]money.Fen{}
		for _, p := range append(e.Postings(), back.Postings()...) {
			net[p.Account] += p.Debit - p.Credit
		}
		for account, left := range net {
			if left != 0 {
				t.Fatalf("%s keeps %s", account, left)
			}
		}
		if back.Head().Kind != ledger.Reversal || back.Head().Source != e.Head().Source || back.Head().Day != "2026-11-23" {
			t.Fatalf("%+v", back.Head())
		}
	})
}
