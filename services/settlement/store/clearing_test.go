package store_test

import (
	"testing"
	"time"

	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
)

const november = clearing.Month("2026-11")

// A month from the first settlement to the last transfer, with a reversal after the net, a late settlement and an agreement.
func TestMonthEnd(t *testing.T) {
	eachRig(t, true, func(t *testing.T, r *rig) {
		national := r.use[clearing.National]
		_, err := national.PutAgreement(as(operations), clearing.Agreement{Treatment: shanghai, Insured: anhui, Share: 1000, From: november, Title: "示范协议"})
		must(t, err)
		first := r.settle(shanghai, anhui, "2026-11-05", 100_000)
		r.settle(shanghai, anhui, "2026-11-30", 50_005)
		r.settle(shanghai, jiangxi, "2026-11-12", 70_000)
		r.settle(beijing, anhui, "2026-11-12", 30_000)
		r.settle(shanghai, anhui, "2026-12-01", 9_999) // of the next month
		r.clock.Set(time.Date(2026, 12, 10, 2, 0, 0, 0, time.UTC))
		w := r.declare(shanghai, november)
		if !w.Declared || w.Total != (clearing.Total{Items: 3, Clears: 220_005}) || len(w.Given) != 2 || w.Version != 2 {
			t.Fatalf("%+v", w)
		}
		r.declare(beijing, november)
		late := r.settle(shanghai, anhui, "2026-11-28", 40)
		r.done()
		if got := r.table(anhui, november, shanghai, anhui); got == nil || got.Total.Clears != 150_005 || got.Head.Seq != 4 || got.Head.Hash == "" {
			t.Fatalf("the table that arrived: %+v", got)
		}
		// The late one is in November here and in December there: the insured province follows.
		c := r.use[anhui].Compare(as(agency(anhui)), clearing.Book{Province: anhui, Side: ledger.Insured}, shanghai, "2026-11-28", true)
		done, err := r.use[anhui].Reconcile(as(agency(anhui)), c)
		if must(t, err); done.Differences != 0 {
			t.Fatalf("%+v", done)
		}
		items, err := r.books(anhui).Items(t.Context(), clearing.Book{Province: anhui, Side: ledger.Insured}, shanghai, "2026-11-28", clearing.Item{}, 10)
		if must(t, err); len(items) != 1 || items[0].Month != "2026-12" {
			t.Fatalf("the late one: %+v", items)
		}
		r.confirmed(anhui, shanghai, november)
		r.confirmed(jiangxi, shanghai, november)
		r.confirmed(anhui, beijing, november)
		r.done()
		run := r.net(november)
		// Shanghai bears a tenth of Anhui's 1,500.05: 150.01 (half up).
		if len(run.Positions) != 4 {
			t.Fatalf("positions %+v", run.Positions)
		}
		r.done()
		for province, position := range map[string]int64{beijing: 30_000, shanghai: 205_004, anhui: -165_004, jiangxi: -70_000} {
			if got := r.balance(province, ledger.Position(province, string(november))); int64(got) != position {
				t.Errorf("%s has a position of %s", province, got)
			}
		}
		if got := r.balance(shanghai, ledger.RiskShare(shanghai, anhui)); got != 15_001 {
			t.Errorf("Shanghai bears %s", got)
		}
		if got := r.balance(shanghai, ledger.ReceivableFrom(shanghai, anhui)); got != 9_999+40 {
			t.Errorf("Anhui still owes %s", got)
		}
		r.agrees(november)
		r.payAll(november)
		r.reverse(shanghai, anhui, first, "2026-12-20")
		r.agrees("2026-12")
		r.clock.Set(time.Date(2027, 1, 10, 2, 0, 0, 0, time.UTC))
		if w := r.declare(shanghai, "2026-12"); w.Total != (clearing.Total{Items: 3, Clears: 9_999 + 40 - 100_000}) {
			t.Fatalf("December, with what was late (%s) and what was reversed: %+v", late, w.Total)
		}
		r.done()
		r.confirmed(anhui, shanghai, "2026-12")
		r.done()
		if run = r.net("2026-12"); len(run.Positions) != 2 || run.Positions[0].Amount >= 0 {
			t.Fatalf("after a reversal Shanghai pays: %+v", run.Positions)
		}
		r.done()
		r.payAll("2026-12")
		for _, account := range []string{ledger.ReceivableFrom(shanghai, anhui), ledger.ReceivableFrom(shanghai, jiangxi)} {
			if got := r.balance(shanghai, account); got != 0 {
				t.Errorf("%s keeps %s", account, got)
			}
		}
		r.agrees("2026-12")
	})
}

// payAll makes every transfer of a month, and checks that no position is left.
func (r *rig) payAll(m clearing.Month) {
	r.t.Helper()
	for _, province := range []string{shanghai, beijing, anhui, jiangxi} {
		all, _, err := r.use[province].ListTransfers(as(agency(province)), province, m, clearing.Due, "", 50)
		must(r.t, err)
		for _, x := range all {
			if x.Payer == province {
				_, err := r.use[province].PayTransfer(as(agency(province)), province, x.ID, "1", "示范银行-1")
				must(r.t, err)
			}
		}
	}
	r.done()
	for _, province := range []string{shanghai, beijing, anhui, jiangxi} {
		all, _, err := r.use[province].ListTransfers(as(agency(province)), province, m, clearing.Sent, "", 50)
		must(r.t, err)
		for _, x := range all {
			if x.Payee == province {
				_, err := r.use[province].ReceiveTransfer(as(agency(province)), province, x.ID, "2")
				must(r.t, err)
			}
		}
	}
	r.done()
	var banks int64
	for _, province := range []string{shanghai, beijing, anhui, jiangxi} {
		if got := r.balance(province, ledger.Position(province, string(m))); got != 0 {
			r.t.Fatalf("%s keeps a position of %s", province, got)
		}
		banks += int64(r.balance(province, ledger.Bank(province)))
		all, _, err := r.use[province].ListTransfers(as(agency(province)), province, m, "", "", 50)
		must(r.t, err)
		for _, x := range all {
			if x.Status != clearing.Received {
				r.t.Fatalf("%s has a transfer %s", province, x.Status)
			}
		}
	}
	if banks != 0 {
		r.t.Fatalf("transfers made %d fen", banks)
	}
}
