package settlement

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/place"
)

// PutEntitlement records what the caller's agency knows of a person.
func (s *Service) PutEntitlement(ctx context.Context, e Entitlement, etag string) (Entitlement, error) {
	if err := s.serves(e.Province); err != nil {
		return Entitlement{}, err
	}
	if err := ownProvince(access.From(ctx), e.Province); err != nil {
		return Entitlement{}, err
	}
	if err := checkDay("valid_from", e.ValidFrom); err != nil {
		return Entitlement{}, err
	}
	if e.ValidTo != "" {
		if err := checkDay("valid_to", e.ValidTo); err != nil {
			return Entitlement{}, err
		}
		if e.ValidTo < e.ValidFrom {
			return Entitlement{}, timeInvalid("valid_to", "The last day lies before the first.", "结束日期早于开始日期。")
		}
	}
	if err := checkCoverage(e.Coverage, e.Province); err != nil {
		return Entitlement{}, err
	}
	return s.store.PutEntitlement(ctx, e, etag)
}

func checkCoverage(c Coverage, province string) error {
	if c.Province != province {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, "coverage.province",
			"The coverage is of another province.", "参保信息不属于该省。")
	}
	if area, ok := place.City(c.PoolingArea); !ok || area.Province != province {
		return fault.New(fault.InvalidArgument, fault.CodeUnknown, "coverage.pooling_area",
			"The pooling area is no prefecture of the province.", "统筹区不是该省的地级行政区。")
	}
	return nil
}

// CheckEntitlement answers whether a person is entitled on a day, today if empty, and what is known of them; nil when
// nothing is.
func (s *Service) CheckEntitlement(ctx context.Context, province, patientID, day string) (bool, *Entitlement, error) {
	if err := s.serves(province); err != nil {
		return false, nil, err
	}
	if day == "" {
		day = s.today()
	}
	if err := checkDay("date", day); err != nil {
		return false, nil, err
	}
	if err := s.mayAskAbout(ctx, province, patientID); err != nil {
		return false, nil, err
	}
	e, err := s.entitlement(ctx, province, patientID, s.declared(ctx, province, patientID))
	if fault.Is(err, fault.NotEntitled) {
		return false, nil, nil
	}
	if err != nil {
		return false, nil, err
	}
	return e.On(day), &e, nil
}

// declared is the coverage a person declared, where the province takes that for recognised; asked outside transactions.
type declared struct {
	entitlement Entitlement
	has         bool
	err         error
}

// declared asks the patient service, if the province recognises what is declared and has no record of its own.
func (s *Service) declared(ctx context.Context, province, patientID string) declared {
	if !s.rules.RecogniseDeclared {
		return declared{}
	}
	if _, err := s.store.Entitlement(ctx, province, patientID); !fault.Is(err, fault.ReasonNotFound) {
		return declared{err: err}
	}
	profile, err := s.peers.Profile(ctx, patientID)
	if fault.Is(err, fault.ReasonNotFound) {
		return declared{}
	}
	if err != nil {
		return declared{err: err}
	}
	return declared{
		entitlement: Entitlement{PatientID: patientID, Province: province, Coverage: profile.Coverage},
		has:         profile.Coverage.Province == province,
	}
}

// entitlement returns what the province knows of a person; fault NOT_ENTITLED when nothing.
func (s *Service) entitlement(ctx context.Context, province, patientID string, d declared) (Entitlement, error) {
	e, err := s.store.Entitlement(ctx, province, patientID)
	switch {
	case err == nil:
		return e, nil
	case !fault.Is(err, fault.ReasonNotFound):
		return Entitlement{}, err
	case d.err != nil:
		return Entitlement{}, d.err
	case d.has:
		return d.entitlement, nil
	}
	return Entitlement{}, notEntitled()
}
