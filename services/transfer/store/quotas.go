package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/transfer/pool"
)

// allowedByQuota refuses what a quota does not leave room for. The quota's row is changed first: of two that count at the
// same time the later starts again.
func allowedByQuota(ctx context.Context, tx *sqldb.Tx, h pool.Hold, needs []pool.Need, now time.Time) error {
	purpose := purposeOf(h)
	if purpose != pool.Referral && purpose != pool.OwnUse {
		return nil
	}
	order, span := spans(needs)
	if len(order) == 0 {
		return nil
	}
	list, args, whole := across(order, span)
	quotas, err := readQuotas(ctx, tx, "organisation IN ("+list+") AND from_at < $2 AND to_at > $1 ORDER BY quota_id",
		append([]any{clock.Micros(whole.Start), clock.Micros(whole.End)}, args...)...)
	if err != nil {
		return err
	}
	for _, quota := range quotas { // in the order of the ids, so that two never wait for each other
		slot := pool.Slot{Organisation: quota.Organisation, Kind: quota.Kind}
		taken, asked := span[slot]
		if !asked || !quota.Period.Overlaps(taken) {
			continue
		}
		var more []pool.Interval
		for _, n := range needs {
			if n.Slot() == slot {
				more = append(more, n.Interval)
			}
		}
		if err := lockQuota(ctx, tx, quota.ID); err != nil {
			return err
		}
		if err := allow(ctx, tx, quota, h, purpose, more, now); err != nil {
			return err
		}
	}
	return nil
}

func allow(ctx context.Context, q sqldb.Querier, quota pool.Quota, h pool.Hold, purpose pool.Purpose, more []pool.Interval, now time.Time) error {
	if purpose == pool.Referral {
		before, err := countReferred(ctx, q, quota, h.ID, now)
		if err != nil {
			return err
		}
		return quota.AllowReferred(before, more)
	}
	own, err := ownPool(ctx, q, quota, over(more), h.ID, now)
	if err != nil {
		return err
	}
	return quota.AllowOwn(own, more, now)
}

// ownPool reads what an owner has of a quota's kind over an interval; own uses of one hold do not count.
func ownPool(ctx context.Context, q sqldb.Querier, quota pool.Quota, i pool.Interval, but string, now time.Time) (pool.Stock, error) {
	var out pool.Stock
	var err error
	if out.Units, err = capacityUnits(ctx, q, quota.Organisation, quota.Kind, i, now); err != nil {
		return out, err
	}
	if out.Owned, err = countUnits(ctx, q, quota); err != nil {
		return out, err
	}
	out.Own, err = ownUse(ctx, q, quota, but, now)
	return out, err
}

func over(list []pool.Interval) pool.Interval {
	out := list[0]
	for _, i := range list[1:] {
		if i.Start.Before(out.Start) {
			out.Start = i.Start
		}
		if i.End.After(out.End) {
			out.End = i.End
		}
	}
	return out
}

func countUnits(ctx context.Context, q sqldb.Querier, quota pool.Quota) (int, error) {
	var n int64
	err := q.QueryRow(ctx, "SELECT count(*) FROM resource WHERE organisation = $1 AND kind = $2", quota.Organisation, string(quota.Kind)).Scan(&n)
	return int(n), err
}

// quotaUse joins a quota's reservations that take their unit now with what they are for: those of the owner's own units,
// and of what it has on loan. A unit lent away is its borrower's.
const quotaUse = ` FROM reservation v JOIN hold h ON h.hold_id = v.hold_id JOIN resource u ON u.resource_id = v.resource_id ` + onLoan + `
	WHERE v.resource_id IN (SELECT resource_id FROM resource WHERE organisation = $1 AND kind = $2
		UNION SELECT resource_id FROM loan WHERE borrower = $1 AND kind = $2 AND owed_micros > 0)
	AND COALESCE(had.borrower, u.organisation) = $1 AND v.live AND (v.confirmed OR v.expire_at > $3)`

