package store

import (
	"context"
	"fmt"
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
		n, err := tx.Exec(ctx, `INSERT INTO resource (resource_id, organisation, kind, label, version)
			VALUES ($1, $2, $3, $4, 1) ON CONFLICT (organisation, kind, label) DO NOTHING`,
			r.ID, r.Organisation, string(r.Kind), r.Label)
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
		if out, err = units(ctx, q, organisation, kind, after, limit); err != nil || len(out) == 0 {
			return err
		}
		at := map[string]int{}
		for i, r := range out {
			at[r.ID] = i
		}
		list, args := placeholders(3, unitIDs(out))
		taken, err := reservations(ctx, q, fmt.Sprintf(`v.end_at > $1 AND v.%s AND v.resource_id IN (%s)
			ORDER BY v.resource_id, v.start_at`, fmt.Sprintf(takes, "$2"), list),
			append([]any{clock.Micros(now), clock.Micros(now)}, args...)...)
		for _, v := range taken {
			i := at[v.ResourceID]
			out[i].Reservations = append(out[i].Reservations, v)
		}
		return err
	})
	return out, err
}

func units(ctx context.Context, q sqldb.Querier, organisation string, kind pool.Kind, after string, limit int) ([]pool.Resource, error) {
	rows, err := q.Query(ctx, `SELECT resource_id, organisation, kind, label FROM resource
		WHERE ($1 = '' OR organisation = $1) AND ($2 = '' OR kind = $2) AND resource_id > $3 ORDER BY resource_id LIMIT $4`,
		organisation, string(kind), after, limit)
	if err != nil {
		return nil, fmt.Errorf("store: units: %w", err)
	}
	defer rows.Close()
	var out []pool.Resource
	for rows.Next() {
		var r pool.Resource
		var kind string
		if err := rows.Scan(&r.ID, &r.Organisation, &kind, &r.Label); err != nil {
			return nil, fmt.Errorf("store: units: %w", err)
		}
		r.Kind = pool.Kind(kind)
		out = append(out, r)
	}
	return out, rows.Err()
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

// CountFree counts the units free for the whole interval.
func (s *Store) CountFree(ctx context.Context, organisations []string, kind pool.Kind, interval pool.Interval, now time.Time) ([]int, error) {
	if len(organisations) == 0 {
		return nil, nil
	}
	free := map[string]int{}
	list, args := placeholders(5, organisations)
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		rows, err := q.Query(ctx, `SELECT u.organisation, count(*) FROM resource u
			WHERE u.kind = $1 AND u.organisation IN (`+list+`) AND NOT EXISTS (
				SELECT 1 FROM reservation v WHERE v.resource_id = u.resource_id AND v.start_at < $3 AND v.end_at > $2
				AND v.`+fmt.Sprintf(takes, "$4")+`)
			GROUP BY u.organisation`,
			append([]any{string(kind), clock.Micros(interval.Start), clock.Micros(interval.End), clock.Micros(now)}, args...)...)
		if err != nil {
			return fmt.Errorf("store: free units: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var organisation string
			var n int64
			if err := rows.Scan(&organisation, &n); err != nil {
				return fmt.Errorf("store: free units: %w", err)
			}
			free[organisation] = int(n)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	out := make([]int, len(organisations))
	for i, organisation := range organisations {
		out[i] = free[organisation]
	}
	return out, nil
}
