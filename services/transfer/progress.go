package transfer

import (
	"slices"
	"time"

	"huhang.example/services/internal/money"
	"huhang.example/services/transfer/planner"
)

// runs tells when a run leaves one place and reaches another, as it goes today; found is false when it does not.
type runs func(number, day, from, to string) (depart, arrive time.Time, found bool)

// expected is how an itinerary goes by all that is known.
type expected struct {
	legs []planner.Leg // with the times expected now
	// broken is the leg that cannot be made; -1 when all can.
	broken int
	// lost says that the patient sits in what does not go on.
	lost bool
}

// expect follows the itinerary from where the patient is. board is the least time from a station's door to the seat.
//
// A road or a walk takes as long as planned, from whenever it begins. Who waits for a train waits until it leaves. A train
// is missed when there is less than the least time left before it goes.
func (t *Transfer) expect(now time.Time, today runs, board func(planner.Mode) time.Duration) expected {
	e := expected{legs: slices.Clone(t.Itinerary.Legs), broken: -1}
	if len(e.legs) == 0 {
		return e
	}
	at := e.legs[0].Depart
	if t.Status != InTransit && now.After(at) {
		at = now // nobody leaves in the past
	}
	there := at // since when the patient is where the next ride leaves
	for i := range e.legs {
		leg, was, track := &e.legs[i], t.Itinerary.Legs[i], t.track(i)
		trouble := t.trouble(i)
		if trouble.Lost && track.Arrived.IsZero() {
			e.broken, e.lost = i, !track.Departed.IsZero()
			return e
		}
		switch {
		case leg.Number != "":
			if !e.ride(i, was, track, there, today, board(leg.Mode), t.day(i)) {
				return e
			}
		case leg.Mode == planner.Transfer && i+1 < len(e.legs) && e.legs[i+1].Number != "":
			there = at
			leg.Depart, leg.Arrive = at, later(at, was.Arrive)
			continue // the ride says when the waiting ends
		default:
			leg.Depart = at
			if !track.Departed.IsZero() {
				leg.Depart = track.Departed
			}
			leg.Arrive = leg.Depart.Add(was.Arrive.Sub(was.Depart))
		}
		leg.Arrive = leg.Arrive.Add(trouble.Late)
		if !track.Arrived.IsZero() {
			leg.Arrive = track.Arrived
		}
		if i > 0 && leg.Number != "" && e.legs[i-1].Mode == planner.Transfer {
			e.legs[i-1].Arrive = leg.Depart
		}
		at, there = leg.Arrive, leg.Arrive
	}
	return e
}

// ride sets a timetable leg's times and reports whether it can be made.
func (e *expected) ride(i int, was planner.Leg, track Track, there time.Time, today runs, board time.Duration, day string) bool {
	leg := &e.legs[i]
	depart, arrive, goes := was.Depart, was.Arrive, true
	if day != "" {
		depart, arrive, goes = today(leg.Number, day, leg.From.Name, leg.To.Name)
	}
	switch {
	case !track.Arrived.IsZero():
		leg.Depart, leg.Arrive = later(track.Departed, was.Depart), track.Arrived
		if !track.Departed.IsZero() {
			leg.Depart = track.Departed
		}
		return true
	case !goes:
		e.broken, e.lost = i, !track.Departed.IsZero()
		return false
	case !track.Departed.IsZero():
		leg.Depart, leg.Arrive = track.Departed, later(arrive, track.Departed)
		return true
	case there.Add(board).After(depart):
		e.broken = i
		return false
	}
	leg.Depart, leg.Arrive = depart, arrive
	return true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (t *Transfer) track(leg int) Track {
	if leg < len(t.Tracks) {
		return t.Tracks[leg]
	}
	return Track{}
}

func (t *Transfer) trouble(leg int) Trouble {
	for _, one := range t.Troubles {
		if one.Leg == leg {
			return one
		}
	}
	return Trouble{}
}

func (t *Transfer) day(leg int) string {
	for _, r := range t.Rides {
		if r.Leg == leg {
			return r.Day
		}
	}
	return ""
}

// stand is where the patient can turn to another way.
type stand struct {
	leg  int // the first leg of which nothing has been travelled
	at   planner.Place
	time time.Time
}

// standing returns where the patient is, or will be when the leg under way ends: nobody leaves a train or an ambulance
// between two places of the itinerary.
func (t *Transfer) standing(e expected, now time.Time) stand {
	legs := e.legs
	if t.Status != InTransit || len(legs) == 0 {
		return stand{0, legs[0].From, later(now, t.NotBefore)}
	}
	out := stand{0, legs[0].From, later(now, t.DepartedTime)}
	for i, leg := range legs {
		if e.broken >= 0 && i >= e.broken {
			break
		}
		begun := !t.track(i).Departed.IsZero() || i == 0 || !leg.Depart.After(now)
		if !begun {
			break
		}
		if leg.Mode == planner.Transfer && leg.From == leg.To && leg.Arrive.After(now) {
			// Waiting can end at any time: what is behind of it stays.
			return stand{i, leg.From, later(now, leg.Depart)}
		}
		out = stand{i + 1, leg.To, later(now, leg.Arrive)}
	}
	return out
}

// onward joins what lies behind the patient with a way on.
func (t *Transfer) onward(e expected, s stand, option planner.Itinerary) planner.Itinerary {
	if s.leg == 0 && t.Status != InTransit {
		return option
	}
	out := option
	out.Legs = slices.Clone(e.legs[:s.leg])
	var here time.Time
	if n := len(out.Legs); n > 0 {
		here = out.Legs[n-1].Arrive
	} else {
		out.Depart = later(t.DepartedTime, t.Itinerary.Depart)
		here = out.Depart
	}
	if option.Depart.After(here) {
		out.Legs = append(out.Legs, planner.Leg{Mode: planner.Transfer, From: s.at, To: s.at, Depart: here, Arrive: option.Depart})
	}
	out.Legs = append(out.Legs, option.Legs...)
	if len(out.Legs) > 0 {
		out.Depart = out.Legs[0].Depart
	}
	var behind, all float64
	for i, leg := range t.Itinerary.Legs {
		all += leg.Km
		if i < s.leg {
			behind += leg.Km
		}
	}
	if all > 0 {
		// What has been travelled has cost its part; what is not used any more costs nothing.
		out.Cost += t.Itinerary.Cost * money.Fen(behind*1000) / money.Fen(max(all*1000, 1))
	}
	out.Changes = -1
	for _, leg := range out.Legs {
		if leg.Number != "" {
			out.Changes++
		}
	}
	out.Changes = max(out.Changes, 0)
	return out
}

// retimed is the itinerary with the times expected now.
func (t *Transfer) retimed(e expected) planner.Itinerary {
	out := t.Itinerary
	out.Legs = e.legs
	out.Depart, out.Arrive = e.legs[0].Depart, e.legs[len(e.legs)-1].Arrive
	return out
}

func sameTimes(a, b planner.Itinerary) bool {
	return slices.EqualFunc(a.Legs, b.Legs, func(x, y planner.Leg) bool {
		return x.Depart.Equal(y.Depart) && x.Arrive.Equal(y.Arrive) && x.Number == y.Number && x.Mode == y.Mode && x.To == y.To
	})
}
