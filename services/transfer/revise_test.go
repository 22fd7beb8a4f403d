package transfer

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/place"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/timetable"
)

// journey is a transfer on its way over the sample line, with nothing beside it: what happens to its trains is drawn.
type journey struct {
	t       *rapid.T
	s       *Service
	clock   *clock.Fake
	move    Transfer
	changes map[[2]string]timetable.Change
	stuck   bool
}

var cities = []string{"340100", "360100", "450100", "130600", "310100", "110100", "440100", "320100", "330100"}

func begin(t *testing.T, r *rapid.T) *journey {
	now := time.Date(2026, 3, 2, rapid.IntRange(0, 20).Draw(r, "hour"), 0, 0, 0, clock.Shanghai)
	c := clock.NewFake(now)
	j := &journey{t: r, clock: c, changes: map[[2]string]timetable.Change{}, s: New(nil, nil, planner.New(timetable.Sample(), planner.CurrentRules()), c, id.Sequence())}
	from, to := rapid.SampledFrom(cities).Draw(r, "from"), rapid.SampledFrom(cities).Draw(r, "to")
	origin, _ := place.City(from)
	destination, _ := place.City(to)
	f := planner.Fitness{Stretcher: rapid.Bool().Draw(r, "stretcher")}
	plan := j.s.planner.Plan(planner.Question{Origin: origin, Destination: destination, NotBefore: now, Fitness: f, Now: now})
	if from == to || len(plan.Options) == 0 {
		return nil
	}
	way := rapid.SampledFrom(plan.Options).Draw(r, "way")
	j.move = Transfer{
		ID: "trf_x", Status: Planned, Itinerary: way, OriginCity: from, DestinationCity: to, NotBefore: now, Fitness: f,
		Rides: ridesOf(j.s.planner, j.s.planner, way, nil),
	}
	return j
}

func (j *journey) live() *planner.Planner {
	var list []timetable.Change
	for _, c := range j.changes {
		list = append(list, c)
	}
	return j.s.planner.With(list)
}

// look does what revise does, without bookings, and checks what comes of it.
func (j *journey) look() {
	now, live := j.clock.Now(), j.live()
	board := j.s.boardTime(j.move.Fitness)
	e := j.move.expect(now, live.Table().Ride, board)
	before := j.move.Itinerary
	if e.broken < 0 {
		j.move.Itinerary, j.stuck = j.move.retimed(e), false
		j.check(live, board, now)
		return
	}
	if e.lost {
		j.stuck = true
		return
	}
	from := j.move.standing(e, now)
	options, none, err := j.s.ways(&j.move, e, from, live, false)
	if err != nil {
		j.t.Fatal(err)
	}
	destination, _ := place.City(j.move.DestinationCity)
	q := planner.Question{Origin: planner.Somewhere(from.at), Destination: destination, NotBefore: from.time, Fitness: j.move.Fitness, Now: now}
	if j.move.Status == InTransit {
		q.DutySince = j.move.DepartedTime
	} else {
		q.Origin, _ = place.City(j.move.OriginCity)
	}
	fresh := live.Plan(q).Options
	if len(options) == 0 {
		if len(fresh) != 0 || none.Zh == "" || none.En == "" {
			j.t.Fatalf("no way on with %d there: %v", len(fresh), none)
		}
		j.stuck = true
		return
	}
	if !options[0].Arrive.Equal(fresh[0].Arrive) {
		j.t.Fatalf("goes on until %v, could be there at %v", options[0].Arrive, fresh[0].Arrive)
	}
	j.s.adopt(&j.move, options[0], live)
	j.stuck = false
	for i := range from.leg {
		if a, b := before.Legs[i], j.move.Itinerary.Legs[i]; a.From != b.From || a.To != b.To || a.Number != b.Number || a.Mode != b.Mode {
			j.t.Fatalf("leg %d, which lies behind, was %+v and is %+v", i, a, b)
		}
	}
	j.check(live, board, now)
}

// check holds the itinerary to the network as it runs.
func (j *journey) check(live *planner.Planner, board func(planner.Mode) time.Duration, now time.Time) {
	legs := j.move.Itinerary.Legs
	there := legs[0].Depart
	for i, leg := range legs {
		if leg.Arrive.Before(leg.Depart) {
			j.t.Fatalf("leg %d ends before it begins: %+v", i, leg)
		}
		if i > 0 && (!leg.Depart.Equal(legs[i-1].Arrive) || leg.From != legs[i-1].To) {
			j.t.Fatalf("leg %d does not follow the one before:\n%+v\n%+v", i, legs[i-1], leg)
		}
		if leg.Number == "" {
			if leg.Mode != planner.Transfer || i+1 >= len(legs) || legs[i+1].Number == "" {
				there = leg.Arrive
			}
			continue
		}
		ahead := leg.Depart.After(now) || j.move.Status != InTransit
		depart, arrive, goes := live.Table().Ride(leg.Number, j.move.day(i), leg.From.Name, leg.To.Name)
		if ahead && (!goes || !depart.Equal(leg.Depart) || !arrive.Equal(leg.Arrive)) {
			j.t.Fatalf("leg %d rides %s at %v, which goes %v at %v", i, leg.Number, leg.Depart, goes, depart)
		}
		if ahead && there.Add(board(leg.Mode)).After(leg.Depart) {
			j.t.Fatalf("leg %d: there at %v, %s leaves at %v", i, there, leg.Number, leg.Depart)
		}
		there = leg.Arrive
	}
}

