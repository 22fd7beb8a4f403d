package store

import (
	"context"
	"fmt"
	"time"

	"huhang.example/services/internal/audit"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement"
)

const claimColumns = "claim_id, province, insured_province, referral_id, patient_id, center_id, referrer, status, kind, cancelled, version, doc"

func scanClaim(r row) (*settlement.Claim, error) {
	c, text, cancelled := new(settlement.Claim), "", false
	err := r.Scan(&c.ID, &c.Province, &c.InsuredProvince, &c.ReferralID, &c.PatientID, &c.CenterID, &c.Referrer, &c.Status, &c.Kind, &cancelled, &c.Version, &text)
	if err != nil {
		return nil, err
	}
	if cancelled {
		c.Status = settlement.Cancelled
	}
	return c, decode("claim", text, c)
}

// state is a claim's status as its columns hold it.
func state(c *settlement.Claim) (status string, cancelled bool, since int64) {
	if c.UnderWay != nil {
		since = clock.Micros(c.UnderWay.Since)
	}
	if c.Status == settlement.Cancelled {
		return string(settlement.Open), true, since
	}
	return string(c.Status), false, since
}

// oneBed is the refusal of a second open stay.
func oneBed() error {
	return fault.New(fault.FailedPrecondition, fault.WrongState, "referral_id",
		"The case has an open claim at this center.", "该病例在本中心已有未出院的费用单。").With("state", string(settlement.Open))
}

// CreateClaim stores a new claim.
func (s *Store) CreateClaim(ctx context.Context, c *settlement.Claim) error {
	text, err := encode(c)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		c.Version = 1
		status, cancelled, since := state(c)
		added, err := tx.Exec(ctx, "INSERT INTO claim ("+claimColumns+", under_way_since) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
			c.ID, c.Province, c.InsuredProvince, c.ReferralID, c.PatientID, c.CenterID, c.Referrer, status, string(c.Kind), cancelled, c.Version, text, since)
		if err == nil && added == 0 {
			return oneBed()
		}
		return err
	})
}

// Claim returns a claim.
func (s *Store) Claim(ctx context.Context, claimID string) (c *settlement.Claim, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
		c, err = scanClaim(q.QueryRow(ctx, "SELECT "+claimColumns+" FROM claim WHERE claim_id = $1", claimID))
		return notFound(err, fault.NotFoundf("claim", claimID))
	})
	return c, err
}

// UpdateClaim changes a claim.
func (s *Store) UpdateClaim(ctx context.Context, claimID, etag string, change func(ctx context.Context, c *settlement.Claim) error) (c *settlement.Claim, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		c, err = scanClaim(tx.QueryRow(ctx, "UPDATE claim SET version = version + 1 WHERE claim_id = $1 RETURNING "+claimColumns, claimID))
		if err != nil {
			return notFound(err, fault.NotFoundf("claim", claimID))
		}
		c.Version--
		if err := update(ctx, &c.Version, etag, func(ctx context.Context) error { return change(ctx, c) }); err != nil {
			return err
		}
		text, err := encode(c)
		if err != nil {
			return err
		}
		status, cancelled, since := state(c)
		_, err = tx.Exec(ctx, "UPDATE claim SET status = $2, cancelled = $3, under_way_since = $4, version = $5, doc = $6 WHERE claim_id = $1",
			claimID, status, cancelled, since, c.Version, text)
		if sqldb.IsUnique(err) {
			return oneBed()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// ListClaims returns claims older than the cursor, newest first.
func (s *Store) ListClaims(ctx context.Context, q settlement.ClaimQuery, cursor string, limit int) (out []*settlement.Claim, next string, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, db sqldb.Querier) error {
		out = nil
		return each(ctx, db, "SELECT "+claimColumns+` FROM claim WHERE province = $1 AND ($2 = '' OR referral_id = $2) AND ($3 = '' OR (CASE WHEN cancelled THEN 'CANCELLED' ELSE status END) = $3)
			AND ($4 = '' OR claim_id < $4) AND ($5 OR ($6 <> '' AND (center_id = $6 OR referrer = $6)) OR ($7 <> '' AND (province = $7 OR insured_province = $7)))
			ORDER BY claim_id DESC LIMIT $8`,
			[]any{q.Province, q.ReferralID, string(q.Status), cursor, q.Scope.All, q.Scope.Organisation, q.Scope.Province, limit + 1},
			func(rows sqldb.Rows) error {
				c, err := scanClaim(rows)
				out = append(out, c)
				return err
			})
	})
	if err != nil {
		return nil, "", err
	}
	out, next = page(out, limit, func(c *settlement.Claim) string { return c.ID })
	return out, next, nil
}

