package patient

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// Found is what a look-up before the form tells.
type Found struct {
	Registered bool
	// View is the live record, where the caller may see it.
	View *View
}

// Check tells whether a person is registered, and the live record where the caller may see it; nothing but the fact where
// not. Faults: IDENTITY_NUMBER_INVALID, FIELD_INVALID, DATUM_MISSING when neither a number nor name, birth date and phone are
// given.
func (s *Service) Check(ctx context.Context, number, name, birthDate, phone string) (Found, error) {
	patientID, err := s.find(ctx, number, name, birthDate, phone)
	if err != nil || patientID == "" {
		return Found{}, err
	}
	v, err := s.Get(ctx, patientID)
	if fault.Is(err, fault.ReasonNotFound) {
		return Found{Registered: true}, nil
	}
	if err != nil {
		return Found{}, err
	}
	return Found{true, &v}, nil
}

func (s *Service) find(ctx context.Context, number, name, birthDate, phone string) (string, error) {
	switch {
	case tidyNumber(number) != "":
		n, err := ParseIdentityNumber(number, s.clock.Now())
		if err != nil {
			return "", err
		}
		return s.store.FindNumber(ctx, n)
	case IndexName(name) != "" && birthDate != "" && phone != "":
		day, err := tidyDay("birth_date", birthDate)
		if err != nil {
			return "", err
		}
		return s.store.FindPerson(ctx, name, day, tidyPhone(phone))
	}
	return "", fault.New(fault.InvalidArgument, fault.DatumMissing, "identity_number",
		"Give the identity number, or name, birth date and phone together.", "请提供证件号码，或同时提供姓名、出生日期和手机号。").
		With("missing", "identity_number")
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
	if p, err := s.visible(ctx, existing); err == nil {
		refused = refused.With("patient_id", p.ID)
	}
	return refused
}

// Duplicate is the refusal of a second registration.
func Duplicate() *fault.Fault {
	return fault.New(fault.AlreadyExists, fault.PatientDuplicate, "identity_number",
		"This person is registered already.", "该患者已登记。")
}
