package planner

import (
	"slices"

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

// cell is a bound as it is kept, rounded down: 11 bits of time, 11 of price and 10 of risk in half a word, for what a search
// waits for is memory.
type cell uint32

const (
	cellSeconds = 120
	cellPrice   = 2 * 100_000 // yuan
	cellRisk    = riskUnit / 4
	// nowhere is in the time of a bound when there is no way.
	nowhere = cell11
	cell11  = 1<<11 - 1
	cell10  = 1<<10 - 1
)

func cellOf(seconds int32, price, risk int64) cell {
	if seconds >= unreachable {
		return nowhere
	}
	return cell(min(max(seconds, 0)/cellSeconds, nowhere-1)) | cell(min(max(price, 0)/cellPrice, cell11))<<11 | cell(min(max(risk, 0)/cellRisk, cell10))<<22
}

func (c cell) any() bool      { return c&cell11 != nowhere }
func (c cell) seconds() int32 { return int32(c&cell11) * cellSeconds }
func (c cell) price() int64   { return int64(c>>11&cell11) * cellPrice }
func (c cell) risk() int64    { return int64(c>>22) * cellRisk }

// bounds are lower bounds by number of further rides, so that a search towards one destination leaves alone what leads away
// from it or would wait too long. They hold on every day: all trips count as if they ran daily. In those by stop and slot of
// the day times and risks count from the beginning of the slot, not from when one stands there.
type bounds struct {
	rides, slots int
	width        int32   // seconds of a slot
	last         []bound // by stop, just off a ride that was the last
	riding       []cell  // by stop and slot, about to board, [j-1] with j rides more
	staying      []cell  // by stop and slot, just off a ride, [j-1] with j rides more
	leaving      []cell  // the same of who goes on to another stop
	on           []cell  // by connection of the timetable, who boards it or is aboard as it departs, [j-1] with j rides more
	open         []cell  // where there is none
}

// ahead is what is still to come from a stop at a time.
type ahead struct {
	now  []cell
	past int32 // of the slot
	last *bound
}

// slot is the part of the day in which a time is, and how much of it has gone. With one slot only the times do not count.
func (b *bounds) slot(at int32) (slot, past int32) {
	if b.slots == 1 {
		return 0, 0
	}
	if at %= timetable.DaySeconds; at < 0 {
		at += timetable.DaySeconds
	}
	return at / b.width, at % b.width
}

func (b *bounds) ride(stop, at int32) ahead {
	slot, past := b.slot(at)
	return ahead{now: b.riding[(int(slot)*len(b.last)+int(stop))*b.rides:][:b.rides], past: past}
}

func (b *bounds) stay(stop, at int32) ahead {
	slot, past := b.slot(at)
	return ahead{now: b.staying[(int(slot)*len(b.last)+int(stop))*b.rides:][:b.rides], past: past, last: &b.last[stop]}
}

func (b *bounds) leave(stop, at int32) ahead {
	slot, past := b.slot(at)
	return ahead{now: b.leaving[(int(slot)*len(b.last)+int(stop))*b.rides:][:b.rides], past: past}
}

func (b *bounds) aboard(ref int32) ahead {
	if (int(ref)+1)*b.rides > len(b.on) {
		return ahead{now: b.open}
	}
	return ahead{now: b.on[int(ref)*b.rides:][:b.rides]}
}

// moment is the part of a bound that the time of day tells.
type moment struct {
	seconds int32
	risk    int64
}

// level is the bounds with one number of rides more, while they are made: by stop and slot, and the prices by stop.
type level struct {
	*bounds
	riding, staying, leaving          []moment
	ridingFor, stayingFor, leavingFor []int64
}

func (l *level) clear() {
	for i := range l.riding {
		m := moment{unreachable, never.risk}
		l.riding[i], l.staying[i], l.leaving[i] = m, m, m
	}
	for i := range l.ridingFor {
		l.ridingFor[i], l.stayingFor[i], l.leavingFor[i] = never.price, never.price, never.price
	}
}

func (m *moment) lower(seconds int32, risk int64) {
	m.seconds, m.risk = min(m.seconds, seconds), min(m.risk, risk)
}

func newLevel(b *bounds) *level {
	stops := len(b.last)
	l := &level{
		bounds: b,
		riding: make([]moment, stops*b.slots), staying: make([]moment, stops*b.slots), leaving: make([]moment, stops*b.slots),
		ridingFor: make([]int64, stops), stayingFor: make([]int64, stops), leavingFor: make([]int64, stops),
	}
	l.clear()
	return l
}

// hope computes the bounds for the destination the scratch is set to, going backwards from it one ride at a time. late are
// the runs that go otherwise, as if every day: they may be quicker between two calls than any by the timetable.
func (s *scratch) hope(p *core, slots int, late [][]conn) *bounds {
	stops, rides := len(p.served), int(s.rides)
	b := &bounds{
		rides: rides, slots: slots, width: timetable.DaySeconds / int32(slots),
		last: slices.Repeat([]bound{never}, stops), open: make([]cell, rides),
		riding: make([]cell, stops*slots*rides), staying: make([]cell, stops*slots*rides), leaving: make([]cell, stops*slots*rides),
	}
	if len(p.conns) <= mostBounded {
		b.on = make([]cell, len(p.conns)*rides)
	}
	alight := min(s.alight[0], s.alight[1])
	for _, l := range s.egressAt {
		b.last[l.stop].lower(alight+int32(l.way.seconds), s.roadFare.of(l.way.metres),
			s.wait*int64(alight)+s.handling+s.roadRate*l.way.seconds)
	}
	before, here := newLevel(b), newLevel(b)
	for j := 1; j <= rides; j++ {
		here.clear()
		for _, list := range p.byTrip {
			s.back(p, here, before, list, j)
		}
		for _, run := range late {
			s.backLate(here, before, run, j)
		}
		for stop := range int32(stops) {
			s.waiting(here, stop)
		}
		for stop := range int32(stops) {
			s.change(p, here, stop)
		}
		for stop := range stops {
			for slot := range slots {
				i, to := stop*slots+slot, (slot*stops+stop)*rides+j-1
				b.riding[to] = cellOf(here.riding[i].seconds, here.ridingFor[stop], here.riding[i].risk)
				b.staying[to] = cellOf(here.staying[i].seconds, here.stayingFor[stop], here.staying[i].risk)
				b.leaving[to] = cellOf(here.leaving[i].seconds, here.leavingFor[stop], here.leaving[i].risk)
			}
		}
		before, here = here, before
	}
	return b
}

// back lowers the bounds of the stops of one trip for j rides more, of which this is the first.
func (s *scratch) back(p *core, here, before *level, list []int32, j int) {
	if len(list) == 0 {
		return
	}
	allowed := s.allowed[p.conns[list[0]].kind]
	ahead := never // of staying aboard, from the departure of the connection before
	var after *conn
	for i := len(list) - 1; i >= 0; i-- {
		c := &p.conns[list[i]]
		if allowed {
			ahead = s.boarding(here, before, c, after, ahead, j)
		}
		if len(here.on) > 0 {
			here.on[int(list[i])*here.rides+j-1] = cellOf(ahead.seconds, ahead.price+s.fare[c.kind].Base*1000, ahead.risk+s.handling)
		}
		after = c
	}
}

// backLate does the same for a changed run.
func (s *scratch) backLate(here, before *level, run []conn, j int) {
	if len(run) == 0 || !s.allowed[run[0].kind] {
		return
	}
	ahead := never
	var after *conn
	for i := len(run) - 1; i >= 0; i-- {
		ahead = s.boarding(here, before, &run[i], after, ahead, j)
		after = &run[i]
	}
}

// boarding is the bound of who is aboard as the connection departs, and lowers that of who boards it there.
func (s *scratch) boarding(here, before *level, c, after *conn, ahead bound, j int) bound {
	off := before.off(c.to, c.tod+c.dur, s.wait, j)
	on := s.onwards(c, after, &ahead, off)
	if c.flags&noBoard == 0 && on.seconds < unreachable {
		slot, past := here.slot(c.tod)
		here.riding[int(c.from)*here.slots+int(slot)].lower(past+on.seconds, s.wait*int64(past)+s.handling+on.risk)
		price := &here.ridingFor[c.from]
		*price = min(*price, s.fare[c.kind].Base*1000+on.price)
	}
	return on
}

// off is the bound of who gets off at the stop, with one ride less to come than j.
func (l *level) off(stop, at int32, wait int64, j int) bound {
	if j == 1 {
		return l.last[stop]
	}
	slot, past := l.slot(at)
	m := &l.staying[int(stop)*l.slots+int(slot)]
	if m.seconds >= unreachable {
		return never
	}
	return bound{m.seconds - past, l.stayingFor[stop], m.risk - wait*int64(past)}
}

// onwards is the bound of who is aboard when the connection departs: stays on for the one after it, or gets off and goes on.
func (s *scratch) onwards(c, after *conn, ahead *bound, off bound) bound {
	rate, price := s.rate[c.kind], s.fare[c.kind].PerKm*int64(c.end-c.start)
	here := never
	if after != nil && ahead.seconds < unreachable {
		gap := departure(after) - departure(c)
		here.lower(gap+ahead.seconds, price+ahead.price, rate*int64(gap)+ahead.risk)
	}
	if c.flags&noAlight == 0 && off.seconds < unreachable {
		here.lower(c.dur+off.seconds, price+off.price, rate*int64(c.dur)+off.risk)
	}
	return here
}

// departure is comparable within one trip.
func departure(c *conn) int32 { return int32(c.off)*timetable.DaySeconds + c.tod }

// waiting lets who stands at the stop wait for what leaves in later slots, also of the next day.
func (s *scratch) waiting(l *level, stop int32) {
	if l.slots == 1 {
		return
	}
	all := l.riding[int(stop)*l.slots:][:l.slots]
	next := all[0]
	for range 2 {
		for slot := l.slots - 1; slot >= 0; slot-- {
			if next.seconds < unreachable {
				all[slot].lower(l.width+next.seconds, s.wait*int64(l.width)+next.risk)
			}
			next = all[slot]
		}
	}
}

// change lowers the bounds of who gets off at the stop and rides on.
func (s *scratch) change(p *core, b *level, stop int32) {
	board, alight := min(s.board[0], s.board[1]), min(s.alight[0], s.alight[1])
	for i := p.hopFrom[stop]; i < p.hopFrom[stop+1]; i++ {
		l := &p.hops[i]
		seconds := int32(l.way.seconds)
		switch {
		case l.inside:
			s.onto(b, stop, l.stop, max(board, seconds), 0, 0)
		case l.walk:
			s.onto(b, stop, l.stop, alight+seconds+board, 0, 0)
		default:
			s.onto(b, stop, l.stop, alight+seconds+board, s.roadFare.of(l.way.metres), s.handling+(s.roadRate-s.wait)*int64(seconds))
		}
	}
	copy(b.leaving[int(stop)*b.slots:][:b.slots], b.staying[int(stop)*b.slots:])
	b.leavingFor[stop] = b.stayingFor[stop]
	s.onto(b, stop, stop, max(board, p.change[stop]), 0, 0)
}

// onto lowers the bounds of who gets off at a stop and is ready to board at another after so many seconds.
func (s *scratch) onto(b *level, stop, next int32, wait int32, price, risk int64) {
	least := b.ridingFor[next]
	if wait >= unreachable || least >= never.price {
		return
	}
	b.stayingFor[stop] = min(b.stayingFor[stop], price+least)
	for slot := range int32(b.slots) {
		then, past := b.slot(slot*b.width + wait)
		if b.slots == 1 {
			past = 0
		}
		if m := &b.riding[int(next)*b.slots+int(then)]; m.seconds < unreachable {
			b.staying[int(stop)*b.slots+int(slot)].lower(wait-past+m.seconds, risk+s.wait*int64(wait-past)+m.risk)
		}
	}
}
