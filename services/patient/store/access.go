package store

import (
	"context"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/patient"
)

// group are the records that one patient is: the survivor $1 and those kept under it.
const group = "SELECT patient_id FROM patient WHERE patient_id = $1 OR (merged_into = $1 AND merged_into <> '')"

// MaySee tells whether an organisation registered one of the patient's records, or a case gave it access to one.
func (s *Store) MaySee(ctx context.Context, id, organisation string) (granted bool, err error) {
	var n int64
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, `SELECT count(*) FROM patient p WHERE p.patient_id IN (`+group+`) AND (p.registered_by = $2
			OR EXISTS (SELECT 1 FROM access_grant g WHERE g.patient_id = p.patient_id AND g.organisation = $2 AND g.revoked_at = 0))`,
			id, organisation).Scan(&n)
	})
	return n > 0, err
}

func exists(ctx context.Context, q sqldb.Querier, id string) error {
	var n int64
	if err := q.QueryRow(ctx, "SELECT count(*) FROM patient WHERE patient_id = $1", id).Scan(&n); err != nil {
		return err
	}
	if n == 0 {
		return fault.NotFoundf("patient", id)
	}
	return nil
}

// Grant gives an organisation access.
func (s *Store) Grant(ctx context.Context, id, organisation, referralID string, at time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := exists(ctx, tx, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO access_grant (patient_id, organisation, referral_id, granted_at, revoked_at, reason)
			VALUES ($1, $2, $3, $4, 0, '') ON CONFLICT (patient_id, organisation, referral_id)
			DO UPDATE SET granted_at = $4, revoked_at = 0, reason = ''`, id, organisation, referralID, clock.Micros(at))
		return err
	})
}

// Revoke ends a grant.
func (s *Store) Revoke(ctx context.Context, id, organisation, referralID, reason string, until, at time.Time) (revoked bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := exists(ctx, tx, id); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE access_grant SET revoked_at = $5, reason = $6
			WHERE patient_id = $1 AND organisation = $2 AND referral_id = $3 AND revoked_at = 0 AND granted_at <= $4`,
			id, organisation, referralID, clock.Micros(until), clock.Micros(at), reason)
		revoked = n > 0
		return err
	})
	return revoked, err
}

// Grants returns the grants of a patient.
func (s *Store) Grants(ctx context.Context, id string, limit int) (grants []patient.Grant, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		grants = nil
		rows, err := q.Query(ctx, `SELECT organisation, referral_id, granted_at, revoked_at, reason FROM access_grant
			WHERE patient_id IN (`+group+`) ORDER BY granted_at DESC, organisation, referral_id LIMIT $2`, id, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var g patient.Grant
			var at, revoked int64
			if err := rows.Scan(&g.Organisation, &g.ReferralID, &at, &revoked, &g.Reason); err != nil {
				return err
			}
			g.At, g.RevokedAt = clock.FromMicros(at), clock.FromMicros(revoked)
			grants = append(grants, g)
		}
		return rows.Err()
	})
	return grants, err
}
