package planner

// hopeless reports whether nothing that can come of it is wanted: not by what has been found, nor by the bounds.
func (st *paretoState) hopeless(s *scratch, now *soFar, rides int32, hope *ahead) bool {
	at, risk := now.at-hope.past, now.risk-s.wait*int64(hope.past)
	for i, m := range hope.now {
		in := rides + hope.rides + int32(i)
		if in > st.limit {
			break
		}
		if m.any() && st.wanted(s, at+m.seconds(), in, now.price+m.price(), risk+m.risk(), now.leave) {
			return false
		}
	}
	return true
}

// wanted reports whether an arrival at the ward would be.
func (st *paretoState) wanted(s *scratch, end, rides int32, price, risk int64, leave int32) bool {
	return end <= st.latest && (s.hours == 0 || end-leave <= s.hours) && !st.found.cover(end, rides, price, risk)
}

// alighting is somebody who gets off.
type alighting struct {
	soFar
	rides       int32
	label       int32 // before the ride
	board, mark int32
}

// alightAll lets everybody get off who gains by it.
func (s *scratch) alightAll(p *core, c *conn, slot, at, sd, ref int32) {
	st := &s.pareto
	fare, rate := s.fare[c.kind].PerKm*int64(c.end), s.rate[c.kind]*int64(at)
	stay := st.hope.stay(ref, c.to, at)
	off := st.off[:0]
	for k := int32(1); k <= st.limit; k++ {
		head := (slot-1)*s.rides + k - 1
		if i := st.heads[head]; i >= 0 && st.aboard[i].next >= 0 {
			all := st.least[head]
			all.price, all.risk, all.at = all.price+fare, all.risk+rate, at
			if st.hopeless(s, &all, k, &stay) {
				continue
			}
		}
		for i := st.heads[head]; i >= 0; i = st.aboard[i].next {
			r := &st.aboard[i]
			now := soFar{price: r.price + fare, risk: r.risk + rate, at: at, leave: r.leave}
			if st.hopeless(s, &now, k, &stay) {
				continue
			}
			a := alighting{soFar: now, rides: k, label: r.label, board: r.board, mark: -1}
			if s.alightOne(p, c, &a, sd, ref) && k < st.limit {
				off = append(off, a)
			}
		}
	}
	st.off = off
	if len(off) > 0 {
		s.hopAll(p, c, off, at, sd, ref)
	}
}

// arrived is the label of who stands where the ride ended.
func (a *alighting) arrived(st *paretoState, sd, ref int32) int32 {
	if a.mark < 0 {
		a.mark = int32(len(st.labels))
		st.labels = append(st.labels, label{prev: a.label, board: a.board, alight: ref, sd: sd, hop: -1})
	}
	return a.mark
}

// alightOne follows one arrival at the stop itself; false: what comes of it another ride's arrival has too.
func (s *scratch) alightOne(p *core, c *conn, a *alighting, sd, ref int32) bool {
	st := &s.pareto
	if a.rides < st.limit {
		// First the bag of the kind one came by: what comes of an arrival that another ride's covers, that one has too.
		for n := range kinds {
			kind := (int(c.kind) + n) % kinds
			if n > 0 && p.served[c.to]&(1<<kind) == 0 {
				continue
			}
			e := entry{
				account: account{price: a.price, risk: a.risk - s.wait*int64(a.at), leave: a.leave},
				at:      a.at + max(s.board[kind], p.change[c.to]), ride: n == 0,
			}
			covered, byRide := s.covered(p, c.to, kind, a.rides, &e)
			if byRide && n == 0 {
				return false
			}
			if !covered {
				e.label = a.arrived(st, sd, ref)
				s.put1(c.to, kind, a.rides, e)
			}
		}
	}
	if s.egress[c.to] < unreachable {
		took, price, risk := s.lastRoad(c)
		end, price, risk := a.at+took, a.price+price, a.risk+risk
		if st.wanted(s, end, a.rides, price, risk, a.leave) {
			st.keep(s.answer(end, a.rides, price, risk, a.arrived(st, sd, ref)))
		}
	}
	return true
}

