package planner

import "slices"

// earliestState is the memory of an earliest-arrival query.
type earliestState struct {
	ready   []int32   // by stop and kind, the first departure that can be caught
	came    []journey // by stop and kind, how that is so
	arrived []int32   // by stop and kind, the first arrival of a trip
	busy    []uint64  // by run, a bit: it was boarded
	board   []int32   // by run, the reference of the connection where it was
	quick   []int32   // by stop, the least that is to come after getting off
	best    int32
	last    journey
	found   bool
}

// journey is how one came to a stop: by a ride and then perhaps a hop. board is -1 for a first road; the way before the
// ride is that by which its first stop was reached.
type journey struct {
	board, alight int32 // references
	sd            int32
	hop           int32 // place in hops, in access for a first road; -1: none
}

// firstArrival finds the first arrival at the ward, by the Connection Scan Algorithm in its plain form: every connection is
// looked at once, in the order of departures, until one leaves after the best arrival. It ignores the bounds on rides and
// hours, which need more than one label a stop.
func (s *scratch) firstArrival(p *core, quick []int32) bool {
	e := &s.ea
	e.found, e.quick = false, quick
	if s.changed {
		e.quick = nil // what is late may be quicker from one call to another
	}
	if s.nowhere() {
		return false
	}
	places := len(p.served) * kinds
	e.ready, e.arrived = slicesFilled(e.ready, places, unreachable), slicesFilled(e.arrived, places, unreachable)
	if cap(e.came) < places {
		e.came = make([]journey, places)
	}
	e.came = e.came[:places]
	runs := len(p.byTrip) * int(s.days)
	e.busy, e.board = sized(e.busy, (runs+63)/64), slices.Grow(e.board[:0], runs)[:runs]
	e.found, e.best = false, s.latest
	if s.latest < unreachable {
		e.best++ // an arrival at the bound is in time
	}
	for i := range s.access {
		a := &s.access[i]
		at := s.start + int32(a.way.seconds)
		for kind := range kinds {
			e.offer(a.stop, kind, at+s.board[kind], journey{board: -1, hop: int32(i)})
		}
	}
	services := p.services
	for w := s.walk(p.conns); ; {
		seg, more := w.next()
		if !more {
			return e.found
		}
		ready, busy, board := e.ready, e.busy, e.board
		for i := range seg.conns {
			c := &seg.conns[i]
			depart := seg.base + c.tod
			if depart >= e.best || depart > s.end {
				return e.found
			}
			catch := ready[int(c.from)*kinds+int(c.kind)] <= depart && c.flags&noBoard == 0
			sd := seg.serviceDay(c)
			if sd < 0 {
				continue
			}
			run := uint32(c.trip*s.days + sd)
			if busy[run>>6]&(1<<(run&63)) == 0 {
				if !catch || !s.usable(c) || depart < s.earliest[c.kind] || s.run(&seg, c, services) < 0 {
					continue
				}
				busy[run>>6] |= 1 << (run & 63)
				board[run] = seg.first + int32(i)
			}
			at := depart + c.dur
			if at < e.arrived[int(c.to)*kinds+int(c.kind)] && c.flags&noAlight == 0 && !(s.changed && seg.day >= 0 && s.masked[run]) {
				e.arrive(s, p, c, at, journey{board[run], seg.first + int32(i), sd, -1})
			}
		}
	}
}

// nowhere reports whether no station or airport is near one of the ends, so that nothing has to be looked for.
func (s *scratch) nowhere() bool {
	return len(s.access) == 0 || len(s.egressAt) == 0
}

func (e *earliestState) offer(stop int32, kind int, ready int32, how journey) {
	if place := int(stop)*kinds + kind; ready < e.ready[place] {
		e.ready[place], e.came[place] = ready, how
	}
}

// arrive takes note of the first arrival of a kind at a stop.
func (e *earliestState) arrive(s *scratch, p *core, c *conn, at int32, how journey) {
	e.arrived[int(c.to)*kinds+int(c.kind)] = at
	if e.quick != nil && at+e.quick[c.to] >= e.best {
		return
	}
	out := at + s.alight[c.kind]
	if last := s.egress[c.to]; last < unreachable && out+last < e.best {
		e.best, e.last, e.found = out+last, how, true
	}
	for kind := range kinds {
		e.offer(c.to, kind, at+max(s.board[kind], p.change[c.to]), how)
	}
	for hop := p.hopFrom[c.to]; hop < p.hopFrom[c.to+1]; hop++ {
		l := &p.hops[hop]
		how.hop = hop
		for kind := range kinds {
			e.offer(l.stop, kind, s.after(l, at, out, kind), how)
		}
	}
}

// after is the first departure of a kind that can be caught at the end of a hop, from an arrival at which one is outside
// at out.
func (s *scratch) after(l *link, at, out int32, kind int) int32 {
	if l.inside {
		return at + max(s.board[kind], int32(l.way.seconds))
	}
	return out + int32(l.way.seconds) + s.board[kind]
}

// journeys are the first road and the rides of the way found, in their order.
func (s *scratch) journeys(p *core) []journey {
	e := &s.ea
	out := []journey{e.last}
	for {
		first := s.ref(p.conns, out[len(out)-1].board)
		how := e.came[int(first.from)*kinds+int(first.kind)]
		out = append(out, how)
		if how.board < 0 {
			break
		}
	}
	slices.Reverse(out)
	return out
}
