// Package peers asks the line's other services over gRPC.
//
// Invariant: a call is made as this service, on behalf of nobody; what a peer does not answer is an error, never a made-up
// figure.
package peers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/money"
	"huhang.example/services/matching"
)

// Dialer finds the connection to a service; rpcclient.Pool is one.
type Dialer interface {
	Conn(service, province string) (grpc.ClientConnInterface, error)
}

// Peers is a matching.Peers over gRPC.
type Peers struct{ dialer Dialer }

var _ matching.Peers = (*Peers)(nil)

// New returns peers reached through the dialer.
func New(dialer Dialer) *Peers { return &Peers{dialer} }

const anyProvince = "000000"

func client[C any](p *Peers, service, province string, make func(grpc.ClientConnInterface) C) (C, error) {
	conn, err := p.dialer.Conn(service, province)
	if err != nil {
		var none C
		return none, err
	}
	return make(conn), nil
}

func (p *Peers) transfer() (transferv1.TransferServiceClient, error) {
	return client(p, "transfer", anyProvince, transferv1.NewTransferServiceClient)
}

func asService(ctx context.Context) context.Context {
	return access.With(ctx, access.Caller{Service: "matching", Roles: []access.Role{access.Service}})
}

func organ(o string) organv1.Organ { return organv1.Organ(organv1.Organ_value["ORGAN_"+o]) }

// Profile reads the patient.
func (p *Peers) Profile(ctx context.Context, patientID, o string) (*matching.Profile, error) {
	c, err := client(p, "patient", anyProvince, patientv1.NewPatientServiceClient)
	if err != nil {
		return nil, err
	}
	got, err := c.GetMatchingProfile(asService(ctx), &patientv1.GetMatchingProfileRequest{PatientId: patientID, Organ: organ(o)})
	if err != nil {
		return nil, err
	}
	return profileFrom(got, o), nil
}

// Travel asks for the ways to the cities.
func (p *Peers) Travel(ctx context.Context, from string, to []string, f matching.Fitness) (map[string]int32, error) {
	c, err := p.transfer()
	if err != nil {
		return nil, err
	}
	got, err := c.EstimateTravel(asService(ctx), &transferv1.EstimateTravelRequest{
		OriginCity: from, DestinationCities: to, Fitness: &transferv1.FitnessToTravel{
			Oxygen: f.Oxygen, Infusion: f.Infusion, Ventilated: f.Ventilated, Ecmo: f.ECMO, Vasoactive: f.Vasoactive,
			Stretcher: f.Stretcher, ReducedConsciousness: f.ReducedConsciousness,
		},
	})
	if err != nil {
		return nil, err
	}
	minutes := map[string]int32{}
	for _, e := range got.GetEstimates() {
		minutes[e.GetCity()] = -1
		if e.Minutes != nil {
			minutes[e.GetCity()] = max(e.GetMinutes(), 0)
		}
	}
	return minutes, nil
}

// FreeBeds counts the pool's free beds.
func (p *Peers) FreeBeds(ctx context.Context, centers []string, from, to time.Time) (map[string]int32, error) {
	c, err := p.transfer()
	if err != nil {
		return nil, err
	}
	got, err := c.CountFree(asService(ctx), &transferv1.CountFreeRequest{
		Organisations: centers, Kind: transferv1.ResourceKind_RESOURCE_KIND_BED, StartTime: timestamppb.New(from), EndTime: timestamppb.New(to),
	})
	if err != nil {
		return nil, err
	}
	if len(got.GetFree()) != len(centers) {
		return nil, fmt.Errorf("%d answers for %d centers", len(got.GetFree()), len(centers))
	}
	free := map[string]int32{}
	for i, n := range got.GetFree() {
		free[centers[i]] = max(n, 0)
	}
	return free, nil
}

// Bills asks the insured province for its estimates.
func (p *Peers) Bills(ctx context.Context, patientID, o string, coverage matching.Coverage, provinces []string) (map[string]matching.Bill, error) {
	c, err := client(p, "settlement", coverage.Province, settlementv1.NewSettlementServiceClient)
	if err != nil {
		return nil, err
	}
	got, err := c.EstimateBill(asService(ctx), &settlementv1.EstimateBillRequest{
		Province: coverage.Province, Coverage: coverageTo(coverage), TreatmentProvinces: provinces, Organ: organ(o), PatientId: patientID,
	})
	if err != nil {
		return nil, err
	}
	bills := map[string]matching.Bill{}
	for _, e := range got.GetEstimates() {
		bill := matching.Bill{Direct: e.GetDirectSettlement()}
		if e.GetSplit() != nil {
			pays := money.Fen(0)
			for _, share := range e.GetSplit().GetShares() {
				switch share.GetPayer() {
				case settlementv1.Payer_PAYER_CASH, settlementv1.Payer_PAYER_PERSONAL_ACCOUNT:
					if pays, err = pays.Add(money.Fen(share.GetAmount().GetFen())); err != nil {
						return nil, err
					}
				}
			}
			bill.SelfPay = &pays
		}
		bills[e.GetProvince()] = bill
	}
	return bills, nil
}

