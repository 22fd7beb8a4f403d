package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/pool"
)

// Move gives live holds other needs and makes new ones, all of them or none. missing is a need that cannot be met; then nothing has changed.
func (s *Store) Move(ctx context.Context, moves []pool.Move, now time.Time) (moved []pool.Hold, missing *pool.Need, err error) {
	moves = slices.SortedFunc(slices.Values(moves), func(a, b pool.Move) int { return strings.Compare(a.HoldID, b.HoldID) })
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		moved, missing = nil, nil
		but := map[string]bool{}
		var needs []pool.Need
		var holds []pool.Hold
		for _, m := range moves {
			if m.Create != nil {
				holds, needs = append(holds, *m.Create), append(needs, m.Needs...)
				continue
			}
			h, err := lockHold(ctx, tx, m.HoldID)
			if err != nil {
				return err
			}
			if !h.Live(now) {
				return fault.New(fault.FailedPrecondition, fault.HoldExpired, "hold_id",
					"The hold has ended; its units are free again.", "该预占已结束，资源已释放。").With("hold_id", h.ID)
			}
			if err := allowedByQuota(ctx, tx, h, m.Needs, now); err != nil {
				return err
			}
			holds, needs, but[h.ID] = append(holds, h), append(needs, m.Needs...), true
		}
		chosen, lacking, err := s.take(ctx, tx, needs, but, now)
		if err != nil {
			return err
		}
		if lacking >= 0 {
			missing = &needs[lacking]
			return nil
		}
		for i, m := range moves {
			units := chosen[:len(m.Needs)]
			chosen = chosen[len(m.Needs):]
			var h pool.Hold
			if m.Create != nil {
				h, err = insertHold(ctx, tx, holds[i], m.Needs, units, now)
			} else {
				h, err = rewrite(ctx, tx, holds[i], m, units)
			}
			if err != nil {
				return err
			}
			moved = append(moved, h)
		}
		return nil
	})
	return moved, missing, err
}

func rewrite(ctx context.Context, tx *sqldb.Tx, h pool.Hold, m pool.Move, units []seat) (pool.Hold, error) {
	earlier := !m.Expire.IsZero() && m.Expire.Before(h.Expire)
	if !m.Expire.IsZero() {
		h.Expire = m.Expire
	}
	h.Version++
	_, err := tx.Exec(ctx, "UPDATE hold SET expire_at = $2, version = $3 WHERE hold_id = $1", h.ID, clock.Micros(h.Expire), h.Version)
	if err == nil {
		_, err = tx.Exec(ctx, "DELETE FROM reservation WHERE hold_id = $1", h.ID)
	}
	if err != nil {
		return pool.Hold{}, fmt.Errorf("store: move: %w", err)
	}
	if h.Reservations, err = insertReservations(ctx, tx, h, m.Needs, units); err != nil {
		return pool.Hold{}, err
	}
	if h.Status == pool.Held && earlier {
		err = tx.Enqueue(telemetry.WithReferral(ctx, h.ReferralID), ExpireHoldJob{HoldID: h.ID}, sqldb.At(h.Expire))
	}
	return h, err
}

// HoldsOf returns the live holds of a case that are not a transfer's.
func (s *Store) HoldsOf(ctx context.Context, referralID string, now time.Time) ([]pool.Hold, error) {
	return s.holdsWhere(ctx, now, "referral_id = $1 AND transfer_id = '' AND purpose IN ('', 'REFERRAL')", referralID)
}

// HeldBy returns the live holds of a transfer.
func (s *Store) HeldBy(ctx context.Context, transferID string, now time.Time) ([]pool.Hold, error) {
	return s.holdsWhere(ctx, now, "transfer_id = $1", transferID)
}

func (s *Store) holdsWhere(ctx context.Context, now time.Time, condition, id string) ([]pool.Hold, error) {
	var out []pool.Hold
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		ids, err := texts(ctx, q, "SELECT hold_id FROM hold WHERE "+condition+" AND status IN ('HELD', 'CONFIRMED') ORDER BY hold_id LIMIT 100", id)
		if err != nil {
			return err
		}
		for _, id := range ids {
			h, err := readHold(ctx, q, id)
			if err != nil {
				return err
			}
			if h.Live(now) {
				out = append(out, h)
			}
		}
		return nil
	})
	return out, err
}

func texts(ctx context.Context, q sqldb.Querier, query string, args ...any) ([]string, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
		out = append(out, one)
	}
	return out, rows.Err()
}

// Override takes the picked units from whatever reservations stand in the way.
func (s *Store) Override(ctx context.Context, h pool.Hold, owner string, picks []pool.Pick, by pool.Override, now time.Time) (pool.Hold, []pool.Override, error) {
	var out pool.Hold
	var records []pool.Override
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		o := &override{tx: tx, by: by, owner: owner, now: now, picks: picks}
		var err error
		if err = o.look(ctx); err != nil {
			return err
		}
		if err = o.yield(ctx); err != nil {
			return err
		}
		chosen := make([]seat, len(picks))
		for i, p := range picks {
			chosen[i] = seat{p.ResourceID, o.needs[i].Organisation}
		}
		if out, err = insertHold(ctx, tx, h, o.needs, chosen, now); err != nil {
			return err
		}
		records = o.records
		for i := range records {
			records[i].Taking = out.ID
			if err := insertOverride(ctx, tx, i, records[i]); err != nil {
				return err
			}
		}
		out.Reservations, err = withOverrides(ctx, tx, out.Reservations)
		return err
	})
	return out, records, err
}

func insertOverride(ctx context.Context, tx *sqldb.Tx, position int, o pool.Override) error {
	_, err := tx.Exec(ctx, `INSERT INTO unit_override (taking_hold_id, yielding_hold_id, resource_id, position, organisation, subject, reason, at, moved_to)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		o.Taking, o.Yielding, o.ResourceID, int64(position), o.Organisation, o.Subject, o.Reason, clock.Micros(o.At), o.MovedTo)
	if err != nil {
		return fmt.Errorf("store: override: %w", err)
	}
	return nil
}

// reportReleased tells the case that a hold of its own has gone.
func reportReleased(ctx context.Context, tx *sqldb.Tx, h pool.Hold, now time.Time) error {
	if h.Purpose != pool.Referral {
		return nil
	}
	return tx.Enqueue(telemetry.WithReferral(ctx, h.ReferralID), CaseEventJob{Event: transfer.HoldEvent(h, transfer.EventHoldReleased, now)})
}
