package planner

import (
	"time"

	"huhang.example/services/internal/place"
	"huhang.example/services/transfer/timetable"
)

// With returns a planner over the timetable as it runs after the changes, by the same rules.
func (p *Planner) With(changes []timetable.Change) *Planner {
	if len(changes) == 0 {
		return p
	}
	return New(p.table.With(changes), p.rules)
}

// Table is the timetable the planner answers over.
func (p *Planner) Table() *timetable.Timetable { return p.table }

// Somewhere is an origin that is no city: where a patient on the way is. A Question may begin there.
func Somewhere(at Place) place.Info {
	return place.Info{NameZh: at.Name, NameEn: at.Name, Lat: at.Lat, Lon: at.Lon}
}

// start is the roads from an origin to the stops around it. Whoever stands in a station needs none to it.
func (p *Planner) start(origin place.Info) []link {
	if origin.Code != "" {
		return p.reach[origin.Code]
	}
	return p.links(origin.Lat, origin.Lon, func(s timetable.Stop, metres float64) bool {
		return s.Served[timetable.Rail] && metres <= float64(p.rules.ReachKm.Rail)*1000 ||
			s.Served[timetable.Flight] && metres <= float64(p.rules.ReachKm.Flight)*1000
	})
}

// BoardTime is the least from a station's or airport's door to the seat.
func (r *Rules) BoardTime(mode Mode, f Fitness) time.Duration {
	kind, timetabled := kindOf(mode)
	if !timetabled {
		return 0
	}
	return time.Duration(r.handling(r.BoardMinutes, kind, f)) * time.Second
}
