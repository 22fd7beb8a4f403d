package timetable

import (
	"archive/zip"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed sample/*.txt
var sampleFiles embed.FS

// Sample returns the small invented feed that ships with the line (示范时刻表).
func Sample() *Timetable {
	feed, err := fs.Sub(sampleFiles, "sample")
	if err != nil {
		panic("timetable: " + err.Error())
	}
	t, err := Read(feed, Limits{})
	if err != nil {
		panic(err.Error()) // a file of ours, held to this by a test
	}
	return t
}

// ReadZip reads a feed from a zip, whose files stand at the top or together in one folder.
func ReadZip(in io.ReaderAt, size int64, limits Limits) (*Timetable, error) {
	archive, err := zip.NewReader(in, size)
	if err != nil {
		return nil, &FeedError{Rows: []RowError{{File: "zip", Text: "is not a readable zip"}}}
	}
	for _, file := range archive.File {
		if folder, name := path.Split(file.Name); name == "stops.txt" && folder != "" {
			sub, err := fs.Sub(archive, strings.TrimSuffix(folder, "/"))
			if err != nil {
				return nil, &FeedError{Rows: []RowError{{File: "zip", Text: "holds a folder with a bad name"}}}
			}
			return Read(sub, limits)
		}
	}
	return Read(archive, limits)
}

// Read reads a GTFS feed. The error is a *FeedError that names every bad row, up to a hundred.
func Read(feed fs.FS, limits Limits) (*Timetable, error) {
	r := &reader{
		feed: feed, limits: limits.withDefaults(), table: &Timetable{},
		agencies: map[string]bool{}, stops: map[string]int32{}, routes: map[string]routeKind{},
		services: map[string]int32{}, trips: map[string]int32{}, skipped: map[string]bool{},
	}
	// Later files refer to earlier ones: going on after an error would bury it under its consequences.
	for _, step := range []func(){r.readAgencies, r.readStops, r.readRoutes, r.readCalendars, r.readTrips, r.readCalls, r.readInfo} {
		step()
		if err := r.bad.err(); err != nil {
			return nil, err
		}
	}
	r.table.finish()
	return r.table, nil
}

type routeKind struct {
	kind   Kind
	wanted bool
	short  string
}

type reader struct {
	feed     fs.FS
	limits   Limits
	bad      complaints
	table    *Timetable
	agencies map[string]bool
	stops    map[string]int32
	routes   map[string]routeKind
	services map[string]int32
	trips    map[string]int32
	skipped  map[string]bool // trips of kinds that are left out
}

func (r *reader) read(file string, required bool, needed []string, each func(row)) bool {
	found := readTable(r.feed, file, r.limits, &r.bad, needed, each)
	if !found && required {
		r.bad.add(file, 0, "", "is missing")
	}
	return found
}

// fresh returns the row's own key, once.
func fresh[V any](in row, column string, seen map[string]V) (string, bool) {
	key, ok := in.need(column)
	if !ok {
		return "", false
	}
	if _, twice := seen[key]; twice {
		in.complain(column, "is used twice")
		return "", false
	}
	return strings.Clone(key), true
}

func (r *reader) readAgencies() {
	r.read("agency.txt", true, []string{"agency_name", "agency_timezone"}, func(in row) {
		// Seconds of the feed are turned into instants with China's one zone.
		switch zone := in.get("agency_timezone"); zone {
		case "Asia/Shanghai", "Asia/Chongqing", "Asia/Harbin", "PRC":
		default:
			in.complain("agency_timezone", "is not Asia/Shanghai")
		}
		r.agencies[strings.Clone(in.get("agency_id"))] = true
	})
}

func (r *reader) readStops() {
	r.read("stops.txt", true, []string{"stop_id", "stop_name", "stop_lat", "stop_lon"}, func(in row) {
		key, ok := fresh(in, "stop_id", r.stops)
		name, named := in.need("stop_name")
		lat, latOK := in.degrees("stop_lat", 90)
		lon, lonOK := in.degrees("stop_lon", 180)
		if !ok || !named || !latOK || !lonOK {
			return
		}
		if len(r.table.Stops) >= r.limits.Stops {
			in.complain("", "is more than %d stops", r.limits.Stops)
			return
		}
		r.stops[key] = int32(len(r.table.Stops))
		r.table.Stops = append(r.table.Stops, Stop{ID: key, Name: strings.Clone(name), Lat: lat, Lon: lon})
	})
}

// kindOf reads a route type of the basic or the extended list.
func kindOf(routeType int64) (Kind, bool) {
	switch {
	case routeType == 2 || routeType >= 100 && routeType <= 117:
		return Rail, true
	case routeType >= 1100 && routeType <= 1114:
		return Flight, true
	}
	return 0, false
}

func (r *reader) readRoutes() {
	r.read("routes.txt", true, []string{"route_id", "route_type"}, func(in row) {
		key, ok := fresh(in, "route_id", r.routes)
		routeType, typed := in.number64("route_type", 0, 1702)
		if agency := in.get("agency_id"); agency != "" && !r.agencies[agency] {
			in.complain("agency_id", "is not in agency.txt")
			return
		}
		if !ok || !typed {
			return
		}
		kind, wanted := kindOf(routeType)
		r.routes[key] = routeKind{kind, wanted, strings.Clone(in.get("route_short_name"))}
	})
}

var weekdayColumns = [7]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

func (r *reader) readCalendars() {
	columns := append([]string{"service_id", "start_date", "end_date"}, weekdayColumns[:]...)
	regular := r.read("calendar.txt", false, columns, func(in row) {
		key, ok := fresh(in, "service_id", r.services)
		service := Service{ID: key}
		for day, column := range weekdayColumns {
			runs, good := in.number64(column, 0, 1)
			service.Weekdays[day], ok = runs == 1, ok && good
		}
		var fromOK, toOK bool
		service.From, fromOK = in.date("start_date")
		service.To, toOK = in.date("end_date")
		if fromOK && toOK && service.To < service.From {
			in.complain("end_date", "is before start_date")
			return
		}
		if ok && fromOK && toOK {
			r.addService(service)
		}
	})
	single := r.read("calendar_dates.txt", false, []string{"service_id", "date", "exception_type"}, func(in row) {
		key, ok := in.need("service_id")
		day, dated := in.date("date")
		kind, typed := in.number64("exception_type", 1, 2)
		if !ok || !dated || !typed {
			return
		}
		at, known := r.services[key]
		if !known {
			at = r.addService(Service{ID: strings.Clone(key), From: "99999999"})
		}
		service := &r.table.Services[at]
		if service.Exception == nil {
			service.Exception = map[string]bool{}
		}
		if _, twice := service.Exception[day]; twice {
			in.complain("date", "stands twice for this service")
			return
		}
		service.Exception[day] = kind == 1
	})
	if !regular && !single {
		r.bad.add("calendar.txt", 0, "", "is missing, and so is calendar_dates.txt")
	}
}

func (r *reader) addService(s Service) int32 {
	at := int32(len(r.table.Services))
	r.services[s.ID] = at
	r.table.Services = append(r.table.Services, s)
	return at
}

func (r row) date(column string) (string, bool) {
	text, ok := r.need(column)
	if !ok {
		return "", false
	}
	if _, err := time.Parse("20060102", text); err != nil {
		r.complain(column, "is not a date YYYYMMDD")
		return "", false
	}
	return strings.Clone(text), true
}

func (r *reader) readTrips() {
	r.read("trips.txt", true, []string{"trip_id", "route_id", "service_id"}, func(in row) {
		key, ok := fresh(in, "trip_id", r.trips)
		route, known := r.routes[in.get("route_id")]
		if !known {
			in.complain("route_id", "is not in routes.txt")
		}
		service, runs := r.services[in.get("service_id")]
		if !runs {
			in.complain("service_id", "is in no calendar")
		}
		if ok && r.skipped[key] {
			in.complain("trip_id", "is used twice")
			return
		}
		if !ok || !known || !runs {
			return
		}
		if !route.wanted {
			r.skipped[key] = true
			r.table.LeftOut++
			return
		}
		if len(r.table.Trips) >= r.limits.Trips {
			in.complain("", "is more than %d trips", r.limits.Trips)
			return
		}
		number := in.get("trip_short_name")
		if number == "" {
			number = route.short
		}
		if number == "" {
			number = key
		}
		r.trips[key] = int32(len(r.table.Trips))
		r.table.Trips = append(r.table.Trips, Trip{ID: key, Number: strings.Clone(number), Kind: route.kind, Service: service})
	})
	r.read("frequencies.txt", false, []string{"trip_id"}, func(in row) {
		in.complain("", "trips by frequency are not supported: the table would show departures that do not run as printed")
	})
}

func (r *reader) readInfo() {
	r.read("feed_info.txt", false, nil, func(in row) { r.table.Version = strings.Clone(in.get("feed_version")) })
	if r.table.Version == "" {
		first, last := "", ""
		for _, s := range r.table.Services {
			if s.From != "99999999" && (first == "" || s.From < first) {
				first = s.From
			}
			last = max(last, s.To)
		}
		r.table.Version = fmt.Sprintf("%s-%s/%d", first, last, len(r.table.Trips))
	}
}

type call struct {
	row            int
	sequence       int64
	stop           int32
	arrive, depart int32
	timed          bool
}

// clockTime reads H:MM:SS, hours past 24 being the following days.
func clockTime(text string) (int32, bool) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 || len(parts[0]) == 0 || len(parts[0]) > 3 || len(parts[1]) != 2 || len(parts[2]) != 2 {
		return 0, false
	}
	total := int32(0)
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil || i > 0 && n > 59 || i == 0 && n > maxHour {
			return 0, false
		}
		total = total*60 + int32(n)
	}
	return total, true
}

// maxHour is four days on the way: more than the longest train of China.
const maxHour = 96

func sortCalls(calls []call) {
	slices.SortStableFunc(calls, func(a, b call) int { return int(a.sequence - b.sequence) })
}
