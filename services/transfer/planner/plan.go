package planner

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"huhang.example/services/transfer/timetable"
)

func (p *core) plan(q question) Plan {
	plan := Plan{TimetableVersion: p.table.VersionOn(dayText(dayNumber(q.NotBefore))), RulesVersion: p.rules.Version}
	d := p.demand(&q)
	found, known := p.directs(&q, &plan)
	if d.feeder != "" && (d.allowed != [kinds]bool{}) {
		found = append(found, p.timetabled(&q, d, known)...)
	}
	for kind := range timetable.Kind(kinds) {
		if because, allowed := p.rules.Judge(modeOf(kind), q.Fitness); !allowed {
			plan.Refused = append(plan.Refused, Refusal{modeOf(kind), because})
		}
	}
	p.unserved(&plan, &q, d, found)
	plan.Options = p.choose(found, &q, &plan)
	p.faster(&plan, &q)
	return plan
}

// demand is what the rules make of the question.
func (p *core) demand(q *question) demand {
	d := demand{feeder: p.feeder(q.Fitness)}
	for kind := range timetable.Kind(kinds) {
		_, allowed := p.rules.Judge(modeOf(kind), q.Fitness)
		d.allowed[kind] = allowed && !q.Origin.sameCity(q.Destination)
	}
	return d
}

// feeder is how the patient gets to the station and from it: by car where the rules allow, else by ambulance; "" when
// neither is allowed.
func (p *core) feeder(f Fitness) Mode {
	for _, mode := range []Mode{Taxi, RoadAmbulance} {
		if _, allowed := p.rules.Judge(mode, f); allowed {
			return mode
		}
	}
	return ""
}

// directs are the ways without a timetable, and the same as answers that bound the search.
func (p *core) directs(q *question, plan *Plan) (found []Itinerary, known []answer) {
	road, escort := p.between(q.Origin, q.Destination), p.rules.Escort(q.Fitness)
	for _, mode := range []Mode{Taxi, RoadAmbulance, AirAmbulance} {
		because, allowed := p.rules.judgeDirect(mode, q.Fitness, road)
		if !allowed {
			plan.Refused = append(plan.Refused, Refusal{mode, because})
			continue
		}
		one := p.direct(mode, q, road, because)
		if against, over := p.rules.outOfHours(mode, escort, one.Arrive.Sub(q.since(one.Depart)), one.Arrive.Sub(one.Depart)); over {
			plan.Refused = append(plan.Refused, Refusal{mode, against})
			continue
		}
		found = append(found, one)
		base := timetable.Midnight(q.NotBefore).AddDate(0, 0, -p.before(q))
		known = append(known, (&scratch{cents: p.rules.cents()}).answer(
			int32(one.Arrive.Sub(base)/time.Second), 1, int64(one.Cost)*1000, one.Risk*riskUnit, noLabel))
	}
	return found, known
}

// noLabel marks an answer that no search found.
const noLabel = -1

// since is when the escort's hours began for a way that leaves then.
func (q *question) since(leave time.Time) time.Time {
	if q.DutySince.IsZero() {
		return leave
	}
	return q.DutySince
}

// timetabled are the ways with at least one train or flight.
func (p *core) timetabled(q *question, d demand, known []answer) []Itinerary {
	s := p.take(q, d)
	defer p.scratch.Put(s)
	s.endAt(p, q.Destination)
	var out []Itinerary
	for _, a := range s.search(p, known, p.bound(s, q.Destination, d.feeder), int32(p.rules.SlackHours*3600)) {
		if a.label != noLabel {
			out = append(out, p.itinerary(s, q, d.feeder, s.pareto.way(a.label)))
		}
	}
	return out
}

func (p *core) earliest(q question) (Itinerary, bool) {
	d := p.demand(&q)
	best, found := p.first(&q, d)
	var plan Plan
	ways, _ := p.directs(&q, &plan)
	for _, one := range ways {
		if (!found || one.Arrive.Before(best.Arrive)) && (q.Within == 0 || !one.Arrive.After(q.NotBefore.Add(q.Within))) {
			best, found = one, true
		}
	}
	return best, found
}

// first is the timetabled way that arrives first.
func (p *core) first(q *question, d demand) (Itinerary, bool) {
	if d.feeder == "" || d.allowed == [kinds]bool{} {
		return Itinerary{}, false
	}
	s := p.take(q, d)
	defer p.scratch.Put(s)
	s.endAt(p, q.Destination)
	if !s.firstArrival(p, p.quickest(s, q.Destination)) {
		return Itinerary{}, false
	}
	return p.itinerary(s, q, d.feeder, s.journeys(p)), true
}

