package patient

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// Change holds the new values of the paths named.
type Change struct {
	Paths         []string
	Phone         string
	ResidenceCity string
	Guardian      *Guardian
	Coverage      *Coverage
}

// Update changes contact, residence or coverage. Faults: FIELD_INVALID for an unknown path, NOT_FOUND, STALE_VERSION,
// PATIENT_DUPLICATE when the new phone makes the person another record's.
func (s *Service) Update(ctx context.Context, patientID, etag string, c Change) (View, error) {
	if err := s.own(ctx, patientID); err != nil {
		return View{}, err
	}
	if len(c.Paths) == 0 {
		return View{}, badPath()
	}
	p, err := s.store.Update(ctx, patientID, etag, func(p *Patient) error { return c.apply(s, p) })
	if err != nil {
		return View{}, err
	}
	return p.For(access.From(ctx)), nil
}

func (c Change) apply(s *Service, p *Patient) error {
	for _, path := range c.Paths {
		var err error
		switch path {
		case "phone":
			err = p.SetPhone(c.Phone)
		case "residence_city":
			err = p.SetResidence(c.ResidenceCity)
		case "guardian":
			err = p.SetGuardian(c.Guardian, s.clock.Now())
		case "coverage":
			if c.Coverage == nil {
				return fault.New(fault.InvalidArgument, fault.FieldInvalid, "coverage", "The coverage is named but not given.", "已指定修改参保信息，但未提供内容。")
			}
			err = p.SetCoverage(*c.Coverage)
		default:
			err = badPath()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func badPath() error {
	return fault.New(fault.InvalidArgument, fault.FieldInvalid, "update_mask",
		"Only phone, residence_city, guardian and coverage can be changed; name at least one.", "只能修改手机号、居住地、监护人和参保信息，且至少指定一项。")
}

// Give records a consent; document is the signed form, empty where there is none.
func (s *Service) Give(ctx context.Context, patientID, etag string, purpose Purpose, document string) (View, error) {
	given := Consent{GivenAt: s.clock.Now(), GivenBy: access.From(ctx).Organisation, Document: document}
	return s.consent(ctx, patientID, etag, func(p *Patient) error { p.Give(purpose, given); return nil })
}

// Withdraw ends a consent from now on. Faults: CONSENT_MISSING.
func (s *Service) Withdraw(ctx context.Context, patientID, etag string, purpose Purpose) (View, error) {
	by, now := access.From(ctx).Organisation, s.clock.Now()
	return s.consent(ctx, patientID, etag, func(p *Patient) error { return p.Withdraw(purpose, by, now) })
}

func (s *Service) consent(ctx context.Context, patientID, etag string, change func(*Patient) error) (View, error) {
	if err := s.own(ctx, patientID); err != nil {
		return View{}, err
	}
	p, err := s.store.Update(ctx, patientID, etag, change)
	if err != nil {
		return View{}, err
	}
	return p.For(access.From(ctx)), nil
}

// Effect is something the line does no more once a consent is withdrawn.
type Effect struct{ Zh, En string }

// Effects of withdrawing the consent for a purpose; what was done under it stays on record.
func (p Purpose) Effects() []Effect {
	return map[Purpose][]Effect{
		ForReferral: {
			{"不再提交转诊、重新匹配或发出新的邀约", "no case is submitted, no ranking run and no center asked any more"},
			{"已接收的病例由医院与患者商定是否结案", "a case a center accepted goes on until the hospital and the patient close it"},
		},
		ForTransfer:   {{"不再新建转运计划", "no further transfer is planned"}},
		ForSettlement: {{"不再代为办理备案和直接结算，费用需回参保地手工报销", "nothing more is filed or settled on the line; bills are claimed at home by hand"}},
		ForFollowUp:   {{"不再提醒和登记术后随访", "follow-up visits are no longer planned or recorded"}},
	}[p]
}
