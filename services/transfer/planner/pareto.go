package planner

// paretoState is the memory of a Pareto query.
type paretoState struct {
	bags   []bag   // by stop, kind and rides so far: at a stop the fewer rides first
	used   []int32 // those that are not empty
	first  []int32 // by stop and kind, the first departure any entry can catch; too late ones may have gone since
	access []int32 // by stop and kind, one more than the place in access of the first road there
	slot   []int32 // by run, one more than its place in heads over the number of rides
	heads  []int32 // by run with somebody aboard and rides: the first of the chain in aboard, -1 none
	aboard []riding
	labels []label
	found  answers
	hope   *bounds
	latest int32 // nothing that arrives later is wanted
	slack  int32
	limit  int32 // rides of this pass
}

// riding is one way to be on a run. Price and risk are counted so that they stay while it goes on: the price from the
// run's first stop, the risk from the base.
type riding struct {
	price, risk int64
	leave       int32
	board       int32 // reference
	label       int32 // how one came to where it was boarded; -1: aboard from the start
	next        int32
}

// label remembers how a stop was reached.
type label struct {
	prev          int32 // -1: at the door, or aboard
	board, alight int32 // references; board -1: the first road, hop being its place in access
	sd            int32
	hop           int32 // after the ride, in hops; -1: none
}

// search finds every way to the ward that no other beats in arrival, changes, price and risk: the multicriteria form of
// the Connection Scan, with a set of labels where the plain form has one time. known are the ways without a timetable.
//
// It goes through the timetable twice, the first time with few rides: what that cheap pass finds, also late in the day,
// tells the other from the start what is not worth following.
func (s *scratch) search(p *core, known []answer, hope *bounds, slack int32) answers {
	st := &s.pareto
	st.labels, st.found, st.hope, st.latest, st.slack = st.labels[:0], st.found[:0], hope, s.latest, slack
	for _, k := range known {
		st.keep(k)
	}
	if s.nowhere() {
		return st.found
	}
	for i := range s.access {
		st.labels = append(st.labels, label{prev: -1, board: -1, hop: int32(i)})
	}
	if s.rides > fewRides {
		s.pass(p, fewRides)
	}
	s.pass(p, s.rides)
	return st.found
}

// fewRides is those of the first pass.
const fewRides = 2

func (s *scratch) pass(p *core, limit int32) {
	st := &s.pareto
	places := len(p.served) * kinds
	for _, b := range st.used {
		st.bags[b].reset()
	}
	st.used = st.used[:0]
	if n := places * int(s.rides); len(st.bags) < n {
		st.bags = append(st.bags, make([]bag, n-len(st.bags))...)
	}
	st.first, st.access = slicesFilled(st.first, places, unreachable), sized(st.access, places)
	st.slot = sized(st.slot, len(p.byTrip)*int(s.days))
	st.heads, st.aboard, st.limit = st.heads[:0], st.aboard[:0], limit
	for i := range s.access {
		a := &s.access[i]
		for kind := range kinds {
			place := int(a.stop)*kinds + kind
			if p.served[a.stop]&(1<<kind) != 0 {
				st.access[place] = int32(i) + 1
				st.first[place] = s.start + int32(a.way.seconds) + s.board[kind]
			}
		}
	}
	if s.aboard.on {
		s.sit(p)
	}
	for w := s.walk(p.conns); ; {
		seg, more := w.next()
		if !more {
			return
		}
		for i := range seg.conns {
			c := &seg.conns[i]
			depart := seg.base + c.tod
			if depart > st.latest || depart > s.end {
				return
			}
			sd := seg.day - int32(c.off)
			if seg.day < 0 {
				sd = int32(c.off)
			}
			if sd < 0 {
				continue
			}
			slot := st.slot[c.trip*s.days+sd]
			if slot == 0 && st.first[int(c.from)*kinds+int(c.kind)] > depart {
				continue
			}
			s.scanOne(p, &seg, c, slot, depart, sd, seg.first+int32(i))
		}
	}
}

// keep adds an answer that is not covered, and lets it bound the search.
func (st *paretoState) keep(a answer) {
	if a.at > st.latest || st.found.cover(a.at, a.rides, a.price, a.risk) {
		return
	}
	st.found = st.found.insert(a)
	st.latest = min(st.latest, a.at+st.slack)
}

// sit puts the patient on the run in which the question finds them.
func (s *scratch) sit(p *core) {
	ref, ok := s.entry(p)
	if !ok {
		return
	}
	c := s.ref(p.conns, ref)
	run, begin := s.aboard.trip*s.days+s.aboard.sd, max(s.start, s.departs(p.conns, ref, s.aboard.sd))
	slot := s.seat(run)
	fare := s.fare[c.kind]
	price := -fare.PerKm * int64(c.start)
	s.get(slot, 1, riding{price: price, risk: s.wait*int64(begin-s.start) - s.rate[c.kind]*int64(begin), leave: s.left(s.start), board: ref, label: -1})
	if s.departs(p.conns, ref, s.aboard.sd) < s.start {
		s.alightAll(p, c, slot, s.arrives(p.conns, ref, s.aboard.sd), s.aboard.sd, ref)
	}
}

