package planner

import (
	"cmp"
	"slices"
	"time"

	"huhang.example/services/transfer/timetable"
)

// Run is one trip on one service day, as real-time feeds name it.
type Run struct {
	TripID     string
	ServiceDay string // YYYYMMDD
}

// CallChange is what is different at one call of a run.
type CallChange struct {
	// Call counts the run's calls at which it has a time, from 0.
	Call int
	// Arrive and Depart are how late it is there; the delay of the departure holds on at later calls until another change.
	Arrive, Depart time.Duration
	// Skipped: it does not stop there.
	Skipped bool
}

// Disruption is a run that does not go as the timetable says (晚点、停运).
type Disruption struct {
	Run
	Cancelled bool
	Calls     []CallChange
}

// Overlay is what is known of today that the timetable does not say. A run stands in it at most once; runs that the
// timetable does not have are of no effect, and Unknown names them.
type Overlay struct {
	Disruptions []Disruption
	// bounds are those over the network as it then is.
	bounds boundCache
}

// find returns the trip and the day number of a run.
func (p *core) find(r Run) (trip, day int32, ok bool) {
	at, err := time.ParseInLocation("20060102", r.ServiceDay, time.UTC)
	if err != nil {
		return 0, 0, false
	}
	day = int32(at.Unix() / timetable.DaySeconds)
	running := p.running(day)
	for _, trip := range p.trips[r.TripID] {
		if s := p.table.Trips[trip].Service; running[s/64]&(1<<(s%64)) != 0 {
			return trip, day, true
		}
	}
	return 0, 0, false
}

// put makes the changed runs of an overlay into connections of the query's own, and takes the runs themselves out.
func (s *scratch) put(p *core, o *Overlay) {
	for _, d := range o.Disruptions {
		trip, day, ok := p.find(d.Run)
		if sd := day - s.firstDay; ok && sd >= 0 && sd < s.days {
			s.masked[trip*s.days+sd] = true
			s.changed = true
			if !d.Cancelled {
				s.extra = append(s.extra, p.changedRun(trip, sd, d.Calls)...)
			}
		}
	}
	slices.SortStableFunc(s.extra, func(a, b conn) int { return cmp.Compare(a.tod, b.tod) })
}

// longestDelay bounds what a change may say, so that a time never leaves the search.
const longestDelay = 48 * time.Hour

// changedRun is the run as it goes: never earlier at a call than it left the one before. In its connections tod is the
// departure counted from the base, off the service day.
func (p *core) changedRun(trip, sd int32, changes []CallChange) []conn {
	list := p.byTrip[trip]
	arriveLate, departLate := make([]int32, len(list)+1), make([]int32, len(list)+1)
	skipped := make([]bool, len(list)+1)
	late := int32(0)
	for call := range arriveLate {
		arriveLate[call], departLate[call] = late, late
		for _, c := range changes {
			if c.Call == call {
				bounded := func(d time.Duration) int32 {
					return int32(min(max(d, -longestDelay), longestDelay) / time.Second)
				}
				arriveLate[call], departLate[call], skipped[call] = bounded(c.Arrive), bounded(c.Depart), c.Skipped
			}
		}
		late = departLate[call]
	}
	out := make([]conn, len(list))
	at, left, before := int32(-1<<30), int32(-1<<30), int32(-1<<30)
	for i, index := range list {
		c := p.conns[index]
		planned := sd*timetable.DaySeconds + int32(c.off)*timetable.DaySeconds + c.tod
		depart := max(planned+departLate[i], left)
		if planned >= before { // one at intervals may leave earlier than it can arrive
			depart = max(depart, at)
		}
		left, before = depart, planned+c.dur
		at = max(planned+c.dur+arriveLate[i+1], depart)
		c.tod, c.dur, c.off = depart, at-depart, uint8(sd)
		if skipped[i] {
			c.flags |= noBoard
		}
		if skipped[i+1] {
			c.flags |= noAlight
		}
		out[i] = c
	}
	return out
}
