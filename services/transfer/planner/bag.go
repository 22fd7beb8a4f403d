package planner

// entry is one way to stand at a stop, ready for a trip of one kind: lower is better in all but leave.
type entry struct {
	// price in thousandths of a fen.
	price int64
	// risk is what it would be at the base, had one waited since: the risk at a time t is risk + wait*t, so that two
	// entries compare the same at every later departure.
	risk  int64
	at    int32 // the first departure that can be caught
	leave int32 // when the door was left; all the same where nothing bounds the hours
	label int32
	ride  bool // by a ride of this kind, without a hop
}

func (a *entry) covers(b *entry) bool {
	return a.price <= b.price && a.risk <= b.risk && a.leave >= b.leave
}

// bag is the Pareto set of one stop, kind and number of rides. Departures are scanned in their order: an entry that can
// be caught now can be caught ever after, and its time no longer counts.
type bag struct {
	active  []entry // can be caught
	pending []entry // not yet; by at
	head    int
}

func (b *bag) reset() { b.active, b.pending, b.head = b.active[:0], b.pending[:0], 0 }

func (b *bag) empty() bool { return len(b.active) == 0 && b.head == len(b.pending) }

// dominates looks for an entry as good in everything, and prefers one by a ride.
func (b *bag) dominates(e *entry) (dominated, byRide bool) {
	for i := range b.active {
		if b.active[i].covers(e) {
			if b.active[i].ride {
				return true, true
			}
			dominated = true
		}
	}
	for i := b.head; i < len(b.pending) && b.pending[i].at <= e.at; i++ {
		if b.pending[i].covers(e) {
			if b.pending[i].ride {
				return true, true
			}
			dominated = true
		}
	}
	return dominated, false
}

// insert adds an entry that nothing dominates, and drops what it dominates among those still to come.
func (b *bag) insert(e entry) {
	i := len(b.pending)
	for i > b.head && b.pending[i-1].at > e.at {
		i--
	}
	kept := i
	for j := i; j < len(b.pending); j++ {
		if !e.covers(&b.pending[j]) {
			b.pending[kept] = b.pending[j]
			kept++
		}
	}
	b.pending = append(b.pending[:kept], entry{})
	copy(b.pending[i+1:], b.pending[i:])
	b.pending[i] = e
}

// catch makes active what can be caught at the departure.
func (b *bag) catch(depart int32) {
	for b.head < len(b.pending) && b.pending[b.head].at <= depart {
		e := &b.pending[b.head]
		b.head++
		kept := 0
		for i := range b.active {
			if !e.covers(&b.active[i]) {
				b.active[kept] = b.active[i]
				kept++
			}
		}
		b.active = append(b.active[:kept], *e)
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
type answers []answer

// cover reports whether an answer is as good in all four. The one that is comes to the front: it will be again.
func (a answers) cover(at, rides int32, price, risk int64) bool {
	for i := range a {
		o := &a[i]
		if o.at <= at && o.rides <= rides && o.dearer <= price && o.riskier <= risk {
			if i > 0 {
				a[0], a[i] = a[i], a[0]
			}
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

func (a answers) insert(one answer) answers {
	kept := a[:0]
	for _, o := range a {
		if !(one.at <= o.at && one.rides <= o.rides && one.price <= o.price && one.risk <= o.risk) {
			kept = append(kept, o)
		}
	}
	return append(kept, one)
}

// riskUnit is one point of clinical risk: an hour at one point an hour, counted in seconds.
const riskUnit = 3600

// points rounds half up.
func points(risk int64) int64 { return round(risk, riskUnit) / riskUnit }
