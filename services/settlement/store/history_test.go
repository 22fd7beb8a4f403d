package store_test

import (
	"context"
	"fmt"

	"pgregory.net/rapid"

	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
	"huhang.example/services/settlement/store"
)

// history is a random life of a province's insured book, and what it must come to.
type history struct {
	t        *rapid.T
	db       *sqldb.DB
	s        *store.Store
	b        *store.Books
	province string
	live     []ledger.Entry
	owed     money.Fen
	entries  int
	closed   clearing.Month
}

func (h *history) book() clearing.Book {
	return clearing.Book{Province: h.province, Side: ledger.Insured}
}

func (h *history) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *history) run() {
	ctx := context.Background()
	day := func() string {
		return fmt.Sprintf("2026-%02d-%02d", rapid.IntRange(8, 12).Draw(h.t, "month"), rapid.IntRange(1, 28).Draw(h.t, "day"))
	}
	for range rapid.IntRange(1, 10).Draw(h.t, "steps") {
		switch rapid.SampledFrom([]string{"settle", "settle", "settle", "reverse", "seal", "close", "age"}).Draw(h.t, "step") {
		case "settle":
			amount := money.Fen(rapid.Int64Range(0, 1_000_000).Draw(h.t, "amount"))
			e, err := ledger.New(
				ledger.Head{
					ID: ids.New("ent_" + h.province), Province: h.province, Side: ledger.Insured, Kind: ledger.Settlement,
					Source: ids.New("stl_" + h.province), Counterparty: "310000", Day: day(),
				},
				ledger.Posting{Account: ledger.Fund(h.province, "basic"), Debit: amount}, ledger.Posting{Account: ledger.PayableTo(h.province, "310000"), Credit: amount})
			h.ok(err)
			h.ok(h.s.Post(ctx, e, at))
			h.live, h.owed, h.entries = append(h.live, e), h.owed+amount, h.entries+1
		case "reverse":
			if len(h.live) == 0 {
				continue
			}
			i := rapid.IntRange(0, len(h.live)-1).Draw(h.t, "which")
			back, err := h.live[i].Reverse(ids.New("ent_"+h.province), day())
			h.ok(err)
			h.ok(h.s.Post(ctx, back, at))
			h.owed, h.entries = h.owed-h.live[i].Clears(), h.entries+1
			h.live = append(h.live[:i], h.live[i+1:]...)
		case "seal":
			_, err := h.b.Seal(ctx, h.book(), rapid.IntRange(1, 6).Draw(h.t, "limit"))
			h.ok(err)
			h.check(ctx)
		case "age": // as posted before the tail told all that a place takes
			h.ok(h.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
				_, err := tx.Exec(ctx, "UPDATE ledger_tail SET entry = '', digest = '', clears = 0 WHERE province = $1", h.province)
				return err
			}))
		case "close":
			h.closed = max(h.closed, clearing.Month(fmt.Sprintf("2026-%02d", rapid.IntRange(7, 11).Draw(h.t, "closing"))))
			h.ok(h.b.Close(ctx, h.book(), "310000", h.closed))
			h.check(ctx)
		}
	}
	h.check(ctx)
	for {
		n, err := h.b.Seal(ctx, h.book(), 7)
		h.ok(err)
		if n == 0 {
			break
		}
	}
	h.check(ctx)
	h.inOneWindow(ctx)
	v, err := h.b.Verify(ctx, h.book(), ledger.Chain{}, 1000)
	if h.ok(err); v.Break != nil || !v.Complete || v.Chain.Seq != int64(h.entries) {
		h.t.Fatalf("%+v, %+v of %d", v, v.Break, h.entries)
	}
}

func (h *history) check(ctx context.Context) {
	balances, err := h.s.Balances(ctx, h.province)
	h.ok(err)
	var owed money.Fen
	for _, b := range balances {
		if b.Account == ledger.PayableTo(h.province, "310000") {
			owed = b.Credit - b.Debit
		}
	}
	if ledger.Difference(balances) != 0 || owed != h.owed {
		h.t.Fatalf("difference %s, owed %s of %s", ledger.Difference(balances), owed, h.owed)
	}
}

func (h *history) inOneWindow(ctx context.Context) {
	h.ok(h.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		var items, places, summed, clears, early int64
		if err := q.QueryRow(ctx, "SELECT count(*), count(DISTINCT entry_id) FROM ledger_link WHERE province = $1", h.province).Scan(&places, &summed); err != nil {
			return err
		}
		if places != int64(h.entries) || summed != places {
			h.t.Fatalf("%d places of %d entries, %d posted", places, summed, h.entries)
		}
		if err := q.QueryRow(ctx, "SELECT count(*) FROM clearing_item WHERE province = $1", h.province).Scan(&items); err != nil {
			return err
		}
		if err := q.QueryRow(ctx, "SELECT CAST(coalesce(sum(items), 0) AS BIGINT), CAST(coalesce(sum(clears), 0) AS BIGINT) FROM clearing_total WHERE province = $1", h.province).
			Scan(&summed, &clears); err != nil {
			return err
		}
		if items != int64(h.entries) || summed != items || money.Fen(clears) != h.owed {
			h.t.Fatalf("%d entries, %d in windows, totals of %d over %s", h.entries, items, summed, money.Fen(clears))
		}
		if err := q.QueryRow(ctx, "SELECT count(*) FROM clearing_item WHERE province = $1 AND month < substr(day, 1, 7)", h.province).Scan(&early); err != nil {
			return err
		}
		if early != 0 {
			h.t.Fatalf("%d are in a window before their month", early)
		}
		return nil
	}))
}
