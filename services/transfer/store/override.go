package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/transfer/pool"
)

// override is one order to take units from others. Whoever gives way moves to a free unit of its kind with all that has
// to move, or its hold ends as a whole: a hold never keeps half of what it asked for.
type override struct {
	tx      *sqldb.Tx
	by      pool.Override
	owner   string // whose units may be picked; empty: anybody's, of one owner
	now     time.Time
	picks   []pool.Pick
	needs   []pool.Need // the picks with their owner and kind
	records []pool.Override
}

// look reads the picked units: NOT_FOUND for one that is not the organisation's, WRONG_STATE for one that is lent away, out of service or closed.
func (o *override) look(ctx context.Context) error {
	for i, p := range o.picks {
		units, err := unitsWhere(ctx, o.tx, "resource_id = $1", p.ResourceID)
		if err != nil {
			return err
		}
		if len(units) == 0 || o.owner != "" && units[0].Organisation != o.owner || units[0].Organisation != o.first(units[0]) {
			return fault.NotFoundf("resource", p.ResourceID)
		}
		for _, before := range o.picks[:i] {
			if before.ResourceID == p.ResourceID && before.Overlaps(p.Interval) {
				return fault.New(fault.InvalidArgument, fault.TimeInvalid, fmt.Sprintf("needs[%d]", i),
					"Two of the needs take one unit at one time.", "两项需求在同一时段占用同一资源。")
			}
		}
		if units[0].OutOfService || units[0].Calendar.Closed(p.Interval) {
			return fault.New(fault.FailedPrecondition, fault.WrongState, fmt.Sprintf("needs[%d].resource_id", i),
				"The unit is out of service or closed at that time.", "该资源在该时段停用。")
		}
		o.needs = append(o.needs, pool.Need{Organisation: units[0].Organisation, Kind: units[0].Kind, Interval: p.Interval})
		loans, err := readLoans(ctx, o.tx, "resource_id = $1 AND live AND start_at < $3 AND end_at > $2 ORDER BY loan_id",
			p.ResourceID, clock.Micros(p.Start), clock.Micros(p.End))
		if err != nil {
			return err
		}
		if len(loans) > 0 {
			return fault.New(fault.FailedPrecondition, fault.WrongState, fmt.Sprintf("needs[%d].resource_id", i),
				"The unit is lent to another institution at that time.", "该资源在该时段已借出。").With("loan_id", loans[0].ID)
		}
	}
	return nil
}

func (o *override) first(unit pool.Resource) string {
	if len(o.needs) > 0 {
		return o.needs[0].Organisation
	}
	return unit.Organisation
}

// yield makes every reservation in the way give way.
func (o *override) yield(ctx context.Context) error {
	yielding := map[string][]pool.Reservation{}
	var order []string
	for _, p := range o.picks {
		there, err := reservations(ctx, o.tx, "v.resource_id = $1 AND v.live AND v.start_at < $3 AND v.end_at > $2 ORDER BY v.hold_id, v.position",
			p.ResourceID, clock.Micros(p.Start), clock.Micros(p.End))
		if err != nil {
			return err
		}
		for _, r := range there {
			if !slices.Contains(order, r.HoldID) {
				order = append(order, r.HoldID)
			}
			if !slices.ContainsFunc(yielding[r.HoldID], func(y pool.Reservation) bool { return y.ResourceID == r.ResourceID && y.Interval == r.Interval }) {
				yielding[r.HoldID] = append(yielding[r.HoldID], r)
			}
		}
	}
	picked := make([]string, len(o.picks))
	for i, p := range o.picks {
		picked[i] = p.ResourceID
	}
	if err := lock(ctx, o.tx, picked); err != nil {
		return err
	}
	slices.Sort(order)
	for _, holdID := range order {
		if err := o.move(ctx, holdID, yielding[holdID]); err != nil {
			return err
		}
	}
	return nil
}

