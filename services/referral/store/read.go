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

// party: the organisation plays one of the parts its caller may see it in.
func (w *where) party(s referral.Scope) {
	if s.All {
		return
	}
	var parties []string
	for _, p := range w.parties(s, s.Parts) {
		parties = append(parties, p.is)
	}
	if len(parties) == 0 {
		w.and("FALSE")
		return
	}
	w.and("(" + strings.Join(parties, " OR ") + ")")
}

// party is the condition under which an organisation plays a part.
type party struct {
	part referral.Party
	is   string
}

// waited are the conditions under which something waits for an organisation: parties, but of a panel's for one that has an
// expert without an opinion, unless the caller is one who has given theirs.
func (w *where) waited(s referral.Scope, parts referral.Party) []party {
	all := w.parties(s, parts)
	for n, p := range all {
		if p.part == referral.ThePanel {
			organisation := w.arg(s.Organisation)
			all[n].is += " AND id NOT IN (SELECT referral_id FROM referral_panel WHERE organisation = " + organisation + " AND NOT silent) AND id NOT IN " +
				"(SELECT referral_id FROM referral_opinion WHERE organisation = " + organisation + " AND subject = " + w.arg(s.Subject) + ")"
		}
	}
	return all
}

// parties are the conditions under which an organisation plays one of the parts, one for each.
func (w *where) parties(s referral.Scope, parts referral.Party) []party {
	if s.All {
		return []party{{is: "TRUE"}}
	}
	if parts == 0 || s.Organisation == "" {
		return nil
	}
	var parties []party
	organisation := w.arg(s.Organisation)
	for _, c := range columns {
		if parts&c.part != 0 {
			parties = append(parties, party{c.part, c.is + organisation})
		}
	}
	if parts&referral.TheAskedCenter != 0 {
		parties = append(parties, party{referral.TheAskedCenter, "id IN (SELECT referral_id FROM asked WHERE center = " + organisation + ")"})
	}
	if parts&referral.ThePanel != 0 {
		parties = append(parties, party{referral.ThePanel, "id IN (SELECT referral_id FROM referral_panel WHERE organisation = " + organisation + ")"})
	}
	return parties
}

func (w *where) sql() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// List reads cases by their id, newest first, or by their update time, oldest first. For each part the organisation may play
// the first of them is read from an index in that order, then the first of all: a condition over all parts at once would look
// through everybody's cases.
func (s *Store) List(ctx context.Context, f referral.Filter, cursor string, limit int) ([]*referral.Referral, string, error) {
	var w where
	parties := w.parties(f.Scope, f.Scope.Parts)
	if len(parties) == 0 {
		return nil, "", nil
	}
	if f.State != "" {
		w.and("state = " + w.arg(string(f.State)))
	}
	if f.PatientID != "" {
		w.and("patient_id = " + w.arg(f.PatientID))
	}
	key, order, cursorOf := "0", "id DESC", func(r *referral.Referral, _ int64) string { return r.ID }
	if f.ChangedSince.IsZero() {
		if cursor != "" {
			w.and("id < " + w.arg(cursor))
		}
	} else {
		key, order, cursorOf = "r.updated", "updated, id", numbered
		w.and("updated > " + w.arg(clock.Micros(f.ChangedSince)))
		if err := w.after("updated", cursor); err != nil {
			return nil, "", err
		}
	}
	most := w.arg(limit + 1)
	var parts []string
	for i, party := range parties {
		conditions := append([]string{party.is}, w.conditions...)
		parts = append(parts, "SELECT * FROM (SELECT id, updated FROM referral WHERE "+strings.Join(conditions, " AND ")+
			" ORDER BY "+order+" LIMIT "+most+") AS p"+strconv.Itoa(i))
	}
	return s.read(ctx, "SELECT r.doc, "+key+" FROM (SELECT id, updated FROM ("+strings.Join(parts, " UNION ")+") AS u ORDER BY "+order+" LIMIT "+most+
		") AS w JOIN referral r ON r.id = w.id ORDER BY "+qualified(order), w.args, limit, cursorOf)
}

func qualified(order string) string {
	if order == "id DESC" {
		return "r.id DESC"
	}
	return "r.updated, r.id"
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
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
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
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
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
