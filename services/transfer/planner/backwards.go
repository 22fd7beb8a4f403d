package planner

import (
	"slices"
	"sort"
	"time"

	"huhang.example/services/transfer/timetable"
)

// backwards makes the bounds and the guide of one destination, going backwards from it one ride at a time.
type backwards struct {
	*bounds
	s *scratch
	p *core
	// conns are those of the timetable and after them the late runs', as if they too went every day so late: they may be
	// quicker from one call to another than any by the timetable.
	conns   []conn
	trips   [][]int32
	queues  []queue  // by stop and kind
	on, off []coming // by connection, of who is aboard as it departs, and of who gets off at its end
	// onward[from[c]:from[c+1]] is where one can go on to from the end of connection c, first to other stops.
	onward  []onward
	from    []int32
	slotted [2][]bound // by stop and slot, of who gets off and of who goes on, where by has no place for them
}

// coming is the bound of all that may come, and how to go on by the guide.
type coming struct {
	bound
	step
	cost int64
}

var nothing = coming{never, noStep, never.price}

// onward is where one can go on to after getting off.
type onward struct {
	queue, hop int32 // hop -1: one stays
	next       int32 // the first in the queue that can be caught
	ready      int32 // so many seconds after getting off
	tod        int32 // the time of day it is then
}

// queue is the departures of a kind from one stop in the order of the day, and what comes of who waits from each on, after the
// last until the next day's.
type queue struct {
	refs, tods []int32
	waits      []waiting
	kind       int
	price      int64
}

// waiting is the first second at the ward, the least risk and, by the guide, the least cost, both as if one had waited since
// midnight, and what is boarded for that cost.
type waiting struct {
	risk, cost     int64
	seconds, board int32
}

// hope computes the bounds for the destination the scratch is set to; if each, of each connection and with a guide. late are
// the runs that go otherwise than the timetable says.
func (s *scratch) hope(p *core, slots int, each bool, late [][]conn) *bounds {
	stops, rides := len(p.served), int(s.rides)
	m := &backwards{s: s, p: p, bounds: &bounds{
		rides: rides, slots: slots, width: timetable.DaySeconds / int32(slots), stops: stops,
		open: make([]cell, rides), riding: make([]cell, stops*slots*rides),
	}}
	if each {
		m.by, m.guide = make([]cell, len(p.conns)*doings*rides), newGuide(len(p.conns), rides)
	} else {
		m.staying, m.leaving = make([]cell, stops*slots*rides), make([]cell, stops*slots*rides)
	}
	m.lay(late)
	m.arrive()
	for j := 1; j <= rides; j++ {
		for _, list := range m.trips {
			m.trip(list, j)
		}
		for i := range m.queues {
			m.wait(&m.queues[i], j)
		}
		m.ready(j)
		if j < rides { // else nothing would come of it
			m.getOff(j)
		}
	}
	return m.bounds
}

// lay lays the network out, and finds where one can go on to.
func (m *backwards) lay(late [][]conn) {
	p, departures := m.p, m.p.departures
	m.conns, m.trips = p.conns, p.byTrip
	if len(late) > 0 {
		m.layLate(late)
		departures = departuresOf(m.conns, len(p.served))
	}
	m.queues = make([]queue, len(p.served)*kinds)
	for i := range m.queues {
		refs, tods := departures.of(i)
		m.queues[i] = queue{refs: refs, tods: tods, waits: make([]waiting, len(refs)+1), kind: i % kinds}
	}
	n, most := len(m.conns), 0
	for i := range m.conns {
		to := m.conns[i].to
		most += kinds * int(p.hopFrom[to+1]-p.hopFrom[to]+1)
	}
	m.on, m.off, m.from, m.onward = make([]coming, n), make([]coming, n), make([]int32, n+1), make([]onward, 0, most)
	for i := range m.conns {
		if c := &m.conns[i]; c.flags&noAlight == 0 && m.s.usable(c) {
			m.layOnward(c)
		}
		m.from[i+1] = int32(len(m.onward))
	}
}

// layLate puts the late runs behind the timetable's, counted from a day that none of them left before.
func (m *backwards) layLate(late [][]conn) {
	m.conns, m.trips = slices.Clip(m.conns), slices.Clip(m.trips)
	for _, run := range late {
		var list []int32
		for _, c := range run {
			at := c.tod + int32(longestDelay/time.Second) + timetable.DaySeconds
			c.tod, c.off = at%timetable.DaySeconds, uint8(at/timetable.DaySeconds)
			list, m.conns = append(list, int32(len(m.conns))), append(m.conns, c)
		}
		m.trips = append(m.trips, list)
	}
}

