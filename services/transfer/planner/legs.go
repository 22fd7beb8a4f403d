package planner

import (
	"slices"
	"time"

	"huhang.example/services/internal/place"
	"huhang.example/services/transfer/timetable"
)

// itinerary turns the last label of a way into its legs.
func (p *Planner) itinerary(s *scan, q Question, last *label) Itinerary {
	var chain []*label
	for l := last; l != nil; l = l.prev {
		chain = append(chain, l)
	}
	slices.Reverse(chain) // the door, then rides and roads between them, then the road to the ward
	instant := func(second int64) time.Time { return s.base.Add(time.Duration(second) * time.Second).UTC() }
	out := Itinerary{Cost: fen(last.price), Escort: p.rules.Escort(q.Fitness), Changes: -1}
	here := door(q.Origin)
	feeder := p.feeder(q.Fitness)
	var now int64
	add := func(mode Mode, to Place, depart, arrive int64, number string, km float64) {
		if arrive > depart || mode != Transfer {
			out.Legs = append(out.Legs, Leg{
				Mode: mode, From: here, To: to, Depart: instant(depart), Arrive: instant(arrive), Number: number, Km: km,
			})
		}
		here, now = to, arrive
	}
	used := map[Mode]bool{}
	for i, l := range chain {
		stop := ward(q.Destination)
		if l.stop >= 0 {
			stop = p.place(l.stop)
		}
		switch {
		case l.ride != nil:
			trip := p.table.Trips[l.ride.trip]
			add(Transfer, here, now, l.ride.depart, "", 0)
			add(modeOf(trip.Kind), stop, l.ride.depart, l.ride.arrive, trip.Number, float64(l.ride.metres)/1000)
			out.Changes++
			used[modeOf(trip.Kind)] = true
		case i == 0:
			// The door is left as late as the first ride allows.
			first := chain[1].ride
			leave := first.depart - s.board[p.table.Trips[first.trip].Kind] - l.road.seconds
			mode := feeder
			if l.road.seconds == 0 {
				mode = Transfer // stands there already: no leg
			}
			add(mode, stop, leave, leave+l.road.seconds, "", l.road.km())
		default:
			outside := now + s.alight[p.table.Trips[chain[i-1].ride.trip].Kind]
			add(Transfer, here, now, outside, "", 0)
			mode := feeder
			if l.walk {
				mode = Transfer
			}
			add(mode, stop, outside, outside+l.road.seconds, "", l.road.km())
		}
	}
	out.Depart, out.Arrive = out.Legs[0].Depart, out.Legs[len(out.Legs)-1].Arrive
	out.Because = p.because(q.Fitness, feeder, used)
	return out
}

func (p *Planner) place(stop int32) Place {
	s := p.table.Stops[stop]
	return Place{Name: s.Name, Lat: s.Lat, Lon: s.Lon}
}

func (p *Planner) because(f Fitness, feeder Mode, used map[Mode]bool) Text {
	var out Text
	for _, mode := range []Mode{Rail, Flight} {
		if !used[mode] {
			continue
		}
		because, _ := p.rules.Judge(mode, f)
		if out.Zh != "" {
			out.Zh, out.En = out.Zh+"；", out.En+"; "
		}
		out.Zh, out.En = out.Zh+because.Zh, out.En+because.En
	}
	if feeder == RoadAmbulance {
		out.Zh += "；两端由救护车接送"
		out.En += "; an ambulance takes both ends"
	}
	return out
}

// StillAllowed decides whether an itinerary planned before may be travelled in today's state; because says why not.
func (r *Rules) StillAllowed(modes []Mode, f Fitness) (because Text, allowed bool) {
	for _, mode := range modes {
		if mode == Transfer {
			continue
		}
		if text, ok := r.Judge(mode, f); !ok {
			return text, false
		}
	}
	return Text{}, true
}

// Estimate returns the shortest allowed way from one city to each of many, over all departures of the next search hours:
// one pass from the origin that keeps, for every arrival, the latest departure from the door.
func (p *Planner) Estimate(q Question, destinations []place.Info) []Estimate {
	s := p.prepare(q.Origin, q.NotBefore, q.Fitness)
	s.latest = true
	usable := false
	for kind := range timetable.Kind(timetable.Kinds) {
		_, s.allowed[kind] = p.rules.Judge(modeOf(kind), q.Fitness)
		usable = usable || s.allowed[kind]
	}
	usable = usable && p.feeder(q.Fitness) != ""
	if usable {
		s.run()
	}
	out := make([]Estimate, len(destinations))
	for i, destination := range destinations {
		best := &out[i]
		take := func(seconds int64, mode Mode) {
			if d := time.Duration(seconds) * time.Second; !best.Found || d < best.Duration {
				*best = Estimate{Found: true, Duration: d, Mode: mode}
			}
		}
		to := q
		to.Destination = destination
		road := p.between(q.Origin, destination)
		for _, mode := range []Mode{Taxi, RoadAmbulance, AirAmbulance} {
			if because, allowed := p.rules.judgeDirect(mode, q.Fitness, road); allowed {
				way := p.direct(mode, to, road, because)
				take(int64(way.Arrive.Sub(way.Depart)/time.Second), mode)
			}
		}
		if usable && q.Origin.Code != destination.Code {
			p.quickest(s, destination.Code, take)
		}
	}
	return out
}

func (p *Planner) quickest(s *scan, city string, take func(int64, Mode)) {
	for _, l := range p.reach[city] {
		for kind := range timetable.Kind(timetable.Kinds) {
			for k := 1; k <= s.rides; k++ {
				for _, end := range s.arrived[k][exit(l.stop, kind)] {
					take(end.at+end.price+s.alight[kind]+l.way.seconds, p.mainOf(end))
				}
			}
		}
	}
}

// mainOf is the timetabled mode that covers most of the way to l.
func (p *Planner) mainOf(l *label) Mode {
	var metres [timetable.Kinds]int64
	for ; l != nil; l = l.prev {
		if l.ride != nil {
			metres[p.table.Trips[l.ride.trip].Kind] += l.ride.metres
		}
	}
	if metres[timetable.Flight] > metres[timetable.Rail] {
		return Flight
	}
	return Rail
}
