package transfer

import (
	"context"
	"slices"
	"time"

	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/pool"
)

// crewWaits is how long after the planned departure crew and vehicle are kept for a patient who has not left.
const crewWaits = 12 * time.Hour

// crewNeeds are the crew and the ambulances of a way: the crew there and as long back; the sender's ambulance for the
// first road and back, the receiver's for a last one, from when it has to set out.
func crewNeeds(from, to string, way planner.Itinerary) []pool.Need {
	var needs []pool.Need
	if way.Escort.NeedsCrew() {
		needs = append(needs, pool.Need{Organisation: from, Kind: pool.Crew, Interval: pool.Interval{
			Start: way.Depart, End: way.Arrive.Add(way.Arrive.Sub(way.Depart)),
		}})
	}
	first := true // nothing but the sender's road so far
	for i := 0; i < len(way.Legs); i++ {
		leg := way.Legs[i]
		if leg.Mode != planner.RoadAmbulance {
			first = first && leg.Mode == planner.Transfer
			continue
		}
		last := i
		for last+1 < len(way.Legs) && (way.Legs[last+1].Mode == planner.RoadAmbulance || way.Legs[last+1].Mode == planner.Transfer && last+2 < len(way.Legs) && way.Legs[last+2].Mode == planner.RoadAmbulance) {
			last++
		}
		begin, end := leg.Depart, way.Legs[last].Arrive
		need := pool.Need{Organisation: from, Kind: pool.Ambulance, Interval: pool.Interval{Start: begin, End: end.Add(end.Sub(begin))}}
		if !first {
			need.Organisation, need.Interval = to, pool.Interval{Start: begin.Add(-end.Sub(begin)), End: end}
		}
		if need.End.After(need.Start) {
			needs = append(needs, need)
		}
		i, first = last, false
	}
	return needs
}

// inPool leaves out ambulances of those who keep none in the pool, and names them.
func (s *Service) inPool(ctx context.Context, needs []pool.Need, now time.Time) (kept []pool.Need, outside []string, err error) {
	for _, need := range needs {
		if need.Kind == pool.Ambulance {
			c, err := s.store.Capacity(ctx, need.Organisation, pool.Ambulance, need.Interval, now) // with what is on loan there
			if err != nil {
				return nil, nil, err
			}
			if c.Units == 0 {
				if !slices.Contains(outside, need.Organisation) {
					outside = append(outside, need.Organisation)
				}
				continue
			}
		}
		kept = append(kept, need)
	}
	return kept, outside, nil
}

// book makes the bookings of t those of a way: crew and ambulances, and of the case's what would begin before the patient
// is there. All or none: missing says what is not to be had, and nothing has changed.
func (s *Service) book(ctx context.Context, t *Transfer, way planner.Itinerary) (missing *pool.Need, err error) {
	fit := t.BookedFor
	if fit.IsZero() {
		fit = t.Itinerary.Arrive
	}
	if missing, err = s.bookFrom(ctx, t, way, fit); missing == nil && err == nil {
		t.BookedFor = time.Time{}
	}
	return missing, err
}

// bookFrom is book where the case's bookings fit the arrival at fit.
func (s *Service) bookFrom(ctx context.Context, t *Transfer, way planner.Itinerary, fit time.Time) (missing *pool.Need, err error) {
	now := s.clock.Now()
	needs, outside, err := s.inPool(ctx, crewNeeds(t.From, t.To, way), now)
	if err != nil {
		return nil, err
	}
	held, err := s.store.HeldBy(ctx, t.ID, now)
	if err != nil {
		return nil, err
	}
	var moves []pool.Move
	switch own := slices.IndexFunc(held, func(h pool.Hold) bool { return h.ID == t.HoldID }); {
	case own >= 0 && len(needs) == 0:
		if _, err := s.store.UpdateHold(ctx, t.HoldID, func(h *pool.Hold) error { h.Release("not needed any more"); return nil }); err != nil {
			return nil, err
		}
		t.HoldID = ""
	case own >= 0:
		moves = append(moves, pool.Move{HoldID: t.HoldID, Needs: pinned(t, held[own], needs, now), Expire: later(way.Depart, now).Add(crewWaits)})
	case len(needs) > 0:
		hold, err := s.newCrew(t, way, needs, now)
		if err != nil {
			return nil, err
		}
		moves = append(moves, pool.Move{Create: hold, Needs: needs})
	}
	shifted, err := s.shiftedBookings(ctx, t, way, fit, now)
	if err != nil {
		return nil, err
	}
	if moves = append(moves, shifted...); len(moves) == 0 {
		t.Outside = outside
		return nil, nil
	}
	moved, missing, err := s.store.Move(ctx, moves, now)
	if err != nil || missing != nil {
		return missing, err
	}
	for _, h := range moved {
		if h.TransferID == t.ID {
			t.HoldID = h.ID
		}
	}
	t.Outside = outside
	return nil, nil
}

