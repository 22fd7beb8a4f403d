package matching

import (
	"context"

	"huhang.example/services/internal/fault"
)

// Proposal is an offer as the case asks for it.
type Proposal struct {
	ReferralID, PatientID, MatchRunID, CenterID, Referrer, Organ, Urgency string
}

// CreateOffer asks a center and starts its clock. Faults: NOT_FOUND for the run, FIELD_INVALID where the run is another
// case's, NOT_RANKED, NOT_LICENSED, CODE_UNKNOWN, WRONG_STATE with offer_id while the center has a live offer of the case
// or another center takes the patient.
func (s *Service) CreateOffer(ctx context.Context, p Proposal) (*Offer, error) {
	run, err := s.store.Run(ctx, p.MatchRunID)
	if err != nil {
		return nil, err
	}
	for _, part := range []struct{ field, asked, ran string }{
		{"referral_id", p.ReferralID, run.ReferralID},
		{"patient_id", p.PatientID, run.PatientID},
		{"referring_organisation", p.Referrer, run.Referrer},
		{"organ", p.Organ, run.Input.Organ},
	} {
		if part.asked != part.ran {
			return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, part.field, "The match run is about another case.", "匹配记录属于其他病例。")
		}
	}
	if !run.Ranked(p.CenterID) {
		return nil, fault.New(fault.FailedPrecondition, fault.NotRanked, "center_id",
			"The center is not ranked in this match run.", "该中心不在此次匹配的排序结果中。")
	}
	center, err := s.store.Center(ctx, p.CenterID)
	if err != nil {
		return nil, err
	}
	at := s.clock.Now()
	if !center.Program(p.Organ).Takes(at) {
		return nil, notLicensed()
	}
	rules := s.rules.inForce(at)
	expires, err := rules.expires(at, p.Urgency)
	if err != nil {
		return nil, err
	}
	o := &Offer{
		ID: s.ids.New("off"), ReferralID: p.ReferralID, PatientID: p.PatientID, MatchRunID: p.MatchRunID, CenterID: p.CenterID,
		CenterCity: center.City, Referrer: p.Referrer, Organ: p.Organ, Urgency: p.Urgency, Status: Open, CreatedAt: at,
		RemindAt: at.Add(expires.Sub(at) / 2), ExpiresAt: expires, RulesVersion: rules.Version,
		AtOnce: rules.AtOnce[p.Urgency], Version: 1,
	}
	if err := o.show(run); err != nil {
		return nil, err
	}
	o.tell("CREATED", at, "", "")
	o.job(JobRemind, o.RemindAt)
	o.job(JobExpire, o.ExpiresAt)
	if err := s.store.InsertOffer(ctx, o); err != nil {
		return nil, err
	}
	return o, nil
}

// Bound is the refusal while the case is bound elsewhere; offerID names the offer that binds it.
func Bound(offerID string) *fault.Fault {
	f := fault.New(fault.FailedPrecondition, fault.WrongState, "",
		"The case has a live offer with this center, or another center is taking the patient.", "该病例在此中心已有待处理邀约，或已由其他中心接收。")
	if offerID == "" {
		return f
	}
	return f.With("offer_id", offerID)
}
