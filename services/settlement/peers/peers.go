// Package peers asks the other services of the line, and the settlement service of the insured province.
//
// Invariant: peers are asked as this service, whoever it works for: what is asked here is the line's own business and no
// caller's right. Every call has a deadline.
package peers

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/rpc"
)

const (
	all = "000000"
	// within bounds one call; a settlement's answer is promised within 30 s.
	within = 6 * time.Second
)

// Connections reach services by name and province; rpcclient.Pool does.
type Connections interface {
	Conn(service, province string) (grpc.ClientConnInterface, error)
}

// Peers is settlement.Peers over gRPC.
type Peers struct{ to Connections }

var _ settlement.Peers = (*Peers)(nil)

// New returns peers over the connections.
func New(to Connections) *Peers { return &Peers{to: to} }

// as makes the call this service's own, and bounds it.
func (p *Peers) as(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = access.With(ctx, access.Caller{Service: "settlement", Roles: []access.Role{access.Service}})
	return context.WithTimeout(ctx, within)
}

// ask calls one peer.
func ask[Req, Resp any](ctx context.Context, p *Peers, service, province string,
	call func(grpc.ClientConnInterface) func(context.Context, *Req, ...grpc.CallOption) (*Resp, error), request *Req,
) (*Resp, error) {
	connection, err := p.to.Conn(service, province)
	if err != nil {
		return nil, err
	}
	ctx, cancel := p.as(ctx)
	defer cancel()
	answer, err := call(connection)(ctx, request)
	return answer, fault.FromStatus(err)
}

// Profile tells of a patient.
func (p *Peers) Profile(ctx context.Context, patientID string) (settlement.Profile, error) {
	got, err := ask(ctx, p, "patient", all, func(c grpc.ClientConnInterface) func(context.Context, *patientv1.GetMatchingProfileRequest, ...grpc.CallOption) (*patientv1.GetMatchingProfileResponse, error) {
		return patientv1.NewPatientServiceClient(c).GetMatchingProfile
	}, &patientv1.GetMatchingProfileRequest{
		// The organ only chooses the clinical record, which is not looked at here.
		PatientId: patientID, Organ: organv1.Organ_ORGAN_KIDNEY,
	})
	if err != nil {
		return settlement.Profile{}, err
	}
	out := settlement.Profile{Coverage: rpc.Coverage(got.GetCoverage()), RegisteredBy: got.GetRegisteredBy()}
	for _, purpose := range got.GetConsents() {
		out.ConsentSettlement = out.ConsentSettlement || purpose == patientv1.Purpose_PURPOSE_SETTLEMENT
	}
	return out, nil
}

// Case tells of a case.
func (p *Peers) Case(ctx context.Context, referralID string) (settlement.Case, error) {
	got, err := ask(ctx, p, "referral", all, func(c grpc.ClientConnInterface) func(context.Context, *referralv1.GetReferralRequest, ...grpc.CallOption) (*referralv1.GetReferralResponse, error) {
		return referralv1.NewReferralServiceClient(c).GetReferral
	}, &referralv1.GetReferralRequest{ReferralId: referralID})
	if err != nil {
		return settlement.Case{}, err
	}
	r := got.GetReferral()
	return settlement.Case{PatientID: r.GetPatientId(), Referrer: r.GetReferringOrganisation(), CenterID: r.GetCenterId()}, nil
}

// Tell records a claim's event at its case.
func (p *Peers) Tell(ctx context.Context, e settlement.Event) error {
	event := &referralv1.ClaimEvent{
		ClaimId: e.ClaimID, Version: e.Number, Kind: e.Kind, Total: rpc.Yuan(e.Total), ReasonCode: e.Reason,
		AdmissionDate: e.Admitted, DischargeDate: e.Discharged, CenterId: e.CenterID,
	}
	if e.SelfPay != nil {
		event.SelfPay = rpc.Yuan(*e.SelfPay)
	}
	for _, share := range e.Shares {
		event.Shares = append(event.Shares, &referralv1.ClaimShare{Payer: string(share.Payer), Amount: rpc.Yuan(share.Amount)})
	}
	_, err := ask(ctx, p, "referral", all, func(c grpc.ClientConnInterface) func(context.Context, *referralv1.RecordCaseEventRequest, ...grpc.CallOption) (*referralv1.RecordCaseEventResponse, error) {
		return referralv1.NewCaseEventServiceClient(c).RecordCaseEvent
	}, &referralv1.RecordCaseEventRequest{
		RequestId: e.Key, ReferralId: e.ReferralID, OccurTime: timestamppb.New(e.At), ActorOrganisation: e.Actor.Organisation,
		ActorSubject: e.Actor.Subject, Event: &referralv1.RecordCaseEventRequest_Claim{Claim: event},
	})
	return err
}

