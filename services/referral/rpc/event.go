package rpc

import (
	"context"
	"strings"

	moneyv1 "huhang.example/gen/huhang/money/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/money"
	"huhang.example/services/referral"
)

// The proto's kinds of events as moves of the table.
var (
	offerMoves = map[string]referral.Move{
		"CREATED": referral.OfferCreated, "REMINDED": referral.OfferReminded, "ACCEPTED": referral.OfferAccepted,
		"CONDITION_FULFILLED": referral.ConditionFulfilled, "CONDITION_LAPSED": referral.ConditionLapsed,
		"DECLINED": referral.OfferDeclined, "EXPIRED": referral.OfferExpired, "WITHDRAWN": referral.OfferWithdrawn,
	}
	transferMoves = map[string]referral.Move{
		"PLANNED": referral.TransferPlan, "DEPARTED": referral.TransferDeparted,
		"ARRIVED": referral.TransferArrived, "ABORTED": referral.TransferAborted,
		"DELAYED": "TRANSFER_DELAYED", "REPLANNED": "TRANSFER_REPLANNED", "ATTENTION": "TRANSFER_ATTENTION", "AT_DOOR": "TRANSFER_AT_DOOR", "SIGNED": "TRANSFER_SIGNED",
		"BACK_PLANNED": "BACK_TRANSFER_PLANNED", "BACK_DEPARTED": "BACK_TRANSFER_DEPARTED",
		"BACK_ARRIVED": "BACK_TRANSFER_ARRIVED", "BACK_ABORTED": "BACK_TRANSFER_ABORTED",
	}
	claimMoves = map[string]referral.Move{
		"OPENED": referral.ClaimOpened, "DISCHARGED": referral.ClaimDischarged, "SETTLED": referral.ClaimSettled,
		"REVERSED": referral.ClaimReversed, "MANUAL": referral.ClaimManual, "UNANSWERED": referral.ClaimUnanswered,
		"REOPENED": referral.ClaimReopened, "CANCELLED": referral.ClaimCancelled, "MANUAL_ACCEPTED": referral.ClaimAccepted,
	}
	holdMoves = map[string]referral.Move{"EXPIRED": referral.HoldExpired, "RELEASED": referral.HoldReleased, "OVERRIDDEN": "HOLD_OVERRIDDEN"}
)

// RecordCaseEvent tells a case what another service did.
func (s *Server) RecordCaseEvent(ctx context.Context, req *referralv1.RecordCaseEventRequest) (*referralv1.RecordCaseEventResponse, error) {
	h, err := happening(req)
	if err != nil {
		return nil, err
	}
	defer s.service.Committed()
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*referralv1.RecordCaseEventResponse, error) {
		state, ignored, err := s.service.RecordCaseEvent(ctx, req.GetReferralId(), h)
		if err != nil {
			return nil, err
		}
		return &referralv1.RecordCaseEventResponse{State: stateOut(state), Ignored: ignored}, nil
	}, idempotency.Resource(req.GetReferralId()))
}

// AssignCenter has a waiting case ask the center of a confirmed proposal.
func (s *Server) AssignCenter(ctx context.Context, req *referralv1.AssignCenterRequest) (*referralv1.AssignCenterResponse, error) {
	defer s.service.Committed()
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*referralv1.AssignCenterResponse, error) {
		r, err := s.service.AssignCenter(ctx, req.GetReferralId(), referral.Assignment{
			ID: req.GetAssignmentId(), MatchRunID: req.GetMatchRunId(), Center: req.GetCenterId(),
			Organisation: req.GetActorOrganisation(), Subject: req.GetActorSubject(),
		})
		if err != nil {
			return nil, err
		}
		return &referralv1.AssignCenterResponse{State: stateOut(r.State)}, nil
	}, idempotency.Resource(req.GetReferralId()))
}

