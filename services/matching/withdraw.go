package matching

import (
	"context"
	"time"

	"huhang.example/services/internal/access"
)

// Why the line itself withdraws an offer (撤回原因).
const (
	NoLongerNeeded   = "NO_LONGER_NEEDED"  // the case was closed, or asks somebody else
	AnotherAccepted  = "ANOTHER_ACCEPTED"  // another center asked at the same time was first
	LicenceSuspended = "LICENCE_SUSPENDED" // the licence no longer covers the day, or the program was closed
)

// Withdraw takes an offer back; what an acceptance holds is released. Withdrawing twice changes nothing. Faults:
// NOT_FOUND, OFFER_DECIDED when it was declined or has expired.
func (s *Service) Withdraw(ctx context.Context, offerID, reason string) (*Offer, error) {
	at, by := s.clock.Now(), access.From(ctx)
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
		o.withdraw(NoLongerNeeded, reason, at, by)
		return nil
	})
}

func (o *Offer) withdraw(code, comment string, at time.Time, by access.Caller) {
	o.WithdrawCode, o.Comment = code, comment
	o.decide(Withdrawn, at, by)
	o.tell("WITHDRAWN", at, "", "")
}

// theLine is who withdraws by itself.
var theLine = access.Caller{Service: "matching", Roles: []access.Role{access.Service}}

// mostAsked bounds the open offers of one case.
const mostAsked = 500

// withdrawOthers takes back the open offers beside the one that was accepted, in its transaction.
func (s *Service) withdrawOthers(ctx context.Context, accepted *Offer, at time.Time) error {
	others, err := s.store.Offers(ctx, OfferFilter{All: true, Status: Open, ReferralID: accepted.ReferralID}, nil, mostAsked)
	if err != nil {
		return err
	}
	for _, o := range others {
		if err := s.withdrawIfOpen(ctx, o.ID, AnotherAccepted, "another center has accepted the patient", at); err != nil {
			return err
		}
	}
	return nil
}

// withdrawIfOpen takes an offer back by the line itself, unless it was decided or is being accepted.
func (s *Service) withdrawIfOpen(ctx context.Context, offerID, code, comment string, at time.Time) error {
	_, err := s.store.UpdateOffer(ctx, offerID, func(o *Offer) error {
		if o.Status == Open {
			o.withdraw(code, comment, at, theLine)
		}
		return nil
	})
	return err
}

// ReleaseHold is the job that frees what an offer held.
func (s *Service) ReleaseHold(ctx context.Context, j Job) error {
	ctx, cancel := context.WithTimeout(about(ctx, j.ReferralID), callTime)
	defer cancel()
	return ended(s.peers.Release(ctx, "release-"+j.HoldID, j.HoldID, "the offer no longer stands"))
}