// move finds other units for what one hold loses, or ends the hold.
func (o *override) move(ctx context.Context, holdID string, losing []pool.Reservation) error {
	h, err := lockHold(ctx, o.tx, holdID)
	if err != nil {
		return err
	}
	if !h.Live(o.now) {
		return evict(ctx, o.tx, holdID, o.now)
	}
	if h.Purpose == pool.Transfer || h.Purpose == pool.Return {
		return fault.New(fault.FailedPrecondition, fault.WrongState, "needs",
			"The unit is with a patient who is being moved.", "该资源正用于转运患者。").With("hold_id", h.ID).With("transfer_id", h.TransferID)
	}
	needs := make([]pool.Need, len(losing))
	for i, r := range losing {
		needs[i] = pool.Need{Organisation: r.For, Kind: r.Kind, Interval: r.Interval}
	}
	found, err := candidates(ctx, o.tx, needs, nil, o.now)
	if err != nil {
		return err
	}
	for slot := range found.units {
		for i, unit := range found.units[slot] {
			for _, p := range o.picks {
				if p.ResourceID == unit.ID {
					found.units[slot][i].Busy = append(found.units[slot][i].Busy, p.Interval)
				}
			}
		}
	}
	chosen, missing := pool.Choose(needs, found.units)
	if missing >= 0 {
		h.Release("overridden: " + o.by.Reason)
		if err := writeHold(ctx, o.tx, h); err != nil {
			return err
		}
		for _, r := range losing {
			o.note(r, "")
		}
		return reportReleased(ctx, o.tx, h, o.now)
	}
	if err := lock(ctx, o.tx, chosen); err != nil {
		return err
	}
	for i, r := range losing {
		for _, over := range found.over[chosen[i]] {
			if over.Overlaps(r.Interval) {
				if err := evict(ctx, o.tx, over.holdID, o.now); err != nil {
					return err
				}
			}
		}
		_, err := o.tx.Exec(ctx, "UPDATE reservation SET resource_id = $4 WHERE hold_id = $1 AND resource_id = $2 AND start_at = $3",
			h.ID, r.ResourceID, clock.Micros(r.Start), chosen[i])
		if err != nil {
			return fmt.Errorf("store: override: %w", err)
		}
		o.note(r, chosen[i])
	}
	_, err = o.tx.Exec(ctx, "UPDATE hold SET version = version + 1 WHERE hold_id = $1", h.ID)
	return err
}

func (o *override) note(r pool.Reservation, movedTo string) {
	one := o.by
	one.Yielding, one.ResourceID, one.At, one.MovedTo = r.HoldID, r.ResourceID, o.now, movedTo
	o.records = append(o.records, one)
}

// withOverrides adds to reservations who took their unit from whom.
func withOverrides(ctx context.Context, q sqldb.Querier, list []pool.Reservation) ([]pool.Reservation, error) {
	seen := map[string][]pool.Override{}
	for i := range list {
		holdID := list[i].HoldID
		if _, asked := seen[holdID]; !asked {
			found, err := overridesOf(ctx, q, holdID)
			if err != nil {
				return nil, err
			}
			seen[holdID] = found
		}
		for _, o := range seen[holdID] {
			if o.ResourceID == list[i].ResourceID || o.Yielding == holdID && o.MovedTo == list[i].ResourceID {
				list[i].Overrides = append(list[i].Overrides, o)
			}
		}
	}
	return list, nil
}

func overridesOf(ctx context.Context, q sqldb.Querier, holdID string) ([]pool.Override, error) {
	rows, err := q.Query(ctx, `SELECT taking_hold_id, yielding_hold_id, resource_id, organisation, subject, reason, at, moved_to FROM unit_override
		WHERE taking_hold_id = $1 OR yielding_hold_id = $1 ORDER BY at, taking_hold_id, position LIMIT 64`, holdID)
	if err != nil {
		return nil, fmt.Errorf("store: overrides: %w", err)
	}
	defer rows.Close()
	var out []pool.Override
	for rows.Next() {
		var o pool.Override
		var at int64
		if err := rows.Scan(&o.Taking, &o.Yielding, &o.ResourceID, &o.Organisation, &o.Subject, &o.Reason, &at, &o.MovedTo); err != nil {
			return nil, fmt.Errorf("store: overrides: %w", err)
		}
		o.At = clock.FromMicros(at)
		out = append(out, o)
	}
	return out, rows.Err()
}
