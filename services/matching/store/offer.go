package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/matching"
)

// InsertOffer keeps a new offer.
func (s *Store) InsertOffer(ctx context.Context, o *matching.Offer) error {
	return s.bound(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		// Looked for before the insert as well: after a unique violation PostgreSQL answers nothing more in this transaction.
		if err := free(ctx, tx, o, true); err != nil {
			return err
		}
		doc, err := encode(o)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO offer (offer_id, referral_id, center_id, referrer, status, expires_at, locks, doc)
			VALUES ($1, $2, $3, $4, $5, $6, 0, $7)`,
			o.ID, o.ReferralID, o.CenterID, o.Referrer, string(o.Status), clock.Micros(o.ExpiresAt), doc)
		if err != nil {
			return err
		}
		return s.pending(ctx, tx, o)
	})
}

// bound turns a unique index's refusal into the fault it stands for.
func (s *Store) bound(ctx context.Context, write func(ctx context.Context, tx *sqldb.Tx) error) error {
	err := s.db.Write(ctx, write)
	if sqldb.IsUnique(err) {
		return matching.Bound("").Cause(err)
	}
	return err
}

// free refuses an offer while another one binds the case, or, for a new one, while the center has a live one.
func free(ctx context.Context, tx *sqldb.Tx, o *matching.Offer, fresh bool) error {
	var other string
	err := tx.QueryRow(ctx, `SELECT offer_id FROM offer WHERE referral_id = $1 AND offer_id <> $2
		AND (status IN ('ACCEPTING', 'ACCEPTED') OR $3 AND center_id = $4 AND status = 'OPEN') LIMIT 1`,
		o.ReferralID, o.ID, fresh, o.CenterID).Scan(&other)
	switch {
	case errors.Is(err, sqldb.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return matching.Bound(other)
}

// Offer returns an offer.
func (s *Store) Offer(ctx context.Context, offerID string) (o *matching.Offer, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		o, err = decode[matching.Offer](q.QueryRow(ctx, "SELECT doc FROM offer WHERE offer_id = $1", offerID))
		return err
	})
	return o, absent(err, "offer", offerID)
}

// UpdateOffer changes an offer.
func (s *Store) UpdateOffer(ctx context.Context, offerID string, change func(*matching.Offer) error) (o *matching.Offer, err error) {
	err = s.bound(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		// The lock comes first: who waits here reads what the one before wrote.
		if _, err := tx.Exec(ctx, "UPDATE offer SET locks = locks + 1 WHERE offer_id = $1", offerID); err != nil {
			return err
		}
		var before string
		if err := tx.QueryRow(ctx, "SELECT doc FROM offer WHERE offer_id = $1", offerID).Scan(&before); err != nil {
			return err
		}
		o = new(matching.Offer)
		if err := json.Unmarshal([]byte(before), o); err != nil {
			return fmt.Errorf("stored offer: %w", err)
		}
		binding := o.Binding()
		if err := change(o); err != nil {
			return err
		}
		after, err := encode(o)
		if err != nil {
			return err
		}
		if after == before {
			return nil
		}
		if o.Binding() && !binding {
			if err := free(ctx, tx, o, false); err != nil {
				return err
			}
		}
		if !o.Quiet() {
			o.Version++
		}
		if after, err = encode(o); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE offer SET status = $2, expires_at = $3, doc = $4 WHERE offer_id = $1",
			offerID, string(o.Status), clock.Micros(o.ExpiresAt), after); err != nil {
			return err
		}
		return s.pending(ctx, tx, o)
	})
	if err != nil {
		return nil, absent(err, "offer", offerID)
	}
	return o, nil
}

// pending writes what a change leaves behind.
func (s *Store) pending(ctx context.Context, tx *sqldb.Tx, o *matching.Offer) error {
	if err := s.evidence(ctx, tx, o); err != nil {
		return err
	}
	events, jobs := o.Pending()
	for _, e := range events {
		doc, err := encode(e)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO offer_event (offer_id, number, told, doc)
			SELECT $1, coalesce(max(number), 0) + 1, FALSE, $2 FROM offer_event WHERE offer_id = $1`, o.ID, doc); err != nil {
			return err
		}
	}
	for _, j := range jobs {
		if err := enqueue(ctx, tx, j); err != nil {
			return err
		}
	}
	o.Settle()
	return nil
}

// Offers returns a page of offers.
func (s *Store) Offers(ctx context.Context, f matching.OfferFilter, after *matching.Offer, limit int) (offers []*matching.Offer, err error) {
	var behind int64
	var behindID string
	if after != nil {
		behind, behindID = clock.Micros(after.ExpiresAt), after.ID
	}
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		offers = nil
		rows, err := q.Query(ctx, `SELECT doc FROM offer WHERE ($1 OR center_id = $2 OR referrer = $2) AND ($3 = '' OR status = $3)
			AND ($4 = '' OR referral_id = $4) AND (expires_at, offer_id) > ($5, $6) ORDER BY expires_at, offer_id LIMIT $7`,
			f.All, f.Organisation, string(f.Status), f.ReferralID, behind, behindID, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			o, err := decode[matching.Offer](rows)
			if err != nil {
				return err
			}
			offers = append(offers, o)
		}
		return rows.Err()
	})
	return offers, err
}

// mostOpen offers of one program are handed out at a time.
const mostOpen = 500

// OpenOffersOf returns the open offers of a center's program, the oldest first.
func (s *Store) OpenOffersOf(ctx context.Context, centerID, organ string) (offers []*matching.Offer, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		offers = nil
		rows, err := q.Query(ctx, "SELECT doc FROM offer WHERE center_id = $1 AND status = 'OPEN' ORDER BY offer_id", centerID)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() && len(offers) < mostOpen {
			o, err := decode[matching.Offer](rows)
			if err != nil {
				return err
			}
			if o.Organ == organ {
				offers = append(offers, o)
			}
		}
		return rows.Err()
	})
	return offers, err
}

// Untold returns the events that were not delivered.
func (s *Store) Untold(ctx context.Context, offerID string) (untold []matching.Told, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		untold = nil
		rows, err := q.Query(ctx, "SELECT doc, number FROM offer_event WHERE offer_id = $1 AND NOT told ORDER BY number", offerID)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var number int64
			e, err := decode[matching.Event](rows, &number)
			if err != nil {
				return err
			}
			untold = append(untold, matching.Told{Number: number, Event: *e})
		}
		return rows.Err()
	})
	return untold, err
}

// Tell marks an event as delivered. With the first of them the offer itself has been.
func (s *Store) Tell(ctx context.Context, offerID string, number int64, at time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE offer_event SET told = TRUE WHERE offer_id = $1 AND number = $2", offerID, number); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE offer_shown SET delivered_at = $2 WHERE offer_id = $1 AND delivered_at = 0", offerID, clock.Micros(at))
		return err
	})
}
