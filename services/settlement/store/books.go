package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement/ledger"
)

// Post adds an entry, to have its place in the book soon. A settlement that moved nothing is an entry as well; an entry of
// nothing is not.
func (s *Store) Post(ctx context.Context, e ledger.Entry, at time.Time) error {
	head := e.Head()
	if head == (ledger.Head{}) {
		return nil
	}
	var postings [][]any
	for i, p := range e.Postings() {
		postings = append(postings, []any{head.ID, int64(i + 1), head.Province, p.Account, int64(p.Debit), int64(p.Credit)})
	}
	tail, err := TailRow(e, at)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		err := tx.Send(ctx, "INSERT INTO ledger_entry (entry_id, province, side, kind, source, counterparty, day, posted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			head.ID, head.Province, string(head.Side), string(head.Kind), head.Source, head.Counterparty, head.Day, clock.Micros(at))
		if err != nil {
			return err
		}
		if err := tx.Insert(ctx, "posting", []string{"entry_id", "position", "province", "account", "debit", "credit"}, postings); err != nil {
			return err
		}
		return tx.Insert(ctx, "ledger_tail", TailColumns, [][]any{tail})
	})
}

// Entry returns the entry of a source.
func (s *Store) Entry(ctx context.Context, province string, side ledger.Side, kind ledger.Kind, source string) (e ledger.Entry, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		e, _, err = entry(ctx, q, "province = $1 AND side = $2 AND kind = $3 AND source = $4", province, string(side), string(kind), source)
		return notFound(err, fault.NotFoundf("ledger entry", source))
	})
	return e, err
}

func entry(ctx context.Context, q sqldb.Querier, where string, args ...any) (e ledger.Entry, at time.Time, err error) {
	var h ledger.Head
	var posted int64
	err = q.QueryRow(ctx, "SELECT entry_id, province, side, kind, source, counterparty, day, posted_at FROM ledger_entry WHERE "+where, args...).
		Scan(&h.ID, &h.Province, &h.Side, &h.Kind, &h.Source, &h.Counterparty, &h.Day, &posted)
	if err != nil {
		return e, at, err
	}
	var postings []ledger.Posting
	err = each(ctx, q, "SELECT account, debit, credit FROM posting WHERE entry_id = $1 ORDER BY position", []any{h.ID}, func(rows sqldb.Rows) error {
		var p ledger.Posting
		err := rows.Scan(&p.Account, &p.Debit, &p.Credit)
		postings = append(postings, p)
		return err
	})
	if err != nil {
		return e, at, err
	}
	e, err = ledger.New(h, postings...)
	return e, clock.FromMicros(posted), err
}

// Balances returns every account of a province: the checkpoint, and what has been posted since.
func (s *Store) Balances(ctx context.Context, province string) (out []ledger.Balance, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out, err = balances(ctx, q, `SELECT account, debit, credit FROM ledger_balance WHERE province = $1
			UNION ALL SELECT p.account, p.debit, p.credit FROM ledger_tail t JOIN posting p ON p.entry_id = t.entry_id WHERE t.province = $1`, province)
		return err
	})
	return out, err
}

// balances sums what a query returns by account.
func balances(ctx context.Context, q sqldb.Querier, from string, args ...any) (out []ledger.Balance, err error) {
	err = each(ctx, q, `SELECT account, CAST(sum(debit) AS BIGINT), CAST(sum(credit) AS BIGINT) FROM (`+from+`) moved GROUP BY account`, args,
		func(rows sqldb.Rows) error {
			var b ledger.Balance
			err := rows.Scan(&b.Account, &b.Debit, &b.Credit)
			out = append(out, b)
			return err
		})
	// Not by the database: engines sort text differently.
	slices.SortFunc(out, func(a, b ledger.Balance) int { return cmp.Compare(a.Account, b.Account) })
	return out, err
}

// CompleteArgs look after a claim that is under way.
type CompleteArgs struct {
	ClaimID string `json:"claim_id"`
}

// Kind names the job.
func (CompleteArgs) Kind() string { return "settlement_complete" }

// CompleteLater makes the service look after a claim.
func (s *Store) CompleteLater(ctx context.Context, claimID string, at time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Enqueue(ctx, CompleteArgs{claimID}, sqldb.At(at))
	})
}
