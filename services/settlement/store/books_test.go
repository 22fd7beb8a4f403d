package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/id"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
	"huhang.example/services/settlement/store"
)

var (
	ids = id.Random()
	at  = time.Date(2026, 11, 22, 1, 2, 3, 4000, time.UTC)
)

func settled(t testing.TB, province, source, day string, amount money.Fen) ledger.Entry {
	t.Helper()
	e, err := ledger.New(
		ledger.Head{
			ID: ids.New("ent_" + province), Province: province, Side: ledger.Insured, Kind: ledger.Settlement, Source: source, Counterparty: "310000", Day: day,
		},
		ledger.Posting{Account: ledger.Fund(province, "basic"), Debit: amount}, ledger.Posting{Account: ledger.PayableTo(province, "310000"), Credit: amount})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func must(t tb, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// filled is a book of n entries that all have their place.
func filled(t *testing.T, db *sqldb.DB, book clearing.Book, n int) *store.Books {
	t.Helper()
	s, b := store.New(db), store.NewBooks(db)
	for i := range n {
		must(t, s.Post(t.Context(), settled(t, book.Province, fmt.Sprintf("stl_%d", i), "2026-11-22", money.Fen(i)), at))
	}
	for sealed := 0; sealed < n; {
		got, err := b.Seal(t.Context(), book, 4)
		must(t, err)
		if got == 0 {
			t.Fatalf("%d of %d have a place", sealed, n)
		}
		sealed += got
	}
	return b
}

// verify follows the whole book, three entries a step.
func verify(t *testing.T, b *store.Books, book clearing.Book) clearing.Verified {
	t.Helper()
	var from ledger.Chain
	for {
		v, err := b.Verify(t.Context(), book, from, 3)
		must(t, err)
		if v.Break != nil || v.Complete {
			return v
		}
		if v.Chain.Seq <= from.Seq {
			t.Fatalf("no step forward at %+v", v)
		}
		from = v.Chain
	}
}

// The first place where somebody laid hands on the database is found, whatever was done.
func TestTamperingIsFound(t *testing.T) {
	const third = "(SELECT entry_id FROM ledger_link WHERE province = 'PROVINCE' AND seq = 3)"
	tests := map[string]struct {
		sql    []string
		damage ledger.Damage
		seq    int64
	}{
		"nothing (the control)":    {nil, "", 0},
		"an amount on both sides":  {[]string{"UPDATE posting SET debit = 9 WHERE debit > 0 AND entry_id = " + third, "UPDATE posting SET credit = 9 WHERE credit > 0 AND entry_id = " + third}, ledger.Altered, 3},
		"an amount on one side":    {[]string{"UPDATE posting SET debit = 9 WHERE debit > 0 AND entry_id = " + third}, ledger.Altered, 3},
		"an account":               {[]string{"UPDATE posting SET account = 'fund:PROVINCE:assistance' WHERE debit > 0 AND entry_id = " + third}, ledger.Altered, 3},
		"a time":                   {[]string{"UPDATE ledger_entry SET posted_at = posted_at + 1 WHERE entry_id = " + third}, ledger.Altered, 3},
		"a day":                    {[]string{"UPDATE ledger_entry SET day = '2026-12-22' WHERE entry_id = " + third}, ledger.Altered, 3},
		"its postings are gone":    {[]string{"DELETE FROM posting WHERE entry_id = " + third}, ledger.Altered, 3},
		"an entry is gone":         {[]string{"DELETE FROM posting WHERE entry_id = " + third, "DELETE FROM ledger_entry WHERE entry_id = " + third}, ledger.Removed, 3},
		"a place is gone":          {[]string{"DELETE FROM ledger_link WHERE seq = 3 AND province = 'PROVINCE'"}, ledger.Removed, 3},
		"two change their places":  {[]string{"UPDATE ledger_link SET seq = 99 WHERE seq = 3 AND province = 'PROVINCE'", "UPDATE ledger_link SET seq = 3 WHERE seq = 5 AND province = 'PROVINCE'", "UPDATE ledger_link SET seq = 5 WHERE seq = 99 AND province = 'PROVINCE'"}, ledger.Altered, 3},
		"all move up to close up":  {[]string{"DELETE FROM ledger_link WHERE seq = 3 AND province = 'PROVINCE'", "UPDATE ledger_link SET seq = seq - 100 WHERE seq > 3 AND province = 'PROVINCE'", "UPDATE ledger_link SET seq = seq + 99 WHERE seq < 0 AND province = 'PROVINCE'"}, ledger.Altered, 3},
		"the last place is gone":   {[]string{"DELETE FROM ledger_link WHERE seq = 8 AND province = 'PROVINCE'"}, ledger.Cut, 8},
		"one is put in beside":     {[]string{"INSERT INTO ledger_entry (entry_id, province, side, kind, source, posted_at) VALUES ('x', 'PROVINCE', 'insured', 'settlement', 'x', 1)"}, ledger.Unchained, 9},
		"a checkpoint is raised":   {[]string{"UPDATE ledger_balance SET debit = debit + 1 WHERE account = 'fund:PROVINCE:basic' AND province = 'PROVINCE'"}, ledger.Balances, 8},
		"a hash is made up for it": {[]string{"UPDATE ledger_link SET hash = '" + "00000000000000000000000000000000" + "00000000000000000000000000000000' WHERE seq = 3 AND province = 'PROVINCE'"}, ledger.Altered, 3},
	}
	sqldbtest.Each(t, store.Migrations(), func(t *testing.T, db *sqldb.DB) {
		n := 0
		for name, test := range tests {
			n++
			book := clearing.Book{Province: fmt.Sprintf("%06d", n), Side: ledger.Insured}
			t.Run(name, func(t *testing.T) {
				b := filled(t, db, book, 8)
				must(t, db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
					for _, sql := range test.sql {
						n, err := tx.Exec(ctx, strings.ReplaceAll(sql, "PROVINCE", book.Province))
						if err != nil || n == 0 {
							return fmt.Errorf("%s: %d rows, %w", sql, n, err)
						}
					}
					return nil
				}))
				v := verify(t, b, book)
				if test.damage == "" {
					if v.Break != nil || v.Chain.Seq != 8 || v.Chain != v.Head {
						t.Fatalf("a book as it was written: %+v, %+v", v, v.Break)
					}
					return
				}
				if v.Break == nil || v.Break.Damage != test.damage || v.Break.Seq != test.seq {
					t.Fatalf("found %+v", v.Break)
				}
			})
		}
	})
}

// Whatever is posted, reversed and sealed in whatever order, the trial balance is zero at every moment, a balance read
// from the checkpoint is the sum of its postings, every settlement has one place and one window, and the windows' totals
// are what stands in the books.
func TestBooksUnderAnyHistory(t *testing.T) {
	sqldbtest.Each(t, store.Migrations(), func(t *testing.T, db *sqldb.DB) {
		round := 0
		rapid.Check(t, func(rt *rapid.T) {
			round++
			h := history{t: rt, db: db, s: store.New(db), b: store.NewBooks(db), province: fmt.Sprintf("%06d", 100_000+round)}
			h.run()
		})
	})
}
