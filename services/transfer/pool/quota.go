package pool

import (
	"slices"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
)

// Purpose is what a hold is for.
type Purpose string

// The purposes.
const (
	Referral Purpose = "REFERRAL" // a referred patient
	Transfer Purpose = "TRANSFER" // crew and vehicle, while the transfer lasts
	OwnUse   Purpose = "OWN"      // the owner's own
	Return   Purpose = "RETURN"   // crew and vehicle on their way home
)

// Quota reserves units for referred patients over a period (预留号源).
type Quota struct {
	ID, Organisation string
	Kind             Kind
	// Period is whole days in Shanghai.
	Period Interval
	// Units or ShareBp is what own use has to leave; a share is of the owner's units, rounded up.
	Units, ShareBp int
	// MostReferred bounds the referred patients' reservations that begin in the period; 0 does not.
	MostReferred int
	Version      int64
}

// Used is how far a quota is used.
type Used struct{ ReservedNow, Referred, OwnPeak int }

const longestQuota = 367 * 24 * time.Hour

// Days returns the period from one day to another, both included, each YYYY-MM-DD.
func Days(from, to string) (Interval, error) {
	first, err := time.ParseInLocation(time.DateOnly, from, clock.Shanghai)
	if err != nil {
		return Interval{}, badTime("from_day", "The first day is not a day.", "起始日期无效。")
	}
	last, err := time.ParseInLocation(time.DateOnly, to, clock.Shanghai)
	if err != nil {
		return Interval{}, badTime("to_day", "The last day is not a day.", "截止日期无效。")
	}
	return Interval{Start: first.UTC(), End: last.AddDate(0, 0, 1).UTC()}, nil
}

// Check refuses a quota that reserves nothing, or whose period is past, has no length or is too long.
func (q Quota) Check(now time.Time) error {
	switch {
	case !q.Period.End.After(q.Period.Start):
		return badTime("to_day", "The last day is before the first.", "截止日期早于起始日期。")
	case clock.Day(q.Period.Start) < clock.Day(now):
		return badTime("from_day", "The first day lies in the past.", "起始日期已过。")
	case q.Period.End.Sub(q.Period.Start) > longestQuota:
		return badTime("to_day", "A quota lasts at most 367 days.", "预留期最长 367 天。")
	case q.Units > 0 && q.ShareBp > 0 || q.Units < 0 || q.ShareBp < 0 || q.ShareBp > 10_000:
		return badField("reserved_share_bp", "Give a count or a share, not both.", "数量与比例只能填一项。")
	case q.Units == 0 && q.ShareBp == 0 && q.MostReferred == 0:
		return badField("reserved_units", "The quota reserves nothing and bounds nothing.", "该预留未设任何限制。")
	}
	return nil
}

// Reserved is how many of so many units own use has to leave.
func (q Quota) Reserved(units int) int {
	if q.ShareBp > 0 {
		return (units*q.ShareBp + 9_999) / 10_000
	}
	return q.Units
}

// Peak is the most of the intervals that hold at one time within the span.
func Peak(intervals []Interval, span Interval) int {
	type edge struct {
		at   time.Time
		step int
	}
	var edges []edge
	for _, i := range intervals {
		if !i.Overlaps(span) {
			continue
		}
		edges = append(edges, edge{i.Start, 1}, edge{i.End, -1})
	}
	slices.SortFunc(edges, func(a, b edge) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.step - b.step // half open: who ends goes before who begins
	})
	most, now := 0, 0
	for i, e := range edges {
		now += e.step
		// What ends before the span begins does not count.
		if e.at.Before(span.End) && (i+1 == len(edges) || edges[i+1].at.After(span.Start)) {
			most = max(most, now)
		}
	}
	return most
}

// AllowOwn refuses own use that would leave fewer units than the quota reserves. own are the owner's other own uses.
func (q Quota) AllowOwn(units int, own, more []Interval) error {
	all := append(slices.Clone(own), more...)
	for _, m := range more {
		span := Interval{Start: later(m.Start, q.Period.Start), End: earlier(m.End, q.Period.End)}
		if !span.End.After(span.Start) {
			continue
		}
		if reserved := q.Reserved(units); Peak(all, span) > units-reserved {
			return fault.New(fault.FailedPrecondition, fault.QuotaReserved, "needs",
				"The units left are reserved for referred patients.", "剩余资源已预留给转诊患者。").
				With("quota_id", q.ID).With("kind", string(q.Kind)).With("organisation", q.Organisation)
		}
	}
	return nil
}

// AllowReferred refuses referred patients beyond the bound of the period. before are those already there.
func (q Quota) AllowReferred(before int, more []Interval) error {
	for _, m := range more {
		if !m.Start.Before(q.Period.Start) && m.Start.Before(q.Period.End) {
			before++
		}
	}
	if q.MostReferred > 0 && before > q.MostReferred {
		return fault.New(fault.FailedPrecondition, fault.QuotaUsed, "needs",
			"The quota for referred patients of the period is used up.", "该时段的转诊名额已用完。").
			With("quota_id", q.ID).With("kind", string(q.Kind)).With("organisation", q.Organisation)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
