package referral

import "context"

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
