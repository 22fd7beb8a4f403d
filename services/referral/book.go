package referral

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
)

// Confirmation carries the hold's confirmation into BookAdmission.
type Confirmation struct {
	holdID string
	err    error
}

// PrepareBook confirms the case's hold if the caller may book and has seen the present version. Confirming comes before
// the case changes: should the process end between the two, the call repeated finds the hold confirmed and books; should
// it never be repeated, the case is overdue and closing it releases the bookings.
func (s *Service) PrepareBook(ctx context.Context, referralID, etag string) Confirmation {
	ctx = telemetry.WithReferral(ctx, referralID)
	r, err := s.visible(ctx, referralID)
	if err != nil || r.Etag() != etag || !r.May(Book, access.From(ctx)) {
		return Confirmation{}
	}
	return Confirmation{r.HoldID, s.peers.ConfirmHold(ctx, key("book", r.ID, r.HoldID), r.HoldID)}
}

// BookAdmission books what was held; faults HOLD_EXPIRED, WRONG_STATE, STALE_VERSION, NOT_FOUND.
func (s *Service) BookAdmission(ctx context.Context, referralID, etag string, confirmed Confirmation) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		if _, err := r.pick(Book, a); err != nil {
			return err
		}
		if confirmed.err != nil {
			return confirmed.err
		}
		if confirmed.holdID != r.HoldID {
			return fault.Stale(r.Etag())
		}
		a.Record = r.HoldID
		return r.apply(Book, a, func() { r.HoldConfirmed = true })
	})
}
