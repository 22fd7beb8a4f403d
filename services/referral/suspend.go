package referral

import (
	"context"
	"strings"
	"time"
)

// SuspendClock stops the clock with a reason, or, with an empty one, lets it run again with what was left; faults
// WRONG_STATE, RIGHT_MISSING, STALE_VERSION, NOT_FOUND.
func (s *Service) SuspendClock(ctx context.Context, referralID, etag, reason string) (*Referral, error) {
	reason = strings.TrimSpace(reason)
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		if reason == "" {
			return r.apply(RestartClock, a, func() {
				r.Deadline, r.ClockSuspended, r.Left = a.At.Add(r.Left), "", 0
			})
		}
		a.Note = reason
		return r.apply(StopClock, a, func() {
			r.Left, r.ClockSuspended, r.Deadline = r.Deadline.Sub(a.At), reason, time.Time{}
		})
	})
}
