package referral

import (
	"context"

	"huhang.example/services/internal/clock"

	"huhang.example/services/internal/fault"
)

// RecordSurgery records the surgery with exactly one of the two references (Order 767, Art 21 and 28); faults
// ALLOCATION_REFERENCE_REQUIRED, TIME_INVALID, WRONG_STATE, STALE_VERSION, NOT_FOUND.
func (s *Service) RecordSurgery(ctx context.Context, referralID, etag string, surgery Surgery) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		if _, err := r.pick(Operate, a); err != nil {
			return err
		}
		if (surgery.COTRSReference == "") == (surgery.EthicsApproval == "") {
			return fault.New(fault.InvalidArgument, fault.AllocationReferenceRequired, "cotrs_reference",
				"A surgery carries exactly one: the COTRS allocation reference or the ethics approval.",
				"手术须且只须填写一项：COTRS 分配编号或伦理审批编号。")
		}
		if surgery.Time.IsZero() || surgery.Time.After(a.At.Add(clock.Skew)) {
			return fault.New(fault.InvalidArgument, fault.TimeInvalid, "surgery_time",
				"The surgery's time lies in the future.", "手术时间不能晚于现在。").
				Do("Give the time at which the surgery took place.", "请填写手术实际进行的时间。")
		}
		a.Occurred, a.Record = surgery.Time, surgery.COTRSReference+surgery.EthicsApproval
		if a.At.Sub(surgery.Time) > day {
			// Late is better than never; the timeline shows it.
			a.Reason = "REPORTED_LATE"
		}
		return r.apply(Operate, a, func() { r.Surgery = &surgery })
	})
}
