package planner

import (
	"slices"
	"sort"
	"time"

	"huhang.example/services/transfer/timetable"
)

// unreachable is later than anything.
const unreachable = int32(1) << 30

// scratch is one query: what is asked in the planner's own terms, and the memory to answer it in. It is used again, so
// that a query in a warm planner allocates its answer and nothing else.
type scratch struct {
	// base is midnight of the first service day looked at; all times count from it, in seconds.
	base     time.Time
	firstDay int32 // its day number
	days     int32
	start    int32
	end      int32 // nothing departs after
	running  [][]uint64

	allowed       [kinds]bool
	board, alight [kinds]int32
	// earliest is before which nothing of the kind may be boarded: the help desk wants to be told.
	earliest [kinds]int32
	fare     [kinds]Fare
	rate     [kinds]int64 // risk a second
	wait     int64        // risk a second between vehicles
	roadRate int64
	handling int64 // risk of getting into or out of a vehicle
	roadFare Fare
	cents    milliFen // to which a price is rounded
	rides    int32
	escort   Escort
	whys     []reason
	hours    int32 // from door to door at most; 0: no bound
	latest   int32 // arrives no later than
	lying    bool  // on a stretcher: trips that take no wheelchair are left alone

	access   []link
	entered  bool    // the first of access is the stop inside which the patient is
	egress   []int32 // by stop, seconds of the last road
	egressAt []link
	// egressMetres is the length of that road.
	egressMetres []int64

	masked  []bool // by run: gone from the timetable
	changed bool
	asked   *Overlay
	extra   []conn // the changed runs as they go, by departure

	ea     earliestState
	pareto paretoState
	shared profileState
}

// segment is connections in the order of their departure, whose tod counts from base.
type segment struct {
	conns []conn
	first int32 // reference of conns[0]: its place in the timetable, or after its end that in extra
	base  int32
	day   int32
}

// serviceDay is that of the connection's run, before the first if less than 0. Of a changed run it stands in off.
func (g *segment) serviceDay(c *conn) int32 {
	if g.day < 0 {
		return int32(c.off)
	}
	return g.day - int32(c.off)
}

// walker goes through the timetable's connections and the changed runs' together, in the order of their departures.
type walker struct {
	s       *scratch
	conns   []conn
	at      int // in conns
	day     int32
	changed int // in extra
}

// walk begins at the start of the query.
func (s *scratch) walk(conns []conn) walker {
	w := walker{s: s, conns: conns, day: s.start / timetable.DaySeconds}
	tod := s.start % timetable.DaySeconds
	w.at = sort.Search(len(conns), func(i int) bool { return conns[i].tod >= tod })
	w.changed = sort.Search(len(s.extra), func(i int) bool { return s.extra[i].tod >= s.start })
	return w
}

// next returns the connections up to the next changed run, or up to the end of the day.
func (w *walker) next() (segment, bool) {
	for {
		base := w.day * timetable.DaySeconds
		if base > w.s.end {
			if w.changed < len(w.s.extra) {
				return w.one(), true
			}
			return segment{}, false
		}
		until := len(w.conns)
		if w.changed < len(w.s.extra) {
			// Of two that depart together either may come first: nobody changes in no time.
			bound := w.s.extra[w.changed].tod - base
			until = w.at + sort.Search(len(w.conns)-w.at, func(i int) bool { return w.conns[w.at+i].tod > bound })
		}
		if w.at < until {
			seg := segment{conns: w.conns[w.at:until], first: int32(w.at), base: base, day: w.day}
			w.at = until
			return seg, true
		}
		if until < len(w.conns) {
			return w.one(), true
		}
		w.at, w.day = 0, w.day+1
	}
}

func (w *walker) one() segment {
	w.changed++
	return segment{conns: w.s.extra[w.changed-1 : w.changed], first: int32(len(w.conns) + w.changed - 1), day: -1}
}

// run returns the place of a connection's run, or -1 when it does not go on that day.
func (s *scratch) run(seg *segment, c *conn, services []int32) int32 {
	if seg.day < 0 {
		return c.trip*s.days + int32(c.off)
	}
	sd := seg.day - int32(c.off)
	if sd < 0 || sd >= s.days {
		return -1
	}
	service := services[c.trip]
	if s.running[sd][service/64]&(1<<(service%64)) == 0 {
		return -1
	}
	run := c.trip*s.days + sd
	if s.changed && s.masked[run] {
		return -1
	}
	return run
}

// usable reports whether the query may use trips of the connection at all.
func (s *scratch) usable(c *conn) bool {
	return s.allowed[c.kind] && (!s.lying || c.flags&noWheelchair == 0)
}

// ref is a connection by its reference.
func (s *scratch) ref(conns []conn, at int32) *conn {
	if int(at) < len(conns) {
		return &conns[at]
	}
	return &s.extra[int(at)-len(conns)]
}

// departs is when the connection of a run on the service day leaves, arrives when it is there.
func (s *scratch) departs(conns []conn, at, sd int32) int32 {
	c := s.ref(conns, at)
	if int(at) >= len(conns) {
		return c.tod
	}
	return (sd+int32(c.off))*timetable.DaySeconds + c.tod
}

func (s *scratch) arrives(conns []conn, at, sd int32) int32 {
	return s.departs(conns, at, sd) + s.ref(conns, at).dur
}

// sized returns a slice of n zeros in the memory of old.
func sized[T any](old []T, n int) []T {
	old = slices.Grow(old[:0], n)[:n]
	clear(old)
	return old
}
