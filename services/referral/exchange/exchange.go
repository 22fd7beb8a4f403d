// Package exchange gives cases out as HL7 FHIR R4 and makes drafts of what comes in (数据交换).
//
// Invariants: an export holds what the caller could read call by call, and fails rather than leave out what is only out of
// reach for now. An import judges everything before it changes anything: person, clinical data, a recorded death and live cases;
// after that only a service that is away can stop it, and the same request goes on where it stopped.
package exchange

import (
	"context"
	"strings"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/referral"
	"huhang.example/services/referral/fhir"
)

// Registered is a person that the line knows.
type Registered struct {
	// PatientID is empty when there is no record, or none that the caller may see.
	PatientID string
	// Foreign says that there is a record the caller may not see.
	Foreign bool
	// Clinical says that the record has data for the organ.
	Clinical bool
}

// Peers are the other services, asked with the rights of the context's caller. Errors are their own faults.
type Peers interface {
	// Gather adds to the facts what the caller may see of patient, transfer and bill. What may not be seen stays nil.
	Gather(ctx context.Context, r *referral.Referral, into *fhir.Facts) error
	// CheckClinical judges clinical data of somebody born that day; faults VALUE_IMPLAUSIBLE, TIME_INVALID, FIELD_INVALID.
	CheckClinical(ctx context.Context, d fhir.Draft) error
	// FindPerson looks a person up by the identity number; fault IDENTITY_NUMBER_INVALID.
	FindPerson(ctx context.Context, identityNumber, organ string) (Registered, error)
	// Register registers the person, once per request id.
	Register(ctx context.Context, requestID string, p fhir.Person) (patientID string, err error)
	// RecordClinical stores the first clinical data for the organ, once per request id.
	RecordClinical(ctx context.Context, requestID, patientID string, d fhir.Draft) error
}

// Service is both use cases.
type Service struct {
	cases *referral.Service
	peers Peers
	clock clock.Clock
}

// New returns the service.
func New(cases *referral.Service, peers Peers, clock clock.Clock) *Service {
	return &Service{cases: cases, peers: peers, clock: clock}
}

// Export returns a case as a Bundle; fault NOT_FOUND, and those of peers that are away.
func (s *Service) Export(ctx context.Context, referralID string) ([]byte, error) {
	r, err := s.cases.GetReferral(ctx, referralID)
	if err != nil {
		return nil, err
	}
	f := fhir.Facts{Now: s.clock.Now(), Case: fhir.Case{
		ID: r.ID, PatientID: r.PatientID, Organ: r.Organ, Urgency: r.Urgency, Referrer: r.Referrer, Center: r.CenterID, LocalHospital: r.LocalHospital,
		State: string(r.State), CloseReason: string(r.CloseReason), ClockSuspended: r.ClockSuspended, Preferred: r.Preferred,
		Deadline: r.Deadline, Created: r.CreateTime, Updated: r.UpdateTime, Admission: r.Admission, Arrived: r.ClaimID != "",
	}}
	if err := s.peers.Gather(ctx, r, &f); err != nil {
		return nil, err
	}
	if f.Transfer != nil && f.Transfer.Status == "ARRIVED" {
		f.Case.Arrived = true
	}
	return fhir.Export(f)
}

// Import is one that was prepared.
type Import struct {
	err       error
	draft     fhir.Draft
	patientID string
	registrar referral.Registrar
	// NotTaken is the FHIRPath of what is not kept.
	NotTaken []string
	// Registered and Recorded say what was done for it at the patient service.
	Registered, Recorded bool
}

// Prepare does everything of an import but the case: it judges the Bundle, finds or registers the person, and records the
// clinical data. It never fails but carries its error into Draft.
func (s *Service) Prepare(ctx context.Context, requestID string, bundle []byte) *Import {
	i := &Import{}
	i.err = s.prepare(ctx, requestID, bundle, i)
	return i
}

