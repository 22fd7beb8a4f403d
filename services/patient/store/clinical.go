package store

import (
	"context"
	"errors"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/patient"
	"huhang.example/services/patient/clinical"
)

// sealedRecord is what is kept of a version, encrypted. The data stand at the top, as in the oldest versions.
type sealedRecord struct {
	clinical.Clinical
	Kept *kept `json:"kept,omitempty"`
}

type kept struct {
	Subject string                       `json:"subject,omitempty"`
	Rules   string                       `json:"rules"`
	Scores  []clinical.Score             `json:"scores,omitempty"`
	Changed map[string]patient.DatumTime `json:"changed,omitempty"`
}

const clinicalColumns = "patient_id, organ, version, recorded_at, recorded_by, sealed"

func (s *Store) scanClinical(row interface{ Scan(...any) error }) (*patient.Record, error) {
	var (
		id, organ         string
		r                 patient.Record
		version, recorded int64
		sealed            []byte
		in                sealedRecord
	)
	if err := row.Scan(&id, &organ, &version, &recorded, &r.RecordedBy, &sealed); err != nil {
		return nil, err
	}
	if err := s.open(sealed, clinicalOwner(id, organ), &in); err != nil {
		return nil, err
	}
	r.Version, r.RecordedAt, r.Clinical = int32(version), clock.FromMicros(recorded), in.Clinical
	if k := in.Kept; k != nil {
		r.Subject, r.Rules, r.Scores, r.Changed = k.Subject, k.Rules, k.Scores, k.Changed
	}
	return &r, nil
}

// AddClinical stores the next version.
func (s *Store) AddClinical(ctx context.Context, id, organ, etag string, next func(*patient.Record) (*patient.Record, error)) (r *patient.Record, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		before, err := s.latest(ctx, tx, id, organ)
		if err != nil && !fault.Is(err, fault.ReasonNotFound) {
			return err
		}
		current := ""
		if before != nil {
			current = before.Etag()
		}
		if etag != current {
			return fault.Stale(current)
		}
		if r, err = next(before); err != nil {
			return err
		}
		sealed, err := s.seal(sealedRecord{r.Clinical, &kept{r.Subject, r.Rules, r.Scores, r.Changed}}, clinicalOwner(id, organ))
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `INSERT INTO clinical (patient_id, organ, version, recorded_at, recorded_by, sealed)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			id, organ, int64(r.Version), clock.Micros(r.RecordedAt), r.RecordedBy, sealed)
		if err != nil {
			return err
		}
		if n == 0 { // another transaction wrote this version first
			return fault.Stale(r.Etag())
		}
		if e := r.Edit(id); e != nil {
			return tx.Enqueue(ctx, tellJob{*e})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// LatestClinical returns the latest version.
func (s *Store) LatestClinical(ctx context.Context, id, organ string) (r *patient.Record, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		r, err = s.latest(ctx, q, id, organ)
		return err
	})
	return r, err
}

// latest is the patient's own latest version; without one, the latest of a record merged into the patient's.
func (s *Store) latest(ctx context.Context, q sqldb.Querier, id, organ string) (*patient.Record, error) {
	r, err := s.scanClinical(q.QueryRow(ctx, "SELECT "+clinicalColumns+` FROM clinical WHERE organ = $2 AND (patient_id = $1
		OR patient_id IN (SELECT patient_id FROM patient WHERE merged_into = $1 AND merged_into <> ''))
		ORDER BY (patient_id = $1) DESC, recorded_at DESC, version DESC LIMIT 1`, id, organ))
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, fault.NotFoundf("clinical", id)
	}
	return r, err
}

// ClinicalVersions returns a page of versions.
func (s *Store) ClinicalVersions(ctx context.Context, id, organ string, before int32, limit int) (records []*patient.Record, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		records = nil
		owner := ""
		err := q.QueryRow(ctx, `SELECT patient_id FROM clinical WHERE organ = $2 AND (patient_id = $1
			OR patient_id IN (SELECT patient_id FROM patient WHERE merged_into = $1 AND merged_into <> ''))
			ORDER BY (patient_id = $1) DESC, recorded_at DESC, version DESC LIMIT 1`, id, organ).Scan(&owner)
		if errors.Is(err, sqldb.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		rows, err := q.Query(ctx, "SELECT "+clinicalColumns+` FROM clinical WHERE patient_id = $1 AND organ = $2 AND ($3 = 0 OR version < $3)
			ORDER BY version DESC LIMIT $4`, owner, organ, int64(before), limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			r, err := s.scanClinical(rows)
			if err != nil {
				return err
			}
			records = append(records, r)
		}
		return rows.Err()
	})
	return records, err
}

func clinicalOwner(id, organ string) string { return id + "/" + organ }
