package timetable

import (
	"time"

	"huhang.example/services/internal/clock"
)

// Schedule looks up when trips call, many of them.
type Schedule struct {
	t      *Timetable
	trips  map[string][]int32
	byTrip [][]int32
}

// Schedule prepares to look up many calls.
func (t *Timetable) Schedule() *Schedule {
	s := &Schedule{t: t, trips: make(map[string][]int32, len(t.Trips)), byTrip: t.ByTrip()}
	for i := range t.Trips {
		s.trips[t.Trips[i].ID] = append(s.trips[t.Trips[i].ID], int32(i))
	}
	return s
}

// StopAt returns the id of the stop at which a trip of a service day makes the call with a number; found is false when no
// call has it, or the numbers were not kept.
func (s *Schedule) StopAt(tripID, day string, sequence int32) (stop string, found bool) {
	midnight, err := time.ParseInLocation("20060102", day, clock.Shanghai)
	if err != nil {
		return "", false
	}
	for _, trip := range s.trips[tripID] {
		if !s.t.Services[s.t.Trips[trip].Service].Runs(midnight) {
			continue
		}
		for _, ref := range s.byTrip[trip] {
			switch c := &s.t.Connections[ref]; sequence {
			case c.FromSequence:
				return s.t.Stops[c.From].ID, true
			case c.ToSequence:
				return s.t.Stops[c.To].ID, true
			}
		}
	}
	return "", false
}

// At returns when a trip of a service day is at a stop, which is named by its id or its name. At an end of the trip the
// two are the same; found is false when it does not call there that day.
func (s *Schedule) At(tripID, day, stop string) (arrive, depart time.Time, found bool) {
	midnight, err := time.ParseInLocation("20060102", day, clock.Shanghai)
	if err != nil {
		return time.Time{}, time.Time{}, false
	}
	is := func(at int32) bool { return s.t.Stops[at].ID == stop || s.t.Stops[at].Name == stop }
	moment := func(second int32) time.Time { return midnight.Add(time.Duration(second) * time.Second) }
	for _, trip := range s.trips[tripID] {
		if !s.t.Services[s.t.Trips[trip].Service].Runs(midnight) {
			continue
		}
		list := s.byTrip[trip]
		for i, ref := range list {
			c := &s.t.Connections[ref]
			switch {
			case is(c.From) && i == 0:
				return moment(c.Depart), moment(c.Depart), true
			case is(c.To) && i+1 < len(list):
				return moment(c.Arrive), moment(s.t.Connections[list[i+1]].Depart), true
			case is(c.To):
				return moment(c.Arrive), moment(c.Arrive), true
			}
		}
	}
	return time.Time{}, time.Time{}, false
}
