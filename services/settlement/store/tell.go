package store

import (
	"context"

	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement"
)

// EventArgs tell the case what became of a claim.
type EventArgs struct {
	Event settlement.Event `json:"event"`
}

// Kind names the job.
func (EventArgs) Kind() string { return "settlement_case_event" }

// TellCase owes the case an event.
func (s *Store) TellCase(ctx context.Context, e settlement.Event) error {
	doc, err := encode(e)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := tx.Send(ctx, "INSERT INTO claim_event (claim_id, number, doc) VALUES ($1, $2, $3)", e.ClaimID, e.Number, doc); err != nil {
			return err
		}
		return tx.Enqueue(ctx, EventArgs{e})
	})
}

// Untold returns what is owed.
func (s *Store) Untold(ctx context.Context, claimID string, upTo int64) (owed []settlement.Event, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		owed = nil
		return each(ctx, q, "SELECT doc FROM claim_event WHERE claim_id = $1 AND number <= $2 ORDER BY number", []any{claimID, upTo}, func(rows sqldb.Rows) error {
			var doc string
			if err := rows.Scan(&doc); err != nil {
				return err
			}
			var e settlement.Event
			err := decode("event", doc, &e)
			owed = append(owed, e)
			return err
		})
	})
	return owed, err
}

// Told ends what is owed.
func (s *Store) Told(ctx context.Context, claimID string, number int64) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM claim_event WHERE claim_id = $1 AND number = $2", claimID, number)
		return err
	})
}

// AcceptedArgs tell the treatment province that a manual claim was taken.
type AcceptedArgs struct {
	ClaimID  string                 `json:"claim_id"`
	Province string                 `json:"province"`
	Claim    settlement.ManualClaim `json:"claim"`
}

// Kind names the job.
func (AcceptedArgs) Kind() string { return "settlement_manual_accepted" }

// Accepted is the claim as it was taken.
func (a AcceptedArgs) Accepted() settlement.ManualClaim {
	m := a.Claim
	m.ClaimID, m.Province = a.ClaimID, a.Province
	return m
}

// TellTreatment owes the treatment province that a manual claim was taken.
func (s *Store) TellTreatment(ctx context.Context, m settlement.ManualClaim) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Enqueue(ctx, AcceptedArgs{m.ClaimID, m.Province, m})
	})
}
