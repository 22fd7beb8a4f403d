package planner

// boardAll lets everybody get on who can.
func (s *scratch) boardAll(p *core, c *conn, slot, depart, sd, ref int32) int32 {
	st := &s.pareto
	place := int(c.from)*kinds + int(c.kind)
	fare, rate := s.fare[c.kind], s.rate[c.kind]
	price := fare.Base*1000 - fare.PerKm*int64(c.start)
	risk := s.handling - rate*int64(depart)
	on := func(rides int32, r riding) {
		if slot == 0 {
			slot = s.seat(uint32(c.trip*s.days + sd))
		}
		s.get(slot, rides, r)
	}
	soonest, onward := unreachable, st.hope.aboard(ref)
	if a := st.access[place]; a > 0 {
		l := &s.access[a-1]
		off := int32(l.way.seconds) + s.board[c.kind]
		switch soonest = s.start + off; {
		case soonest > depart:
		case st.shut(s, p, a-1, off, depart, c):
			soonest = (depart/st.hope.width + 1) * st.hope.width
		default:
			soonest = s.start
			now := soFar{s.firstFare(a - 1), s.firstRisk(a-1, depart, c), depart, s.left(s.leave(depart - off))}
			if !st.hopeless(s, &now, 0, &onward) {
				on(1, riding{account: account{now.price + price, now.risk + risk, now.leave, a - 1}, board: ref})
			}
		}
	}
	for k := int32(1); k < st.limit; k++ {
		b := &st.bags[place*int(s.rides)+int(k)]
		if b.empty() {
			continue
		}
		b.catch(depart, st.worth)
		if slot := depart / st.hope.width; slot != b.slot {
			b.slot = slot
			st.drop(s, b, k, depart, ref, c.from)
		}
		if len(b.active) > 1 {
			all := soFar{b.least.price, b.least.risk + s.wait*int64(depart), depart, b.least.leave}
			if st.hopeless(s, &all, k, &onward) {
				soonest = s.start
				continue
			}
		}
		for i := range b.active {
			e := &b.active[i]
			now := soFar{e.price, e.risk + s.wait*int64(depart), depart, e.leave}
			if !st.hopeless(s, &now, k, &onward) {
				on(k+1, riding{account: account{e.price + price, now.risk + risk, e.leave, e.label}, board: ref})
			}
		}
		switch {
		case len(b.active) > 0:
			soonest = s.start
		case b.head < len(b.pending):
			soonest = min(soonest, b.pending[b.head].at)
		}
	}
	st.first[place] = soonest
	return slot
}

// shut reports whether it is for nothing to come from the door to the stop for what leaves there before the next slot of the
// day. In between the door is left at the best time for it.
func (st *paretoState) shut(s *scratch, p *core, access, off, depart int32, c *conn) bool {
	g := &st.gates[int(access)*kinds+int(c.kind)]
	if slot := depart/st.hope.width + 1; g.slot != slot {
		g.slot = slot
		end := slot * st.hope.width
		begin := end - st.hope.width
		ride := st.hope.ride(c.from, begin)
		now := soFar{s.firstFare(access), s.firstRisk(access, begin, c) - s.wait*int64(st.hope.width), begin, s.left(s.leave(end - off))}
		g.shut = st.hopeless(s, &now, 0, &ride)
	}
	return g.shut
}

// drop lets those go who wait at a stop for nothing: once in each slot of the day, for the bounds stay until the next.
func (st *paretoState) drop(s *scratch, b *bag, rides, depart, ref, stop int32) {
	ride, kept := st.hope.wait(ref, stop, depart), b.active[:0]
	for _, e := range b.active {
		if !st.hopeless(s, &soFar{e.price, e.risk + s.wait*int64(depart), depart, e.leave}, rides, &ride) {
			kept = append(kept, e)
			b.least.lower(e.price, e.risk, e.leave, len(kept) == 1)
		}
	}
	b.active = kept
}

// firstFare is that of the first road; a patient who is inside is there.
func (s *scratch) firstFare(access int32) milliFen {
	if s.entered && access == 0 {
		return 0
	}
	return s.roadFare.of(s.access[access].way.metres)
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
