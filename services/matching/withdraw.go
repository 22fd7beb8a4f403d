package matching

import "context"

// Withdraw takes an offer back; what an acceptance holds is released. Withdrawing twice changes nothing. Faults:
// NOT_FOUND, OFFER_DECIDED when it was declined or has expired.
func (s *Service) Withdraw(ctx context.Context, offerID, reason string) (*Offer, error) {
	at := s.clock.Now()
	return s.store.UpdateOffer(ctx, offerID, func(o *Offer) error {
		switch o.Status {
		case Withdrawn:
			return nil
		case Declined, Expired:
			return o.decidedAlready()
		case Accepted:
			o.release(o.HoldID)
		case Accepting:
			// Whether its units are held is not known yet: who finishes the attempt will release them.
		}
		o.decide(Withdrawn, at)
		o.Comment = reason
		o.tell("WITHDRAWN", at, "", "")
		return nil
	})
}

// ReleaseHold is the job that frees what an offer held.
func (s *Service) ReleaseHold(ctx context.Context, j Job) error {
	ctx, cancel := context.WithTimeout(about(ctx, j.ReferralID), callTime)
	defer cancel()
	return ended(s.peers.Release(ctx, "release-"+j.HoldID, j.HoldID, "the offer no longer stands"))
}