// seat returns the place of the run's chains.
func (s *scratch) seat(run int32) int32 {
	st := &s.pareto
	for range s.rides {
		st.heads = append(st.heads, -1)
	}
	st.slot[run] = int32(len(st.heads)) / s.rides
	return st.slot[run]
}

// get adds a way to be aboard with so many rides, unless one with as few is as good.
func (s *scratch) get(slot, rides int32, r riding) {
	st := &s.pareto
	heads := st.heads[(slot-1)*s.rides:][:s.rides]
	for k := range rides {
		for i := heads[k]; i >= 0; i = st.aboard[i].next {
			o := &st.aboard[i]
			if o.price <= r.price && o.risk <= r.risk && o.leave >= r.leave {
				return
			}
		}
	}
	last := &heads[rides-1]
	for at := last; *at >= 0; {
		o := &st.aboard[*at]
		if r.price <= o.price && r.risk <= o.risk && r.leave >= o.leave {
			*at = o.next
			continue
		}
		at = &o.next
	}
	r.next = *last
	st.aboard = append(st.aboard, r)
	*last = int32(len(st.aboard) - 1)
}

func (s *scratch) scanOne(p *core, seg *segment, c *conn, slot, depart, sd, ref int32) {
	st := &s.pareto
	if slot == 0 && (!s.usable(c) || s.run(seg, c, p.services) < 0) {
		return
	}
	if slot > 0 && seg.day >= 0 && s.changed && s.masked[c.trip*s.days+sd] {
		return // the timetable's own of a run that goes otherwise
	}
	place := int(c.from)*kinds + int(c.kind)
	if c.flags&noBoard == 0 && st.first[place] <= depart && depart >= s.earliest[c.kind] && s.usable(c) {
		slot = s.boardAll(p, c, slot, depart, sd, ref)
	}
	if slot > 0 && c.flags&noAlight == 0 {
		s.alightAll(p, c, slot, depart+c.dur, sd, ref)
	}
}

// boardAll lets everybody get on who can.
func (s *scratch) boardAll(p *core, c *conn, slot, depart, sd, ref int32) int32 {
	st := &s.pareto
	place := int(c.from)*kinds + int(c.kind)
	fare, rate := s.fare[c.kind], s.rate[c.kind]
	price := fare.Base*1000 - fare.PerKm*int64(c.start)
	risk := s.handling - rate*int64(depart)
	on := func(rides int32, r riding) {
		if slot == 0 {
			slot = s.seat(c.trip*s.days + sd)
		}
		s.get(slot, rides, r)
	}
	soonest, ride := unreachable, st.hope.ride(c.from, depart)
	if a := st.access[place]; a > 0 {
		l := &s.access[a-1]
		off := int32(l.way.seconds) + s.board[c.kind]
		switch {
		case s.start+off > depart:
			soonest = s.start + off
		default:
			first, exposed := s.roadFare.of(l.way.metres), s.firstRisk(a-1, depart, c)
			if s.entered && a == 1 {
				first = 0 // the patient is there
			}
			if st.hopeless(s, depart, 0, first, exposed, s.left(s.leave(depart-off)), &ride, 1) {
				soonest = s.start // a later train may be worth more: the door is left for it
				break
			}
			soonest = s.start
			on(1, riding{price: first + price, risk: exposed + risk, leave: s.left(s.leave(depart - off)), board: ref, label: a - 1})
		}
	}
	for k := int32(1); k < st.limit; k++ {
		b := &st.bags[place*int(s.rides)+int(k)]
		if b.empty() {
			continue
		}
		b.catch(depart)
		kept := 0
		for i := range b.active {
			e := &b.active[i]
			if st.hopeless(s, depart, k, e.price, e.risk+s.wait*int64(depart), e.leave, &ride, 1) {
				continue // and so it stays
			}
			on(k+1, riding{price: e.price + price, risk: e.risk + s.wait*int64(depart) + risk, leave: e.leave, board: ref, label: e.label})
			b.active[kept] = *e
			kept++
		}
		b.active = b.active[:kept]
		switch {
		case kept > 0:
			soonest = s.start
		case b.head < len(b.pending):
			soonest = min(soonest, b.pending[b.head].at)
		}
	}
	st.first[place] = soonest
	return slot
}

// firstRisk is that of the first road and of getting into the station; the door is left no earlier than needed, but a
// patient who is inside already waits.
func (s *scratch) firstRisk(access, depart int32, c *conn) int64 {
	l := &s.access[access]
	switch {
	case s.entered && access == 0:
		return s.wait * int64(depart-s.start)
	case s.entered:
		return s.handling + s.roadRate*l.way.seconds + s.wait*(int64(depart-s.start)-l.way.seconds)
	}
	return s.handling + s.roadRate*l.way.seconds + s.wait*int64(s.board[c.kind])
}

// leave is when the door is left for the sake of a first road that begins at the latest then.
func (s *scratch) leave(at int32) int32 {
	if s.entered {
		return s.start // it was left before
	}
	return at
}

// left is the time the door was left where it counts, else always the same.
func (s *scratch) left(at int32) int32 {
	if s.hours == 0 {
		return 0
	}
	return at
}
