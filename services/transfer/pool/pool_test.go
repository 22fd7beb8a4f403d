package pool_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/fault"
	"huhang.example/services/transfer/pool"
)

var now = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func hours(from, to int) pool.Interval {
	return pool.Interval{Start: now.Add(time.Duration(from) * time.Hour), End: now.Add(time.Duration(to) * time.Hour)}
}

func TestOverlapIsHalfOpen(t *testing.T) {
	for _, c := range []struct {
		a, b pool.Interval
		want bool
	}{
		{hours(0, 2), hours(2, 4), false},
		{hours(0, 3), hours(2, 4), true},
		{hours(0, 9), hours(2, 4), true},
		{hours(2, 4), hours(0, 2), false},
		{hours(2, 4), hours(2, 4), true},
	} {
		if c.a.Overlaps(c.b) != c.want || c.b.Overlaps(c.a) != c.want {
			t.Errorf("%v %v", c.a, c.b)
		}
	}
}

func TestHoldLife(t *testing.T) {
	for _, c := range []struct {
		status  pool.Status
		expired bool
		reason  fault.Reason
		after   pool.Status
	}{
		{pool.Held, false, "", pool.Confirmed},
		{pool.Held, true, fault.HoldExpired, pool.Held},
		{pool.Confirmed, true, "", pool.Confirmed},
		{pool.Released, false, fault.WrongState, pool.Released},
		{pool.Expired, false, fault.HoldExpired, pool.Expired},
	} {
		h := pool.Hold{Status: c.status, Expire: now.Add(time.Hour)}
		at := now
		if c.expired {
			at = h.Expire
		}
		err := h.Confirm(at)
		if (err == nil) != (c.reason == "") || err != nil && !fault.Is(err, c.reason) || h.Status != c.after {
			t.Errorf("%s expired %v: %v, then %s", c.status, c.expired, err, h.Status)
		}
	}
}

func TestNeedsOutOfBounds(t *testing.T) {
	good := pool.Need{Organisation: "C-SH-01", Kind: pool.Bed, Interval: hours(1, 5)}
	for name, c := range map[string]struct {
		interval pool.Interval
		expire   time.Time
		field    string
	}{
		"no length":     {hours(1, 1), now.Add(time.Hour), "needs[1].end_time"},
		"backwards":     {hours(5, 1), now.Add(time.Hour), "needs[1].end_time"},
		"past":          {hours(-1, 1), now.Add(time.Hour), "needs[1].start_time"},
		"long":          {hours(0, 24*367), now.Add(time.Hour), "needs[1].end_time"},
		"far":           {hours(24*800, 24*801), now.Add(time.Hour), "needs[1].start_time"},
		"expired":       {hours(0, 1), now, "expire_time"},
		"held for ever": {hours(0, 1), now.Add(31 * 24 * time.Hour), "expire_time"},
	} {
		bad := good
		bad.Interval = c.interval
		err := pool.CheckNeeds([]pool.Need{good, bad}, c.expire, now)
		if f, ok := fault.As(err); !ok || f.Reason != fault.TimeInvalid || f.Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Choose is compared with trying every assignment.
func TestChooseFindsAChoiceWhereThereIsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.Custom(func(t *rapid.T) pool.Interval {
			start := rapid.IntRange(0, 8).Draw(t, "start")
			return hours(start, start+rapid.IntRange(1, 4).Draw(t, "length"))
		})
		slot := pool.Slot{Organisation: "C-SH-01", Kind: pool.Bed}
		var units []pool.Unit
		for i := range rapid.IntRange(0, 3).Draw(t, "units") {
			units = append(units, pool.Unit{ID: string(rune('a' + i)), Busy: rapid.SliceOfN(interval, 0, 2).Draw(t, "busy")})
		}
		var needs []pool.Need
		for _, i := range rapid.SliceOfN(interval, 1, 4).Draw(t, "needs") {
			needs = append(needs, pool.Need{Organisation: slot.Organisation, Kind: slot.Kind, Interval: i})
		}
		fits := func(chosen []string) bool {
			for i, id := range chosen {
				for _, unit := range units {
					for _, busy := range unit.Busy {
						if unit.ID == id && busy.Overlaps(needs[i].Interval) {
							return false
						}
					}
				}
				for j := range i {
					if chosen[j] == id && needs[j].Overlaps(needs[i].Interval) {
						return false
					}
				}
			}
			return true
		}
		possible := false
		var try func(chosen []string)
		try = func(chosen []string) {
			if len(chosen) == len(needs) {
				possible = possible || fits(chosen)
				return
			}
			for _, unit := range units {
				try(append(chosen[:len(chosen):len(chosen)], unit.ID))
			}
		}
		try(nil)
		chosen, missing := pool.Choose(needs, map[pool.Slot][]pool.Unit{slot: units})
		if (chosen != nil) != possible || possible && (!fits(chosen) || missing != -1) || !possible && (missing < 0 || missing >= len(needs)) {
			t.Fatalf("chosen %v missing %d, possible %v", chosen, missing, possible)
		}
	})
}
