package referral

import (
	"context"
	"strconv"

	"huhang.example/services/internal/fault"
)

// Ask is the job that opens the patient to the center to ask next, and makes the offer. The offer's own event may come
// before its answer: whichever is first counts.
func (s *Service) Ask(ctx context.Context, j Job) error {
	r, err := s.visible(ctx, j.ReferralID)
	if err != nil || !r.asks(j) {
		return err
	}
	err = s.peers.GrantAccess(ctx, key("grant", r.ID, j.Organisation, strconv.Itoa(j.Number)), r.PatientID, j.Organisation, r.ID)
	if err != nil {
		return err
	}
	offer, err := s.peers.CreateOffer(ctx, key("offer", r.ID, j.Organisation, strconv.Itoa(j.Number)), OfferAsk{
		ReferralID: r.ID, PatientID: r.PatientID, MatchRunID: r.MatchRunID, Center: j.Organisation,
		Referrer: r.Referrer, Organ: r.Organ, Urgency: r.Urgency,
	})
	h := Happening{Move: OfferCreated, Center: j.Organisation, Record: offer.ID, Occurred: offer.Created, Expire: offer.Expire, AtOnce: offer.AtOnce}
	if f, no := refused(err); no {
		// There is no offer: the record is what would have become one.
		h = Happening{
			Move: OfferRefused, Center: j.Organisation, Reason: string(f.Reason), Occurred: s.clock.Now(),
			Record: roundOf(j),
		}
	} else if err != nil {
		return err
	}
	_, err = s.update(ctx, j.ReferralID, "", func(r *Referral, a Act) error {
		if h.Move == OfferRefused && !r.asks(j) {
			return nil
		}
		_, err := r.happen(a, h)
		return err
	})
	return err
}

// roundOf stands for the offer that was not made.
func roundOf(j Job) string { return "round-" + strconv.Itoa(j.Number) + "-" + j.Organisation }

// asks reports whether the case still waits for the job's offer.
func (r *Referral) asks(j Job) bool {
	return (r.State == Matched || r.State == Offered) && r.Round == j.Number && r.Asking == j.Organisation && r.OfferID == ""
}

// abandonAsking gives the choice back to the referrer.
func (s *Service) abandonAsking(ctx context.Context, j Job, reason string) error {
	_, err := s.update(ctx, j.ReferralID, "", func(r *Referral, a Act) error {
		if !r.asks(j) {
			return nil
		}
		a.Center, a.Reason = j.Organisation, reason
		if len(r.Beside) > 0 {
			// Others still have their offers: this center counts as one that could not be asked.
			_, err := r.happen(a, Happening{
				Move: OfferRefused, Center: j.Organisation, Reason: reason, Occurred: a.At, Record: roundOf(j),
			})
			return err
		}
		err := r.apply(AbandonAsking, a, func() {
			r.revoke(j.Organisation, roundOf(j), a.At)
			r.stopAsking()
		})
		if fault.Is(err, fault.WrongState) {
			return nil
		}
		return err
	})
	return err
}
