package planner

import (
	"sort"
	"time"

	"huhang.example/services/transfer/timetable"
)

// label is one way to stand at a stop: when, and at what price. Lower is better in both.
type label struct {
	at    int64
	price int64
	prev  *label // nil at the door
	stop  int32
	// ride is set when a trip brought us here; else a road did, as road says.
	ride *ride
	road way
	walk bool
}

// ride is a stretch of one trip from board to leave, in seconds since the scan's base.
type ride struct {
	trip           int32
	board          int32
	depart, arrive int64
	metres         int64
}

// bag is a Pareto set of labels: at grows, price falls.
type bag []*label

// covers reports whether some label is as good in both.
func (b bag) covers(at, price int64) bool {
	best := b.until(at)
	return best != nil && best.price <= price
}

// until returns the cheapest label of those no later than at.
func (b bag) until(at int64) *label {
	i := sort.Search(len(b), func(i int) bool { return b[i].at > at })
	if i == 0 {
		return nil
	}
	return b[i-1]
}

// insert adds l and drops what it makes superfluous; l must not be covered.
func (b bag) insert(l *label) bag {
	i := sort.Search(len(b), func(i int) bool { return b[i].at >= l.at })
	j := i
	for j < len(b) && b[j].price >= l.price {
		j++
	}
	if i == j {
		b = append(b, nil)
		copy(b[i+1:], b[i:])
		b[i] = l
		return b
	}
	b[i] = l
	return append(b[:i+1], b[j:]...)
}

// scan is one pass over the connections from one origin.
type scan struct {
	table       *timetable.Timetable
	interchange [][]link
	base        time.Time // midnight of the first service day looked at
	start       int64     // not before, since base
	end         int64     // nothing departs after
	slack       int64     // nothing arrives this long after the first at the destination
	rides       int
	allowed     [timetable.Kinds]bool
	board       [timetable.Kinds]int64
	alight      [timetable.Kinds]int64
	fare        [timetable.Kinds]Fare
	roadFare    Fare
	// latest makes the price the time at which the door is left, negated: of all ways the one that leaves last is kept.
	latest bool
	access []link
	egress map[int32]way // nil when the destination is not fixed

	ready   [][]bag // by rides used, by stop: from when one can go to a platform
	arrived [][]bag // the same, only those just off a trip, by stop and kind: kinds differ in the time to get out
	done    []bag   // at the destination
	boarded []boarding
	days    int
}

// boarding is the best way to be on one run of a trip, for one number of rides.
type boarding struct {
	on     bool
	price  int64 // without the fare from the first stop of the trip to board
	label  *label
	board  int32
	depart int64
	start  int64
}

func (s *scan) run() {
	stops := len(s.table.Stops)
	s.ready, s.arrived, s.done = make([][]bag, s.rides+1), make([][]bag, s.rides+1), make([]bag, s.rides+1)
	for k := range s.ready {
		s.ready[k], s.arrived[k] = make([]bag, stops), make([]bag, stops*timetable.Kinds)
	}
	for _, a := range s.access {
		price := s.roadFare.of(a.way.metres)
		if s.latest {
			price = 0
		}
		s.ready[0][a.stop] = bag{{at: s.start + a.way.seconds, price: price, stop: a.stop, road: a.way}}
	}
	s.days = int(s.end/timetable.DaySeconds) + 1
	s.boarded = make([]boarding, len(s.table.Trips)*s.days*s.rides)
	running := s.calendar()
	firstDay := s.start / timetable.DaySeconds
	for day := firstDay; day < int64(s.days); day++ {
		for i := range s.table.Connections {
			c := &s.table.Connections[i]
			depart := day*timetable.DaySeconds + int64(c.TimeOfDay())
			if depart > s.end {
				break // what follows today is later still, and tomorrow is past the end too
			}
			serviceDay := day - int64(c.DayOffset())
			trip := &s.table.Trips[c.Trip]
			if depart < s.start || serviceDay < 0 || !s.allowed[trip.Kind] || !running[trip.Service][serviceDay] {
				continue
			}
			s.connection(c, trip.Kind, depart, int(serviceDay))
		}
	}
}

func (s *scan) calendar() [][]bool {
	running := make([][]bool, len(s.table.Services))
	for i, service := range s.table.Services {
		running[i] = make([]bool, s.days)
		for day := range running[i] {
			running[i][day] = service.Runs(s.base.AddDate(0, 0, day))
		}
	}
	return running
}

func (s *scan) connection(c *timetable.Connection, kind timetable.Kind, depart int64, serviceDay int) {
	fare := s.fare[kind]
	runs := s.boarded[(int(c.Trip)*s.days+serviceDay)*s.rides:][:s.rides]
	arrive := depart + int64(c.Arrive-c.Depart)
	for k := 1; k <= s.rides; k++ {
		on := &runs[k-1]
		if from := s.ready[k-1][c.From].until(depart - s.board[kind]); from != nil {
			price := from.price + fare.Base*1000 - fare.PerKm*c.StartMetres
			if s.latest {
				price = from.price
				if k == 1 {
					price = -(depart - s.board[kind] - from.road.seconds)
				}
			}
			if !on.on || price < on.price {
				*on = boarding{on: true, price: price, label: from, board: c.From, depart: depart, start: c.StartMetres}
			}
		}
		if !on.on {
			continue
		}
		price := on.price
		if !s.latest {
			price += fare.PerKm * c.EndMetres
		}
		s.arrive(k, c, kind, on, arrive, price)
	}
}

// exit is the place in arrived of a stop and the kind one gets off there.
func exit(stop int32, kind timetable.Kind) int { return int(stop)*timetable.Kinds + int(kind) }

// arrive records that c's end is reached with k rides.
func (s *scan) arrive(k int, c *timetable.Connection, kind timetable.Kind, on *boarding, at, price int64) {
	place := exit(c.To, kind)
	for fewer := 1; fewer <= k; fewer++ {
		if s.arrived[fewer][place].covers(at, price) || s.done[fewer].covers(at, price) {
			return
		}
	}
	here := &label{at: at, price: price, prev: on.label, stop: c.To, ride: &ride{
		trip: c.Trip, board: on.board, depart: on.depart, arrive: at, metres: c.EndMetres - on.start,
	}}
	s.arrived[k][place] = s.arrived[k][place].insert(here)
	s.offer(k, here)
	out := at + s.alight[kind]
	for _, l := range s.interchange[c.To] {
		moved := &label{at: out + l.way.seconds, price: price, prev: here, stop: l.stop, road: l.way, walk: l.walk}
		if !s.latest && !l.walk {
			moved.price += s.roadFare.of(l.way.metres)
		}
		s.offer(k, moved)
	}
	last, ends := s.egress[c.To]
	if !ends {
		return
	}
	end := &label{at: out + last.seconds, price: price + s.roadFare.of(last.metres), prev: here, stop: -1, road: last}
	for fewer := 1; fewer <= k; fewer++ {
		if s.done[fewer].covers(end.at, end.price) {
			return
		}
	}
	s.done[k] = s.done[k].insert(end)
	s.end = min(s.end, end.at+s.slack)
}

func (s *scan) offer(k int, l *label) {
	for fewer := 0; fewer <= k; fewer++ {
		// In the latest-departure mode a label of no rides has no price yet.
		if (fewer > 0 || !s.latest) && s.ready[fewer][l.stop].covers(l.at, l.price) {
			return
		}
	}
	s.ready[k][l.stop] = s.ready[k][l.stop].insert(l)
}
