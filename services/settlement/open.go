package settlement

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/place"
	"huhang.example/services/internal/telemetry"
)

// ClaimAsk opens a claim.
type ClaimAsk struct {
	ReferralID, PatientID, CenterID, Province, TreatmentCity, InsuredProvince, Organ, AdmissionDate string
	Kind                                                                                            ClaimKind
	Emergency                                                                                       bool
}

// ClaimPrepared is what the peers told of a claim to be opened.
type ClaimPrepared struct {
	profile Profile
	case_   Case
	err     error
}

// PrepareClaim asks the patient's consent and the case.
func (s *Service) PrepareClaim(ctx context.Context, ask ClaimAsk) (p ClaimPrepared) {
	if p.err = s.checkClaim(access.From(ctx), ask); p.err != nil {
		return p
	}
	ctx = telemetry.WithReferral(ctx, ask.ReferralID)
	if p.case_, p.err = s.peers.Case(ctx, ask.ReferralID); p.err == nil {
		p.profile, p.err = s.peers.Profile(ctx, ask.PatientID)
	}
	return p
}

func (s *Service) checkClaim(who access.Caller, ask ClaimAsk) error {
	if err := s.serves(ask.Province); err != nil {
		return err
	}
	if who.Organisation != ask.CenterID {
		return fault.New(fault.PermissionDenied, fault.RightMissing, "center_id",
			"A center opens claims of its own only.", "中心只能办理本中心的费用单。")
	}
	if city, ok := place.City(ask.TreatmentCity); !ok || city.Province != ask.Province {
		return fault.New(fault.InvalidArgument, fault.CodeUnknown, "treatment_city",
			"The city is no city of the province.", "该城市不属于该省。")
	}
	if _, ok := place.Province(ask.InsuredProvince); !ok {
		return fault.New(fault.InvalidArgument, fault.CodeUnknown, "insured_province", "There is no such province.", "没有此省份。")
	}
	if err := checkDay("admission_date", ask.AdmissionDate); err != nil {
		return err
	}
	if ask.Kind == Outpatient && ask.Emergency {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, "emergency",
			"Only a stay is an emergency.", "只有住院可以标记为急诊。")
	}
	if ask.AdmissionDate > s.latestDay() {
		return timeInvalid("admission_date", "The admission lies in the future.", "入院日在未来。")
	}
	return nil
}

// OpenClaim admits a patient.
func (s *Service) OpenClaim(ctx context.Context, ask ClaimAsk, p ClaimPrepared) (*Claim, error) {
	if p.err != nil {
		return nil, p.err
	}
	if p.case_.CenterID != ask.CenterID || p.case_.PatientID != ask.PatientID {
		return nil, access.NotVisible("referral", ask.ReferralID)
	}
	if !p.profile.ConsentSettlement {
		return nil, consentMissing()
	}
	c := &Claim{
		ID: s.ids.New("clm_" + ask.Province), ReferralID: ask.ReferralID, PatientID: ask.PatientID, CenterID: ask.CenterID,
		Referrer: p.case_.Referrer, Province: ask.Province, InsuredProvince: ask.InsuredProvince, Status: Open,
		TreatmentCity: ask.TreatmentCity, Organ: ask.Organ, AdmissionDate: ask.AdmissionDate,
		Kind: ask.Kind, Emergency: ask.Emergency, Actor: actorOf(access.From(ctx)), Created: s.clock.Now(), Version: 1,
	}
	if c.Kind == "" {
		c.Kind = Inpatient
	}
	if c.Kind == Outpatient {
		c.DischargeDate = c.AdmissionDate
	}
	ctx = telemetry.WithReferral(ctx, c.ReferralID)
	if err := s.store.CreateClaim(ctx, c); err != nil {
		return nil, err
	}
	return c, s.tell(ctx, c, "OPENED", c.ID, nil)
}
