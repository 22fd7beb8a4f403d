package planner

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"huhang.example/services/transfer/timetable"
)

// brute walks every way there is: any boarding of any run, any stop to get off, any way in between. It knows nothing of
// scans, sets of labels or bounds.
type brute struct {
	p       *core
	s       *scratch
	runs    []bruteRun
	results []result
}

type bruteRun struct {
	kind  int
	calls []conn // tod is absolute
}

// result is what a way is compared by, and when its door was left.
type result struct {
	arrive, rides int32
	fen, points   int64
	leave         int32
}

func newBrute(p *core, s *scratch, o *Overlay) *brute {
	b := &brute{p: p, s: s}
	for trip := range p.table.Trips {
		service := &p.table.Services[p.table.Trips[trip].Service]
		for sd := range s.days {
			if !service.Runs(s.base.AddDate(0, 0, int(sd))) || s.lying && p.table.Trips[trip].NoWheelchair {
				continue
			}
			var calls []conn
			for _, ref := range p.byTrip[trip] {
				c := p.conns[ref]
				c.tod += (sd + int32(c.off)) * timetable.DaySeconds
				calls = append(calls, c)
			}
			run := Run{p.table.Trips[trip].ID, s.base.AddDate(0, 0, int(sd)).Format("20060102")}
			if o != nil {
				if i := slices.IndexFunc(o.Disruptions, func(d Disruption) bool { return d.Run == run }); i >= 0 {
					if o.Disruptions[i].Cancelled {
						continue
					}
					calls = p.changedRun(int32(trip), sd, o.Disruptions[i].Calls)
				}
			}
			if len(calls) > 0 {
				b.runs = append(b.runs, bruteRun{int(calls[0].kind), calls})
			}
		}
	}
	return b
}

// standing is where a walk has come to.
type standing struct {
	stop        int32
	ready       [kinds]int32 // the first departure to be caught
	since       int32        // risk and price are as of then; waiting counts from it
	price, risk int64
	leave       int32
	rides       int32
	first       int // place in access where no ride was taken yet, else -1
}

func (b *brute) all() {
	for i, a := range b.s.access {
		at := standing{stop: a.stop, price: b.s.roadFare.of(a.way.metres), first: i}
		for kind := range kinds {
			at.ready[kind] = b.s.start + int32(a.way.seconds) + b.s.board[kind]
		}
		if i == 0 && b.s.entered {
			at.price = 0
		}
		b.from(at)
	}
}

func (b *brute) from(at standing) {
	s := b.s
	for _, r := range b.runs {
		for i, c := range r.calls {
			if c.from != at.stop || c.tod < at.ready[r.kind] || c.tod < s.earliest[r.kind] || c.tod > s.end || c.flags&noBoard != 0 || c.tod < s.start {
				continue
			}
			risk, leave := at.risk+s.wait*int64(c.tod-at.since), at.leave
			if at.first >= 0 {
				a := s.access[at.first].way
				leave = c.tod - s.board[r.kind] - int32(a.seconds)
				risk = s.handling + s.roadRate*a.seconds + s.wait*int64(s.board[r.kind])
				if s.entered {
					leave = s.start
					risk = s.wait * (int64(c.tod-s.start) - a.seconds)
					if at.first > 0 {
						risk += s.handling + s.roadRate*a.seconds
					}
				}
			}
			for _, e := range r.calls[i:] {
				if e.tod > s.end {
					break
				}
				if e.flags&noAlight == 0 {
					arrive := e.tod + e.dur
					b.off(&e, arrive, standing{
						price: at.price + s.fare[r.kind].Base*1000 + s.fare[r.kind].PerKm*int64(e.end-c.start),
						risk:  risk + s.handling + s.rate[r.kind]*int64(arrive-c.tod), leave: leave, rides: at.rides + 1, since: arrive, first: -1,
					})
				}
			}
		}
	}
}

func (b *brute) off(e *conn, arrive int32, now standing) {
	s := b.s
	out := arrive + s.alight[e.kind]
	if s.egress[e.to] < unreachable {
		end := out + s.egress[e.to]
		if end <= s.latest && (s.hours == 0 || end-now.leave <= s.hours) {
			b.results = append(b.results, result{
				end, now.rides, int64(b.p.rules.fen(now.price + s.roadFare.of(s.egressMetres[e.to]))),
				points(now.risk + s.wait*int64(s.alight[e.kind]) + s.handling + s.roadRate*int64(s.egress[e.to])), now.leave,
			})
		}
	}
	if now.rides == s.rides {
		return
	}
	here := now
	here.stop = e.to
	for kind := range kinds {
		here.ready[kind] = arrive + max(s.board[kind], b.p.change[e.to])
	}
	b.from(here)
	for _, l := range b.p.hops[b.p.hopFrom[e.to]:b.p.hopFrom[e.to+1]] {
		there := now
		there.stop = l.stop
		then := out + int32(l.way.seconds)
		for kind := range kinds {
			there.ready[kind] = then + s.board[kind]
			if l.inside {
				there.ready[kind] = arrive + max(s.board[kind], int32(l.way.seconds))
			}
		}
		if !l.inside && !l.walk {
			there.since = then
			there.price += s.roadFare.of(l.way.metres)
			there.risk += s.wait*int64(s.alight[e.kind]) + s.handling + s.roadRate*l.way.seconds
		}
		b.from(there)
	}
}

func (r result) covers(o result) bool {
	return r.arrive <= o.arrive && r.rides <= o.rides && r.fen <= o.fen && r.points <= o.points
}

