package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/pool"
)

// mostUnits bounds how many units of one kind and owner are looked at for one hold.
const mostUnits = 2000

// Hold takes a free unit for every need, or none.
func (s *Store) Hold(ctx context.Context, h pool.Hold, needs []pool.Need, now time.Time) (pool.Hold, error) {
	var out pool.Hold
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		units, err := candidates(ctx, tx, needs, now)
		if err != nil {
			return err
		}
		chosen, missing := pool.Choose(needs, units)
		if missing >= 0 {
			return pool.Taken(needs[missing])
		}
		if !s.unlocked {
			if err := lock(ctx, tx, chosen); err != nil {
				return err
			}
			// What was read before the locks may have changed since, where the engine lets a transaction see that.
			for i, unit := range chosen {
				taken, err := busy(ctx, tx, unit, needs[i].Interval, now)
				if err != nil {
					return err
				}
				if len(taken) > 0 {
					return pool.Taken(needs[i])
				}
			}
		}
		for i, unit := range chosen {
			if err := evict(ctx, tx, unit, needs[i].Interval, now); err != nil {
				return err
			}
		}
		out, err = insertHold(ctx, tx, h, needs, chosen, now)
		return err
	})
	if err != nil {
		return pool.Hold{}, err
	}
	return out, nil
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

// takes is a reservation that takes its unit now; %s stands for the parameter with the present time.
const takes = `live AND (confirmed OR expire_at > %s)`

func candidates(ctx context.Context, tx *sqldb.Tx, needs []pool.Need, now time.Time) (map[pool.Slot][]pool.Unit, error) {
	units := map[pool.Slot][]pool.Unit{}
	spans := map[pool.Slot]pool.Interval{}
	for _, need := range needs {
		span, ok := spans[need.Slot()]
		if !ok || need.Start.Before(span.Start) {
			span.Start = need.Start
		}
		if !ok || need.End.After(span.End) {
			span.End = need.End
		}
		spans[need.Slot()] = span
	}
	for slot := range maps.Keys(spans) {
		found, err := unitsOf(ctx, tx, slot, spans[slot], now)
		if err != nil {
			return nil, err
		}
		units[slot] = found
	}
	return units, nil
}

func unitsOf(ctx context.Context, tx *sqldb.Tx, slot pool.Slot, span pool.Interval, now time.Time) ([]pool.Unit, error) {
	rows, err := tx.Query(ctx, `SELECT u.resource_id, COALESCE(v.start_at, 0), COALESCE(v.end_at, 0)
		FROM (SELECT resource_id FROM resource WHERE organisation = $1 AND kind = $2 ORDER BY resource_id LIMIT $3) u
		LEFT JOIN reservation v ON v.resource_id = u.resource_id AND v.start_at < $5 AND v.end_at > $4
			AND `+fmt.Sprintf(takes, "$6")+`
		ORDER BY u.resource_id, v.start_at NULLS FIRST`,
		slot.Organisation, string(slot.Kind), mostUnits, clock.Micros(span.Start), clock.Micros(span.End), clock.Micros(now))
	if err != nil {
		return nil, fmt.Errorf("store: units: %w", err)
	}
	defer rows.Close()
	var units []pool.Unit
	for rows.Next() {
		var id string
		var start, end int64
		if err := rows.Scan(&id, &start, &end); err != nil {
			return nil, fmt.Errorf("store: units: %w", err)
		}
		if len(units) == 0 || units[len(units)-1].ID != id {
			units = append(units, pool.Unit{ID: id})
		}
		if end > start {
			last := &units[len(units)-1]
			last.Busy = append(last.Busy, pool.Interval{Start: clock.FromMicros(start), End: clock.FromMicros(end)})
		}
	}
	return units, rows.Err()
}

// busy returns the holds that take the unit in the interval.
func busy(ctx context.Context, tx *sqldb.Tx, unit string, i pool.Interval, now time.Time) ([]string, error) {
	return holdsOn(ctx, tx, fmt.Sprintf(takes, "$4"), unit, i, now)
}

// evict ends the holds on the unit whose time is over but which nothing has swept yet. From here on no clock, however
// late, can confirm them.
func evict(ctx context.Context, tx *sqldb.Tx, unit string, i pool.Interval, now time.Time) error {
	over, err := holdsOn(ctx, tx, "live AND NOT confirmed AND expire_at <= $4", unit, i, now)
	if err != nil {
		return err
	}
	for _, holdID := range over {
		h, err := lockHold(ctx, tx, holdID)
		if err != nil {
			return err
		}
		if !h.ExpireAt(now) {
			return fmt.Errorf("store: hold %s is %s but over", holdID, h.Status)
		}
		if err := writeHold(ctx, tx, h); err != nil {
			return err
		}
		if h.TransferID != "" {
			continue
		}
		event := transfer.HoldEvent(h, transfer.EventHoldExpired, now)
		if err := tx.Enqueue(telemetry.WithReferral(ctx, h.ReferralID), CaseEventJob{Event: event}); err != nil {
			return err
		}
	}
	return nil
}

