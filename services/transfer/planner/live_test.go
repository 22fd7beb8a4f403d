package planner_test

import (
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/timetable"
)

// A cancelled train is in no plan, and a patient who stands in a station goes on from there.
func TestPlanningAroundACancelledTrain(t *testing.T) {
	p := sample()
	q := ask(t, "340100", "310100", planner.Fitness{})
	first := p.Plan(q).Options[0]
	i := slices.IndexFunc(first.Legs, func(l planner.Leg) bool { return l.Number != "" })
	train := first.Legs[i]
	day, ok := p.Table().Run(train.Number, train.From.Name, train.Depart)
	if !ok {
		t.Fatalf("no run of %s", train.Number)
	}
	after := p.With([]timetable.Change{{Number: train.Number, Day: day, Cancelled: true}})
	for _, option := range after.Plan(q).Options {
		if option.Arrive.Before(first.Arrive) {
			t.Errorf("%s arrives before the way with the train", option.Key)
		}
		for _, leg := range option.Legs {
			if leg.Number == train.Number && leg.Depart.Equal(train.Depart) {
				t.Errorf("%s takes the cancelled train", option.Key)
			}
		}
	}
	q.Origin, q.NotBefore = planner.Somewhere(train.From), train.Depart.Add(-time.Hour)
	onward := p.Plan(q)
	if len(onward.Options) == 0 || onward.Options[0].Legs[0].From != train.From {
		t.Fatalf("%+v", onward)
	}
	checkItinerary(t, q, onward.Options[0])
	if onward.Options[0].Arrive.After(first.Arrive) {
		t.Errorf("from the station %v, from the door %v", onward.Options[0].Arrive, first.Arrive)
	}
}

// Somebody who comes to a station after a train's time catches it when it is late, also where what is known of the timetable
// alone says that nothing worth having leaves there any more.
func TestALateTrainIsCaught(t *testing.T) {
	feed := fstest.MapFS{}
	for name, text := range map[string]string{
		"agency.txt":   "agency_name,agency_timezone\nx,Asia/Shanghai\n",
		"routes.txt":   "route_id,route_type\nR,101\n",
		"stops.txt":    "stop_id,stop_name,stop_lat,stop_lon\nA,合肥,31.82,117.23\nB,南京,32.06,118.80\nC,上海,31.23,121.47\n",
		"calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\nALL,1,1,1,1,1,1,1,20260101,20271231\n",
		"trips.txt":    "trip_id,route_id,service_id,trip_short_name\nslow,R,ALL,K1\nfirst,R,ALL,D1\nthen,R,ALL,G1\n",
		"stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" +
			"slow,07:00:00,07:00:00,A,1\nslow,15:00:00,15:00:00,C,2\n" +
			"first,08:00:00,08:00:00,A,1\nfirst,09:00:00,09:00:00,B,2\n" +
			"then,07:30:00,07:30:00,B,1\nthen,09:30:00,09:30:00,C,2\n",
	} {
		feed[name] = &fstest.MapFile{Data: []byte(text)}
	}
	table, err := timetable.Read(feed, timetable.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	p := planner.New(table, planner.CurrentRules())
	q := ask(t, "340100", "310100", planner.Fitness{})
	q.NotBefore = time.Date(2026, 12, 1, 5, 0, 0, 0, clock.Shanghai)
	by := func(p *planner.Planner) bool {
		return slices.ContainsFunc(p.Plan(q).Options, func(i planner.Itinerary) bool {
			return slices.ContainsFunc(i.Legs, func(l planner.Leg) bool { return l.Number == "G1" })
		})
	}
	if by(p) {
		t.Fatal("the train has left when one comes to its station")
	}
	late := p.With([]timetable.Change{{Number: "G1", Day: "20261201", Delay: 150 * time.Minute}})
	for range 2 { // the second time by what was kept of the first
		if !by(late) {
			t.Error("the late train is not among the options")
		}
	}
	if by(p) {
		t.Error("what is kept of a day with a late train counts on one without")
	}
}
