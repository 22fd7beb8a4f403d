package main

import (
	"context"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	services "huhang.example/services/internal/fleet"
	settlement "huhang.example/services/settlement/app"
)

const (
	settlesFrom = "310000" // treatment
	settlesTo   = "340000" // insured
	settler     = "C-SH-01"
)

// settling is the settlement service in a process of its own: one instance for both provinces, which meet over gRPC with
// mutual TLS all the same, and stand-ins for the services it asks.
type settling struct {
	*child
	dsn    string
	client settlementv1.SettlementServiceClient
	script *script
}

// openSettlement is one instance for both provinces.
func openSettlement(ctx context.Context, a instanceArguments, d services.Deps) (services.Service, error) {
	return settlement.New(ctx, settlement.Config{
		Instance: "settlement-1", Listen: a.Listen, Database: a.DSN, Provinces: []string{settlesFrom, settlesTo}, Sample: true,
	}, d)
}

// standIn answers for the services that an instance asks: the patient of a case has the case's letters.
type standIn struct {
	patientv1.UnimplementedPatientServiceServer
	transferv1.UnimplementedTransferServiceServer
	settlementv1.UnimplementedSettlementServiceServer
	referralv1.UnimplementedReferralServiceServer
	referralv1.UnimplementedCaseEventServiceServer
}

func (standIn) GetMatchingProfile(context.Context, *patientv1.GetMatchingProfileRequest) (*patientv1.GetMatchingProfileResponse, error) {
	return &patientv1.GetMatchingProfileResponse{
		Coverage: &patientv1.Coverage{Province: settlesTo, PoolingArea: "340100", Scheme: patientv1.Scheme_SCHEME_RESIDENT},
		Consents: []patientv1.Purpose{patientv1.Purpose_PURPOSE_REFERRAL, patientv1.Purpose_PURPOSE_SETTLEMENT}, RegisteredBy: "H-HF-01",
		AgeYears: 47, ResidenceCity: "340100", Record: liverPatient(),
	}, nil
}

func (standIn) GetReferral(_ context.Context, r *referralv1.GetReferralRequest) (*referralv1.GetReferralResponse, error) {
	return &referralv1.GetReferralResponse{Referral: &referralv1.Referral{
		ReferralId: r.GetReferralId(), PatientId: "pat" + r.GetReferralId()[3:], ReferringOrganisation: "H-HF-01", CenterId: settler,
	}}, nil
}

func (standIn) RecordCaseEvent(context.Context, *referralv1.RecordCaseEventRequest) (*referralv1.RecordCaseEventResponse, error) {
	return &referralv1.RecordCaseEventResponse{}, nil
}

// settling starts one on its database, seen through address.
func (b *bed) settling(ctx context.Context, address string) (*settling, error) {
	c, connection, err := b.instance("settlement", settlesFrom, "gateway", address)
	if err != nil {
		return nil, err
	}
	s := &settling{child: c, client: settlementv1.NewSettlementServiceClient(connection)}
	return s, s.ready(ctx)
}
