package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/transfer/pool"
)

func readLoans(ctx context.Context, q sqldb.Querier, condition string, args ...any) ([]pool.Loan, error) {
	rows, err := q.Query(ctx, `SELECT loan_id, resource_id, kind, lender, borrower, start_at, end_at, status, owed_micros, version
		FROM loan WHERE `+condition, args...)
	if err != nil {
		return nil, fmt.Errorf("store: loans: %w", err)
	}
	defer rows.Close()
	var out []pool.Loan
	for rows.Next() {
		var l pool.Loan
		var kind, status string
		var start, end, owed int64
		if err := rows.Scan(&l.ID, &l.ResourceID, &kind, &l.Lender, &l.Borrower, &start, &end, &status, &owed, &l.Version); err != nil {
			return nil, fmt.Errorf("store: loans: %w", err)
		}
		l.Kind, l.Status, l.Owed = pool.Kind(kind), pool.LoanStatus(status), time.Duration(owed)*time.Microsecond
		l.Interval = pool.Interval{Start: clock.FromMicros(start), End: clock.FromMicros(end)}
		out = append(out, l)
	}
	return out, rows.Err()
}

// inTheWay finds a reservation on a unit that takes it in the interval, or another live loan of it.
func inTheWay(ctx context.Context, q sqldb.Querier, resourceID, loanID string, i pool.Interval, now time.Time) error {
	holds, err := texts(ctx, q, "SELECT hold_id FROM reservation WHERE resource_id = $1 AND start_at < $3 AND end_at > $2 AND "+
		fmt.Sprintf(takes, "$4")+" ORDER BY hold_id LIMIT 1", resourceID, clock.Micros(i.Start), clock.Micros(i.End), clock.Micros(now))
	if err != nil {
		return err
	}
	if len(holds) > 0 {
		return fault.New(fault.FailedPrecondition, fault.ResourceTaken, "",
			"The unit has reservations at that time.", "该资源在该时段已有预约。").With("hold_id", holds[0])
	}
	loans, err := readLoans(ctx, q, "resource_id = $1 AND live AND loan_id <> $4 AND start_at < $3 AND end_at > $2 ORDER BY loan_id LIMIT 1",
		resourceID, clock.Micros(i.Start), clock.Micros(i.End), loanID)
	if err == nil && len(loans) > 0 {
		return fault.New(fault.FailedPrecondition, fault.ResourceTaken, "",
			"The unit is lent at that time.", "该资源在该时段已借出。").With("loan_id", loans[0].ID)
	}
	return err
}

