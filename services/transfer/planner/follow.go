package planner

import (
	"cmp"
	"slices"
	"sort"

	"huhang.example/services/transfer/timetable"
)

// follow keeps the ways that the guide leads by, from every departure that can be caught from the door.
func (s *scratch) follow(p *core, g *guide) {
	for access := range s.access {
		for kind := range kinds {
			s.followFrom(p, g, int32(access), kind)
		}
	}
}

func (s *scratch) followFrom(p *core, g *guide, access int32, kind int) {
	st, l := &s.pareto, &s.access[access]
	refs, tods := p.departures.of(int(l.stop)*kinds + kind)
	if len(refs) == 0 {
		return
	}
	off := int32(l.way.seconds) + s.board[kind]
	ready := max(s.start+off, s.earliest[kind])
	midnight := ready / timetable.DaySeconds * timetable.DaySeconds
	for i := sort.Search(len(tods), func(i int) bool { return midnight+tods[i] >= ready }); ; i++ {
		if i == len(tods) {
			i, midnight = 0, midnight+timetable.DaySeconds
		}
		depart := midnight + tods[i]
		if depart > st.latest || depart > s.end {
			return
		}
		ref := refs[i]
		hope := st.hope.aboard(ref).now
		for j, step := range g.steps[int(ref)*g.rides:][:g.rides] {
			if step == noStep || !hope[j].any() {
				continue
			}
			now := soFar{s.firstFare(access), s.firstRisk(access, depart, &p.conns[ref]), depart, s.left(s.leave(depart - off))}
			if st.wanted(s, depart+hope[j].seconds(), int32(j+1), now.price+hope[j].price(), now.risk+hope[j].risk(), now.leave) {
				labels := len(st.labels)
				if !s.lead(p, g, now, access, ref, j+1) {
					st.labels = st.labels[:labels]
				}
			}
		}
	}
}

// lead goes all the way from the departure, whose road from the door is the label, and keeps it if it goes and is wanted.
func (s *scratch) lead(p *core, g *guide, now soFar, from, ref int32, rides int) bool {
	st := &s.pareto
	for j := rides; ; j-- {
		step := g.steps[int(ref)*g.rides+j-1]
		if step == noStep {
			return false
		}
		on, off := &p.conns[ref], &p.conns[step.alight]
		sd := now.at/timetable.DaySeconds - int32(on.off)
		last := (sd+int32(off.off))*timetable.DaySeconds + off.tod
		if last > s.end || now.at < s.earliest[on.kind] || !s.goes(p, on.trip, sd) {
			return false
		}
		at := last + off.dur
		now.price += s.fare[on.kind].Base*1000 + s.fare[on.kind].PerKm*int64(off.end-on.start)
		now.risk += s.handling + s.rate[on.kind]*int64(at-now.at)
		now.at = at
		ride := label{prev: from, board: ref, alight: step.alight, sd: sd, hop: -1}
		if ref = step.board; ref < 0 {
			return s.led(&now, off, int32(rides), ride)
		}
		next := &p.conns[ref]
		ready := at + max(s.board[next.kind], p.change[off.to])
		if next.from != off.to {
			ride.hop = p.hop(off.to, next.from)
			l, out := &p.hops[ride.hop], at+s.alight[off.kind]
			then, price, risk := s.hopped(l, off.kind, at, out)
			ready = s.after(l, at, out, int(next.kind))
			now = soFar{now.price + price, now.risk + risk, then, now.leave}
		}
		depart := ready/timetable.DaySeconds*timetable.DaySeconds + next.tod
		if depart < ready {
			depart += timetable.DaySeconds
		}
		now.risk, now.at = now.risk+s.wait*int64(depart-now.at), depart
		from = int32(len(st.labels))
		st.labels = append(st.labels, ride)
	}
}

// led is the last road.
func (s *scratch) led(now *soFar, off *conn, rides int32, ride label) bool {
	st := &s.pareto
	took, price, risk := s.lastRoad(off)
	end := now.at + took
	price, risk = now.price+price, now.risk+risk
	if !st.wanted(s, end, rides, price, risk, now.leave) {
		return false
	}
	st.labels = append(st.labels, ride)
	st.keep(s.answer(end, rides, price, risk, int32(len(st.labels)-1)))
	return true
}

// goes reports whether the trip runs on the service day, and as the timetable says.
func (s *scratch) goes(p *core, trip, sd int32) bool {
	service := p.services[trip]
	return sd >= 0 && sd < s.days && s.running[sd][service/64]&(1<<(service%64)) != 0 && !(s.changed && s.masked[trip*s.days+sd])
}

// hop is the place of the way from one stop to another.
func (p *core) hop(from, to int32) int32 {
	first := p.hopFrom[from]
	i, _ := slices.BinarySearchFunc(p.hops[first:p.hopFrom[from+1]], to, func(l link, to int32) int { return cmp.Compare(l.stop, to) })
	return first + int32(i)
}
