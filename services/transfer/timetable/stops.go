package timetable

import "strings"

func (r *reader) readAgencies() {
	r.read("agency.txt", true, []string{"agency_name", "agency_timezone"}, func(in row) {
		r.zones = append(r.zones, zone{name: strings.Clone(in.get("agency_timezone")), row: in.number})
		if len(r.zones) > 1 && r.zones[0].name != in.get("agency_timezone") {
			in.complain("agency_timezone", "differs from the first agency's: a feed has one zone")
		}
		r.agencies[strings.Clone(in.get("agency_id"))] = true
	})
}

// The kinds of places in stops.txt: only at stops does anything call.
const (
	placeStop     = 0
	placeStation  = 1
	placeGeneric  = 3
	placeBoarding = 4
)

func (r *reader) readStops() {
	type named struct {
		parent string
		row    int
	}
	var parents []named
	stations := map[string]bool{}
	r.read("stops.txt", true, []string{"stop_id", "stop_name", "stop_lat", "stop_lon"}, func(in row) {
		key, ok := fresh(in, "stop_id", r.stops, spoilt)
		what := int64(placeStop)
		if in.get("location_type") != "" {
			var typed bool
			what, typed = in.number64("location_type", 0, placeBoarding)
			ok = ok && typed
		}
		if parent := in.get("parent_station"); parent != "" {
			parents = append(parents, named{strings.Clone(parent), in.number})
		}
		if what == placeGeneric || what == placeBoarding {
			return // may have neither name nor position, and nothing calls there
		}
		name, nameOK := in.need("stop_name")
		lat, latOK := in.degrees("stop_lat", 90)
		lon, lonOK := in.degrees("stop_lon", 180)
		if ok && what == placeStation {
			stations[key] = true
		}
		if !ok || !nameOK || !latOK || !lonOK || what != placeStop {
			return
		}
		if len(r.table.Stops) >= r.limits.Stops {
			in.complain("", "is more than %d stops", r.limits.Stops)
			return
		}
		r.stops[key] = int32(len(r.table.Stops))
		r.table.Stops = append(r.table.Stops, Stop{
			ID: key, Name: strings.Clone(name), Lat: lat, Lon: lon, Parent: strings.Clone(in.get("parent_station")),
		})
	})
	for _, p := range parents {
		if _, known := r.stops[p.parent]; !known {
			r.bad.add("stops.txt", p.row, "parent_station", "is not in stops.txt")
		}
	}
	r.stations = stations
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
		key, ok := fresh(in, "route_id", r.routes, routeKind{})
		routeType, typed := in.number64("route_type", 0, 1702)
		if agency := in.get("agency_id"); agency != "" && !r.agencies[agency] {
			in.complain("agency_id", "is not in agency.txt")
			return
		}
		if !ok || !typed {
			return
		}
		kind, wanted := kindOf(routeType)
		r.routes[key] = routeKind{kind: kind, good: true, wanted: wanted, short: strings.Clone(in.get("route_short_name"))}
	})
}

func (r *reader) readTrips() {
	r.read("trips.txt", true, []string{"trip_id", "route_id", "service_id"}, func(in row) {
		key, ok := fresh(in, "trip_id", r.trips, spoilt)
		route, known := refer(in, "route_id", "routes.txt", r.routes)
		service, runs := r.services[in.get("service_id")]
		if !runs {
			in.complain("service_id", "is in no calendar")
		}
		if !ok || !known || !runs || !route.good || service == spoilt {
			return
		}
		if !route.wanted {
			r.trips[key] = leftOut
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
		r.table.Trips = append(r.table.Trips, Trip{
			ID: key, Number: strings.Clone(number), Kind: route.kind, Service: service,
			NoWheelchair: in.get("wheelchair_accessible") == "2",
		})
	})
}
