package planner

import "slices"

// paretoState is the memory of a Pareto query.
type paretoState struct {
	bags   []bag   // by stop, kind and rides so far: at a stop the fewer rides first
	used   []int32 // those that are not empty
	first  []int32 // by stop and kind, the first departure any entry can catch; too late ones may have gone since
	access []int32 // by stop and kind, one more than the place in access of the first road there
	slot   []int32 // by run, one more than its place in heads over the number of rides
	least  []soFar // of those in the chain of each head
	heads  []int32 // by run with somebody aboard and rides: the first of the chain in aboard, -1 none
	aboard []riding
	labels []label
	off    []alighting
	found  answers
	hope   *bounds
	near   tolerance // of this pass
	latest int32     // nothing that arrives later is wanted
	slack  int32
	limit  int32 // rides of this pass
}

// riding is one way to be on a run. Price and risk are counted so that they stay while it goes on: the price from the
// run's first stop, the risk from the base.
type riding struct {
	price, risk int64
	leave       int32
	board       int32 // reference
	label       int32 // how one came to where it was boarded
	next        int32
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
// It goes through the timetable twice and more, the first time with few rides: what the cheap passes find, also late in the
// day, tells the last from the start what is not worth following.
func (s *scratch) search(p *core, known []answer, hope *bounds, slack int32) []answer {
	st := &s.pareto
	st.labels, st.hope, st.latest, st.slack = st.labels[:0], hope, s.latest, slack
	st.found.reset(int(s.rides))
	for _, k := range known {
		st.keep(k)
	}
	if s.nowhere() {
		return st.found.all
	}
	for i := range s.access {
		st.labels = append(st.labels, label{prev: -1, board: -1, hop: int32(i)})
	}
	if s.rides > fewRides {
		s.pass(p, fewRides, tolerance{})
		if !slices.ContainsFunc(st.found.all, func(a answer) bool { return a.label != noLabel }) {
			// The way is long: whatever is found early spares much. Ways that are nearly as good as others are left alone.
			s.pass(p, s.rides, tolerance{price: nearPrice, risk: nearRisk})
		}
	}
	s.pass(p, s.rides, tolerance{})
	return st.found.all
}

const (
	// fewRides is those of the first pass.
	fewRides = 2
	// nearPrice and nearRisk are by how much a way is nearly as good as another: 100 yuan and 10 points.
	nearPrice = 100 * 100_000
	nearRisk  = 10 * riskUnit
)

// tolerance is by how much a way may be worse than another and still make that one superfluous: none when all are wanted.
type tolerance struct{ price, risk int64 }

func (s *scratch) pass(p *core, limit int32, near tolerance) {
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
	st.least, st.heads, st.aboard, st.limit = st.least[:0], st.heads[:0], st.aboard[:0], limit
	st.near = near
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
	st.found.insert(a)
	st.latest = min(st.latest, a.at+st.slack)
}

// seat returns the place of the run's chains.
func (s *scratch) seat(run int32) int32 {
	st := &s.pareto
	for range s.rides {
		st.heads = append(st.heads, -1)
		st.least = append(st.least, soFar{})
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
			if o.price <= r.price+st.near.price && o.risk <= r.risk+st.near.risk && o.leave >= r.leave {
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
		slot = s.boardAll(p, c, slot, depart, sd, ref)
	}
	if slot > 0 && c.flags&noAlight == 0 {
		s.alightAll(p, c, slot, depart+c.dur, sd, ref)
	}
}
