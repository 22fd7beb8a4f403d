package planner

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"huhang.example/services/internal/money"
	"huhang.example/services/internal/place"
	"huhang.example/services/transfer/timetable"
)

// Question asks for ways from one city to another.
type Question struct {
	Origin, Destination place.Info
	NotBefore           time.Time
	Fitness             Fitness
	// Within bounds the arrival, counted from NotBefore; 0: no bound.
	Within time.Duration
}

// Plan returns the options and the refusals.
func (p *Planner) Plan(q Question) Plan {
	plan := Plan{TimetableVersion: p.table.Version, RulesVersion: p.rules.Version}
	refuse := func(mode Mode, because Text) {
		plan.Refused = append(plan.Refused, Refusal{mode, because})
	}
	var found []Itinerary
	road := p.between(q.Origin, q.Destination)
	s := p.prepare(q.Origin, q.NotBefore, q.Fitness)
	usable := false
	for _, mode := range Modes {
		if kind, timetabled := kindOf(mode); timetabled {
			because, allowed := p.rules.Judge(mode, q.Fitness)
			if !allowed {
				refuse(mode, because)
			}
			s.allowed[kind] = allowed && q.Origin.Code != q.Destination.Code
			usable = usable || s.allowed[kind]
			continue
		}
		because, allowed := p.rules.judgeDirect(mode, q.Fitness, road)
		if !allowed {
			refuse(mode, because)
			continue
		}
		found = append(found, p.direct(mode, q, road, because))
	}
	if usable && p.feeder(q.Fitness) != "" {
		s.egress = map[int32]way{}
		for _, l := range p.reach[q.Destination.Code] {
			s.egress[l.stop] = l.way
		}
		s.run()
		for k := range s.done {
			for _, l := range s.done[k] {
				found = append(found, p.itinerary(s, q, l))
			}
		}
	}
	p.unserved(&plan, q, s, found)
	plan.Options = p.choose(found, q)
	return plan
}

// unserved tells of modes that are allowed but go nowhere useful, so that their absence is explained too.
func (p *Planner) unserved(plan *Plan, q Question, s *scan, found []Itinerary) {
	for _, mode := range []Mode{Rail, Flight} {
		kind, _ := kindOf(mode)
		used := slices.ContainsFunc(found, func(i Itinerary) bool {
			return slices.ContainsFunc(i.Legs, func(l Leg) bool { return l.Mode == mode })
		})
		switch {
		case used:
		case s.allowed[kind]:
			plan.Refused = append(plan.Refused, Refusal{mode, Text{
				Zh: fmt.Sprintf("时刻表 %s 在出发后 %d 小时内没有更优的班次", p.table.Version, p.rules.SearchHours),
				En: fmt.Sprintf("timetable %s has nothing better within %d h of leaving", p.table.Version, p.rules.SearchHours),
			}})
		case q.Origin.Code == q.Destination.Code && !slices.ContainsFunc(plan.Refused, func(r Refusal) bool { return r.Mode == mode }):
			plan.Refused = append(plan.Refused, Refusal{mode, Text{Zh: "同城转运", En: "both ends are in one city"}})
		}
	}
	slices.SortStableFunc(plan.Refused, func(a, b Refusal) int {
		return cmp.Compare(slices.Index(Modes, a.Mode), slices.Index(Modes, b.Mode))
	})
}

func kindOf(mode Mode) (timetable.Kind, bool) {
	switch mode {
	case Rail:
		return timetable.Rail, true
	case Flight:
		return timetable.Flight, true
	}
	return 0, false
}

func modeOf(kind timetable.Kind) Mode {
	if kind == timetable.Flight {
		return Flight
	}
	return Rail
}

// feeder is how the patient gets to the station and from it: by car where the rules allow, else by ambulance; "" when
// neither is allowed.
func (p *Planner) feeder(f Fitness) Mode {
	for _, mode := range []Mode{Taxi, RoadAmbulance} {
		if _, allowed := p.rules.Judge(mode, f); allowed {
			return mode
		}
	}
	return ""
}

