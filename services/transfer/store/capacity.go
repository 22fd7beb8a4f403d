package store

import (
	"context"
	"fmt"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/transfer/pool"
)

// CountFree counts the units free for the whole interval. Units that are always to be had are counted by the database;
// those with a calendar, lent or borrowed are looked at one by one.
func (s *Store) CountFree(ctx context.Context, organisations []string, kind pool.Kind, interval pool.Interval, now time.Time) ([]int, error) {
	if len(organisations) == 0 {
		return nil, nil
	}
	free := map[string]int{}
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		clear(free)
		if err := countPlain(ctx, q, organisations, kind, interval, now, free); err != nil {
			return err
		}
		list, args := placeholders(2, organisations)
		special, err := texts(ctx, q, `SELECT DISTINCT organisation FROM resource WHERE kind = $1 AND organisation IN (`+list+`) AND calendar <> ''`,
			append([]any{string(kind)}, args...)...)
		if err != nil {
			return err
		}
		list, args = placeholders(4, organisations)
		args = append([]any{string(kind), clock.Micros(interval.Start), clock.Micros(interval.End)}, args...)
		for _, side := range []string{"lender", "borrower"} {
			more, err := texts(ctx, q, "SELECT DISTINCT "+side+" FROM loan WHERE kind = $1 AND live AND start_at < $3 AND end_at > $2 AND "+
				side+" IN ("+list+")", args...)
			if err != nil {
				return err
			}
			special = append(special, more...)
		}
		for _, organisation := range special {
			units, err := capacityUnits(ctx, q, organisation, kind, interval, now)
			if err != nil {
				return err
			}
			free[organisation] = 0
			for _, u := range units {
				if u.Free(interval) {
					free[organisation]++
				}
			}
		}
		return nil
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

func countPlain(ctx context.Context, q sqldb.Querier, organisations []string, kind pool.Kind, interval pool.Interval, now time.Time, free map[string]int) error {
	list, args := placeholders(5, organisations)
	rows, err := q.Query(ctx, `SELECT u.organisation, count(*) FROM resource u
		WHERE u.kind = $1 AND u.organisation IN (`+list+`) AND NOT u.out_of_service AND NOT EXISTS (
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
}

func capacityUnits(ctx context.Context, q sqldb.Querier, organisation string, kind pool.Kind, interval pool.Interval, now time.Time) ([]pool.Unit, error) {
	need := pool.Need{Organisation: organisation, Kind: kind, Interval: interval}
	found, err := candidates(ctx, q, []pool.Need{need}, nil, now)
	if err != nil {
		return nil, err
	}
	return found.units[need.Slot()], nil
}

// Capacity counts an owner's units over an interval.
func (s *Store) Capacity(ctx context.Context, organisation string, kind pool.Kind, interval pool.Interval, now time.Time) (pool.Capacity, error) {
	var out pool.Capacity
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = pool.Capacity{OwnLeft: -1}
		units, err := capacityUnits(ctx, q, organisation, kind, interval, now)
		if err != nil {
			return err
		}
		for _, u := range units {
			switch {
			case u.Within != nil && !u.Usable(interval):
				continue // borrowed at another time
			case u.Free(interval):
				out.Free++
			case u.Usable(interval):
				out.Taken++
			default:
				out.Unusable++
			}
			out.Units++
		}
		own, err := unitsWhere(ctx, q, "organisation = $1 AND kind = $2 ORDER BY reported_at, resource_id LIMIT 1", organisation, string(kind))
		if err != nil {
			return err
		}
		if len(own) > 0 {
			out.OldestReport, out.OldestReportBy = own[0].Reported, own[0].ReportedBy
		}
		quotas, err := readQuotas(ctx, q, "organisation = $1 AND kind = $2 AND from_at < $4 AND to_at > $3 ORDER BY quota_id", organisation, string(kind),
			clock.Micros(interval.Start), clock.Micros(interval.End))
		if err != nil {
			return err
		}
		for _, quota := range quotas {
			own, err := ownPool(ctx, q, quota, interval, "", now)
			if err != nil {
				return err
			}
			left, binds := quota.OwnLeft(own, nil, interval, now)
			if !binds {
				continue
			}
			left = max(left, 0)
			if out.OwnLeft < 0 || left < out.OwnLeft {
				out.OwnLeft = left
			}
		}
		return nil
	})
	return out, err
}
