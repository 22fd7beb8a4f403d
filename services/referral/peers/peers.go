// Package peers asks the line's other services over gRPC.
//
// Invariant: a call is made as this service, on behalf of nobody, except where the person's own right to see is the
// question.
package peers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/referral"
)

// Dialer finds the connection to a service; rpcclient.Pool is one.
type Dialer interface {
	Conn(service, province string) (grpc.ClientConnInterface, error)
}

// Peers is a referral.Peers over gRPC.
type Peers struct{ dialer Dialer }

var _ referral.Peers = (*Peers)(nil)

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

func (p *Peers) patient() (patientv1.PatientServiceClient, error) {
	return client(p, "patient", anyProvince, patientv1.NewPatientServiceClient)
}

func (p *Peers) matching() (matchingv1.MatchingServiceClient, error) {
	return client(p, "matching", anyProvince, matchingv1.NewMatchingServiceClient)
}

func (p *Peers) transfer() (transferv1.TransferServiceClient, error) {
	return client(p, "transfer", anyProvince, transferv1.NewTransferServiceClient)
}

func asService(ctx context.Context) context.Context {
	return access.With(ctx, access.Caller{Service: "referral", Roles: []access.Role{access.Service}})
}

func organ(o string) organv1.Organ { return organv1.Organ(organv1.Organ_value["ORGAN_"+o]) }

// Registered asks as the caller: a patient the caller may not see is NOT_FOUND.
func (p *Peers) Registered(ctx context.Context, patientID string) (referral.Registered, error) {
	c, err := p.patient()
	if err != nil {
		return referral.Registered{}, err
	}
	got, err := c.GetPatient(ctx, &patientv1.GetPatientRequest{PatientId: patientID})
	if err != nil {
		return referral.Registered{}, err
	}
	of := got.GetPatient()
	return referral.Registered{PatientID: of.GetPatientId(), Others: of.GetMergedIds(), Organisation: of.GetRegisteredBy()}, nil
}

// FindPatients asks on behalf of an organisation.
func (p *Peers) FindPatients(ctx context.Context, text, organisation string) ([]referral.FoundPatient, error) {
	c, err := p.patient()
	if err != nil {
		return nil, err
	}
	got, err := c.FindPatients(asService(ctx), &patientv1.FindPatientsRequest{Text: text, Organisation: organisation})
	if err != nil {
		return nil, err
	}
	var found []referral.FoundPatient
	for _, f := range got.GetPatients() {
		found = append(found, referral.FoundPatient{PatientID: f.GetPatientId(), Others: f.GetMergedIds(), NameMasked: f.GetNameMasked()})
	}
	return found, nil
}

// Profile reads what a submission and a filing need.
func (p *Peers) Profile(ctx context.Context, patientID, o string) (referral.Profile, error) {
	c, err := p.patient()
	if err != nil {
		return referral.Profile{}, err
	}
	got, err := c.GetMatchingProfile(asService(ctx), &patientv1.GetMatchingProfileRequest{PatientId: patientID, Organ: organ(o)})
	if err != nil {
		return referral.Profile{}, err
	}
	return referral.Profile{
		InsuredProvince:   got.GetCoverage().GetProvince(),
		ConsentReferral:   slices.Contains(got.GetConsents(), patientv1.Purpose_PURPOSE_REFERRAL),
		ConsentSettlement: slices.Contains(got.GetConsents(), patientv1.Purpose_PURPOSE_SETTLEMENT),
		ClinicalRecorded:  got.GetRecord() != nil,
	}, nil
}

// GrantAccess opens a patient to an organisation.
func (p *Peers) GrantAccess(ctx context.Context, requestID, patientID, organisation, referralID string) error {
	c, err := p.patient()
	if err != nil {
		return err
	}
	_, err = c.GrantAccess(asService(ctx), &patientv1.GrantAccessRequest{
		RequestId: requestID, PatientId: patientID, Organisation: organisation, ReferralId: referralID,
	})
	return err
}

// RevokeAccess ends an organisation's access because of a case.
func (p *Peers) RevokeAccess(ctx context.Context, requestID, patientID, organisation, referralID, reason string, until time.Time) error {
	c, err := p.patient()
	if err != nil {
		return err
	}
	_, err = c.RevokeAccess(asService(ctx), &patientv1.RevokeAccessRequest{
		RequestId: requestID, PatientId: patientID, Organisation: organisation, ReferralId: referralID, Reason: reason,
		GrantedUntil: timestamppb.New(until),
	})
	return err
}

// RunMatch ranks.
func (p *Peers) RunMatch(ctx context.Context, requestID string, ask referral.MatchAsk) (referral.MatchRun, error) {
	c, err := p.matching()
	if err != nil {
		return referral.MatchRun{}, err
	}
	got, err := c.RunMatch(asService(ctx), &matchingv1.RunMatchRequest{
		RequestId: requestID, ReferralId: ask.ReferralID, PatientId: ask.PatientID, Organ: organ(ask.Organ),
		ReferringOrganisation: ask.Referrer, PreferredCenters: ask.Preferred, RefusedCenters: ask.Refused,
	})
	return run(got.GetMatchRun()), err
}

// MatchRun reads a ranking.
func (p *Peers) MatchRun(ctx context.Context, matchRunID string) (referral.MatchRun, error) {
	c, err := p.matching()
	if err != nil {
		return referral.MatchRun{}, err
	}
	got, err := c.GetMatchRun(asService(ctx), &matchingv1.GetMatchRunRequest{MatchRunId: matchRunID})
	return run(got.GetMatchRun()), err
}

