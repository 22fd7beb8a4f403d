// Package timetable holds what runs when: trains and flights read from a GTFS feed, laid out for scanning.
//
// Invariant: a Timetable is complete and consistent or does not exist. Every connection joins two known stops, goes
// forward in time, and belongs to a trip on a known calendar; a feed with one bad row is refused, naming file, row and
// field. A Timetable never changes once made.
package timetable

import (
	"cmp"
	"math"
	"slices"
	"time"

	"huhang.example/services/internal/clock"
)

// Kind is the way a trip travels.
type Kind uint8

// The kinds a patient may travel by; trips of other kinds are left out of a Timetable and counted.
const (
	Rail   Kind = iota // 铁路
	Flight             // 航班
	kinds
)

// Kinds is how many kinds there are.
const Kinds = int(kinds)

// DaySeconds is the length of a day; China has no summer time.
const DaySeconds = 24 * 60 * 60

// Stop is a station (车站) or airport (机场).
type Stop struct {
	ID, Name string
	Lat, Lon float64
	// Served tells by which kinds anything calls here.
	Served [Kinds]bool
	// MinChange is the least time between two trips here, in seconds, where the feed says one.
	MinChange int32
	// Parent is the station that the stop belongs to, where the feed says one: changes inside it need no way outside.
	Parent string
}

// Footpath is the way on foot that the feed gives from one stop to another (站内换乘).
type Footpath struct {
	From, To int32
	Seconds  int32
	// Forbidden says that nobody can change between the two.
	Forbidden bool
}

// Trip is one train or flight number (车次、航班) on its calendar.
type Trip struct {
	ID, Number string
	Kind       Kind
	Service    int32
	// NoWheelchair says that nobody in a wheelchair or on a stretcher is taken.
	NoWheelchair bool
}

// Connection is one hop of a trip without a stop in between. Seconds count from midnight of the service day and go on
// past 24 hours. Of a trip that runs at intervals Depart is the earliest and Arrive the latest it can be.
type Connection struct {
	From, To       int32
	Depart, Arrive int32
	Trip           int32
	// StartMetres and EndMetres are the way along the trip from its first stop; their differences add up along the trip.
	StartMetres, EndMetres int64
	// FromSequence and ToSequence are the calls' numbers in the feed (stop_sequence); -1: not kept.
	FromSequence, ToSequence int32
	// NoBoard and NoAlight say that nobody gets on at From, or off at To.
	NoBoard, NoAlight bool
}

// Service is a calendar (运行日历).
type Service struct {
	ID        string
	Weekdays  [7]bool // Sunday first, as in time.Weekday
	From, To  string  // days as YYYYMMDD, both included
	Exception map[string]bool
}

// Runs reports whether the service runs on the day.
func (s Service) Runs(day time.Time) bool {
	text := day.In(clock.Shanghai).Format("20060102")
	if runs, ok := s.Exception[text]; ok {
		return runs
	}
	return text >= s.From && text <= s.To && s.Weekdays[day.In(clock.Shanghai).Weekday()]
}

// Timetable is a whole feed (时刻表).
type Timetable struct {
	Version  string
	Stops    []Stop
	Trips    []Trip
	Services []Service
	// Connections by time of day of the departure; those of one trip at the same time in their order.
	Connections []Connection
	// Overflow is how many days after its service day a departure can still lie.
	Overflow int
	// LeftOut counts trips of kinds nobody is sent by, such as buses.
	LeftOut int
	// Footpaths are those of the feed; the planner adds roads of its own.
	Footpaths []Footpath
	// From and To are the first and the last service day of anything that runs, YYYYMMDD; empty when nothing does.
	From, To string
	// inForce is set on what Join made: which version is in force from which day on.
	inForce []inForce
}

// Empty returns a timetable in which nothing runs.
func Empty() *Timetable { return &Timetable{Version: "none"} }

// Midnight returns the start of t's day in Shanghai.
func Midnight(t time.Time) time.Time {
	y, m, d := t.In(clock.Shanghai).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, clock.Shanghai)
}

// DayOffset is how many days after its service day c departs.
func (c Connection) DayOffset() int { return int(c.Depart / DaySeconds) }

// TimeOfDay is when c departs within its day.
func (c Connection) TimeOfDay() int32 { return c.Depart % DaySeconds }

// ByTrip returns for each trip the places of its connections in Connections, in their order along the trip.
func (t *Timetable) ByTrip() [][]int32 {
	counts := make([]int32, len(t.Trips))
	for i := range t.Connections {
		counts[t.Connections[i].Trip]++
	}
	all := make([]int32, 0, len(t.Connections))
	out := make([][]int32, len(t.Trips))
	for trip, n := range counts {
		out[trip] = all[len(all) : len(all) : len(all)+int(n)]
		all = all[:len(all)+int(n)]
	}
	for i := range t.Connections {
		trip := t.Connections[i].Trip
		out[trip] = append(out[trip], int32(i))
	}
	for _, list := range out {
		// Connections are by time of day; those of equal departure are in their order along the trip.
		slices.SortStableFunc(list, func(a, b int32) int { return cmp.Compare(t.Connections[a].Depart, t.Connections[b].Depart) })
	}
	return out
}

func (t *Timetable) finish() {
	slices.SortStableFunc(t.Connections, func(a, b Connection) int {
		return cmp.Compare(a.TimeOfDay(), b.TimeOfDay())
	})
	for _, c := range t.Connections {
		t.Overflow = max(t.Overflow, c.DayOffset())
		kind := t.Trips[c.Trip].Kind
		t.Stops[c.From].Served[kind] = true
		t.Stops[c.To].Served[kind] = true
	}
	t.From, t.To = t.span()
}

// span is the first and the last day on which some service runs.
func (t *Timetable) span() (first, last string) {
	take := func(day string) {
		if first == "" || day < first {
			first = day
		}
		last = max(last, day)
	}
	for _, s := range t.Services {
		if s.From <= s.To && s.Weekdays != [7]bool{} {
			take(s.From)
			take(s.To)
		}
		for day, runs := range s.Exception {
			if runs {
				take(day)
			}
		}
	}
	return first, last
}

// Metres is the great-circle distance between two positions.
func Metres(lat1, lon1, lat2, lon2 float64) float64 {
	const earth, radian = 6371008.8, math.Pi / 180
	sin := func(degrees float64) float64 { return math.Sin(degrees * radian / 2) }
	h := sin(lat2-lat1)*sin(lat2-lat1) + math.Cos(lat1*radian)*math.Cos(lat2*radian)*sin(lon2-lon1)*sin(lon2-lon1)
	return 2 * earth * math.Asin(math.Sqrt(min(h, 1)))
}