// Whatever becomes of its trains, the rest of a journey is one that runs, can be made and arrives as early as any; where
// there is none it says so; what lies behind stays.
func TestReplanningAgainstTheNetwork(t *testing.T) {
	stuck, replanned, kept := 0, 0, 0
	rapid.Check(t, func(r *rapid.T) {
		j := begin(t, r)
		if j == nil {
			return
		}
		for range rapid.IntRange(1, 5).Draw(r, "events") {
			if len(j.move.Rides) > 0 {
				ride := rapid.SampledFrom(j.move.Rides).Draw(r, "ride")
				leg := j.move.Itinerary.Legs[ride.Leg]
				// A train that has left cannot be cancelled any more.
				if cancel := rapid.Bool().Draw(r, "cancel"); !cancel || leg.Depart.After(j.clock.Now()) {
					change := timetable.Change{Number: ride.Number, Day: ride.Day, Cancelled: cancel}
					if !cancel {
						change.Delay = time.Duration(rapid.IntRange(0, 150).Draw(r, "late")) * time.Minute
					}
					if leg.Depart.After(j.clock.Now()) {
						j.changes[[2]string{ride.Number, ride.Day}] = change
					}
				}
			}
			before := j.move.Itinerary
			j.look()
			switch {
			case j.stuck:
				stuck++
				return
			case len(before.Legs) > 0 && sameTimes(before, j.move.Itinerary):
				kept++
			default:
				replanned++
			}
			if j.move.Status == Planned && rapid.Bool().Draw(r, "leaves") {
				j.clock.Set(later(j.clock.Now(), j.move.Itinerary.Depart))
				j.move.Status, j.move.DepartedTime = InTransit, j.clock.Now()
				j.move.Tracks = []Track{{Departed: j.clock.Now()}}
				continue
			}
			if j.move.Status == InTransit {
				j.clock.Advance(time.Duration(rapid.IntRange(1, 90).Draw(r, "minutes")) * time.Minute)
			}
		}
	})
	t.Logf("%d kept, %d changed, %d without a way", kept, replanned, stuck)
	if replanned == 0 || kept == 0 {
		t.Error("the test changes nothing")
	}
}

// Who has been on duty for most of their hours is not sent on for as long again; a person may send somebody to relieve them,
// and is told so.
func TestTheCrewsHoursGoOnOnTheWay(t *testing.T) {
	c := clock.NewFake(time.Date(2026, 3, 2, 6, 0, 0, 0, clock.Shanghai))
	s := New(nil, nil, planner.New(timetable.Sample(), planner.CurrentRules()), c, id.Sequence())
	origin, _ := place.City("340100")
	destination, _ := place.City("310100")
	nurse := planner.Fitness{SpO2: 92}
	plan := s.planner.Plan(planner.Question{Origin: origin, Destination: destination, NotBefore: c.Now(), Fitness: nurse})
	way := plan.Options[0]
	if way.Escort != planner.EscortNurse {
		t.Fatalf("escort %v", way.Escort)
	}
	ride := 0
	for way.Legs[ride].Number == "" {
		ride++
	}
	for name, on := range map[string]struct {
		duty    time.Duration
		relieve bool
	}{"rested": {time.Hour, false}, "nearly over": {11*time.Hour + 30*time.Minute, true}} {
		move := Transfer{
			Status: InTransit, Itinerary: way, OriginCity: "340100", DestinationCity: "310100", Fitness: nurse, DepartedTime: c.Now().Add(-on.duty),
		}
		e := expected{legs: way.Legs, broken: ride}
		from := stand{ride, way.Legs[ride].From, c.Now()}
		options, none, err := s.ways(&move, e, from, s.planner, false)
		if err != nil || (len(options) == 0) != on.relieve || on.relieve && none.En == "" {
			t.Fatalf("%s: %d options, %v, %v", name, len(options), none, err)
		}
		for _, o := range options {
			if o.Arrive.Sub(move.DepartedTime) > 12*time.Hour {
				t.Errorf("%s: %s arrives after %v on duty", name, o.Key, o.Arrive.Sub(move.DepartedTime))
			}
		}
		options, _, err = s.byHand(&move, e, from, s.planner)
		if err != nil || len(options) == 0 || strings.Contains(options[0].Because.En, "relieved") != on.relieve {
			t.Errorf("%s: by hand %+v, %v", name, options, err)
		}
	}
}
