package timetable

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"huhang.example/services/internal/clock"
)

// Change is what became of one train or flight on one service day (运行变更).
type Change struct {
	Number string
	// Day is the service day, YYYYMMDD in Shanghai: that of the first stop, also for a call after midnight.
	Day       string
	Cancelled bool
	// Delay is from the first stop on, until a stop says otherwise; negative for early.
	Delay time.Duration
	// Stops change the delay from there on, or are passed without a call; a stop is named by its id or its name.
	Stops []StopChange
}

// StopChange is what became of one call.
type StopChange struct {
	Stop           string
	Arrive, Depart time.Duration
	Skipped        bool
}

// With returns the timetable as it runs after the changes; t stays as it is. Changes of trips that do not run that day
// change nothing. Of two changes of one trip and day the later counts.
func (t *Timetable) With(changes []Change) *Timetable {
	last := map[[2]string]Change{}
	var order [][2]string
	for _, c := range changes {
		key := [2]string{c.Number, c.Day}
		if _, twice := last[key]; !twice {
			order = append(order, key)
		}
		last[key] = c
	}
	out := *t
	out.Version = fmt.Sprintf("%s+%d", t.Version, len(order))
	out.Stops, out.Trips = slices.Clone(t.Stops), slices.Clone(t.Trips)
	out.Services, out.Connections = slices.Clone(t.Services), slices.Clone(t.Connections)
	numbers := map[string]bool{}
	for _, key := range order {
		numbers[key[0]] = true
	}
	hops := map[int32][]Connection{}
	for _, c := range t.Connections {
		if numbers[t.Trips[c.Trip].Number] {
			hops[c.Trip] = append(hops[c.Trip], c)
		}
	}
	for _, trip := range sortedKeys(hops) {
		inOrder(hops[trip])
		for _, key := range order {
			if t.Trips[trip].Number == key[0] {
				out.replace(trip, last[key], hops[trip])
			}
		}
	}
	out.finish()
	return &out
}

