package store

import (
	"context"
	"slices"

	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
)

// Books keeps ledgers as books, and clears them.
type Books struct{ db *sqldb.DB }

// NewBooks returns the books over a database that Migrations made.
func NewBooks(db *sqldb.DB) *Books { return &Books{db: db} }

// Open lists the books of which something has no place yet.
func (b *Books) Open(ctx context.Context) (out []clearing.Book, err error) {
	err = b.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		return each(ctx, q, "SELECT DISTINCT province, side FROM ledger_tail", nil, func(rows sqldb.Rows) error {
			var at clearing.Book
			err := rows.Scan(&at.Province, &at.Side)
			out = append(out, at)
			return err
		})
	})
	return out, err
}

// Seal gives at most limit entries their place in the book: the chain, the checkpoint of the balances, the window. It
// waits for whoever else does this to the same book; nobody who posts waits for it.
func (b *Books) Seal(ctx context.Context, at clearing.Book, limit int) (n int, err error) {
	err = b.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err = seal(ctx, tx, at, limit)
		return err
	})
	return n, err
}

// lockBook makes whoever changes a book's head, windows or places wait for the end of this transaction.
func lockBook(ctx context.Context, tx *sqldb.Tx, at clearing.Book) (head ledger.Chain, err error) {
	if _, err = tx.Exec(ctx, "INSERT INTO ledger_book (province, side, version, seq, hash) VALUES ($1, $2, 0, 0, '') ON CONFLICT DO NOTHING",
		at.Province, string(at.Side)); err != nil {
		return head, err
	}
	if _, err = tx.Exec(ctx, "UPDATE ledger_book SET version = version + 1 WHERE province = $1 AND side = $2", at.Province, string(at.Side)); err != nil {
		return head, err
	}
	err = tx.QueryRow(ctx, "SELECT seq, hash FROM ledger_book WHERE province = $1 AND side = $2", at.Province, string(at.Side)).Scan(&head.Seq, &head.Hash)
	return head, err
}

func seal(ctx context.Context, tx *sqldb.Tx, at clearing.Book, limit int) (int, error) {
	head, err := lockBook(ctx, tx, at)
	if err != nil {
		return 0, err
	}
	tail, err := tailOf(ctx, tx, at, limit)
	if err != nil || len(tail) == 0 {
		return 0, err
	}
	closed, err := closedMonths(ctx, tx, at)
	if err != nil {
		return 0, err
	}
	totals, balances := newTotals(at), map[string][2]money.Fen{}
	links, items := make([][]any, 0, len(tail)), make([][]any, 0, len(tail))
	for _, w := range tail {
		head = head.Next(w.digest)
		links = append(links, []any{at.Province, string(at.Side), head.Seq, w.id, head.Hash})
		for _, p := range w.Postings {
			b := balances[p.Account]
			balances[p.Account] = [2]money.Fen{b[0] + p.Debit, b[1] + p.Credit}
		}
		if !w.cleared() {
			continue
		}
		month := clearing.WindowOf(w.Day, closed(w.Counterparty))
		items = append(items, []any{at.Province, string(at.Side), w.Counterparty, w.Day, w.Source, string(w.Kind), string(month), int64(w.clears)})
		totals.add(w.Counterparty, month, w.Day, 1, w.clears)
	}
	if err := tx.Insert(ctx, "ledger_link", []string{"province", "side", "seq", "entry_id", "hash"}, links); err != nil {
		return 0, err
	}
	if err := tx.Insert(ctx, "clearing_item", []string{"province", "side", "counterparty", "day", "source", "kind", "month", "clears"}, items); err != nil {
		return 0, err
	}
	if err := totals.store(ctx, tx); err != nil {
		return 0, err
	}
	if err := checkpoint(ctx, tx, at, balances); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM ledger_tail WHERE province = $1 AND side = $2 AND entry_id <= $3", at.Province, string(at.Side), tail[len(tail)-1].id); err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, "UPDATE ledger_book SET seq = $3, hash = $4 WHERE province = $1 AND side = $2", at.Province, string(at.Side), head.Seq, head.Hash)
	return len(tail), err
}

