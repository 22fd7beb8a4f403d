package referral

import (
	"context"
	"errors"
	"slices"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
)

// Opening is what a case is opened with.
type Opening struct {
	PatientID, Organ, Urgency string
	Preferred, Refused        []string
}

// Registrar carries who registered the patient into CreateReferral.
type Registrar struct {
	organisation string
	err          error
}

// PrepareCreate asks the patient service, as the caller, whose patient it is.
func (s *Service) PrepareCreate(ctx context.Context, patientID string) Registrar {
	organisation, err := s.peers.RegisteredBy(ctx, patientID)
	return Registrar{organisation, err}
}

// CreateReferral opens a case. Only the organisation that registered the patient may; faults NOT_FOUND, RIGHT_MISSING,
// FIELD_INVALID, LIVE_CASE_EXISTS.
func (s *Service) CreateReferral(ctx context.Context, o Opening, registrar Registrar) (*Referral, error) {
	a := s.act(ctx)
	if registrar.err != nil {
		return nil, registrar.err
	}
	if a.By.Organisation == "" || registrar.organisation != a.By.Organisation {
		return nil, fault.New(fault.PermissionDenied, fault.RightMissing, "patient_id",
			"Only the organisation that registered the patient opens a case.", "只有登记该患者的机构可以建立病例。")
	}
	for _, center := range o.Preferred {
		if slices.Contains(o.Refused, center) {
			return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "refused_centers",
				"A center is both preferred and refused.", "同一中心不能既首选又拒绝。").With("center_id", center)
		}
	}
	r := &Referral{
		ID: s.ids.New("ref"), PatientID: o.PatientID, Organ: o.Organ, Urgency: o.Urgency, Referrer: a.By.Organisation,
		State: Draft, Preferred: o.Preferred, Refused: o.Refused, TraceID: a.Trace, CreateTime: a.At,
	}
	ctx = telemetry.WithReferral(ctx, r.ID)
	r.note("CREATED", a)
	err := s.store.Create(ctx, r)
	var live *LiveCaseError
	if errors.As(err, &live) {
		f := fault.New(fault.AlreadyExists, fault.LiveCaseExists, "patient_id",
			"The patient has a live case for this organ.", "该患者已有同一器官的在办病例。")
		if live.Existing.VisibleTo(access.From(ctx)) {
			f = f.With("referral_id", live.Existing.ID)
		}
		return nil, f
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}