func countReferred(ctx context.Context, q sqldb.Querier, quota pool.Quota, but string, now time.Time) (int, error) {
	var n int64
	err := q.QueryRow(ctx, "SELECT count(*)"+quotaUse+` AND h.purpose IN ('', 'REFERRAL') AND h.transfer_id = '' AND v.start_at >= $4
		AND v.start_at < $5 AND h.hold_id <> $6`, quota.Organisation, string(quota.Kind), clock.Micros(now),
		clock.Micros(quota.Period.Start), clock.Micros(quota.Period.End), but).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("store: quota: %w", err)
	}
	return int(n), nil
}

func ownUse(ctx context.Context, q sqldb.Querier, quota pool.Quota, but string, now time.Time) ([]pool.Use, error) {
	rows, err := q.Query(ctx, "SELECT v.resource_id, v.start_at, v.end_at"+quotaUse+" AND h.purpose = 'OWN' AND v.start_at < $5 AND v.end_at > $4 AND h.hold_id <> $6",
		quota.Organisation, string(quota.Kind), clock.Micros(now), clock.Micros(quota.Period.Start), clock.Micros(quota.Period.End), but)
	if err != nil {
		return nil, fmt.Errorf("store: quota: %w", err)
	}
	defer rows.Close()
	var out []pool.Use
	for rows.Next() {
		var own pool.Use
		var start, end int64
		if err := rows.Scan(&own.Unit, &start, &end); err != nil {
			return nil, fmt.Errorf("store: quota: %w", err)
		}
		own.Interval = pool.Interval{Start: clock.FromMicros(start), End: clock.FromMicros(end)}
		out = append(out, own)
	}
	return out, rows.Err()
}

// lendable refuses to lend a unit that a quota reserves.
func lendable(ctx context.Context, tx *sqldb.Tx, l pool.Loan, now time.Time) error {
	quotas, err := readQuotas(ctx, tx, "organisation = $1 AND kind = $2 AND from_at < $4 AND to_at > $3 ORDER BY quota_id", l.Lender, string(l.Kind),
		clock.Micros(l.Start), clock.Micros(l.End))
	if err != nil {
		return err
	}
	for _, quota := range quotas {
		if err := lockQuota(ctx, tx, quota.ID); err != nil {
			return err
		}
		own, err := ownPool(ctx, tx, quota, l.Interval, "", now)
		if err != nil {
			return err
		}
		if err := quota.AllowLoan(own, l.ResourceID, l.Interval, now); err != nil {
			return err
		}
	}
	return nil
}

func lockQuota(ctx context.Context, tx *sqldb.Tx, quotaID string) error {
	if _, err := tx.Exec(ctx, "UPDATE quota SET locks = locks + 1 WHERE quota_id = $1", quotaID); err != nil {
		return fmt.Errorf("store: lock quota: %w", err)
	}
	return nil
}

func readQuotas(ctx context.Context, q sqldb.Querier, condition string, args ...any) ([]pool.Quota, error) {
	rows, err := q.Query(ctx, `SELECT quota_id, organisation, kind, from_at, to_at, units, share_bp, most_referred, release_micros, version
		FROM quota WHERE `+condition, args...)
	if err != nil {
		return nil, fmt.Errorf("store: quotas: %w", err)
	}
	defer rows.Close()
	var out []pool.Quota
	for rows.Next() {
		var quota pool.Quota
		var kind string
		var from, to, units, share, most, release int64
		if err := rows.Scan(&quota.ID, &quota.Organisation, &kind, &from, &to, &units, &share, &most, &release, &quota.Version); err != nil {
			return nil, fmt.Errorf("store: quotas: %w", err)
		}
		quota.Kind, quota.Period = pool.Kind(kind), pool.Interval{Start: clock.FromMicros(from), End: clock.FromMicros(to)}
		quota.Units, quota.ShareBp, quota.MostReferred, quota.Release = int(units), int(share), int(most), time.Duration(release)*time.Microsecond
		out = append(out, quota)
	}
	return out, rows.Err()
}

