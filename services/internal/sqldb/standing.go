package sqldb

import "context"

// JobStanding is how many jobs of a kind are in a state: "available" (due and not taken), "running", "retryable" (failed,
// to be tried again) or "dead" (out of attempts or discarded: a person must look).
type JobStanding struct {
	Kind, State string
	Count       int64
}

// JobStandings counts the jobs that are not done, by kind and state.
func (db *DB) JobStandings(ctx context.Context) (standings []JobStanding, err error) {
	err = db.Read(ctx, func(ctx context.Context, q Querier) error {
		standings = nil
		rows, err := q.Query(ctx, `SELECT kind, CASE WHEN CAST(state AS TEXT) IN ('discarded', 'cancelled') THEN 'dead' ELSE CAST(state AS TEXT) END AS standing, count(*)
			FROM river_job WHERE state IN ('available', 'running', 'retryable', 'discarded', 'cancelled') GROUP BY kind, standing ORDER BY kind, standing`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s JobStanding
			if err := rows.Scan(&s.Kind, &s.State, &s.Count); err != nil {
				return err
			}
			standings = append(standings, s)
		}
		return rows.Err()
	})
	return standings, err
}
