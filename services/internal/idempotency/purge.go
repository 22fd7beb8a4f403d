package idempotency

import (
	"context"
	"fmt"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb"
)

const (
	// Keep is how long answers are kept: longer than any partner repeats a request.
	Keep = 30 * 24 * time.Hour

	purgeEvery = 6 * time.Hour
	purgeBatch = 1000
)

// Purge removes answers older than keep, a thousand at a time so that no call waits for long, and returns how many.
func Purge(ctx context.Context, db *sqldb.DB, keep time.Duration) (int64, error) {
	before := clock.Micros(db.Clock().Now().Add(-keep))
	var total int64
	for {
		var n int64
		err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			n, err = tx.Exec(ctx, `DELETE FROM idempotency WHERE (caller, method, request_id) IN (
				SELECT caller, method, request_id FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT $2)`, before, purgeBatch)
			return err
		})
		if err != nil {
			return total, fmt.Errorf("idempotency: purge: %w", err)
		}
		total += n
		if n < purgeBatch {
			return total, nil
		}
	}
}

type purgeArgs struct{}

func (purgeArgs) Kind() string { return "idempotency_purge" }

// SchedulePurge makes w remove answers older than Keep, every six hours.
func SchedulePurge(w *sqldb.Workers, db *sqldb.DB) {
	sqldb.Handle(w, func(ctx context.Context, _ purgeArgs) error {
		_, err := Purge(ctx, db, Keep)
		return err
	})
	sqldb.Every(w, purgeEvery, purgeArgs{})
}
