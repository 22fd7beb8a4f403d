package planner

// hopeless reports whether nothing that can come of it is wanted: not by what has been found, nor by the bounds.
func (st *paretoState) hopeless(s *scratch, at, rides int32, price, risk int64, leave int32, hope *ahead, more int32) bool {
	for j := more; rides+j <= st.limit; j++ {
		if st.wanted(s, at, rides+j, price, risk, leave, hope.least(j, s.wait)) {
			return false
		}
	}
	return true
}

// wanted reports whether what can come of it within the bound is.
func (st *paretoState) wanted(s *scratch, at, rides int32, price, risk int64, leave int32, b bound) bool {
	end := at + b.seconds
	return end <= st.latest && (s.hours == 0 || end-leave <= s.hours) && !st.found.cover(end, max(rides, 1), price+b.price, risk+b.risk)
}

// alightAll lets everybody get off who gains by it.
func (s *scratch) alightAll(p *core, c *conn, slot, at, sd, ref int32) {
	st := &s.pareto
	fare, rate := s.fare[c.kind].PerKm*int64(c.end), s.rate[c.kind]*int64(at)
	stay := st.hope.stay(c.to, at)
	for k := int32(1); k <= st.limit; k++ {
		for i := st.heads[(slot-1)*s.rides+k-1]; i >= 0; i = st.aboard[i].next {
			r := &st.aboard[i]
			price, risk := r.price+fare, r.risk+rate
			if st.hopeless(s, at, k, price, risk, r.leave, &stay, 0) {
				continue
			}
			s.alightOne(p, c, k, r, entry{price: price, risk: risk, leave: r.leave}, at, sd, ref)
		}
	}
}

// alightOne follows one arrival: price and risk are as of now.
func (s *scratch) alightOne(p *core, c *conn, rides int32, r *riding, now entry, at, sd, ref int32) {
	st := &s.pareto
	mark := int32(-1)
	label := func(hop int32) int32 {
		if hop >= 0 || mark < 0 {
			st.labels = append(st.labels, label{prev: r.label, board: r.board, alight: ref, sd: sd, hop: hop})
			if hop >= 0 {
				return int32(len(st.labels) - 1)
			}
			mark = int32(len(st.labels) - 1)
		}
		return mark
	}
	if rides < st.limit {
		// First the bag of the kind one came by: what comes of an arrival that another ride's covers, that one has too.
		for n := range kinds {
			kind := (int(c.kind) + n) % kinds
			if n > 0 && p.served[c.to]&(1<<kind) == 0 {
				continue
			}
			e := now
			e.at, e.risk, e.ride = at+max(s.board[kind], p.change[c.to]), now.risk-s.wait*int64(at), n == 0
			covered, byRide := s.covered(p, c.to, kind, rides, &e)
			if byRide && n == 0 {
				return
			}
			if !covered {
				e.label = label(-1)
				s.put1(c.to, kind, rides, e)
			}
		}
	}
	out := at + s.alight[c.kind]
	outRisk := now.risk + s.wait*int64(s.alight[c.kind]) + s.handling
	if last := s.egress[c.to]; last < unreachable {
		s.finish(c.to, rides, now, out+last, outRisk+s.roadRate*int64(last), label)
	}
	if rides == st.limit {
		return
	}
	for hop := p.hopFrom[c.to]; hop < p.hopFrom[c.to+1]; hop++ {
		l := &p.hops[hop]
		price, risk := now.price, now.risk
		var then int32
		switch {
		case l.inside:
			then = at
		case l.walk:
			then, risk = out+int32(l.way.seconds), now.risk+s.wait*int64(out+int32(l.way.seconds)-at)
		default:
			then = out + int32(l.way.seconds)
			price, risk = price+s.roadFare.of(l.way.metres), outRisk+s.roadRate*l.way.seconds
		}
		for kind := range kinds {
			if p.served[l.stop]&(1<<kind) == 0 {
				continue
			}
			e := entry{price: price, risk: risk - s.wait*int64(then), leave: now.leave, at: s.after(l, at, out, kind)}
			ride := st.hope.ride(l.stop, e.at)
			if st.hopeless(s, e.at, rides, price, e.risk+s.wait*int64(e.at), e.leave, &ride, 1) {
				continue
			}
			if covered, _ := s.covered(p, l.stop, kind, rides, &e); !covered {
				e.label = label(hop)
				s.put1(l.stop, kind, rides, e)
			}
		}
	}
}

// finish is the road to the ward.
func (s *scratch) finish(stop, rides int32, now entry, at int32, risk int64, label func(int32) int32) {
	st := &s.pareto
	if s.hours > 0 && at-now.leave > s.hours {
		return
	}
	price := now.price + s.roadFare.of(s.egressMetres[stop])
	if at <= st.latest && !st.found.cover(at, rides, price, risk) {
		st.keep(s.answer(at, rides, price, risk, label(-1)))
	}
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
		c, ride := st.bags[place*int(s.rides)+int(k)].dominates(e)
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
	b.insert(e)
	st.first[place] = min(st.first[place], e.at)
}
