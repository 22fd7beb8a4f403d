// Package store keeps transfers and the pool in a database.
//
// Invariant: a unit is given away only by a transaction that has changed the unit's row; of two that want one unit the
// later sees what the earlier wrote, or starts again.
package store

import (
	"context"
	"embed"

	"huhang.example/services/internal/sqldb"
	"huhang.example/services/transfer"
)

// Migrations make the tables.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Store implements transfer.Store.
type Store struct {
	db *sqldb.DB
	// unlocked gives units away without locking them: the negative control of the test for double booking.
	unlocked bool
}

var _ transfer.Store = (*Store)(nil)

// New returns a store over a migrated database.
func New(db *sqldb.DB) *Store { return &Store{db: db} }

// Atomically runs fn in one transaction.
func (s *Store) Atomically(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.db.Write(ctx, func(ctx context.Context, _ *sqldb.Tx) error { return fn(ctx) })
}

// CaseEventJob tells the case of an event.
type CaseEventJob struct {
	Event transfer.CaseEvent `json:"event"`
}

// Kind names the job.
func (CaseEventJob) Kind() string { return "transfer_case_event" }

// ExpireHoldJob ends a hold when its time is over.
type ExpireHoldJob struct {
	HoldID string `json:"hold_id"`
}

// Kind names the job.
func (ExpireHoldJob) Kind() string { return "transfer_expire_hold" }

// Report leaves a job that tells the case.
func (s *Store) Report(ctx context.Context, event transfer.CaseEvent) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Enqueue(ctx, CaseEventJob{Event: event})
	})
}
