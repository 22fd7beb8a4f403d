package referral

import (
	"context"

	"huhang.example/services/internal/clock"
)

// The jobs below undo or open what follows from a case's change. What is gone already counts as done.

// Grant opens the patient to an organisation that was asked.
func (s *Service) Grant(ctx context.Context, j Job) error {
	r, err := s.visible(ctx, j.ReferralID)
	if err != nil || !contains(r.Parties(), j.Organisation) {
		return err
	}
	return s.peers.GrantAccess(ctx, key("grant", r.ID, j.Organisation, j.Record), r.PatientID, j.Organisation, r.ID)
}

// Revoke ends the access of a center whose offer ended without the patient. A center that is a party, or asked again, keeps
// it; so does one that accepted.
func (s *Service) Revoke(ctx context.Context, j Job) error {
	r, err := s.visible(ctx, j.ReferralID)
	if err != nil || contains(r.Parties(), j.Organisation) || r.Live() && r.Asking == j.Organisation {
		return err
	}
	return done(s.peers.RevokeAccess(ctx, key("revoke", r.ID, j.Organisation, j.Record), r.PatientID, j.Organisation, r.ID,
		"OFFER_ENDED", clock.FromMicros(j.Due)))
}

// Withdraw takes back an offer nobody waits for.
func (s *Service) Withdraw(ctx context.Context, j Job) error {
	return done(s.peers.WithdrawOffer(ctx, key("withdraw", j.Record), j.Record, "the case no longer needs it"))
}

// Release frees a hold or its bookings.
func (s *Service) Release(ctx context.Context, j Job) error {
	return done(s.peers.ReleaseHold(ctx, key("release", j.Record), j.Record, "the case no longer needs it"))
}

// Abort ends a move that will not go on.
func (s *Service) Abort(ctx context.Context, j Job) error {
	return done(s.peers.AbortTransfer(ctx, key("abort", j.Record), j.Record))
}

// done takes a peer's lasting refusal for "it ended otherwise": decided, arrived, never made.
func done(err error) error {
	if _, no := refused(err); no {
		return nil
	}
	return err
}
