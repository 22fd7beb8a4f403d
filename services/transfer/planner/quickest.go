package planner

import "huhang.example/services/transfer/timetable"

// quickest returns by stop the least seconds from getting off there to the ward, whoever it is, however often one changes, and
// as if everything left just then. It is nil for what is no city. A way of which even that comes too late is not followed.
func (p *core) quickest(s *scratch, to spot) []int32 {
	if to.city == "" {
		return nil
	}
	if kept, ok := p.quick.Load(to.city); ok {
		return kept.([]int32)
	}
	off := s.quickestOff(p)
	p.quick.Store(to.city, off) // cities are few
	return off
}

// quickestOff goes backwards until nothing gets any quicker.
func (s *scratch) quickestOff(p *core) []int32 {
	board, alight := unreachable, unreachable
	for kind := range timetable.Kind(kinds) {
		board = min(board, int32(p.rules.handling(p.rules.BoardMinutes, kind, Fitness{})))
		alight = min(alight, int32(p.rules.handling(p.rules.AlightMinutes, kind, Fitness{})))
	}
	off, on := make([]int32, len(p.served)), make([]int32, len(p.served))
	for stop := range off {
		off[stop], on[stop] = unreachable, unreachable
		if last := s.egress[stop]; last < unreachable {
			off[stop] = alight + last
		}
	}
	for better := true; better; {
		for _, list := range p.byTrip {
			p.quickestBoard(off, on, list)
		}
		better = false
		for stop := range off {
			least := off[stop]
			if change := p.change[stop]; change < unreachable {
				least = min(least, max(board, change)+on[stop])
			}
			for _, l := range p.hops[p.hopFrom[stop]:p.hopFrom[stop+1]] {
				if took := int32(l.way.seconds); l.inside {
					least = min(least, max(board, took)+on[l.stop])
				} else {
					least = min(least, alight+took+board+on[l.stop])
				}
			}
			better, off[stop] = better || least < off[stop], least
		}
	}
	return off
}

// quickestBoard lowers the times of those who board one trip.
func (p *core) quickestBoard(off, on, list []int32) {
	ahead := unreachable
	for i := len(list) - 1; i >= 0; i-- {
		c := &p.conns[list[i]]
		if i+1 < len(list) {
			ahead = min(unreachable, ahead+departure(&p.conns[list[i+1]])-departure(c))
		}
		if c.flags&noAlight == 0 {
			ahead = min(ahead, c.dur+off[c.to])
		}
		if c.flags&noBoard == 0 {
			on[c.from] = min(on[c.from], ahead)
		}
	}
}
