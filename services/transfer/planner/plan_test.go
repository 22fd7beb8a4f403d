package planner_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/place"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/timetable"
)

var morning = time.Date(2026, 3, 2, 6, 0, 0, 0, clock.Shanghai)

func sample() *planner.Planner { return planner.New(timetable.Sample(), planner.CurrentRules()) }

func ask(t *testing.T, from, to string, f planner.Fitness) planner.Question {
	t.Helper()
	origin, ok := place.City(from)
	destination, ok2 := place.City(to)
	if !ok || !ok2 {
		t.Fatalf("no city %s or %s", from, to)
	}
	return planner.Question{Origin: origin, Destination: destination, NotBefore: morning, Fitness: f}
}

func TestPlansOfTheSampleLine(t *testing.T) {
	p := sample()
	for _, c := range []struct {
		name, from, to string
		fitness        planner.Fitness
		main           planner.Mode // "" for no way at all
		escort         planner.Escort
		refused        []planner.Mode
	}{
		{"stable to Shanghai", "340100", "310100", planner.Fitness{}, planner.Rail, planner.EscortNone, []planner.Mode{planner.Taxi, planner.RoadAmbulance, planner.AirAmbulance}},
		{"on a stretcher", "360100", "310100", planner.Fitness{Stretcher: true}, "", planner.EscortFamily, []planner.Mode{planner.Taxi, planner.Flight}},
		{"oxygen nearby", "130600", "110100", planner.Fitness{Oxygen: true}, planner.RoadAmbulance, planner.EscortNurse, []planner.Mode{planner.Taxi, planner.Rail, planner.Flight, planner.AirAmbulance}},
		{"oxygen far away", "530100", "440100", planner.Fitness{Oxygen: true}, planner.AirAmbulance, planner.EscortNurse, []planner.Mode{planner.Taxi, planner.Rail, planner.Flight, planner.RoadAmbulance}},
		{"ventilated nearby", "130600", "130100", planner.Fitness{Ventilated: true}, planner.RoadAmbulance, planner.EscortICU, []planner.Mode{planner.Taxi, planner.Rail, planner.Flight}},
		{"ventilated far away", "340100", "310100", planner.Fitness{Ventilated: true}, planner.AirAmbulance, planner.EscortICU, []planner.Mode{planner.Taxi, planner.Rail, planner.Flight, planner.RoadAmbulance}},
		{"worst item decides", "340100", "320100", planner.Fitness{Oxygen: true, ReducedConsciousness: true}, planner.RoadAmbulance, planner.EscortDoctor, []planner.Mode{planner.Taxi, planner.Rail, planner.Flight, planner.AirAmbulance}},
		{"within a city", "310100", "310100", planner.Fitness{}, planner.Taxi, planner.EscortNone, []planner.Mode{planner.Rail, planner.Flight, planner.AirAmbulance}},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := ask(t, c.from, c.to, c.fitness)
			plan := p.Plan(q)
			if len(plan.Options) == 0 {
				t.Fatalf("no option: %+v", plan.Refused)
			}
			if got := plan.Options[0].Main(); c.main != "" && got != c.main {
				t.Errorf("main mode %s, want %s", got, c.main)
			}
			for _, mode := range c.refused {
				i := slices.IndexFunc(plan.Refused, func(r planner.Refusal) bool { return r.Mode == mode })
				if i < 0 || plan.Refused[i].Because.Zh == "" || plan.Refused[i].Because.En == "" {
					t.Errorf("%s is not refused with a reason", mode)
				}
			}
			keys := map[string]bool{}
			for _, o := range plan.Options {
				checkItinerary(t, q, o)
				if o.Escort != c.escort || keys[o.Key] || o.Because.Zh == "" || o.Because.En == "" {
					t.Errorf("option %+v", o)
				}
				keys[o.Key] = true
			}
			if again := p.Plan(q); again.Options[0].Key != plan.Options[0].Key || len(again.Options) != len(plan.Options) {
				t.Error("the same question got another answer")
			}
		})
	}
}

