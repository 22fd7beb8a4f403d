package store

import (
	"context"
	"errors"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/matching"
)

// evidence keeps what was shown, and chains the decisions.
func (s *Store) evidence(ctx context.Context, tx *sqldb.Tx, o *matching.Offer) error {
	shown, records := o.Evidence()
	if shown != nil {
		sealed, err := s.cipher.Encrypt(shown, shownOf(o.ID))
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "INSERT INTO offer_shown (offer_id, doc, hash, delivered_at, opened_at, opened_by) VALUES ($1, $2, $3, 0, 0, '')",
			o.ID, sealed, o.ShownHash); err != nil {
			return err
		}
	}
	for _, record := range records {
		number, before := int64(0), o.ShownHash
		err := tx.QueryRow(ctx, "SELECT number, hash FROM offer_decision WHERE offer_id = $1 ORDER BY number DESC LIMIT 1", o.ID).Scan(&number, &before)
		if err != nil && !errors.Is(err, sqldb.ErrNoRows) {
			return err
		}
		if _, err := tx.Exec(ctx, "INSERT INTO offer_decision (offer_id, number, doc, hash) VALUES ($1, $2, $3, $4)",
			o.ID, number+1, string(record), matching.Chained(before, record)); err != nil {
			return err
		}
	}
	return nil
}

// shownOf binds the sealed text to its row.
func shownOf(offerID string) []byte { return []byte("offer_shown " + offerID) }

// Opened notes the first reading; what was read was delivered.
func (s *Store) Opened(ctx context.Context, offerID, subject string, at time.Time) error {
	var opened int64
	err := s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, "SELECT opened_at FROM offer_shown WHERE offer_id = $1", offerID).Scan(&opened)
	})
	if err != nil || opened > 0 {
		return absent(err, "offer", offerID)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE offer_shown SET opened_at = $2, opened_by = $3,
			delivered_at = CASE WHEN delivered_at = 0 THEN $2 ELSE delivered_at END WHERE offer_id = $1 AND opened_at = 0`, offerID, clock.Micros(at), subject)
		return err
	})
}

// Proof returns what can be shown. An offer made before proofs were kept has none.
func (s *Store) Proof(ctx context.Context, offerID string) (*matching.Proof, error) {
	p := &matching.Proof{OfferID: offerID}
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		var doc []byte
		var delivered, opened int64
		p.Decisions = nil
		err := q.QueryRow(ctx, "SELECT doc, hash, delivered_at, opened_at, opened_by FROM offer_shown WHERE offer_id = $1", offerID).
			Scan(&doc, &p.ShownHash, &delivered, &opened, &p.OpenedBy)
		if err != nil {
			return err
		}
		if p.Shown, err = s.cipher.Decrypt(doc, shownOf(offerID)); err != nil {
			return err
		}
		p.Delivered, p.Opened = clock.FromMicros(delivered), clock.FromMicros(opened)
		rows, err := q.Query(ctx, "SELECT number, doc, hash FROM offer_decision WHERE offer_id = $1 ORDER BY number", offerID)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d matching.Decision
			var record string
			if err := rows.Scan(&d.Number, &record, &d.Hash); err != nil {
				return err
			}
			d.Record = []byte(record)
			p.Decisions = append(p.Decisions, d)
		}
		return rows.Err()
	})
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, fault.NotFoundf("offer proof", offerID)
	}
	return p, err
}

// Atomically runs fn in one transaction.
func (s *Store) Atomically(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.bound(ctx, func(ctx context.Context, _ *sqldb.Tx) error { return fn(ctx) })
}
