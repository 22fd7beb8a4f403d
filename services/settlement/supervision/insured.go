package supervision

import (
	"slices"
	"strconv"
)

// Insured looks at a bill at its insured province, against the person's other bills that stand there.
func (r *Rules) Insured(s Stay, history []Stay, p Person) []Finding {
	var out []Finding
	for _, h := range history {
		if h.ClaimID == s.ClaimID {
			continue
		}
		if f, hit := r.splitAdmission(s, h); hit {
			out = append(out, f)
		}
		// Stays of one treatment province are compared there.
		if h.Treatment != s.Treatment {
			if f, hit := r.overlap(s, h, ""); hit {
				out = append(out, f)
			}
		}
		if f, hit := r.duplicate(s, h); hit {
			out = append(out, f)
		}
	}
	if f, hit := r.purchases(s, history); hit {
		out = append(out, f)
	}
	if p.SamePhone > r.SharedPhone.Insured {
		out = append(out, r.found(SharedPhone, strconv.FormatInt(p.SamePhone, 10),
			Evidence{"insured_with_phone", p.SamePhone}, Evidence{"allowed", r.SharedPhone.Insured}))
	}
	if s.Identity != "" && p.Identity != "" && s.Identity != p.Identity {
		// The hash itself is no evidence: it would be an identity.
		out = append(out, r.found(IdentityMismatch, "card", Evidence{"numbers_compared", 1}, Evidence{"numbers_different", 1}))
	}
	return out
}

// splitAdmission finds a readmission soon after h. A planned follow-up of the same case is none, if its diagnosis is one
// of a follow-up: the word of the center alone does not excuse it.
func (r *Rules) splitAdmission(s, h Stay) (Finding, bool) {
	if !s.inpatient() || !h.inpatient() || h.Discharge == "" {
		return Finding{}, false
	}
	days, ok := between(h.Discharge, s.Admission)
	if !ok || days < 0 {
		return Finding{}, false
	}
	if s.Planned && s.ReferralID != "" && s.ReferralID == h.ReferralID && slices.Contains(r.SplitAdmission.FollowUp, categoryOf(s.Diagnosis)) {
		return Finding{}, false
	}
	same, related := r.alike(s, h)
	limit := r.SplitAdmission.RelatedDays
	switch {
	case same && days <= r.SplitAdmission.SameDays:
		limit = r.SplitAdmission.SameDays
	case related && days <= r.SplitAdmission.RelatedDays:
	default:
		return Finding{}, false
	}
	return r.found(SplitAdmission, h.ClaimID, Evidence{"days_between", days}, Evidence{"limit_days", limit}).about(h.ClaimID), true
}

// overlap finds two stays in two hospitals on the same days. Who leaves one on the day of coming to the other was moved. A
// stay that goes on is looked at up to today.
func (r *Rules) overlap(s, h Stay, today string) (Finding, bool) {
	if !s.inpatient() || !h.inpatient() || s.CenterID == h.CenterID || s.PatientID != h.PatientID {
		return Finding{}, false
	}
	end := func(v Stay) string {
		if v.Discharge == "" {
			return today
		}
		return v.Discharge
	}
	days, ok := between(max(s.Admission, h.Admission), min(end(s), end(h)))
	if !ok || days <= 0 {
		return Finding{}, false
	}
	// The number of days may still grow; the cause is the other stay.
	return r.found(OverlappingStays, h.ClaimID, Evidence{"overlap_days", days}).about(h.ClaimID), true
}

// duplicate finds a bill that was paid already: the same days at the same center under another claim, or a manual claim of
// exactly the same sum.
func (r *Rules) duplicate(s, h Stay) (Finding, bool) {
	twice := false
	switch {
	case s.Manual != h.Manual:
		twice = s.Total == h.Total
	case s.Manual:
		twice = s.Total == h.Total && s.ReferralID == h.ReferralID
	case s.Outpatient != h.Outpatient || s.CenterID != h.CenterID:
	case s.Outpatient:
		twice = s.Admission == h.Admission && s.Total == h.Total
	default:
		twice = s.Admission == h.Admission && s.Discharge == h.Discharge
	}
	if !twice {
		return Finding{}, false
	}
	channels := int64(1)
	if s.Manual != h.Manual {
		channels = 2
	}
	return r.found(DuplicatePayment, h.ClaimID, Evidence{"payments", 2}, Evidence{"channels", channels}, Evidence{"total_fen", int64(s.Total)}).about(h.ClaimID), true
}

// purchases counts a month's outpatient bills, this one among them.
func (r *Rules) purchases(s Stay, history []Stay) (Finding, bool) {
	if !s.Outpatient {
		return Finding{}, false
	}
	n := int64(1)
	for _, h := range history {
		if h.Outpatient && h.ClaimID != s.ClaimID && h.month() == s.month() {
			n++
		}
	}
	if n <= r.OverLimitDrugs.Purchases {
		return Finding{}, false
	}
	return r.found(DrugPurchases, s.month(), Evidence{"purchases", n}, Evidence{"allowed", r.OverLimitDrugs.Purchases}).of(s.month()), true
}
