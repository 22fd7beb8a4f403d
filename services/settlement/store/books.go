package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/ledger"
)

// Post adds an entry; one without postings moved nothing and is not kept.
func (s *Store) Post(ctx context.Context, e ledger.Entry, at time.Time) error {
	postings, head := e.Postings(), e.Head()
	if len(postings) == 0 {
		return nil
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO ledger_entry (entry_id, province, side, kind, source, posted_at) VALUES ($1, $2, $3, $4, $5, $6)",
			head.ID, head.Province, string(head.Side), string(head.Kind), head.Source, clock.Micros(at))
		if err != nil {
			return err
		}
		for i, p := range postings {
			_, err := tx.Exec(ctx, "INSERT INTO posting (entry_id, position, province, account, debit, credit) VALUES ($1, $2, $3, $4, $5, $6)",
				head.ID, int64(i+1), head.Province, p.Account, int64(p.Debit), int64(p.Credit))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Entry returns the entry of a source.
func (s *Store) Entry(ctx context.Context, province string, side ledger.Side, kind ledger.Kind, source string) (e ledger.Entry, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		head := ledger.Head{Province: province, Side: side, Kind: kind, Source: source}
		err := q.QueryRow(ctx, "SELECT entry_id FROM ledger_entry WHERE province = $1 AND side = $2 AND kind = $3 AND source = $4",
			province, string(side), string(kind), source).Scan(&head.ID)
		if err != nil {
			return notFound(err, fault.NotFoundf("ledger entry", source))
		}
		var postings []ledger.Posting
		err = each(ctx, q, "SELECT account, debit, credit FROM posting WHERE entry_id = $1 ORDER BY position", []any{head.ID}, func(rows sqldb.Rows) error {
			var p ledger.Posting
			err := rows.Scan(&p.Account, &p.Debit, &p.Credit)
			postings = append(postings, p)
			return err
		})
		if err != nil {
			return err
		}
		e, err = ledger.New(head, postings...)
		return err
	})
	return e, err
}

// Balances sums every account of a province.
func (s *Store) Balances(ctx context.Context, province string) (out []ledger.Balance, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		return each(ctx, q, `SELECT account, CAST(sum(debit) AS BIGINT), CAST(sum(credit) AS BIGINT) FROM posting
			WHERE province = $1 GROUP BY account`, []any{province}, func(rows sqldb.Rows) error {
			var b ledger.Balance
			err := rows.Scan(&b.Account, &b.Debit, &b.Credit)
			out = append(out, b)
			return err
		})
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

// EventArgs tell the case what became of a claim.
type EventArgs struct {
	Event settlement.Event `json:"event"`
}

// Kind names the job.
func (EventArgs) Kind() string { return "settlement_case_event" }

// CompleteLater makes the service look after a claim.
func (s *Store) CompleteLater(ctx context.Context, claimID string, at time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Enqueue(ctx, CompleteArgs{claimID}, sqldb.At(at))
	})
}

// TellCase tells the case what became of a claim.
func (s *Store) TellCase(ctx context.Context, e settlement.Event) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return tx.Enqueue(ctx, EventArgs{e}) })
}
