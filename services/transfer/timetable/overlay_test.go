package timetable_test

import (
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/clock"
	"huhang.example/services/transfer/timetable"
)

// threeStops is one train that calls at A, B and C every day, and leaves C after midnight.
func threeStops(t interface{ Fatal(...any) }) *timetable.Timetable {
	table, err := timetable.Read(fstest.MapFS{
		"agency.txt": {Data: []byte("agency_name,agency_timezone\nx,Asia/Shanghai\n")},
		"stops.txt":  {Data: []byte("stop_id,stop_name,stop_lat,stop_lon\nA,甲,30,110\nB,乙,31,111\nC,丙,32,112\nD,丁,33,113\n")},
		"routes.txt": {Data: []byte("route_id,route_type\nR,101\n")},
		"trips.txt":  {Data: []byte("trip_id,route_id,service_id,trip_short_name\nT1,R,ALL,SF1\nT2,R,ALL,SF2\n")},
		"stop_times.txt": {Data: []byte("trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" +
			"T1,20:00:00,20:00:00,A,1\nT1,22:00:00,22:05:00,B,2\nT1,24:10:00,24:15:00,C,3\nT1,25:00:00,25:00:00,D,4\n" +
			"T2,21:00:00,21:00:00,A,1\nT2,23:00:00,23:00:00,D,2\n")},
		"calendar.txt": {Data: []byte("service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n" +
			"ALL,1,1,1,1,1,1,1,20260101,20271231\n")},
	}, timetable.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func shanghai(day, clockTime string) time.Time {
	at, err := time.ParseInLocation("20060102 15:04", day+" "+clockTime, clock.Shanghai)
	if err != nil {
		panic(err)
	}
	return at
}

func TestChangesOfOneRun(t *testing.T) {
	table := threeStops(t)
	const day, next = "20260302", "20260303"
	for name, c := range map[string]struct {
		change         timetable.Change
		from, to       string
		depart, arrive time.Time // zero: it does not run there
	}{
		"as published":     {timetable.Change{Number: "SF9", Day: day, Cancelled: true}, "甲", "丁", shanghai(day, "20:00"), shanghai(next, "01:00")},
		"cancelled":        {timetable.Change{Number: "SF1", Day: day, Cancelled: true}, "甲", "丁", time.Time{}, time.Time{}},
		"late throughout":  {timetable.Change{Number: "SF1", Day: day, Delay: 30 * time.Minute}, "乙", "丁", shanghai(day, "22:35"), shanghai(next, "01:30")},
		"another day":      {timetable.Change{Number: "SF1", Day: next, Cancelled: true}, "甲", "乙", shanghai(day, "20:00"), shanghai(day, "22:00")},
		"a day of no name": {timetable.Change{Number: "SF1", Day: "tomorrow", Cancelled: true}, "甲", "乙", shanghai(day, "20:00"), shanghai(day, "22:00")},
		"late from a stop": {
			timetable.Change{Number: "SF1", Day: day, Stops: []timetable.StopChange{{Stop: "B", Arrive: 10 * time.Minute, Depart: 20 * time.Minute}}},
			"乙", "丙", shanghai(day, "22:25"), shanghai(next, "00:30"),
		},
		"before the late stop": {
			timetable.Change{Number: "SF1", Day: day, Stops: []timetable.StopChange{{Stop: "乙", Arrive: 10 * time.Minute, Depart: 20 * time.Minute}}},
			"甲", "乙", shanghai(day, "20:00"), shanghai(day, "22:10"),
		},
		"passes a stop": {timetable.Change{Number: "SF1", Day: day, Stops: []timetable.StopChange{{Stop: "B", Skipped: true}}}, "甲", "乙", time.Time{}, time.Time{}},
		"calls beyond":  {timetable.Change{Number: "SF1", Day: day, Stops: []timetable.StopChange{{Stop: "B", Skipped: true}}}, "甲", "丙", shanghai(day, "20:00"), shanghai(next, "00:10")},
		"starts later":  {timetable.Change{Number: "SF1", Day: day, Stops: []timetable.StopChange{{Stop: "A", Skipped: true}}}, "甲", "丙", time.Time{}, time.Time{}},
	} {
		depart, arrive, found := table.With([]timetable.Change{c.change}).Ride("SF1", day, c.from, c.to)
		if found != !c.depart.IsZero() || !depart.Equal(c.depart) || !arrive.Equal(c.arrive) {
			t.Errorf("%s: %v %v %v", name, found, depart, arrive)
		}
	}
	if got, ok := table.Run("SF1", "丙", shanghai(next, "00:15")); !ok || got != day {
		t.Errorf("after midnight the service day is %q", got)
	}
	if _, ok := table.Run("SF1", "丙", shanghai(next, "00:16")); ok {
		t.Error("a run at no time of its own")
	}
	if _, _, found := table.Ride("SF1", day, "甲", "丁"); !found {
		t.Error("the timetable itself was changed")
	}
}

// Whatever becomes of a run, it goes forward in time, and the other runs are as they were.
func TestAChangedRunGoesForward(t *testing.T) {
	table := threeStops(t)
	minutes := func(t *rapid.T) time.Duration {
		return time.Duration(rapid.IntRange(-300, 600).Draw(t, "minutes")) * time.Minute
	}
	rapid.Check(t, func(t *rapid.T) {
		change := timetable.Change{Number: "SF1", Day: "20260302", Delay: minutes(t)}
		for _, stop := range []string{"A", "B", "C", "D"} {
			if rapid.Bool().Draw(t, "named") {
				change.Stops = append(change.Stops, timetable.StopChange{Stop: stop, Arrive: minutes(t), Depart: minutes(t), Skipped: rapid.IntRange(0, 3).Draw(t, "skip") == 0})
			}
		}
		after := table.With([]timetable.Change{{Number: "SF1", Day: "20260302", Cancelled: true}, change})
		stops := []string{"甲", "乙", "丙", "丁"}
		last := time.Time{}
		for i, from := range stops {
			for _, to := range stops[i+1:] {
				depart, arrive, found := after.Ride("SF1", "20260302", from, to)
				if !found {
					continue
				}
				if arrive.Before(depart) || depart.Before(last) {
					t.Fatalf("%s-%s: %v to %v, after %v", from, to, depart, arrive, last)
				}
			}
			if _, arrive, found := after.Ride("SF1", "20260302", from, stops[min(i+1, 3)]); found {
				last = arrive
			}
		}
		if _, _, found := after.Ride("SF2", "20260302", "甲", "丁"); !found {
			t.Fatal("another train has gone")
		}
		if _, _, found := after.Ride("SF1", "20260303", "甲", "丁"); !found {
			t.Fatal("another day has gone")
		}
	})
}