// hopAll lets those who got off go on to other stops, the fewest rides first, if it is worth it to any of them. All come there
// at one time: where not even the best of each number has hope, none has.
func (s *scratch) hopAll(p *core, c *conn, off []alighting, at, sd, ref int32) {
	st := &s.pareto
	leave := st.hope.leave(ref, c.to, at)
	var least soFar
	kept := off[:0]
	for i := range off {
		if !st.hopeless(s, &off[i].soFar, off[i].rides, &leave) {
			least.lower(off[i].price, off[i].risk, off[i].leave, len(kept) == 0)
			kept = append(kept, off[i])
		}
	}
	if off = kept; len(off) == 0 {
		return
	}
	out := at + s.alight[c.kind]
	for hop := p.hopFrom[c.to]; hop < p.hopFrom[c.to+1]; hop++ {
		l := &p.hops[hop]
		then, price, risk := s.hopped(l, c.kind, at, out)
		for kind := range kinds {
			if p.served[l.stop]&(1<<kind) == 0 {
				continue
			}
			ready := s.after(l, at, out, kind)
			ride := st.hope.ride(l.stop, ready)
			risk := risk - s.wait*int64(then)
			if len(off) > 1 {
				all := soFar{price: least.price + price, risk: least.risk + risk + s.wait*int64(ready), leave: least.leave, at: ready}
				if st.hopeless(s, &all, off[0].rides, &ride) {
					continue
				}
			}
			for i := range off {
				a := &off[i]
				e := entry{account: account{price: a.price + price, risk: a.risk + risk, leave: a.leave}, at: ready}
				if st.hopeless(s, &soFar{price: e.price, risk: e.risk + s.wait*int64(ready), at: ready, leave: a.leave}, a.rides, &ride) {
					continue
				}
				if covered, _ := s.covered(p, l.stop, kind, a.rides, &e); !covered {
					e.label = int32(len(st.labels))
					st.labels = append(st.labels, label{prev: a.label, board: a.board, alight: ref, sd: sd, hop: hop})
					s.put1(l.stop, kind, a.rides, e)
				}
			}
		}
	}
}

// lastRoad is what it takes from the end of the connection, a stop that serves the ward, to the ward.
func (s *scratch) lastRoad(c *conn) (seconds int32, price milliFen, risk int64) {
	alight, road := s.alight[c.kind], s.egress[c.to]
	return alight + road, s.roadFare.of(s.egressMetres[c.to]), s.wait*int64(alight) + s.handling + s.roadRate*int64(road)
}

// hopped is when one is at the other end of a hop after getting off at, or out of the station at out, and what it came to.
func (s *scratch) hopped(l *link, kind uint8, at, out int32) (then int32, price milliFen, risk int64) {
	then = out + int32(l.way.seconds)
	switch {
	case l.inside:
		return at, 0, 0
	case l.walk:
		return then, 0, s.wait * int64(then-at)
	}
	return then, s.roadFare.of(l.way.metres), s.wait*int64(s.alight[kind]) + s.handling + s.roadRate*l.way.seconds
}

// covered reports whether an entry with as few rides is as good, be it at the door.
func (s *scratch) covered(p *core, stop int32, kind int, rides int32, e *entry) (covered, byRide bool) {
	st := &s.pareto
	place := int(stop)*kinds + kind
	if a := st.access[place]; a > 0 {
		l := &s.access[a-1]
		off := int32(l.way.seconds) + s.board[kind]
		// Who comes from the door at e.at or any later time has been on the way no longer than this.
		if s.start+off <= e.at && s.roadFare.of(l.way.metres) <= e.price && !s.entered &&
			s.handling+s.roadRate*l.way.seconds+s.wait*int64(s.board[kind]) <= e.risk+s.wait*int64(e.at) && s.left(e.at-off) >= e.leave {
			return true, false
		}
	}
	for k := int32(1); k <= rides; k++ {
		c, ride := st.bags[place*int(s.rides)+int(k)].dominates(e, st.worth)
		if ride {
			return true, true
		}
		covered = covered || c
	}
	return covered, false
}

// put1 adds an entry that is not covered.
func (s *scratch) put1(stop int32, kind int, rides int32, e entry) {
	st := &s.pareto
	place := int(stop)*kinds + kind
	b := &st.bags[place*int(s.rides)+int(rides)]
	if b.empty() {
		st.used = append(st.used, int32(place*int(s.rides)+int(rides)))
	}
	b.insert(e, st.worth)
	st.first[place] = min(st.first[place], e.at)
	st.news = st.news || e.at <= st.until
}
