package planner

import "sync"

// bound is the least that is still to come on any way to the ward: each number for itself, maybe by different ways.
type bound struct {
	seconds     int32
	price, risk int64
}

var never = bound{seconds: unreachable, price: 1 << 60, risk: 1 << 60}

func (b *bound) lower(seconds int32, price, risk int64) {
	b.seconds, b.price, b.risk = min(b.seconds, seconds), min(b.price, price), min(b.risk, risk)
}

// bounds are lower bounds by stop and number of further rides, so that a search towards one destination leaves alone what
// leads away from it. They hold on every day: all trips count as if they ran whenever one wants.
type bounds struct {
	rides   int
	riding  []bound // about to board, [j] with j rides more; [0] is unused
	staying []bound // just off a ride, [j] with j rides more
}

func (b *bounds) ride(stop int32) []bound { return b.riding[int(stop)*(b.rides+1):][:b.rides+1] }
func (b *bounds) stay(stop int32) []bound { return b.staying[int(stop)*(b.rides+1):][:b.rides+1] }

// hope computes the bounds for the destination the scratch is set to, going backwards from it one ride at a time.
func (s *scratch) hope(p *core) *bounds {
	stops, width := len(p.served), int(s.rides)+1
	b := &bounds{rides: int(s.rides), riding: make([]bound, stops*width), staying: make([]bound, stops*width)}
	for i := range b.riding {
		b.riding[i], b.staying[i] = never, never
	}
	alight := min(s.alight[0], s.alight[1])
	for _, l := range s.egressAt {
		b.stay(l.stop)[0].lower(alight+int32(l.way.seconds), s.roadFare.of(l.way.metres),
			s.wait*int64(alight)+s.handling+s.roadRate*l.way.seconds)
	}
	for j := 1; j <= int(s.rides); j++ {
		for _, list := range p.byTrip {
			s.back(p, b, list, j, nil)
		}
		for i := 0; i < len(s.extra); {
			i = s.backExtra(p, b, i, j)
		}
		for stop := range int32(stops) {
			s.change(p, b, stop, j)
		}
	}
	return b
}

// back lowers the bounds of the stops of one trip for j more rides, of which this is the first.
func (s *scratch) back(p *core, b *bounds, list []int32, j int, run []conn) {
	n := max(len(list), len(run))
	var ahead bound // of staying aboard, from the departure of the connection before
	var after *conn
	for i := n - 1; i >= 0; i-- {
		var c *conn
		if run != nil {
			c = &run[i]
		} else {
			c = &p.conns[list[i]]
		}
		if i == n-1 && !s.allowed[c.kind] {
			return
		}
		rate, perKm := s.rate[c.kind], s.fare[c.kind].PerKm
		metres := int64(c.end - c.start)
		here := never
		if after != nil {
			gap := departure(after) - departure(c)
			here.lower(gap+ahead.seconds, perKm*metres+ahead.price, rate*int64(gap)+ahead.risk)
		}
		if off := b.stay(c.to)[j-1]; c.flags&noAlight == 0 && off.seconds < unreachable {
			here.lower(c.dur+off.seconds, perKm*metres+off.price, rate*int64(c.dur)+off.risk)
		}
		if c.flags&noBoard == 0 && here.seconds < unreachable {
			b.ride(c.from)[j].lower(here.seconds, s.fare[c.kind].Base*1000+here.price, s.handling+here.risk)
		}
		ahead, after = here, c
		if here.seconds >= unreachable {
			ahead = never
		}
	}
}

// departure is comparable within one trip.
func departure(c *conn) int32 { return int32(c.off)*86400 + c.tod }

// backExtra does the same for a changed run, which may be quicker between two calls than any by the timetable.
func (s *scratch) backExtra(p *core, b *bounds, at, j int) int {
	first := s.extra[at]
	var run []conn
	for i := range s.extra {
		if c := s.extra[i]; c.trip == first.trip && c.off == first.off {
			if i < at {
				return at + 1 // done when its first connection was met
			}
			run = append(run, c)
		}
	}
	s.back(p, b, nil, j, run)
	return at + 1
}

// change lowers the bounds of who gets off at the stop and rides on.
func (s *scratch) change(p *core, b *bounds, stop int32, j int) {
	here := &b.stay(stop)[j]
	board := min(s.board[0], s.board[1])
	from := func(next *bound, wait int32, price, risk int64) {
		if next.seconds < unreachable && wait < unreachable {
			here.lower(wait+next.seconds, price+next.price, risk+s.wait*int64(wait)+next.risk)
		}
	}
	from(&b.ride(stop)[j], max(board, p.change[stop]), 0, 0)
	alight := min(s.alight[0], s.alight[1])
	for i := p.hopFrom[stop]; i < p.hopFrom[stop+1]; i++ {
		l := &p.hops[i]
		next := &b.ride(l.stop)[j]
		seconds := int32(l.way.seconds)
		switch {
		case l.inside:
			from(next, max(board, seconds), 0, 0)
		case l.walk:
			from(next, alight+seconds+board, 0, 0)
		default:
			from(next, alight+seconds+board, s.roadFare.of(l.way.metres), s.handling+(s.roadRate-s.wait)*int64(seconds))
		}
	}
}

// boundKey is what bounds depend on besides timetable and rules.
type boundKey struct {
	city    string
	allowed [kinds]bool
	board   [kinds]int32
	alight  [kinds]int32
	feeder  Mode
	move    int64
}

// boundCache keeps the bounds of the cities asked for last: the line's centers are few.
type boundCache struct {
	mu   sync.Mutex
	kept map[boundKey]*bounds
}

// mostBounds is how many are kept; one is 0.1 MB for a network of 670 stops.
const mostBounds = 64

// bound returns the bounds for the destination, from the cache where nothing but the timetable counts.
func (p *core) bound(s *scratch, to spot, feeder Mode) *bounds {
	key := boundKey{city: to.city, allowed: s.allowed, board: s.board, alight: s.alight, feeder: feeder, move: s.handling}
	if to.city == "" || len(s.extra) > 0 {
		return s.hope(p)
	}
	p.bounds.mu.Lock()
	b, ok := p.bounds.kept[key]
	p.bounds.mu.Unlock()
	if ok {
		return b
	}
	b = s.hope(p)
	p.bounds.mu.Lock()
	defer p.bounds.mu.Unlock()
	if p.bounds.kept == nil || len(p.bounds.kept) >= mostBounds {
		p.bounds.kept = make(map[boundKey]*bounds, mostBounds)
	}
	p.bounds.kept[key] = b
	return b
}
