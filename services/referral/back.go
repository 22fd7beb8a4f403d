package referral

import (
	"context"
	"strings"

	"huhang.example/services/internal/fault"
)

// BackRefer asks a local hospital to take the patient back (下转), the referrer unless another is named; faults
// CODE_UNKNOWN, WRONG_STATE, STALE_VERSION, NOT_FOUND.
func (s *Service) BackRefer(ctx context.Context, referralID, etag, hospital string) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		if _, err := r.pick(BackRefer, a); err != nil {
			return err
		}
		if hospital == "" {
			hospital = r.Referrer
		}
		if !strings.HasPrefix(hospital, "H-") {
			return fault.New(fault.InvalidArgument, fault.CodeUnknown, "local_hospital",
				"A patient is referred back to a hospital.", "患者只能下转至医院。")
		}
		a.Note = hospital
		return r.apply(BackRefer, a, func() {
			r.LocalHospital = hospital
			if hospital != r.Referrer {
				r.enqueue(Job{Do: JobGrant, Organisation: hospital})
			}
		})
	})
}

// AcceptBackReferral takes the patient back; follow-up begins. Faults WRONG_STATE, RIGHT_MISSING, STALE_VERSION, NOT_FOUND.
func (s *Service) AcceptBackReferral(ctx context.Context, referralID, etag string) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		return r.apply(AcceptBack, a, func() { r.schedule(followUps, a.At) })
	})
}
