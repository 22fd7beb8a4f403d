package referral

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
)

// Known carries the patient's profile into SubmitReferral.
type Known struct {
	asked   bool
	profile Profile
	err     error
}

// PrepareSubmit reads the patient's profile if the caller may submit the case.
func (s *Service) PrepareSubmit(ctx context.Context, referralID string) Known {
	ctx = telemetry.WithReferral(ctx, referralID)
	r, err := s.visible(ctx, referralID)
	if err != nil || !r.May(Submit, access.From(ctx)) {
		return Known{}
	}
	profile, err := s.peers.Profile(ctx, r.PatientID, r.Organ)
	return Known{true, profile, err}
}

// SubmitReferral hands the case to the desk; faults CONSENT_MISSING, DATUM_MISSING, WRONG_STATE, STALE_VERSION, NOT_FOUND.
func (s *Service) SubmitReferral(ctx context.Context, referralID, etag string, known Known) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		if _, err := r.pick(Submit, a); err != nil {
			return err
		}
		switch {
		case known.err != nil:
			return known.err
		case !known.asked:
			// The case came into this state between the two looks at it.
			return fault.Stale(r.Etag())
		case !known.profile.ConsentReferral:
			return fault.New(fault.FailedPrecondition, fault.ConsentMissing, "",
				"The patient has not consented to the referral.", "患者尚未就转诊作出知情同意。").With("purpose", "REFERRAL")
		case !known.profile.ClinicalRecorded:
			return fault.New(fault.FailedPrecondition, fault.DatumMissing, "",
				"No clinical data are recorded for this organ.", "尚未登记该器官的临床资料。").With("missing", "clinical")
		}
		if err := r.apply(Submit, a, func() { r.InsuredProvince = known.profile.InsuredProvince }); err != nil {
			return err
		}
		line := a
		line.By = theLine
		return r.apply(Receive, line, nil)
	})
}

// theLine is this service as an actor.
var theLine = access.Caller{Service: "referral", Roles: []access.Role{access.Service}}
