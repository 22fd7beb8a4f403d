package patient

import (
	"context"
	"time"

	"huhang.example/services/internal/access"
)

// Grant is the access one case gave one organisation (授权).
type Grant struct {
	Organisation, ReferralID string
	At, RevokedAt            time.Time
	Reason                   string
}

// Grant gives an organisation access because of a case.
func (s *Service) Grant(ctx context.Context, patientID, organisation, referralID string) error {
	return s.store.Grant(ctx, patientID, organisation, referralID, s.clock.Now())
}

// Revoke ends what a case gave an organisation up to a time (zero: whatever holds), and tells whether something held.
// Faults: NOT_FOUND.
func (s *Service) Revoke(ctx context.Context, patientID, organisation, referralID, reason string, until time.Time) (bool, error) {
	now := s.clock.Now()
	if until.IsZero() {
		until = now
	}
	return s.store.Revoke(ctx, patientID, organisation, referralID, reason, until, now)
}

// Grants tells who may see a patient because of a case, newest first.
func (s *Service) Grants(ctx context.Context, patientID string) ([]Grant, error) {
	p, err := s.store.Get(ctx, patientID)
	if err != nil {
		return nil, err
	}
	if !access.From(ctx).MaySee(p.RegisteredBy) {
		return nil, access.NotVisible(kind, patientID)
	}
	return s.store.Grants(ctx, p.ID, 500)
}
