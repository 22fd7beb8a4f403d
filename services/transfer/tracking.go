package transfer

import (
	"context"
	"slices"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/pool"
)

// Step is what happened to a leg.
type Step string

// The steps of a leg.
const (
	LegDeparted Step = "DEPARTED"
	LegArrived  Step = "ARRIVED"
)

func (t *Transfer) onTheWay() error {
	if t.Status != InTransit {
		return t.wrongState("The patient is not on the way.", "患者不在途中。")
	}
	return nil
}

func (t *Transfer) legOf(leg int) error {
	if leg < 0 || leg >= len(t.Itinerary.Legs) {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, "leg", "The itinerary has no such leg.", "行程中没有该段。")
	}
	return nil
}

// Record tells that a leg has begun or ended. TIME_INVALID for a time in the future, or before what came before; WRONG_STATE
// for what is recorded already, or while an earlier leg is still reported under way.
func (t *Transfer) Record(leg int, step Step, at, now time.Time) error {
	if err := t.onTheWay(); err != nil {
		return err
	}
	if err := t.legOf(leg); err != nil {
		return err
	}
	for len(t.Tracks) <= leg {
		t.Tracks = append(t.Tracks, Track{})
	}
	earliest := t.DepartedTime
	for i, track := range t.Tracks {
		switch {
		case i < leg:
			earliest = later(earliest, later(track.Departed, track.Arrived))
			if !track.Departed.IsZero() && track.Arrived.IsZero() && step == LegDeparted {
				// The next leg has begun, so this one has ended; nobody wrote down when.
				t.Tracks[i].Arrived = later(at, track.Departed)
			}
		case i > leg && track != (Track{}):
			return t.wrongState("A later leg has begun already.", "后续行程已开始。")
		}
	}
	track := &t.Tracks[leg]
	earliest = later(earliest, track.Departed)
	if !during(at, earliest, now) {
		return fault.New(fault.InvalidArgument, fault.TimeInvalid, "time",
			"The time lies before the step before, or in the future.", "时间早于上一步骤或在将来。")
	}
	at = later(at, earliest)
	switch {
	case step == LegDeparted && track.Departed.IsZero() && track.Arrived.IsZero():
		track.Departed = at
	case step == LegArrived && track.Arrived.IsZero():
		track.Arrived = at
		if track.Departed.IsZero() {
			track.Departed = between(at, t.Itinerary.Legs[leg].Depart, earliest)
		}
	case leg == 0 && step == LegDeparted && track.Arrived.IsZero():
		// The departure of the transfer has said so.
	default:
		return t.wrongState("That step of the leg is recorded already.", "该步骤已登记。")
	}
	return nil
}

// between is the planned departure, kept between what came before and the arrival.
func between(arrived, planned, earliest time.Time) time.Time {
	at := later(planned, earliest)
	if at.After(arrived) {
		return arrived
	}
	return at
}

// RecordLeg tells that a leg has begun or ended, and looks at the way on again.
func (s *Service) RecordLeg(ctx context.Context, transferID, etag string, leg int, step Step, at time.Time) (Transfer, error) {
	return s.follow(ctx, transferID, etag, func(t *Transfer) error {
		now := s.clock.Now()
		if at.IsZero() {
			at = now
		}
		return t.Record(leg, step, at, now)
	}, decimal(int64(leg)))
}

// ReportLegTrouble tells that a leg of this transfer is late or lost, and looks at the way on again.
func (s *Service) ReportLegTrouble(ctx context.Context, transferID, etag string, one Trouble) (Transfer, error) {
	return s.follow(ctx, transferID, etag, func(t *Transfer) error {
		if t.Status.Ended() {
			return t.wrongState("The transfer has ended.", "该转运已结束。")
		}
		if err := t.legOf(one.Leg); err != nil {
			return err
		}
		if !t.track(one.Leg).Arrived.IsZero() {
			return t.wrongState("That leg has ended.", "该段行程已结束。")
		}
		if one.Lost == (one.Late > 0) {
			return fault.New(fault.InvalidArgument, fault.FieldInvalid, "late_minutes",
				"A leg is lost, or late by some minutes: exactly one of them.", "须为取消或晚点之一。")
		}
		t.Troubles = slices.DeleteFunc(t.Troubles, func(old Trouble) bool { return old.Leg == one.Leg })
		t.Troubles = append(t.Troubles, one)
		return nil
	}, decimal(int64(one.Leg)))
}

// follow changes t by either end, tells both, and looks at the way on again.
func (s *Service) follow(ctx context.Context, transferID, etag string, change func(*Transfer) error, detail string) (Transfer, error) {
	return s.step(ctx, transferID, etag, either(ctx), change, func(ctx context.Context, t *Transfer) error {
		if err := s.note(ctx, *t, changeLeg, detail); err != nil {
			return err
		}
		_, err := s.revise(ctx, t)
		return err
	})
}

// ReportPosition keeps where the patient is. WRONG_STATE, TIME_INVALID, FIELD_INVALID.
func (s *Service) ReportPosition(ctx context.Context, transferID string, p Position) (Position, error) {
	ctx, t, err := s.visible(ctx, transferID)
	if err != nil {
		return Position{}, err
	}
	if err := t.onTheWay(); err != nil {
		return Position{}, err
	}
	now := s.clock.Now()
	if p.At.IsZero() {
		p.At = now
	}
	if !during(p.At, t.DepartedTime, now) {
		return Position{}, fault.New(fault.InvalidArgument, fault.TimeInvalid, "time",
			"The time lies before the departure or in the future.", "时间早于出发时间或在将来。")
	}
	return s.store.SetPosition(ctx, transferID, p)
}