func holdsOn(ctx context.Context, tx *sqldb.Tx, condition, unit string, i pool.Interval, now time.Time) ([]string, error) {
	rows, err := tx.Query(ctx, `SELECT DISTINCT hold_id FROM reservation
		WHERE resource_id = $1 AND start_at < $3 AND end_at > $2 AND `+condition+` ORDER BY hold_id`,
		unit, clock.Micros(i.Start), clock.Micros(i.End), clock.Micros(now))
	if err != nil {
		return nil, fmt.Errorf("store: reservations: %w", err)
	}
	defer rows.Close()
	var holds []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("store: reservations: %w", err)
		}
		holds = append(holds, id)
	}
	return holds, rows.Err()
}

func insertHold(ctx context.Context, tx *sqldb.Tx, h pool.Hold, needs []pool.Need, chosen []string, now time.Time) (pool.Hold, error) {
	h.Version = 1
	_, err := tx.Exec(ctx, `INSERT INTO hold (hold_id, referral_id, transfer_id, organisation, status, expire_at, created_at,
		release_reason, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		h.ID, h.ReferralID, h.TransferID, h.Organisation, string(h.Status), clock.Micros(h.Expire), clock.Micros(now), h.ReleaseReason, h.Version)
	if err != nil {
		return pool.Hold{}, fmt.Errorf("store: hold: %w", err)
	}
	h.Reservations = nil
	for i, need := range needs {
		_, err := tx.Exec(ctx, `INSERT INTO reservation (hold_id, position, resource_id, start_at, end_at, expire_at, confirmed, live)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			h.ID, i, chosen[i], clock.Micros(need.Start), clock.Micros(need.End), clock.Micros(h.Expire), false, true)
		if err != nil {
			return pool.Hold{}, fmt.Errorf("store: reservation: %w", err)
		}
		h.Reservations = append(h.Reservations, pool.Reservation{
			ResourceID: chosen[i], Organisation: need.Organisation, Kind: need.Kind, Interval: need.Interval, HoldID: h.ID,
		})
	}
	return h, tx.Enqueue(telemetry.WithReferral(ctx, h.ReferralID), ExpireHoldJob{HoldID: h.ID}, sqldb.At(h.Expire))
}

// GetHold returns a hold.
func (s *Store) GetHold(ctx context.Context, holdID string) (pool.Hold, error) {
	var h pool.Hold
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
		h, err = readHold(ctx, q, holdID)
		return err
	})
	return h, err
}

func readHold(ctx context.Context, q sqldb.Querier, holdID string) (pool.Hold, error) {
	h := pool.Hold{ID: holdID}
	var status string
	var expire int64
	err := q.QueryRow(ctx, "SELECT referral_id, transfer_id, organisation, status, expire_at, release_reason, version FROM hold WHERE hold_id = $1", holdID).
		Scan(&h.ReferralID, &h.TransferID, &h.Organisation, &status, &expire, &h.ReleaseReason, &h.Version)
	if errors.Is(err, sqldb.ErrNoRows) {
		return pool.Hold{}, fault.NotFoundf("hold", holdID)
	}
	if err != nil {
		return pool.Hold{}, fmt.Errorf("store: hold: %w", err)
	}
	h.Status, h.Expire = pool.Status(status), clock.FromMicros(expire)
	h.Reservations, err = reservations(ctx, q, "v.hold_id = $1 ORDER BY v.position", holdID)
	return h, err
}

// reservations reads those that meet the condition.
func reservations(ctx context.Context, q sqldb.Querier, condition string, args ...any) ([]pool.Reservation, error) {
	rows, err := q.Query(ctx, `SELECT v.resource_id, u.organisation, u.kind, v.start_at, v.end_at, v.confirmed, v.hold_id
		FROM reservation v JOIN resource u ON u.resource_id = v.resource_id WHERE `+condition, args...)
	if err != nil {
		return nil, fmt.Errorf("store: reservations: %w", err)
	}
	defer rows.Close()
	var out []pool.Reservation
	for rows.Next() {
		var r pool.Reservation
		var kind string
		var start, end int64
		if err := rows.Scan(&r.ResourceID, &r.Organisation, &kind, &start, &end, &r.Confirmed, &r.HoldID); err != nil {
			return nil, fmt.Errorf("store: reservations: %w", err)
		}
		r.Kind, r.Interval = pool.Kind(kind), pool.Interval{Start: clock.FromMicros(start), End: clock.FromMicros(end)}
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
