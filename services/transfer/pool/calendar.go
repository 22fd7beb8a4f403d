package pool

import (
	"fmt"
	"slices"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/workday"
)

// Window is a part of a day in Shanghai: [From, To), in minutes after midnight. 0 to 1440 joins the next day's.
type Window struct{ From, To int }

// Closure is a time at which a unit is closed.
type Closure struct {
	Interval
	Reason string
}

// Calendar says when a unit is to be had (排班日历). The zero Calendar is open always and asks for no rest.
type Calendar struct {
	WorkingDays, DaysOff []Window
	Closures             []Closure
	// Rest is the least time between two reservations; Longest bounds one, 0 does not.
	Rest, Longest time.Duration
}

// Bounds of a calendar.
const (
	MostWindows  = 8
	MostClosures = 64
	LongestRest  = 48 * time.Hour
	dayMinutes   = 24 * 60
)

// Check refuses a calendar that says nothing sensible; the fault names the field.
func (c Calendar) Check() error {
	for name, windows := range map[string][]Window{"working_days": c.WorkingDays, "days_off": c.DaysOff} {
		if len(windows) > MostWindows {
			return badField("calendar."+name, "A day has at most eight windows.", "每日最多八个时段。")
		}
		for i, w := range windows {
			field := fmt.Sprintf("calendar.%s[%d].to_minute", name, i)
			if w.From < 0 || w.To > dayMinutes || w.To <= w.From {
				return badTime(field, "A window ends after it begins, within its day.", "时段须在当日内且结束晚于开始。")
			}
			for _, before := range windows[:i] {
				if before.From < w.To && w.From < before.To {
					return badTime(field, "Two windows of a day overlap.", "同日时段重叠。")
				}
			}
		}
	}
	if len(c.Closures) > MostClosures {
		return badField("calendar.closures", "There are more than 64 closures.", "停用时段超过 64 个。")
	}
	for i, closed := range c.Closures {
		if !closed.End.After(closed.Start) || closed.End.Sub(closed.Start) > LongestNeed {
			return badTime(fmt.Sprintf("calendar.closures[%d].end_time", i),
				"A closure ends after it begins, at most 366 days later.", "停用时段须有长度且不超过 366 天。")
		}
	}
	if c.Rest < 0 || c.Rest > LongestRest {
		return badField("calendar.rest_minutes", "The rest is at most 48 hours.", "间隔最长 48 小时。")
	}
	if c.Longest < 0 || c.Longest > LongestNeed {
		return badField("calendar.longest_minutes", "The longest reservation is at most 366 days.", "单次最长 366 天。")
	}
	return nil
}

func badField(field, en, zh string) error {
	return fault.New(fault.InvalidArgument, fault.FieldInvalid, field, en, zh)
}

// Closed reports whether the unit is closed at some time of the interval, whatever its windows say.
func (c Calendar) Closed(i Interval) bool {
	return slices.ContainsFunc(c.Closures, func(closed Closure) bool { return closed.Overlaps(i) })
}

// Open reports whether the unit is to be had for the whole interval.
func (c Calendar) Open(i Interval) bool {
	if c.Longest > 0 && i.End.Sub(i.Start) > c.Longest {
		return false
	}
	if c.Closed(i) {
		return false
	}
	if len(c.WorkingDays) == 0 && len(c.DaysOff) == 0 {
		return true
	}
	at := i.Start
	for at.Before(i.End) {
		windows, midnight := c.day(at)
		next := c.through(windows, midnight, at)
		if !next.After(at) {
			return false
		}
		at = next
	}
	return true
}

// through returns how far one can go on from at within the windows of a day; at itself where none contains it.
func (c Calendar) through(windows []Window, midnight, at time.Time) time.Time {
	sorted := slices.Clone(windows)
	slices.SortFunc(sorted, func(a, b Window) int { return a.From - b.From })
	for _, w := range sorted {
		from, to := midnight.Add(time.Duration(w.From)*time.Minute), midnight.Add(time.Duration(w.To)*time.Minute)
		if !at.Before(from) && at.Before(to) {
			at = to // the next may begin where this one ends
		}
	}
	return at
}

// LongestLook bounds the interval of which a calendar is spelled out.
const LongestLook = 31 * 24 * time.Hour

// CheckLook refuses an interval that is no calendar page: TIME_INVALID.
func CheckLook(i Interval) error {
	if !i.End.After(i.Start) || i.End.Sub(i.Start) > LongestLook {
		return badTime("end_time", "The end comes after the start, at most 31 days later.", "结束时间须晚于开始时间，且不超过 31 天。")
	}
	return nil
}

// ClosedTimes spells out when the unit is not to be had within the interval, by start: closures with their reason, and without
// one what lies outside the windows.
func (c Calendar) ClosedTimes(i Interval) []Closure {
	var out []Closure
	for _, closed := range c.Closures {
		if closed.Overlaps(i) {
			out = append(out, Closure{within(closed.Interval, i), closed.Reason})
		}
	}
	if len(c.WorkingDays) > 0 || len(c.DaysOff) > 0 {
		for _, gap := range c.gaps(i) {
			out = append(out, Closure{Interval: within(gap, i)})
		}
	}
	slices.SortStableFunc(out, func(a, b Closure) int { return a.Start.Compare(b.Start) })
	return out
}

// gaps are the times between the windows; one goes on over midnight.
func (c Calendar) gaps(i Interval) []Interval {
	var out []Interval
	at := i.Start
	for at.Before(i.End) {
		windows, midnight := c.day(at)
		tomorrow := midnight.AddDate(0, 0, 1)
		open := tomorrow // when the next window begins
		for _, w := range windows {
			from, to := midnight.Add(time.Duration(w.From)*time.Minute), midnight.Add(time.Duration(w.To)*time.Minute)
			if to.After(at) && from.Before(open) {
				open = from
			}
		}
		if !open.After(at) {
			at = c.through(windows, midnight, at)
			continue
		}
		if n := len(out); n > 0 && out[n-1].End.Equal(at) {
			out[n-1].End = open
		} else {
			out = append(out, Interval{at, open})
		}
		at = open
	}
	return out
}

func within(i, bounds Interval) Interval {
	if i.Start.Before(bounds.Start) {
		i.Start = bounds.Start
	}
	if i.End.After(bounds.End) {
		i.End = bounds.End
	}
	return i
}

// day returns the windows of the day that the moment lies in, and its midnight in Shanghai.
func (c Calendar) day(at time.Time) ([]Window, time.Time) {
	y, m, d := at.In(clock.Shanghai).Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, clock.Shanghai)
	if workday.China().Working(midnight) {
		return c.WorkingDays, midnight
	}
	return c.DaysOff, midnight
}
