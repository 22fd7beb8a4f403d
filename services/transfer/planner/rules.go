package planner

import (
	"bytes"
	"embed"
	"fmt"

	"gopkg.in/yaml.v3"

	"huhang.example/services/internal/money"
	"huhang.example/services/transfer/timetable"
)

//go:embed rules/*.yaml
var ruleFiles embed.FS

// currentRules is the version in force; older files stay, for decisions that name them.
const currentRules = "rules/2026-3.yaml"

// Rules say who may travel how, and what a way takes and costs (出行规则). They are data with a version.
type Rules struct {
	Version   string `yaml:"version"`
	Effective string `yaml:"effective"`
	Road      struct {
		InsideKm       float64 `yaml:"inside_km"`
		InsidePercent  int64   `yaml:"inside_percent"`
		InsideKmh      int64   `yaml:"inside_kmh"`
		BetweenPercent int64   `yaml:"between_percent"`
		BetweenKmh     int64   `yaml:"between_kmh"`
		SameCityKm     float64 `yaml:"same_city_km"`
		// Profile, where given, takes the place of the four numbers above: how far and how fast one goes in each band of
		// the distance, one band after the other.
		Profile []Band `yaml:"profile"`
	} `yaml:"road"`
	ReachKm          byKind        `yaml:"reach_km"`
	InterchangeKm    float64       `yaml:"interchange_km"`
	WalkKm           float64       `yaml:"walk_km"`
	WalkKmh          int64         `yaml:"walk_kmh"`
	BoardMinutes     byKind        `yaml:"board_minutes"`
	AlightMinutes    byKind        `yaml:"alight_minutes"`
	StretcherMinutes int64         `yaml:"stretcher_minutes"`
	SearchHours      int64         `yaml:"search_hours"`
	SlackHours       int64         `yaml:"slack_hours"`
	MostRides        int           `yaml:"most_rides"`
	MostOptions      int           `yaml:"most_options"`
	Fares            map[Mode]Fare `yaml:"fares"`
	AirAmbulance     struct {
		Kmh             int64 `yaml:"kmh"`
		OverheadMinutes int64 `yaml:"overhead_minutes"`
	} `yaml:"air_ambulance"`
	// RoundFen is to what an estimated cost is rounded: two ways that differ by less cost the same. 0 is one fen.
	RoundFen int64            `yaml:"round_fen"`
	Risk     Risk             `yaml:"risk"`
	HelpDesk HelpDesk         `yaml:"help_desk"`
	Hours    map[string]int64 `yaml:"hours"` // by escort grade and by vehicle, door to door at most
	Problems []Problem        `yaml:"problems"`
	Modes    []ModeRule       `yaml:"modes"`
	Escorts  []EscortRow      `yaml:"escort"`
}

// Band is one band of the road's speed profile.
type Band struct {
	ToKm    float64 `yaml:"to_km"` // great circle; 0 in the last: without end
	Percent int64   `yaml:"percent"`
	Kmh     int64   `yaml:"kmh"`
}

// Risk weighs what may happen on the way (途中风险): time in each vehicle, and each time the patient is moved.
type Risk struct {
	PerHour   map[Mode]int64 `yaml:"per_hour"` // points; TRANSFER is waiting
	Move      int64          `yaml:"move"`     // points for getting into or out of a vehicle
	Stretcher int64          `yaml:"stretcher"`
}

func (r *Risk) move(f Fitness) int64 {
	if f.Stretcher {
		return r.Stretcher * riskUnit
	}
	return r.Move * riskUnit
}

// HelpDesk is when a station wants to be told of a patient who needs help (重点旅客预约).
type HelpDesk struct {
	NeededFor       []string `yaml:"needed_for"`
	EarliestMinutes int64    `yaml:"earliest_minutes"`
	LatestMinutes   int64    `yaml:"latest_minutes"`
}

type byKind struct {
	Rail   int64 `yaml:"rail"`
	Flight int64 `yaml:"flight"`
}

func (b byKind) of(kind timetable.Kind) int64 {
	if kind == timetable.Flight {
		return b.Flight
	}
	return b.Rail
}

