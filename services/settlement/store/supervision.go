package store

import (
	"context"
	"strconv"
	"time"

	"huhang.example/services/internal/audit"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/supervision"
)

var _ supervision.Store = (*Store)(nil)

const hitColumns = "hit_id, province, side, rule, claim_id, patient_id, cause, holds, state, version, doc"

func scanHit(r row) (*supervision.Hit, error) {
	h, text := new(supervision.Hit), ""
	if err := r.Scan(&h.ID, &h.Province, &h.Side, &h.Rule, &h.ClaimID, &h.PatientID, &h.Cause, &h.Holds, &h.State, &h.Version, &text); err != nil {
		return nil, err
	}
	return h, decode("supervision hit", text, h)
}

// PutHit stores a finding if it is new, with its audit entry. One that only flagged holds from when it is found again
// before a settlement, as long as nobody decided.
func (s *Store) PutHit(ctx context.Context, h *supervision.Hit) (stands *supervision.Hit, err error) {
	text, err := encode(h)
	if err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		added, err := tx.Exec(ctx, "INSERT INTO supervision_hit ("+hitColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10) ON CONFLICT DO NOTHING",
			h.ID, h.Province, string(h.Side), string(h.Rule), h.ClaimID, h.PatientID, h.Cause, h.Holds, string(h.State), text)
		if err != nil {
			return err
		}
		key := []any{h.Province, string(h.Side), string(h.Rule), h.ClaimID, h.PatientID, h.Cause}
		const where = " WHERE province = $1 AND side = $2 AND rule = $3 AND claim_id = $4 AND patient_id = $5 AND cause = $6"
		if added == 1 {
			if err := audit.Append(ctx, tx, audit.Entry{Action: "settlement.supervision.found", Resource: h.ID, Outcome: audit.Done}); err != nil {
				return err
			}
		} else if h.Holds {
			if _, err := tx.Exec(ctx, "UPDATE supervision_hit SET holds = TRUE, version = version + 1"+where+" AND NOT holds AND state = 'OPEN'", key...); err != nil {
				return err
			}
		}
		stands, err = scanHit(tx.QueryRow(ctx, "SELECT "+hitColumns+" FROM supervision_hit"+where, key...))
		return err
	})
	return stands, err
}

// HasHit reports whether there is a finding.
func (s *Store) HasHit(ctx context.Context, province string, side supervision.Side, rule supervision.Rule, claimID, cause string) (has bool, err error) {
	var n int64
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, "SELECT COUNT(*) FROM supervision_hit WHERE province = $1 AND side = $2 AND rule = $3 AND claim_id = $4 AND cause = $5",
			province, string(side), string(rule), claimID, cause).Scan(&n)
	})
	return n > 0, err
}

// Hit returns a finding.
func (s *Store) Hit(ctx context.Context, id string) (h *supervision.Hit, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
		h, err = scanHit(q.QueryRow(ctx, "SELECT "+hitColumns+" FROM supervision_hit WHERE hit_id = $1", id))
		return notFound(err, fault.NotFoundf("supervision hit", id))
	})
	return h, err
}

// UpdateHit changes a finding.
func (s *Store) UpdateHit(ctx context.Context, id, etag string, may, change func(h *supervision.Hit) error) (h *supervision.Hit, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if _, err := tx.Exec(ctx, "UPDATE supervision_hit SET version = version + 1 WHERE hit_id = $1", id); err != nil {
			return err
		}
		if h, err = s.Hit(ctx, id); err != nil {
			return err
		}
		if err := may(h); err != nil {
			return err
		}
		h.Version--
		if err := update(ctx, &h.Version, etag, func(context.Context) error { return change(h) }); err != nil {
			return err
		}
		text, err := encode(h)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE supervision_hit SET state = $2, version = $3, doc = $4 WHERE hit_id = $1", id, string(h.State), h.Version, text)
		return err
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

// Hits returns findings older than the cursor, the newest first.
func (s *Store) Hits(ctx context.Context, q supervision.Query, cursor string, limit int) (out []*supervision.Hit, next string, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, db sqldb.Querier) error {
		out = nil
		return each(ctx, db, "SELECT "+hitColumns+` FROM supervision_hit WHERE province = $1 AND ($2 = '' OR state = $2) AND ($3 = '' OR rule = $3)
			AND (NOT $4 OR (holds AND state = 'OPEN')) AND ($5 = '' OR hit_id < $5) ORDER BY hit_id DESC LIMIT $6`,
			[]any{q.Province, string(q.State), string(q.Rule), q.Holding, cursor, limit + 1}, func(rows sqldb.Rows) error {
				h, err := scanHit(rows)
				out = append(out, h)
				return err
			})
	})
	if err != nil {
		return nil, "", err
	}
	out, next = page(out, limit, func(h *supervision.Hit) string { return h.ID })
	return out, next, nil
}