// Lend offers a unit of the lender: NOT_FOUND for another's, RESOURCE_TAKEN where something stands in the way,
// QUOTA_RESERVED where a quota reserves it.
func (s *Store) Lend(ctx context.Context, l pool.Loan, now time.Time) (pool.Loan, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		units, err := unitsWhere(ctx, tx, "resource_id = $1 AND organisation = $2", l.ResourceID, l.Lender)
		if err != nil {
			return err
		}
		if len(units) == 0 {
			return fault.NotFoundf("resource", l.ResourceID)
		}
		l.Kind, l.Version = units[0].Kind, 1
		reserved := lendable(ctx, tx, l, now) // quotas are locked before units, as by whoever holds one
		if f, ok := fault.As(reserved); reserved != nil && (!ok || f.Reason != fault.QuotaReserved) {
			return reserved
		}
		if err := lock(ctx, tx, []string{l.ResourceID}); err != nil {
			return err
		}
		if err := inTheWay(ctx, tx, l.ResourceID, l.ID, l.Interval, now); err != nil {
			return err
		}
		if reserved != nil {
			return reserved
		}
		_, err = tx.Exec(ctx, `INSERT INTO loan (loan_id, resource_id, kind, lender, borrower, start_at, end_at, status, live, owed_micros, version)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, l.ID, l.ResourceID, string(l.Kind), l.Lender, l.Borrower,
			clock.Micros(l.Start), clock.Micros(l.End), string(l.Status), l.Live(), l.Owed.Microseconds(), l.Version)
		return err
	})
	return l, err
}

// GetLoan: NOT_FOUND.
func (s *Store) GetLoan(ctx context.Context, loanID string) (pool.Loan, error) {
	var out []pool.Loan
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
		out, err = readLoans(ctx, q, "loan_id = $1", loanID)
		return err
	})
	if err == nil && len(out) == 0 {
		err = fault.NotFoundf("loan", loanID)
	}
	if err != nil {
		return pool.Loan{}, err
	}
	return out[0], nil
}

// UpdateLoan changes a loan. Where its end comes nearer, nothing may be reserved after the new end: RESOURCE_TAKEN.
// NOT_FOUND; STALE_VERSION; what fn returns.
func (s *Store) UpdateLoan(ctx context.Context, loanID, etag string, now time.Time, fn func(*pool.Loan) error) (pool.Loan, error) {
	var l pool.Loan
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		there, err := s.GetLoan(ctx, loanID)
		if err != nil {
			return err
		}
		if current := strconv.FormatInt(there.Version, 10); etag != current {
			return fault.Stale(current)
		}
		if _, err := tx.Exec(ctx, "UPDATE resource SET version = version + 1 WHERE resource_id = $1", there.ResourceID); err != nil {
			return fmt.Errorf("store: loan: %w", err)
		}
		l = there
		if err := fn(&l); err != nil {
			return err
		}
		if there.Status == pool.Lent && l.Status == pool.Ended {
			rest := pool.Interval{Start: l.End, End: there.End}
			if l.Owed == 0 {
				rest.Start = there.Start
			}
			if err := inTheWay(ctx, tx, l.ResourceID, l.ID, rest, now); err != nil {
				return err
			}
		}
		if l.Status == there.Status {
			return nil
		}
		l.Version++
		n, err := tx.Exec(ctx, "UPDATE loan SET end_at = $2, status = $3, live = $4, owed_micros = $5, version = $6 WHERE loan_id = $1 AND version = $7",
			l.ID, clock.Micros(l.End), string(l.Status), l.Live(), l.Owed.Microseconds(), l.Version, there.Version)
		if err == nil && n != 1 {
			err = fmt.Errorf("store: loan %s changed meanwhile", l.ID)
		}
		return err
	})
	if err != nil {
		return pool.Loan{}, err
	}
	return l, nil
}

// Loans returns at most limit loans of the organisation with an id before the cursor, the newest first.
func (s *Store) Loans(ctx context.Context, organisation string, status pool.LoanStatus, before string, limit int) ([]pool.Loan, error) {
	var out []pool.Loan
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
		out, err = readLoans(ctx, q, `($1 = '' OR lender = $1 OR borrower = $1) AND ($2 = '' OR status = $2) AND ($3 = '' OR loan_id < $3)
			ORDER BY loan_id DESC LIMIT $4`, organisation, string(status), before, limit)
		return err
	})
	return out, err
}

// Balances sums what the organisation lent to each other one and borrowed from it.
func (s *Store) Balances(ctx context.Context, organisation string) ([]pool.Balance, error) {
	var out []pool.Balance
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		rows, err := q.Query(ctx, `SELECT CASE WHEN lender = $1 THEN borrower ELSE lender END AS other, kind,
				CAST(sum(CASE WHEN lender = $1 THEN owed_micros ELSE 0 END) AS BIGINT), CAST(sum(CASE WHEN lender = $1 THEN 0 ELSE owed_micros END) AS BIGINT)
			FROM loan WHERE (lender = $1 OR borrower = $1) AND owed_micros > 0 GROUP BY 1, 2 ORDER BY 1, 2`, organisation)
		if err != nil {
			return fmt.Errorf("store: balances: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var b pool.Balance
			var kind string
			var lent, borrowed int64
			if err := rows.Scan(&b.Other, &kind, &lent, &borrowed); err != nil {
				return fmt.Errorf("store: balances: %w", err)
			}
			b.Kind, b.Lent, b.Borrowed = pool.Kind(kind), time.Duration(lent)*time.Microsecond, time.Duration(borrowed)*time.Microsecond
			out = append(out, b)
		}
		return rows.Err()
	})
	return out, err
}
