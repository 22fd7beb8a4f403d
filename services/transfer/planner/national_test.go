package planner

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/place"
	"huhang.example/services/transfer/timetable"
	"huhang.example/services/transfer/timetable/rail2016"
)

// national is a planner over every high-speed and EMU train of March 2016.
var national = sync.OnceValue(func() *Planner {
	table, err := timetable.Read(rail2016.Feed(1), timetable.Limits{})
	if err != nil {
		panic(err)
	}
	return New(table, CurrentRules())
})

// spring is a day of that timetable.
func spring(hhmm string) time.Time {
	return time.Date(2016, 3, 15, 0, rail2016.Minute(hhmm), 0, 0, clock.Shanghai)
}

func between(t *testing.T, from, to string, at time.Time, f Fitness) Question {
	t.Helper()
	origin, ok := place.City(from)
	destination, ok2 := place.City(to)
	if !ok || !ok2 {
		t.Fatalf("no city %s or %s", from, to)
	}
	return Question{Origin: origin, Destination: destination, NotBefore: at, Fitness: f}
}

// Journeys that anybody can look up in the list of trains: who is ready at that time is offered that train, from and to
// those stations at those times, without a change.
func TestKnownJourneysOf2016(t *testing.T) {
	for _, c := range []struct{ from, to, ready, number, board, depart, alight, arrive string }{
		{"110100", "310100", "08:00", "G1", "北京南", "09:00", "上海虹桥", "13:48"},
		{"310100", "110100", "07:50", "G2", "上海虹桥", "09:00", "北京南", "13:48"},
		{"340100", "310100", "08:15", "G7191/G7194", "合肥南", "09:24", "上海虹桥", "11:59"},
		{"360100", "310100", "07:35", "G1342", "南昌西", "08:46", "上海虹桥", "12:14"},
		{"130100", "110100", "15:15", "G82", "石家庄", "16:14", "北京西", "17:21"},
		{"110100", "440100", "06:30", "G71", "北京西", "07:40", "广州南", "17:14"},
		{"450100", "440100", "07:25", "D201", "南宁东", "08:30", "广州南", "11:49"},
		{"610100", "110100", "08:00", "G26", "西安北", "09:12", "北京西", "13:49"},
		{"230100", "110100", "05:50", "D28", "哈尔滨西", "06:57", "北京", "14:51"},
		{"510100", "420100", "06:00", "G308", "成都东", "07:02", "汉口", "15:55"},
		{"430100", "420100", "06:40", "G502", "长沙南", "07:43", "武汉", "09:08"},
		{"460100", "460200", "06:00", "D7301", "海口东", "07:00", "三亚", "08:55"},
		// Past midnight: the day of the train goes on.
		{"620100", "650100", "09:50", "D2711", "兰州西", "10:50", "乌鲁木齐南", "24:25"},
		{"610100", "110100", "18:10", "G4612", "西安北", "19:18", "北京西", "24:47"},
	} {
		t.Run(c.number, func(t *testing.T) {
			plan := national().Plan(between(t, c.from, c.to, spring(c.ready), Fitness{}))
			for _, o := range plan.Options {
				i := slices.IndexFunc(o.Legs, func(l Leg) bool { return l.Number == c.number })
				if i < 0 || o.Changes > 0 {
					continue
				}
				leg := o.Legs[i]
				if leg.From.Name != c.board || leg.To.Name != c.alight || !leg.Depart.Equal(spring(c.depart)) || !leg.Arrive.Equal(spring(c.arrive)) {
					t.Errorf("%+v", leg)
				}
				return
			}
			t.Errorf("not among the options: %+v", plan.Options)
		})
	}
}

