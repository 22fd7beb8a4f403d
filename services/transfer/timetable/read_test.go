package timetable_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/transfer/timetable"
	"huhang.example/services/transfer/timetable/rail2016"
)

func good() map[string]string {
	return map[string]string{
		"agency.txt":         "\ufeffagency_id,agency_name,agency_timezone\r\nA,示范铁路,Asia/Shanghai\r\n",
		"stops.txt":          "stop_id,stop_name,stop_lat,stop_lon\nX,\"甲,示范站\",30,110\nY,乙示范站,31,111\nZ,丙示范站,32,112\n",
		"routes.txt":         "route_id,agency_id,route_type\nR,A,101\nB,A,3\n",
		"trips.txt":          "trip_id,route_id,service_id,trip_short_name\nT,R,S,SF1\nBUS,B,S,\n",
		"stop_times.txt":     "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nT,25:10:00,25:10:00,Z,9\nT,23:50:00,23:50:00,X,1\nT,,,Y,4\nBUS,1:00:00,1:00:00,X,1\nBUS,2:00:00,2:00:00,Y,2\n",
		"calendar.txt":       "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\nS,1,1,1,1,1,0,0,20260101,20261231\n",
		"calendar_dates.txt": "service_id,date,exception_type\nS,20260303,2\nS,20260307,1\n",
	}
}

