package planner

import (
	"slices"
	"sync"

	"huhang.example/services/transfer/timetable"
)

// bound is the least that is still to come on any way to the ward: each number for itself, maybe by different ways.
type bound struct {
	seconds     int32
	price, risk int64
}

var never = bound{seconds: unreachable, price: 1 << 60, risk: 1 << 60}

func (b *bound) lower(seconds int32, price, risk int64) {
	b.seconds, b.price, b.risk = min(b.seconds, seconds), min(b.price, price), min(b.risk, risk)
}

// moment is the part of a bound that the time of day tells: counted from the beginning of its slot of the day, not from
// when one stands there.
type moment struct{ seconds, risk int32 }

func (m *moment) lower(seconds int32, risk int64) {
	m.seconds, m.risk = min(m.seconds, seconds), int32(min(int64(m.risk), risk))
}

// bounds are lower bounds by stop, time of day and number of further rides, so that a search towards one destination leaves
// alone what leads away from it or would wait too long. They hold on every day: all trips count as if they ran daily.
type bounds struct {
	rides, slots int
	width        int32    // seconds of a slot
	last         []bound  // by stop, just off a ride that was the last
	riding       []moment // by stop and slot, about to board, [j] with j rides more; [0] is unused
	staying      []moment // just off a ride, [j] with j rides more; [0] is unused
	ridingFor    []int64  // prices, by stop and rides more, at any time
	stayingFor   []int64
}

// ahead is what is still to come from a stop at a time.
type ahead struct {
	now   []moment
	price []int64
	past  int32 // of the slot
	last  *bound
}

// slot is the part of the day in which a time is, and how much of it has gone. With one slot only the times do not count.
func (b *bounds) slot(at int32) (slot int, past int32) {
	if b.slots == 1 {
		return 0, 0
	}
	tod := (at%timetable.DaySeconds + timetable.DaySeconds) % timetable.DaySeconds
	return int(tod / b.width), tod % b.width
}

func (b *bounds) ride(stop, at int32) ahead {
	slot, past := b.slot(at)
	return ahead{now: b.rideIn(stop, slot), price: b.ridingFor[int(stop)*(b.rides+1):], past: past}
}

func (b *bounds) stay(stop, at int32) ahead {
	slot, past := b.slot(at)
	return ahead{now: b.stayIn(stop, slot), price: b.stayingFor[int(stop)*(b.rides+1):], past: past, last: &b.last[stop]}
}

func (b *bounds) rideIn(stop int32, slot int) []moment {
	return b.riding[(int(stop)*b.slots+slot)*(b.rides+1):][:b.rides+1]
}

func (b *bounds) stayIn(stop int32, slot int) []moment {
	return b.staying[(int(stop)*b.slots+slot)*(b.rides+1):][:b.rides+1]
}

// least is the bound with j rides more, as of a time the slot of which has gone by past.
func (a *ahead) least(j int32, wait int64) bound {
	if j == 0 {
		return *a.last
	}
	m := a.now[j]
	return bound{m.seconds - a.past, a.price[j], int64(m.risk) - wait*int64(a.past)}
}

