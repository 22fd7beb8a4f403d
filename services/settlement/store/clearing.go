package store

import (
	"context"
	"strconv"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
)

var _ clearing.Store = (*Books)(nil)

// Atomically runs fn in one transaction.
func (b *Books) Atomically(ctx context.Context, fn func(ctx context.Context) error) error {
	return b.db.Write(ctx, func(ctx context.Context, _ *sqldb.Tx) error { return fn(ctx) })
}

// Waiting is how many entries of a book have no place yet.
func (b *Books) Waiting(ctx context.Context, at clearing.Book) (n int64, err error) {
	err = b.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, "SELECT count(*) FROM ledger_tail WHERE province = $1 AND side = $2", at.Province, string(at.Side)).Scan(&n)
	})
	return n, err
}

// Head returns the end of a book.
func (b *Books) Head(ctx context.Context, at clearing.Book) (head ledger.Chain, err error) {
	err = b.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error { return headOf(ctx, q, at, &head) })
	return head, err
}

// Closed is the last month that takes nothing any more.
func (b *Books) Closed(ctx context.Context, at clearing.Book, counterparty string) (m clearing.Month, err error) {
	err = b.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		closed, err := closedMonths(ctx, q, at)
		if err == nil {
			m = closed(counterparty)
		}
		return err
	})
	return m, err
}

// Totals returns sums of a book.
func (b *Books) Totals(ctx context.Context, at clearing.Book, t clearing.TotalQuery) (out []clearing.TotalRow, err error) {
	err = b.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		return each(ctx, q, `SELECT counterparty, month, day, items, clears FROM clearing_total WHERE province = $1 AND side = $2
			AND ($3 = '' OR counterparty = $3) AND ($4 = '' OR month = $4) AND ($5 = '' OR day = $5)`,
			[]any{at.Province, string(at.Side), t.Counterparty, string(t.Month), t.Day}, func(rows sqldb.Rows) error {
				var r clearing.TotalRow
				err := rows.Scan(&r.Counterparty, &r.Month, &r.Day, &r.Items, &r.Clears)
				out = append(out, r)
				return err
			})
	})
	return out, err
}

// Items returns items of a day.
func (b *Books) Items(ctx context.Context, at clearing.Book, counterparty, day string, after clearing.Item, limit int) (out []clearing.Item, err error) {
	err = b.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		return each(ctx, q, `SELECT source, kind, day, month, clears FROM clearing_item WHERE province = $1 AND side = $2 AND counterparty = $3 AND day = $4
			AND (source, kind) > ($5, $6) ORDER BY source, kind LIMIT $7`,
			[]any{at.Province, string(at.Side), counterparty, day, after.Source, after.Kind, limit}, func(rows sqldb.Rows) error {
				var i clearing.Item
				err := rows.Scan(&i.Source, &i.Kind, &i.Day, &i.Month, &i.Clears)
				out = append(out, i)
				return err
			})
	})
	return out, err
}

