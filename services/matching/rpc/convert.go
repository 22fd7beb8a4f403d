package rpc

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	"huhang.example/services/matching"
)

// The domain names a code as the proto does, without the enum's prefix; what is unspecified is empty.
const (
	organPrefix   = "ORGAN_"
	urgencyPrefix = "URGENCY_"
	statusPrefix  = "OFFER_STATUS_"
)

func code(prefix, name string, number int32) string {
	if number == 0 {
		return ""
	}
	return strings.TrimPrefix(name, prefix)
}

func organFrom(o organv1.Organ) string { return code(organPrefix, o.String(), int32(o)) }

func organTo(o string) organv1.Organ { return organv1.Organ(organv1.Organ_value[organPrefix+o]) }

func urgencyFrom(u organv1.Urgency) string { return code(urgencyPrefix, u.String(), int32(u)) }

func statusFrom(s matchingv1.OfferStatus) matching.Status {
	return matching.Status(code(statusPrefix, s.String(), int32(s)))
}

func timeTo(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func offerTo(o *matching.Offer) *matchingv1.Offer {
	out := &matchingv1.Offer{
		OfferId: o.ID, ReferralId: o.ReferralID, PatientId: o.PatientID, CenterId: o.CenterID, ReferringOrganisation: o.Referrer,
		Organ: organTo(o.Organ), Urgency: organv1.Urgency(organv1.Urgency_value[urgencyPrefix+o.Urgency]),
		Status:     matchingv1.OfferStatus(matchingv1.OfferStatus_value[statusPrefix+string(o.Status)]),
		CreateTime: timeTo(o.CreatedAt), ExpireTime: timeTo(o.ExpiresAt), DecideTime: timeTo(o.DecidedAt), RemindTime: timeTo(o.RemindedAt),
		DeclineCode: o.DeclineCode, Comment: o.Comment, HoldId: o.HoldID, Etag: o.Etag(), AtOnce: max(o.AtOnce, 1),
		WithdrawCode: o.WithdrawCode, RulesVersion: o.RulesVersion,
	}
	for _, c := range o.Conditions {
		out.AcceptanceConditions = append(out.AcceptanceConditions, &matchingv1.Condition{
			Number: c.Number, Text: c.Text, DueTime: timeTo(c.Due), Status: c.Status, SettleTime: timeTo(c.SettledAt),
		})
	}
	if o.Binding() {
		out.Conditions, out.AdmissionTime = o.Acceptance.Conditions, timeTo(o.Acceptance.Admission)
	}
	return out
}
