package store

import (
	"context"
	"fmt"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/transfer/pool"
)

// GoHome ends a hold of a transfer. What has begun is its owner's own booking until it is home, as far as nobody else has it
// beyond the time it was held for.
func (s *Store) GoHome(ctx context.Context, holdID string, way pool.WayHome, now time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		h, err := lockHold(ctx, tx, holdID)
		if err != nil || h.Status != pool.Confirmed && h.Status != pool.Held {
			return err
		}
		sent, fetching := 0, 0
		ends := make([]time.Time, len(h.Reservations))
		for i, r := range h.Reservations {
			if ends[i], err = staysUntil(ctx, tx, h, r, way, now); err != nil {
				return err
			}
			switch {
			case h.Status != pool.Confirmed || !ends[i].After(now):
				ends[i] = time.Time{}
			case way.Fetches(r):
				fetching++
			default:
				sent++
			}
		}
		if fetching > 0 {
			if err := insertReturn(ctx, tx, h, way, now); err != nil {
				return err
			}
		}
		for i, r := range h.Reservations {
			if err := goHome(ctx, tx, h, r, way, ends[i]); err != nil {
				return err
			}
		}
		if sent == 0 {
			h.Release("home")
			return writeHold(ctx, tx, h)
		}
		if _, err = tx.Exec(ctx, "UPDATE hold SET transfer_id = '', purpose = 'RETURN', version = version + 1 WHERE hold_id = $1", h.ID); err != nil {
			return fmt.Errorf("store: way home: %w", err)
		}
		return nil
	})
}

// staysUntil is the end of what a reservation still takes.
func staysUntil(ctx context.Context, tx *sqldb.Tx, h pool.Hold, r pool.Reservation, way pool.WayHome, now time.Time) (time.Time, error) {
	until, most := way.Stays(r, h.Reservations, now)
	if !most.After(until) {
		return until, nil
	}
	if err := lock(ctx, tx, []string{r.ResourceID}); err != nil {
		return time.Time{}, err
	}
	var next int64
	err := tx.QueryRow(ctx, `SELECT COALESCE(min(start_at), $4) FROM (
			SELECT start_at FROM reservation WHERE resource_id = $1 AND live AND hold_id <> $2 AND start_at < $4 AND end_at > $3
			UNION ALL SELECT start_at FROM loan WHERE resource_id = $1 AND live AND start_at < $4 AND end_at > $3 AND lender = $5) taken`,
		r.ResourceID, h.ID, clock.Micros(until), clock.Micros(most), r.Organisation).Scan(&next)
	if err != nil {
		return time.Time{}, fmt.Errorf("store: way home: %w", err)
	}
	return clock.FromMicros(max(next, clock.Micros(until))), nil
}

// insertReturn makes the receiver's own hold for its ambulances.
func insertReturn(ctx context.Context, tx *sqldb.Tx, h pool.Hold, way pool.WayHome, now time.Time) error {
	_, err := insertHold(ctx, tx, pool.Hold{
		ID: way.ReceiverHold, ReferralID: h.ReferralID, Organisation: way.Receiver, Purpose: pool.Return, Status: pool.Confirmed, Expire: h.Expire,
	}, nil, nil, now)
	return err
}

// goHome frees what a reservation took at its end; zero: at once.
func goHome(ctx context.Context, tx *sqldb.Tx, h pool.Hold, r pool.Reservation, way pool.WayHome, end time.Time) error {
	holder := h.ID
	if way.Fetches(r) {
		holder = way.ReceiverHold
	}
	var err error
	if end.IsZero() {
		_, err = tx.Exec(ctx, "UPDATE reservation SET live = FALSE, confirmed = FALSE WHERE hold_id = $1 AND resource_id = $2 AND start_at = $3",
			h.ID, r.ResourceID, clock.Micros(r.Start))
	} else {
		_, err = tx.Exec(ctx, "UPDATE reservation SET end_at = $4, hold_id = $5 WHERE hold_id = $1 AND resource_id = $2 AND start_at = $3",
			h.ID, r.ResourceID, clock.Micros(r.Start), clock.Micros(end), holder)
	}
	if err != nil {
		return fmt.Errorf("store: way home: %w", err)
	}
	return nil
}