// layOnward finds where one can go on to from the end of a connection.
func (m *backwards) layOnward(c *conn) {
	onto := func(stop int32, kind int, hop, ready int32) {
		q := int(stop)*kinds + kind
		if tods := m.queues[q].tods; len(tods) > 0 && ready < unreachable {
			tod := (c.tod + c.dur + ready) % timetable.DaySeconds
			next := sort.Search(len(tods), func(i int) bool { return tods[i] >= tod })
			m.onward = append(m.onward, onward{queue: int32(q), hop: hop, next: int32(next), ready: ready, tod: tod})
		}
	}
	for hop := m.p.hopFrom[c.to]; hop < m.p.hopFrom[c.to+1]; hop++ {
		l := &m.p.hops[hop]
		for kind := range kinds {
			onto(l.stop, kind, hop, m.s.after(l, 0, m.s.alight[c.kind], kind))
		}
	}
	for kind := range kinds {
		onto(c.to, kind, -1, max(m.s.board[kind], m.p.change[c.to]))
	}
}

// arrive is what comes of who gets off and needs no other ride.
func (m *backwards) arrive() {
	s := m.s
	m.clear()
	for ref := range m.conns {
		c, out := &m.conns[ref], nothing
		if s.egress[c.to] < unreachable {
			seconds, price, risk := s.lastRoad(c)
			out = coming{bound{seconds, price, risk}, noStep, price + riskWorth*risk + secondWorth*int64(seconds)}
		}
		m.keep(c, int32(ref), atStaying, 0, &out.bound)
		m.off[ref] = out
	}
	m.collect(m.staying, atStaying, 0)
}

// trip is what comes of who is aboard, with j rides of which this is the first.
func (m *backwards) trip(list []int32, j int) {
	ahead := nothing
	for i := len(list) - 1; i >= 0; i-- {
		ref := list[i]
		c := &m.conns[ref]
		if m.s.usable(c) {
			var gap int32
			if i+1 < len(list) {
				gap = departure(&m.conns[list[i+1]]) - departure(c)
			}
			ahead = m.aboard(c, ref, gap, &ahead)
		}
		m.on[ref] = ahead
		if now, ok := m.at(ref, atBoarding); ok {
			now[j-1] = cellOf(ahead.seconds, ahead.price+m.s.fare[c.kind].Base*1000, ahead.risk+m.s.handling)
			m.guide.steps[int(ref)*m.rides+j-1] = ahead.step
		}
	}
}

// aboard is what comes of staying on for the connection after, which departs after the gap, or of getting off.
func (m *backwards) aboard(c *conn, ref, gap int32, ahead *coming) coming {
	rate, price := m.s.rate[c.kind], m.s.fare[c.kind].PerKm*int64(c.end-c.start)
	second := riskWorth*rate + secondWorth
	here := nothing
	if ahead.seconds < unreachable {
		here.lower(gap+ahead.seconds, price+ahead.price, rate*int64(gap)+ahead.risk)
		if ahead.cost < never.price {
			here.cost, here.step = price+second*int64(gap)+ahead.cost, ahead.step
		}
	}
	if off := &m.off[ref]; c.flags&noAlight == 0 && off.seconds < unreachable {
		here.lower(c.dur+off.seconds, price+off.price, rate*int64(c.dur)+off.risk)
		if cost := price + second*int64(c.dur) + off.cost; cost < here.cost {
			here.cost, here.step = cost, step{ref, off.board}
		}
	}
	return here
}

// departure is comparable within one trip.
func departure(c *conn) int32 { return int32(c.off)*timetable.DaySeconds + c.tod }

// wait is what comes of who waits at a stop. What it is better to wait after than to board leads nowhere by the guide.
func (m *backwards) wait(q *queue, j int) {
	s, base, n := m.s, m.s.fare[q.kind].Base*1000, len(q.refs)
	second := riskWorth*s.wait + secondWorth
	none := waiting{risk: never.risk, cost: never.price, seconds: unreachable}
	tomorrow := none
	q.price = never.price
	for i, ref := range q.refs {
		on, tod := &m.on[ref], q.tods[i]
		here := none
		if on.seconds < unreachable {
			here.seconds, here.risk = tod+on.seconds, s.handling+on.risk+s.wait*int64(tod)
			q.price = min(q.price, base+on.price)
		}
		if on.cost < never.price && int(ref) < len(m.p.conns) {
			here.cost, here.board = base+riskWorth*s.handling+on.cost+second*int64(tod), ref
		}
		q.waits[i] = here
		tomorrow.lower(&here)
	}
	if tomorrow.seconds < unreachable {
		tomorrow.seconds, tomorrow.risk = tomorrow.seconds+timetable.DaySeconds, tomorrow.risk+s.wait*timetable.DaySeconds
	}
	if tomorrow.cost < never.price {
		tomorrow.cost += second * timetable.DaySeconds
	}
	q.waits[n] = tomorrow
	for i := n - 1; i >= 0; i-- {
		ref := q.refs[i]
		better := q.waits[i].lower(&q.waits[i+1])
		if now, ok := m.at(ref, atWaiting); ok {
			now[j-1] = q.from(i, q.tods[i], s.wait).cell()
			if better {
				m.guide.steps[int(ref)*m.rides+j-1] = noStep
			}
		}
	}
}

