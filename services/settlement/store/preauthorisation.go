package store

import (
	"context"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement"
)

const preauthorisationColumns = "preauthorisation_id, province, patient_id, referral_id, center_id, year, status, expires_at, version, doc"

func scanPreauthorisation(r row) (*settlement.Preauthorisation, error) {
	p, text := new(settlement.Preauthorisation), ""
	var expires int64
	err := r.Scan(&p.ID, &p.Province, &p.PatientID, &p.ReferralID, &p.CenterID, &p.Year, &p.Status, &expires, &p.Version, &text)
	if err != nil {
		return nil, err
	}
	p.Expires = clock.FromMicros(expires)
	return p, decode("preauthorisation", text, p)
}

// CreatePreauthorisation stores a new one.
func (s *Store) CreatePreauthorisation(ctx context.Context, p *settlement.Preauthorisation) error {
	text, err := encode(p)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		p.Version = 1
		_, err := tx.Exec(ctx, "INSERT INTO preauthorisation ("+preauthorisationColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
			p.ID, p.Province, p.PatientID, p.ReferralID, p.CenterID, p.Year, string(p.Status), clock.Micros(p.Expires), p.Version, text)
		return err
	})
}

// Preauthorisation returns one.
func (s *Store) Preauthorisation(ctx context.Context, id string) (p *settlement.Preauthorisation, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
		p, err = scanPreauthorisation(q.QueryRow(ctx, "SELECT "+preauthorisationColumns+" FROM preauthorisation WHERE preauthorisation_id = $1", id))
		return notFound(err, fault.NotFoundf("preauthorisation", id))
	})
	return p, err
}

// PreauthorisationsOf returns a person's that are active or used.
func (s *Store) PreauthorisationsOf(ctx context.Context, province, patientID string) (out []*settlement.Preauthorisation, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		return each(ctx, q, "SELECT "+preauthorisationColumns+` FROM preauthorisation
			WHERE province = $1 AND patient_id = $2 AND status IN ('ACTIVE', 'USED') ORDER BY preauthorisation_id`, []any{province, patientID}, func(rows sqldb.Rows) error {
			p, err := scanPreauthorisation(rows)
			out = append(out, p)
			return err
		})
	})
	return out, err
}

// UpdatePreauthorisation changes one.
func (s *Store) UpdatePreauthorisation(ctx context.Context, id string, change func(p *settlement.Preauthorisation) error) (p *settlement.Preauthorisation, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if _, err := tx.Exec(ctx, "UPDATE preauthorisation SET version = version + 1 WHERE preauthorisation_id = $1", id); err != nil {
			return err
		}
		if p, err = s.Preauthorisation(ctx, id); err != nil {
			return err
		}
		p.Version--
		if err := update(ctx, &p.Version, "", func(context.Context) error { return change(p) }); err != nil {
			return err
		}
		text, err := encode(p)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE preauthorisation SET status = $2, version = $3, doc = $4 WHERE preauthorisation_id = $1", id, string(p.Status), p.Version, text)
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// ExpireArgs end a pre-authorisation.
type ExpireArgs struct {
	ID string `json:"id"`
}

// Kind names the job.
func (ExpireArgs) Kind() string { return "settlement_expire_preauthorisation" }

// ExpireLater ends one at the time given.
func (s *Store) ExpireLater(ctx context.Context, id string, at time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Enqueue(ctx, ExpireArgs{id}, sqldb.At(at))
	})
}

// LockWay locks the row of a claim at its insured province; the manual claim if it was taken as one.
func (s *Store) LockWay(ctx context.Context, claimID string) (m *settlement.ManualClaim, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		err := tx.Send(ctx, "INSERT INTO claim_way (claim_id, version) VALUES ($1, 1) ON CONFLICT (claim_id) DO UPDATE SET version = claim_way.version + 1", claimID)
		if err != nil {
			return err
		}
		found, text := settlement.ManualClaim{ClaimID: claimID}, ""
		if err := tx.QueryRow(ctx, "SELECT province, doc FROM manual_claim WHERE claim_id = $1", claimID).Scan(&found.Province, &text); err != nil {
			return notFound(err, nil)
		}
		m = &found
		return decode("manual claim", text, m)
	})
	return m, err
}

// TakeManual takes a claim as a manual one.
func (s *Store) TakeManual(ctx context.Context, m settlement.ManualClaim) error {
	text, err := encode(m)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO manual_claim (claim_id, province, doc) VALUES ($1, $2, $3)", m.ClaimID, m.Province, text)
		return err
	})
}