// QuoteSplit asks the insured province for a split.
func (p *Peers) QuoteSplit(ctx context.Context, in settlement.SplitInput) (settlement.Answer, error) {
	got, err := ask(ctx, p, "settlement", in.InsuredProvince, func(c grpc.ClientConnInterface) func(context.Context, *settlementv1.QuoteSplitRequest, ...grpc.CallOption) (*settlementv1.QuoteSplitResponse, error) {
		return settlementv1.NewInsuredPlaceServiceClient(c).QuoteSplit
	}, &settlementv1.QuoteSplitRequest{Input: rpc.InputTo(in)})
	if err != nil {
		return settlement.Answer{}, err
	}
	return rpc.SplitFrom("", got.GetSplit()), nil
}

// CommitSplit asks the insured province to commit a split.
func (p *Peers) CommitSplit(ctx context.Context, messageID string, in settlement.SplitInput) (settlement.Answer, error) {
	got, err := ask(ctx, p, "settlement", in.InsuredProvince, func(c grpc.ClientConnInterface) func(context.Context, *settlementv1.CommitSplitRequest, ...grpc.CallOption) (*settlementv1.CommitSplitResponse, error) {
		return settlementv1.NewInsuredPlaceServiceClient(c).CommitSplit
	}, &settlementv1.CommitSplitRequest{MessageId: messageID, Input: rpc.InputTo(in)})
	if err != nil {
		return settlement.Answer{}, err
	}
	return rpc.SplitFrom(got.GetSettlementId(), got.GetSplit()), nil
}

// ResolveMessage asks the insured province what became of a message.
func (p *Peers) ResolveMessage(ctx context.Context, messageID, province string) (settlement.Resolution, error) {
	got, err := ask(ctx, p, "settlement", province, func(c grpc.ClientConnInterface) func(context.Context, *settlementv1.ResolveMessageRequest, ...grpc.CallOption) (*settlementv1.ResolveMessageResponse, error) {
		return settlementv1.NewInsuredPlaceServiceClient(c).ResolveMessage
	}, &settlementv1.ResolveMessageRequest{MessageId: messageID, Province: province})
	if err != nil {
		return settlement.Resolution{}, err
	}
	return settlement.Resolution{
		Committed: got.GetCommitted(), Reversed: got.GetReversed(), Answer: rpc.SplitFrom(got.GetSettlementId(), got.GetSplit()),
	}, nil
}

// ReverseSplit asks the insured province to undo a committed split.
func (p *Peers) ReverseSplit(ctx context.Context, messageID, originalID, province, reason, businessDay string) error {
	_, err := ask(ctx, p, "settlement", province, func(c grpc.ClientConnInterface) func(context.Context, *settlementv1.ReverseSplitRequest, ...grpc.CallOption) (*settlementv1.ReverseSplitResponse, error) {
		return settlementv1.NewInsuredPlaceServiceClient(c).ReverseSplit
	}, &settlementv1.ReverseSplitRequest{MessageId: messageID, OriginalMessageId: originalID, Province: province, Reason: reason, BusinessDay: businessDay})
	return err
}

// ManualAccepted tells the treatment province, once a claim.
func (p *Peers) ManualAccepted(ctx context.Context, province string, m settlement.ManualClaim) error {
	_, err := ask(ctx, p, "settlement", province, func(c grpc.ClientConnInterface) func(context.Context, *settlementv1.RecordManualAcceptanceRequest, ...grpc.CallOption) (*settlementv1.RecordManualAcceptanceResponse, error) {
		return settlementv1.NewTreatmentPlaceServiceClient(c).RecordManualAcceptance
	}, &settlementv1.RecordManualAcceptanceRequest{
		RequestId: "manual-" + m.ClaimID, ClaimId: m.ClaimID, InsuredProvince: m.Province, PatientId: m.PatientID, Total: rpc.Yuan(m.Total),
		AcceptTime: timestamppb.New(m.Time), Organisation: m.By.Organisation, Subject: m.By.Subject,
	})
	return err
}
