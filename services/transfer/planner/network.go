package planner

import (
	"cmp"
	"slices"
	"sort"
	"sync"

	"huhang.example/services/internal/place"
	"huhang.example/services/transfer/timetable"
)

// core is a planner over one timetable: what it knows never changes, but for what it remembers of questions.
type core struct {
	table *timetable.Timetable
	rules *Rules
	network
	// reach is the roads from the seat of each city to its stations and airports.
	reach map[string][]link
	// order holds the stops by latitude, so that neighbours are found without looking at all.
	order   []int32
	days    sync.Map // of day number: which services run, a bit each
	scratch sync.Pool
	bounds  boundCache
	quick   sync.Map // of a city's code: see quickest
}

// network is the timetable laid out flat for scanning.
type network struct {
	conns []conn
	// byTrip holds for each trip its connections along the way.
	byTrip [][]int32
	// trips is the places of a trip id: two versions of a feed may have one each.
	trips map[string][]int32
	// numbers is the same of a train\'s or flight\'s number.
	numbers    map[string][]int32
	services   []int32 // by trip
	departures departures
	served     []uint8 // by stop, a bit for each kind
	change     []int32 // by stop, the least time between two trips that the feed asks for
	// hops[hopFrom[s]:hopFrom[s+1]] are the ways from stop s to others, on foot or by road.
	hops    []link
	hopFrom []int32
}

// departures are the connections that may be boarded, by stop and kind in the order of the day.
type departures struct {
	first      []int32
	refs, tods []int32
}

func departuresOf(conns []conn, stops int) departures {
	by := make([][]int32, stops*kinds)
	for ref := range conns {
		if c := &conns[ref]; c.flags&noBoard == 0 {
			place := int(c.from)*kinds + int(c.kind)
			by[place] = append(by[place], int32(ref))
		}
	}
	d := departures{first: []int32{0}}
	for _, refs := range by {
		slices.SortStableFunc(refs, func(a, b int32) int { return cmp.Compare(conns[a].tod, conns[b].tod) })
		for _, ref := range refs {
			d.refs, d.tods = append(d.refs, ref), append(d.tods, conns[ref].tod)
		}
		d.first = append(d.first, int32(len(d.refs)))
	}
	return d
}

func (d *departures) of(place int) (refs, tods []int32) {
	from, to := d.first[place], d.first[place+1]
	return d.refs[from:to], d.tods[from:to]
}

// conn is one hop of a trip. Times are seconds; tod is within the day on which it departs, which is off days after the
// service day. Of a run changed by an overlay, tod counts from the base of the query.
type conn struct {
	from, to   int32
	tod, dur   int32
	trip       int32
	start, end int32 // metres along the trip
	off, kind  uint8
	flags      uint8
}

const (
	noBoard = 1 << iota
	noAlight
	noWheelchair
)

type link struct {
	stop   int32
	walk   bool // short enough to be walked or wheeled
	inside bool // within one station: no way out of it and in again
	way    way
}

const kinds = timetable.Kinds

func newCore(table *timetable.Timetable, rules *Rules) *core {
	p := &core{table: table, rules: rules, reach: map[string][]link{}}
	p.order = make([]int32, len(table.Stops))
	for i := range p.order {
		p.order[i] = int32(i)
	}
	slices.SortFunc(p.order, func(a, b int32) int { return cmp.Compare(table.Stops[a].Lat, table.Stops[b].Lat) })
	for _, city := range place.All() {
		p.reach[city.Code] = p.near(city.Lat, city.Lon)
	}
	p.lay()
	p.joinStops()
	p.scratch.New = func() any { return new(scratch) }
	return p
}

