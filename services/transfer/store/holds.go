package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/pool"
)

// Hold takes a free unit for every need, or none.
func (s *Store) Hold(ctx context.Context, h pool.Hold, needs []pool.Need, now time.Time) (pool.Hold, error) {
	var out pool.Hold
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		out, err = s.hold(ctx, tx, h, needs, now)
		return err
	})
	if err != nil {
		return pool.Hold{}, err
	}
	return out, nil
}

func (s *Store) hold(ctx context.Context, tx *sqldb.Tx, h pool.Hold, needs []pool.Need, now time.Time) (pool.Hold, error) {
	if err := allowedByQuota(ctx, tx, h, needs, now); err != nil {
		return pool.Hold{}, err
	}
	chosen, missing, err := s.take(ctx, tx, needs, nil, now)
	if err != nil {
		return pool.Hold{}, err
	}
	if missing >= 0 {
		return pool.Hold{}, pool.Taken(needs[missing])
	}
	return insertHold(ctx, tx, h, needs, chosen, now)
}

// TryHold is Hold in a transaction that goes on without it. Every refusal comes before the first unit is locked.
func (s *Store) TryHold(ctx context.Context, h pool.Hold, needs []pool.Need, now time.Time) (held pool.Hold, refused *fault.Fault, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		held, err = s.hold(ctx, tx, h, needs, now)
		if f, is := fault.As(err); is {
			refused, err = f, nil
			return err
		}
		refused = nil
		return err
	})
	return held, refused, err
}

// take chooses a unit for every need beside all reservations but those of some holds, locks the units, and ends what
// stands on them though its time is over. Where there is no choice, missing is the need that cannot be met and nothing
// was changed.
//
// What was read before the locks still stands after them: a writer that has committed since makes the lock fail and the
// transaction start again (PostgreSQL at REPEATABLE READ), and there is none on SQLite.
func (s *Store) take(ctx context.Context, tx *sqldb.Tx, needs []pool.Need, but map[string]bool, now time.Time) (chosen []seat, missing int, err error) {
	found, err := candidates(ctx, tx, needs, but, now)
	if err != nil {
		return nil, -1, err
	}
	units, missing := pool.Choose(needs, found.units)
	if missing >= 0 {
		return nil, missing, nil
	}
	if !s.unlocked {
		if err := lock(ctx, tx, units); err != nil {
			return nil, -1, err
		}
	}
	for i, unit := range units {
		chosen = append(chosen, seat{unit, found.owners[unit]})
		for _, o := range found.over[unit] {
			if !o.Overlaps(needs[i].Interval) || but[o.holdID] {
				continue
			}
			if err := evict(ctx, tx, o.holdID, now); err != nil {
				return nil, -1, err
			}
		}
	}
	return chosen, -1, nil
}

// lock changes the row of every unit, in the order of the ids, so that two holds never wait for each other.
func lock(ctx context.Context, tx *sqldb.Tx, units []string) error {
	ordered := slices.Compact(slices.Sorted(slices.Values(units)))
	for _, unit := range ordered {
		n, err := tx.Exec(ctx, "UPDATE resource SET version = version + 1 WHERE resource_id = $1", unit)
		if err != nil {
			return fmt.Errorf("store: lock unit: %w", err)
		}
		if n != 1 {
			return fmt.Errorf("store: unit %s has gone", unit)
		}
	}
	return nil
}

// evict ends a hold whose time is over but which nothing has swept yet. From here on no clock, however late, can confirm
// it.
func evict(ctx context.Context, tx *sqldb.Tx, holdID string, now time.Time) error {
	h, err := lockHold(ctx, tx, holdID)
	if err != nil {
		return err
	}
	if h.Status == pool.Expired {
		return nil // by an earlier need of this very transaction
	}
	if !h.ExpireAt(now) {
		return fmt.Errorf("store: hold %s is %s but over", holdID, h.Status)
	}
	if err := writeHold(ctx, tx, h); err != nil {
		return err
	}
	if h.Purpose != pool.Referral {
		return nil
	}
	event := transfer.HoldEvent(h, transfer.EventHoldExpired, now)
	return tx.Enqueue(telemetry.WithReferral(ctx, h.ReferralID), CaseEventJob{Event: event})
}