func checkItinerary(t *testing.T, q planner.Question, o planner.Itinerary) {
	t.Helper()
	if o.Depart.Before(q.NotBefore) || o.Cost <= 0 || !o.Legs[0].Depart.Equal(o.Depart) || !o.Legs[len(o.Legs)-1].Arrive.Equal(o.Arrive) {
		t.Errorf("%s leaves %v, costs %v", o.Key, o.Depart, o.Cost)
	}
	rides := 0
	for i, leg := range o.Legs {
		if leg.Arrive.Before(leg.Depart) || leg.From.Name == "" || leg.To.Name == "" {
			t.Errorf("leg %+v", leg)
		}
		if i > 0 && (!leg.Depart.Equal(o.Legs[i-1].Arrive) || leg.From != o.Legs[i-1].To) {
			t.Errorf("%s: leg %d does not follow the one before", o.Key, i)
		}
		if leg.Number != "" {
			rides++
			if !strings.HasPrefix(leg.Number, "SF") {
				t.Errorf("number %s is not plainly invented", leg.Number)
			}
		}
	}
	if o.Changes != max(rides-1, 0) {
		t.Errorf("%d changes with %d rides", o.Changes, rides)
	}
}

func TestNoOptionDominatesAnother(t *testing.T) {
	p := sample()
	cities := []string{"340100", "360100", "450100", "130600", "530100", "230100", "310100", "110100", "440300"}
	for _, from := range cities {
		for _, to := range cities {
			plan := p.Plan(ask(t, from, to, planner.Fitness{}))
			for i, a := range plan.Options {
				for j, b := range plan.Options {
					if i != j && !a.Arrive.After(b.Arrive) && a.Changes <= b.Changes && a.Cost <= b.Cost && a.Risk <= b.Risk {
						t.Errorf("%s-%s: %s dominates %s", from, to, a.Key, b.Key)
					}
				}
			}
		}
	}
}

func TestWithinBoundsTheArrival(t *testing.T) {
	p := sample()
	q := ask(t, "340100", "310100", planner.Fitness{})
	first := p.Plan(q).Options[0]
	q.Within = first.Arrive.Sub(q.NotBefore)
	if got := p.Plan(q).Options; len(got) == 0 || got[0].Key != first.Key {
		t.Fatalf("the exact bound leaves %d options", len(got))
	}
	q.Within -= time.Second
	if got := p.Plan(q).Options; len(got) != 0 {
		t.Fatalf("a second less leaves %d options", len(got))
	}
}

func TestEstimateIsNeverLongerThanAPlan(t *testing.T) {
	p := sample()
	var to []place.Info
	codes := []string{"110100", "120100", "130100", "310100", "320100", "330100", "440100", "440300", "340100"}
	for _, code := range codes {
		city, _ := place.City(code)
		to = append(to, city)
	}
	for _, f := range []planner.Fitness{{}, {Oxygen: true}, {Stretcher: true}, {ECMO: true}} {
		for _, from := range []string{"340100", "360100", "450100", "130600"} {
			estimates := p.Estimate(ask(t, from, "110100", f), to)
			for i, code := range codes {
				plan := p.Plan(ask(t, from, code, f))
				if estimates[i].Found != (len(plan.Options) > 0) {
					t.Errorf("%s-%s: found %v, options %d", from, code, estimates[i].Found, len(plan.Options))
				}
				for _, o := range plan.Options {
					if o.Arrive.Sub(o.Depart) < estimates[i].Duration {
						t.Errorf("%s-%s: option %s takes %v, estimate %v", from, code, o.Key, o.Arrive.Sub(o.Depart), estimates[i].Duration)
					}
				}
			}
		}
	}
}

func TestNowhereIsToldHonestly(t *testing.T) {
	p := planner.New(timetable.Empty(), planner.CurrentRules())
	plan := p.Plan(ask(t, "450100", "110100", planner.Fitness{}))
	if len(plan.Options) != 0 || len(plan.Refused) != len(planner.Modes) {
		t.Fatalf("%d options, %d refusals", len(plan.Options), len(plan.Refused))
	}
	city, _ := place.City("110100")
	if p.Estimate(ask(t, "450100", "110100", planner.Fitness{}), []place.Info{city})[0].Found {
		t.Fatal("an estimate out of nothing")
	}
}

func TestRulesAreStrict(t *testing.T) {
	for name, text := range map[string]string{
		"unknown key": "version: x\nspeed: 3\n", "empty": "", "no modes": "version: x\neffective: \"2026-01-01\"\n",
	} {
		if _, err := planner.ParseRules([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
