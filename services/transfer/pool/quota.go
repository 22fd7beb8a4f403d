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
	// Release is how long before a time what is reserved for it and not taken is free for own use; 0: never.
	Release time.Duration
	Version int64
}

// Used is how far a quota is used.
type Used struct{ ReservedNow, Referred, OwnPeak int }

// LongestRelease bounds a quota's.
const LongestRelease = 90 * 24 * time.Hour

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
	case q.Release < 0 || q.Release > LongestRelease || q.Release > 0 && q.Units == 0 && q.ShareBp == 0:
		return badField("release_minutes", "What is reserved is released at most 90 days before.", "预留最早于 90 天前释放，且须设有预留。")
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

// Use is one own use of a unit.
type Use struct {
	Unit string
	Interval
}

// Stock is what an owner has of a kind: its units and those it has on loan, how many of them are its own, and its own uses.
type Stock struct {
	Units []Unit
	Owned int
	Own   []Use
}

// OwnLeft is how many more units own use may take over an interval; negative where more would have to be left. What is not
// to be had leaves nobody anything: a bed without staff, or one lent away, is no reserve. binds is false where the quota
// says nothing of the interval: outside its period, or so near that what is left of the reserve has been released.
func (q Quota) OwnLeft(p Stock, more []Interval, i Interval, now time.Time) (left int, binds bool) {
	span := Interval{Start: later(i.Start, q.Period.Start), End: earlier(i.End, q.Period.End)}
	if q.Release > 0 {
		span.Start = later(span.Start, now.Add(q.Release))
	}
	if !span.End.After(span.Start) {
		return 0, false
	}
	all, there := slices.Clone(more), 0
	for _, unit := range p.Units {
		if !unit.Usable(span) {
			continue
		}
		there++
		for _, own := range p.Own {
			if own.Unit == unit.ID {
				all = append(all, own.Interval)
			}
		}
	}
	return there - q.Reserved(p.Owned) - Peak(all, span), true
}

// AllowOwn refuses own use that would leave fewer units than the quota reserves.
func (q Quota) AllowOwn(p Stock, more []Interval, now time.Time) error {
	for _, m := range more {
		// Where there is no unit at all, the pool itself says so.
		there := slices.ContainsFunc(p.Units, func(u Unit) bool { return u.Usable(m) })
		if left, binds := q.OwnLeft(p, more, m, now); there && binds && left < 0 {
			return q.reserved("needs")
		}
	}
	return nil
}

// AllowLoan refuses to lend a unit that the quota reserves; closures of the time do not count.
func (q Quota) AllowLoan(p Stock, unit string, i Interval, now time.Time) error {
	without := Stock{Owned: p.Owned, Own: p.Own}
	for _, u := range p.Units {
		u.Calendar = Calendar{}
		if u.ID != unit {
			without.Units = append(without.Units, u)
		} else if u.OutOfService {
			return nil // it was no reserve
		}
	}
	if left, binds := q.OwnLeft(without, nil, i, now); binds && left < 0 {
		return q.reserved("resource_id")
	}
	return nil
}

func (q Quota) reserved(field string) error {
	return fault.New(fault.FailedPrecondition, fault.QuotaReserved, field,
		"The units left are reserved for referred patients.", "剩余资源已预留给转诊患者。").
		With("quota_id", q.ID).With("kind", string(q.Kind)).With("organisation", q.Organisation)
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