func insertHold(ctx context.Context, tx *sqldb.Tx, h pool.Hold, needs []pool.Need, chosen []seat, now time.Time) (pool.Hold, error) {
	h.Version, h.Purpose = 1, purposeOf(h)
	_, err := tx.Exec(ctx, `INSERT INTO hold (hold_id, referral_id, transfer_id, organisation, purpose, status, expire_at, created_at,
		release_reason, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		h.ID, h.ReferralID, h.TransferID, h.Organisation, string(h.Purpose), string(h.Status), clock.Micros(h.Expire), clock.Micros(now),
		h.ReleaseReason, h.Version)
	if err != nil {
		return pool.Hold{}, fmt.Errorf("store: hold: %w", err)
	}
	if h.Reservations, err = insertReservations(ctx, tx, h, needs, chosen); err != nil {
		return pool.Hold{}, err
	}
	if h.Status != pool.Held {
		return h, nil
	}
	return h, tx.Enqueue(telemetry.WithReferral(ctx, h.ReferralID), ExpireHoldJob{HoldID: h.ID}, sqldb.At(h.Expire))
}

// purposeOf is the stored purpose, or what follows from whom the hold is part of.
func purposeOf(h pool.Hold) pool.Purpose {
	switch {
	case h.Purpose != "":
		return h.Purpose
	case h.TransferID != "":
		return pool.Transfer
	}
	return pool.Referral
}

func insertReservations(ctx context.Context, tx *sqldb.Tx, h pool.Hold, needs []pool.Need, chosen []seat) ([]pool.Reservation, error) {
	confirmed := h.Status == pool.Confirmed
	var out []pool.Reservation
	for i, need := range needs {
		_, err := tx.Exec(ctx, `INSERT INTO reservation (hold_id, position, resource_id, start_at, end_at, expire_at, confirmed, live)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			h.ID, i, chosen[i].unit, clock.Micros(need.Start), clock.Micros(need.End), clock.Micros(h.Expire), confirmed, true)
		if err != nil {
			return nil, fmt.Errorf("store: reservation: %w", err)
		}
		out = append(out, pool.Reservation{
			ResourceID: chosen[i].unit, Organisation: chosen[i].owner, For: need.Organisation, Kind: need.Kind, Interval: need.Interval,
			Confirmed: confirmed, HoldID: h.ID, Purpose: h.Purpose, Expire: h.Expire,
		})
	}
	return out, nil
}

// GetHold returns a hold.
func (s *Store) GetHold(ctx context.Context, holdID string) (pool.Hold, error) {
	var h pool.Hold
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
		if h, err = readHold(ctx, q, holdID); err != nil {
			return err
		}
		h.Reservations, err = withOverrides(ctx, q, h.Reservations)
		return err
	})
	return h, err
}

func readHold(ctx context.Context, q sqldb.Querier, holdID string) (pool.Hold, error) {
	h := pool.Hold{ID: holdID}
	var status, purpose string
	var expire int64
	err := q.QueryRow(ctx, `SELECT referral_id, transfer_id, organisation, purpose, status, expire_at, release_reason, version
		FROM hold WHERE hold_id = $1`, holdID).
		Scan(&h.ReferralID, &h.TransferID, &h.Organisation, &purpose, &status, &expire, &h.ReleaseReason, &h.Version)
	if errors.Is(err, sqldb.ErrNoRows) {
		return pool.Hold{}, fault.NotFoundf("hold", holdID)
	}
	if err != nil {
		return pool.Hold{}, fmt.Errorf("store: hold: %w", err)
	}
	h.Status, h.Expire, h.Purpose = pool.Status(status), clock.FromMicros(expire), pool.Purpose(purpose)
	h.Purpose = purposeOf(h)
	h.Reservations, err = reservations(ctx, q, "v.hold_id = $1 ORDER BY v.position", holdID)
	return h, err
}

