package planner_test

import (
	"slices"
	"testing"
	"time"

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
