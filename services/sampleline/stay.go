package sampleline

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	moneyv1 "huhang.example/gen/huhang/money/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/clock"
)

func (r *run) plan(ctx context.Context) error {
	r.begin()
	var got transferv1.CreateTransferResponse
	if err := r.referrer.Do(ctx, http.MethodPost, "/v1/transfers", &transferv1.CreateTransferRequest{
		RequestId: r.rid("transfer"), ReferralId: r.referral.GetReferralId(), PatientId: r.patient.GetPatientId(),
		FromOrganisation: "H-HF-01", ToOrganisation: r.referral.GetCenterId(), OriginCity: "340100", DestinationCity: "310100",
		NotBefore: timestamppb.New(r.Clock.Now().Add(time.Hour)), Fitness: &transferv1.FitnessToTravel{},
	}, &got); err != nil {
		return err
	}
	r.transfer = got.GetTransfer()
	r.result.TransferID = r.transfer.GetTransferId()
	if err := r.until(ctx, "the transfer is planned", func(c *referralv1.Referral) bool {
		return c.GetState() == referralv1.State_STATE_TRANSFER_PLANNED
	}); err != nil {
		return err
	}
	it := r.transfer.GetItinerary()
	r.done("itinerary booked: door to door %s, %d changes, escort %s", it.GetDoorToDoor().AsDuration(), it.GetChanges(), it.GetEscort())
	for _, l := range it.GetLegs() {
		r.note("%s-%s  %s %s  %s -> %s", shortTime(l.GetDepartTime()), shortTime(l.GetArriveTime()),
			l.GetMode(), l.GetServiceNumber(), l.GetFromName(), l.GetToName())
	}
	return nil
}

func (r *run) travel(ctx context.Context) error {
	r.begin()
	path := "/v1/transfers/" + r.transfer.GetTransferId()
	var fit transferv1.CheckFitnessResponse
	if err := r.referrer.Do(ctx, http.MethodPost, path+":checkFitness", &transferv1.CheckFitnessRequest{
		RequestId: r.rid("fitness"), TransferId: r.transfer.GetTransferId(), Etag: r.transfer.GetEtag(), Fitness: &transferv1.FitnessToTravel{},
	}, &fit); err != nil {
		return err
	}
	var left transferv1.DepartResponse
	if err := r.referrer.Do(ctx, http.MethodPost, path+":depart", &transferv1.DepartRequest{
		RequestId: r.rid("depart"), TransferId: r.transfer.GetTransferId(), Etag: fit.GetTransfer().GetEtag(),
	}, &left); err != nil {
		return err
	}
	items := make([]transferv1.HandOverItem, 0, 9)
	for i := transferv1.HandOverItem_HAND_OVER_ITEM_IDENTITY; i <= transferv1.HandOverItem_HAND_OVER_ITEM_BELONGINGS; i++ {
		items = append(items, i)
	}
	var signed transferv1.SignHandOverResponse
	if err := r.referrer.Do(ctx, http.MethodPost, path+":signHandOver", &transferv1.SignHandOverRequest{
		RequestId: r.rid("sign"), TransferId: r.transfer.GetTransferId(), Etag: left.GetTransfer().GetEtag(),
	}, &signed); err != nil {
		return err
	}
	var over transferv1.HandOverResponse
	if err := r.center.Do(ctx, http.MethodPost, path+":handOver", &transferv1.HandOverRequest{
		RequestId: r.rid("handover"), TransferId: r.transfer.GetTransferId(), Etag: signed.GetTransfer().GetEtag(),
		HandOver: &transferv1.HandOverRecord{Items: items},
	}, &over); err != nil {
		return err
	}
	if err := r.until(ctx, "arrived", func(c *referralv1.Referral) bool { return c.GetState() == referralv1.State_STATE_ARRIVED }); err != nil {
		return err
	}
	r.done("arrived and handed over: 9 items, signed by both sides (the journey in fast motion)")
	return nil
}

