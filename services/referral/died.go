package referral

import "context"

// Died is the job that closes the patient's other live cases when one was closed because the patient died. Each tells its own
// referrer.
func (s *Service) Died(ctx context.Context, j Job) error {
	cases, err := s.store.OfPatients(ctx, Scope{All: true}, []string{j.Record}, maxFound)
	if err != nil {
		return err
	}
	for _, other := range cases {
		if !other.Live() || other.ID == j.ReferralID {
			continue
		}
		_, err := s.update(ctx, other.ID, "", func(r *Referral, a Act) error {
			if !r.Live() {
				return nil
			}
			a.Reason, a.Record = string(Died), j.ReferralID
			return r.apply(CloseDied, a, func() { r.end(Died, a.At) })
		})
		if err != nil {
			return err
		}
	}
	return nil
}
