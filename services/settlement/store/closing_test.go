package store_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
	"huhang.example/services/settlement/store"
)

// While a window is closed, settlements go on; each is in exactly one window, and the declared table is what the window has.
func TestSettlingWhileClosing(t *testing.T) {
	eachRig(t, false, func(t *testing.T, r *rig) {
		const before, during = 3000, 200
		var batch [][]ledger.Entry
		for i := range before {
			if i%500 == 0 {
				batch = append(batch, nil)
			}
			e := r.entry(ledger.Treatment, shanghai, anhui, fmt.Sprintf("stl_340000_b%05d", i), "2026-11-10", 100)
			batch[len(batch)-1] = append(batch[len(batch)-1], e)
		}
		for _, some := range batch {
			must(t, r.books(shanghai).Atomically(t.Context(), func(ctx context.Context) error {
				for _, e := range some {
					if err := r.books(shanghai).Post(ctx, e, r.clock.Now()); err != nil {
						return err
					}
				}
				return nil
			}))
		}
		r.clock.Set(time.Date(2026, 12, 10, 2, 0, 0, 0, time.UTC))
		entries := make([]ledger.Entry, during)
		for i := range entries {
			entries[i] = r.entry(ledger.Treatment, shanghai, anhui, fmt.Sprintf("stl_340000_d%05d", i), "2026-11-30", 1)
		}
		var all sync.WaitGroup
		var posted, amid atomic.Int64
		var closed atomic.Bool
		for worker := range 4 {
			all.Go(func() {
				for i := worker; i < during; i += 4 {
					if err := r.books(shanghai).Post(context.Background(), entries[i], at); err != nil {
						t.Error(err)
						return
					}
					posted.Add(1)
					if !closed.Load() {
						amid.Add(1)
					}
				}
			})
		}
		sqldbtest.Eventually(t, "somebody settles", func() bool { return posted.Load() > 0 })
		w := r.declare(shanghai, november)
		closed.Store(true)
		all.Wait()
		must(t, r.use[shanghai].SealBook(t.Context(), clearing.Book{Province: shanghai, Side: ledger.Treatment}))
		if amid.Load() == 0 {
			t.Error("nobody settled while the window was closed")
		}
		after, err := r.use[shanghai].GetWindow(as(operations), shanghai, november)
		must(t, err)
		next, err := r.use[shanghai].GetWindow(as(operations), shanghai, "2026-12")
		must(t, err)
		if after.Total != w.Total || w.Given[0].Total != w.Total || w.Total.Items < before || w.Total.Items+next.Total.Items != before+during {
			t.Fatalf("declared %+v, has %+v and %+v", w.Total, after.Total, next.Total)
		}
		r.agrees(november)
	})
}

// Who closes a window holds the book; who settles does not ask for it. On SQLite there is one writer, and closing is short.
func TestSettlingDoesNotWaitForTheBook(t *testing.T) {
	db := sqldbtest.Open(t, sqldbtest.Postgres(t), store.Migrations())
	b := store.NewBooks(db)
	book := clearing.Book{Province: "340000", Side: ledger.Insured}
	must(t, store.New(db).Post(t.Context(), settled(t, "340000", "stl_0", "2026-11-10", 1), at))
	must(t, db.Write(t.Context(), func(ctx context.Context, _ *sqldb.Tx) error {
		if err := b.Close(ctx, book, "310000", "2026-11"); err != nil {
			return err
		}
		// Another connection, while this transaction holds the book.
		outside, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		return store.New(db).Post(outside, settled(t, "340000", "stl_1", "2026-11-10", 1), at)
	}))
	if n, err := b.Seal(t.Context(), book, 10); err != nil || n != 2 {
		t.Fatalf("%d, %v", n, err)
	}
	rows, err := b.Totals(t.Context(), book, clearing.TotalQuery{})
	if must(t, err); len(rows) != 1 || rows[0].Month != "2026-12" || rows[0].Clears != money.Fen(2) {
		t.Fatalf("%+v", rows)
	}
}
