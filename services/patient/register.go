package patient

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// Check tells whether a person is registered, and the id where the caller may see it. Faults: IDENTITY_NUMBER_INVALID,
// DATUM_MISSING when neither a number nor name, birth date and phone are given.
func (s *Service) Check(ctx context.Context, number, name, birthDate, phone string) (registered bool, patientID string, err error) {
	switch {
	case number != "":
		n, err := ParseIdentityNumber(number, s.clock.Now())
		if err != nil {
			return false, "", err
		}
		patientID, err = s.store.FindNumber(ctx, n)
		if err != nil {
			return false, "", err
		}
	case name != "" && birthDate != "" && phone != "":
		if patientID, err = s.store.FindPerson(ctx, name, birthDate, phone); err != nil {
			return false, "", err
		}
	default:
		return false, "", fault.New(fault.InvalidArgument, fault.DatumMissing, "identity_number",
			"Give the identity number, or name, birth date and phone together.", "请提供证件号码，或同时提供姓名、出生日期和手机号。").
			With("missing", "identity_number")
	}
	if patientID == "" {
		return false, "", nil
	}
	if _, err := s.visible(ctx, patientID); err != nil {
		if fault.Is(err, fault.ReasonNotFound) {
			return true, "", nil
		}
		return false, "", err
	}
	return true, patientID, nil
}

// Register registers a person. Faults: those of Registration.Register, and PATIENT_DUPLICATE with patient_id in its
// metadata if the caller may see the live record.
func (s *Service) Register(ctx context.Context, r Registration) (View, error) {
	caller := access.From(ctx)
	p, err := r.Register(s.ids.New("pat"), caller.Organisation, s.clock.Now())
	if err != nil {
		return View{}, err
	}
	// Looked for before the insert as well: after a unique violation PostgreSQL answers nothing more in this transaction.
	existing, err := s.store.FindNumber(ctx, p.Identity.Number)
	if err == nil && existing == "" {
		existing, err = s.store.FindPerson(ctx, p.Identity.Name, p.BirthDate, p.Identity.Phone)
	}
	if err != nil {
		return View{}, err
	}
	if existing != "" {
		return View{}, s.duplicate(ctx, existing)
	}
	if err := s.store.Insert(ctx, p); err != nil {
		return View{}, err
	}
	return p.For(caller), nil
}

func (s *Service) duplicate(ctx context.Context, existing string) error {
	refused := Duplicate()
	if _, err := s.visible(ctx, existing); err == nil {
		refused = refused.With("patient_id", existing)
	}
	return refused
}

// Duplicate is the refusal of a second registration.
func Duplicate() *fault.Fault {
	return fault.New(fault.AlreadyExists, fault.PatientDuplicate, "identity_number",
		"This person is registered already.", "该患者已登记。")
}
