package planner

import (
	"slices"
	"time"

	"huhang.example/services/transfer/timetable"
)

// way is the first road and the rides that end in the label, in their order.
func (st *paretoState) way(last int32) []journey {
	var out []journey
	for i := last; i >= 0; i = st.labels[i].prev {
		l := st.labels[i]
		out = append(out, journey{l.board, l.alight, l.sd, l.hop})
	}
	slices.Reverse(out)
	return out
}

// builder puts legs behind one another and adds up what they take.
type builder struct {
	p      *core
	s      *scratch
	out    Itinerary
	here   Place
	now    int32
	price  milliFen
	risk   int64
	booked bool
}

func (b *builder) add(mode Mode, to Place, depart, arrive int32, metres int64) *Leg {
	if arrive > depart || mode != Transfer {
		b.out.Legs = append(b.out.Legs, Leg{
			Mode: mode, From: b.here, To: to, Depart: b.s.instant(depart), Arrive: b.s.instant(arrive), Km: float64(metres) / 1000,
		})
	}
	b.here, b.now = to, arrive
	if len(b.out.Legs) == 0 {
		return nil
	}
	return &b.out.Legs[len(b.out.Legs)-1]
}

// itinerary turns journeys into legs. Price and risk are added up anew along the legs: the same sums as the search's.
func (p *core) itinerary(s *scratch, q *question, feeder Mode, ways []journey) Itinerary {
	b := &builder{p: p, s: s, here: door(q.Origin), now: s.start, booked: anyOf(p.rules.HelpDesk.NeededFor, q.Fitness)}
	b.out.Escort, b.out.Changes = s.escort, -1
	b.out.Legs = make([]Leg, 0, 4*len(ways))
	b.begin(ways[0], ways[1], feeder)
	ways = ways[1:]
	var used [kinds]bool
	for i, j := range ways {
		used[b.ride(j)] = true
		if j.hop >= 0 && i+1 < len(ways) {
			b.hop(j, feeder)
		}
	}
	last := s.ref(p.conns, ways[len(ways)-1].alight)
	out := b.now + s.alight[last.kind]
	b.wait(out, b.here)
	b.road(feeder, ward(q.Destination), out, int64(s.egress[last.to]), s.egressMetres[last.to])
	b.out.Depart, b.out.Arrive = b.out.Legs[0].Depart, b.out.Legs[len(b.out.Legs)-1].Arrive
	b.out.Cost, b.out.Risk = p.rules.fen(b.price), points(b.risk)
	b.out.Because = s.because(p, q.Fitness, feeder, used)
	return b.out
}

// begin is the first road. The door is left as late as the first ride allows.
func (b *builder) begin(first, ride journey, feeder Mode) {
	s := b.s
	l := &s.access[first.hop]
	if s.entered && first.hop == 0 {
		return // stands there already
	}
	c := s.ref(b.p.conns, ride.board)
	leave := s.departs(b.p.conns, ride.board, ride.sd) - s.board[c.kind] - int32(l.way.seconds)
	if s.entered {
		leave = s.start // the patient waits where the road leads
	}
	b.road(feeder, b.p.place(l.stop), leave, l.way.seconds, l.way.metres)
}

// road moves the patient into a vehicle; who gets out into a station is moved by the ride, at the ward by the last road.
func (b *builder) road(mode Mode, to Place, leave int32, took, metres int64) {
	b.add(mode, to, leave, leave+int32(took), metres)
	b.price += b.s.roadFare.of(metres)
	b.risk += b.s.handling + b.s.roadRate*took
}

// wait is time inside a station, getting in and out included.
func (b *builder) wait(until int32, at Place) {
	b.risk += b.s.wait * int64(until-b.now)
	b.add(Transfer, at, b.now, until, 0)
}

func (b *builder) ride(j journey) (kind uint8) {
	s, conns := b.s, b.p.conns
	on, off := s.ref(conns, j.board), s.ref(conns, j.alight)
	trip := &b.p.table.Trips[on.trip]
	depart, arrive := s.departs(conns, j.board, j.sd), s.arrives(conns, j.alight, j.sd)
	fare := s.fare[on.kind]
	b.price += fare.PerKm * int64(off.end-on.start)
	b.price += fare.Base * 1000
	b.wait(depart, b.p.place(on.from)) // inside a station one stop may be left for another
	b.risk += s.handling
	b.risk += s.rate[on.kind] * int64(arrive-depart)
	leg := b.add(modeOf(timetable.Kind(on.kind)), b.p.place(off.to), depart, arrive, int64(off.end-on.start))
	leg.Number, leg.Run = trip.Number, Run{TripID: trip.ID, ServiceDay: dayText(s.firstDay + j.sd)}
	leg.FromStop, leg.ToStop = b.p.table.Stops[on.from].ID, b.p.table.Stops[off.to].ID
	leg.BoardCall, leg.AlightCall = b.p.callOf(s, j.board), b.p.callOf(s, j.alight)+1
	if leg.Mode == Rail && b.booked {
		desk := b.p.rules.HelpDesk
		leg.BookFrom = leg.Depart.Add(-time.Duration(desk.EarliestMinutes) * time.Minute)
		leg.BookUntil = leg.Depart.Add(-time.Duration(desk.LatestMinutes) * time.Minute)
	}
	b.out.Changes++
	return on.kind
}

func (b *builder) hop(j journey, feeder Mode) {
	l, off := &b.p.hops[j.hop], b.s.ref(b.p.conns, j.alight)
	to := b.p.place(l.stop)
	if l.inside {
		return // part of the change
	}
	out := b.now + b.s.alight[off.kind]
	b.wait(out, b.here)
	if l.walk {
		b.risk += b.s.wait * l.way.seconds
		b.add(Transfer, to, out, out+int32(l.way.seconds), l.way.metres)
		return
	}
	b.road(feeder, to, out, l.way.seconds, l.way.metres)
}

// callOf counts the call at which a connection begins.
func (p *core) callOf(s *scratch, ref int32) int {
	if int(ref) < len(p.conns) {
		return slices.Index(p.byTrip[p.conns[ref].trip], ref)
	}
	c, n := s.ref(p.conns, ref), 0
	for i := range s.extra[:int(ref)-len(p.conns)] {
		if o := &s.extra[i]; o.trip == c.trip && o.off == c.off {
			n++
		}
	}
	return n
}

func (p *core) place(stop int32) Place {
	s := &p.table.Stops[stop]
	return Place{Name: s.Name, Lat: s.Lat, Lon: s.Lon}
}

// because says why the way is allowed, and what of the state asks for the escort. It is said once in a query.
func (s *scratch) because(p *core, f Fitness, feeder Mode, used [kinds]bool) Text {
	for _, w := range s.whys {
		if w.used == used {
			return w.because
		}
	}
	var out []Text
	for kind := range timetable.Kind(kinds) {
		if used[kind] {
			because, _ := p.rules.Judge(modeOf(kind), f)
			out = append(out, because)
		}
	}
	if feeder == RoadAmbulance {
		out = append(out, Text{Zh: "两端由救护车接送", En: "an ambulance takes both ends"})
	}
	why := joined(append(out, p.escortText(f)...))
	s.whys = append(s.whys, reason{used, why})
	return why
}

// reason is why a way by some kinds is allowed.
type reason struct {
	used    [kinds]bool
	because Text
}

func (p *core) escortText(f Fitness) []Text {
	grade, because := p.rules.Grade(f)
	if len(because) == 0 {
		return nil
	}
	why := joined(because)
	return []Text{{Zh: "护送等级 " + grade.String() + "：" + why.Zh, En: "escort " + grade.String() + ": " + why.En}}
}
