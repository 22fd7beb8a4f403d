package planner

import (
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"huhang.example/services/transfer/timetable"
)

// In each of these networks one rule decides, which random ones seldom ask: by the guide and without it the search finds what a walk
// through every way finds, and the first arrival is found with no time to spare.
func TestOneRuleDecides(t *testing.T) {
	const ride = "T1,8:00:00,8:00:00,A,0\nT1,10:00:00,10:00:00,B,1\n"
	for _, c := range []struct {
		name, times, transfers string
		hours                  int64 // of the escort
		late                   []CallChange
		desk                   time.Duration // since midnight, before which no train may be boarded
	}{
		{name: "it is cheaper to stay aboard, and the escort's hours end before", times: ride + "T1,11:10:00,11:10:00,C,2\n" + "T2,1:00:00,1:00:00,D,0\nT2,2:00:00,2:00:00,E,1\n", hours: 4},
		{name: "the change takes longer than until the train leaves", times: ride + "T2,10:40:00,10:40:00,B,0\nT2,12:00:00,12:00:00,C,1\n", transfers: "B,B,2,3600\n"},
		{name: "the road to the other station takes longer than until the train leaves", times: ride + "T2,10:50:00,10:50:00,D,0\nT2,12:00:00,12:00:00,C,1\n"},
		{name: "the change inside the station is just made", times: ride + "T2,10:30:00,10:30:00,E,0\nT2,12:00:00,12:00:00,C,1\n"},
		{
			name:  "one comes to the second train by the first one's second stop",
			times: "T1,8:00:00,8:00:00,A,0\nT1,9:00:00,9:00:00,D,1\nT1,10:00:00,10:00:00,B,2\nT2,10:40:00,10:40:00,B,0\nT2,12:00:00,12:00:00,C,1\n",
		},
		{
			name: "after a flight the station can no longer be told of the patient", times: ride + "T2,10:40:00,10:40:00,B,0\nT2,12:00:00,12:00:00,C,1\n",
			desk: 11 * time.Hour,
		},
		{
			name: "the late train makes up for it", times: ride + "T2,9:00:00,9:00:00,B,0\nT2,12:30:00,12:30:00,C,1\n",
			late: []CallChange{{Call: 0, Depart: 2 * time.Hour}, {Call: 1, Arrive: 0}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
			first := "R"
			if c.desk > 0 {
				first = "F"
			}
			table, err := timetable.Read(fstest.MapFS{
				"agency.txt": file("agency_name,agency_timezone\nx,Asia/Shanghai\n"), "routes.txt": file("route_id,route_type\nR,101\nF,1100\n"),
				"stops.txt": file("stop_id,stop_name,stop_lat,stop_lon,parent_station,location_type\nP,P,31,110,,1\n" +
					"A,A,30,110,,0\nB,B,31,110,P,0\nC,C,33,110,,0\nD,D,31.2,110,,0\nE,E,31,110,P,0\n"),
				"trips.txt":      file("trip_id,route_id,service_id\nT1," + first + ",ALL\nT2,R,ALL\n"),
				"stop_times.txt": file("trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" + c.times),
				"calendar.txt": file("service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n" +
					"ALL,1,1,1,1,1,1,1,20260101,20271231\n"),
				"transfers.txt": file("from_stop_id,to_stop_id,transfer_type,min_transfer_time\n" + c.transfers),
			}, timetable.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			rules := CurrentRules()
			rules.MostRides = 2
			rules.Hours["E0"], rules.Hours["E1"] = c.hours, c.hours
			var o *Overlay
			if c.late != nil {
				o = &Overlay{Disruptions: []Disruption{{Run: Run{"T2", dayText(dayNumber(day))}, Calls: c.late}}}
			}
			p := newCore(table, rules)
			q := &question{Origin: spot{lat: 10, lon: 10}, Destination: spot{lat: 10, lon: 10}, NotBefore: day.Add(6 * time.Hour), Overlay: o}
			s := p.take(q, demand{allowed: [kinds]bool{true, true}, feeder: Taxi})
			stop := func(id string) int32 {
				return int32(slices.IndexFunc(table.Stops, func(s timetable.Stop) bool { return s.ID == id }))
			}
			if c.desk > 0 {
				s.earliest[timetable.Rail] = s.second(day.Add(c.desk))
			}
			s.access = []link{{stop: stop("A"), way: way{5000, 600}}}
			s.endAt(p, q.Destination)
			for id, w := range map[string]way{"B": {60000, 3600}, "C": {2000, 300}} {
				if id == "B" && c.hours == 0 {
					continue
				}
				s.egress[stop(id)], s.egressMetres[stop(id)] = int32(w.seconds), w.metres
				s.egressAt = append(s.egressAt, link{stop: stop(id), way: w})
			}
			b := newBrute(p, s, o)
			b.all()
			want := paretoOf(b.results)
			for _, each := range []bool{true, false} {
				var got []result
				for _, a := range s.search(p, nil, s.hope(p, slots, each, p.late(o)), 1<<28) {
					got = append(got, result{arrive: a.at, rides: a.rides, fen: a.price / 1000, points: a.risk / riskUnit})
				}
				if len(want) == 0 || !slices.Equal(paretoOf(got), want) {
					t.Errorf("bounds of each connection %v: got %v, want %v", each, paretoOf(got), want)
				}
			}
			s.hours, s.latest = 0, newBrute(p, s, o).earliest()
			if first := s.latest; !s.firstArrival(p, s.quickestOff(p)) || s.ea.best != first {
				t.Errorf("the first arrival is %d, want %d", s.ea.best, first)
			}
		})
	}
}
