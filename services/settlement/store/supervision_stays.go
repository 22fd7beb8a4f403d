package store

import (
	"context"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/supervision"
)

// standing is what of the kept stays counts: manual claims, and what was committed and not reversed since.
const standing = " FROM supervision_stay s WHERE (s.manual OR EXISTS (SELECT 1 FROM message m WHERE m.message_id = s.message_id AND m.status = 'COMMITTED'))"

// Keep stores a stay.
func (s *Store) Keep(ctx context.Context, k supervision.Kept) error {
	text, err := encode(k.Stay)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO supervision_stay (message_id, province, patient_id, year, discharge, manual, total, self_pay, kept_at, doc)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (message_id) DO NOTHING`,
			k.MessageID, k.Province, k.PatientID, k.Year, k.Discharge, k.Manual, int64(k.Total), int64(k.SelfPay), clock.Micros(k.At), text)
		return err
	})
}

// History returns a person's stays that stand, the newest 200.
func (s *Store) History(ctx context.Context, province, patientID string) (out []supervision.Stay, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		return each(ctx, q, "SELECT s.doc"+standing+" AND s.province = $1 AND s.patient_id = $2 ORDER BY s.kept_at DESC, s.message_id LIMIT 200",
			[]any{province, patientID}, func(rows sqldb.Rows) error {
				var v supervision.Stay
				text := ""
				if err := rows.Scan(&text); err != nil {
					return err
				}
				err := decode("stay", text, &v)
				out = append(out, v)
				return err
			})
	})
	return out, err
}

// Burden sums what a person paid themselves in a year.
func (s *Store) Burden(ctx context.Context, province, patientID, year string) (sum money.Fen, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, "SELECT CAST(COALESCE(SUM(s.self_pay), 0) AS BIGINT)"+standing+" AND s.province = $1 AND s.patient_id = $2 AND s.year = $3",
			province, patientID, year).Scan(&sum)
	})
	return sum, err
}

// Costs sums a province's stays that ended from one day to another.
func (s *Store) Costs(ctx context.Context, province, from, to string) (c supervision.Costs, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, "SELECT CAST(COALESCE(SUM(s.total), 0) AS BIGINT), COUNT(*)"+standing+" AND s.province = $1 AND s.discharge >= $2 AND s.discharge <= $3 AND NOT s.manual",
			province, from, to).Scan(&c.Total, &c.Stays)
	})
	return c, err
}

// KeptOn returns what was committed in a span of time and stands.
func (s *Store) KeptOn(ctx context.Context, province string, from, to time.Time, cursor string, limit int) (out []supervision.Kept, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		return each(ctx, q, "SELECT s.message_id, s.province, s.year, s.self_pay, s.kept_at, s.doc"+standing+
			" AND s.province = $1 AND s.kept_at >= $2 AND s.kept_at < $3 AND s.message_id > $4 ORDER BY s.message_id LIMIT $5",
			[]any{province, clock.Micros(from), clock.Micros(to), cursor, limit}, func(rows sqldb.Rows) error {
				k, text, at := supervision.Kept{}, "", int64(0)
				if err := rows.Scan(&k.MessageID, &k.Province, &k.Year, &k.SelfPay, &at, &text); err != nil {
					return err
				}
				k.At = clock.FromMicros(at)
				err := decode("stay", text, &k.Stay)
				out = append(out, k)
				return err
			})
	})
	return out, err
}

// BillsOf returns a person's claims of a treatment province, outpatients' with their lines.
func (s *Store) BillsOf(ctx context.Context, province, patientID string) (out []supervision.Bill, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		err := each(ctx, q, "SELECT "+claimColumns+" FROM claim WHERE province = $1 AND patient_id = $2 AND NOT cancelled ORDER BY claim_id DESC LIMIT 50",
			[]any{province, patientID}, func(rows sqldb.Rows) error {
				c, err := scanClaim(rows)
				out = append(out, supervision.Bill{Claim: c})
				return err
			})
		if err != nil {
			return err
		}
		for i, b := range out {
			if b.Claim.Kind != settlement.Outpatient {
				continue
			}
			if out[i].Lines, err = s.Lines(ctx, b.Claim.ID); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}
