package referral

import "context"

// Died is the job that closes the person's other live cases when one was closed because the patient died, also those under
// records merged into one another. Each tells its own referrer. A death that was corrected meanwhile closes nothing.
func (s *Service) Died(ctx context.Context, j Job) error {
	stands := func() (bool, error) {
		origin, err := s.store.Get(ctx, j.ReferralID)
		return err == nil && origin.CloseReason == Died, err
	}
	if died, err := stands(); err != nil || !died {
		return err
	}
	cases, err := s.ofPerson(ctx, j.Record)
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
			return r.apply(CloseDied, a, func() {
				r.end(Died, a.At)
				r.DiedWith = j.ReferralID
			})
		})
		if err != nil {
			return err
		}
	}
	// Corrected while this went on, some cases may have been closed after the others were taken back.
	died, err := stands()
	if err != nil || died {
		return err
	}
	return s.reviveOthers(ctx, j.Record, j.ReferralID)
}