func (r *run) operate(ctx context.Context) error {
	r.begin()
	var seen referralv1.RecordEvaluationResponse
	if err := r.retryStale(ctx, r.center, func(etag string) error {
		return r.center.Do(ctx, http.MethodPost, r.path(":evaluate"), &referralv1.RecordEvaluationRequest{
			RequestId: r.rid("evaluate"), ReferralId: r.referral.GetReferralId(), Etag: etag, Suitable: true,
		}, &seen)
	}); err != nil {
		return err
	}
	today := clock.Day(r.Clock.Now())
	var opened settlementv1.OpenClaimResponse
	if err := r.center.Do(ctx, http.MethodPost, "/v1/claims", &settlementv1.OpenClaimRequest{
		RequestId: r.rid("claim"), ReferralId: r.referral.GetReferralId(), PatientId: r.patient.GetPatientId(),
		CenterId: r.referral.GetCenterId(), Province: "310000", TreatmentCity: "310100", InsuredProvince: "340000",
		Organ: organv1.Organ_ORGAN_LIVER, AdmissionDate: today,
	}, &opened); err != nil {
		return err
	}
	r.claim = opened.GetClaim()
	r.result.ClaimID = r.claim.GetClaimId()
	var done referralv1.RecordSurgeryResponse
	if err := r.retryStale(ctx, r.center, func(etag string) error {
		return r.center.Do(ctx, http.MethodPost, r.path(":recordSurgery"), &referralv1.RecordSurgeryRequest{
			RequestId: r.rid("surgery"), ReferralId: r.referral.GetReferralId(), Etag: etag,
			SurgeryTime: timestamppb.New(r.Clock.Now().Add(-time.Second)), CotrsReference: "COTRS-DEMO-0001", ProcedureCode: "50.5900",
		}, &done)
	}); err != nil {
		return err
	}
	r.done("surgery recorded: procedure 50.5900, allocation reference COTRS-DEMO-0001")
	return nil
}

func (r *run) discharge(ctx context.Context) error {
	r.begin()
	today := clock.Day(r.Clock.Now())
	var charged settlementv1.AddFeeLinesResponse
	if err := r.center.Do(ctx, http.MethodPost, "/v1/claims/"+r.claim.GetClaimId()+"/lines", &settlementv1.AddFeeLinesRequest{
		RequestId: r.rid("lines"), ClaimId: r.claim.GetClaimId(), Lines: liverBill(today),
	}, &charged); err != nil {
		return err
	}
	var quoted settlementv1.PreSettleResponse
	if err := r.center.Do(ctx, http.MethodPost, "/v1/claims/"+r.claim.GetClaimId()+":preSettle",
		&settlementv1.PreSettleRequest{ClaimId: r.claim.GetClaimId()}, &quoted); err != nil {
		return err
	}
	var out referralv1.RecordDischargeResponse
	if err := r.retryStale(ctx, r.center, func(etag string) error {
		return r.center.Do(ctx, http.MethodPost, r.path(":discharge"), &referralv1.RecordDischargeRequest{
			RequestId: r.rid("discharge"), ReferralId: r.referral.GetReferralId(), Etag: etag, RehabilitationPlan: "PLAN-DEMO-1",
		}, &out)
	}); err != nil {
		return err
	}
	var left settlementv1.DischargeClaimResponse
	if err := r.center.Do(ctx, http.MethodPost, "/v1/claims/"+r.claim.GetClaimId()+":discharge", &settlementv1.DischargeClaimRequest{
		RequestId: r.rid("leave"), ClaimId: r.claim.GetClaimId(), Etag: charged.GetClaim().GetEtag(), DischargeDate: today,
	}, &left); err != nil {
		return err
	}
	r.claim = left.GetClaim()
	r.done("discharged; %d fee lines, total %s", r.claim.GetLineCount(), Yuan(r.claim.GetTotal()))
	return nil
}

func (r *run) settle(ctx context.Context) error {
	r.begin()
	var got settlementv1.SettleClaimResponse
	if err := r.center.Do(ctx, http.MethodPost, "/v1/claims/"+r.claim.GetClaimId()+":settle", &settlementv1.SettleClaimRequest{
		RequestId: r.rid("settle"), ClaimId: r.claim.GetClaimId(), Etag: r.claim.GetEtag(),
	}, &got); err != nil {
		return err
	}
	if err := r.until(ctx, "the bill is on the case", func(c *referralv1.Referral) bool { return c.GetSelfPay() != nil }); err != nil {
		return err
	}
	var bill settlementv1.GetStatementResponse
	if err := r.center.Do(ctx, http.MethodGet, "/v1/claims/"+r.claim.GetClaimId()+"/statement", nil, &bill); err != nil {
		return err
	}
	r.result.Statement = bill.GetStatement()
	r.done("settled between 上海 and 安徽: %s", got.GetClaim().GetSettlementId())
	return nil
}

// retryStale calls with the version last seen, and again with the present one, as who sees it, when the line's own jobs moved
// the case in between. A drive repeated under its key so sends the same again.
func (r *run) retryStale(ctx context.Context, who *Session, call func(etag string) error) error {
	for attempt := 0; ; attempt++ {
		err := call(r.referral.GetEtag())
		var refused *Refused
		if !errors.As(err, &refused) || refused.Reason != "STALE_VERSION" || attempt == 20 {
			return err
		}
		var now referralv1.GetReferralResponse
		if err := who.Do(ctx, http.MethodGet, r.path(""), nil, &now); err != nil {
			return err
		}
		r.referral = now.GetReferral()
	}
}

// Yuan writes an amount for people.
func Yuan(m *moneyv1.Money) string {
	fen := m.GetFen()
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d CNY", sign, fen/100, fen%100)
}