// checkpoint adds to the balances what got its place.
func checkpoint(ctx context.Context, tx *sqldb.Tx, at clearing.Book, moved map[string][2]money.Fen) error {
	rows := make([][]any, 0, len(moved))
	for account, sums := range moved {
		rows = append(rows, []any{at.Province, string(at.Side), account, int64(sums[0]), int64(sums[1])})
	}
	return addUp(ctx, tx, "INSERT INTO ledger_balance (province, side, account, debit, credit)", rows,
		"ON CONFLICT (province, side, account) DO UPDATE SET debit = ledger_balance.debit + excluded.debit, credit = ledger_balance.credit + excluded.credit")
}

// closedMonths tells which month is closed for a counterparty; empty: none.
func closedMonths(ctx context.Context, q sqldb.Querier, at clearing.Book) (func(counterparty string) clearing.Month, error) {
	closed := map[string]clearing.Month{}
	err := each(ctx, q, "SELECT counterparty, month FROM clearing_closed WHERE province = $1 AND side = $2", []any{at.Province, string(at.Side)},
		func(rows sqldb.Rows) error {
			var counterparty string
			var m clearing.Month
			err := rows.Scan(&counterparty, &m)
			closed[counterparty] = m
			return err
		})
	return func(counterparty string) clearing.Month { return max(closed[""], closed[counterparty]) }, err
}

// Close lets a window take nothing any more, for one counterparty or, with "", for all. What was posted and has no place
// yet goes to the next window.
func (b *Books) Close(ctx context.Context, at clearing.Book, counterparty string, m clearing.Month) error {
	return b.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := lockBook(ctx, tx, at); err != nil {
			return err
		}
		return closeMonth(ctx, tx, at, counterparty, m)
	})
}

// closeMonth lets a window take nothing any more. It never opens one again.
func closeMonth(ctx context.Context, tx *sqldb.Tx, at clearing.Book, counterparty string, m clearing.Month) error {
	_, err := tx.Exec(ctx, `INSERT INTO clearing_closed (province, side, counterparty, month) VALUES ($1, $2, $3, $4)
		ON CONFLICT (province, side, counterparty) DO UPDATE SET month = excluded.month WHERE clearing_closed.month < excluded.month`,
		at.Province, string(at.Side), counterparty, string(m))
	return err
}

// totals adds up what changes of a book's sums.
type totals struct {
	at  clearing.Book
	sum map[clearing.TotalKey]clearing.Total
}

func newTotals(at clearing.Book) *totals {
	return &totals{at: at, sum: map[clearing.TotalKey]clearing.Total{}}
}

func (t *totals) add(counterparty string, month clearing.Month, day string, items int64, clears money.Fen) {
	key := clearing.TotalKey{Counterparty: counterparty, Month: month, Day: day}
	s := t.sum[key]
	t.sum[key] = clearing.Total{Items: s.Items + items, Clears: s.Clears + clears}
}

func (t *totals) store(ctx context.Context, tx *sqldb.Tx) error {
	rows := make([][]any, 0, len(t.sum))
	for key, s := range t.sum {
		rows = append(rows, []any{t.at.Province, string(t.at.Side), key.Counterparty, string(key.Month), key.Day, s.Items, int64(s.Clears)})
	}
	return addUp(ctx, tx, "INSERT INTO clearing_total (province, side, counterparty, month, day, items, clears)", rows,
		"ON CONFLICT (province, side, counterparty, month, day) DO UPDATE SET items = clearing_total.items + excluded.items, clears = clearing_total.clears + excluded.clears")
}

// mostSums is how many sums one statement changes.
const mostSums = 256

// addUp runs an INSERT that adds to what is there, of rows of different keys. Numbers of rows are powers of two, so that the
// statements an engine prepares are few.
func addUp(ctx context.Context, tx *sqldb.Tx, insert string, rows [][]any, conflict string) error {
	for n := mostSums; len(rows) > 0; n /= 2 {
		for ; len(rows) >= n; rows = rows[n:] {
			if err := tx.Send(ctx, insert+sqldb.Values(n, len(rows[0]))+" "+conflict, slices.Concat(rows[:n]...)...); err != nil {
				return err
			}
		}
	}
	return nil
}