// lower makes it no worse than another, and reports whether that costs less.
func (w *waiting) lower(o *waiting) bool {
	w.seconds, w.risk = min(w.seconds, o.seconds), min(w.risk, o.risk)
	if o.cost >= w.cost {
		return false
	}
	w.cost, w.board = o.cost, o.board
	return true
}

// from is what comes of who waits from a departure on, at a time of day.
func (q *queue) from(i int, tod int32, wait int64) *bound {
	if q.price >= never.price {
		return &never
	}
	return &bound{q.waits[i].seconds - tod, q.price, q.waits[i].risk - wait*int64(tod)}
}

// ready is what comes of who is ready to board at a stop as a slot of the day begins.
func (m *backwards) ready(j int) {
	for stop := range m.stops {
		var next [kinds]int
		for slot := range m.slots {
			out, begin := never, int32(slot)*m.width
			for kind := range kinds {
				q := &m.queues[stop*kinds+kind]
				for next[kind] < len(q.tods) && q.tods[next[kind]] < begin {
					next[kind]++
				}
				from := q.from(next[kind], begin, m.s.wait)
				out.lower(from.seconds, from.price, from.risk)
			}
			m.riding[(slot*m.stops+stop)*m.rides+j-1] = out.cell()
		}
	}
}

// getOff is what comes of who gets off and rides on, j times more.
func (m *backwards) getOff(j int) {
	m.clear()
	for ref := range m.conns {
		c, out := &m.conns[ref], nothing
		list := m.onward[m.from[ref]:m.from[ref+1]]
		i := 0
		for ; i < len(list) && list[i].hop >= 0; i++ {
			m.onto(c, &list[i], &out)
		}
		m.keep(c, int32(ref), atLeaving, j-1, &out.bound)
		for ; i < len(list); i++ {
			m.onto(c, &list[i], &out)
		}
		m.keep(c, int32(ref), atStaying, j, &out.bound)
		m.off[ref] = out
	}
	m.collect(m.leaving, atLeaving, j-1)
	m.collect(m.staying, atStaying, j)
}

// clear makes ready for the bounds by slot.
func (m *backwards) clear() {
	for i := range m.slotted {
		if len(m.by) == 0 {
			m.slotted[i] = slices.Repeat([]bound{never}, m.stops*m.slots)
		}
	}
}

// keep keeps the bound of the connection, or lowers that of its stop and slot.
func (m *backwards) keep(c *conn, ref int32, doing, i int, b *bound) {
	if now, ok := m.at(ref, doing); ok {
		now[i] = b.cell()
	} else if list := m.slotted[doing-atStaying]; len(list) > 0 && b.seconds < unreachable {
		slot, past := m.slot(c.tod + c.dur)
		list[int(c.to)*m.slots+int(slot)].lower(b.seconds+past, b.price, b.risk+m.s.wait*int64(past))
	}
}

// collect keeps the bounds by slot.
func (m *backwards) collect(kept []cell, doing, i int) {
	for k, b := range m.slotted[doing-atStaying] {
		stop, slot := k/m.slots, k%m.slots
		kept[(slot*m.stops+stop)*m.rides+i] = b.cell()
	}
}

// onto lowers what comes of getting off by what comes of going on there.
func (m *backwards) onto(c *conn, o *onward, out *coming) {
	s, q := m.s, &m.queues[o.queue]
	if q.price >= never.price {
		return
	}
	then, price, risk := int32(0), int64(0), int64(0)
	if o.hop >= 0 {
		then, price, risk = s.hopped(&m.p.hops[o.hop], c.kind, 0, s.alight[c.kind])
	}
	waited := int64(o.ready - then)
	from := q.from(int(o.next), o.tod, s.wait)
	out.lower(o.ready+from.seconds, price+from.price, risk+s.wait*waited+from.risk)
	w := &q.waits[o.next]
	if w.cost == never.price {
		return
	}
	cost := price + riskWorth*risk + secondWorth*int64(then) + (riskWorth*s.wait+secondWorth)*(waited-int64(o.tod)) + w.cost
	if cost < out.cost {
		out.cost, out.board = cost, w.board
	}
}
