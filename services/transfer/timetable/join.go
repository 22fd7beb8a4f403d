package timetable

import (
	"slices"
	"strings"
	"time"
)

// Part is one version of a feed and the days on which it is in force (调图: a new version begins on a day).
type Part struct {
	Feed  string
	Table *Timetable
	From  string // first service day, YYYYMMDD; empty: from ever
	Until string // first service day no longer; empty: for ever
}

// inForce is a version and since when.
type inForce struct{ feed, version, from, until string }

func (v inForce) on(day string) bool { return day >= v.from && (v.until == "" || day < v.until) }

// Join makes one timetable of several feeds, and of the versions of each that follow one another: a service runs on the
// days on which its version is in force and on no other, so that no journey uses a day of the wrong version.
func Join(parts []Part) *Timetable {
	out := &Timetable{}
	stops := map[string]int32{}
	for _, part := range parts {
		out.inForce = append(out.inForce, inForce{part.Feed, part.Table.Version, part.From, part.Until})
		out.LeftOut += part.Table.LeftOut
		at := out.addStops(part, stops)
		services, trips := int32(len(out.Services)), int32(len(out.Trips))
		for _, s := range part.Table.Services {
			out.Services = append(out.Services, s.within(part.From, part.Until))
		}
		for _, trip := range part.Table.Trips {
			trip.Service += services
			out.Trips = append(out.Trips, trip)
		}
		for _, c := range part.Table.Connections {
			c.From, c.To, c.Trip = at[c.From], at[c.To], c.Trip+trips
			out.Connections = append(out.Connections, c)
		}
		for _, f := range part.Table.Footpaths {
			f.From, f.To = at[f.From], at[f.To]
			out.Footpaths = append(out.Footpaths, f)
		}
	}
	out.Version = out.VersionOn("")
	out.finish()
	return out
}

// addStops returns where each stop of the part stands. A stop of the next version of a feed is the same one when it is
// called the same and has not moved.
func (t *Timetable) addStops(part Part, known map[string]int32) []int32 {
	at := make([]int32, len(part.Table.Stops))
	for i, stop := range part.Table.Stops {
		key := part.Feed + "\x00" + stop.ID
		same, ok := known[key]
		if ok && t.Stops[same].Lat == stop.Lat && t.Stops[same].Lon == stop.Lon {
			t.Stops[same].MinChange = max(t.Stops[same].MinChange, stop.MinChange)
			at[i] = same
			continue
		}
		at[i] = int32(len(t.Stops))
		known[key] = at[i]
		t.Stops = append(t.Stops, stop)
	}
	return at
}

// within returns the service on the days [from, until) only.
func (s Service) within(from, until string) Service {
	if s.From < from {
		s.From = from
	}
	if until != "" && s.To >= until {
		s.To = dayBefore(until)
	}
	if s.Exception != nil {
		kept := make(map[string]bool, len(s.Exception))
		for day, runs := range s.Exception {
			if day >= from && (until == "" || day < until) {
				kept[day] = runs
			}
		}
		s.Exception = kept
	}
	return s
}

func dayBefore(day string) string {
	t, err := time.Parse("20060102", day)
	if err != nil {
		return ""
	}
	return t.AddDate(0, 0, -1).Format("20060102")
}

// VersionOn names what is in force on the day, YYYYMMDD; of every feed where there are several. An empty day: of all days.
func (t *Timetable) VersionOn(day string) string {
	if len(t.inForce) == 0 {
		return t.Version
	}
	var names []string
	for _, v := range t.inForce {
		if (day == "" || v.on(day)) && !slices.Contains(names, v.version) {
			names = append(names, v.version)
		}
	}
	if len(names) == 0 {
		return Empty().Version
	}
	return strings.Join(names, "+")
}
