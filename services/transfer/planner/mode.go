package planner

import (
	"time"

	"huhang.example/services/internal/money"
)

// Mode is a way to travel (交通方式).
type Mode string

// The modes.
const (
	Transfer      Mode = "TRANSFER" // inside a station or airport
	Taxi          Mode = "TAXI"
	Rail          Mode = "RAIL"
	Flight        Mode = "FLIGHT"
	RoadAmbulance Mode = "ROAD_AMBULANCE"
	AirAmbulance  Mode = "AIR_AMBULANCE"
)

// Modes are those the rules decide about, in the order in which refusals are told.
var Modes = []Mode{Taxi, Rail, Flight, RoadAmbulance, AirAmbulance}

// Escort is the grade of the team that goes along (护送等级), E0 to E4 one apart.
type Escort int

// The grades.
const (
	EscortNone Escort = iota + 1
	EscortFamily
	EscortNurse
	EscortDoctor
	EscortICU
)

// NeedsCrew reports whether the sending hospital has to send staff.
func (e Escort) NeedsCrew() bool { return e >= EscortNurse }

// Fitness is the patient's state for the way (转运适宜性).
type Fitness struct {
	Oxygen, Infusion, Ventilated, ECMO, Vasoactive, Stretcher, ReducedConsciousness bool
	// Measured, 0 where not: beats and breaths a minute, mmHg, percent on room air, Glasgow scale.
	HeartRate, RespiratoryRate, Systolic, SpO2, GCS int32
	// Problem is the code of the main problem in the rules; empty: none that counts.
	Problem string
	// DaysSinceInfarction and DaysSincePneumothorax count to the day of leaving; 0: never had, or too long ago to count.
	DaysSinceInfarction, DaysSincePneumothorax int32
}

// items are the names under which the rules speak of the state.
var items = map[string]func(Fitness) bool{
	"oxygen":                func(f Fitness) bool { return f.Oxygen },
	"infusion":              func(f Fitness) bool { return f.Infusion },
	"ventilated":            func(f Fitness) bool { return f.Ventilated },
	"ecmo":                  func(f Fitness) bool { return f.ECMO },
	"vasoactive":            func(f Fitness) bool { return f.Vasoactive },
	"stretcher":             func(f Fitness) bool { return f.Stretcher },
	"reduced_consciousness": func(f Fitness) bool { return f.ReducedConsciousness },
}

// Text is one sentence in both languages.
type Text struct {
	Zh string `yaml:"zh" json:"zh"`
	En string `yaml:"en" json:"en"`
}

// Place is where a leg begins or ends.
type Place struct {
	Name     string
	Lat, Lon float64
}

// Leg is one part of an itinerary.
type Leg struct {
	Mode           Mode
	From, To       Place
	Depart, Arrive time.Time
	Number         string // train or flight; empty on the road
	Km             float64
	// Run and the stops' ids say which trip it is, for real-time feeds; empty on the road. BoardCall and AlightCall count
	// the run's calls from 0.
	Run                   Run
	FromStop, ToStop      string
	BoardCall, AlightCall int
	// BookFrom and BookUntil is when the station's help desk takes a booking; zero where none is needed.
	BookFrom, BookUntil time.Time
}

// Itinerary is one way from door to ward (行程).
type Itinerary struct {
	Key            string
	Legs           []Leg
	Depart, Arrive time.Time
	Changes        int
	Cost           money.Fen
	// Risk is the points of clinical risk: what may happen in each hour in each vehicle, and at each move.
	Risk    int64
	Escort  Escort
	Because Text
}

// Refusal is a mode that is not allowed, with the reason.
type Refusal struct {
	Mode    Mode
	Because Text
}

// Plan is the answer to a question.
type Plan struct {
	Options          []Itinerary // earliest arrival first
	Refused          []Refusal
	TimetableVersion string
	RulesVersion     string
	// Faster is the fastest way that is not allowed, where it beats every option; nil: none does.
	Faster *Faster
	// Notes say what else bears on the answer, such as a call-in window that is missed.
	Notes []Text
}

// Faster is a way that would be faster, and every reason against it.
type Faster struct {
	Itinerary
	Against []Text
}

// Estimate is the shortest allowed way to one city.
type Estimate struct {
	Found    bool
	Duration time.Duration
	Mode     Mode
}
