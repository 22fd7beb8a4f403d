// Package peers asks and tells the line's other services over gRPC.
//
// Invariant: a call is made as this service itself, never as the person behind the present call: the calls here are open
// to services only, and what this service may learn does not depend on who asked it. VisibleCase alone is asked as whoever
// calls: who may see a case is the case's to say.
package peers

import (
	"context"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/rpcclient"
	"huhang.example/services/transfer"
)

const (
	everywhere = "000000"
	// askWithin leaves a caller with an ordinary deadline time for the rest.
	askWithin = 3 * time.Second
)

// Peers implements transfer.Peers.
type Peers struct{ pool *rpcclient.Pool }

var _ transfer.Peers = (*Peers)(nil)

// New returns peers over a pool of connections.
func New(pool *rpcclient.Pool) *Peers { return &Peers{pool: pool} }

func asService(ctx context.Context) context.Context {
	return access.With(ctx, access.Caller{Service: "transfer", Roles: []access.Role{access.Service}})
}

// Patient tells who registered the patient, and whether a transfer is consented to.
func (p *Peers) Patient(ctx context.Context, patientID string) (transfer.Patient, error) {
	conn, err := p.pool.Conn("patient", everywhere)
	if err != nil {
		return transfer.Patient{}, err
	}
	ctx, cancel := context.WithTimeout(asService(ctx), askWithin)
	defer cancel()
	profile, err := patientv1.NewPatientServiceClient(conn).GetMatchingProfile(ctx, &patientv1.GetMatchingProfileRequest{
		PatientId: patientID,
		Organ:     organv1.Organ_ORGAN_KIDNEY, // must be given; neither the consents nor who registered depend on it
	})
	if err != nil {
		return transfer.Patient{}, err
	}
	return transfer.Patient{
		RegisteredBy:      profile.GetRegisteredBy(),
		ConsentToTransfer: slices.Contains(profile.GetConsents(), patientv1.Purpose_PURPOSE_TRANSFER),
	}, nil
}

// Case tells of the case that a transfer is for.
func (p *Peers) Case(ctx context.Context, referralID string) (transfer.Case, error) {
	conn, err := p.pool.Conn("referral", everywhere)
	if err != nil {
		return transfer.Case{}, err
	}
	return caseOf(asService(ctx), conn, referralID)
}

// VisibleCase is Case as whoever calls may see it.
func (p *Peers) VisibleCase(ctx context.Context, referralID string) (transfer.Case, error) {
	conn, err := p.pool.Conn("referral", everywhere)
	if err != nil {
		return transfer.Case{}, err
	}
	return caseOf(ctx, conn, referralID)
}

func caseOf(ctx context.Context, conn grpc.ClientConnInterface, referralID string) (transfer.Case, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	answer, err := referralv1.NewReferralServiceClient(conn).GetReferral(ctx, &referralv1.GetReferralRequest{ReferralId: referralID})
	if err != nil {
		return transfer.Case{}, err
	}
	c := answer.GetReferral()
	return transfer.Case{
		PatientID: c.GetPatientId(), Center: c.GetCenterId(), LocalHospital: c.GetLocalHospital(),
		State: strings.TrimPrefix(c.GetState().String(), "STATE_"), Closed: c.GetState() == referralv1.State_STATE_CLOSED,
	}, nil
}

// RecordCaseEvent tells the case.
func (p *Peers) RecordCaseEvent(ctx context.Context, e transfer.CaseEvent) error {
	conn, err := p.pool.Conn("referral", everywhere)
	if err != nil {
		return err
	}
	_, err = referralv1.NewCaseEventServiceClient(conn).RecordCaseEvent(asService(ctx), request(e))
	return err
}

func request(e transfer.CaseEvent) *referralv1.RecordCaseEventRequest {
	req := &referralv1.RecordCaseEventRequest{
		RequestId: e.RequestID, ReferralId: e.ReferralID, OccurTime: timestamppb.New(e.At),
		ActorOrganisation: e.Organisation, ActorSubject: e.Subject,
	}
	if e.HoldID != "" {
		req.Event = &referralv1.RecordCaseEventRequest_Hold{Hold: &referralv1.HoldEvent{HoldId: e.HoldID, Kind: e.Kind, Organisation: e.Told, ReasonCode: e.ReasonCode}}
		return req
	}
	event := &referralv1.TransferEvent{TransferId: e.TransferID, Kind: e.Kind, ReasonCode: e.ReasonCode, DivertedTo: e.Told}
	if !e.ArriveTime.IsZero() {
		event.ArriveTime = timestamppb.New(e.ArriveTime)
	}
	if !e.DepartTime.IsZero() {
		event.DepartTime = timestamppb.New(e.DepartTime)
	}
	req.Event = &referralv1.RecordCaseEventRequest_Transfer{Transfer: event}
	return req
}
