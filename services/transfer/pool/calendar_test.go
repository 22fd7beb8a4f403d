package pool_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/workday"
	"huhang.example/services/transfer/pool"
)

func drawWindows(t *rapid.T, name string) []pool.Window {
	var out []pool.Window
	from := 0
	for range rapid.IntRange(0, 3).Draw(t, name) {
		from += 30 * rapid.IntRange(0, 16).Draw(t, "from")
		to := from + 30*rapid.IntRange(1, 24).Draw(t, "length")
		if to > 1440 {
			break
		}
		out = append(out, pool.Window{From: from, To: to})
		from = to
	}
	return out
}

// ClosedTimes and Open say the same of every half hour, and what is closed has an order, a length and stays within what was asked.
func TestClosedIsWhereItIsNotOpen(t *testing.T) {
	base := time.Date(2026, 2, 12, 0, 0, 0, 0, clock.Shanghai)
	rapid.Check(t, func(t *rapid.T) {
		half := func(name string, most int) time.Time {
			return base.Add(time.Duration(rapid.IntRange(0, most).Draw(t, name)) * 30 * time.Minute)
		}
		c := pool.Calendar{WorkingDays: drawWindows(t, "working"), DaysOff: drawWindows(t, "off")}
		if rapid.Bool().Draw(t, "closed") {
			start := half("closure", 500)
			c.Closures = []pool.Closure{{Interval: pool.Interval{Start: start, End: start.Add(5 * time.Hour)}, Reason: "maintenance"}}
		}
		look := pool.Interval{Start: half("look", 300)}
		look.End = look.Start.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "length")) * 30 * time.Minute)
		closed := c.ClosedTimes(look)
		for n, x := range closed {
			if !x.End.After(x.Start) || x.Start.Before(look.Start) || x.End.After(look.End) || n > 0 && x.Start.Before(closed[n-1].Start) {
				t.Fatalf("%+v of %+v", closed, look)
			}
		}
		for at := look.Start; at.Before(look.End); at = at.Add(30 * time.Minute) {
			piece := pool.Interval{Start: at, End: at.Add(30 * time.Minute)}
			shut := false
			for _, x := range closed {
				shut = shut || x.Overlaps(piece)
			}
			if shut == c.Open(piece) {
				t.Fatalf("at %v closed is %v, open %v: %+v", at, shut, !shut, closed)
			}
		}
	})
}

// Open is compared with looking at every half hour of the interval.
func TestOpenAgreesWithLookingAtEveryHalfHour(t *testing.T) {
	// The spring festival of 2026, with its weekends worked in exchange.
	base := time.Date(2026, 2, 12, 0, 0, 0, 0, clock.Shanghai)
	rapid.Check(t, func(t *rapid.T) {
		c := pool.Calendar{WorkingDays: drawWindows(t, "working"), DaysOff: drawWindows(t, "off")}
		half := func(name string, most int) time.Time {
			return base.Add(time.Duration(rapid.IntRange(0, most).Draw(t, name)) * 30 * time.Minute)
		}
		if rapid.Bool().Draw(t, "closed") {
			start := half("closure", 500)
			c.Closures = []pool.Closure{{Interval: pool.Interval{Start: start, End: start.Add(5 * time.Hour)}}}
		}
		start := half("start", 600)
		i := pool.Interval{Start: start, End: start.Add(time.Duration(rapid.IntRange(1, 150).Draw(t, "length")) * 30 * time.Minute)}
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
		want := true
		for at := i.Start; at.Before(i.End); at = at.Add(30 * time.Minute) {
			windows := c.DaysOff
			if workday.China().Working(at) {
				windows = c.WorkingDays
			}
			inside := len(c.WorkingDays)+len(c.DaysOff) == 0
			local := at.In(clock.Shanghai)
			minute := local.Hour()*60 + local.Minute()
			for _, w := range windows {
				inside = inside || w.From <= minute && minute < w.To
			}
			for _, closed := range c.Closures {
				inside = inside && !closed.Overlaps(pool.Interval{Start: at, End: at.Add(30 * time.Minute)})
			}
			want = want && inside
		}
		if got := c.Open(i); got != want {
			t.Fatalf("open %v, want %v: %v in %+v", got, want, i, c)
		}
	})
}

