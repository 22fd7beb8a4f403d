package app_test

import (
	"context"
	"testing"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
)

// TestBooksModel is a short run of what TestSoakBooks does a million times.
func TestBooksModel(t *testing.T) {
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
		seed := uint64(clock.System().Now().UnixNano())
		t.Logf("seed %d", seed)
		newBookkeeping(t, dsn, 8, seed).run(1500, time.Minute)
	})
}

var bothBooks = []clearing.Book{{Province: treatment, Side: ledger.Treatment}, {Province: insured, Side: ledger.Insured}}

// between gives places in the books, closes months and lets time pass.
func (b *bookkeeping) between(ctx context.Context) {
	if b.random.IntN(8) == 0 {
		at := bothBooks[b.random.IntN(2)]
		if _, err := b.books.Seal(ctx, at, 1+b.random.IntN(800)); err != nil {
			b.t.Fatal(err)
		}
		b.did["seal"]++
		b.done++
	}
	if b.random.IntN(500) == 0 {
		at := bothBooks[b.random.IntN(2)]
		b.months[at.Side] = max(b.months[at.Side], clearing.Month(clock.Day(b.clock.Now())[:7]).Plus(-1))
		if err := b.books.Close(ctx, at, "", b.months[at.Side]); err != nil {
			b.t.Fatal(err)
		}
		b.did["close a month"]++
		b.done++
	}
	b.clock.Advance(time.Duration(b.random.IntN(20)) * time.Minute)
}

// agree compares every year's sums and both books with the model.
func (b *bookkeeping) agree(ctx context.Context) {
	b.t.Helper()
	for _, p := range b.people {
		for year, want := range p.years {
			if got, err := b.store.Counters(ctx, insured, p.id, year); err != nil || got != want {
				b.t.Fatalf("%s of %s: %+v, the model has %+v, %v", year, p.id, got, want, err)
			}
		}
	}
	for at, account := range map[string]string{treatment: ledger.ReceivableFrom(treatment, insured), insured: ledger.PayableTo(insured, treatment)} {
		balances, difference, err := b.use.TrialBalance(as(b.t, operations), at)
		if err != nil || difference != 0 {
			b.t.Fatalf("trial balance of %s: %s, %v", at, difference, err)
		}
		var owed money.Fen
		for _, a := range balances {
			if a.Account == account {
				owed = a.Debit - a.Credit
			}
		}
		if owed != b.owed && owed != -b.owed {
			b.t.Fatalf("%s: %s, the model has %s", account, owed, b.owed)
		}
	}
}

// end gives everything its place and follows both chains: every entry has one place, and one window.
func (b *bookkeeping) end(ctx context.Context) {
	b.t.Helper()
	var places int64
	for _, at := range bothBooks {
		for {
			n, err := b.books.Seal(ctx, at, 1000)
			if err != nil {
				b.t.Fatal(err)
			}
			if n == 0 {
				break
			}
		}
		var from ledger.Chain
		for {
			v, err := b.books.Verify(ctx, at, from, 5000)
			if err != nil || v.Break != nil {
				b.t.Fatalf("the chain of %s: %+v, %v", at.Province, v.Break, err)
			}
			if from = v.Chain; v.Complete {
				break
			}
		}
		places += from.Seq
	}
	var items, clears int64
	err := b.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		if err := q.QueryRow(ctx, "SELECT count(*) FROM clearing_item").Scan(&items); err != nil {
			return err
		}
		return q.QueryRow(ctx, "SELECT CAST(coalesce(sum(clears), 0) AS BIGINT) FROM clearing_total").Scan(&clears)
	})
	if err != nil || places != b.entries || items != b.entries || money.Fen(clears) != 2*b.owed {
		b.t.Fatalf("%d entries: %d places, %d in windows, which clear %s of twice %s, %v", b.entries, places, items, money.Fen(clears), b.owed, err)
	}
	b.agree(ctx)
}
