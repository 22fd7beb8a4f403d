// Package rail2016 holds China's high-speed and EMU trains as they ran in March 2016: 3,814 trains, 670 stations, 30,401
// calls. The facts come from the workbook of metromancn/Parse12306 (collected from 12306.cn, see LICENSE), put into two
// lists of our own.
//
// Invariant: it is for tests and measurements, and nothing that serves imports it: its trains are ten years old and are
// never shown to anybody as today's.
package rail2016

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"testing/fstest"
)

//go:embed *.gz LICENSE
var files embed.FS

// Station is one line of the list of stations.
type Station struct{ ID, Name, Lat, Lon string }

// Call is a train's stop; times are HH:MM and go on past 24:00.
type Call struct{ Station, Arrive, Depart string }

// Train is one line of the list of trains.
type Train struct {
	Number string
	Calls  []Call
}

// Trains and Stations are how many there are, Calls all calls together.
const (
	Trains   = 3814
	Stations = 670
	Calls    = 30401
)

// Read returns the two lists as they stand.
func Read() (stations []Station, trains []Train) {
	for _, line := range lines("stations.csv.gz") {
		f := strings.Split(line, ",")
		stations = append(stations, Station{f[0], f[1], f[2], f[3]})
	}
	for _, line := range lines("trains.txt.gz") {
		number, rest, _ := strings.Cut(line, ": ")
		train := Train{Number: number}
		for _, call := range strings.Split(rest, ", ") {
			f := strings.Fields(call)
			train.Calls = append(train.Calls, Call{f[0], f[1], f[2]})
		}
		trains = append(trains, train)
	}
	return stations, trains
}

// lines are those after the heading. The files are ours: what is wrong with them is a fault of the program.
func lines(name string) []string {
	packed, err := files.ReadFile(name)
	if err != nil {
		panic("rail2016: " + err.Error())
	}
	in, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic("rail2016: " + err.Error())
	}
	text, err := io.ReadAll(in)
	if err != nil {
		panic("rail2016: " + err.Error())
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
}

// Feed returns the trains as a GTFS feed. With more than one copy every train runs that often, each copy thirteen minutes
// after the one before: a timetable as many times as large over the same stations.
func Feed(copies int) fs.FS {
	stations, trains := Read()
	var stops, routes, trips, times strings.Builder
	stops.WriteString("stop_id,stop_name,stop_lat,stop_lon\n")
	routes.WriteString("route_id,agency_id,route_short_name,route_type\n")
	trips.WriteString("route_id,service_id,trip_id,trip_short_name\n")
	times.WriteString("trip_id,arrival_time,departure_time,stop_id,stop_sequence\n")
	for _, s := range stations {
		fmt.Fprintf(&stops, "%s,%s,%s,%s\n", s.ID, s.Name, s.Lat, s.Lon)
	}
	for n := range copies {
		mark := ""
		if n > 0 {
			mark = fmt.Sprintf("-%d", n)
		}
		for _, t := range trains {
			fmt.Fprintf(&routes, "%s%s,CR,%s,101\n", t.Number, mark, t.Number)
			fmt.Fprintf(&trips, "%s%s,DAILY,%s%s,%s\n", t.Number, mark, t.Number, mark, t.Number)
			for i, c := range t.Calls {
				fmt.Fprintf(&times, "%s%s,%s,%s,%s,%d\n", t.Number, mark, later(c.Arrive, 13*n), later(c.Depart, 13*n), c.Station, i+1)
			}
		}
	}
	feed := fstest.MapFS{}
	for name, text := range map[string]string{
		"agency.txt":   "agency_id,agency_name,agency_url,agency_timezone\nCR,中国铁路,http://www.12306.cn/,Asia/Shanghai\n",
		"calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\nDAILY,1,1,1,1,1,1,1,20160310,20161231\n",
		"stops.txt":    stops.String(), "routes.txt": routes.String(), "trips.txt": trips.String(), "stop_times.txt": times.String(),
		"feed_info.txt": "feed_publisher_name,feed_publisher_url,feed_lang,feed_version\nmetromancn,http://www.12306.cn/,zh,rail-2016-03\n",
	} {
		feed[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return feed
}

func later(hhmm string, minutes int) string {
	total := Minute(hhmm) + minutes
	return fmt.Sprintf("%02d:%02d:00", total/60, total%60)
}

// Minute reads HH:MM as minutes since midnight.
func Minute(hhmm string) int {
	hours, minutes, _ := strings.Cut(hhmm, ":")
	h, err := strconv.Atoi(hours)
	if err != nil {
		panic("rail2016: " + err.Error())
	}
	m, err := strconv.Atoi(minutes)
	if err != nil {
		panic("rail2016: " + err.Error())
	}
	return 60*h + m
}