// Hold holds a bed and an operating room.
func (p *Peers) Hold(ctx context.Context, requestID string, ask matching.HoldAsk) (string, error) {
	c, err := p.transfer()
	if err != nil {
		return "", err
	}
	need := func(kind transferv1.ResourceKind, from, to time.Time) *transferv1.Need {
		return &transferv1.Need{Organisation: ask.CenterID, Kind: kind, StartTime: timestamppb.New(from), EndTime: timestamppb.New(to)}
	}
	got, err := c.HoldResources(asService(ctx), &transferv1.HoldResourcesRequest{
		RequestId: requestID, ReferralId: ask.ReferralID, Organisation: ask.CenterID, ExpireTime: timestamppb.New(ask.Expires),
		Needs: []*transferv1.Need{
			need(transferv1.ResourceKind_RESOURCE_KIND_BED, ask.BedFrom, ask.BedTo),
			need(transferv1.ResourceKind_RESOURCE_KIND_OPERATING_ROOM, ask.TheatreFrom, ask.Until),
		},
	})
	if err != nil {
		return "", err
	}
	if got.GetHold().GetHoldId() == "" {
		return "", fmt.Errorf("a hold without an id")
	}
	return got.GetHold().GetHoldId(), nil
}

// Release frees a hold.
func (p *Peers) Release(ctx context.Context, requestID, holdID, reason string) error {
	c, err := p.transfer()
	if err != nil {
		return err
	}
	_, err = c.ReleaseHold(asService(ctx), &transferv1.ReleaseHoldRequest{RequestId: requestID, HoldId: holdID, Reason: reason})
	return err
}

// Waiting asks for cases that nobody is asked for.
func (p *Peers) Waiting(ctx context.Context, o, token string, size int32) ([]matching.Waiting, string, error) {
	c, err := client(p, "referral", anyProvince, referralv1.NewCaseEventServiceClient)
	if err != nil {
		return nil, "", err
	}
	got, err := c.ListWaitingCases(asService(ctx), &referralv1.ListWaitingCasesRequest{Organ: organ(o), PageSize: size, PageToken: token})
	if err != nil {
		return nil, "", err
	}
	var out []matching.Waiting
	for _, w := range got.GetCases() {
		out = append(out, matching.Waiting{
			ReferralID: w.GetReferralId(), MatchRunID: w.GetMatchRunId(), Urgency: strings.TrimPrefix(w.GetUrgency().String(), "URGENCY_"), CreatedAt: w.GetCreateTime().AsTime(),
		})
	}
	return out, got.GetNextPageToken(), nil
}

// Assign has a case ask a center.
func (p *Peers) Assign(ctx context.Context, requestID string, ask matching.AssignAsk) error {
	c, err := client(p, "referral", anyProvince, referralv1.NewCaseEventServiceClient)
	if err != nil {
		return err
	}
	_, err = c.AssignCenter(asService(ctx), &referralv1.AssignCenterRequest{
		RequestId: requestID, ReferralId: ask.ReferralID, MatchRunId: ask.MatchRunID, CenterId: ask.CenterID, AssignmentId: ask.AssignmentID,
		ActorOrganisation: ask.By.Organisation, ActorSubject: ask.By.Subject,
	})
	return err
}

// Tell tells the case.
func (p *Peers) Tell(ctx context.Context, requestID string, e matching.Event) error {
	c, err := client(p, "referral", anyProvince, referralv1.NewCaseEventServiceClient)
	if err != nil {
		return err
	}
	offer := &referralv1.OfferEvent{
		OfferId: e.OfferID, CenterId: e.CenterID, CenterCity: e.CenterCity, Kind: e.Kind, ReasonCode: e.ReasonCode, HoldId: e.HoldID,
		ExpireTime: timestamppb.New(e.ExpiresAt), AtOnce: e.AtOnce,
	}
	offer.Condition, offer.OpenConditions = e.Condition, e.OpenConditions
	if !e.ConditionsDue.IsZero() {
		offer.ConditionsDueTime = timestamppb.New(e.ConditionsDue)
	}
	if !e.Admission.IsZero() {
		offer.AdmissionTime = timestamppb.New(e.Admission)
	}
	_, err = c.RecordCaseEvent(asService(ctx), &referralv1.RecordCaseEventRequest{
		RequestId: requestID, ReferralId: e.ReferralID, OccurTime: timestamppb.New(e.OccurredAt),
		ActorOrganisation: e.Organisation, ActorSubject: e.Subject, Event: &referralv1.RecordCaseEventRequest_Offer{Offer: offer},
	})
	return err
}
