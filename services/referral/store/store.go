// Package store keeps cases in SQL, one text for both engines.
//
// Invariant: a case's entries are numbered from 1 without gaps, because its row is locked first and counts them; the feed's
// positions commit in their order, because every writer holds feed_head until it commits.
package store

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/referral"
)

// Migrations are the tables.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Store is a referral.Store over SQL.
type Store struct{ db *sqldb.DB }

var _ referral.Store = (*Store)(nil)

// New returns a store over a migrated database. Every change ends at feed_head: writers take turns from the start.
func New(db *sqldb.DB) *Store {
	db.WriteOneByOne("feed_turn")
	return &Store{db}
}

// never stands for "no deadline", after every real one.
const never = int64(math.MaxInt64)

func deadlineOf(r *referral.Referral) int64 {
	if r.Deadline.IsZero() {
		return never
	}
	return clock.Micros(r.Deadline)
}

// Create inserts the case unless the patient has a live one for the organ.
func (s *Store) Create(ctx context.Context, r *referral.Referral) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		fresh := *r
		fresh.Version = 1
		// A stub takes the key; save fills it.
		n, err := tx.Exec(ctx, `INSERT INTO referral (id, version, locks, patient_id, organ, state, live, busy, referrer,
			asked_center, center, local_hospital, deadline, updated, doc)
			VALUES ($1, 1, 0, $2, $3, $4, TRUE, FALSE, $5, '', '', '', $6, 0, '{}') ON CONFLICT DO NOTHING`,
			r.ID, r.PatientID, r.Organ, string(r.State), r.Referrer, never)
		if err != nil {
			return err
		}
		if n == 0 {
			existing, err := scanOne(tx.QueryRow(ctx, "SELECT doc FROM referral WHERE patient_id = $1 AND organ = $2 AND live", r.PatientID, r.Organ))
			if err != nil {
				return err
			}
			return &referral.LiveCaseError{Existing: existing}
		}
		if err := save(ctx, tx, &fresh); err != nil {
			return err
		}
		*r = fresh
		return nil
	})
}

// Get reads a case.
func (s *Store) Get(ctx context.Context, referralID string) (r *referral.Referral, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		r, err = scanOne(q.QueryRow(ctx, "SELECT doc FROM referral WHERE id = $1", referralID))
		return err
	})
	return r, notFound(err, referralID)
}

// Update locks and changes a case.
func (s *Store) Update(ctx context.Context, referralID, etag string, change func(*referral.Referral) error) (r *referral.Referral, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		// The lock comes first: who waits here reads what the one before wrote.
		if _, err := tx.Exec(ctx, "UPDATE referral SET locks = locks + 1 WHERE id = $1", referralID); err != nil {
			return err
		}
		if r, err = scanOne(tx.QueryRow(ctx, "SELECT doc FROM referral WHERE id = $1", referralID)); err != nil {
			return err
		}
		if etag != "" && etag != r.Etag() {
			return fault.Stale(r.Etag())
		}
		closed := !r.Live()
		if err := change(r); err != nil {
			return err
		}
		if closed && r.Live() {
			if err := onlyLive(ctx, tx, r); err != nil {
				return err
			}
		}
		if entries, jobs := r.Pending(); len(entries) == 0 && len(jobs) == 0 {
			return nil
		}
		r.Version++
		return save(ctx, tx, r)
	})
	if err != nil {
		return nil, notFound(err, referralID)
	}
	return r, nil
}

// onlyLive refuses a case that goes on again beside another one of the patient for the organ.
func onlyLive(ctx context.Context, tx *sqldb.Tx, r *referral.Referral) error {
	existing, err := scanOne(tx.QueryRow(ctx, "SELECT doc FROM referral WHERE patient_id = $1 AND organ = $2 AND live AND id <> $3", r.PatientID, r.Organ, r.ID))
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return &referral.LiveCaseError{Existing: existing}
}

// save writes the case, its pending entries and jobs. Nothing of it can be seen before the transaction commits.
func save(ctx context.Context, tx *sqldb.Tx, r *referral.Referral) error {
	entries, jobs := r.Pending()
	now := clock.Micros(tx.Clock().Now())
	var position, at int64
	err := tx.QueryRow(ctx, `UPDATE feed_head SET n = n + $1, at = CASE WHEN at >= $2 THEN at + 1 ELSE $2 END WHERE id = 1
		RETURNING n, at`, int64(len(entries)), now).Scan(&position, &at)
	if err != nil {
		return err
	}
	position -= int64(len(entries))
	for _, e := range entries {
		position++
		r.Length++
		e.Sequence, e.Recorded = r.Length, clock.FromMicros(at)
		doc, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("referral: entry: %w", err)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO timeline (referral_id, sequence, position, doc) VALUES ($1, $2, $3, $4)",
			r.ID, e.Sequence, position, string(doc)); err != nil {
			return err
		}
		for _, organisation := range e.Scope() {
			if _, err := tx.Exec(ctx, "INSERT INTO feed_scope (organisation, position) VALUES ($1, $2)", organisation, position); err != nil {
				return err
			}
		}
	}
	for _, j := range jobs {
		if err := enqueue(ctx, tx, j); err != nil {
			return err
		}
	}
	r.Settle()
	r.UpdateTime = clock.FromMicros(at)
	doc, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("referral: case: %w", err)
	}
	if err := asked(ctx, tx, r); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE referral SET version = $2, state = $3, live = $4, busy = $5, asked_center = $6, center = $7,
		local_hospital = $8, deadline = $9, updated = $10, doc = $11, claim_stage = $12, attention = $13 WHERE id = $1`,
		r.ID, r.Version, string(r.State), r.Live(), r.Busy(), strings.Join(r.AskedCenters(), " "), r.CenterID, r.LocalHospital, deadlineOf(r), at, string(doc), r.FailingStage(), len(r.Attention) > 0)
	if err != nil || len(r.Consultations)+len(r.Numbers) == 0 {
		return err
	}
	return index(ctx, tx, r)
}

// asked keeps one row for each center that has an open offer.
func asked(ctx context.Context, tx *sqldb.Tx, r *referral.Referral) error {
	if _, err := tx.Exec(ctx, "DELETE FROM asked WHERE referral_id = $1", r.ID); err != nil {
		return err
	}
	for _, center := range r.AskedCenters() {
		if _, err := tx.Exec(ctx, "INSERT INTO asked (center, referral_id) VALUES ($1, $2)", center, r.ID); err != nil {
			return err
		}
	}
	return nil
}

func scanOne(row sqldb.Row) (*referral.Referral, error) {
	var doc string
	if err := row.Scan(&doc); err != nil {
		return nil, err
	}
	return scanDoc(doc)
}

func notFound(err error, referralID string) error {
	if errors.Is(err, sqldb.ErrNoRows) {
		return fault.NotFoundf("referral", referralID)
	}
	return err
}
