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
	for _, slot := range order {
		var more []pool.Interval
		for _, n := range needs {
			if n.Slot() == slot {
				more = append(more, n.Interval)
			}
		}
		for _, quota := range quotas {
			if quota.Organisation != slot.Organisation || quota.Kind != slot.Kind || !quota.Period.Overlaps(span[slot]) {
				continue
			}
			if _, err := tx.Exec(ctx, "UPDATE quota SET locks = locks + 1 WHERE quota_id = $1", quota.ID); err != nil {
				return fmt.Errorf("store: lock quota: %w", err)
			}
			if err := allow(ctx, tx, quota, h, purpose, more, now); err != nil {
				return err
			}
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
	units, err := countUnits(ctx, q, quota)
	if err != nil {
		return err
	}
	own, err := ownUse(ctx, q, quota, now)
	if err != nil {
		return err
	}
	return quota.AllowOwn(units, own, more)
}

func countUnits(ctx context.Context, q sqldb.Querier, quota pool.Quota) (int, error) {
	var n int64
	err := q.QueryRow(ctx, "SELECT count(*) FROM resource WHERE organisation = $1 AND kind = $2", quota.Organisation, string(quota.Kind)).Scan(&n)
	return int(n), err
}

// quotaUse joins a quota's reservations that take their unit now with what they are for.
const quotaUse = ` FROM reservation v JOIN hold h ON h.hold_id = v.hold_id JOIN resource u ON u.resource_id = v.resource_id
	WHERE u.organisation = $1 AND u.kind = $2 AND v.live AND (v.confirmed OR v.expire_at > $3)`

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

func ownUse(ctx context.Context, q sqldb.Querier, quota pool.Quota, now time.Time) ([]pool.Interval, error) {
	rows, err := q.Query(ctx, "SELECT v.start_at, v.end_at"+quotaUse+" AND h.purpose = 'OWN' AND v.start_at < $5 AND v.end_at > $4",
		quota.Organisation, string(quota.Kind), clock.Micros(now), clock.Micros(quota.Period.Start), clock.Micros(quota.Period.End))
	if err != nil {
		return nil, fmt.Errorf("store: quota: %w", err)
	}
	defer rows.Close()
	var out []pool.Interval
	for rows.Next() {
		var start, end int64
		if err := rows.Scan(&start, &end); err != nil {
			return nil, fmt.Errorf("store: quota: %w", err)
		}
		out = append(out, pool.Interval{Start: clock.FromMicros(start), End: clock.FromMicros(end)})
	}
	return out, rows.Err()
}

func readQuotas(ctx context.Context, q sqldb.Querier, condition string, args ...any) ([]pool.Quota, error) {
	rows, err := q.Query(ctx, `SELECT quota_id, organisation, kind, from_at, to_at, units, share_bp, most_referred, version
		FROM quota WHERE `+condition, args...)
	if err != nil {
		return nil, fmt.Errorf("store: quotas: %w", err)
	}
	defer rows.Close()
	var out []pool.Quota
	for rows.Next() {
		var quota pool.Quota
		var kind string
		var from, to, units, share, most int64
		if err := rows.Scan(&quota.ID, &quota.Organisation, &kind, &from, &to, &units, &share, &most, &quota.Version); err != nil {
			return nil, fmt.Errorf("store: quotas: %w", err)
		}
		quota.Kind, quota.Period = pool.Kind(kind), pool.Interval{Start: clock.FromMicros(from), End: clock.FromMicros(to)}
		quota.Units, quota.ShareBp, quota.MostReferred = int(units), int(share), int(most)
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
		_, err = tx.Exec(ctx, `INSERT INTO quota (quota_id, organisation, kind, from_at, to_at, units, share_bp, most_referred, version, locks)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)`, quota.ID, quota.Organisation, string(quota.Kind), clock.Micros(quota.Period.Start),
			clock.Micros(quota.Period.End), int64(quota.Units), int64(quota.ShareBp), int64(quota.MostReferred), quota.Version)
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
			own, err := ownUse(ctx, q, quota, now)
			if err != nil {
				return err
			}
			u.OwnPeak = pool.Peak(own, quota.Period)
			used = append(used, u)
		}
		return nil
	})
	return quotas, used, err
}