// MoveItem puts an item into another window.
func (b *Books) MoveItem(ctx context.Context, at clearing.Book, counterparty string, item clearing.Item, to clearing.Month) error {
	return b.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := lockBook(ctx, tx, at); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE clearing_item SET month = $7 WHERE province = $1 AND side = $2 AND counterparty = $3 AND day = $4
			AND source = $5 AND kind = $6 AND month = $8`,
			at.Province, string(at.Side), counterparty, item.Day, item.Source, item.Kind, string(to), string(item.Month))
		if err != nil || n == 0 {
			return err
		}
		moved := newTotals(at)
		moved.add(counterparty, item.Month, item.Day, -1, -item.Clears)
		moved.add(counterparty, to, item.Day, 1, item.Clears)
		return moved.store(ctx, tx)
	})
}

// Post adds a ledger entry.
func (b *Books) Post(ctx context.Context, e ledger.Entry, at time.Time) error {
	return (&Store{b.db}).Post(ctx, e, at)
}

// Balances returns every account of a province.
func (b *Books) Balances(ctx context.Context, province string) ([]ledger.Balance, error) {
	return (&Store{b.db}).Balances(ctx, province)
}

const recordColumns = "kind, holder, record_id, month, a, b, status, version, doc"

func scanRecord(r row) (c clearing.Record, err error) {
	err = r.Scan(&c.Kind, &c.Holder, &c.ID, &c.Month, &c.A, &c.B, &c.Status, &c.Version, &c.Doc)
	return c, err
}

// Record returns a record.
func (b *Books) Record(ctx context.Context, kind clearing.Kind, holder, id string) (r clearing.Record, err error) {
	err = b.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
		r, err = scanRecord(q.QueryRow(ctx, "SELECT "+recordColumns+" FROM clearing_record WHERE kind = $1 AND holder = $2 AND record_id = $3", string(kind), holder, id))
		return notFound(err, fault.NotFoundf(string(kind), id))
	})
	return r, err
}

// InsertRecord stores a record if its id is new.
func (b *Books) InsertRecord(ctx context.Context, r clearing.Record) (isNew bool, err error) {
	err = b.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, "INSERT INTO clearing_record ("+recordColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
			string(r.Kind), r.Holder, r.ID, string(r.Month), r.A, r.B, r.Status, r.Version, r.Doc)
		isNew = n == 1
		return err
	})
	return isNew, err
}

// UpdateRecord changes a record under its lock.
func (b *Books) UpdateRecord(ctx context.Context, kind clearing.Kind, holder, id, etag string,
	change func(ctx context.Context, r *clearing.Record) error,
) (r clearing.Record, err error) {
	err = b.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if _, err := tx.Exec(ctx, "UPDATE clearing_record SET version = version + 1 WHERE kind = $1 AND holder = $2 AND record_id = $3", string(kind), holder, id); err != nil {
			return err
		}
		if r, err = b.Record(ctx, kind, holder, id); err != nil {
			return err
		}
		r.Version--
		if current := strconv.FormatInt(r.Version, 10); etag != "" && etag != current {
			return fault.Stale(current)
		}
		before := r
		err = change(ctx, &r)
		if err == clearing.ErrUnchanged { //nolint:errorlint // only the sentinel itself: a wrapped one is somebody else's
			r = before
		} else if err != nil {
			return err
		} else {
			r.Version++
		}
		_, err = tx.Exec(ctx, "UPDATE clearing_record SET status = $4, version = $5, doc = $6 WHERE kind = $1 AND holder = $2 AND record_id = $3",
			string(kind), holder, id, r.Status, r.Version, r.Doc)
		return err
	})
	return r, err
}

// Records returns records by id.
func (b *Books) Records(ctx context.Context, c clearing.Query) (out []clearing.Record, next string, err error) {
	err = b.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		return each(ctx, q, "SELECT "+recordColumns+` FROM clearing_record WHERE kind = $1 AND holder = $2 AND ($3 = '' OR month = $3) AND ($4 = '' OR month <= $4)
			AND ($5 = '' OR status = $5) AND ($6 = '' OR a = $6) AND ($7 = '' OR b = $7) AND ($8 = '' OR a = $8 OR b = $8) AND record_id > $9
			ORDER BY record_id LIMIT $10`,
			[]any{string(c.Kind), c.Holder, string(c.Month), c.Max, c.Status, c.A, c.B, c.Party, c.After, c.Limit + 1}, func(rows sqldb.Rows) error {
				r, err := scanRecord(rows)
				out = append(out, r)
				return err
			})
	})
	if err != nil {
		return nil, "", err
	}
	out, next = page(out, c.Limit, func(r clearing.Record) string { return r.ID })
	return out, next, nil
}

// ClearingArgs are a job of clearing.
type ClearingArgs struct {
	Job clearing.Job `json:"job"`
}

// Kind names the job.
func (ClearingArgs) Kind() string { return "settlement_clearing" }

// SealArgs give what was posted its place.
type SealArgs struct{}

// Kind names the job.
func (SealArgs) Kind() string { return "settlement_seal" }

// WatchArgs are the day's work of clearing.
type WatchArgs struct{}

// Kind names the job.
func (WatchArgs) Kind() string { return "settlement_clearing_watch" }

// Later leaves a job.
func (b *Books) Later(ctx context.Context, j clearing.Job) error {
	return b.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if j.Do == "watch" {
			// While a province is away, one such job waits for it, not one more every hour.
			return tx.Enqueue(ctx, ClearingArgs{j}, sqldb.UniqueKey("watch "+j.Province+" "+j.ID))
		}
		return tx.Enqueue(ctx, ClearingArgs{j})
	})
}
