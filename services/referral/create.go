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
	Registered
	err error
}

// PrepareCreate asks the patient service, as the caller, whose patient it is.
func (s *Service) PrepareCreate(ctx context.Context, patientID string) Registrar {
	registered, err := s.peers.Registered(ctx, patientID)
	return Registrar{registered, err}
}

// CreateReferral opens a case. Only the organisation that registered the patient may; a live case of another hospital, under
// a record that was merged into the patient's, is closed by it unless the patient is on the way to a center or with one.
// Faults NOT_FOUND, RIGHT_MISSING, DEATH_RECORDED, FIELD_INVALID, LIVE_CASE_EXISTS.
func (s *Service) CreateReferral(ctx context.Context, o Opening, registrar Registrar) (*Referral, error) {
	a := s.act(ctx)
	if registrar.err != nil {
		return nil, registrar.err
	}
	if a.By.Organisation == "" || registrar.Organisation != a.By.Organisation {
		return nil, fault.New(fault.PermissionDenied, fault.RightMissing, "patient_id",
			"Only the organisation that registered the patient opens a case.", "只有登记该患者的机构可以建立病例。")
	}
	if err := s.Living(ctx, registrar); err != nil {
		return nil, err
	}
	for _, center := range o.Preferred {
		if slices.Contains(o.Refused, center) {
			return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "refused_centers",
				"A center is both preferred and refused.", "同一中心不能既首选又拒绝。").With("center_id", center)
		}
	}
	if err := s.supersede(ctx, registrar.Registered, o.Organ, a); err != nil {
		return nil, err
	}
	r := &Referral{
		ID: s.ids.New("ref"), PatientID: registrar.PatientID, Organ: o.Organ, Urgency: o.Urgency, Referrer: a.By.Organisation,
		State: Draft, Preferred: o.Preferred, Refused: o.Refused, TraceID: a.Trace, CreateTime: a.At,
	}
	ctx = telemetry.WithReferral(ctx, r.ID)
	r.note("CREATED", a)
	err := s.store.Create(ctx, r)
	var live *LiveCaseError
	if errors.As(err, &live) {
		return nil, liveCase(live.Existing, a.By)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

func liveCase(existing *Referral, caller access.Caller) *fault.Fault {
	f := fault.New(fault.AlreadyExists, fault.LiveCaseExists, "patient_id",
		"The patient has a live case for this organ.", "该患者已有同一器官的在办病例。")
	if existing.VisibleTo(caller) {
		f = f.With("referral_id", existing.ID)
	}
	return f
}

// supersede closes the live cases that a former hospital has under records merged into the patient's: they never block the
// hospital that looks after the patient now. One whose patient is on the way to a center or with one is that center's to
// end, and a case of the caller's own is a second one.
func (s *Service) supersede(ctx context.Context, patient Registered, organ string, a Act) error {
	if len(patient.Others) == 0 {
		return nil
	}
	cases, err := s.store.OfPatients(ctx, Scope{All: true}, patient.Others, maxOfPerson)
	if err != nil {
		return err
	}
	line := a
	line.By, line.Organisation, line.Subject, line.Reason = theLine, a.By.Organisation, a.By.Subject, string(Superseded)
	for _, former := range cases {
		if !former.Live() || former.Organ != organ {
			continue
		}
		if former.Referrer == a.By.Organisation || !former.May(Supersede, theLine) {
			return liveCase(former, a.By)
		}
		_, err := s.store.Update(ctx, former.ID, "", func(r *Referral) error {
			if !r.Live() {
				return nil
			}
			return r.apply(Supersede, line, func() { r.end(Superseded, a.At) })
		})
		if err != nil {
			return err
		}
	}
	return nil
}
