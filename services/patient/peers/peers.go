// Package peers asks the line's other services over gRPC.
package peers

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/patient"
)

// Dialer finds the connection to a service; rpcclient.Pool is one.
type Dialer interface {
	Conn(service, province string) (grpc.ClientConnInterface, error)
}

// Peers is a patient.Peers over gRPC.
type Peers struct{ dialer Dialer }

var _ patient.Peers = (*Peers)(nil)

// New returns peers reached through the dialer.
func New(dialer Dialer) *Peers { return &Peers{dialer} }

const (
	anyProvince = "000000"
	pageSize    = 200
)

// LiveCases reads the cases of a record that go on.
func (p *Peers) LiveCases(ctx context.Context, patientID string) ([]patient.LiveCase, error) {
	return p.cases(ctx, patientID, false)
}

// Cases reads all cases of a record.
func (p *Peers) Cases(ctx context.Context, patientID string) ([]patient.LiveCase, error) {
	return p.cases(ctx, patientID, true)
}

// cases reads as this service, on behalf of nobody.
func (p *Peers) cases(ctx context.Context, patientID string, closed bool) ([]patient.LiveCase, error) {
	conn, err := p.dialer.Conn("referral", anyProvince)
	if err != nil {
		return nil, err
	}
	ctx = access.With(ctx, access.Caller{Service: "patient", Roles: []access.Role{access.Service}})
	client := referralv1.NewReferralServiceClient(conn)
	var live []patient.LiveCase
	req := &referralv1.ListReferralsRequest{PatientId: patientID, PageSize: pageSize}
	for {
		got, err := client.ListReferrals(ctx, req)
		if err != nil {
			return nil, err
		}
		for _, r := range got.GetReferrals() {
			if closed || r.GetState() != referralv1.State_STATE_CLOSED {
				live = append(live, patient.LiveCase{
					ReferralID: r.GetReferralId(), PatientID: patientID, Organ: strings.TrimPrefix(r.GetOrgan().String(), "ORGAN_"),
					Closed: r.GetState() == referralv1.State_STATE_CLOSED,
					// A case that was closed with another one's death tells nothing of its own patient's.
					Death: r.GetCloseReason() == referralv1.CloseReason_CLOSE_REASON_DIED && r.GetDeathReferralId() == "",
				})
			}
		}
		if req.PageToken = got.GetNextPageToken(); req.PageToken == "" {
			return live, nil
		}
	}
}

// FactsChanged tells a case.
func (p *Peers) FactsChanged(ctx context.Context, requestID, referralID string, e patient.Edit) error {
	conn, err := p.dialer.Conn("referral", anyProvince)
	if err != nil {
		return err
	}
	ctx = access.With(ctx, access.Caller{Service: "patient", Roles: []access.Role{access.Service}})
	_, err = referralv1.NewCaseEventServiceClient(conn).RecordCaseEvent(ctx, &referralv1.RecordCaseEventRequest{
		RequestId: requestID, ReferralId: referralID, OccurTime: timestamppb.New(e.At), ActorOrganisation: e.Organisation, ActorSubject: e.Subject,
		Event: &referralv1.RecordCaseEventRequest_Patient{Patient: &referralv1.PatientEvent{Kind: e.Kind, Version: e.Version, Data: e.Data}},
	})
	return err
}
