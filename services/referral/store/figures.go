package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/referral"
	"huhang.example/services/referral/figures"
)

// Figures is a figures.Store over the same database.
type Figures struct{ db *sqldb.DB }

var _ figures.Store = (*Figures)(nil)

// NewFigures returns a store over a migrated database.
func NewFigures(db *sqldb.DB) *Figures { return &Figures{db} }

// maxEntries bounds what is folded of one case: its first entries. A case has some hundred.
const maxEntries = 50_000

// folded are the facts of one case, made from one state of the database.
type folded struct {
	r     *referral.Referral
	facts []figures.Fact
}

// Advance reads and folds without holding anything, and writes only if nobody else went on meanwhile. A case that changed
// in between is among the next events, and is folded again.
func (f *Figures) Advance(ctx context.Context, rules string, limit int, fold func(*referral.Referral, []referral.Entry) []figures.Fact) ([]figures.Fact, bool, error) {
	var before, position, head int64
	var by string
	var cases []folded
	err := f.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		cases = nil
		if err := q.QueryRow(ctx, "SELECT h.position, h.rules, f.n FROM figure_head h, feed_head f WHERE h.id = 1 AND f.id = 1").Scan(&before, &by, &head); err != nil {
			return err
		}
		from := before
		if by != rules {
			from = 0
		}
		position = min(head, from+int64(limit))
		ids, err := texts(ctx, q, "SELECT DISTINCT referral_id FROM timeline WHERE position > $1 AND position <= $2 ORDER BY referral_id", from, position)
		if err != nil {
			return err
		}
		for _, id := range ids {
			r, err := scanOne(q.QueryRow(ctx, "SELECT doc FROM referral WHERE id = $1", id))
			if err != nil {
				return err
			}
			events, err := feed(ctx, q, "SELECT position, referral_id, doc FROM timeline WHERE referral_id = $1 ORDER BY sequence LIMIT $2", id, maxEntries)
			if err != nil {
				return err
			}
			entries := make([]referral.Entry, len(events))
			for i, e := range events {
				entries[i] = e.Entry
			}
			cases = append(cases, folded{r, fold(r, entries)})
		}
		return nil
	})
	if err != nil || position == before && by == rules {
		return nil, false, err
	}
	var ended []figures.Fact
	won := false
	err = f.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		ended = nil
		n, err := tx.Exec(ctx, "UPDATE figure_head SET position = $1, rules = $2 WHERE id = 1 AND position = $3 AND rules = $4", position, rules, before, by)
		if won = n == 1; err != nil || !won {
			return err
		}
		for _, c := range cases {
			fresh, err := replace(ctx, tx, c)
			if err != nil {
				return err
			}
			ended = append(ended, fresh...)
		}
		return nil
	})
	if err != nil || !won {
		return nil, false, err
	}
	return ended, position < head, nil
}