// Whatever is offered between the largest cities is in the list of trains call by call, with time enough at every change.
func TestOptionsOf2016AreInTheList(t *testing.T) {
	stations, trains := rail2016.Read()
	names, calls := map[string]string{}, map[string][]rail2016.Call{}
	for _, s := range stations {
		names[s.ID] = s.Name
	}
	for _, train := range trains {
		calls[train.Number] = train.Calls
	}
	minute := func(leg Leg, at time.Time) string {
		day, err := time.ParseInLocation("20060102", leg.Run.ServiceDay, clock.Shanghai)
		if err != nil {
			t.Fatal(err)
		}
		m := int(at.Sub(day) / time.Minute)
		return fmt.Sprintf("%02d:%02d", m/60, m%60)
	}
	random, rules := rand.New(rand.NewPCG(2016, 3)), CurrentRules()
	offered, changes := 0, 0
	for range 60 {
		from, to := capitals[random.IntN(len(capitals))], capitals[random.IntN(len(capitals))]
		f := Fitness{Stretcher: random.IntN(3) == 0}
		q := between(t, from, to, spring("00:00").Add(time.Duration(random.IntN(1440))*time.Minute), f)
		plan := national().Plan(q)
		for _, o := range plan.Options {
			var before *Leg
			for i := range o.Legs {
				leg := &o.Legs[i]
				if leg.Number == "" {
					continue
				}
				stops := calls[leg.Number]
				on := slices.IndexFunc(stops, func(c rail2016.Call) bool {
					return names[c.Station] == leg.From.Name && c.Depart == minute(*leg, leg.Depart)
				})
				off := slices.IndexFunc(stops, func(c rail2016.Call) bool {
					return names[c.Station] == leg.To.Name && c.Arrive == minute(*leg, leg.Arrive)
				})
				if on < 0 || off <= on {
					t.Errorf("%s-%s: the list has no such ride: %+v", from, to, *leg)
				}
				least := rules.BoardTime(Rail, f)
				if before != nil && leg.Depart.Sub(before.Arrive) < least {
					t.Errorf("%s-%s: %v to change from %s to %s", from, to, leg.Depart.Sub(before.Arrive), before.Number, leg.Number)
				}
				before = leg
			}
			offered, changes = offered+1, changes+o.Changes
		}
		first, found := national().Earliest(q)
		if len(plan.Options) > 0 && (!found || plan.Options[0].Arrive.Before(first.Arrive) ||
			first.Changes < rules.MostRides && plan.Options[0].Arrive.After(first.Arrive)) {
			t.Errorf("%s-%s: the earliest arrival is %v, the first option's %v", from, to, first.Arrive, plan.Options[0].Arrive)
		}
	}
	if offered < 100 || changes == 0 {
		t.Errorf("%d options with %d changes say little", offered, changes)
	}
}

// capitals are the seats of provinces that the network of 2016 reaches, and a few beside.
var capitals = []string{
	"110100", "120100", "130100", "140100", "210100", "220100", "230100", "310100", "320100", "330100", "340100", "350100", "360100", "370100", "410100",
	"420100", "430100", "440100", "450100", "510100", "520100", "610100", "620100", "650100", "440300", "330300", "350200", "130600", "420500",
}

// The first arrival over the whole network is that of the plainest method there is, which goes over all trains again and
// again until nothing comes any earlier.
func TestFirstArrivalsOf2016AreTheFirst(t *testing.T) {
	p, random := national().current.Load(), rand.New(rand.NewPCG(3, 2016))
	found := 0
	for range 4 {
		from, to := capitals[random.IntN(len(capitals))], capitals[random.IntN(len(capitals))]
		q := between(t, from, to, spring("00:00").Add(time.Duration(random.IntN(1440))*time.Minute), Fitness{Stretcher: random.IntN(2) == 0}).in(nil)
		s := p.take(&q, demand{allowed: [kinds]bool{true, true}, feeder: RoadAmbulance})
		s.endAt(p, q.Destination)
		s.hours, s.latest = 0, unreachable
		want, got := newBrute(p, s, nil).earliest(), unreachable
		if s.firstArrival(p, p.quickest(s, q.Destination)) {
			got, found = s.ea.best, found+1
		}
		if got != want {
			t.Errorf("%s-%s from %v: got %d, want %d", from, to, q.NotBefore, got, want)
		}
	}
	if found == 0 {
		t.Error("nothing was reached")
	}
}

// What cannot be quick enough any more is left alone, and nothing else: a way that arrives just in time is found, also with
// trains late and cancelled.
func TestQuickestLosesNothingOf2016(t *testing.T) {
	p, random := national().current.Load(), rand.New(rand.NewPCG(11, 2016))
	found := 0
	for n := range 120 {
		from, to := capitals[random.IntN(len(capitals))], capitals[random.IntN(len(capitals))]
		q := between(t, from, to, spring("00:00").Add(time.Duration(random.IntN(1440))*time.Minute), Fitness{}).in(disturbed(p, random, n%2*300))
		s := p.take(&q, demand{allowed: [kinds]bool{true, true}, feeder: Taxi})
		s.endAt(p, q.Destination)
		if !s.firstArrival(p, nil) {
			continue
		}
		found++
		s.latest = s.ea.best
		if !s.firstArrival(p, s.quickestOff(p)) || s.ea.best != s.latest {
			t.Errorf("%s-%s from %v: got %d, want %d", from, to, q.NotBefore, s.ea.best, s.latest)
		}
	}
	if found < 60 {
		t.Errorf("%d ways say little", found)
	}
}

// disturbed is a day on which so many runs go otherwise; nil: none does.
func disturbed(p *core, random *rand.Rand, runs int) *Overlay {
	if runs == 0 {
		return nil
	}
	o := &Overlay{}
	for range runs {
		trip := random.IntN(len(p.table.Trips))
		o.Disruptions = append(o.Disruptions, Disruption{
			Run: Run{p.table.Trips[trip].ID, spring("00:00").Format("20060102")}, Cancelled: random.IntN(4) == 0,
			Calls: []CallChange{{Depart: time.Duration(random.IntN(180)) * time.Minute}},
		})
	}
	slices.SortFunc(o.Disruptions, func(a, b Disruption) int { return cmp.Compare(a.TripID, b.TripID) })
	o.Disruptions = slices.CompactFunc(o.Disruptions, func(a, b Disruption) bool { return a.TripID == b.TripID })
	return o
}

