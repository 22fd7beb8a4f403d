package planner

import (
	"fmt"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/clock"
	"huhang.example/services/transfer/timetable"
)

var day = time.Date(2026, 3, 2, 0, 0, 0, 0, clock.Shanghai)

// network is a small random feed: a few stops near one another, so that roads join some, and a few trips.
func network(t *rapid.T) *timetable.Timetable {
	stops := rapid.IntRange(2, 6).Draw(t, "stops")
	text := "stop_id,stop_name,stop_lat,stop_lon\n"
	for i := range stops {
		lat := 30 + 0.3*float64(rapid.IntRange(0, 6).Draw(t, "lat"))
		text += fmt.Sprintf("S%d,S%d,%.2f,%.2f\n", i, i, lat, 110+0.01*float64(i))
	}
	trips, times := "trip_id,route_id,service_id\n", "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
	for i := range rapid.IntRange(1, 7).Draw(t, "trips") {
		route := rapid.SampledFrom([]string{"R", "F"}).Draw(t, "route")
		service := rapid.SampledFrom([]string{"ALL", "ODD"}).Draw(t, "service")
		trips += fmt.Sprintf("T%d,%s,%s\n", i, route, service)
		minute := rapid.IntRange(0, 1500).Draw(t, "start")
		before := -1
		for n := range rapid.IntRange(2, 4).Draw(t, "calls") {
			stop := rapid.IntRange(0, stops-1).Filter(func(s int) bool { return s != before }).Draw(t, "stop")
			before = stop
			arrive := minute
			minute += rapid.IntRange(0, 20).Draw(t, "dwell")
			times += fmt.Sprintf("T%d,%s,%s,S%d,%d\n", i, hms(arrive), hms(minute), stop, n)
			minute += rapid.IntRange(0, 200).Draw(t, "hop")
		}
	}
	table, err := timetable.Read(fstest.MapFS{
		"agency.txt":     {Data: []byte("agency_name,agency_timezone\nx,Asia/Shanghai\n")},
		"stops.txt":      {Data: []byte(text)},
		"routes.txt":     {Data: []byte("route_id,route_type\nR,101\nF,1100\n")},
		"trips.txt":      {Data: []byte(trips)},
		"stop_times.txt": {Data: []byte(times)},
		"calendar.txt": {Data: []byte("service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n" +
			"ALL,1,1,1,1,1,1,1,20260101,20271231\nODD,1,0,1,0,1,0,1,20260101,20271231\n")},
	}, timetable.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func hms(minute int) string { return fmt.Sprintf("%d:%02d:00", minute/60, minute%60) }

// brute walks every way there is: any boarding of any run, any stop to get off, any road in between.
type brute struct {
	s       *scan
	runs    []run
	results [][3]int64 // arrival, rides, price
	leaves  []int64    // of the same way, when the door is left
}

type run struct {
	kind  timetable.Kind
	calls []timetable.Connection
	shift int64
}

func newBrute(s *scan) *brute {
	b := &brute{s: s}
	for trip := range s.table.Trips {
		var calls []timetable.Connection
		for _, c := range s.table.Connections {
			if int(c.Trip) == trip {
				calls = append(calls, c)
			}
		}
		slices.SortStableFunc(calls, func(a, b timetable.Connection) int {
			return int(a.StartMetres+a.EndMetres-b.StartMetres-b.EndMetres) + 1_000_000_000*int(a.Depart-b.Depart)
		})
		for d := range 6 {
			if s.table.Services[s.table.Trips[trip].Service].Runs(s.base.AddDate(0, 0, d)) {
				b.runs = append(b.runs, run{s.table.Trips[trip].Kind, calls, int64(d) * timetable.DaySeconds})
			}
		}
	}
	return b
}

func (b *brute) from(stop int32, at, price, leave int64, access int64, rides int, last int64) {
	if rides == b.s.rides {
		return
	}
	for _, r := range b.runs {
		for i, c := range r.calls {
			depart := int64(c.Depart) + r.shift
			if c.From != stop || depart-b.s.board[r.kind] < at || depart > last {
				continue
			}
			left := leave
			if rides == 0 {
				left = depart - b.s.board[r.kind] - access
			}
			for _, e := range r.calls[i:] {
				if int64(e.Depart)+r.shift > last {
					break
				}
				fare := b.s.fare[r.kind]
				paid := price + fare.Base*1000 + fare.PerKm*(e.EndMetres-c.StartMetres)
				arrive := int64(e.Arrive) + r.shift
				out := arrive + b.s.alight[r.kind]
				if w, ends := b.s.egress[e.To]; ends {
					b.results = append(b.results, [3]int64{out + w.seconds, int64(rides + 1), paid + b.s.roadFare.of(w.metres)})
					b.leaves = append(b.leaves, left)
				}
				b.from(e.To, arrive, paid, left, 0, rides+1, last)
				for _, l := range b.s.interchange[e.To] {
					cost := b.s.roadFare.of(l.way.metres)
					if l.walk {
						cost = 0
					}
					b.from(l.stop, out+l.way.seconds, paid+cost, left, 0, rides+1, last)
				}
			}
		}
	}
}

func (b *brute) all(last int64) {
	for _, a := range b.s.access {
		b.from(a.stop, b.s.start+a.way.seconds, b.s.roadFare.of(a.way.metres), 0, a.way.seconds, 0, last)
	}
}

func pareto(all [][3]int64) [][3]int64 {
	var kept [][3]int64
	slices.SortFunc(all, func(a, b [3]int64) int { return slices.Compare(a[:], b[:]) })
	for _, one := range all {
		if !slices.ContainsFunc(kept, func(k [3]int64) bool { return k[0] <= one[0] && k[1] <= one[1] && k[2] <= one[2] }) {
			kept = append(kept, one)
		}
	}
	return kept
}

func randomScan(t *rapid.T, rules *Rules) *scan {
	table := network(t)
	p := New(table, rules)
	s := &scan{
		table: table, interchange: p.interchange, base: day.AddDate(0, 0, -table.Overflow), rides: 3,
		roadFare: rules.Fares[Taxi], slack: 1 << 40,
	}
	s.start = int64(table.Overflow)*timetable.DaySeconds + int64(rapid.IntRange(0, 1400).Draw(t, "not before"))*60
	s.end = s.start + 30*3600
	f := Fitness{Stretcher: rapid.Bool().Draw(t, "stretcher")}
	for kind := range timetable.Kind(timetable.Kinds) {
		s.allowed[kind] = true
		s.board[kind], s.alight[kind] = rules.handling(rules.BoardMinutes, kind, f), rules.handling(rules.AlightMinutes, kind, f)
		s.fare[kind] = rules.Fares[modeOf(kind)]
	}
	last := int32(len(table.Stops) - 1)
	s.access = []link{{stop: 0, way: way{5000, 600}}, {stop: last / 2, way: way{9000, 1200}}}[:1+min(last/2, 1)]
	s.egress = map[int32]way{last: {7000, 700}, max(last-1, 0): {20000, 1800}}
	return s
}

func TestScanFindsExactlyTheParetoSet(t *testing.T) {
	rules := CurrentRules()
	rapid.Check(t, func(t *rapid.T) {
		s := randomScan(t, rules)
		end := s.end
		s.run()
		var got [][3]int64
		for k := range s.done {
			for _, l := range s.done[k] {
				got = append(got, [3]int64{l.at, int64(k), l.price})
			}
		}
		b := newBrute(s)
		b.all(end)
		if want := pareto(b.results); !slices.Equal(pareto(got), want) {
			t.Fatalf("got %v, want %v", pareto(got), want)
		}
	})
}

func TestEstimateFindsTheShortest(t *testing.T) {
	rules := CurrentRules()
	rapid.Check(t, func(t *rapid.T) {
		s := randomScan(t, rules)
		b := newBrute(s)
		b.all(s.end)
		want := int64(-1)
		for i, r := range b.results {
			if d := r[0] - b.leaves[i]; want < 0 || d < want {
				want = d
			}
		}
		egress := s.egress
		s.egress, s.latest = nil, true
		s.run()
		p := &Planner{table: s.table, rules: rules, reach: map[string][]link{}}
		for stop, w := range egress {
			p.reach["x"] = append(p.reach["x"], link{stop: stop, way: w})
		}
		got := int64(-1)
		p.quickest(s, "x", func(seconds int64, _ Mode) {
			if got < 0 || seconds < got {
				got = seconds
			}
		})
		if got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	})
}
