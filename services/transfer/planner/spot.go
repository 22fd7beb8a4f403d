package planner

import (
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/place"
	"huhang.example/services/transfer/timetable"
)

// Somewhere is an origin that is no city: where a patient on the way is. Right at a stop, the patient is inside it.
func Somewhere(at Place) place.Info {
	return place.Info{NameZh: at.Name, NameEn: at.Name, Lat: at.Lat, Lon: at.Lon}
}

// spot is where a way begins or ends.
type spot struct {
	name     string
	lat, lon float64
	// city is the code of the city at whose seat the spot lies; two spots of one city are joined by the way the rules
	// name for it. Empty: the spot is only where its coordinates say.
	city string
}

func spotOf(c place.Info) spot { return spot{name: c.NameZh, lat: c.Lat, lon: c.Lon, city: c.Code} }

func (s spot) sameCity(other spot) bool { return s.city != "" && s.city == other.city }

// between is the road from spot to spot.
func (p *core) between(a, b spot) way {
	if a.sameCity(b) {
		return p.rules.road(p.rules.Road.SameCityKm * 1000)
	}
	return p.rules.road(timetable.Metres(a.lat, a.lon, b.lat, b.lon))
}

// reachOf is the stations and airports of a spot.
func (p *core) reachOf(s spot) []link {
	if s.city != "" {
		if list, ok := p.reach[s.city]; ok {
			return list
		}
	}
	return p.near(s.lat, s.lon)
}

// stopAt finds the stop at which the spot lies.
func (p *core) stopAt(s spot) (int32, bool) {
	if s.city != "" {
		return 0, false
	}
	for _, l := range p.links(s.lat, s.lon, func(stop *timetable.Stop, metres float64) bool {
		return metres < 1 && stop.Served != [kinds]bool{}
	}) {
		return l.stop, true
	}
	return 0, false
}

// dayNumber counts days; dayTime is noon of one, when it is that day in Shanghai whatever the clocks did.
func dayNumber(t time.Time) int32 {
	y, m, d := t.In(clock.Shanghai).Date()
	return int32(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / timetable.DaySeconds)
}

func dayTime(day int32) time.Time {
	y, m, d := time.Unix(int64(day)*timetable.DaySeconds, 0).UTC().Date()
	return time.Date(y, m, d, 12, 0, 0, 0, clock.Shanghai)
}

// dayText is the day as timetables write it.
func dayText(day int32) string { return dayTime(day).Format("20060102") }