func TestCalendarsOutOfBounds(t *testing.T) {
	for name, c := range map[string]struct {
		calendar pool.Calendar
		reason   fault.Reason
		field    string
	}{
		"backwards":      {pool.Calendar{WorkingDays: []pool.Window{{From: 600, To: 600}}}, fault.TimeInvalid, "calendar.working_days[0].to_minute"},
		"past midnight":  {pool.Calendar{DaysOff: []pool.Window{{From: 600, To: 1441}}}, fault.TimeInvalid, "calendar.days_off[0].to_minute"},
		"overlap":        {pool.Calendar{DaysOff: []pool.Window{{From: 0, To: 600}, {From: 599, To: 700}}}, fault.TimeInvalid, "calendar.days_off[1].to_minute"},
		"empty closure":  {pool.Calendar{Closures: []pool.Closure{{Interval: hours(1, 1)}}}, fault.TimeInvalid, "calendar.closures[0].end_time"},
		"rests too long": {pool.Calendar{Rest: 49 * time.Hour}, fault.FieldInvalid, "calendar.rest_minutes"},
	} {
		f, ok := fault.As(c.calendar.Check())
		if !ok || f.Reason != c.reason || f.Field != c.field {
			t.Errorf("%s: %v", name, f)
		}
	}
}

func TestRestAndLongest(t *testing.T) {
	u := pool.Unit{Busy: []pool.Interval{hours(4, 6)}, Calendar: pool.Calendar{Rest: 2 * time.Hour, Longest: 10 * time.Hour}}
	for _, c := range []struct {
		from, to int
		free     bool
	}{{0, 2, true}, {0, 3, false}, {7, 9, false}, {8, 18, true}, {8, 19, false}} {
		if got := u.Free(hours(c.from, c.to)); got != c.free {
			t.Errorf("[%d,%d): %v", c.from, c.to, got)
		}
	}
	// The needs of one hold keep the rest among themselves.
	slot := pool.Slot{Organisation: "H-HF-01", Kind: pool.Crew}
	need := func(from, to int) pool.Need {
		return pool.Need{Organisation: slot.Organisation, Kind: slot.Kind, Interval: hours(from, to)}
	}
	if _, missing := pool.Choose([]pool.Need{need(10, 12), need(13, 14)}, map[pool.Slot][]pool.Unit{slot: {u}}); missing != 1 {
		t.Errorf("missing %d", missing)
	}
}

// Peak is compared with counting at every start.
func TestPeakAgreesWithCounting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.Custom(func(t *rapid.T) pool.Interval {
			from := rapid.IntRange(0, 12).Draw(t, "from")
			return hours(from, from+rapid.IntRange(1, 6).Draw(t, "length"))
		})
		list, span := rapid.SliceOfN(interval, 0, 6).Draw(t, "list"), interval.Draw(t, "span")
		want := 0
		for h := range 20 {
			at, n := hours(h, h+1), 0
			if !at.Overlaps(span) {
				continue
			}
			for _, i := range list {
				if i.Overlaps(at) {
					n++
				}
			}
			want = max(want, n)
		}
		if got := pool.Peak(list, span); got != want {
			t.Fatalf("peak %d, want %d of %v in %v", got, want, list, span)
		}
	})
}