func (s *Service) prepare(ctx context.Context, requestID string, bundle []byte, i *Import) error {
	var err error
	if i.draft, i.NotTaken, err = fhir.Take(bundle); err != nil {
		return err
	}
	d := i.draft
	if d.Clinical != nil {
		if err := s.peers.CheckClinical(ctx, d); err != nil {
			return located(err)
		}
	}
	found, err := s.peers.FindPerson(ctx, d.Person.IdentityNumber, d.Organ)
	switch {
	case err != nil:
		return located(err)
	case found.Foreign:
		return fault.New(fault.AlreadyExists, fault.PatientDuplicate, elements["identity_number"],
			"This person is registered already.", "该患者已登记。")
	case found.PatientID != "":
		if err := s.mayOpen(ctx, found.PatientID, d.Organ); err != nil {
			return err
		}
		i.patientID = found.PatientID
	default:
		if i.patientID, err = s.peers.Register(ctx, "fhir-r-"+requestID, d.Person); err != nil {
			return located(err)
		}
		i.Registered = true
	}
	if d.Clinical != nil && !found.Clinical {
		if err := s.peers.RecordClinical(ctx, "fhir-c-"+requestID, i.patientID, d); err != nil {
			return located(err)
		}
		i.Recorded = true
	}
	i.registrar = s.cases.PrepareCreate(ctx, i.patientID)
	return nil
}

// mayOpen refuses before anything is done what CreateReferral would refuse after it: a case of a patient whose death is
// recorded, and a second one for the organ.
func (s *Service) mayOpen(ctx context.Context, patientID, organ string) error {
	if err := s.cases.Living(ctx, s.cases.PrepareCreate(ctx, patientID)); err != nil {
		return located(err)
	}
	for token := ""; ; {
		list, next, err := s.cases.ListReferrals(ctx, referral.Filter{PatientID: patientID}, token, 200)
		if err != nil {
			return err
		}
		for _, r := range list {
			if r.Organ == organ && r.State != referral.Closed {
				return fault.New(fault.AlreadyExists, fault.LiveCaseExists, "Bundle.entry.resource.ofType(ServiceRequest)",
					"The patient has a live case for this organ.", "该患者已有同一器官的在办病例。").With("referral_id", r.ID)
			}
		}
		if token = next; token == "" {
			return nil
		}
	}
}

// Draft opens the case of a prepared import; faults of its preparation and of CreateReferral.
func (s *Service) Draft(ctx context.Context, i *Import) (*referral.Referral, error) {
	if i.err != nil {
		return nil, i.err
	}
	return s.cases.CreateReferral(ctx, referral.Opening{
		PatientID: i.patientID, Organ: i.draft.Organ, Urgency: i.draft.Urgency, Preferred: i.draft.Preferred,
	}, i.registrar)
}

const (
	ofPatient     = "Bundle.entry.resource.ofType(Patient)"
	ofCoverage    = "Bundle.entry.resource.ofType(Coverage)"
	ofObservation = "Bundle.entry.resource.ofType(Observation)"
)

// elements are where in a Bundle the fields of a registration and of clinical data stand.
var elements = map[string]string{
	"identity_number": ofPatient + ".identifier", "patient_id": ofPatient + ".identifier", "name": ofPatient + ".name", "phone": ofPatient + ".telecom", "birth_date": ofPatient + ".birthDate",
	"residence_city": ofPatient + ".address", "guardian": ofPatient + ".contact", "coverage": ofCoverage, "labs": ofObservation,
	"height_cm": ofObservation, "weight_kg": ofObservation, "blood_group": ofObservation, "rh_positive": ofObservation,
	"diagnosis_code": "Bundle.entry.resource.ofType(ServiceRequest).reasonCode",
}

func element(field string) string {
	if at, known := elements[field]; known {
		return at
	}
	head, _, _ := strings.Cut(strings.TrimPrefix(field, "clinical."), ".")
	return elements[head]
}

// located names the Bundle's element in the place of a record's field, which the refusal keeps as record_field.
func located(err error) error {
	f, refused := fault.As(err)
	if !refused || element(f.Field) == "" {
		return err
	}
	at := f.With("record_field", f.Field)
	at.Field = element(f.Field)
	for n, v := range at.Violations {
		if to := element(v.Field); to != "" {
			at.Violations[n].Field = to
		}
	}
	return at
}

// MaySee reports whether a peer's refusal means that the record is not for this caller, rather than out of reach for now.
func MaySee(err error) (seen bool, failed error) {
	f, refused := fault.As(err)
	switch {
	case err == nil:
		return true, nil
	case refused && (f.Code == fault.NotFound || f.Code == fault.PermissionDenied):
		return false, nil
	}
	return false, err
}
