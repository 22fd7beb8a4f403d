package planner

// profileState is the memory of an estimate.
type profileState struct {
	catch  []catching // by stop, kind and rides so far
	used   []int32
	first  []int32 // by stop and kind, the first departure that can be caught
	access []int32
	slot   []int32
	aboard []way2    // by run with somebody aboard and rides
	seen   []arrival // by stop, kind and rides: of those so far the last to leave the door
	best   []shortest
	ends   [][]ending // by stop, the destinations it serves
	ended  []int32    // stops that serve any
}

// way2 is a way so far, of which only the time counts: who left the door later is better off.
type way2 struct {
	leave  int32 // none: not there
	metres [kinds]int32
}

// arrival is when a ride came to a stop, and when its door was left.
type arrival struct{ at, leave int32 }

const none = int32(-1) << 30

// catching is what can be caught at a stop: now, and later by when.
type catching struct {
	now   way2
	later []struct {
		at int32
		way2
	}
	head int
	any  bool
}

// ending is a destination that a stop serves, after so many seconds of road.
type ending struct{ city, seconds int32 }

// shortest is the shortest way to a destination that was found.
type shortest struct {
	seconds int32
	metres  [kinds]int32
}

// profile finds the shortest way, from door to door, to every destination at once over all departures of the search: the
// scan goes once through the timetable, and every label is the latest time at which the door was left.
func (s *scratch) profile(p *core) {
	st := &s.shared
	places := len(p.served) * kinds
	for _, i := range st.used {
		c := &st.catch[i]
		c.now.leave, c.later, c.head, c.any = none, c.later[:0], 0, false
	}
	st.used = st.used[:0]
	for n := places * int(s.rides); len(st.catch) < n; {
		st.catch = append(st.catch, catching{now: way2{leave: none}})
	}
	st.first, st.access = slicesFilled(st.first, places, unreachable), sized(st.access, places)
	st.slot, st.aboard = sized(st.slot, len(p.byTrip)*int(s.days)), st.aboard[:0]
	st.seen = sized(st.seen, places*int(s.rides))
	for i := range st.seen {
		st.seen[i].leave = none
	}
	for i := range s.access {
		a := &s.access[i]
		for kind := range kinds {
			if place := int(a.stop)*kinds + kind; p.served[a.stop]&(1<<kind) != 0 {
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
			if depart > s.end {
				return
			}
			sd := seg.serviceDay(c)
			if sd < 0 {
				continue
			}
			run := c.trip*s.days + sd
			slot := st.slot[run]
			catch := st.first[int(c.from)*kinds+int(c.kind)] <= depart && c.flags&noBoard == 0
			if slot == 0 {
				if !catch || !s.usable(c) || s.run(&seg, c, p.services) < 0 {
					continue
				}
				for range s.rides {
					st.aboard = append(st.aboard, way2{leave: none})
				}
				slot = int32(len(st.aboard)) / s.rides
				st.slot[run] = slot
			} else if seg.day >= 0 && s.changed && s.masked[run] {
				continue
			}
			on := st.aboard[(slot-1)*s.rides:][:s.rides]
			if catch && depart >= s.earliest[c.kind] {
				s.enter(c, on, depart)
			}
			s.carry(p, c, on, depart+c.dur)
		}
	}
}

// enter lets on whoever left the door later than those aboard with as many rides.
func (s *scratch) enter(c *conn, on []way2, depart int32) {
	st := &s.shared
	place := int(c.from)*kinds + int(c.kind)
	if a := st.access[place]; a > 0 {
		off := int32(s.access[a-1].way.seconds) + s.board[c.kind]
		if leave := depart - off; leave >= s.start && leave > on[0].leave {
			on[0] = way2{leave: leave}
		}
	}
	for k := int32(1); k < s.rides; k++ {
		b := &st.catch[place*int(s.rides)+int(k)]
		for b.head < len(b.later) && b.later[b.head].at <= depart {
			if b.later[b.head].leave > b.now.leave {
				b.now = b.later[b.head].way2
			}
			b.head++
		}
		if b.now.leave > on[k].leave {
			on[k] = b.now
		}
	}
}

// carry takes everybody along to the end of the connection.
func (s *scratch) carry(p *core, c *conn, on []way2, at int32) {
	st := &s.shared
	out, latest := at+s.alight[c.kind], none
	seen := st.seen[(int(c.to)*kinds+int(c.kind))*int(s.rides):]
	for k := range on {
		if on[k].leave == none {
			continue
		}
		on[k].metres[c.kind] += c.end - c.start
		if c.flags&noAlight != 0 || on[k].leave <= latest {
			continue // with fewer rides somebody left the door as late
		}
		latest = on[k].leave
		if st.late(seen[:k+1], at, latest) {
			continue
		}
		for _, e := range st.ends[c.to] {
			seconds := out + e.seconds - latest
			if best := &st.best[e.city]; seconds < best.seconds && (s.hours == 0 || seconds <= s.hours) {
				best.seconds, best.metres = seconds, on[k].metres
			}
		}
		rides := int32(k) + 1
		if rides == s.rides {
			continue
		}
		for kind := range kinds {
			s.await(p, c.to, kind, rides, at+max(s.board[kind], p.change[c.to]), on[k])
		}
		for hop := p.hopFrom[c.to]; hop < p.hopFrom[c.to+1]; hop++ {
			l := &p.hops[hop]
			for kind := range kinds {
				s.await(p, l.stop, kind, rides, s.after(l, at, out, kind), on[k])
			}
		}
	}
}

// late reports whether an earlier arrival here with as few rides left the door as late, and takes note of this one, which
// is the last of seen.
func (st *profileState) late(seen []arrival, at, leave int32) bool {
	for i := range seen {
		if seen[i].leave >= leave && seen[i].at <= at {
			return true
		}
	}
	if last := &seen[len(seen)-1]; leave > last.leave {
		*last = arrival{at, leave}
	}
	return false
}

// await keeps a way for later departures, unless one that can be caught as early left the door as late.
func (s *scratch) await(p *core, stop int32, kind int, rides, at int32, w way2) {
	if p.served[stop]&(1<<kind) == 0 || at >= unreachable {
		return
	}
	st := &s.shared
	place := int(stop)*kinds + kind
	if a := st.access[place]; a > 0 {
		if leave := at - int32(s.access[a-1].way.seconds) - s.board[kind]; leave >= s.start && leave >= w.leave {
			return // who comes from the door by then left it later
		}
	}
	for k := int32(1); k <= rides; k++ {
		if st.catch[place*int(s.rides)+int(k)].covers(at, w.leave) {
			return
		}
	}
	index := place*int(s.rides) + int(rides)
	b := &st.catch[index]
	if !b.any {
		b.any = true
		st.used = append(st.used, int32(index))
	}
	b.add(at, w)
	st.first[place] = min(st.first[place], at)
}

func (b *catching) covers(at, leave int32) bool {
	if b.now.leave >= leave {
		return true
	}
	for i := len(b.later) - 1; i >= b.head; i-- {
		if b.later[i].at <= at {
			return b.later[i].leave >= leave // the latest to leave of those in time: both grow along the list
		}
	}
	return false
}

func (b *catching) add(at int32, w way2) {
	if b.head == len(b.later) {
		b.later, b.head = b.later[:0], 0
	}
	i := len(b.later)
	for i > b.head && b.later[i-1].at >= at {
		i--
	}
	j := i
	for j < len(b.later) && b.later[j].leave <= w.leave {
		j++
	}
	one := struct {
		at int32
		way2
	}{at, w}
	if i == j {
		b.later = append(b.later, one)
		copy(b.later[i+1:], b.later[i:])
	} else {
		b.later = append(b.later[:i+1], b.later[j:]...)
	}
	b.later[i] = one
}
