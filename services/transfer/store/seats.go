package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/transfer/pool"
)

// mostUnits bounds how many units of one kind and owner are looked at for one hold.
const mostUnits = 2000

// takes is a reservation that takes its unit now; %s stands for the parameter with the present time.
const takes = `live AND (confirmed OR expire_at > %s)`

// seats are the units that needs may be given, and the holds on them whose time is over but which nothing has swept yet.
type seats struct {
	units  map[pool.Slot][]pool.Unit
	over   map[string][]overdue // by unit
	owners map[string]string    // by unit
}

// seat is a chosen unit.
type seat struct{ unit, owner string }

type overdue struct {
	holdID string
	pool.Interval
}

// spans returns for each slot of the needs the time that has to be looked at, in the order of the slots' first need.
func spans(needs []pool.Need) (order []pool.Slot, span map[pool.Slot]pool.Interval) {
	span = map[pool.Slot]pool.Interval{}
	for _, need := range needs {
		s, ok := span[need.Slot()]
		if !ok {
			order = append(order, need.Slot())
		}
		if !ok || need.Start.Before(s.Start) {
			s.Start = need.Start
		}
		if !ok || need.End.After(s.End) {
			s.End = need.End
		}
		span[need.Slot()] = s
	}
	return order, span
}

// candidates reads the units of the needs' slots. Reservations of the holds in but do not count.
func candidates(ctx context.Context, q sqldb.Querier, needs []pool.Need, but map[string]bool, now time.Time) (*seats, error) {
	out := &seats{units: map[pool.Slot][]pool.Unit{}, over: map[string][]overdue{}, owners: map[string]string{}}
	order, span := spans(needs)
	if len(order) == 0 {
		return out, nil
	}
	all, err := loansOf(ctx, q, order, span)
	if err != nil {
		return nil, err
	}
	for _, slot := range order {
		loans := all[slot]
		found, err := out.read(ctx, q, "organisation = $1 AND kind = $2 ORDER BY resource_id LIMIT $3", span[slot], but, now,
			slot.Organisation, string(slot.Kind), int64(mostUnits))
		if err != nil {
			return nil, err
		}
		var borrowed []string
		for _, l := range loans {
			if l.Borrower == slot.Organisation {
				borrowed = append(borrowed, l.ResourceID)
			}
		}
		if len(borrowed) > 0 {
			marks, args := placeholders(1, borrowed)
			more, err := out.read(ctx, q, "resource_id IN ("+marks+")", span[slot], but, now, args...)
			if err != nil {
				return nil, err
			}
			found = append(found, more...)
		}
		out.units[slot] = lend(found, loans, slot.Organisation)
	}
	return out, nil
}

// lend marks units that are away, and on which time a borrowed one is here.
func lend(units []pool.Unit, loans []pool.Loan, organisation string) []pool.Unit {
	for i := range units {
		for _, l := range loans {
			switch {
			case l.ResourceID != units[i].ID:
			case l.Lender == organisation:
				units[i].Away = append(units[i].Away, l.Interval)
			default:
				units[i].Within = append(units[i].Within, l.Interval)
			}
		}
	}
	return units
}

// read adds the units that meet the condition, whose parameters are args.
func (s *seats) read(ctx context.Context, q sqldb.Querier, condition string, span pool.Interval, but map[string]bool, now time.Time, args ...any) ([]pool.Unit, error) {
	n := len(args)
	// Rest may keep apart what does not overlap.
	args = append(args, clock.Micros(span.Start.Add(-pool.LongestRest)), clock.Micros(span.End.Add(pool.LongestRest)))
	rows, err := q.Query(ctx, fmt.Sprintf(`SELECT u.resource_id, u.organisation, u.calendar, u.out_of_service, COALESCE(v.hold_id, ''),
			COALESCE(v.start_at, 0), COALESCE(v.end_at, 0), COALESCE(v.confirmed, FALSE), COALESCE(v.expire_at, 0)
		FROM (SELECT resource_id, organisation, calendar, out_of_service FROM resource WHERE %s) u
		LEFT JOIN reservation v ON v.resource_id = u.resource_id AND v.live AND v.start_at < $%d AND v.end_at > $%d
		ORDER BY u.resource_id, v.start_at NULLS FIRST`, condition, n+2, n+1), args...)
	if err != nil {
		return nil, fmt.Errorf("store: units: %w", err)
	}
	defer rows.Close()
	var units []pool.Unit
	for rows.Next() {
		var id, owner, calendar, hold string
		var start, end, expire int64
		var outOfService, confirmed bool
		if err := rows.Scan(&id, &owner, &calendar, &outOfService, &hold, &start, &end, &confirmed, &expire); err != nil {
			return nil, fmt.Errorf("store: units: %w", err)
		}
		if len(units) == 0 || units[len(units)-1].ID != id {
			unit := pool.Unit{ID: id, OutOfService: outOfService}
			if unit.Calendar, err = decodeCalendar(calendar); err != nil {
				return nil, err
			}
			units, s.owners[id] = append(units, unit), owner
		}
		taken := pool.Interval{Start: clock.FromMicros(start), End: clock.FromMicros(end)}
		switch {
		case end <= start || but[hold]:
		case !confirmed && expire <= clock.Micros(now):
			s.over[id] = append(s.over[id], overdue{hold, taken})
		default:
			last := &units[len(units)-1]
			last.Busy = append(last.Busy, taken)
		}
	}
	return units, rows.Err()
}

