package notify

import (
	"context"
	"time"
)

const (
	// purgeBatch bounds one transaction of removing, purgeMost how many of them follow each other: the next run goes on.
	purgeBatch = 200
	purgeMost  = 500
)

// Purge removes what was delivered, and what was told, for longer ago than the rules keep it. Dead letters wait for somebody
// however long that takes.
func (s *Service) Purge(ctx context.Context) error {
	now, days := s.Clock.Now(), func(n int64) time.Duration { return -time.Duration(n) * 24 * time.Hour }
	delivered, noticed := now.Add(days(s.Rules.KeepDeliveredDays)), now.Add(days(s.Rules.KeepNoticesDays))
	for range purgeMost {
		more, err := s.Store.Purge(ctx, delivered, noticed, purgeBatch)
		if err != nil || !more {
			return err
		}
	}
	return nil
}
