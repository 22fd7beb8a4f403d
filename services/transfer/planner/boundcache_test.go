package planner

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What was asked before changes no answer, also where all that two questions differ in is the place, or that trains leave
// somebody lying behind.
func TestQuestionsKeepApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, rules := readFeed(t, randomFeed(t)), randomRules(t)
		rules.StretcherMinutes, rules.Risk.Stretcher, rules.HelpDesk.NeededFor = 0, rules.Risk.Move, nil
		for i := range rules.Modes { // a car or an ambulance then takes nobody
			if m := rules.Modes[i].Mode; m == Rail || m == Flight {
				rules.Modes[i].Refuse = nil
			} else {
				rules.Modes[i].MostRoadKm = 1
			}
		}
		kept := New(table, rules)
		place := func(name string) Place {
			return Place{Lat: 30 + 0.3*float64(rapid.IntRange(0, 6).Draw(t, name)), Lon: 110.02}
		}
		ends := []Place{place("one end"), place("other end")}
		for range 6 {
			q := Question{
				Origin: Somewhere(place("from")), Destination: Somewhere(rapid.SampledFrom(ends).Draw(t, "to")),
				NotBefore: day.Add(time.Duration(rapid.IntRange(0, 1400).Draw(t, "not before")) * time.Minute),
				Fitness:   rapid.SampledFrom([]Fitness{{}, {Stretcher: true}, {Oxygen: true}}).Draw(t, "fitness"),
			}
			if got, want := kept.Plan(q), New(table, rules).Plan(q); !reflect.DeepEqual(got, want) {
				t.Fatalf("got %+v, want %+v", got, want)
			}
		}
	})
}
