package planner

import "sync"

// boundKey is what bounds depend on besides timetable and rules.
type boundKey struct {
	city     string
	lat, lon float64
	allowed  [kinds]bool
	board    [kinds]int32
	alight   [kinds]int32
	feeder   Mode
	move     int64
	lying    bool
}

// boundCache keeps the bounds of the places asked for last: the line's centers are few.
type boundCache struct {
	mu   sync.Mutex
	kept map[boundKey]*bounds
}

// slots is into how many parts bounds divide the day.
const slots = 48

const (
	// mostBounds is how many are kept of one network; one is 3.1 MB for 670 stops and 26,587 connections.
	mostBounds = 64
	// mostBounded is the connections of which each has bounds of its own and a guide: in a larger network they would not fit.
	mostBounded = 100_000
)

// bound returns the bounds for the destination. Those over a disturbed network are kept as long as nothing else is known of
// the day.
func (p *core) bound(s *scratch, to spot, feeder Mode) *bounds {
	key := boundKey{
		city: to.city, lat: to.lat, lon: to.lon, allowed: s.allowed, lying: s.lying, board: s.board, alight: s.alight, feeder: feeder, move: s.handling,
	}
	cache := &p.bounds
	if s.asked != nil {
		cache = &s.asked.bounds
	}
	if b, ok := cache.get(key); ok {
		return b
	}
	b := s.hope(p, slots, len(p.conns) <= mostBounded, p.late(s.asked))
	cache.put(key, b)
	return b
}

func (c *boundCache) get(key boundKey) (*bounds, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, ok := c.kept[key]
	return b, ok
}

func (c *boundCache) put(key boundKey, b *bounds) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) >= mostBounds {
		c.kept = make(map[boundKey]*bounds, mostBounds)
	}
	c.kept[key] = b
}

// late is the runs of an overlay that go otherwise than the timetable says, counted from their own day.
func (p *core) late(o *Overlay) [][]conn {
	if o == nil {
		return nil
	}
	var out [][]conn
	for i := range o.Disruptions {
		d := &o.Disruptions[i]
		if trip, _, ok := p.find(d.Run); ok && !d.Cancelled {
			out = append(out, p.changedRun(trip, 0, d.Calls))
		}
	}
	return out
}