// Fare is what a mode costs, in fen.
type Fare struct {
	Base  int64 `yaml:"base"`
	PerKm int64 `yaml:"per_km"`
}

// ModeRule says for whom one mode is.
type ModeRule struct {
	Mode            Mode        `yaml:"mode"`
	MostRoadKm      int64       `yaml:"most_road_km"`
	Allowed         Text        `yaml:"allowed"`
	Refuse          []Condition `yaml:"refuse"`
	NeedsAny        []string    `yaml:"needs_any"`
	NeedsOnLongRoad []string    `yaml:"needs_on_long_road"`
	LongRoadMinutes int64       `yaml:"long_road_minutes"`
	Unneeded        Text        `yaml:"unneeded"`
	// MostEscort is the highest grade that can travel so; empty: any. BeyondEscort says why not.
	MostEscort   string `yaml:"most_escort"`
	BeyondEscort Text   `yaml:"beyond_escort"`
}

// Condition refuses a mode to those with the item, or with a measure below a bound; or only where the road is longer than
// so many kilometres.
type Condition struct {
	When    string `yaml:"when"`
	Measure string `yaml:"measure"`
	Below   int32  `yaml:"below"`
	OverKm  int64  `yaml:"over_km"`
	Text    `yaml:",inline"`
}

func (c *Condition) holds(f Fitness, km int64) bool {
	if c.OverKm > 0 && km <= c.OverKm {
		return false
	}
	if c.When != "" {
		return items[c.When](f)
	}
	n := measures[c.Measure](f)
	return n > 0 && n < c.Below
}

// CurrentRules returns the rules in force.
func CurrentRules() *Rules {
	text, err := ruleFiles.ReadFile(currentRules)
	if err != nil {
		panic("planner: " + err.Error())
	}
	rules, err := ParseRules(text)
	if err != nil {
		panic(err.Error()) // a file of ours, held to this by a test
	}
	return rules
}

// ParseRules reads rules and refuses what is incomplete, unknown or out of bounds.
func ParseRules(text []byte) (*Rules, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	r := new(Rules)
	if err := decoder.Decode(r); err != nil {
		return nil, fmt.Errorf("planner: rules: %w", err)
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("planner: rules %s: %w", r.Version, err)
	}
	return r, nil
}

// way is one stretch of road.
type way struct {
	metres  int64 // along the road
	seconds int64
}

func (w way) km() float64 { return float64(w.metres) / 1000 }

// road turns a great-circle distance into a road.
func (r *Rules) road(metres float64) way {
	if len(r.Road.Profile) == 0 {
		percent, kmh := r.Road.BetweenPercent, r.Road.BetweenKmh
		if metres <= r.Road.InsideKm*1000 {
			percent, kmh = r.Road.InsidePercent, r.Road.InsideKmh
		}
		along := int64(metres) * percent / 100
		return way{metres: along, seconds: seconds(along, kmh)}
	}
	var all way
	from := 0.0
	for _, band := range r.Road.Profile {
		to := band.ToKm * 1000
		if to == 0 || to > metres {
			to = metres
		}
		along := int64(to-from) * band.Percent / 100
		all.metres, all.seconds = all.metres+along, all.seconds+seconds(along, band.Kmh)
		if from = to; from == metres {
			break
		}
	}
	return all
}

// seconds rounds up.
func seconds(metres, kmh int64) int64 { return (metres*36 + kmh*10 - 1) / (kmh * 10) }

// milliFen is a thousandth of a fen: fares by the metre then add up without rounding. It is rounded once, at the end.
type milliFen = int64

func (f Fare) of(metres int64) milliFen { return f.Base*1000 + f.PerKm*metres }

// cents is the unit of costs.
func (r *Rules) cents() milliFen { return max(r.RoundFen, 1) * 1000 }

func (r *Rules) fen(price milliFen) money.Fen { return money.Fen(round(price, r.cents()) / 1000) }

// seconds a patient needs for boarding and alighting.
func (r *Rules) handling(minutes byKind, kind timetable.Kind, f Fitness) int64 {
	n := minutes.of(kind)
	if f.Stretcher {
		n += r.StretcherMinutes
	}
	return n * 60
}
