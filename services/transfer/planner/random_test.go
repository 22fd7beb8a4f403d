package planner

import (
	"fmt"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/clock"
	"huhang.example/services/transfer/timetable"
)

var day = time.Date(2026, 3, 2, 0, 0, 0, 0, clock.Shanghai)

func hms(minute int) string { return fmt.Sprintf("%d:%02d:00", minute/60, minute%60) }

// randomFeed is a small feed: a few stops near one another, so that roads join some, a few trips, some of them at
// intervals, and what the feed says of changes.
func randomFeed(t *rapid.T) fstest.MapFS {
	stops := rapid.IntRange(2, 6).Draw(t, "stops")
	text := "stop_id,stop_name,stop_lat,stop_lon,parent_station,location_type\nP,P,30,110,,1\n"
	for i := range stops {
		lat := 30 + 0.3*float64(rapid.IntRange(0, 6).Draw(t, "lat"))
		text += fmt.Sprintf("S%d,S%d,%.2f,%.2f,%s,0\n", i, i, lat, 110+0.01*float64(i), rapid.SampledFrom([]string{"", "", "", "P"}).Draw(t, "parent"))
	}
	transfers := "from_stop_id,to_stop_id,transfer_type,min_transfer_time\n"
	for range rapid.IntRange(0, 3).Draw(t, "transfers") {
		a, b := rapid.IntRange(0, stops-1).Draw(t, "a"), rapid.IntRange(0, stops-1).Draw(t, "b")
		transfers += fmt.Sprintf("S%d,S%d,%d,%d\n", a, b, rapid.SampledFrom([]int{0, 2, 3}).Draw(t, "type"), 60*rapid.IntRange(0, 90).Draw(t, "min"))
	}
	trips := "trip_id,route_id,service_id,wheelchair_accessible\n"
	times := "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n"
	frequencies := "trip_id,start_time,end_time,headway_secs,exact_times\n"
	for i := range rapid.IntRange(1, 7).Draw(t, "trips") {
		trips += fmt.Sprintf("T%d,%s,%s,%d\n", i, rapid.SampledFrom([]string{"R", "F"}).Draw(t, "route"),
			rapid.SampledFrom([]string{"ALL", "ODD"}).Draw(t, "service"), rapid.SampledFrom([]int{0, 1, 1, 2}).Draw(t, "wheels"))
		minute := rapid.IntRange(0, 1500).Draw(t, "start")
		if rapid.IntRange(0, 9).Draw(t, "often") == 0 {
			frequencies += fmt.Sprintf("T%d,%s,%s,%d,%d\n", i, hms(minute), hms(minute+100), 60*rapid.IntRange(30, 60).Draw(t, "headway"), rapid.IntRange(0, 1).Draw(t, "exact"))
		}
		before := -1
		for n := range rapid.IntRange(2, 4).Draw(t, "calls") {
			stop := rapid.IntRange(0, stops-1).Filter(func(s int) bool { return s != before }).Draw(t, "stop")
			before = stop
			arrive := minute
			minute += rapid.IntRange(0, 20).Draw(t, "dwell")
			closed := rapid.SampledFrom([]string{"0,0", "0,0", "0,0", "1,0", "0,1"}).Draw(t, "closed")
			times += fmt.Sprintf("T%d,%s,%s,S%d,%d,%s\n", i, hms(arrive), hms(minute), stop, n, closed)
			minute += rapid.IntRange(0, 200).Draw(t, "hop")
		}
	}
	feed := fstest.MapFS{}
	for name, text := range map[string]string{
		"agency.txt": "agency_name,agency_timezone\nx,Asia/Shanghai\n", "stops.txt": text,
		"routes.txt": "route_id,route_type\nR,101\nF,1100\n", "trips.txt": trips, "stop_times.txt": times,
		"calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n" +
			"ALL,1,1,1,1,1,1,1,20260101,20271231\nODD,1,0,1,0,1,0,1,20260101,20271231\n",
		"transfers.txt": transfers, "frequencies.txt": frequencies,
	} {
		feed[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return feed
}

func readFeed(t *rapid.T, feed fstest.MapFS) *timetable.Timetable {
	table, err := timetable.Read(feed, timetable.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// randomRules have three rides at most, so that every way can be walked, and sometimes hours for everybody.
func randomRules(t *rapid.T) *Rules {
	rules := CurrentRules()
	rules.MostRides = 3
	if rapid.Bool().Draw(t, "bounded hours") {
		hours := rapid.Int64Range(2, 14).Draw(t, "hours")
		rules.Hours = map[string]int64{"E0": hours, "E1": hours}
	}
	return rules
}

// randomOverlay delays and cancels some runs.
func randomOverlay(t *rapid.T, table *timetable.Timetable) *Overlay {
	o := &Overlay{}
	seen := map[Run]bool{}
	for range rapid.IntRange(0, 4).Draw(t, "disruptions") {
		d := Disruption{Run: Run{
			TripID:     table.Trips[rapid.IntRange(0, len(table.Trips)-1).Draw(t, "trip")].ID,
			ServiceDay: dayText(dayNumber(day) + int32(rapid.IntRange(-2, 1).Draw(t, "day"))),
		}}
		if seen[d.Run] {
			continue
		}
		seen[d.Run] = true
		d.Cancelled = rapid.IntRange(0, 3).Draw(t, "cancelled") == 0
		for range rapid.IntRange(0, 2).Draw(t, "changes") {
			late := func(name string) time.Duration {
				return time.Duration(rapid.IntRange(-10, 240).Draw(t, name)) * time.Minute
			}
			d.Calls = append(d.Calls, CallChange{
				Call: rapid.IntRange(0, 3).Draw(t, "call"), Arrive: late("arrive"), Depart: late("depart"), Skipped: rapid.IntRange(0, 5).Draw(t, "skipped") == 0,
			})
		}
		o.Disruptions = append(o.Disruptions, d)
	}
	if len(o.Disruptions) == 0 {
		return nil
	}
	return o
}

// posed is a query made ready, with ends of its own rather than a city's.
func posed(t *rapid.T, table *timetable.Timetable, rules *Rules) (*core, *scratch) {
	p := newCore(table, rules)
	q := &question{
		Origin: spot{lat: 10, lon: 10}, Destination: spot{lat: 10, lon: 10},
		NotBefore: day.Add(time.Duration(rapid.IntRange(0, 1400).Draw(t, "not before")) * time.Minute),
		Fitness:   Fitness{Stretcher: rapid.Bool().Draw(t, "stretcher")}, Overlay: randomOverlay(t, table),
	}
	if rapid.IntRange(0, 3).Draw(t, "on the way") == 0 {
		q.DutySince = q.NotBefore.Add(-time.Hour)
	}
	s := p.take(q, demand{allowed: [kinds]bool{true, true}, feeder: Taxi})
	s.end = min(s.end, s.start+30*3600)
	last := int32(len(table.Stops) - 1)
	s.access = append(s.access[:0], []link{{stop: 0, way: way{5000, 600}}, {stop: last / 2, way: way{9000, 1200}}}[:1+min(last/2, 1)]...)
	s.entered = rapid.IntRange(0, 3).Draw(t, "inside") == 0
	if s.entered {
		s.access[0].way = way{}
	}
	s.endAt(p, q.Destination)
	for stop, w := range map[int32]way{max(last-1, 0): {20000, 1800}, last: {7000, 700}} {
		s.egress[stop], s.egressMetres[stop] = int32(w.seconds), w.metres
		s.egressAt = append(s.egressAt, link{stop: stop, way: w})
	}
	return p, s
}
