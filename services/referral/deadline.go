package referral

import (
	"context"
	"strconv"
	"time"

	"huhang.example/services/internal/clock"
)

// Remind is the job that looks at a case when half of its clock's time has passed: the timeline says so, once for each
// clock, to whoever sees the case.
func (s *Service) Remind(ctx context.Context, j Job) error {
	_, err := s.update(ctx, j.ReferralID, "", func(r *Referral, a Act) error {
		kind := "REMINDER"
		due := strconv.FormatInt(j.Due, 10)
		if r.Deadline.IsZero() || r.Deadline.UnixMicro() != j.Due || !a.At.Before(r.Deadline) || r.saw(due, kind) {
			return nil
		}
		r.see(due, kind)
		a.Note = r.Deadline.In(clock.Shanghai).Format(time.DateTime)
		r.note(kind, a)
		return nil
	})
	return err
}

// Deadline is the job that looks at a case when its clock has run out: information that never came closes it as lapsed,
// everything else is marked overdue on the timeline, once. A clock that was stopped or answered meanwhile has another
// deadline, and the job does nothing.
func (s *Service) Deadline(ctx context.Context, j Job) error {
	_, err := s.update(ctx, j.ReferralID, "", func(r *Referral, a Act) error {
		if r.Deadline.IsZero() || r.Deadline.UnixMicro() != j.Due || r.OverdueTold || a.At.Before(r.Deadline) {
			return nil
		}
		a.Occurred = r.Deadline
		if r.May(Lapse, a.By) {
			a.Reason = string(Lapsed)
			return r.apply(Lapse, a, func() { r.end(Lapsed, a.At) })
		}
		r.OverdueTold = true
		r.note("OVERDUE", a)
		return nil
	})
	return err
}