// hope computes the bounds for the destination the scratch is set to, going backwards from it one ride at a time.
func (s *scratch) hope(p *core, slots int) *bounds {
	stops, width := len(p.served), int(s.rides)+1
	b := &bounds{
		rides: int(s.rides), slots: slots, width: timetable.DaySeconds / int32(slots), last: slices.Repeat([]bound{never}, stops),
		riding: slices.Repeat([]moment{{unreachable, unreachable}}, stops*slots*width), ridingFor: slices.Repeat([]int64{never.price}, stops*width),
	}
	b.staying, b.stayingFor = slices.Clone(b.riding), slices.Clone(b.ridingFor)
	alight := min(s.alight[0], s.alight[1])
	for _, l := range s.egressAt {
		b.last[l.stop].lower(alight+int32(l.way.seconds), s.roadFare.of(l.way.metres),
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
			s.waiting(b, stop, j)
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
	ahead := never // of staying aboard, from the departure of the connection before
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
		off := b.stay(c.to, c.tod+c.dur)
		here := s.onwards(c, after, &ahead, off.least(int32(j-1), s.wait))
		if c.flags&noBoard == 0 && here.seconds < unreachable {
			slot, past := b.slot(c.tod)
			b.rideIn(c.from, slot)[j].lower(past+here.seconds, s.wait*int64(past)+s.handling+here.risk)
			price := &b.ridingFor[int(c.from)*(b.rides+1)+j]
			*price = min(*price, s.fare[c.kind].Base*1000+here.price)
		}
		ahead, after = here, c
	}
}

// onwards is the bound of who is aboard when the connection departs: stays on for the one after it, or gets off and goes on.
func (s *scratch) onwards(c, after *conn, ahead *bound, off bound) bound {
	rate, price := s.rate[c.kind], s.fare[c.kind].PerKm*int64(c.end-c.start)
	here := never
	if after != nil && ahead.seconds < unreachable {
		gap := departure(after) - departure(c)
		here.lower(gap+ahead.seconds, price+ahead.price, rate*int64(gap)+ahead.risk)
	}
	if c.flags&noAlight == 0 && off.seconds < unreachable/2 {
		here.lower(c.dur+off.seconds, price+off.price, rate*int64(c.dur)+off.risk)
	}
	return here
}

// departure is comparable within one trip.
func departure(c *conn) int32 { return int32(c.off)*timetable.DaySeconds + c.tod }

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

// waiting lets who stands at the stop wait for what leaves in later slots, also of the next day.
func (s *scratch) waiting(b *bounds, stop int32, j int) {
	if b.slots == 1 {
		return
	}
	next := b.rideIn(stop, 0)[j]
	for range 2 {
		for slot := b.slots - 1; slot >= 0; slot-- {
			here := &b.rideIn(stop, slot)[j]
			if next.seconds < unreachable {
				here.lower(b.width+next.seconds, s.wait*int64(b.width)+int64(next.risk))
			}
			next = *here
		}
	}
}

// change lowers the bounds of who gets off at the stop and rides on.
func (s *scratch) change(p *core, b *bounds, stop int32, j int) {
	board, alight := min(s.board[0], s.board[1]), min(s.alight[0], s.alight[1])
	s.onto(b, stop, stop, j, max(board, p.change[stop]), 0, 0)
	for i := p.hopFrom[stop]; i < p.hopFrom[stop+1]; i++ {
		l := &p.hops[i]
		seconds := int32(l.way.seconds)
		switch {
		case l.inside:
			s.onto(b, stop, l.stop, j, max(board, seconds), 0, 0)
		case l.walk:
			s.onto(b, stop, l.stop, j, alight+seconds+board, 0, 0)
		default:
			s.onto(b, stop, l.stop, j, alight+seconds+board, s.roadFare.of(l.way.metres), s.handling+(s.roadRate-s.wait)*int64(seconds))
		}
	}
}

// onto lowers the bounds of who gets off at a stop and is ready to board at another after so many seconds.
func (s *scratch) onto(b *bounds, stop, next int32, j int, wait int32, price, risk int64) {
	least := b.ridingFor[int(next)*(b.rides+1)+j]
	if wait >= unreachable || least >= never.price {
		return
	}
	here := &b.stayingFor[int(stop)*(b.rides+1)+j]
	*here = min(*here, price+least)
	for slot := range b.slots {
		then, past := b.slot(int32(slot)*b.width + wait)
		if b.slots == 1 {
			past = 0
		}
		if m := b.rideIn(next, then)[j]; m.seconds < unreachable {
			b.stayIn(stop, slot)[j].lower(wait-past+m.seconds, risk+s.wait*int64(wait-past)+int64(m.risk))
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

// slots is into how many parts bounds that are kept divide the day.
const slots = 48

// mostBounds is how many are kept; one is 2.6 MB for a network of 670 stops.
const mostBounds = 64

// bound returns the bounds for the destination, from the cache where nothing but the timetable counts.
func (p *core) bound(s *scratch, to spot, feeder Mode) *bounds {
	key := boundKey{city: to.city, allowed: s.allowed, board: s.board, alight: s.alight, feeder: feeder, move: s.handling}
	if to.city == "" || len(s.extra) > 0 {
		return s.hope(p, 1)
	}
	p.bounds.mu.Lock()
	b, ok := p.bounds.kept[key]
	p.bounds.mu.Unlock()
	if ok {
		return b
	}
	b = s.hope(p, slots)
	p.bounds.mu.Lock()
	defer p.bounds.mu.Unlock()
	if p.bounds.kept == nil || len(p.bounds.kept) >= mostBounds {
		p.bounds.kept = make(map[boundKey]*bounds, mostBounds)
	}
	p.bounds.kept[key] = b
	return b
}