// loansOf returns the live loans of units of the slots, given away or taken, that touch their spans: one look for all.
func loansOf(ctx context.Context, q sqldb.Querier, order []pool.Slot, span map[pool.Slot]pool.Interval) (map[pool.Slot][]pool.Loan, error) {
	list, args, whole := across(order, span)
	loans, err := readLoans(ctx, q, "(lender IN ("+list+") OR borrower IN ("+list+") AND status = 'LENT') AND live AND start_at < $2 AND end_at > $1 ORDER BY loan_id",
		append([]any{clock.Micros(whole.Start), clock.Micros(whole.End)}, args...)...)
	if err != nil {
		return nil, err
	}
	out := map[pool.Slot][]pool.Loan{}
	for _, slot := range order {
		for _, l := range loans {
			if l.Kind == slot.Kind && (l.Lender == slot.Organisation || l.Borrower == slot.Organisation && l.Status == pool.Lent) && l.Overlaps(span[slot]) {
				out[slot] = append(out[slot], l)
			}
		}
	}
	return out, nil
}

// across returns the owners of the slots as parameters from $3 on, and the time over all of their spans.
func across(order []pool.Slot, span map[pool.Slot]pool.Interval) (list string, args []any, whole pool.Interval) {
	var owners []string
	for i, slot := range order {
		if !slices.Contains(owners, slot.Organisation) {
			owners = append(owners, slot.Organisation)
		}
		if s := span[slot]; i == 0 {
			whole = s
		} else {
			if s.Start.Before(whole.Start) {
				whole.Start = s.Start
			}
			if s.End.After(whole.End) {
				whole.End = s.End
			}
		}
	}
	list, args = placeholders(3, owners)
	return list, args, whole
}

// calendar is a unit's calendar as it stands in the column. Names are never changed.
type calendar struct {
	WorkingDays    []window  `json:"working_days,omitempty"`
	DaysOff        []window  `json:"days_off,omitempty"`
	Closures       []closure `json:"closures,omitempty"`
	RestSeconds    int64     `json:"rest_seconds,omitempty"`
	LongestSeconds int64     `json:"longest_seconds,omitempty"`
}

type window struct {
	From int `json:"from"`
	To   int `json:"to"`
}

type closure struct {
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Reason string    `json:"reason"`
}

func encodeCalendar(c pool.Calendar) (string, error) {
	var d calendar
	for _, w := range c.WorkingDays {
		d.WorkingDays = append(d.WorkingDays, window(w))
	}
	for _, w := range c.DaysOff {
		d.DaysOff = append(d.DaysOff, window(w))
	}
	for _, closed := range c.Closures {
		d.Closures = append(d.Closures, closure{closed.Start, closed.End, closed.Reason})
	}
	d.RestSeconds, d.LongestSeconds = int64(c.Rest/time.Second), int64(c.Longest/time.Second)
	text, err := json.Marshal(d)
	if string(text) == "{}" {
		return "", err
	}
	return string(text), err
}

func decodeCalendar(text string) (pool.Calendar, error) {
	var out pool.Calendar
	if text == "" {
		return out, nil
	}
	var d calendar
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return out, fmt.Errorf("store: calendar: %w", err)
	}
	for _, w := range d.WorkingDays {
		out.WorkingDays = append(out.WorkingDays, pool.Window(w))
	}
	for _, w := range d.DaysOff {
		out.DaysOff = append(out.DaysOff, pool.Window(w))
	}
	for _, c := range d.Closures {
		out.Closures = append(out.Closures, pool.Closure{Interval: pool.Interval{Start: c.Start.UTC(), End: c.End.UTC()}, Reason: c.Reason})
	}
	out.Rest, out.Longest = time.Duration(d.RestSeconds)*time.Second, time.Duration(d.LongestSeconds)*time.Second
	return out, nil
}