func (p *core) lay() {
	t := p.table
	p.conns = make([]conn, len(t.Connections))
	for i := range t.Connections {
		c := &t.Connections[i]
		trip := &t.Trips[c.Trip]
		p.conns[i] = conn{
			from: c.From, to: c.To, tod: c.TimeOfDay(), dur: c.Arrive - c.Depart, trip: c.Trip,
			start: int32(c.StartMetres), end: int32(c.EndMetres), off: uint8(c.DayOffset()), kind: uint8(trip.Kind),
			flags: flag(c.NoBoard, noBoard) | flag(c.NoAlight, noAlight) | flag(trip.NoWheelchair, noWheelchair),
		}
	}
	p.byTrip = t.ByTrip()
	p.departures = departuresOf(p.conns, len(t.Stops))
	p.services = make([]int32, len(t.Trips))
	p.trips = make(map[string][]int32, len(t.Trips))
	for i := range t.Trips {
		p.trips[t.Trips[i].ID] = append(p.trips[t.Trips[i].ID], int32(i))
		p.services[i] = t.Trips[i].Service
	}
	p.numbers = make(map[string][]int32, len(t.Trips))
	for i := range t.Trips {
		p.numbers[t.Trips[i].Number] = append(p.numbers[t.Trips[i].Number], int32(i))
	}
	p.served, p.change = make([]uint8, len(t.Stops)), make([]int32, len(t.Stops))
	for i := range t.Stops {
		for kind, served := range t.Stops[i].Served {
			p.served[i] |= flag(served, 1<<kind)
		}
		p.change[i] = t.Stops[i].MinChange
	}
}

func flag(on bool, bit uint8) uint8 {
	if on {
		return bit
	}
	return 0
}

// joinStops finds the ways from every stop to others: what the feed says of changes inside a station, else roads.
func (p *core) joinStops() {
	type pair struct{ from, to int32 }
	said := map[pair]timetable.Footpath{}
	for _, f := range p.table.Footpaths {
		before, twice := said[pair{f.From, f.To}]
		if twice {
			f.Seconds, f.Forbidden = max(f.Seconds, before.Seconds), f.Forbidden || before.Forbidden
		}
		said[pair{f.From, f.To}] = f
	}
	stops := p.table.Stops
	p.hopFrom = make([]int32, len(stops)+1)
	for i := range stops {
		here := &stops[i]
		for _, l := range p.links(here.Lat, here.Lon, func(s *timetable.Stop, metres float64) bool {
			return metres <= p.rules.InterchangeKm*1000
		}) {
			foot, named := said[pair{int32(i), l.stop}]
			if l.stop == int32(i) || named && foot.Forbidden {
				continue
			}
			l.inside = named || here.Parent != "" && here.Parent == stops[l.stop].Parent
			if l.inside {
				l.walk, l.way = true, way{metres: l.way.metres, seconds: int64(foot.Seconds)}
			} else if l.way.km() <= p.rules.WalkKm {
				l.walk, l.way.seconds = true, seconds(l.way.metres, p.rules.WalkKmh)
			}
			p.hops = append(p.hops, l)
		}
		if foot, named := said[pair{int32(i), int32(i)}]; named && foot.Forbidden {
			p.change[i] = unreachable
		}
		p.hopFrom[i+1] = int32(len(p.hops))
	}
}

// near is the roads to the stations and airports that serve a place.
func (p *core) near(lat, lon float64) []link {
	return p.links(lat, lon, func(s *timetable.Stop, metres float64) bool {
		return s.Served[timetable.Rail] && metres <= float64(p.rules.ReachKm.Rail)*1000 ||
			s.Served[timetable.Flight] && metres <= float64(p.rules.ReachKm.Flight)*1000
	})
}

func (p *core) links(lat, lon float64, take func(*timetable.Stop, float64) bool) []link {
	// A degree of latitude is at least 110.5 km.
	furthest := max(float64(max(p.rules.ReachKm.Rail, p.rules.ReachKm.Flight)), p.rules.InterchangeKm)
	window := furthest/110.5 + 0.01
	first := sort.Search(len(p.order), func(i int) bool { return p.table.Stops[p.order[i]].Lat >= lat-window })
	var out []link
	for _, i := range p.order[first:] {
		stop := &p.table.Stops[i]
		if stop.Lat > lat+window {
			break
		}
		if metres := timetable.Metres(lat, lon, stop.Lat, stop.Lon); take(stop, metres) {
			out = append(out, link{stop: i, way: p.rules.road(metres)})
		}
	}
	slices.SortFunc(out, func(a, b link) int { return cmp.Compare(a.stop, b.stop) })
	return out
}

// running returns which services run on the day, a bit each.
func (p *core) running(day int32) []uint64 {
	if bits, ok := p.days.Load(day); ok {
		return bits.([]uint64)
	}
	bits := make([]uint64, (len(p.table.Services)+63)/64)
	at := dayTime(day)
	for i, s := range p.table.Services {
		if s.Runs(at) {
			bits[i/64] |= 1 << (i % 64)
		}
	}
	p.days.Store(day, bits) // plans look a year ahead at most
	return bits
}