func paretoOf(all []result) []result {
	var kept []result
	for i := range all {
		all[i].leave = 0
	}
	slices.SortFunc(all, func(a, b result) int {
		return slices.Compare([]int64{int64(a.arrive), int64(a.rides), a.fen, a.points}, []int64{int64(b.arrive), int64(b.rides), b.fen, b.points})
	})
	for _, one := range all {
		if !slices.ContainsFunc(kept, func(k result) bool { return k.covers(one) }) {
			kept = append(kept, one)
		}
	}
	return kept
}

func TestSearchFindsExactlyTheParetoSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := posed(t, readFeed(t, randomFeed(t)), randomRules(t))
		var got []result
		for _, a := range s.search(p, nil, s.hope(p, rapid.SampledFrom([]int{1, 6, 96}).Draw(t, "slots"), rapid.Bool().Draw(t, "each"), p.late(s.asked)), 1<<28) {
			got = append(got, result{arrive: a.at, rides: a.rides, fen: a.price / 1000, points: a.risk / riskUnit})
			checkLegs(t, p, s, a)
		}
		b := newBrute(p, s, s.asked)
		b.all()
		if want := paretoOf(b.results); !slices.Equal(paretoOf(got), want) || len(got) != len(want) {
			t.Fatalf("got %v, want %v", paretoOf(got), want)
		}
	})
}

// checkLegs adds the answer's legs up.
func checkLegs(t *rapid.T, p *core, s *scratch, a answer) {
	one := p.itinerary(s, &question{Fitness: Fitness{Stretcher: s.lying}}, Taxi, s.pareto.way(a.label))
	if !one.Arrive.Equal(s.instant(a.at)) || max(one.Changes+1, 1) != int(a.rides) || int64(one.Cost)*1000 != a.price || one.Risk*riskUnit != a.risk {
		t.Fatalf("answer %+v has the legs %+v", a, one)
	}
	s.whys = nil // why it is allowed is said again for each kind of way
	if again := p.itinerary(s, &question{Fitness: Fitness{Stretcher: s.lying}}, Taxi, s.pareto.way(a.label)); again.Because != one.Because || again.Because.Zh == "" {
		t.Fatalf("%+v is allowed because %+v, and said anew %+v", a, one.Because, again.Because)
	}
	for i, leg := range one.Legs {
		if leg.Arrive.Before(leg.Depart) || i > 0 && (leg.From != one.Legs[i-1].To || !leg.Depart.Equal(one.Legs[i-1].Arrive)) {
			t.Fatalf("leg %d of %+v", i, one.Legs)
		}
	}
}

func TestEstimateFindsTheShortest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := posed(t, readFeed(t, randomFeed(t)), randomRules(t))
		s.entered, s.latest = false, unreachable
		b := newBrute(p, s, s.asked)
		b.all()
		want := unreachable
		for _, r := range b.results {
			want = min(want, r.arrive-r.leave)
		}
		st := &s.shared
		st.ends, st.best = make([][]ending, len(p.served)), []shortest{{seconds: unreachable}}
		for _, l := range s.egressAt {
			st.ends[l.stop] = append(st.ends[l.stop], ending{0, int32(l.way.seconds)})
		}
		s.profile(p)
		if got := st.best[0].seconds; got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	})
}

// earliest is the fixed point of "who stands there by then can be there by then", in no order of time.
func (b *brute) earliest() int32 {
	s := b.s
	ready := slicesFilled(nil, len(b.p.served)*kinds, unreachable)
	offer := func(stop int32, kind int, at int32) bool {
		if place := int(stop)*kinds + kind; at < ready[place] {
			ready[place] = at
			return true
		}
		return false
	}
	for _, a := range s.access {
		for kind := range kinds {
			offer(a.stop, kind, s.start+int32(a.way.seconds)+s.board[kind])
		}
	}
	best := unreachable
	for changed := true; changed; {
		changed = false
		for _, r := range b.runs {
			on := false
			for _, c := range r.calls {
				at := ready[int(c.from)*kinds+r.kind]
				on = on || c.flags&noBoard == 0 && at <= c.tod && c.tod >= s.start && c.tod >= s.earliest[r.kind] && c.tod <= s.end
				if !on || c.tod > s.end || c.flags&noAlight != 0 {
					continue
				}
				arrive := c.tod + c.dur
				out := arrive + s.alight[r.kind]
				if s.egress[c.to] < unreachable {
					best = min(best, out+s.egress[c.to])
				}
				for kind := range kinds {
					changed = offer(c.to, kind, arrive+max(s.board[kind], b.p.change[c.to])) || changed
					for _, l := range b.p.hops[b.p.hopFrom[c.to]:b.p.hopFrom[c.to+1]] {
						changed = offer(l.stop, kind, s.after(&l, arrive, out, kind)) || changed
					}
				}
			}
		}
	}
	return best
}

func TestFirstArrivalIsTheFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := posed(t, readFeed(t, randomFeed(t)), randomRules(t))
		s.hours, s.latest = 0, unreachable
		want := newBrute(p, s, s.asked).earliest()
		got := unreachable
		if s.firstArrival(p, s.quickestOff(p)) {
			got = s.ea.best
			one := p.itinerary(s, &question{Fitness: Fitness{Stretcher: s.lying}}, Taxi, s.journeys(p))
			if !one.Arrive.Equal(s.instant(got)) {
				t.Fatalf("%d, and the legs %+v", got, one)
			}
		}
		if got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
		// Nothing that arrives just in time is left alone.
		if s.latest = want; want < unreachable && (!s.firstArrival(p, s.quickestOff(p)) || s.ea.best != want) {
			t.Fatalf("with no time to spare got %d, want %d", s.ea.best, want)
		}
	})
}
