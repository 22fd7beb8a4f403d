package store

import (
	"context"
	"strconv"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement"
)

// Entitlement returns what is recorded of a person.
func (s *Store) Entitlement(ctx context.Context, province, patientID string) (settlement.Entitlement, error) {
	e := settlement.Entitlement{Province: province, PatientID: patientID}
	err := s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		var text string
		err := q.QueryRow(ctx, "SELECT version, doc FROM entitlement WHERE province = $1 AND patient_id = $2", province, patientID).Scan(&e.Version, &text)
		if err != nil {
			return notFound(err, fault.NotFoundf("entitlement", patientID))
		}
		return decode("entitlement", text, &e)
	})
	if err != nil {
		return settlement.Entitlement{}, err
	}
	return e, nil
}

// PutEntitlement records e as the next version.
func (s *Store) PutEntitlement(ctx context.Context, e settlement.Entitlement, etag string) (settlement.Entitlement, error) {
	text, err := encode(e)
	if err != nil {
		return settlement.Entitlement{}, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if etag == "" {
			added, err := tx.Exec(ctx, "INSERT INTO entitlement (province, patient_id, version, doc) VALUES ($1, $2, 1, $3) ON CONFLICT DO NOTHING",
				e.Province, e.PatientID, text)
			if err != nil || added == 1 {
				e.Version = 1
				return err
			}
		}
		if _, err := tx.Exec(ctx, "UPDATE entitlement SET version = version + 1 WHERE province = $1 AND patient_id = $2", e.Province, e.PatientID); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, "SELECT version FROM entitlement WHERE province = $1 AND patient_id = $2", e.Province, e.PatientID).Scan(&e.Version)
		if err != nil {
			return notFound(err, fault.NotFoundf("entitlement", e.PatientID))
		}
		if seen := strconv.FormatInt(e.Version-1, 10); etag != seen {
			return fault.Stale(seen)
		}
		_, err = tx.Exec(ctx, "UPDATE entitlement SET doc = $3 WHERE province = $1 AND patient_id = $2", e.Province, e.PatientID, text)
		return err
	})
	if err != nil {
		return settlement.Entitlement{}, err
	}
	return e, nil
}

// LockPerson makes transactions about one person wait for one another.
func (s *Store) LockPerson(ctx context.Context, province, patientID string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO person (province, patient_id, version) VALUES ($1, $2, 1) ON CONFLICT DO NOTHING", province, patientID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE person SET version = version + 1 WHERE province = $1 AND patient_id = $2", province, patientID)
		return err
	})
}

const filingColumns = "filing_id, province, patient_id, referral_id, treatment_city, filed_by, status, version, doc"

func scanFiling(r row) (*settlement.Filing, error) {
	f, text := new(settlement.Filing), ""
	err := r.Scan(&f.ID, &f.Province, &f.PatientID, &f.ReferralID, &f.TreatmentCity, &f.FiledBy, &f.Status, &f.Version, &text)
	if err != nil {
		return nil, err
	}
	return f, decode("filing", text, f)
}

// CreateFiling stores a new filing.
func (s *Store) CreateFiling(ctx context.Context, f *settlement.Filing) error {
	text, err := encode(f)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		f.Version = 1
		_, err := tx.Exec(ctx, "INSERT INTO filing ("+filingColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
			f.ID, f.Province, f.PatientID, f.ReferralID, f.TreatmentCity, f.FiledBy, string(f.Status), f.Version, text)
		return err
	})
}

// Filing returns a filing.
func (s *Store) Filing(ctx context.Context, filingID string) (f *settlement.Filing, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
		f, err = scanFiling(q.QueryRow(ctx, "SELECT "+filingColumns+" FROM filing WHERE filing_id = $1", filingID))
		return notFound(err, fault.NotFoundf("filing", filingID))
	})
	return f, err
}

// UpdateFiling changes a filing.
func (s *Store) UpdateFiling(ctx context.Context, filingID, etag string, change func(ctx context.Context, f *settlement.Filing) error) (f *settlement.Filing, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if _, err := tx.Exec(ctx, "UPDATE filing SET version = version + 1 WHERE filing_id = $1", filingID); err != nil {
			return err
		}
		if f, err = s.Filing(ctx, filingID); err != nil {
			return err
		}
		f.Version--
		if err := update(ctx, &f.Version, etag, func(ctx context.Context) error { return change(ctx, f) }); err != nil {
			return err
		}
		text, err := encode(f)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE filing SET status = $2, version = $3, doc = $4 WHERE filing_id = $1", filingID, string(f.Status), f.Version, text)
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// update checks the etag, runs change and counts the version up, unless change says that nothing changed.
func update(ctx context.Context, version *int64, etag string, change func(ctx context.Context) error) error {
	if current := strconv.FormatInt(*version, 10); etag != "" && etag != current {
		return fault.Stale(current)
	}
	before := *version
	err := change(ctx)
	if err == settlement.ErrUnchanged { //nolint:errorlint // only the sentinel itself: a wrapped one is somebody else's
		*version = before
		return nil
	}
	*version = before + 1
	return err
}

// FilingsOf returns a person's filings, newest first.
func (s *Store) FilingsOf(ctx context.Context, province, patientID string) ([]*settlement.Filing, error) {
	return s.filings(ctx, "province = $1 AND patient_id = $2 ORDER BY filing_id DESC LIMIT 200", province, patientID)
}

// ListFilings returns filings older than the cursor, newest first.
func (s *Store) ListFilings(ctx context.Context, q settlement.FilingQuery, cursor string, limit int) ([]*settlement.Filing, string, error) {
	all, err := s.filings(ctx, `province = $1 AND ($2 = '' OR patient_id = $2) AND ($3 = '' OR referral_id = $3) AND ($4 = '' OR filing_id < $4)
		AND ($5 OR ($6 <> '' AND filed_by = $6) OR ($7 <> '' AND province = $7)) ORDER BY filing_id DESC LIMIT $8`,
		q.Province, q.PatientID, q.ReferralID, cursor, q.Scope.All, q.Scope.Organisation, q.Scope.Province, limit+1)
	if err != nil {
		return nil, "", err
	}
	out, next := page(all, limit, func(f *settlement.Filing) string { return f.ID })
	return out, next, nil
}

func (s *Store) filings(ctx context.Context, where string, args ...any) (out []*settlement.Filing, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		return each(ctx, q, "SELECT "+filingColumns+" FROM filing WHERE "+where, args, func(rows sqldb.Rows) error {
			f, err := scanFiling(rows)
			out = append(out, f)
			return err
		})
	})
	return out, err
}
