package rpc

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	moneyv1 "huhang.example/gen/huhang/money/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	"huhang.example/services/matching"
	"huhang.example/services/matching/directory"
	"huhang.example/services/matching/ranking"
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

func remarkTo(r ranking.Remark) *matchingv1.Remark { return &matchingv1.Remark{Zh: r.Zh, En: r.En} }

func remarksTo(rs []ranking.Remark) []*matchingv1.Remark {
	out := make([]*matchingv1.Remark, 0, len(rs))
	for _, r := range rs {
		out = append(out, remarkTo(r))
	}
	return out
}

func missingTo(gaps []ranking.Gap) []*matchingv1.Remark {
	out := make([]*matchingv1.Remark, 0, len(gaps))
	for _, g := range gaps {
		out = append(out, remarkTo(g.Remark))
	}
	return out
}

func centerTo(c *directory.Center) *matchingv1.Center {
	out := &matchingv1.Center{
		CenterId: c.ID, NameZh: c.NameZh, NameEn: c.NameEn, Line: c.Line, City: c.City, DirectSettlement: directory.Direct().At(c.City), Etag: c.Etag(),
	}
	for _, p := range c.Programs {
		program := &matchingv1.Program{
			Organ: organTo(p.Organ), Adults: p.Adults, Children: p.Children, Open: p.Open, SurvivalTier: p.SurvivalTier, Volume: p.Volume,
			MedianWaitDays: p.MedianWaitDays,
			Licence:        &matchingv1.Licence{ValidFrom: p.Licence.ValidFrom, ValidTo: p.Licence.ValidTo, Suspended: p.Licence.Suspended},
			Criteria: &matchingv1.Criteria{
				MinAge: p.Criteria.MinAge, MaxAge: p.Criteria.MaxAge, MaxBmi: p.Criteria.MaxBMI, Retransplant: p.Criteria.Retransplant,
				AboIncompatible: p.Criteria.ABOIncompatible, LivingDonor: p.Criteria.LivingDonor, Hiv: p.Criteria.HIV,
				HccSet: p.Criteria.HCCSet, CallInMinutes: p.Criteria.CallInMinutes,
			},
		}
		if p.Capacity != nil {
			program.Capacity = &matchingv1.Capacity{FreePlaces: p.Capacity.FreePlaces, AsOf: timeTo(p.Capacity.AsOf), DeclaredBy: p.Capacity.DeclaredBy}
		}
		out.Programs = append(out.Programs, program)
	}
	return out
}

func runTo(r *matching.Run) *matchingv1.MatchRun {
	out := &matchingv1.MatchRun{
		MatchRunId: r.ID, ReferralId: r.ReferralID, Organ: organTo(r.Input.Organ), RunTime: timeTo(r.Input.At), WeightsVersion: r.WeightsVersion,
		ClinicalVersion: r.ClinicalVersion, Missing: missingTo(r.Result.Missing),
	}
	for i, c := range r.Result.Ranked {
		ranked := &matchingv1.RankedCenter{
			CenterId: c.CenterID, NameZh: c.NameZh, NameEn: c.NameEn, Rank: int32(i + 1), Score: c.Score, DoorToDoorMinutes: c.DoorToDoor,
			Warnings: remarksTo(c.Warnings),
		}
		if c.SelfPay != nil {
			ranked.EstimatedSelfPay = &moneyv1.Money{Fen: int64(*c.SelfPay)}
		}
		for _, t := range c.Terms {
			ranked.Terms = append(ranked.Terms, &matchingv1.Term{Key: t.Key, Weight: t.Weight, Value: t.Value, Points: t.Points, Because: remarkTo(t.Because)})
		}
		out.Ranked = append(out.Ranked, ranked)
	}
	for _, c := range r.Result.Excluded {
		excluded := &matchingv1.ExcludedCenter{CenterId: c.CenterID, NameZh: c.NameZh, NameEn: c.NameEn}
		for _, reason := range c.Reasons {
			excluded.Reasons = append(excluded.Reasons, &matchingv1.Exclusion{Code: reason.Code, Because: remarkTo(reason.Because)})
		}
		out.Excluded = append(out.Excluded, excluded)
	}
	return out
}

func offerTo(o *matching.Offer) *matchingv1.Offer {
	out := &matchingv1.Offer{
		OfferId: o.ID, ReferralId: o.ReferralID, PatientId: o.PatientID, CenterId: o.CenterID, ReferringOrganisation: o.Referrer,
		Organ: organTo(o.Organ), Urgency: organv1.Urgency(organv1.Urgency_value[urgencyPrefix+o.Urgency]),
		Status:     matchingv1.OfferStatus(matchingv1.OfferStatus_value[statusPrefix+string(o.Status)]),
		CreateTime: timeTo(o.CreatedAt), ExpireTime: timeTo(o.ExpiresAt), DecideTime: timeTo(o.DecidedAt), RemindTime: timeTo(o.RemindedAt),
		DeclineCode: o.DeclineCode, Comment: o.Comment, HoldId: o.HoldID, Etag: o.Etag(),
	}
	if o.Binding() {
		out.Conditions, out.AdmissionTime = o.Acceptance.Conditions, timeTo(o.Acceptance.Admission)
	}
	return out
}
