package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/transfer/pool"
)

// AddResource adds a unit.
func (s *Store) AddResource(ctx context.Context, r pool.Resource) error {
	added, err := s.insertUnit(ctx, r)
	if err == nil && !added {
		return fault.New(fault.AlreadyExists, fault.FieldInvalid, "label",
			"The organisation has a unit of this kind with this label.", "本机构已有同类同名资源。")
	}
	return err
}

// EnsureResource adds a unit unless there is one of its owner, kind and label.
func (s *Store) EnsureResource(ctx context.Context, r pool.Resource) error {
	_, err := s.insertUnit(ctx, r)
	return err
}

func (s *Store) insertUnit(ctx context.Context, r pool.Resource) (added bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO resource (resource_id, organisation, kind, label, version, edition, reported_at, reported_by)
			VALUES ($1, $2, $3, $4, 1, 1, $5, $6) ON CONFLICT (organisation, kind, label) DO NOTHING`,
			r.ID, r.Organisation, string(r.Kind), r.Label, clock.Micros(r.Reported), r.ReportedBy)
		if err != nil {
			return fmt.Errorf("store: unit: %w", err)
		}
		added = n == 1
		return nil
	})
	return added, err
}

// Resources returns units by id with their live reservations.
func (s *Store) Resources(ctx context.Context, organisation string, kind pool.Kind, after string, limit int, now time.Time) ([]pool.Resource, error) {
	var out []pool.Resource
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		var err error
		out, err = unitsWhere(ctx, q, "($1 = '' OR organisation = $1) AND ($2 = '' OR kind = $2) AND resource_id > $3 ORDER BY resource_id LIMIT $4",
			organisation, string(kind), after, limit)
		if err != nil {
			return err
		}
		return withReservations(ctx, q, out, now)
	})
	return out, err
}

// Resource returns one unit with its live reservations. NOT_FOUND.
func (s *Store) Resource(ctx context.Context, resourceID string, now time.Time) (pool.Resource, error) {
	var out []pool.Resource
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		var err error
		if out, err = unitsWhere(ctx, q, "resource_id = $1", resourceID); err != nil {
			return err
		}
		if len(out) == 0 {
			return fault.NotFoundf("resource", resourceID)
		}
		return withReservations(ctx, q, out, now)
	})
	if err != nil {
		return pool.Resource{}, err
	}
	return out[0], nil
}

func withReservations(ctx context.Context, q sqldb.Querier, units []pool.Resource, now time.Time) error {
	if len(units) == 0 {
		return nil
	}
	at := map[string]int{}
	for i, r := range units {
		at[r.ID] = i
	}
	list, args := placeholders(3, unitIDs(units))
	taken, err := reservations(ctx, q, fmt.Sprintf(`v.end_at > $1 AND v.%s AND v.resource_id IN (%s)
		ORDER BY v.resource_id, v.start_at`, fmt.Sprintf(takes, "$2"), list),
		append([]any{clock.Micros(now), clock.Micros(now)}, args...)...)
	if err != nil {
		return err
	}
	if taken, err = withOverrides(ctx, q, taken); err != nil {
		return err
	}
	for _, v := range taken {
		i := at[v.ResourceID]
		units[i].Reservations = append(units[i].Reservations, v)
	}
	return nil
}

func unitsWhere(ctx context.Context, q sqldb.Querier, condition string, args ...any) ([]pool.Resource, error) {
	rows, err := q.Query(ctx, `SELECT resource_id, organisation, kind, label, calendar, out_of_service, reported_at, reported_by, edition
		FROM resource WHERE `+condition, args...)
	if err != nil {
		return nil, fmt.Errorf("store: units: %w", err)
	}
	defer rows.Close()
	var out []pool.Resource
	for rows.Next() {
		var r pool.Resource
		var kind, calendar string
		var reported int64
		if err := rows.Scan(&r.ID, &r.Organisation, &kind, &r.Label, &calendar, &r.OutOfService, &reported, &r.ReportedBy, &r.Edition); err != nil {
			return nil, fmt.Errorf("store: units: %w", err)
		}
		r.Kind, r.Reported = pool.Kind(kind), clock.FromMicros(reported)
		if r.Calendar, err = decodeCalendar(calendar); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// UpdateResource changes what its owner says of a unit. NOT_FOUND; STALE_VERSION; what fn returns.
func (s *Store) UpdateResource(ctx context.Context, resourceID, etag string, fn func(*pool.Resource) error) (pool.Resource, error) {
	var out pool.Resource
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE resource SET version = version + 1 WHERE resource_id = $1", resourceID); err != nil {
			return fmt.Errorf("store: unit: %w", err)
		}
		units, err := unitsWhere(ctx, tx, "resource_id = $1", resourceID)
		if err != nil {
			return err
		}
		if len(units) == 0 {
			return fault.NotFoundf("resource", resourceID)
		}
		out = units[0]
		if err := fn(&out); err != nil {
			return err
		}
		if current := strconv.FormatInt(out.Edition, 10); etag != current {
			return fault.Stale(current)
		}
		calendar, err := encodeCalendar(out.Calendar)
		if err != nil {
			return fmt.Errorf("store: calendar: %w", err)
		}
		out.Edition++
		_, err = tx.Exec(ctx, `UPDATE resource SET calendar = $2, out_of_service = $3, reported_at = $4, reported_by = $5, edition = $6
			WHERE resource_id = $1`, resourceID, calendar, out.OutOfService, clock.Micros(out.Reported), out.ReportedBy, out.Edition)
		return err
	})
	if err != nil {
		return pool.Resource{}, err
	}
	return out, nil
}

func unitIDs(units []pool.Resource) []string {
	out := make([]string, len(units))
	for i, r := range units {
		out[i] = r.ID
	}
	return out
}

// placeholders returns "$first, ..." for values, and the values as arguments.
func placeholders(first int, values []string) (string, []any) {
	marks, args := make([]string, len(values)), make([]any, len(values))
	for i, value := range values {
		marks[i], args[i] = fmt.Sprintf("$%d", first+i), value
	}
	return strings.Join(marks, ", "), args
}