// A reserve is of units that are to be had, whatever has become of the others: own use is allowed exactly where at every
// moment enough of them are left without it.
func TestAReserveIsOfUnitsToBeHad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.Custom(func(t *rapid.T) pool.Interval {
			from := rapid.IntRange(0, 10).Draw(t, "from")
			return hours(from, from+rapid.IntRange(1, 4).Draw(t, "length"))
		})
		q := pool.Quota{Units: rapid.IntRange(1, 3).Draw(t, "reserved"), Period: hours(2, 10), Release: time.Duration(rapid.IntRange(0, 6).Draw(t, "release")) * time.Hour}
		p := pool.Stock{Owned: rapid.IntRange(1, 4).Draw(t, "units")}
		for i := range p.Owned {
			u := pool.Unit{ID: string(rune('a' + i)), OutOfService: rapid.IntRange(0, 3).Draw(t, "out") == 0}
			u.Away = rapid.SliceOfN(interval, 0, 1).Draw(t, "away")
			p.Units = append(p.Units, u)
			if rapid.Bool().Draw(t, "own") {
				p.Own = append(p.Own, pool.Use{Unit: u.ID, Interval: interval.Draw(t, "use")})
			}
		}
		m := interval.Draw(t, "more")
		binding := pool.Interval{Start: m.Start, End: m.End}
		for _, from := range []time.Time{q.Period.Start, now.Add(q.Release)} {
			if from.After(binding.Start) && (q.Release > 0 || from.Equal(q.Period.Start)) {
				binding.Start = from
			}
		}
		if q.Period.End.Before(binding.End) {
			binding.End = q.Period.End
		}
		allowed, some := true, false
		var there []string
		for _, u := range p.Units {
			some = some || u.Usable(m)
			if binding.End.After(binding.Start) && u.Usable(binding) {
				there = append(there, u.ID)
			}
		}
		for h := range 16 {
			at, taken := hours(h, h+1), 1
			if !binding.End.After(binding.Start) || !at.Overlaps(binding) {
				continue
			}
			for _, own := range p.Own {
				if slices.Contains(there, own.Unit) && own.Overlaps(at) {
					taken++
				}
			}
			allowed = allowed && len(there)-taken >= q.Units
		}
		if err := q.AllowOwn(p, []pool.Interval{m}, now); (err == nil) != (allowed || !some) {
			t.Fatalf("%v, want allowed %v: %+v of %+v by %+v", err, allowed, m, p, q)
		}
	})
}

func TestQuotas(t *testing.T) {
	q := pool.Quota{ShareBp: 2_500, MostReferred: 2, Period: hours(0, 100)}
	if got := q.Reserved(5); got != 2 {
		t.Errorf("a quarter of five rounds to %d", got)
	}
	units := make([]pool.Unit, 5)
	for i := range units {
		units[i].ID = string(rune('a' + i))
	}
	have := pool.Stock{Units: units, Owned: 5, Own: []pool.Use{{Unit: "a", Interval: hours(1, 5)}, {Unit: "b", Interval: hours(2, 6)}}}
	if err := q.AllowOwn(have, []pool.Interval{hours(4, 8)}, now); err != nil {
		t.Error(err)
	}
	two := []pool.Interval{hours(4, 8), hours(4, 9)}
	if err := q.AllowOwn(have, two, now); !fault.Is(err, fault.QuotaReserved) {
		t.Error(err)
	}
	if err := q.AllowOwn(have, []pool.Interval{hours(100, 108), hours(100, 109), hours(100, 110), hours(100, 111)}, now); err != nil {
		t.Errorf("after the period: %v", err)
	}
	// What is reserved and not taken is free for own use from four hours before: an hour later the contested one is.
	q.Release = 4 * time.Hour
	for at, free := range map[time.Duration]bool{0: false, 59 * time.Minute: false, time.Hour: true} {
		if err := q.AllowOwn(have, two, now.Add(at)); (err == nil) != free {
			t.Errorf("%v later: %v", at, err)
		}
	}
	q.Release = 0
	if err := q.AllowReferred(1, []pool.Interval{hours(99, 120), hours(100, 120)}); err != nil {
		t.Error(err)
	}
	if err := q.AllowReferred(2, []pool.Interval{hours(99, 120)}); !fault.Is(err, fault.QuotaUsed) {
		t.Error(err)
	}
	for name, bad := range map[string]pool.Quota{
		"a release of nothing": {MostReferred: 1, Release: time.Hour, Period: hours(0, 24)}, "a release a year before": {Units: 1, Release: 366 * 24 * time.Hour, Period: hours(0, 24)},
		"nothing": {Period: hours(0, 24)}, "both": {Units: 1, ShareBp: 1, Period: hours(0, 24)}, "past": {Units: 1, Period: hours(-48, 24)},
		"too long": {Units: 1, Period: hours(0, 24*368)}, "no length": {Units: 1, Period: hours(1, 1)},
	} {
		if bad.Check(now) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
