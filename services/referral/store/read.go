package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/referral"
)

// where collects conditions and their arguments.
type where struct {
	conditions []string
	args       []any
}

func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

func (w *where) and(condition string) { w.conditions = append(w.conditions, condition) }

// party: the organisation plays one of the parts.
func (w *where) party(s referral.Scope, parts referral.Party) {
	if s.All {
		return
	}
	var any []string
	organisation := w.arg(s.Organisation)
	if parts&referral.TheAskedCenter != 0 {
		any = append(any, "id IN (SELECT referral_id FROM asked WHERE center = "+organisation+")")
	}
	for _, column := range columns {
		if parts&column.part != 0 {
			any = append(any, column.name+" = "+organisation)
		}
	}
	if parts&referral.ThePanel != 0 {
		any = append(any, "id IN (SELECT referral_id FROM referral_panel WHERE organisation = "+organisation+")")
	}
	if len(any) == 0 || s.Organisation == "" {
		// The argument is used, for PostgreSQL wants its type.
		w.and("referrer <> referrer AND referrer = " + organisation)
		return
	}
	w.and("(" + strings.Join(any, " OR ") + ")")
}

func (w *where) sql() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// List reads cases by their id, newest first, or by their update time, oldest first.
func (s *Store) List(ctx context.Context, f referral.Filter, cursor string, limit int) ([]*referral.Referral, string, error) {
	var w where
	w.party(f.Scope, referral.TheReferrer|referral.TheAskedCenter|referral.TheCenter|referral.TheLocalHospital|referral.ThePanel)
	if f.State != "" {
		w.and("state = " + w.arg(string(f.State)))
	}
	if f.PatientID != "" {
		w.and("patient_id = " + w.arg(f.PatientID))
	}
	if f.ChangedSince.IsZero() {
		if cursor != "" {
			w.and("id < " + w.arg(cursor))
		}
		return s.read(ctx, "SELECT doc, 0 FROM referral"+w.sql()+" ORDER BY id DESC LIMIT "+w.arg(limit+1), w.args, limit,
			func(r *referral.Referral, _ int64) string { return r.ID })
	}
	w.and("updated > " + w.arg(clock.Micros(f.ChangedSince)))
	if err := w.after("updated", cursor); err != nil {
		return nil, "", err
	}
	return s.read(ctx, "SELECT doc, updated FROM referral"+w.sql()+" ORDER BY updated, id LIMIT "+w.arg(limit+1), w.args, limit, numbered)
}

func numbered(r *referral.Referral, n int64) string { return strconv.FormatInt(n, 10) + " " + r.ID }

// after goes on behind a cursor made by numbered.
func (w *where) after(column, cursor string) error {
	if cursor == "" {
		return nil
	}
	number, id, _ := strings.Cut(cursor, " ")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return fault.New(fault.InvalidArgument, fault.InvalidPageToken, "page_token", "The page token is damaged.", "翻页标记已损坏。")
	}
	w.and("(" + column + ", id) > (" + w.arg(n) + ", " + w.arg(id) + ")")
	return nil
}

func (s *Store) read(ctx context.Context, sql string, args []any, limit int, cursorOf func(*referral.Referral, int64) string) (list []*referral.Referral, next string, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		list, next = nil, ""
		rows, err := q.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		var last int64
		for rows.Next() {
			var doc string
			var n int64
			if err := rows.Scan(&doc, &n); err != nil {
				return err
			}
			if len(list) == limit {
				next = cursorOf(list[limit-1], last)
				break
			}
			r, err := scanDoc(doc)
			if err != nil {
				return err
			}
			list, last = append(list, r), n
		}
		return rows.Err()
	})
	return list, next, err
}

// Timeline reads a case's entries.
func (s *Store) Timeline(ctx context.Context, referralID string, after int64, limit int) (entries []referral.Entry, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		events, err := feed(ctx, q, `SELECT position, referral_id, doc FROM timeline WHERE referral_id = $1 AND sequence > $2
			ORDER BY sequence LIMIT $3`, referralID, after, limit)
		entries = nil
		for _, e := range events {
			entries = append(entries, e.Entry)
		}
		return err
	})
	return entries, err
}

// Feed reads the events of one organisation, or all.
func (s *Store) Feed(ctx context.Context, scope referral.Scope, after, upTo int64, limit int) (events []referral.Event, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
		if scope.All {
			events, err = feed(ctx, q, `SELECT position, referral_id, doc FROM timeline WHERE position > $1 AND position <= $2
				ORDER BY position LIMIT $3`, after, upTo, limit)
			return err
		}
		events, err = feed(ctx, q, `SELECT t.position, t.referral_id, t.doc FROM feed_scope f JOIN timeline t ON t.position = f.position
			WHERE f.organisation = $1 AND f.position > $2 AND f.position <= $3 ORDER BY f.position LIMIT $4`,
			scope.Organisation, after, upTo, limit)
		return err
	})
	return events, err
}

// Head reads the feed's end.
func (s *Store) Head(ctx context.Context) (n int64, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, "SELECT n FROM feed_head WHERE id = 1").Scan(&n)
	})
	return n, err
}

func feed(ctx context.Context, q sqldb.Querier, sql string, args ...any) ([]referral.Event, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var events []referral.Event
	for rows.Next() {
		var e referral.Event
		var doc string
		if err := rows.Scan(&e.Position, &e.ReferralID, &doc); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(doc), &e.Entry); err != nil {
			return nil, fmt.Errorf("referral: stored entry: %w", err)
		}
		events = append(events, e)
	}
	return events, rows.Err()
}