// replace puts a case's facts in the place of the old ones and returns those that had not ended before.
func replace(ctx context.Context, tx *sqldb.Tx, c folded) ([]figures.Fact, error) {
	old, err := texts(ctx, tx, "SELECT kind || ' ' || item FROM figure WHERE referral_id = $1 AND ended <> 0", c.r.ID)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, k := range old {
		known[k] = true
	}
	if _, err := tx.Exec(ctx, "DELETE FROM figure WHERE referral_id = $1", c.r.ID); err != nil {
		return nil, err
	}
	var ended []figures.Fact
	for _, x := range c.facts {
		late := 0
		if x.Late {
			late = 1
		}
		if _, err := tx.Exec(ctx, `INSERT INTO figure (referral_id, kind, item, name, reason, month, line, insured, treatment, center, referrer, organ,
			began, ended, late, measure, paused, total) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
			c.r.ID, string(x.Kind), x.Item, x.Name, x.Reason, x.Month, x.Line, x.Insured, x.Treatment, x.Center, c.r.Referrer, c.r.Organ,
			micros(x.Began), micros(x.Ended), late, x.Measure, x.Paused.Microseconds(), int64(x.Total)); err != nil {
			return nil, err
		}
		if !x.Ended.IsZero() && !known[string(x.Kind)+" "+x.Item] {
			ended = append(ended, x)
		}
	}
	return ended, nil
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return clock.Micros(t)
}

func texts(ctx context.Context, q sqldb.Querier, sql string, args ...any) ([]string, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// Sum ranks the facts of each row by their measure in the database, so that medians are exact and only rows come back.
func (f *Figures) Sum(ctx context.Context, q figures.Query, limit int) ([]figures.Row, error) {
	var w where
	w.and("(month = '' OR month >= " + w.arg(q.From) + " AND month <= " + w.arg(q.To) + ")")
	for column, value := range map[string]string{"line": q.Line, "insured": q.Insured, "treatment": q.Treatment, "center": q.Center, "organ": q.Organ} {
		if value != "" {
			w.and(column + " = " + w.arg(value))
		}
	}
	if q.Own != "" {
		own := w.arg(q.Own)
		w.and("(center = " + own + " OR referrer = " + own + ")")
	}
	column := func(by figures.Group, name string) string {
		if q.TellsApart(by) {
			return name
		}
		return "'' AS " + name
	}
	key := strings.Join([]string{
		column(figures.ByMonth, "month"), column(figures.ByLine, "line"), column(figures.ByProvinces, "insured"),
		column(figures.ByProvinces, "treatment"), column(figures.ByCenter, "center"),
	}, ", ")
	const group = "kind, name, reason, month, line, insured, treatment, center, done"
	sql := `WITH chosen AS (SELECT referral_id, kind, name, reason, CASE WHEN ended = 0 THEN 0 ELSE 1 END AS done, late, measure, paused, total, ` + key + ` FROM figure` + w.sql() + `),
		ranked AS (SELECT chosen.*, row_number() OVER (PARTITION BY ` + group + ` ORDER BY measure) AS rank, count(*) OVER (PARTITION BY ` + group + `) AS n FROM chosen)
		SELECT ` + group + `, n, count(DISTINCT referral_id), CAST(sum(late) AS BIGINT), CAST(sum(measure) AS BIGINT) / n,
			max(CASE WHEN rank = (n + 1) / 2 THEN measure END), max(CASE WHEN rank = (9 * n + 9) / 10 THEN measure END),
			CAST(sum(paused) AS BIGINT), CAST(sum(total) AS BIGINT)
		FROM ranked GROUP BY ` + group + `, n LIMIT ` + w.arg(limit)
	var out []figures.Row
	err := f.db.Read(ctx, func(ctx context.Context, db sqldb.Querier) error {
		out = nil
		rows, err := db.Query(ctx, sql, w.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r figures.Row
			var kind string
			var done, n, paused, total int64
			if err := rows.Scan(&kind, &r.Name, &r.Reason, &r.Month, &r.Line, &r.Insured, &r.Treatment, &r.Center, &done,
				&n, &r.Cases, &r.Late, &r.Spread.Mean, &r.Spread.Median, &r.Spread.P90, &paused, &total); err != nil {
				return err
			}
			r.Kind, r.Paused, r.Total = figures.Kind(kind), time.Duration(paused)*time.Microsecond, money.Fen(total)
			if done == 1 {
				r.Count = n
			} else {
				r.Open, r.Spread = n, figures.Spread{}
			}
			out = append(out, r)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("figures: sum: %w", err)
	}
	return out, nil
}

// Centers reads where the centers of the facts are.
func (f *Figures) Centers(ctx context.Context) (map[string]string, error) {
	of := map[string]string{}
	err := f.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		clear(of)
		rows, err := q.Query(ctx, "SELECT DISTINCT center, treatment FROM figure WHERE center <> '' AND treatment <> ''")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var center, province string
			if err := rows.Scan(&center, &province); err != nil {
				return err
			}
			of[center] = province
		}
		return rows.Err()
	})
	return of, err
}

// Behind reads what is not folded yet.
func (f *Figures) Behind(ctx context.Context) (events int64, since time.Time, err error) {
	err = f.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		var position int64
		since = time.Time{}
		if err := q.QueryRow(ctx, "SELECT f.n - h.position, h.position FROM figure_head h, feed_head f WHERE h.id = 1 AND f.id = 1").Scan(&events, &position); err != nil || events == 0 {
			return err
		}
		next, err := feed(ctx, q, "SELECT position, referral_id, doc FROM timeline WHERE position > $1 ORDER BY position LIMIT 1", position)
		if err == nil && len(next) == 1 {
			since = next[0].Entry.Recorded
		}
		return err
	})
	return events, since, err
}

// OpenCases counts by the index of states and deadlines.
func (f *Figures) OpenCases(ctx context.Context, now time.Time) (map[referral.State]figures.Standing, error) {
	of := map[referral.State]figures.Standing{}
	err := f.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		clear(of)
		rows, err := q.Query(ctx, `SELECT state, count(*), CAST(sum(CASE WHEN deadline < $1 THEN 1 ELSE 0 END) AS BIGINT) FROM referral
			WHERE state <> 'CLOSED' GROUP BY state`, clock.Micros(now))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var state string
			var s figures.Standing
			if err := rows.Scan(&state, &s.Open, &s.Late); err != nil {
				return err
			}
			of[referral.State(state)] = s
		}
		return rows.Err()
	})
	return of, err
}
