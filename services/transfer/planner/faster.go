package planner

import (
	"slices"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/transfer/timetable"
)

var localTime = clock.Shanghai

// faster finds the fastest way there would be for a healthy traveller, and says everything that stands against it.
func (p *core) faster(plan *Plan, q *question) {
	var best *Itinerary
	take := func(one Itinerary) {
		if best == nil || one.Arrive.Before(best.Arrive) {
			best = &one
		}
	}
	well := *q
	well.Within = 0
	if len(plan.Options) > 0 {
		well.Within = plan.Options[0].Arrive.Sub(q.NotBefore) // nothing later is any faster
	}
	if !q.Origin.sameCity(q.Destination) {
		if one, ok := p.first(&well, demand{allowed: [kinds]bool{true, true}, feeder: RoadAmbulance, anyway: true}); ok {
			take(one)
		}
	}
	road := p.between(q.Origin, q.Destination)
	for _, mode := range []Mode{RoadAmbulance, AirAmbulance} {
		take(p.direct(mode, q, road, Text{}))
	}
	if best == nil || len(plan.Options) > 0 && !best.Arrive.Before(plan.Options[0].Arrive) {
		return
	}
	if against := p.against(best, q); len(against) > 0 {
		plan.Faster = &Faster{Itinerary: *best, Against: against}
	}
}

// against lists what forbids a way.
func (p *core) against(one *Itinerary, q *question) []Text {
	var out []Text
	add := func(t Text) {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	whole := len(one.Legs) == 1
	for _, leg := range one.Legs {
		if leg.Mode == Transfer {
			continue
		}
		if whole {
			if text, ok := p.rules.judgeDirect(leg.Mode, q.Fitness, p.between(q.Origin, q.Destination)); !ok {
				add(text)
			}
		} else if text, ok := p.rules.StillAllowed([]Leg{leg}, q.Fitness); !ok {
			add(text)
		}
		now := q.Now
		if now.IsZero() || now.After(q.NotBefore) {
			now = q.NotBefore
		}
		desk := p.rules.HelpDesk
		if leg.Mode == Rail && anyOf(desk.NeededFor, q.Fitness) &&
			leg.Depart.Before(now.Add(time.Duration(desk.LatestMinutes)*time.Minute)) {
			add(say("%s 次列车：车站重点旅客服务须提前 %d 分钟预约", "train %s: the station help desk wants to be told %d min ahead", leg.Number, desk.LatestMinutes))
		}
		if leg.Run.TripID != "" && q.Fitness.Stretcher && p.wheelchairless(leg.Run) {
			add(say("%s 次不接收轮椅或担架旅客", "%s takes no wheelchair or stretcher", leg.Number))
		}
	}
	if text, over := p.rules.outOfHours(one.Main(), p.rules.Escort(q.Fitness), one.Arrive.Sub(q.since(one.Depart)), one.Arrive.Sub(one.Depart)); over {
		add(text)
	}
	if rides := one.Changes + 1; !whole && rides > p.rules.MostRides {
		add(say("需换乘 %d 次，超过上限 %d 次", "needs %d changes, over the limit of %d", one.Changes, p.rules.MostRides-1))
	}
	return out
}

func (p *core) wheelchairless(r Run) bool {
	trip, _, ok := p.find(r)
	return ok && p.table.Trips[trip].NoWheelchair
}

// direct is a way without a timetable.
func (p *core) direct(mode Mode, q *question, road way, because Text) Itinerary {
	metres, took := road.metres, road.seconds
	if mode == AirAmbulance {
		metres = int64(timetable.Metres(q.Origin.lat, q.Origin.lon, q.Destination.lat, q.Destination.lon))
		took = p.rules.AirAmbulance.OverheadMinutes*60 + seconds(metres, p.rules.AirAmbulance.Kmh)
	}
	leave := q.NotBefore.Truncate(time.Second)
	if leave.Before(q.NotBefore) {
		leave = leave.Add(time.Second)
	}
	leave = leave.UTC()
	arrive := leave.Add(time.Duration(took) * time.Second)
	return Itinerary{
		Legs: []Leg{{
			Mode: mode, From: door(q.Origin), To: ward(q.Destination), Depart: leave, Arrive: arrive, Km: float64(metres) / 1000,
		}},
		Depart: leave, Arrive: arrive, Cost: p.rules.fen(p.rules.Fares[mode].of(metres)),
		Risk:   points(2*p.rules.Risk.move(q.Fitness) + p.rules.Risk.PerHour[mode]*took),
		Escort: p.rules.Escort(q.Fitness), Because: because,
	}
}

func door(c spot) Place {
	if c.city == "" {
		return Place{Name: c.name, Lat: c.lat, Lon: c.lon}
	}
	return Place{Name: c.name + "（出发医院）", Lat: c.lat, Lon: c.lon}
}

func ward(c spot) Place {
	if c.city == "" {
		return Place{Name: c.name, Lat: c.lat, Lon: c.lon}
	}
	return Place{Name: c.name + "（接收医院）", Lat: c.lat, Lon: c.lon}
}