func run(m *matchingv1.MatchRun) referral.MatchRun {
	r := referral.MatchRun{ID: m.GetMatchRunId()}
	for _, center := range m.GetRanked() {
		r.Ranked = append(r.Ranked, center.GetCenterId())
	}
	count := map[string]int{}
	for _, center := range m.GetExcluded() {
		for _, reason := range center.GetReasons() {
			count[reason.GetCode()]++
		}
	}
	for _, code := range slices.Sorted(maps.Keys(count)) {
		r.Reasons = append(r.Reasons, fmt.Sprintf("%s %d", code, count[code]))
	}
	return r
}

// CreateOffer asks a center.
func (p *Peers) CreateOffer(ctx context.Context, requestID string, ask referral.OfferAsk) (referral.Offer, error) {
	c, err := p.matching()
	if err != nil {
		return referral.Offer{}, err
	}
	got, err := c.CreateOffer(asService(ctx), &matchingv1.CreateOfferRequest{
		RequestId: requestID, ReferralId: ask.ReferralID, PatientId: ask.PatientID, MatchRunId: ask.MatchRunID, CenterId: ask.Center,
		ReferringOrganisation: ask.Referrer, Organ: organ(ask.Organ),
		Urgency: organv1.Urgency(organv1.Urgency_value["URGENCY_"+ask.Urgency]),
	})
	if err != nil {
		return referral.Offer{}, err
	}
	o := got.GetOffer()
	return referral.Offer{ID: o.GetOfferId(), Created: o.GetCreateTime().AsTime(), Expire: o.GetExpireTime().AsTime(), AtOnce: int(o.GetAtOnce())}, nil
}

// WithdrawOffer takes an offer back.
func (p *Peers) WithdrawOffer(ctx context.Context, requestID, offerID, reason string) error {
	c, err := p.matching()
	if err != nil {
		return err
	}
	_, err = c.WithdrawOffer(asService(ctx), &matchingv1.WithdrawOfferRequest{RequestId: requestID, OfferId: offerID, Reason: reason})
	return err
}

// ConfirmHold books what was held.
func (p *Peers) ConfirmHold(ctx context.Context, requestID, holdID string) error {
	c, err := p.transfer()
	if err != nil {
		return err
	}
	_, err = c.ConfirmHold(asService(ctx), &transferv1.ConfirmHoldRequest{RequestId: requestID, HoldId: holdID})
	return err
}

// MoveAdmission moves every unit of a hold by as much as brings its bed to the time given. One that stands there already is
// left alone: the same call again.
func (p *Peers) MoveAdmission(ctx context.Context, requestID, holdID string, to time.Time) error {
	conn, err := p.dialer.Conn("transfer", anyProvince)
	if err != nil {
		return err
	}
	got, err := transferv1.NewTransferServiceClient(conn).GetHold(asService(ctx), &transferv1.GetHoldRequest{HoldId: holdID})
	if err != nil {
		return err
	}
	h := got.GetHold()
	var by time.Duration
	for _, r := range h.GetReservations() {
		if r.GetKind() == transferv1.ResourceKind_RESOURCE_KIND_BED {
			by = to.Sub(r.GetStartTime().AsTime())
		}
	}
	if by == 0 {
		return nil
	}
	req := &transferv1.MoveHoldRequest{RequestId: requestID, HoldId: holdID, Etag: h.GetEtag()}
	for _, r := range h.GetReservations() {
		req.Needs = append(req.Needs, &transferv1.Need{
			Organisation: r.GetOrganisation(), Kind: r.GetKind(),
			StartTime: timestamppb.New(r.GetStartTime().AsTime().Add(by)), EndTime: timestamppb.New(r.GetEndTime().AsTime().Add(by)),
		})
	}
	_, err = transferv1.NewPoolServiceClient(conn).MoveHold(asService(ctx), req)
	return err
}

// ReleaseHold frees what was held or booked.
func (p *Peers) ReleaseHold(ctx context.Context, requestID, holdID, reason string) error {
	c, err := p.transfer()
	if err != nil {
		return err
	}
	_, err = c.ReleaseHold(asService(ctx), &transferv1.ReleaseHoldRequest{RequestId: requestID, HoldId: holdID, Reason: reason})
	return err
}

// AbortTransfer ends a transfer in the version it finds it in. An etag overtaken in between is STALE_VERSION, and the
// job comes again.
func (p *Peers) AbortTransfer(ctx context.Context, requestID, transferID string) error {
	c, err := p.transfer()
	if err != nil {
		return err
	}
	got, err := c.GetTransfer(asService(ctx), &transferv1.GetTransferRequest{TransferId: transferID})
	if err != nil {
		return err
	}
	switch got.GetTransfer().GetStatus() {
	case transferv1.TransferStatus_TRANSFER_STATUS_ABORTED, transferv1.TransferStatus_TRANSFER_STATUS_ARRIVED:
		return nil
	}
	_, err = c.AbortTransfer(asService(ctx), &transferv1.AbortTransferRequest{
		RequestId: requestID, TransferId: transferID, Etag: got.GetTransfer().GetEtag(), Code: "CANCELLED",
	})
	return err
}

// CreateFiling files at the insured province.
func (p *Peers) CreateFiling(ctx context.Context, requestID string, ask referral.FilingAsk) (string, error) {
	c, err := client(p, "settlement", ask.Province, settlementv1.NewSettlementServiceClient)
	if err != nil {
		return "", err
	}
	got, err := c.CreateFiling(asService(ctx), &settlementv1.CreateFilingRequest{
		RequestId: requestID, PatientId: ask.PatientID, ReferralId: ask.ReferralID, Province: ask.Province,
		Type: settlementv1.FilingType_FILING_TYPE_REFERRAL, TreatmentCity: ask.City, OnBehalfOf: ask.OnBehalfOf,
	})
	return got.GetFiling().GetFilingId(), err
}
