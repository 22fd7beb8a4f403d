package planner

import (
	"strings"
	"testing"
	"time"

	"huhang.example/services/internal/place"
	"huhang.example/services/transfer/timetable"
)

// The source: no flight within 6 weeks of an infarction and 2 weeks of a pneumothorax.
func TestNobodyFliesSoonAfterInfarctionOrPneumothorax(t *testing.T) {
	rules := CurrentRules()
	for _, c := range []struct {
		f       Fitness
		allowed bool
	}{
		{Fitness{}, true},
		{Fitness{DaysSinceInfarction: 1}, false},
		{Fitness{DaysSinceInfarction: 41}, false},
		{Fitness{DaysSinceInfarction: 42}, true},
		{Fitness{DaysSincePneumothorax: 13}, false},
		{Fitness{DaysSincePneumothorax: 14}, true},
		{Fitness{DaysSinceInfarction: 42, DaysSincePneumothorax: 13}, false},
	} {
		because, allowed := rules.Judge(Flight, c.f)
		if allowed != c.allowed || because.Zh == "" || because.En == "" {
			t.Errorf("%+v: %v, %v", c.f, allowed, because)
		}
		if _, allowed := rules.Judge(RoadAmbulance, c.f); !allowed {
			t.Errorf("%+v: not even by ambulance", c.f)
		}
	}
}

// Thirty kilometres with an intensive-care team are no flight. How far that goes is the table's to say, and a table that
// sends everybody by air, as the source's does, can be written too.
func TestIntensiveCareByRoadIsTheTablesToSay(t *testing.T) {
	rules := CurrentRules()
	text, err := ruleFiles.ReadFile(currentRules)
	if err != nil {
		t.Fatal(err)
	}
	strict, err := ParseRules([]byte(strings.NewReplacer("over_km: 200, ", "", "over_km: 100, ", "").Replace(string(text))))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		f    Fitness
		most int64
	}{
		{"ventilated", Fitness{Ventilated: true}, 200},
		{"ECMO", Fitness{ECMO: true}, 100},
		{"vasoactive", Fitness{Vasoactive: true}, 200},
		{"all three", Fitness{Ventilated: true, ECMO: true, Vasoactive: true}, 100},
	} {
		for km, want := range map[int64]bool{1: true, 30: true, c.most: true, c.most + 1: false} {
			if because, got := rules.judgeDirect(RoadAmbulance, c.f, way{metres: km * 1000}); got != want || because.En == "" {
				t.Errorf("%s over %d km: %v, %v", c.name, km, got, because)
			}
			if _, got := strict.judgeDirect(RoadAmbulance, c.f, way{metres: km * 1000}); got {
				t.Errorf("%s over %d km by a table that never allows it", c.name, km)
			}
		}
		if because, allowed := rules.judgeDirect(AirAmbulance, c.f, way{metres: (c.most + 1) * 1000}); !allowed {
			t.Errorf("%s: not by air either: %v", c.name, because)
		}
	}
	if grade := rules.Escort(Fitness{Ventilated: true}); grade != EscortICU {
		t.Errorf("ventilated goes with %v", grade)
	}
}

// An option's key means that way or none, whatever else is offered beside it.
func TestAKeyMeansOneWay(t *testing.T) {
	p := New(timetable.Sample(), CurrentRules())
	at := time.Date(2026, 3, 2, 6, 0, 0, 0, localTime)
	ways := map[string]Itinerary{}
	see := func(plan Plan) {
		for _, o := range plan.Options {
			before, seen := ways[o.Key]
			if !seen {
				ways[o.Key] = o
				continue
			}
			for i, leg := range o.Legs {
				if len(before.Legs) != len(o.Legs) || before.Legs[i].Run != leg.Run || before.Legs[i].ToStop != leg.ToStop {
					t.Fatalf("%s is %+v and %+v", o.Key, before.Legs, o.Legs)
				}
			}
		}
	}
	from, _ := place.City("340100")
	to, _ := place.City("310100")
	q := Question{Origin: from, Destination: to, NotBefore: at}
	plan := p.Plan(q)
	see(plan)
	for _, o := range plan.Options {
		q.Within = o.Arrive.Sub(at)
		see(p.Plan(q))
	}
	q.Within = 0
	first := plan.Options[0]
	for _, leg := range first.Legs {
		if leg.Number == "" {
			continue
		}
		gone := p.With([]timetable.Change{{Number: leg.Number, Day: leg.Run.ServiceDay, Cancelled: true}}).Plan(q)
		see(gone)
		for _, o := range gone.Options {
			if o.Key == first.Key {
				t.Errorf("%s still means a way, without %s", o.Key, leg.Number)
			}
		}
		late := p.With([]timetable.Change{{Number: leg.Number, Day: leg.Run.ServiceDay, Delay: time.Minute}}).Plan(q)
		see(late)
	}
	if len(ways) < 2 {
		t.Errorf("only %d ways were seen", len(ways))
	}
}
