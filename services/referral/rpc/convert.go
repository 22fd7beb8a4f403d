package rpc

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	moneyv1 "huhang.example/gen/huhang/money/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/money"
	"huhang.example/services/referral"
)

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func instant(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime().Truncate(time.Microsecond)
}

func stateOut(s referral.State) referralv1.State {
	return referralv1.State(referralv1.State_value["STATE_"+string(s)])
}

// stateIn is empty for "any".
func stateIn(s referralv1.State) referral.State {
	if s == referralv1.State_STATE_UNSPECIFIED {
		return ""
	}
	return referral.State(strings.TrimPrefix(s.String(), "STATE_"))
}

// caseOut shows a case to the caller, with what the caller can do.
func caseOut(r *referral.Referral, caller access.Caller) *referralv1.Referral {
	out := &referralv1.Referral{
		ReferralId: r.ID, PatientId: r.PatientID,
		Organ:                 organv1.Organ(organv1.Organ_value["ORGAN_"+r.Organ]),
		Urgency:               organv1.Urgency(organv1.Urgency_value["URGENCY_"+r.Urgency]),
		ReferringOrganisation: r.Referrer, State: stateOut(r.State), Deadline: stamp(r.Deadline), ClockSuspended: r.ClockSuspended,
		MatchRunId: r.MatchRunID, ChosenCenters: r.Chosen, OfferId: r.OfferID, CenterId: r.CenterID, CenterCity: r.CenterCity,
		HoldId: r.HoldID, FilingId: r.FilingID, TransferId: r.TransferID, ClaimId: r.ClaimID,
		CreateTime: stamp(r.CreateTime), UpdateTime: stamp(r.UpdateTime), AdmissionTime: stamp(r.Admission),
		LocalHospital: r.LocalHospital, TraceId: r.TraceID, Etag: r.Etag(), DeathReferralId: r.DiedWith,
	}
	if r.CloseReason != "" {
		out.CloseReason = referralv1.CloseReason(referralv1.CloseReason_value["CLOSE_REASON_"+string(r.CloseReason)])
	}
	if s := r.Surgery; s != nil {
		out.Surgery = &referralv1.Surgery{
			SurgeryTime: stamp(s.Time), CotrsReference: s.COTRSReference, EthicsApproval: s.EthicsApproval, ProcedureCode: s.ProcedureCode,
		}
	}
	out.SelfPay = fenOut(r.SelfPay)
	for _, b := range r.Bills() {
		out.Bills = append(out.Bills, &referralv1.CaseBill{
			ClaimId: b.ClaimID, Stage: strings.TrimPrefix(string(b.Stage), "CLAIM_"), StageTime: stamp(b.Time), SelfPay: fenOut(b.SelfPay), Undone: b.Undone,
			AdmissionDate: b.Admitted, DischargeDate: b.Discharged, CenterId: b.CenterID, Total: fenOut(b.Total),
		})
	}
	out.OpenConditions, out.ConditionsDueTime = int32(r.OpenConditions), stamp(r.ConditionsDue)
	for _, t := range r.Attention {
		out.Attention = append(out.Attention, &referralv1.Attention{Step: t.Do, RecordId: t.Record, ReasonCode: t.Reason, SinceTime: stamp(t.Since)})
	}
	for _, a := range r.Actions(caller) {
		out.AvailableActions = append(out.AvailableActions, &referralv1.AvailableAction{
			Action: a.Call, Deadline: stamp(a.Deadline), LabelZh: a.Zh, LabelEn: a.En,
		})
	}
	return out
}

func fenOut(fen *money.Fen) *moneyv1.Money {
	if fen == nil {
		return nil
	}
	return &moneyv1.Money{Fen: int64(*fen)}
}

func casesOut(list []*referral.Referral, caller access.Caller) []*referralv1.Referral {
	out := make([]*referralv1.Referral, 0, len(list))
	for _, r := range list {
		out = append(out, caseOut(r, caller))
	}
	return out
}

func entryOut(e referral.Entry) *referralv1.TimelineEntry {
	return &referralv1.TimelineEntry{
		Sequence: e.Sequence, OccurTime: stamp(e.Occurred), RecordTime: stamp(e.Recorded), Kind: e.Kind, State: stateOut(e.State),
		ActorOrganisation: e.Organisation, ActorSubject: e.Subject, ReasonCode: e.Reason, TraceId: e.TraceID, RecordId: e.RecordID,
		TextZh: e.Zh, TextEn: e.En,
	}
}
