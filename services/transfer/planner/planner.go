package planner

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"huhang.example/services/internal/place"
	"huhang.example/services/transfer/timetable"
)

// Planner answers over the timetable in force and one set of rules. It is safe for concurrent use: every answer is over
// one timetable, also while another one is installed.
type Planner struct {
	current atomic.Pointer[core]
	// overlay is what is known of the day; With sets it once.
	overlay *Overlay
	changes []timetable.Change
	changed sync.Once
	table   *timetable.Timetable
}

// New prepares a planner.
func New(table *timetable.Timetable, rules *Rules) *Planner {
	p := &Planner{}
	p.current.Store(newCore(table, rules))
	return p
}

// Install puts another timetable in the place of the present one.
func (p *Planner) Install(table *timetable.Timetable) {
	p.current.Store(newCore(table, p.Rules()))
}

// Plan returns the options, the refusals, and the fastest way that is not allowed.
func (p *Planner) Plan(q Question) Plan { return p.current.Load().plan(q.in(p.overlay)) }

// Earliest returns the way that arrives first of those the state allows, whatever it costs, however often one changes and
// however long the escort is on the way.
func (p *Planner) Earliest(q Question) (Itinerary, bool) {
	return p.current.Load().earliest(q.in(p.overlay))
}

// Estimate returns the shortest allowed way from one place to each of many, over all departures of the next search hours.
func (p *Planner) Estimate(q Question, destinations []place.Info) []Estimate {
	spots := make([]spot, len(destinations))
	for i, d := range destinations {
		spots[i] = spotOf(d)
	}
	return p.current.Load().estimate(q.in(p.overlay), spots)
}

// Rules returns the rules the planner decides by.
func (p *Planner) Rules() *Rules { return p.current.Load().rules }

// TimetableVersion names the timetable.
func (p *Planner) TimetableVersion() string { return p.current.Load().table.Version }

// Table is the timetable the planner answers over, as it runs after the changes.
func (p *Planner) Table() *timetable.Timetable {
	if p.overlay == nil {
		return p.current.Load().table
	}
	p.changed.Do(func() { p.table = p.current.Load().table.With(p.changes) })
	return p.table
}

// With returns a planner over the present timetable as it runs after the changes, by the same rules. It costs no more than
// looking the changed runs up.
func (p *Planner) With(changes []timetable.Change) *Planner {
	if len(changes) == 0 {
		return p
	}
	out := &Planner{changes: slices.Concat(p.changes, changes)}
	out.current.Store(p.current.Load())
	out.overlay = out.current.Load().overlayOf(out.changes)
	return out
}

// overlayOf finds the runs of the changes, which are told by number; of two changes of one run the later counts.
func (p *core) overlayOf(changes []timetable.Change) *Overlay {
	out, seen := &Overlay{}, map[Run]int{}
	for _, c := range changes {
		for _, trip := range p.numbers[c.Number] {
			run := Run{TripID: p.table.Trips[trip].ID, ServiceDay: c.Day}
			if found, _, ok := p.find(run); !ok || found != trip {
				continue
			}
			d := Disruption{Run: run, Cancelled: c.Cancelled, Calls: p.callsOf(trip, c)}
			if i, twice := seen[run]; twice {
				out.Disruptions[i] = d
				continue
			}
			seen[run] = len(out.Disruptions)
			out.Disruptions = append(out.Disruptions, d)
		}
	}
	return out
}

// callsOf turns what is said of stops into what is so at calls.
func (p *core) callsOf(trip int32, c timetable.Change) []CallChange {
	var out []CallChange
	late := c.Delay
	list := p.byTrip[trip]
	for call := range len(list) + 1 {
		var stop int32
		if call < len(list) {
			stop = p.conns[list[call]].from
		} else {
			stop = p.conns[list[call-1]].to
		}
		s := &p.table.Stops[stop]
		i := slices.IndexFunc(c.Stops, func(o timetable.StopChange) bool { return o.Stop == s.ID || o.Stop == s.Name })
		switch {
		case i >= 0 && c.Stops[i].Skipped:
			out = append(out, CallChange{Call: call, Arrive: late, Depart: late, Skipped: true})
		case i >= 0:
			out = append(out, CallChange{Call: call, Arrive: c.Stops[i].Arrive, Depart: c.Stops[i].Depart})
			late = c.Stops[i].Depart
		case call == 0 && late != 0:
			out = append(out, CallChange{Call: 0, Arrive: late, Depart: late})
		}
	}
	return out
}

// BoardTime is the least from a station's or airport's door to the seat.
func (r *Rules) BoardTime(mode Mode, f Fitness) time.Duration {
	for kind := range timetable.Kind(kinds) {
		if modeOf(kind) == mode {
			return time.Duration(r.handling(r.BoardMinutes, kind, f)) * time.Second
		}
	}
	return 0
}
