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

// listed is the SQL of one worklist: for each column that makes the organisation a party and each state, the first of
// what waits in the order of the deadlines, each read from an index in that order; then the first of all of these. A
// condition over all columns at once would read every case of the organisation.
type listed struct {
	where
	after string
	limit int
}

func (l *listed) sql(w referral.Worklist, cursor string) (string, error) {
	if cursor != "" {
		number, id, _ := strings.Cut(cursor, " ")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return "", fault.New(fault.InvalidArgument, fault.InvalidPageToken, "page_token", "The page token is damaged.", "翻页标记已损坏。")
		}
		l.after = " AND (deadline, id) > (" + l.arg(n) + ", " + l.arg(id) + ")"
	}
	more := l.after
	switch {
	case !w.DueBefore.IsZero():
		more += " AND deadline < " + l.arg(clock.Micros(w.DueBefore))
	case len(w.ClaimStages) == 0 && !w.Attention:
		more += " AND NOT busy"
	}
	parties := l.waited(w.Scope, w.Waiting)
	var parts []string
	for _, party := range parties {
		if len(w.ClaimStages) > 0 {
			for _, stage := range w.ClaimStages {
				parts = append(parts, l.part(party.is+" AND claim_stage = "+l.arg(stage)+more))
			}
			continue
		}
		if w.Attention {
			parts = append(parts, l.part(party.is+" AND attention"+more))
			continue
		}
		for _, state := range w.States {
			if !party.part.WaitsIn(state) {
				continue
			}
			parts = append(parts, l.part(party.is+" AND state = "+l.arg(string(state))+more))
		}
	}
	return strings.Join(parts, " UNION "), nil
}

func (l *listed) part(condition string) string {
	return "SELECT * FROM (SELECT id, deadline FROM referral WHERE " + condition + " ORDER BY deadline, id LIMIT " + strconv.Itoa(l.limit) + ") AS p" + strconv.Itoa(len(l.args))
}

// columns are those by which an organisation is a party. Where a case may have none its indexes leave it out, and are used
// by a prepared statement only if that says so as well.
var columns = []struct {
	part referral.Party
	is   string
}{
	{referral.TheReferrer, "referrer = "},
	{referral.TheCenter, "center <> '' AND center = "},
	{referral.TheLocalHospital, "local_hospital <> '' AND local_hospital = "},
}

// Worklist reads cases by their deadline.
func (s *Store) Worklist(ctx context.Context, q referral.Worklist, cursor string, limit int) ([]*referral.Referral, string, error) {
	l := listed{limit: limit + 1}
	sql, err := l.sql(q, cursor)
	if err != nil || sql == "" {
		return nil, "", err
	}
	sql = "SELECT r.doc, r.deadline FROM (SELECT id, deadline FROM (" + sql + ") AS u ORDER BY deadline, id LIMIT " + strconv.Itoa(limit+1) +
		") AS w JOIN referral r ON r.id = w.id ORDER BY r.deadline, r.id"
	return s.read(ctx, sql, l.args, limit, numbered)
}

// CountWorklists counts each up to most.
func (s *Store) CountWorklists(ctx context.Context, queries []referral.Worklist, most int) (counts []int, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		counts = make([]int, len(queries))
		for i, w := range queries {
			l := listed{limit: most}
			sql, err := l.sql(w, "")
			if err != nil {
				return err
			}
			if sql == "" {
				continue
			}
			if err := q.QueryRow(ctx, "SELECT count(*) FROM ("+sql+") AS u", l.args...).Scan(&counts[i]); err != nil {
				return err
			}
			counts[i] = min(counts[i], most)
		}
		return nil
	})
	return counts, err
}

// Search looks a text up as each of the three numbers a case is known by.
func (s *Store) Search(ctx context.Context, scope referral.Scope, query string, most int) ([]*referral.Referral, error) {
	var w where
	text := w.arg(query)
	w.and("id IN (SELECT id FROM referral WHERE id = " + text + " UNION SELECT id FROM referral WHERE patient_id = " + text +
		" UNION SELECT referral_id FROM referral_number WHERE number = " + text + ")")
	return s.found(ctx, w, scope, most)
}

// OfPatients reads the cases of patients.
func (s *Store) OfPatients(ctx context.Context, scope referral.Scope, patientIDs []string, most int) ([]*referral.Referral, error) {
	if len(patientIDs) == 0 {
		return nil, nil
	}
	var w where
	ids := make([]string, 0, len(patientIDs))
	for _, id := range patientIDs {
		ids = append(ids, w.arg(id))
	}
	w.and("patient_id IN (" + strings.Join(ids, ", ") + ")")
	return s.found(ctx, w, scope, most)
}

// found reads few cases, newest first.
func (s *Store) found(ctx context.Context, w where, scope referral.Scope, most int) ([]*referral.Referral, error) {
	w.party(scope)
	list, _, err := s.read(ctx, "SELECT doc, 0 FROM referral"+w.sql()+" ORDER BY id DESC LIMIT "+strconv.Itoa(most+1), w.args, most,
		func(r *referral.Referral, _ int64) string { return r.ID })
	return list, err
}

// index keeps what a case is looked up by besides its own columns.
func index(ctx context.Context, tx *sqldb.Tx, r *referral.Referral) error {
	for _, table := range []string{"referral_panel", "referral_opinion"} {
		if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE referral_id = $1", r.ID); err != nil {
			return err
		}
	}
	if c := r.OpenConsultation(); c != nil {
		silent := map[string]bool{}
		for _, e := range c.Panel {
			silent[e.Organisation] = silent[e.Organisation] || c.Silent(e)
		}
		for organisation, waits := range silent {
			if _, err := tx.Exec(ctx, "INSERT INTO referral_panel (organisation, referral_id, silent) VALUES ($1, $2, $3)", organisation, r.ID, waits); err != nil {
				return err
			}
		}
		for _, o := range c.Opinions {
			if _, err := tx.Exec(ctx, "INSERT INTO referral_opinion (organisation, subject, referral_id) VALUES ($1, $2, $3)", o.Organisation, o.Subject, r.ID); err != nil {
				return err
			}
		}
	}
	for _, n := range r.Numbers {
		if _, err := tx.Exec(ctx, "INSERT INTO referral_number (number, organisation, referral_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", n.Number, n.Organisation, r.ID); err != nil {
			return err
		}
	}
	return nil
}

func scanDoc(doc string) (*referral.Referral, error) {
	r := new(referral.Referral)
	if err := json.Unmarshal([]byte(doc), r); err != nil {
		return nil, fmt.Errorf("referral: stored case: %w", err)
	}
	return r, nil
}