// AddQuota adds a quota.
func (s *Store) AddQuota(ctx context.Context, quota pool.Quota) (pool.Quota, error) {
	quota.Version = 1
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		// Two quotas of one owner and kind are checked one after the other: they share the first unit's row.
		if _, err := tx.Exec(ctx, `UPDATE resource SET version = version + 1 WHERE resource_id =
			(SELECT min(resource_id) FROM resource WHERE organisation = $1 AND kind = $2)`, quota.Organisation, string(quota.Kind)); err != nil {
			return fmt.Errorf("store: quota: %w", err)
		}
		there, err := readQuotas(ctx, tx, "organisation = $1 AND kind = $2 AND from_at < $4 AND to_at > $3", quota.Organisation,
			string(quota.Kind), clock.Micros(quota.Period.Start), clock.Micros(quota.Period.End))
		if err != nil {
			return err
		}
		if len(there) > 0 {
			return fault.New(fault.AlreadyExists, fault.FieldInvalid, "from_day",
				"There is a quota of this kind for some of these days.", "部分日期已有同类预留。").With("quota_id", there[0].ID)
		}
		_, err = tx.Exec(ctx, `INSERT INTO quota (quota_id, organisation, kind, from_at, to_at, units, share_bp, most_referred, release_micros, version, locks)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)`, quota.ID, quota.Organisation, string(quota.Kind), clock.Micros(quota.Period.Start),
			clock.Micros(quota.Period.End), int64(quota.Units), int64(quota.ShareBp), int64(quota.MostReferred), quota.Release.Microseconds(), quota.Version)
		return err
	})
	return quota, err
}

// WithdrawQuota ends a quota of the organisation.
func (s *Store) WithdrawQuota(ctx context.Context, organisation, quotaID, etag string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var version int64
		err := tx.QueryRow(ctx, "SELECT version FROM quota WHERE quota_id = $1 AND organisation = $2", quotaID, organisation).Scan(&version)
		switch {
		case errors.Is(err, sqldb.ErrNoRows):
			return fault.NotFoundf("quota", quotaID)
		case err != nil:
			return fmt.Errorf("store: quota: %w", err)
		case strconv.FormatInt(version, 10) != etag:
			return fault.Stale(strconv.FormatInt(version, 10))
		}
		_, err = tx.Exec(ctx, "DELETE FROM quota WHERE quota_id = $1", quotaID)
		return err
	})
}

// Quotas returns at most limit quotas with an id after the cursor, and what is used of each.
func (s *Store) Quotas(ctx context.Context, organisation string, kind pool.Kind, after string, limit int, now time.Time) ([]pool.Quota, []pool.Used, error) {
	var quotas []pool.Quota
	var used []pool.Used
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		var err error
		used = nil
		quotas, err = readQuotas(ctx, q, "($1 = '' OR organisation = $1) AND ($2 = '' OR kind = $2) AND quota_id > $3 ORDER BY quota_id LIMIT $4",
			organisation, string(kind), after, limit)
		if err != nil {
			return err
		}
		for _, quota := range quotas {
			units, err := countUnits(ctx, q, quota)
			if err != nil {
				return err
			}
			u := pool.Used{ReservedNow: quota.Reserved(units)}
			if u.Referred, err = countReferred(ctx, q, quota, "", now); err != nil {
				return err
			}
			own, err := ownUse(ctx, q, quota, "", now)
			if err != nil {
				return err
			}
			uses := make([]pool.Interval, len(own))
			for i := range own {
				uses[i] = own[i].Interval
			}
			u.OwnPeak = pool.Peak(uses, quota.Period)
			used = append(used, u)
		}
		return nil
	})
	return quotas, used, err
}
