package planner

import (
	"time"

	"huhang.example/services/internal/place"
	"huhang.example/services/transfer/timetable"
)

// Question asks for ways from one place to another.
type Question struct {
	// Origin and Destination are cities, whose seats stand for their hospitals, or what Somewhere makes of any other place.
	Origin, Destination place.Info
	NotBefore           time.Time
	Fitness             Fitness
	// Within bounds the arrival, counted from NotBefore: the center's call-in window (应召时限). 0: no bound.
	Within time.Duration
	// Now is when help is booked; zero: at NotBefore.
	Now time.Time
	// DutySince is since when the escort is on the way already, where the patient has left; zero: from the door on.
	DutySince time.Time
}

// question is a Question in the planner's own terms, and what is known of the day.
type question struct {
	Origin, Destination spot
	NotBefore           time.Time
	Fitness             Fitness
	Within              time.Duration
	Now, DutySince      time.Time
	Overlay             *Overlay
}

func (q Question) in(o *Overlay) question {
	return question{
		Origin: spotOf(q.Origin), Destination: spotOf(q.Destination), NotBefore: q.NotBefore, Fitness: q.Fitness, Within: q.Within,
		Now: q.Now, DutySince: q.DutySince, Overlay: o,
	}
}

// demand is what of a question the rules made.
type demand struct {
	allowed [kinds]bool
	feeder  Mode // to the station and from it; empty: nothing is allowed to go there
	// anyway is set to find what would be possible if the rules allowed it.
	anyway bool
}

// take makes the scratch ready for the question.
func (p *core) take(q *question, d demand) *scratch {
	s := p.scratch.Get().(*scratch)
	p.when(s, q)
	f, r := q.Fitness, p.rules
	s.allowed, s.rides = d.allowed, int32(r.MostRides)
	s.escort, s.whys = r.Escort(f), s.whys[:0]
	for kind := range timetable.Kind(kinds) {
		s.board[kind] = int32(r.handling(r.BoardMinutes, kind, f))
		s.alight[kind] = int32(r.handling(r.AlightMinutes, kind, f))
		s.fare[kind] = r.Fares[modeOf(kind)]
		s.rate[kind] = r.Risk.PerHour[modeOf(kind)]
		s.earliest[kind] = 0
	}
	if !d.anyway {
		s.earliest[timetable.Rail] = s.helpDesk(r, q)
		s.hours = r.hours(s.escort)
		if !q.DutySince.IsZero() && s.hours > 0 {
			s.latest, s.hours = min(s.latest, s.second(q.DutySince)+s.hours), 0
		}
	} else {
		s.hours = 0
	}
	s.wait, s.roadRate, s.roadFare = r.Risk.PerHour[Transfer], r.Risk.PerHour[d.feeder], r.Fares[d.feeder]
	s.handling, s.cents = r.Risk.move(f), r.cents()
	s.lying = f.Stretcher && !d.anyway
	s.access, s.entered = s.access[:0], false
	out := int64(0)
	inside, ok := p.stopAt(q.Origin)
	if ok {
		s.access, s.entered = append(s.access, link{stop: inside}), true
		kind := timetable.Rail
		if p.served[inside]&1 == 0 {
			kind = timetable.Flight
		}
		out = int64(s.alight[kind]) // before any road the patient has to get out
	}
	for _, l := range p.reachOf(q.Origin) {
		if l.stop != inside || !ok {
			l.way.seconds += out
			s.access = append(s.access, l)
		}
	}
	return s
}

// when sets the times of a query.
func (p *core) when(s *scratch, q *question) {
	s.base = timetable.Midnight(q.NotBefore).AddDate(0, 0, -p.before(q))
	s.firstDay = dayNumber(s.base)
	s.start = s.second(q.NotBefore)
	s.end = s.start + int32(p.rules.SearchHours*3600)
	s.latest = unreachable
	if q.Within > 0 {
		s.latest = int32(min(int64(s.start)+int64(q.NotBefore.Add(q.Within).Sub(s.instant(s.start))/time.Second), int64(unreachable)))
	}
	s.days = s.end/timetable.DaySeconds + 1
	s.running = s.running[:0]
	for day := range s.days {
		s.running = append(s.running, p.running(s.firstDay+day))
	}
	s.extra, s.changed, s.asked = s.extra[:0], false, q.Overlay
	if q.Overlay != nil && len(q.Overlay.Disruptions) > 0 {
		s.masked = sized(s.masked, len(p.byTrip)*int(s.days))
		s.put(p, q.Overlay)
	}
}

// before is how many days before the question's a run can have begun that is still on its way.
func (p *core) before(q *question) int {
	days := p.table.Overflow + 1
	if q.Overlay != nil {
		days += int(longestDelay / (24 * time.Hour))
	}
	return days
}

// second is the first whole second of the query that is not before t; instant is its time.
func (s *scratch) second(t time.Time) int32 {
	d := t.Sub(s.base)
	n := int32(d / time.Second)
	if time.Duration(n)*time.Second < d {
		n++
	}
	return n
}

func (s *scratch) instant(second int32) time.Time {
	return s.base.Add(time.Duration(second) * time.Second).UTC()
}

// helpDesk is the first departure for which the station can still be told.
func (s *scratch) helpDesk(r *Rules, q *question) int32 {
	if !anyOf(r.HelpDesk.NeededFor, q.Fitness) {
		return 0
	}
	now := q.Now
	if now.IsZero() || now.After(q.NotBefore) {
		now = q.NotBefore
	}
	return s.second(now.Add(time.Duration(r.HelpDesk.LatestMinutes) * time.Minute))
}

// endAt sets the destination.
func (s *scratch) endAt(p *core, to spot) {
	s.egress = slicesFilled(s.egress, len(p.served), unreachable)
	s.egressMetres = sized(s.egressMetres, len(p.served))
	s.egressAt = append(s.egressAt[:0], p.reachOf(to)...)
	for _, l := range s.egressAt {
		s.egress[l.stop], s.egressMetres[l.stop] = int32(l.way.seconds), l.way.metres
	}
}

func slicesFilled(old []int32, n int, with int32) []int32 {
	if cap(old) < n {
		old = make([]int32, n)
	}
	old = old[:n]
	for i := range old {
		old[i] = with
	}
	return old
}
