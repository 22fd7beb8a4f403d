package planner

import (
	"time"

	"huhang.example/services/transfer/timetable"
)

// estimate answers for all destinations by one scan from the origin.
func (p *core) estimate(q question, destinations []spot) []Estimate {
	out := make([]Estimate, len(destinations))
	escort := p.rules.Escort(q.Fitness)
	for i, destination := range destinations {
		to := q
		to.Destination = destination
		road := p.between(q.Origin, destination)
		for _, mode := range []Mode{Taxi, RoadAmbulance, AirAmbulance} {
			because, allowed := p.rules.judgeDirect(mode, q.Fitness, road)
			if !allowed {
				continue
			}
			one := p.direct(mode, &to, road, because)
			if _, over := p.rules.outOfHours(mode, escort, one.Arrive.Sub(one.Depart), one.Arrive.Sub(one.Depart)); !over {
				out[i].shorter(one.Arrive.Sub(one.Depart), mode)
			}
		}
	}
	d := p.demand(&question{Origin: q.Origin, Fitness: q.Fitness})
	if d.feeder == "" || (d.allowed == [kinds]bool{}) {
		return out
	}
	s := p.take(&q, d)
	defer p.scratch.Put(s)
	st := &s.shared
	for len(st.ends) < len(p.served) {
		st.ends = append(st.ends, nil)
	}
	for _, stop := range st.ended {
		st.ends[stop] = st.ends[stop][:0]
	}
	st.ended, st.best = st.ended[:0], st.best[:0]
	for i, destination := range destinations {
		st.best = append(st.best, shortest{seconds: unreachable})
		if q.Origin.sameCity(destination) {
			continue
		}
		for _, l := range p.reachOf(destination) {
			st.ends[l.stop] = append(st.ends[l.stop], ending{int32(i), int32(l.way.seconds)})
			st.ended = append(st.ended, l.stop)
		}
	}
	s.profile(p)
	for i, best := range st.best {
		if best.seconds < unreachable {
			main := Rail
			if best.metres[timetable.Flight] > best.metres[timetable.Rail] {
				main = Flight
			}
			out[i].shorter(time.Duration(best.seconds)*time.Second, main)
		}
	}
	return out
}

func (e *Estimate) shorter(d time.Duration, mode Mode) {
	if !e.Found || d < e.Duration {
		*e = Estimate{Found: true, Duration: d, Mode: mode}
	}
}
