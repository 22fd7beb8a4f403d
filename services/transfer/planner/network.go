package planner

import (
	"cmp"
	"slices"
	"sort"

	"huhang.example/services/internal/place"
	"huhang.example/services/transfer/timetable"
)

// Planner answers over one timetable and one set of rules. It never changes and is safe for concurrent use.
type Planner struct {
	table *timetable.Timetable
	rules *Rules
	// reach is the roads from the seat of each city to its stations and airports.
	reach map[string][]link
	// interchange is the roads between stops, by stop.
	interchange [][]link
	// order holds the stops by latitude, so that neighbours are found without looking at all.
	order []int32
}

type link struct {
	stop int32
	way  way
	walk bool // short enough to be walked or wheeled
}

// New prepares a planner.
func New(table *timetable.Timetable, rules *Rules) *Planner {
	p := &Planner{table: table, rules: rules, reach: map[string][]link{}, interchange: make([][]link, len(table.Stops))}
	p.order = make([]int32, len(table.Stops))
	for i := range p.order {
		p.order[i] = int32(i)
	}
	slices.SortFunc(p.order, func(a, b int32) int { return cmp.Compare(table.Stops[a].Lat, table.Stops[b].Lat) })
	for _, city := range place.All() {
		p.reach[city.Code] = p.links(city.Lat, city.Lon, func(s timetable.Stop, metres float64) bool {
			return s.Served[timetable.Rail] && metres <= float64(rules.ReachKm.Rail)*1000 ||
				s.Served[timetable.Flight] && metres <= float64(rules.ReachKm.Flight)*1000
		})
	}
	for i, stop := range table.Stops {
		p.interchange[i] = slices.DeleteFunc(p.links(stop.Lat, stop.Lon, func(_ timetable.Stop, metres float64) bool {
			return metres <= rules.InterchangeKm*1000
		}), func(l link) bool { return l.stop == int32(i) })
		for j, l := range p.interchange[i] {
			if l.way.km() <= rules.WalkKm {
				kmh := rules.WalkKmh
				p.interchange[i][j].way.seconds = (l.way.metres*36 + kmh*10 - 1) / (kmh * 10)
				p.interchange[i][j].walk = true
			}
		}
	}
	return p
}

// Rules returns the rules the planner decides by.
func (p *Planner) Rules() *Rules { return p.rules }

// TimetableVersion names the timetable.
func (p *Planner) TimetableVersion() string { return p.table.Version }

func (p *Planner) links(lat, lon float64, take func(timetable.Stop, float64) bool) []link {
	// A degree of latitude is at least 110.5 km.
	furthest := max(float64(max(p.rules.ReachKm.Rail, p.rules.ReachKm.Flight)), p.rules.InterchangeKm)
	window := furthest/110.5 + 0.01
	first := sort.Search(len(p.order), func(i int) bool { return p.table.Stops[p.order[i]].Lat >= lat-window })
	var out []link
	for _, i := range p.order[first:] {
		stop := p.table.Stops[i]
		if stop.Lat > lat+window {
			break
		}
		if metres := timetable.Metres(lat, lon, stop.Lat, stop.Lon); take(stop, metres) {
			out = append(out, link{stop: i, way: p.rules.road(metres)})
		}
	}
	slices.SortFunc(out, func(a, b link) int { return cmp.Compare(a.stop, b.stop) })
	return out
}

// between is the road from city to city.
func (p *Planner) between(a, b place.Info) way {
	metres := place.Km(a, b) * 1000
	if a.Code == b.Code {
		metres = p.rules.Road.SameCityKm * 1000
	}
	return p.rules.road(metres)
}
