package planner

// paretoState is the memory of a Pareto query.
type paretoState struct {
	bags   []bag    // by stop, kind and rides so far: at a stop the fewer rides first
	used   []int32  // those that are not empty
	gates  []gate   // by access and kind
	first  []int32  // by stop and kind, the first departure any entry can catch; too late ones may have gone since
	access []int32  // by stop and kind, one more than the place in access of the first road there
	busy   []uint64 // by run, a bit: somebody has been aboard
	slot   []int32  // by run, one more than its place in heads over the number of rides
	least  []soFar  // of those in the chain of each head
	heads  []int32  // by run with somebody aboard and rides: the first of the chain in aboard, -1 none
	aboard []riding
	labels []label
	off    []alighting
	found  answers
	hope   *bounds
	latest int32 // nothing that arrives later is wanted
	slack  int32
	limit  int32 // rides of this pass
	// news: somebody new may board or ride on before the last of the connections looked at together departs.
	news    bool
	until   int32
	touched cell  // of no account
	worth   int64 // of risk, in this pass; 0: all ways are wanted that are best in anything
}

// riding is one way to be on a run; the label is how one came to where it was boarded. Price and risk are counted so that
// they stay while it goes on: the price from the run's first stop, the risk from the base.
type riding struct {
	account
	board int32 // reference
	next  int32
}

// gate is of the way from the door to one stop, shut while nothing that leaves from there is worth it.
type gate struct {
	slot int32 // of the day, when it was last looked at
	shut bool
}

// label remembers how a stop was reached.
type label struct {
	prev          int32 // -1: at the door
	board, alight int32 // references; board -1: the first road, hop being its place in access
	sd            int32
	hop           int32 // after the ride, in hops; -1: none
}

// search finds every way to the ward that no other beats in arrival, changes, price and risk: the multicriteria form of
// the Connection Scan, with a set of labels where the plain form has one time. known are the ways without a timetable.
//
// What is not worth following it can only know from answers. So before the pass that misses nothing it follows the guide, or
// where there is none goes through the timetable with few rides first and with one more each time, and of all the ways to one
// place only follows the best in price and risk together.
func (s *scratch) search(p *core, known []answer, hope *bounds, slack int32) []answer {
	st := &s.pareto
	s.begin(known, hope, slack)
	if s.nowhere() {
		return st.found.all
	}
	if hope.guide != nil {
		s.follow(p, hope.guide)
	} else {
		for limit := int32(fewRides); limit < s.rides; limit++ {
			s.pass(p, limit, riskWorth)
		}
	}
	s.pass(p, s.rides, 0)
	return st.found.all
}

// begin has nothing but what is known, and the roads from the door.
func (s *scratch) begin(known []answer, hope *bounds, slack int32) {
	st := &s.pareto
	st.labels, st.hope, st.latest, st.slack = st.labels[:0], hope, s.latest, slack
	st.found.reset(int(s.rides))
	for _, k := range known {
		st.keep(k)
	}
	for i := range s.access {
		st.labels = append(st.labels, label{prev: -1, board: -1, hop: int32(i)})
	}
}

// fewRides is those of the first cheap pass.
const fewRides = 2

func (s *scratch) pass(p *core, limit int32, worth int64) {
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
	st.busy = sized(st.busy, (len(st.slot)+63)/64)
	st.gates = sized(st.gates, len(s.access)*kinds)
	st.least, st.heads, st.aboard, st.limit = st.least[:0], st.heads[:0], st.aboard[:0], limit
	st.worth = worth
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
	for w := s.walk(p.conns); ; {
		seg, more := w.next()
		if !more {
			return
		}
		for rest := seg; len(rest.conns) > 0; {
			if depart := rest.base + rest.conns[0].tod; depart > st.latest || depart > s.end {
				return
			}
			n, more := s.some(p, &rest)
			if !more {
				return
			}
			rest.conns, rest.first = rest.conns[n:], rest.first+int32(n)
		}
	}
}

// block is how many connections are looked at together.
const block = 128

// some goes through the next connections and returns how many, or false after the last that counts. It first finds those that
// may matter and touches what is known of each, for what a search waits for is memory, and it waits for many as long as for one.
func (s *scratch) some(p *core, seg *segment) (n int, more bool) {
	st := &s.pareto
	conns := seg.conns[:min(block, len(seg.conns))]
	var which [block]uint8
	busy, first := st.busy, st.first
	for i := range conns {
		c := &conns[i]
		sd := seg.serviceDay(c)
		if sd < 0 {
			continue
		}
		run := uint32(c.trip*s.days + sd)
		if busy[run>>6]&(1<<(run&63)) != 0 || first[int(c.from)*kinds+int(c.kind)] <= seg.base+c.tod {
			which[n] = uint8(i)
			n++
		}
	}
	for _, i := range which[:n] {
		now, _ := st.hope.at(seg.first+int32(i), atBoarding)
		st.touched += now[0]
	}
	st.until, st.news = seg.base+conns[len(conns)-1].tod, false
	for _, i := range which[:n] {
		c := &conns[i]
		depart, sd := seg.base+c.tod, seg.serviceDay(c)
		if depart > st.latest || depart > s.end {
			return 0, false
		}
		s.scanOne(p, seg, c, st.slot[c.trip*s.days+sd], depart, sd, seg.first+int32(i))
		if st.news {
			return int(i) + 1, true
		}
	}
	return len(conns), true
}

// keep adds an answer that is not covered, and lets it bound the search.
func (st *paretoState) keep(a answer) {
	if a.at > st.latest || st.found.cover(a.at, a.rides, a.price, a.risk) {
		return
	}
	st.found.insert(a)
	st.latest = min(st.latest, a.at+st.slack)
}

// seat returns the place of the run's chains.
func (s *scratch) seat(run uint32) int32 {
	st := &s.pareto
	for range s.rides {
		st.heads = append(st.heads, -1)
		st.least = append(st.least, soFar{})
	}
	st.slot[run] = int32(len(st.heads)) / s.rides
	st.busy[run>>6] |= 1 << (run & 63)
	return st.slot[run]
}

// get adds a way to be aboard with so many rides, unless one with as few is as good.
func (s *scratch) get(slot, rides int32, r riding) {
	st := &s.pareto
	heads := st.heads[(slot-1)*s.rides:][:s.rides]
	for k := range rides {
		for i := heads[k]; i >= 0; i = st.aboard[i].next {
			if st.aboard[i].covers(&r.account, st.worth) {
				return
			}
		}
	}
	last := &heads[rides-1]
	for at := last; *at >= 0; {
		o := &st.aboard[*at]
		if r.covers(&o.account, st.worth) {
			*at = o.next
			continue
		}
		at = &o.next
	}
	st.least[(slot-1)*s.rides+rides-1].lower(r.price, r.risk, r.leave, *last < 0)
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
		before := slot
		slot = s.boardAll(p, c, slot, depart, sd, ref)
		st.news = st.news || before == 0 && slot > 0 && depart+c.dur <= st.until
	}
	if slot > 0 && c.flags&noAlight == 0 {
		s.alightAll(p, c, slot, depart+c.dur, sd, ref)
	}
}