// onLoan joins a reservation v with the loan in whose time it lies: of one that was taken, for as long as it was.
const onLoan = `LEFT JOIN loan had ON had.resource_id = v.resource_id AND had.owed_micros > 0
		AND had.start_at <= v.start_at AND had.end_at >= v.end_at`

// reservations reads those that meet the condition.
func reservations(ctx context.Context, q sqldb.Querier, condition string, args ...any) ([]pool.Reservation, error) {
	rows, err := q.Query(ctx, `SELECT v.resource_id, u.organisation, COALESCE(had.borrower, u.organisation), u.kind, v.start_at, v.end_at, v.confirmed, v.hold_id,
			v.expire_at, h.purpose, h.transfer_id
		FROM reservation v JOIN resource u ON u.resource_id = v.resource_id `+onLoan+`
		JOIN (SELECT hold_id, purpose, transfer_id FROM hold) h ON h.hold_id = v.hold_id WHERE `+condition, args...)
	if err != nil {
		return nil, fmt.Errorf("store: reservations: %w", err)
	}
	defer rows.Close()
	var out []pool.Reservation
	for rows.Next() {
		var r pool.Reservation
		var kind, purpose, transferID string
		var start, end, expire int64
		if err := rows.Scan(&r.ResourceID, &r.Organisation, &r.For, &kind, &start, &end, &r.Confirmed, &r.HoldID, &expire, &purpose, &transferID); err != nil {
			return nil, fmt.Errorf("store: reservations: %w", err)
		}
		r.Purpose = purposeOf(pool.Hold{Purpose: pool.Purpose(purpose), TransferID: transferID})
		r.Kind, r.Expire, r.Interval = pool.Kind(kind), clock.FromMicros(expire), pool.Interval{Start: clock.FromMicros(start), End: clock.FromMicros(end)}
		out = append(out, r)
	}
	return out, rows.Err()
}

// lockHold takes the hold's row for this transaction and reads it.
func lockHold(ctx context.Context, tx *sqldb.Tx, holdID string) (pool.Hold, error) {
	n, err := tx.Exec(ctx, "UPDATE hold SET version = version WHERE hold_id = $1", holdID)
	if err != nil {
		return pool.Hold{}, fmt.Errorf("store: lock hold: %w", err)
	}
	if n == 0 {
		return pool.Hold{}, fault.NotFoundf("hold", holdID)
	}
	return readHold(ctx, tx, holdID)
}

// writeHold stores a changed status, and what it means for the reservations.
func writeHold(ctx context.Context, tx *sqldb.Tx, h pool.Hold) error {
	confirmed, live := h.Status == pool.Confirmed, h.Status == pool.Confirmed || h.Status == pool.Held
	_, err := tx.Exec(ctx, "UPDATE hold SET status = $2, release_reason = $3, version = version + 1 WHERE hold_id = $1",
		h.ID, string(h.Status), h.ReleaseReason)
	if err == nil {
		_, err = tx.Exec(ctx, "UPDATE reservation SET confirmed = $2, live = $3 WHERE hold_id = $1", h.ID, confirmed, live)
	}
	if err != nil {
		return fmt.Errorf("store: hold: %w", err)
	}
	return nil
}

// UpdateHold changes the status of a hold.
func (s *Store) UpdateHold(ctx context.Context, holdID string, fn func(*pool.Hold) error) (pool.Hold, error) {
	var out pool.Hold
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		h, err := lockHold(ctx, tx, holdID)
		if err != nil {
			return err
		}
		before := h.Status
		if err := fn(&h); err != nil {
			return err
		}
		if h.Status != before {
			if err := writeHold(ctx, tx, h); err != nil {
				return err
			}
			h.Version++
			for i := range h.Reservations {
				h.Reservations[i].Confirmed = h.Status == pool.Confirmed
			}
		}
		out = h
		return nil
	})
	if err != nil {
		return pool.Hold{}, err
	}
	return out, nil
}