// ListWaitingCases lists the cases that nobody is being asked for.
func (s *Server) ListWaitingCases(ctx context.Context, req *referralv1.ListWaitingCasesRequest) (*referralv1.ListWaitingCasesResponse, error) {
	organ := ""
	if req.GetOrgan() != 0 {
		organ = strings.TrimPrefix(req.GetOrgan().String(), "ORGAN_")
	}
	list, next, err := s.service.WaitingCases(ctx, organ, req.GetPageToken(), req.GetPageSize())
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListWaitingCasesResponse{NextPageToken: next}
	for _, r := range list {
		out.Cases = append(out.Cases, &referralv1.WaitingCase{
			ReferralId: r.ID, MatchRunId: r.MatchRunID, Urgency: organv1.Urgency(organv1.Urgency_value["URGENCY_"+r.Urgency]), CreateTime: stamp(r.CreateTime),
		})
	}
	return out, nil
}

func happening(req *referralv1.RecordCaseEventRequest) (referral.Happening, error) {
	h := referral.Happening{
		Occurred: instant(req.GetOccurTime()), Organisation: req.GetActorOrganisation(), Subject: req.GetActorSubject(),
	}
	switch e := req.GetEvent().(type) {
	case *referralv1.RecordCaseEventRequest_Offer:
		o := e.Offer
		h.Move, h.Record, h.Reason = offerMoves[o.GetKind()], o.GetOfferId(), o.GetReasonCode()
		h.Center, h.City, h.Hold = o.GetCenterId(), o.GetCenterCity(), o.GetHoldId()
		h.Admission, h.Expire = instant(o.GetAdmissionTime()), instant(o.GetExpireTime())
		h.AtOnce = int(o.GetAtOnce())
		h.Condition, h.OpenConditions, h.ConditionsDue = int(o.GetCondition()), int(o.GetOpenConditions()), instant(o.GetConditionsDueTime())
	case *referralv1.RecordCaseEventRequest_Transfer:
		h.Move, h.Record, h.Reason = transferMoves[e.Transfer.GetKind()], e.Transfer.GetTransferId(), e.Transfer.GetReasonCode()
		h.Depart, h.Arrive, h.Told = instant(e.Transfer.GetDepartTime()), instant(e.Transfer.GetArriveTime()), e.Transfer.GetDivertedTo()
	case *referralv1.RecordCaseEventRequest_Claim:
		h.Move, h.Record, h.Reason = claimMoves[e.Claim.GetKind()], e.Claim.GetClaimId(), e.Claim.GetReasonCode()
		h.SelfPay, h.Total = fenIn(e.Claim.GetSelfPay()), fenIn(e.Claim.GetTotal())
		h.Stay = referral.Stay{Admitted: e.Claim.GetAdmissionDate(), Discharged: e.Claim.GetDischargeDate(), CenterID: e.Claim.GetCenterId()}
		h.Bill, h.Version = billFrom(e.Claim), e.Claim.GetVersion()
	case *referralv1.RecordCaseEventRequest_Patient:
		h.Move, h.Reason = referral.FactsChanged, e.Patient.GetKind()
		h.Version, h.Data = e.Patient.GetVersion(), e.Patient.GetData()
	case *referralv1.RecordCaseEventRequest_Hold:
		h.Move, h.Record, h.Reason, h.Told = holdMoves[e.Hold.GetKind()], e.Hold.GetHoldId(), e.Hold.GetReasonCode(), e.Hold.GetOrganisation()
	}
	if h.Move == "" {
		return h, fault.New(fault.InvalidArgument, fault.FieldInvalid, "event", "There is no such event.", "没有此类事件。")
	}
	return h, nil
}

func fenIn(m *moneyv1.Money) *money.Fen {
	if m == nil {
		return nil
	}
	fen := money.Fen(m.GetFen())
	return &fen
}

// billFrom reads what a settled claim came to; a claim in another state has no bill yet.
func billFrom(c *referralv1.ClaimEvent) *referral.Bill {
	if c.GetKind() != "SETTLED" {
		return nil
	}
	b := &referral.Bill{Total: money.Fen(c.GetTotal().GetFen()), SelfPay: money.Fen(c.GetSelfPay().GetFen())}
	for _, s := range c.GetShares() {
		b.Shares = append(b.Shares, referral.BillShare{Payer: s.GetPayer(), Amount: money.Fen(s.GetAmount().GetFen())})
	}
	return b
}
