package planner

import (
	"cmp"
	"slices"
)

// account is what a way has come to: lower is better in all but leave. Price and risk are reckoned from where they compare
// with those of others.
type account struct {
	price milliFen
	risk  int64
	leave int32 // when the door was left; all the same where nothing bounds the hours
	label int32 // how one came there
}

// covers reports whether it is as good in everything or, where risk has a worth, in price and risk together.
func (a *account) covers(b *account, worth int64) bool {
	switch {
	case a.leave < b.leave:
		return false
	case worth > 0:
		return a.price+worth*a.risk <= b.price+worth*b.risk
	}
	return a.price <= b.price && a.risk <= b.risk
}

// entry is one way to stand at a stop, ready for a trip of one kind. Its risk is what it would be at the base, had one waited
// since: the risk at a time t is risk + wait*t, so that two entries compare the same at every later departure.
type entry struct {
	account
	at   int32 // the first departure that can be caught
	ride bool  // by a ride of this kind, without a hop
}

// soFar is a way up to somewhere.
type soFar struct {
	price, risk int64 // as of at
	at, leave   int32
}

// lower makes it no worse in anything than another; alone, it is that.
func (w *soFar) lower(price, risk int64, leave int32, alone bool) {
	if alone {
		w.price, w.risk, w.leave = price, risk, leave
		return
	}
	w.price, w.risk, w.leave = min(w.price, price), min(w.risk, risk), max(w.leave, leave)
}

// bag is the Pareto set of one stop, kind and number of rides. Departures are scanned in their order: an entry that can
// be caught now can be caught ever after, and its time no longer counts.
type bag struct {
	active  []entry // can be caught
	pending []entry // not yet; by at
	head    int
	least   soFar // of those active: the least of each number, or less; at is of no account
	slot    int32 // of the day, when those who wait for nothing were last dropped
}

func (b *bag) reset() { b.active, b.pending, b.head, b.slot = b.active[:0], b.pending[:0], 0, -1 }

func (b *bag) empty() bool { return len(b.active) == 0 && b.head == len(b.pending) }

// dominates looks for an entry that covers this one, and prefers one by a ride.
func (b *bag) dominates(e *entry, worth int64) (dominated, byRide bool) {
	for i := range b.active {
		if b.active[i].covers(&e.account, worth) {
			if b.active[i].ride {
				return true, true
			}
			dominated = true
		}
	}
	for i := b.head; i < len(b.pending) && b.pending[i].at <= e.at; i++ {
		if b.pending[i].covers(&e.account, worth) {
			if b.pending[i].ride {
				return true, true
			}
			dominated = true
		}
	}
	return dominated, false
}

// insert adds an entry that nothing dominates, and drops what it dominates among those still to come.
func (b *bag) insert(e entry, worth int64) {
	i := len(b.pending)
	for i > b.head && b.pending[i-1].at > e.at {
		i--
	}
	kept := i
	for j := i; j < len(b.pending); j++ {
		if !e.covers(&b.pending[j].account, worth) {
			b.pending[kept] = b.pending[j]
			kept++
		}
	}
	b.pending = append(b.pending[:kept], entry{})
	copy(b.pending[i+1:], b.pending[i:])
	b.pending[i] = e
}

// catch makes active what can be caught at the departure.
func (b *bag) catch(depart int32, worth int64) {
	for b.head < len(b.pending) && b.pending[b.head].at <= depart {
		e := &b.pending[b.head]
		b.head++
		kept := 0
		for i := range b.active {
			if !e.covers(&b.active[i].account, worth) {
				b.active[kept] = b.active[i]
				kept++
			}
		}
		b.active = append(b.active[:kept], *e)
		b.least.lower(e.price, e.risk, e.leave, len(b.active) == 1)
	}
	if b.head == len(b.pending) {
		b.pending, b.head = b.pending[:0], 0
	}
}

// answer is a way to the ward. Prices and risks are compared as they are shown, so that no two options differ in what
// nobody can see.
type answer struct {
	at          int32
	rides       int32 // no less than one: the way by road has as many changes as one ride
	price, risk int64 // rounded
	// A price below dearer or a risk below riskier rounds to less than this answer's.
	dearer, riskier int64
	label           int32
}

// answers is the Pareto set at the ward.
type answers struct {
	all []answer
	// by holds for each number of rides those with as few, the first to arrive first, and least the least of each number.
	by    [][]rival
	least []rival
}

// rival is what an answer is compared by.
type rival struct {
	at          int32
	price, risk int64
}

func (a *answers) reset(rides int) {
	a.all = a.all[:0]
	for len(a.by) <= rides {
		a.by, a.least = append(a.by, nil), append(a.least, rival{})
	}
	a.by, a.least = a.by[:rides+1], a.least[:rides+1]
	a.index()
}

// cover reports whether an answer is as good in all four. It is asked for nothing as often.
func (a *answers) cover(at, rides int32, price, risk int64) bool {
	if least := &a.least[rides]; at < least.at || price < least.price || risk < least.risk {
		return false
	}
	list := a.by[rides]
	for i := range list {
		o := &list[i]
		if o.at > at {
			return false
		}
		if o.price <= price && o.risk <= risk {
			return true
		}
	}
	return false
}

// answer rounds.
func (s *scratch) answer(at, rides int32, price milliFen, risk int64, label int32) answer {
	price, risk = round(price, s.cents), round(risk, riskUnit)
	return answer{
		at: at, rides: rides, price: price, risk: risk, dearer: price - s.cents/2, riskier: risk - riskUnit/2, label: label,
	}
}

// round is to the nearest multiple of the even unit, half up.
func round(n, unit int64) int64 { return (n + unit/2) / unit * unit }

func (a *answers) insert(one answer) {
	kept := a.all[:0]
	for _, o := range a.all {
		if !(one.at <= o.at && one.rides <= o.rides && one.price <= o.price && one.risk <= o.risk) {
			kept = append(kept, o)
		}
	}
	a.all = append(kept, one)
	slices.SortFunc(a.all, func(a, b answer) int { return cmp.Compare(a.at, b.at) })
	a.index()
}

// index makes the lists by rides.
func (a *answers) index() {
	for rides := range a.by {
		list, least := a.by[rides][:0], rival{unreachable, never.price, never.risk}
		for i := range a.all {
			if o := &a.all[i]; int(o.rides) <= rides {
				list = append(list, rival{o.at, o.dearer, o.riskier})
				least = rival{min(least.at, o.at), min(least.price, o.dearer), min(least.risk, o.riskier)}
			}
		}
		a.by[rides], a.least[rides] = list, least
	}
}

// riskUnit is one point of clinical risk: an hour at one point an hour, counted in seconds.
const riskUnit = 3600

// points rounds half up.
func points(risk int64) int64 { return round(risk, riskUnit) / riskUnit }