// newCrew is a hold for a transfer that has none. TIME_INVALID.
func (s *Service) newCrew(t *Transfer, way planner.Itinerary, needs []pool.Need, now time.Time) (*pool.Hold, error) {
	hold := &pool.Hold{
		ID: s.ids.New("hld"), ReferralID: t.ReferralID, TransferID: t.ID, Organisation: t.From, Status: pool.Held,
		Expire: later(way.Depart, now).Add(crewWaits),
	}
	if t.Status == InTransit {
		hold.Status = pool.Confirmed
		return hold, nil
	}
	for i := range needs {
		needs[i].Start = later(needs[i].Start, now)
	}
	return hold, pool.CheckNeeds(needs, hold.Expire, now)
}

// pinned keeps with the patient whoever is with the patient: what has begun goes on with the same crew and vehicle.
func pinned(t *Transfer, h pool.Hold, needs []pool.Need, now time.Time) []pool.Need {
	if t.Status != InTransit {
		return needs
	}
	used := map[string]bool{}
	for i := range needs {
		for _, r := range h.Reservations {
			if r.For == needs[i].Organisation && r.Kind == needs[i].Kind && !r.Start.After(now) && !used[r.ResourceID] {
				needs[i].Unit, needs[i].Start = r.ResourceID, r.Start
				used[r.ResourceID] = true
				break
			}
		}
	}
	return needs
}

// shiftedBookings moves what the receiving hospital has booked for the case between the old arrival, which it fits, and the
// new one: a bed waits, an operating room, an expert or a test begins later by as much, in whole hours.
func (s *Service) shiftedBookings(ctx context.Context, t *Transfer, way planner.Itinerary, old, now time.Time) ([]pool.Move, error) {
	late := way.Arrive.Sub(old)
	if late <= 0 || old.IsZero() {
		return nil, nil
	}
	holds, err := s.store.HoldsOf(ctx, t.ReferralID, now)
	if err != nil {
		return nil, err
	}
	shift := late.Truncate(time.Hour)
	if shift < late {
		shift += time.Hour
	}
	var moves []pool.Move
	for _, h := range holds {
		m, changed := pool.Move{HoldID: h.ID}, false
		for _, r := range h.Reservations {
			need := pool.Need{Organisation: r.For, Kind: r.Kind, Interval: r.Interval, Unit: r.ResourceID}
			if r.For == t.To && r.Kind != pool.Bed && !r.Start.Before(old) && r.Start.Before(way.Arrive) {
				need.Interval, need.Unit, changed = pool.Interval{Start: r.Start.Add(shift), End: r.End.Add(shift)}, "", true
			}
			m.Needs = append(m.Needs, need)
		}
		if changed {
			moves = append(moves, m)
		}
	}
	return moves, nil
}

// release gives back what an ended transfer held. Who is on the way has to come home first: as long as it took to get here,
// and with a patient who is taken elsewhere not before the time they were held for.
func (s *Service) release(ctx context.Context, t Transfer) error {
	now := s.clock.Now()
	there := now
	if t.Status == Arrived {
		there = t.ArrivedTime // the last signature may have come later
	}
	held, err := s.store.HeldBy(ctx, t.ID, now)
	if err != nil {
		return err
	}
	for _, h := range held {
		if t.DepartedTime.IsZero() {
			_, err = s.store.UpdateHold(ctx, h.ID, func(h *pool.Hold) error { h.Release("transfer " + t.AbortCode); return nil })
		} else {
			err = s.store.GoHome(ctx, h.ID, pool.WayHome{
				Home: there.Add(there.Sub(t.DepartedTime)), Arrived: t.Status == Arrived,
				Aboard: t.AbortCode == AbortDiverted || t.AbortCode == AbortRefusedAtDoor, AtDoor: t.AbortCode == AbortRefusedAtDoor || !t.DoorTime.IsZero(),
				Receiver: t.To, ReceiverHold: s.ids.New("hld"),
			}, now)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