// Contact returns what is kept of a person's numbers.
func (s *Store) Contact(ctx context.Context, province, patientID string) (c supervision.Contact, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		c = supervision.Contact{Province: province, PatientID: patientID}
		err := q.QueryRow(ctx, "SELECT phone, identity, version FROM supervision_contact WHERE province = $1 AND patient_id = $2", province, patientID).
			Scan(&c.Phone, &c.Identity, &c.Version)
		return notFound(err, nil)
	})
	return c, err
}

// PutContact stores c as the next version.
func (s *Store) PutContact(ctx context.Context, c supervision.Contact, etag string) (supervision.Contact, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if etag == "" {
			added, err := tx.Exec(ctx, "INSERT INTO supervision_contact (province, patient_id, phone, identity, version) VALUES ($1, $2, $3, $4, 1) ON CONFLICT DO NOTHING",
				c.Province, c.PatientID, c.Phone, c.Identity)
			if c.Version = 1; err != nil || added == 1 {
				return err
			}
		}
		if _, err := tx.Exec(ctx, "UPDATE supervision_contact SET version = version + 1 WHERE province = $1 AND patient_id = $2", c.Province, c.PatientID); err != nil {
			return err
		}
		had, err := s.Contact(ctx, c.Province, c.PatientID)
		if err != nil {
			return err
		}
		if had.Version == 0 {
			return fault.NotFoundf("contact", c.PatientID)
		}
		if seen := strconv.FormatInt(had.Version-1, 10); etag != seen {
			return fault.Stale(seen)
		}
		c.Version = had.Version
		_, err = tx.Exec(ctx, "UPDATE supervision_contact SET phone = $3, identity = $4 WHERE province = $1 AND patient_id = $2", c.Province, c.PatientID, c.Phone, c.Identity)
		return err
	})
	return c, err
}

// SamePhone counts the people of a province with a telephone.
func (s *Store) SamePhone(ctx context.Context, province, phone string) (n int64, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, "SELECT COUNT(*) FROM supervision_contact WHERE province = $1 AND phone = $2 AND phone <> ''", province, phone).Scan(&n)
	})
	return n, err
}

// Watched reports whether a day was looked through.
func (s *Store) Watched(ctx context.Context, province, day string) (bool, error) {
	var n int64
	err := s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, "SELECT COUNT(*) FROM supervision_day WHERE province = $1 AND day = $2", province, day).Scan(&n)
	})
	return n > 0, err
}

// MarkWatched marks a day as looked through.
func (s *Store) MarkWatched(ctx context.Context, province, day string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO supervision_day (province, day) VALUES ($1, $2) ON CONFLICT DO NOTHING", province, day)
		return err
	})
}

// SettledOn returns claims settled in a span of time, by id.
func (s *Store) SettledOn(ctx context.Context, province string, from, to time.Time, cursor string, limit int) (out []*settlement.Claim, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		return each(ctx, q, "SELECT "+claimColumns+` FROM claim WHERE province = $1 AND claim_id > $2 AND claim_id IN
			(SELECT claim_id FROM settlement WHERE settled_at >= $3 AND settled_at < $4 AND NOT reversed) ORDER BY claim_id LIMIT $5`,
			[]any{province, cursor, clock.Micros(from), clock.Micros(to), limit}, func(rows sqldb.Rows) error {
				c, err := scanClaim(rows)
				out = append(out, c)
				return err
			})
	})
	return out, err
}

// SuperviseArgs look through the days that were not looked through yet.
type SuperviseArgs struct{}

// Kind names the job.
func (SuperviseArgs) Kind() string { return "settlement_supervise" }