// prepare sets up a scan from the origin, with no kind allowed yet.
func (p *Planner) prepare(origin place.Info, notBefore time.Time, f Fitness) *scan {
	base := timetable.Midnight(notBefore).AddDate(0, 0, -p.table.Overflow)
	start := int64(notBefore.Sub(base) / time.Second)
	if base.Add(time.Duration(start) * time.Second).Before(notBefore) {
		start++
	}
	s := &scan{
		table: p.table, interchange: p.interchange, base: base, start: start,
		end: start + p.rules.SearchHours*3600, slack: p.rules.SlackHours * 3600, rides: p.rules.MostRides,
		roadFare: p.rules.Fares[p.feeder(f)], access: p.start(origin),
	}
	for kind := range timetable.Kind(timetable.Kinds) {
		s.board[kind] = p.rules.handling(p.rules.BoardMinutes, kind, f)
		s.alight[kind] = p.rules.handling(p.rules.AlightMinutes, kind, f)
		s.fare[kind] = p.rules.Fares[modeOf(kind)]
	}
	return s
}

// choose keeps what is in time, not late beyond the slack and not dominated, sorts it and names it.
func (p *Planner) choose(found []Itinerary, q Question) []Itinerary {
	slices.SortStableFunc(found, func(a, b Itinerary) int {
		return cmp.Or(a.Arrive.Compare(b.Arrive), cmp.Compare(a.Changes, b.Changes), cmp.Compare(a.Cost, b.Cost))
	})
	var kept []Itinerary
	named := map[Mode]int{}
	for _, one := range found {
		late := q.Within > 0 && one.Arrive.After(q.NotBefore.Add(q.Within)) ||
			one.Arrive.After(found[0].Arrive.Add(time.Duration(p.rules.SlackHours)*time.Hour))
		dominated := slices.ContainsFunc(kept, func(other Itinerary) bool {
			return other.Changes <= one.Changes && other.Cost <= one.Cost // and not later: sorted
		})
		if late || dominated {
			continue
		}
		if len(kept) == p.rules.MostOptions {
			break
		}
		main := one.Main()
		named[main]++
		one.Key = fmt.Sprintf("%s-%d", keyNames[main], named[main])
		kept = append(kept, one)
	}
	return kept
}

var keyNames = map[Mode]string{Taxi: "taxi", Rail: "rail", Flight: "flight", RoadAmbulance: "ambulance", AirAmbulance: "air-ambulance"}

// Main is the mode that covers most of the way.
func (i Itinerary) Main() Mode {
	longest := map[Mode]float64{}
	main := Mode("")
	for _, leg := range i.Legs {
		longest[leg.Mode] += leg.Km
		if leg.Mode != Transfer && (main == "" || longest[leg.Mode] > longest[main]) {
			main = leg.Mode
		}
	}
	return main
}

func (p *Planner) direct(mode Mode, q Question, road way, because Text) Itinerary {
	metres, seconds := road.metres, road.seconds
	if mode == AirAmbulance {
		metres = int64(place.Km(q.Origin, q.Destination) * 1000)
		kmh := p.rules.AirAmbulance.Kmh
		seconds = p.rules.AirAmbulance.OverheadMinutes*60 + (metres*36+kmh*10-1)/(kmh*10)
	}
	leave := q.NotBefore.Truncate(time.Second)
	if leave.Before(q.NotBefore) {
		leave = leave.Add(time.Second)
	}
	arrive := leave.Add(time.Duration(seconds) * time.Second)
	return Itinerary{
		Legs: []Leg{{
			Mode: mode, From: door(q.Origin), To: ward(q.Destination), Depart: leave, Arrive: arrive, Km: float64(metres) / 1000,
		}},
		Depart: leave, Arrive: arrive, Cost: fen(p.rules.Fares[mode].of(metres)), Escort: p.rules.Escort(q.Fitness), Because: because,
	}
}

func door(c place.Info) Place {
	if c.Code == "" {
		return Place{Name: c.NameZh, Lat: c.Lat, Lon: c.Lon}
	}
	return Place{Name: c.NameZh + "（出发医院）", Lat: c.Lat, Lon: c.Lon}
}

func ward(c place.Info) Place {
	return Place{Name: c.NameZh + "（接收医院）", Lat: c.Lat, Lon: c.Lon}
}

// fen rounds half up; prices are never negative here.
func fen(price milliFen) money.Fen { return money.Fen((price + 500) / 1000) }