func sortedKeys(hops map[int32][]Connection) []int32 {
	keys := make([]int32, 0, len(hops))
	for k := range hops {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func inOrder(hops []Connection) {
	slices.SortStableFunc(hops, func(a, b Connection) int {
		return cmp.Or(cmp.Compare(a.Depart, b.Depart), cmp.Compare(a.EndMetres, b.EndMetres))
	})
}

// replace takes the trip out of one day and runs it changed in its place.
func (t *Timetable) replace(trip int32, change Change, hops []Connection) {
	day, err := time.ParseInLocation("20060102", change.Day, clock.Shanghai)
	if err != nil || !t.Services[t.Trips[trip].Service].Runs(day) {
		return
	}
	old := t.Services[t.Trips[trip].Service]
	without := old
	without.ID = old.ID + "-" + change.Day
	without.Exception = map[string]bool{}
	for d, runs := range old.Exception {
		without.Exception[d] = runs
	}
	without.Exception[change.Day] = false
	t.Services = append(t.Services, without)
	t.Trips[trip].Service = int32(len(t.Services) - 1)
	if change.Cancelled {
		return
	}
	// From and To leave no day to the weekdays: the exception is the only one.
	t.Services = append(t.Services, Service{ID: old.ID + "=" + change.Day, From: "1", To: "0", Exception: map[string]bool{change.Day: true}})
	changed := t.Trips[trip]
	changed.Service = int32(len(t.Services) - 1)
	t.Trips = append(t.Trips, changed)
	for _, hop := range t.changed(change, hops) {
		hop.Trip = int32(len(t.Trips) - 1)
		t.Connections = append(t.Connections, hop)
	}
}

// changed moves the hops of one run in time. What is passed without a call joins two hops; nothing runs backwards.
func (t *Timetable) changed(change Change, hops []Connection) []Connection {
	var out []Connection
	delay := seconds(change.Delay)
	at := func(stop int32) (StopChange, bool) {
		i := slices.IndexFunc(change.Stops, func(s StopChange) bool {
			return s.Stop == t.Stops[stop].ID || s.Stop == t.Stops[stop].Name
		})
		if i < 0 {
			return StopChange{}, false
		}
		return change.Stops[i], true
	}
	skip := func(stop int32) bool {
		s, named := at(stop)
		return named && s.Skipped
	}
	earliest := int32(0)
	var open *Connection // begun at a stop where the trip calls, not yet at one where it does
	for _, hop := range hops {
		if s, named := at(hop.From); named && !s.Skipped {
			delay = seconds(s.Depart)
		}
		if open == nil && !skip(hop.From) {
			depart := max(hop.Depart+delay, earliest, 0)
			open = &Connection{From: hop.From, Depart: depart, StartMetres: hop.StartMetres, NoBoard: hop.NoBoard}
		}
		if open == nil || skip(hop.To) {
			continue
		}
		arriving := delay
		if s, named := at(hop.To); named {
			arriving = seconds(s.Arrive)
			delay = arriving
		}
		open.To, open.EndMetres, open.NoAlight = hop.To, hop.EndMetres, hop.NoAlight
		open.Arrive = max(hop.Arrive+arriving, open.Depart)
		earliest = open.Arrive
		out, open = append(out, *open), nil
	}
	return out
}

func seconds(d time.Duration) int32 { return int32(d / time.Second) }

// Run finds the run of a number that leaves a place at a time, and its service day.
func (t *Timetable) Run(number, from string, depart time.Time) (day string, found bool) {
	for _, c := range t.Connections {
		if t.Trips[c.Trip].Number != number || t.Stops[c.From].Name != from {
			continue
		}
		midnight := Midnight(depart.Add(-time.Duration(c.Depart) * time.Second))
		if midnight.Add(time.Duration(c.Depart)*time.Second).Equal(depart) && t.Services[t.Trips[c.Trip].Service].Runs(midnight) {
			return midnight.Format("20060102"), true
		}
	}
	return "", false
}

// Ride returns when a run leaves one place and reaches another; found is false when it does not call at both, in that
// order, on that day.
func (t *Timetable) Ride(number, day, from, to string) (depart, arrive time.Time, found bool) {
	midnight, err := time.ParseInLocation("20060102", day, clock.Shanghai)
	if err != nil {
		return time.Time{}, time.Time{}, false
	}
	hops := map[int32][]Connection{}
	for _, c := range t.Connections {
		trip := t.Trips[c.Trip]
		if trip.Number == number && t.Services[trip.Service].Runs(midnight) {
			hops[c.Trip] = append(hops[c.Trip], c)
		}
	}
	for _, trip := range sortedKeys(hops) {
		inOrder(hops[trip])
		on := false
		for _, c := range hops[trip] {
			if !on && t.Stops[c.From].Name == from {
				on, depart = true, midnight.Add(time.Duration(c.Depart)*time.Second)
			}
			if on && t.Stops[c.To].Name == to {
				return depart.UTC(), midnight.Add(time.Duration(c.Arrive) * time.Second).UTC(), true
			}
		}
	}
	return time.Time{}, time.Time{}, false
}

// Knows reports whether a number runs on a day.
func (t *Timetable) Knows(number, day string) bool {
	midnight, err := time.ParseInLocation("20060102", day, clock.Shanghai)
	return err == nil && slices.ContainsFunc(t.Trips, func(trip Trip) bool {
		return trip.Number == number && t.Services[trip.Service].Runs(midnight)
	})
}

// NumberOf returns the number of a trip by its id in the feed.
func (t *Timetable) NumberOf(tripID string) (number string, found bool) {
	i := slices.IndexFunc(t.Trips, func(trip Trip) bool { return trip.ID == tripID })
	if i < 0 {
		return "", false
	}
	return t.Trips[i].Number, true
}