// What the bounds leave alone is not missed: without any, the search finds the same over the whole network, also with trains
// late and cancelled.
func TestBoundsLoseNothingOf2016(t *testing.T) {
	p, random := national().current.Load(), rand.New(rand.NewPCG(7, 2016))
	found := 0
	for n := range 8 {
		from, to := capitals[random.IntN(len(capitals))], capitals[random.IntN(len(capitals))]
		o := disturbed(p, random, n%2*300)
		q := between(t, from, to, spring("00:00").Add(time.Duration(random.IntN(1440))*time.Minute), Fitness{}).in(o)
		s := p.take(&q, demand{allowed: [kinds]bool{true, true}, feeder: Taxi})
		s.rides = 3
		s.endAt(p, q.Destination)
		set := func(b *bounds) (out []result) {
			for _, a := range s.search(p, nil, b, 24*3600) {
				out = append(out, result{arrive: a.at, rides: a.rides, fen: a.price / 1000, points: a.risk / riskUnit})
			}
			return paretoOf(out)
		}
		none := &bounds{
			rides: int(s.rides), slots: 1, width: timetable.DaySeconds, stops: len(p.served), open: make([]cell, s.rides),
		}
		want := set(none)
		for _, each := range []bool{true, false} {
			if got := set(s.hope(p, slots, each, p.late(o))); !slices.Equal(got, want) {
				t.Errorf("%s-%s from %v, bounds of each connection %v: got %v, want %v", from, to, q.NotBefore, each, got, want)
			}
		}
		found += len(want)
	}
	if found < 20 {
		t.Errorf("%d ways say little", found)
	}
}

// The guide leads by ways that count: of those to be found, a good part before the search begins.
func TestGuideFindsWaysOf2016(t *testing.T) {
	p, random := national().current.Load(), rand.New(rand.NewPCG(5, 2016))
	led, all := 0, 0
	for range 20 {
		from, to := capitals[random.IntN(len(capitals))], capitals[random.IntN(len(capitals))]
		q := between(t, from, to, spring("00:00").Add(time.Duration(random.IntN(1440))*time.Minute), Fitness{Stretcher: random.IntN(2) == 0}).in(nil)
		s := p.take(&q, demand{allowed: [kinds]bool{true, true}, feeder: Taxi})
		s.endAt(p, q.Destination)
		hope := s.hope(p, slots, true, nil)
		s.begin(nil, hope, 24*3600)
		s.follow(p, hope.guide)
		ways := slices.Clone(s.pareto.found.all)
		found := s.search(p, nil, hope, 24*3600)
		for _, way := range ways {
			if !slices.ContainsFunc(found, func(a answer) bool {
				return a.at <= way.at && a.rides <= way.rides && a.price <= way.price && a.risk <= way.risk
			}) {
				t.Errorf("%s-%s from %v: the guide leads by %+v, which no search finds", from, to, q.NotBefore, way)
			}
			if slices.ContainsFunc(found, func(a answer) bool {
				return a.at == way.at && a.rides == way.rides && a.price == way.price && a.risk == way.risk
			}) {
				led++
			}
		}
		all += len(found)
	}
	if led*3 < all || all < 50 {
		t.Errorf("of %d ways the guide leads by %d", all, led)
	}
}

// Who may not take the train that would be first is told of it, and why not.
func TestFasterWaysOf2016AreTold(t *testing.T) {
	p, random := national().current.Load(), rand.New(rand.NewPCG(9, 2016))
	told := 0
	for range 200 {
		from, to := capitals[random.IntN(len(capitals))], capitals[random.IntN(len(capitals))]
		asked := between(t, from, to, spring("06:00").Add(time.Duration(random.IntN(600))*time.Minute), Fitness{Oxygen: true})
		plan, q := national().Plan(asked), asked.in(nil)
		first, found := p.first(&q, demand{allowed: [kinds]bool{true, true}, feeder: RoadAmbulance, anyway: true})
		switch {
		case !found || len(plan.Options) == 0:
		case first.Arrive.Before(plan.Options[0].Arrive):
			told++
			if plan.Faster == nil || plan.Faster.Arrive.After(first.Arrive) || len(plan.Faster.Against) == 0 {
				t.Errorf("%s-%s from %v: %+v is not told", from, to, asked.NotBefore, first)
			}
		case plan.Faster != nil && !plan.Faster.Arrive.Before(plan.Options[0].Arrive):
			t.Errorf("%s-%s from %v: %+v is no faster", from, to, asked.NotBefore, plan.Faster)
		}
	}
	if told < 5 {
		t.Errorf("%d ways say little", told)
	}
}