// AddLines adds lines to a claim.
func (s *Store) AddLines(ctx context.Context, claimID string, lines []settlement.FeeLine) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, l := range lines {
			_, err := tx.Exec(ctx, `INSERT INTO fee_line (claim_id, line_number, item_code, item_name, price, quantity_milli, amount, service_date, refund_of)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
				claimID, int64(l.Number), l.Item, l.Name, int64(l.Price), l.QuantityMilli, int64(l.Amount), l.ServiceDate, int64(l.RefundOf))
			if err != nil {
				return fmt.Errorf("settlement store: line %d: %w", l.Number, err)
			}
		}
		return nil
	})
}

// Lines returns a claim's lines by number.
func (s *Store) Lines(ctx context.Context, claimID string) (out []settlement.FeeLine, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		return each(ctx, q, `SELECT line_number, item_code, item_name, price, quantity_milli, amount, service_date, refund_of
			FROM fee_line WHERE claim_id = $1 ORDER BY line_number`, []any{claimID}, func(rows sqldb.Rows) error {
			var l settlement.FeeLine
			err := rows.Scan(&l.Number, &l.Item, &l.Name, &l.Price, &l.QuantityMilli, &l.Amount, &l.ServiceDate, &l.RefundOf)
			out = append(out, l)
			return err
		})
	})
	return out, err
}

// CreateSettlement stores a settlement, with its audit entry: what a job completes, no call has accounted for.
func (s *Store) CreateSettlement(ctx context.Context, v *settlement.Settlement) error {
	text, err := encode(v)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		err := tx.Send(ctx, "INSERT INTO settlement (settlement_id, claim_id, message_id, reversed, settled_at, doc) VALUES ($1, $2, $3, $4, $5, $6)",
			v.ID, v.ClaimID, v.MessageID, v.Reversed, clock.Micros(v.Time), text)
		if err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Entry{Action: "settlement.settled", Resource: v.ClaimID, Outcome: audit.Done})
	})
}

// Settlement returns a settlement.
func (s *Store) Settlement(ctx context.Context, settlementID string) (v *settlement.Settlement, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		v = &settlement.Settlement{ID: settlementID}
		var text string
		err := q.QueryRow(ctx, "SELECT claim_id, message_id, reversed, doc FROM settlement WHERE settlement_id = $1", settlementID).
			Scan(&v.ClaimID, &v.MessageID, &v.Reversed, &text)
		if err != nil {
			return notFound(err, fault.NotFoundf("settlement", settlementID))
		}
		return decode("settlement", text, v)
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// MarkReversed marks a settlement as reversed.
func (s *Store) MarkReversed(ctx context.Context, settlementID string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, "UPDATE settlement SET reversed = TRUE WHERE settlement_id = $1 AND NOT reversed", settlementID)
		if err != nil {
			return err
		}
		if n != 1 {
			return fault.NotFoundf("settlement", settlementID)
		}
		return audit.Append(ctx, tx, audit.Entry{Action: "settlement.reversed", Resource: settlementID, Outcome: audit.Done})
	})
}

// Unanswered counts the claims whose step at the insured province has no outcome yet, and tells since when the oldest waits.
func (s *Store) Unanswered(ctx context.Context) (count int64, since time.Time, err error) {
	var oldest int64
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, "SELECT count(*), coalesce(min(under_way_since), 0) FROM claim WHERE under_way_since <> 0").Scan(&count, &oldest)
	})
	if count > 0 {
		since = clock.FromMicros(oldest)
	}
	return count, since, err
}
