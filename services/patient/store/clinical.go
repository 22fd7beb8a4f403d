package store

import (
	"context"
	"errors"
	"strconv"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/patient"
)

// AddClinical stores the next version.
func (s *Store) AddClinical(ctx context.Context, id, etag string, r *patient.Record) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var latest int64
		if err := tx.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM clinical WHERE patient_id = $1 AND organ = $2",
			id, r.Clinical.Organ).Scan(&latest); err != nil {
			return err
		}
		current := ""
		if latest > 0 {
			current = strconv.FormatInt(latest, 10)
		}
		if etag != current {
			return fault.Stale(current)
		}
		r.Version = int32(latest) + 1
		owner := clinicalOwner(id, r.Clinical.Organ)
		sealed, err := s.seal(r.Clinical, owner)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `INSERT INTO clinical (patient_id, organ, version, recorded_at, recorded_by, sealed)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			id, r.Clinical.Organ, int64(r.Version), clock.Micros(r.RecordedAt), r.RecordedBy, sealed)
		if err != nil {
			return err
		}
		if n == 0 { // another transaction wrote this version first
			return fault.Stale(strconv.Itoa(int(r.Version)))
		}
		return nil
	})
}

// LatestClinical returns the latest version.
func (s *Store) LatestClinical(ctx context.Context, id, organ string) (*patient.Record, error) {
	var (
		r                 patient.Record
		version, recorded int64
		sealed            []byte
	)
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, `SELECT version, recorded_at, recorded_by, sealed FROM clinical
			WHERE patient_id = $1 AND organ = $2 ORDER BY version DESC LIMIT 1`, id, organ).Scan(&version, &recorded, &r.RecordedBy, &sealed)
	})
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, fault.NotFoundf("clinical", id)
	}
	if err != nil {
		return nil, err
	}
	r.Version, r.RecordedAt = int32(version), clock.FromMicros(recorded)
	return &r, s.open(sealed, clinicalOwner(id, organ), &r.Clinical)
}

func clinicalOwner(id, organ string) string { return id + "/" + organ }