func read(files map[string]string, limits timetable.Limits) (*timetable.Timetable, error) {
	feed := fstest.MapFS{}
	for name, text := range files {
		feed[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return timetable.Read(feed, limits)
}

func TestReadsAFeed(t *testing.T) {
	table, err := read(good(), timetable.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Trips) != 1 || table.LeftOut != 1 || len(table.Connections) != 1 {
		t.Fatalf("%d trips, %d left out, %d connections", len(table.Trips), table.LeftOut, len(table.Connections))
	}
	c := table.Connections[0]
	if c.Depart != 23*3600+50*60 || c.Arrive != 25*3600+10*60 || c.EndMetres < 280_000 || table.Stops[c.From].Name != "甲,示范站" {
		t.Errorf("connection %+v", c)
	}
	runs := func(day string) bool {
		at, _ := time.ParseInLocation(time.DateOnly, day, clock.Shanghai)
		return table.Services[0].Runs(at)
	}
	for day, want := range map[string]bool{"2026-03-02": true, "2026-03-03": false, "2026-03-07": true, "2026-03-08": false, "2027-03-01": false, "2025-12-31": false} {
		if runs(day) != want {
			t.Errorf("runs on %s: %v", day, runs(day))
		}
	}
}

func TestRefusesABadFeedNamingThePlace(t *testing.T) {
	for _, c := range []struct{ name, file, old, new, want string }{
		{"missing file", "trips.txt", "", "", "trips.txt: is missing"},
		{"missing column", "stops.txt", "stop_lat", "lat", "stops.txt:1:stop_lat: is missing"},
		{"column twice", "stops.txt", "stop_lat", "stop_name", "stops.txt:1:stop_name: stands"},
		{"latitude", "stops.txt", "30,110", "99,110", "stops.txt:2:stop_lat: "},
		{"not a number", "stops.txt", "30,110", "NaN,110", "stops.txt:2:stop_lat: "},
		{"stop twice", "stops.txt", "Y,乙", "X,乙", "stops.txt:3:stop_id: is used twice"},
		{"too many cells", "stops.txt", "30,110", "30,110,1", "stops.txt:2: has 5 cells"},
		{"not UTF-8", "stops.txt", "乙示范站", "\xff\xfe", "stops.txt:3: holds"},
		{"bare quote", "stops.txt", "乙示范站", "乙\"x", "stops.txt:3: cannot be read"},
		{"zone", "agency.txt", "Asia/Shanghai", "Europe/Oslo", "agency.txt:2:agency_timezone: "},
		{"agency", "routes.txt", "R,A", "R,Q", "routes.txt:2:agency_id: "},
		{"route type", "routes.txt", "101", "fast", "routes.txt:2:route_type: "},
		{"unknown route", "trips.txt", "T,R,S", "T,Q,S", "trips.txt:2:route_id: "},
		{"unknown service", "trips.txt", "T,R,S", "T,R,Q", "trips.txt:2:service_id: "},
		{"unknown trip", "stop_times.txt", "T,25", "Q,25", "stop_times.txt:2:trip_id: "},
		{"unknown stop", "stop_times.txt", "25:10:00,Z", "25:10:00,Q", "stop_times.txt:2:stop_id: "},
		{"bad time", "stop_times.txt", "25:10:00,25:10:00", "25:61:00,25:10:00", "stop_times.txt:2:arrival_time: "},
		{"endless time", "stop_times.txt", "25:10:00,25:10:00", "97:00:00,97:00:00", "stop_times.txt:2:arrival_time: "},
		{"dwell backwards", "stop_times.txt", "25:10:00,25:10:00", "25:10:00,25:09:00", "stop_times.txt:2:departure_time: "},
		{"hop backwards", "stop_times.txt", "25:10:00,25:10:00", "20:10:00,20:10:00", "stop_times.txt:2:arrival_time: "},
		{"sequence twice", "stop_times.txt", "Z,9", "Z,1", "stop_times.txt:"},
		{"untimed end", "stop_times.txt", "25:10:00,25:10:00", ",", "departure_time: the first and the last"},
		{"date", "calendar.txt", "20260101", "20260230", "calendar.txt:2:start_date: "},
		{"dates reversed", "calendar.txt", "20261231", "20250101", "calendar.txt:2:end_date: "},
		{"weekday", "calendar.txt", "S,1,1", "S,1,7", "calendar.txt:2:tuesday: "},
		{"exception", "calendar_dates.txt", "20260303,2", "20260303,3", "calendar_dates.txt:2:exception_type: "},
		{"frequency backwards", "frequencies.txt", "", "trip_id,start_time,end_time,headway_secs\nT,8:00:00,8:00:00,600\n", "frequencies.txt:2:end_time: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := good()
			switch {
			case c.old == "" && c.new == "":
				delete(files, c.file)
			case c.old == "":
				files[c.file] = c.new
			default:
				if !strings.Contains(files[c.file], c.old) {
					t.Fatalf("%q is not in the file", c.old)
				}
				files[c.file] = strings.Replace(files[c.file], c.old, c.new, 1)
			}
			table, err := read(files, timetable.Limits{})
			wrong := new(timetable.FeedError)
			if table != nil || !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestBoundsAreKept(t *testing.T) {
	for name, limits := range map[string]timetable.Limits{
		"bytes": {FileBytes: 100}, "rows": {Rows: 2}, "stops": {Stops: 2},
	} {
		if _, err := read(good(), limits); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	files := good()
	files["stops.txt"] = "stop_id,stop_name,stop_lat,stop_lon\n" + strings.Repeat("a,,x,y\n", 5000)
	_, err := read(files, timetable.Limits{})
	wrong := new(timetable.FeedError)
	if !errors.As(err, &wrong) || len(wrong.Rows) != 100 {
		t.Fatalf("%d complaints", len(wrong.Rows))
	}
}

func TestReadsAZipWithAFolder(t *testing.T) {
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for name, text := range good() {
		f, err := w.Create("feed/" + name)
		if err == nil {
			_, err = f.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	table, err := timetable.ReadZip(bytes.NewReader(packed.Bytes()), int64(packed.Len()), timetable.Limits{})
	if err != nil || len(table.Connections) != 1 {
		t.Fatalf("%v", err)
	}
	if _, err := timetable.ReadZip(strings.NewReader("no zip"), 6, timetable.Limits{}); err == nil {
		t.Fatal("read what is no zip")
	}
}

func TestSampleIsWholeAndPlainlyInvented(t *testing.T) {
	table := timetable.Sample()
	if table.Version != "sample-2026.1" || table.LeftOut != 0 || table.Overflow != 1 {
		t.Errorf("version %q, %d left out, overflow %d", table.Version, table.LeftOut, table.Overflow)
	}
	for _, trip := range table.Trips {
		if !strings.HasPrefix(trip.Number, "SF") {
			t.Errorf("trip %s", trip.Number)
		}
	}
	for _, stop := range table.Stops {
		if !strings.Contains(stop.Name, "示范") || !stop.Served[timetable.Rail] && !stop.Served[timetable.Flight] {
			t.Errorf("stop %+v", stop)
		}
	}
}

// A version kept before calls had numbers is read as it was: the same but for them, and no call is found by its number.
func TestTheOldKeptFormStaysReadable(t *testing.T) {
	kept, err := os.ReadFile("testdata/sample.hhtt1")
	if err != nil {
		t.Fatal(err)
	}
	old, err := timetable.Decode(kept)
	if err != nil {
		t.Fatal(err)
	}
	table, day := timetable.Sample(), "20261202"
	if stop, found := table.Schedule().StopAt("SF101", day, 2); !found || stop != "R-NJ" {
		t.Errorf("call 2 is at %q", stop)
	}
	if stop, found := table.Schedule().StopAt("SF101", day, 5); found {
		t.Errorf("call 5 is at %q", stop)
	}
	if stop, found := old.Schedule().StopAt("SF101", day, 2); found {
		t.Errorf("of the old form call 2 is at %q", stop)
	}
	again, err := timetable.Decode(old.Encode())
	if err != nil || !reflect.DeepEqual(old, again) {
		t.Errorf("kept anew it is not the same: %v", err)
	}
	for i := range table.Connections {
		table.Connections[i].FromSequence, table.Connections[i].ToSequence = -1, -1
	}
	if !reflect.DeepEqual(old, table) {
		t.Error("the old form holds something else")
	}
}

func TestReadsTheNationalFeed(t *testing.T) {
	table, err := timetable.Read(rail2016.Feed(1), timetable.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Trips) != rail2016.Trains || len(table.Stops) != rail2016.Stations || len(table.Connections) != rail2016.Calls-rail2016.Trains {
		t.Errorf("%d trips, %d stops, %d connections", len(table.Trips), len(table.Stops), len(table.Connections))
	}
	packed := table.Encode()
	again, err := timetable.Decode(packed)
	if err != nil || !reflect.DeepEqual(table, again) {
		t.Fatalf("what is decoded is not what was encoded: %v", err)
	}
	t.Logf("%d bytes", len(packed))
}

func FuzzRead(f *testing.F) {
	files := good()
	f.Add(files["stops.txt"], files["routes.txt"], files["trips.txt"], files["stop_times.txt"], files["calendar.txt"])
	f.Fuzz(func(t *testing.T, stops, routes, trips, times, calendar string) {
		files := good()
		files["stops.txt"], files["routes.txt"], files["trips.txt"], files["stop_times.txt"], files["calendar.txt"] = stops, routes, trips, times, calendar
		delete(files, "calendar_dates.txt")
		table, err := read(files, timetable.Limits{FileBytes: 1 << 16, Rows: 500})
		if err != nil {
			if wrong := new(timetable.FeedError); !errors.As(err, &wrong) || len(wrong.Rows) == 0 || len(wrong.Rows) > 100 {
				t.Fatalf("error %v", err)
			}
			return
		}
		before := int32(0)
		for _, c := range table.Connections {
			if c.Arrive < c.Depart || c.EndMetres < c.StartMetres || c.TimeOfDay() < before ||
				int(c.From) >= len(table.Stops) || int(c.To) >= len(table.Stops) || int(c.Trip) >= len(table.Trips) {
				t.Fatalf("connection %+v", c)
			}
			before = c.TimeOfDay()
		}
	})
}
