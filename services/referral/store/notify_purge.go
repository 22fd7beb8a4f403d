package store

import (
	"context"
	"time"

	"huhang.example/services/internal/id"
	"huhang.example/services/internal/sqldb"
)

// Purge removes a batch of what was delivered and told long ago.
func (s *Notify) Purge(ctx context.Context, delivered, noticed time.Time, most int) (more bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		const old = "(SELECT id FROM notify_delivery WHERE status = 'DELIVERED' AND last_at < $1 ORDER BY last_at, id LIMIT $2)"
		if _, err := tx.Exec(ctx, "DELETE FROM notify_attempt WHERE delivery_id IN "+old, micros(delivered), most); err != nil {
			return err
		}
		messages, err := tx.Exec(ctx, "DELETE FROM notify_delivery WHERE id IN "+old, micros(delivered), most)
		if err != nil {
			return err
		}
		// An id begins with when it was made.
		notices, err := tx.Exec(ctx, "DELETE FROM notify_notice WHERE id IN (SELECT id FROM notify_notice WHERE id < $1 ORDER BY id LIMIT $2)",
			id.Least("ntc", noticed), most)
		more = messages == int64(most) || notices == int64(most)
		return err
	})
	return more, err
}