// ArriveAtDoor tells that the patient is at the door.
func (s *Service) ArriveAtDoor(ctx context.Context, transferID, etag string) (Transfer, error) {
	return s.step(ctx, transferID, etag, either(ctx), func(t *Transfer) error {
		if err := t.onTheWay(); err != nil {
			return err
		}
		if !t.DoorTime.IsZero() {
			return t.wrongState("The patient is at the door already.", "患者已到院。")
		}
		t.DoorTime = s.clock.Now()
		return nil
	}, s.atDoor)
}

// atDoor tells that t is at the door, and waits for nobody on the way any more.
func (s *Service) atDoor(ctx context.Context, t *Transfer) error {
	if err := s.resolved(ctx, t); err != nil {
		return err
	}
	return s.report(ctx, *t, EventAtDoor, t.DoorTime)
}

// RefuseAtDoor ends a transfer whose patient is not taken.
func (s *Service) RefuseAtDoor(ctx context.Context, transferID, etag, code, comment string) (Transfer, error) {
	return s.step(ctx, transferID, etag, receiver, func(t *Transfer) error {
		if err := t.Abort(AbortRefusedAtDoor, s.clock.Now()); err != nil {
			return err
		}
		t.Comment = code + ": " + comment
		return nil
	}, func(ctx context.Context, t *Transfer) error {
		return s.finish(ctx, *t, EventAborted, time.Time{})
	})
}

// Live is where a transfer is and what is ahead of it.
type Live struct {
	Transfer Transfer
	// Legs are the itinerary's with the times expected now; Current is the one under way or next, -1 when over.
	Legs     []planner.Leg
	Current  int
	Position Position
	Arrive   time.Time
	AsOf     time.Time
}

// GetLive returns where a transfer is.
func (s *Service) GetLive(ctx context.Context, transferID string) (Live, error) {
	ctx, t, err := s.visible(ctx, transferID)
	if err != nil {
		return Live{}, err
	}
	now := s.clock.Now()
	out := Live{Transfer: t, Legs: t.Itinerary.Legs, Current: -1, Arrive: t.Itinerary.Arrive, AsOf: now}
	if !t.Status.Ended() && len(t.Itinerary.Legs) > 0 {
		live, err := s.today(ctx, now)
		if err != nil {
			return Live{}, err
		}
		e := t.expect(now, live.Table().Ride, s.boardTime(t.Fitness))
		out.Legs, out.Current = e.legs, current(&t, e.legs, now)
		out.Arrive = e.legs[len(e.legs)-1].Arrive
	}
	if t.Status == Arrived {
		out.Arrive = t.ArrivedTime
	}
	if out.Position, err = s.store.Position(ctx, transferID); err != nil {
		return Live{}, err
	}
	if out.Position.At.IsZero() {
		out.Position = estimated(&out)
	}
	return out, nil
}

// current is the first leg that has not ended.
func current(t *Transfer, legs []planner.Leg, now time.Time) int {
	if t.Status != InTransit {
		return 0
	}
	if !t.DoorTime.IsZero() {
		return len(legs) - 1
	}
	for i, leg := range legs {
		if t.track(i).Arrived.IsZero() && leg.Arrive.After(now) {
			return i
		}
	}
	return len(legs) - 1
}

// estimated puts the patient on the straight line of the leg under way, in proportion to its time.
func estimated(l *Live) Position {
	if len(l.Legs) == 0 {
		return Position{}
	}
	at := func(p planner.Place) Position { return Position{Lat: p.Lat, Lon: p.Lon} }
	switch {
	case l.Transfer.Status == Arrived || !l.Transfer.DoorTime.IsZero():
		return at(l.Legs[len(l.Legs)-1].To)
	case l.Current < 0 || l.Transfer.Status != InTransit:
		return at(l.Legs[0].From)
	}
	leg := l.Legs[l.Current]
	took, all := l.AsOf.Sub(leg.Depart), leg.Arrive.Sub(leg.Depart)
	share := 1.0
	if all > 0 {
		share = min(max(float64(took)/float64(all), 0), 1)
	}
	return Position{Lat: leg.From.Lat + share*(leg.To.Lat-leg.From.Lat), Lon: leg.From.Lon + share*(leg.To.Lon-leg.From.Lon)}
}

// crewGone makes a transfer wait for a person whose crew was given back because the patient did not leave in time.
func (s *Service) crewGone(ctx context.Context, h pool.Hold) error {
	t, err := s.store.Get(ctx, h.TransferID)
	gone := planner.Text{
		Zh: "未按时出发，护送团队与车辆已释放，请重新安排。", En: "The patient did not leave in time and crew and vehicle were given back; plan again.",
	}
	if err != nil || t.Status.Ended() || t.HoldID != h.ID || t.Attention != nil && t.Attention.Detail == gone {
		return err
	}
	_, err = s.store.Update(ctx, t.ID, decimal(t.Version), func(t *Transfer) error {
		_, err := s.attend(ctx, t, AttentionBookings, gone)
		return err
	})
	return err
}

// Held returns what a transfer holds now.
func (s *Service) Held(ctx context.Context, transferID string) ([]pool.Hold, error) {
	return s.store.HeldBy(ctx, transferID, s.clock.Now())
}
