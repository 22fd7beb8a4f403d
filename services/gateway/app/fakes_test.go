package app_test

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
)

const (
	patientID  = "pat_01jd0000000000000000000000"
	referralID = "ref_01jd0000000000000000000000"
)

// seen is what a service knew of a call.
type seen struct {
	caller   access.Caller
	metadata metadata.MD
	referral string
	request  any
}

func look(ctx context.Context, request any) seen {
	md, _ := metadata.FromIncomingContext(ctx)
	return seen{caller: access.From(ctx), metadata: md, referral: telemetry.Referral(ctx), request: request}
}

type patients struct {
	patientv1.UnimplementedPatientServiceServer
	calls record[seen]
	get   func(context.Context, *patientv1.GetPatientRequest) (*patientv1.GetPatientResponse, error)
}

func (p *patients) GetPatient(ctx context.Context, r *patientv1.GetPatientRequest) (*patientv1.GetPatientResponse, error) {
	p.calls.add(look(ctx, r))
	if p.get != nil {
		return p.get(ctx, r)
	}
	return &patientv1.GetPatientResponse{Patient: &patientv1.Patient{PatientId: r.GetPatientId()}}, nil
}

func (r *rig) patients() *patients {
	p := &patients{}
	r.serve("patient", func(to grpc.ServiceRegistrar) { patientv1.RegisterPatientServiceServer(to, p) })
	return p
}

type referrals struct {
	referralv1.UnimplementedReferralServiceServer
	calls  record[seen]
	follow func(*referralv1.FollowEventsRequest, grpc.ServerStreamingServer[referralv1.FollowEventsResponse]) error
}

func (s *referrals) GetReferral(ctx context.Context, r *referralv1.GetReferralRequest) (*referralv1.GetReferralResponse, error) {
	s.calls.add(look(ctx, r))
	return &referralv1.GetReferralResponse{}, nil
}

func (s *referrals) SubmitReferral(ctx context.Context, r *referralv1.SubmitReferralRequest) (*referralv1.SubmitReferralResponse, error) {
	s.calls.add(look(ctx, r))
	return nil, fault.Stale("7")
}

func (s *referrals) FollowEvents(r *referralv1.FollowEventsRequest, stream grpc.ServerStreamingServer[referralv1.FollowEventsResponse]) error {
	s.calls.add(look(stream.Context(), r))
	return s.follow(r, stream)
}

func (r *rig) referrals() *referrals {
	s := &referrals{}
	r.serve("referral", func(to grpc.ServiceRegistrar) { referralv1.RegisterReferralServiceServer(to, s) })
	return s
}

type settlements struct {
	settlementv1.UnimplementedSettlementServiceServer
	calls record[seen]
}

func (s *settlements) GetClaim(ctx context.Context, r *settlementv1.GetClaimRequest) (*settlementv1.GetClaimResponse, error) {
	s.calls.add(look(ctx, r))
	return &settlementv1.GetClaimResponse{}, nil
}

func (s *settlements) ListPolicies(ctx context.Context, r *settlementv1.ListPoliciesRequest) (*settlementv1.ListPoliciesResponse, error) {
	s.calls.add(look(ctx, r))
	return &settlementv1.ListPoliciesResponse{}, nil
}

func (s *settlements) CheckEntitlement(ctx context.Context, r *settlementv1.CheckEntitlementRequest) (*settlementv1.CheckEntitlementResponse, error) {
	s.calls.add(look(ctx, r))
	return &settlementv1.CheckEntitlementResponse{}, nil
}

func (r *rig) settlements(provinces ...string) *settlements {
	s := &settlements{}
	r.serve("settlement", func(to grpc.ServiceRegistrar) { settlementv1.RegisterSettlementServiceServer(to, s) }, provinces...)
	return s
}
