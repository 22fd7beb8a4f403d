package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/matching"
)

// workOutTime bounds a run of the job that makes a proposal: gathering twenty thousand cases takes most of it.
const workOutTime = 10 * time.Minute

// InsertAssignment keeps a new proposal.
func (s *Store) InsertAssignment(ctx context.Context, a *matching.Assignment) error {
	doc, err := encode(a)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO assignment (assignment_id, locks, doc) VALUES ($1, 0, $2)", a.ID, doc); err != nil {
			return err
		}
		return enqueue(ctx, tx, matching.Job{Do: matching.JobWorkOut, AssignmentID: a.ID})
	})
}

// Assignment returns a proposal.
func (s *Store) Assignment(ctx context.Context, id string) (a *matching.Assignment, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		a, err = decode[matching.Assignment](q.QueryRow(ctx, "SELECT doc FROM assignment WHERE assignment_id = $1", id))
		return err
	})
	return a, absent(err, "assignment", id)
}

// UpdateAssignment changes a proposal.
func (s *Store) UpdateAssignment(ctx context.Context, id string, change func(*matching.Assignment) error) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return updateAssignment(ctx, tx, id, change) })
	return absent(err, "assignment", id)
}

func updateAssignment(ctx context.Context, tx *sqldb.Tx, id string, change func(*matching.Assignment) error) error {
	// The lock comes first: who waits here reads what the one before wrote.
	if _, err := tx.Exec(ctx, "UPDATE assignment SET locks = locks + 1 WHERE assignment_id = $1", id); err != nil {
		return err
	}
	var before string
	if err := tx.QueryRow(ctx, "SELECT doc FROM assignment WHERE assignment_id = $1", id).Scan(&before); err != nil {
		return err
	}
	a := new(matching.Assignment)
	if err := json.Unmarshal([]byte(before), a); err != nil {
		return fmt.Errorf("stored assignment: %w", err)
	}
	if err := change(a); err != nil {
		return err
	}
	if after, err := encode(a); err != nil || after == before {
		return err
	}
	a.Version++
	after, err := encode(a)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE assignment SET doc = $2 WHERE assignment_id = $1", id, after)
	return err
}

// FinishAssignment changes a proposal and keeps its cases.
func (s *Store) FinishAssignment(ctx context.Context, id string, change func(*matching.Assignment) error, cases []matching.AssignedCase) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := updateAssignment(ctx, tx, id, change); err != nil {
			return err
		}
		for i := range cases {
			doc, err := encode(cases[i])
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "INSERT INTO assigned_case (assignment_id, referral_id, placed, doc) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
				id, cases[i].Item.ReferralID, cases[i].Item.CenterID != "", doc); err != nil {
				return err
			}
		}
		return nil
	})
	return absent(err, "assignment", id)
}

// AssignmentPage returns a proposal and a page of its cases.
func (s *Store) AssignmentPage(ctx context.Context, id, after string, limit int) (a *matching.Assignment, cases []matching.AssignedCase, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		if a, err = decode[matching.Assignment](q.QueryRow(ctx, "SELECT doc FROM assignment WHERE assignment_id = $1", id)); err != nil {
			return err
		}
		cases, err = readCases(ctx, q, "assignment_id = $1 AND referral_id > $2 ORDER BY referral_id LIMIT $3", id, after, limit)
		return err
	})
	return a, cases, absent(err, "assignment", id)
}

func readCases(ctx context.Context, q sqldb.Querier, where string, args ...any) ([]matching.AssignedCase, error) {
	rows, err := q.Query(ctx, "SELECT doc FROM assigned_case WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var cases []matching.AssignedCase
	for rows.Next() {
		c, err := decode[matching.AssignedCase](rows)
		if err != nil {
			return nil, err
		}
		cases = append(cases, *c)
	}
	return cases, rows.Err()
}

// AssignedCase returns one.
func (s *Store) AssignedCase(ctx context.Context, id, referralID string) (*matching.AssignedCase, error) {
	var cases []matching.AssignedCase
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
		cases, err = readCases(ctx, q, "assignment_id = $1 AND referral_id = $2", id, referralID)
		return err
	})
	if err == nil && len(cases) == 0 {
		err = fault.NotFoundf("assigned case", referralID)
	}
	if err != nil {
		return nil, err
	}
	return &cases[0], nil
}

// EachPlaced changes every case with a center.
func (s *Store) EachPlaced(ctx context.Context, id string, change func(*matching.AssignedCase) error) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		cases, err := readCases(ctx, tx, "assignment_id = $1 AND placed ORDER BY referral_id", id)
		if err != nil {
			return err
		}
		for i := range cases {
			c := &cases[i]
			if err := change(c); err != nil {
				return err
			}
			if err := writeCase(ctx, tx, id, c); err != nil {
				return err
			}
			if err := enqueue(ctx, tx, matching.Job{Do: matching.JobAskAssigned, AssignmentID: id, ReferralID: c.Item.ReferralID}); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeCase(ctx context.Context, tx *sqldb.Tx, id string, c *matching.AssignedCase) error {
	doc, err := encode(c)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE assigned_case SET doc = $3 WHERE assignment_id = $1 AND referral_id = $2", id, c.Item.ReferralID, doc)
	return err
}

// SettleAssigned notes an outcome, once.
func (s *Store) SettleAssigned(ctx context.Context, id, referralID, outcome string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return updateAssignment(ctx, tx, id, func(a *matching.Assignment) error {
			cases, err := readCases(ctx, tx, "assignment_id = $1 AND referral_id = $2", id, referralID)
			if err != nil || len(cases) == 0 || cases[0].Outcome != matching.Pending {
				return err
			}
			cases[0].Outcome = outcome
			if outcome == matching.WasAsked {
				a.Asked++
			}
			return writeCase(ctx, tx, id, &cases[0])
		})
	})
}

// LiveOffers are the offers that bind a place.
func (s *Store) LiveOffers(ctx context.Context) (live map[string][]*matching.Offer, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		live = map[string][]*matching.Offer{}
		rows, err := q.Query(ctx, "SELECT doc FROM offer WHERE status IN ('OPEN', 'ACCEPTING', 'ACCEPTED')")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			o, err := decode[matching.Offer](rows)
			if err != nil {
				return err
			}
			live[o.CenterID] = append(live[o.CenterID], o)
		}
		return rows.Err()
	})
	return live, err
}
