package planner

import (
	"bytes"
	"embed"
	"fmt"
	"math"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"huhang.example/services/transfer/timetable"
)

//go:embed rules/*.yaml
var ruleFiles embed.FS

// currentRules is the version in force; older files stay, for decisions that name them.
const currentRules = "rules/2026-1.yaml"

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
	Modes   []ModeRule  `yaml:"modes"`
	Escorts []EscortRow `yaml:"escort"`
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
}

// Condition refuses a mode to those with the item.
type Condition struct {
	When string `yaml:"when"`
	Text `yaml:",inline"`
}

// EscortRow asks for a grade for those with the item.
type EscortRow struct {
	When  string `yaml:"when"`
	Grade string `yaml:"grade"`
}

var grades = map[string]Escort{"E0": EscortNone, "E1": EscortFamily, "E2": EscortNurse, "E3": EscortDoctor, "E4": EscortICU}

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

func (r *Rules) check() error {
	if _, err := time.Parse(time.DateOnly, r.Effective); err != nil || r.Version == "" {
		return fmt.Errorf("version or effective date is missing")
	}
	for name, n := range map[string]int64{
		"inside_percent": r.Road.InsidePercent, "inside_kmh": r.Road.InsideKmh, "between_percent": r.Road.BetweenPercent,
		"between_kmh": r.Road.BetweenKmh, "walk_kmh": r.WalkKmh, "search_hours": r.SearchHours, "slack_hours": r.SlackHours,
		"most_rides": int64(r.MostRides), "most_options": int64(r.MostOptions), "air_ambulance.kmh": r.AirAmbulance.Kmh,
		"board_minutes.rail": r.BoardMinutes.Rail, "board_minutes.flight": r.BoardMinutes.Flight,
	} {
		if n <= 0 || n > 1000 {
			return fmt.Errorf("%s is not from 1 to 1000", name)
		}
	}
	seen := map[Mode]bool{}
	for _, m := range r.Modes {
		seen[m.Mode] = true
		if m.Allowed.Zh == "" || m.Allowed.En == "" {
			return fmt.Errorf("%s does not say why it is allowed", m.Mode)
		}
		names := append(append([]string{}, m.NeedsAny...), m.NeedsOnLongRoad...)
		for _, c := range m.Refuse {
			names = append(names, c.When)
			if c.Zh == "" || c.En == "" {
				return fmt.Errorf("%s does not say why %s refuses it", m.Mode, c.When)
			}
		}
		for _, name := range names {
			if items[name] == nil {
				return fmt.Errorf("%s: unknown item %q", m.Mode, name)
			}
		}
	}
	for _, m := range Modes {
		if fare, ok := r.Fares[m]; !seen[m] || !ok || fare.Base < 0 || fare.PerKm < 0 {
			return fmt.Errorf("%s has no rule or no fare", m)
		}
	}
	for _, row := range r.Escorts {
		if items[row.When] == nil || grades[row.Grade] == 0 {
			return fmt.Errorf("escort: unknown item %q or grade %q", row.When, row.Grade)
		}
	}
	return nil
}

// Escort returns the grade the worst item asks for.
func (r *Rules) Escort(f Fitness) Escort {
	worst := EscortNone
	for _, row := range r.Escorts {
		if items[row.When](f) {
			worst = max(worst, grades[row.Grade])
		}
	}
	return worst
}

func (r *Rules) rule(mode Mode) ModeRule {
	for _, m := range r.Modes {
		if m.Mode == mode {
			return m
		}
	}
	return ModeRule{}
}

// Judge decides about one mode by the patient's state alone: why it is allowed, or why not.
func (r *Rules) Judge(mode Mode, f Fitness) (because Text, allowed bool) {
	rule := r.rule(mode)
	var zh, en []string
	for _, c := range rule.Refuse {
		if items[c.When](f) {
			zh, en = append(zh, c.Zh), append(en, c.En)
		}
	}
	if len(zh) > 0 {
		return Text{Zh: strings.Join(zh, "；"), En: strings.Join(en, "; ")}, false
	}
	return rule.Allowed, true
}

// judgeDirect decides about a mode that goes the whole way, whose length counts too.
func (r *Rules) judgeDirect(mode Mode, f Fitness, road way) (Text, bool) {
	because, allowed := r.Judge(mode, f)
	if !allowed {
		return because, false
	}
	rule := r.rule(mode)
	if km := int64(math.Ceil(road.km())); rule.MostRoadKm > 0 && km > rule.MostRoadKm {
		return Text{
			Zh: fmt.Sprintf("公路约 %d 公里，超过 %d 公里的上限", km, rule.MostRoadKm),
			En: fmt.Sprintf("the road is about %d km, over the limit of %d km", km, rule.MostRoadKm),
		}, false
	}
	if len(rule.NeedsAny) == 0 || anyOf(rule.NeedsAny, f) ||
		road.seconds > rule.LongRoadMinutes*60 && anyOf(rule.NeedsOnLongRoad, f) {
		return because, true
	}
	return rule.Unneeded, false
}

func anyOf(names []string, f Fitness) bool {
	for _, name := range names {
		if items[name](f) {
			return true
		}
	}
	return false
}

// way is one stretch of road.
type way struct {
	metres  int64 // along the road
	seconds int64
}

func (w way) km() float64 { return float64(w.metres) / 1000 }

// road turns a great-circle distance into a road.
func (r *Rules) road(metres float64) way {
	percent, kmh := r.Road.BetweenPercent, r.Road.BetweenKmh
	if metres <= r.Road.InsideKm*1000 {
		percent, kmh = r.Road.InsidePercent, r.Road.InsideKmh
	}
	along := int64(metres) * percent / 100
	return way{metres: along, seconds: (along*36 + kmh*10 - 1) / (kmh * 10)}
}

// milliFen is a thousandth of a fen: fares by the metre then add up without rounding. It is rounded once, at the end.
type milliFen = int64

func (f Fare) of(metres int64) milliFen { return f.Base*1000 + f.PerKm*metres }

// seconds a patient needs for boarding and alighting.
func (r *Rules) handling(minutes byKind, kind timetable.Kind, f Fitness) int64 {
	n := minutes.of(kind)
	if f.Stretcher {
		n += r.StretcherMinutes
	}
	return n * 60
}
