package referral

import "context"

// RecordDischarge records the end of the stay with the plan's document number; the bed is freed. Faults WRONG_STATE,
// STALE_VERSION, NOT_FOUND.
func (s *Service) RecordDischarge(ctx context.Context, referralID, etag, plan string) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		return r.apply(Discharge, a, func() {
			r.RehabilitationPlan = plan
			r.release()
		})
	})
}