// unserved tells of modes that are allowed but go nowhere useful, so that their absence is explained too.
func (p *core) unserved(plan *Plan, q *question, d demand, found []Itinerary) {
	for kind := range timetable.Kind(kinds) {
		mode := modeOf(kind)
		used := slices.ContainsFunc(found, func(i Itinerary) bool {
			return slices.ContainsFunc(i.Legs, func(l Leg) bool { return l.Mode == mode })
		})
		refused := slices.ContainsFunc(plan.Refused, func(r Refusal) bool { return r.Mode == mode })
		switch {
		case used || refused:
		case d.allowed[kind]:
			plan.Refused = append(plan.Refused, Refusal{mode, say("时刻表 %s 在出发后 %d 小时内没有更优的班次",
				"timetable %s has nothing better within %d h of leaving", plan.TimetableVersion, p.rules.SearchHours)})
		case q.Origin.sameCity(q.Destination):
			plan.Refused = append(plan.Refused, Refusal{mode, Text{Zh: "同城转运", En: "both ends are in one city"}})
		}
	}
	slices.SortStableFunc(plan.Refused, func(a, b Refusal) int {
		return cmp.Compare(slices.Index(Modes, a.Mode), slices.Index(Modes, b.Mode))
	})
	if day := dayText(dayNumber(q.NotBefore)); p.table.From != "" && (day < p.table.From || day > p.table.To) {
		plan.Notes = append(plan.Notes, say("时刻表 %s 只含 %s 至 %s 的班次", "timetable %s has service days from %s to %s only",
			p.table.Version, p.table.From, p.table.To))
	}
}

func modeOf(kind timetable.Kind) Mode {
	if kind == timetable.Flight {
		return Flight
	}
	return Rail
}

// choose keeps what is in time, not late beyond the slack and not dominated, sorts it and names it.
func (p *core) choose(found []Itinerary, q *question, plan *Plan) []Itinerary {
	slices.SortStableFunc(found, func(a, b Itinerary) int {
		return cmp.Or(a.Arrive.Compare(b.Arrive), cmp.Compare(a.Changes, b.Changes), cmp.Compare(a.Cost, b.Cost), cmp.Compare(a.Risk, b.Risk))
	})
	var kept []Itinerary
	for _, one := range found {
		if q.Within > 0 && one.Arrive.After(q.NotBefore.Add(q.Within)) {
			if len(kept) == 0 {
				plan.Notes = append(plan.Notes, say("最早可于 %s 到达，比应召时限晚 %s", "the earliest arrival is %s, %s after the call-in window",
					one.Arrive.In(localTime).Format("2006-01-02 15:04"), hoursMinutes(one.Arrive.Sub(q.NotBefore.Add(q.Within)))))
			}
			break
		}
		if one.Arrive.After(found[0].Arrive.Add(time.Duration(p.rules.SlackHours) * time.Hour)) {
			break
		}
		if !slices.ContainsFunc(kept, func(other Itinerary) bool {
			return other.Changes <= one.Changes && other.Cost <= one.Cost && other.Risk <= one.Risk // and not later: sorted
		}) {
			kept = append(kept, one)
		}
	}
	kept = p.fewer(kept)
	name(kept)
	return kept
}

// fewer keeps as many as are shown: the best in each of the four, then the first to arrive.
func (p *core) fewer(all []Itinerary) []Itinerary {
	if len(all) <= p.rules.MostOptions {
		return all
	}
	keep := map[int]bool{}
	for _, less := range []func(a, b *Itinerary) bool{
		func(a, b *Itinerary) bool { return a.Changes < b.Changes },
		func(a, b *Itinerary) bool { return a.Cost < b.Cost },
		func(a, b *Itinerary) bool { return a.Risk < b.Risk },
	} {
		best := 0
		for i := range all {
			if less(&all[i], &all[best]) {
				best = i
			}
		}
		keep[best] = true
	}
	for i := 0; len(keep) < p.rules.MostOptions; i++ {
		keep[i] = true
	}
	var out []Itinerary
	for i := range all {
		if keep[i] {
			out = append(out, all[i])
		}
	}
	return out
}

// name gives each option a key by what it rides, not by its place in the list: what was chosen is that way or none, also
// when a plan made a minute later has more options or fewer. Times are no part of it, for a late train is the same train.
func name(options []Itinerary) {
	used := map[string]int{}
	for i := range options {
		sum, rides := fnv.New32a(), false
		for _, leg := range options[i].Legs {
			if leg.Run.TripID != "" {
				_, _ = fmt.Fprintf(sum, "%s %s %s %s\n", leg.Run.TripID, leg.Run.ServiceDay, leg.FromStop, leg.ToStop)
				rides = true
			}
		}
		key := keyNames[options[i].Main()] + "-1"
		if rides {
			key = fmt.Sprintf("%s-%08x", keyNames[options[i].Main()], sum.Sum32())
		}
		if used[key]++; used[key] > 1 {
			key = fmt.Sprintf("%s-%d", key, used[key])
		}
		options[i].Key = key
	}
}

var keyNames = map[Mode]string{Taxi: "taxi", Rail: "rail", Flight: "flight", RoadAmbulance: "ambulance", AirAmbulance: "air-ambulance"}

// Main is the mode that covers most of the way.
func (i Itinerary) Main() Mode {
	longest := map[Mode]float64{}
	main := Mode("")
	for _, leg := range i.Legs {
		longest[leg.Mode] += leg.Km
		if leg.Mode != Transfer && (main == "" || longest[leg.Mode] > longest[main]) {
			main = leg.Mode
		}
	}
	return main
}
