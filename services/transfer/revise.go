package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/pool"
	"huhang.example/services/transfer/timetable"
)

const (
	// looksBack and looksAhead are the service days whose disturbances a plan of now can meet.
	looksBack, looksAhead = 2, 8
	mostDisturbed         = 50_000
	// worthTelling is the least change of the arrival that a case is told of.
	worthTelling = 5 * time.Minute
)

// today is the planner over what runs as it runs today.
func (s *Service) today(ctx context.Context, now time.Time) (*planner.Planner, error) {
	day := func(d int) string { return timetable.Midnight(now).AddDate(0, 0, d).Format("20060102") }
	known, err := s.store.Disruptions(ctx, day(-looksBack), day(looksAhead), "", mostDisturbed)
	if err != nil {
		return nil, err
	}
	changes := make([]timetable.Change, len(known))
	for i, d := range known {
		changes[i] = d.Change
	}
	return s.live.over(s.planner, changes), nil
}

// ridesOf finds the runs that a way rides.
func ridesOf(p *planner.Planner, live *planner.Planner, way planner.Itinerary, before []Ride) []Ride {
	var out []Ride
	for i, leg := range way.Legs {
		if leg.Number == "" {
			continue
		}
		day, found := p.Table().Run(leg.Number, leg.From.Name, leg.Depart)
		if !found {
			day, found = live.Table().Run(leg.Number, leg.From.Name, leg.Depart)
		}
		if !found { // under way, with times of its own
			day = clock.Day(leg.Depart)
			day = strings.ReplaceAll(day, "-", "")
			if j := slices.IndexFunc(before, func(r Ride) bool { return r.Number == leg.Number }); j >= 0 {
				day = before[j].Day
			}
		}
		out = append(out, Ride{i, leg.Number, day})
	}
	return out
}

func (s *Service) boardTime(f planner.Fitness) func(planner.Mode) time.Duration {
	return func(m planner.Mode) time.Duration { return s.planner.Rules().BoardTime(m, f) }
}

// errUnchanged says that a look changed nothing.
var errUnchanged = errors.New("transfer: unchanged")

// Revise looks at a transfer again after something it rides was disturbed: what can be kept is kept, else the patient is
// planned on from where they are, else it waits visibly for a person.
func (s *Service) Revise(ctx context.Context, transferID string) error {
	t, err := s.store.Get(ctx, transferID)
	if err != nil {
		return err
	}
	if t.Status.Ended() {
		return nil
	}
	err = s.store.Atomically(telemetry.WithReferral(ctx, t.ReferralID), func(ctx context.Context) error {
		_, err := s.store.Update(ctx, transferID, decimal(t.Version), func(t *Transfer) error {
			changed, err := s.revise(ctx, t)
			if err == nil && !changed {
				return errUnchanged // and no new version
			}
			return err
		})
		return err
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

// revise is Revise inside a transaction that has t. It reports whether t changed.
func (s *Service) revise(ctx context.Context, t *Transfer) (bool, error) {
	if !t.goesOn() {
		return false, nil
	}
	now := s.clock.Now()
	live, err := s.today(ctx, now)
	if err != nil {
		return false, err
	}
	e := t.expect(now, live.Table().Ride, s.boardTime(t.Fitness))
	if e.broken < 0 {
		way := t.retimed(e)
		if sameTimes(way, t.Itinerary) && t.Attention == nil {
			return false, nil
		}
		return true, s.keep(ctx, t, way)
	}
	if e.lost {
		return s.attend(ctx, t, AttentionStranded, planner.Text{
			Zh: "所乘班次中途停止，请告知患者位置后重新安排。", En: "The leg under way will not go on; say where the patient is and plan again.",
		})
	}
	options, none, err := s.ways(t, e, t.standing(e, now), live, false)
	if err != nil {
		return false, err
	}
	return s.take(ctx, t, options, none, live)
}

// goesOn reports whether there is a way on to plan: none for who is at the door, or whose way was never kept.
func (t *Transfer) goesOn() bool {
	return !t.Status.Ended() && t.DoorTime.IsZero() && t.DestinationCity != "" && len(t.Itinerary.Legs) > 0
}

// keep takes over the new times of a way that still holds. Where the bookings cannot follow, the times are true all the
// same and a person has to see to the bookings.
func (s *Service) keep(ctx context.Context, t *Transfer, way planner.Itinerary) error {
	missing, err := s.book(ctx, t, way)
	if err != nil {
		return err
	}
	moved := way.Arrive.Sub(t.Itinerary.Arrive).Abs()
	if missing != nil && t.BookedFor.IsZero() {
		t.BookedFor = t.Itinerary.Arrive
	}
	t.Itinerary = way
	if missing != nil {
		_, err := s.attend(ctx, t, AttentionBookings, lacking(*missing))
		return err
	}
	if err := s.resolved(ctx, t); err != nil || moved == 0 {
		return err
	}
	if err := s.note(ctx, *t, EventDelayed, ""); err != nil || moved < worthTelling {
		return err
	}
	return s.tell(ctx, *t, EventDelayed, way.Arrive)
}

// take goes on with the first option whose bookings are to be had.
func (s *Service) take(ctx context.Context, t *Transfer, options []planner.Itinerary, none planner.Text, live *planner.Planner) (bool, error) {
	if len(options) == 0 {
		return s.attend(ctx, t, AttentionNoWay, none)
	}
	var first *pool.Need
	for _, way := range options {
		missing, err := s.book(ctx, t, way)
		if err != nil {
			return false, err
		}
		if missing != nil {
			if first == nil {
				first = missing
			}
			continue
		}
		s.adopt(t, way, live)
		if err := s.resolved(ctx, t); err != nil {
			return false, err
		}
		if err := s.note(ctx, *t, EventReplanned, ""); err != nil {
			return false, err
		}
		return true, s.tell(ctx, *t, EventReplanned, way.Arrive)
	}
	return s.attend(ctx, t, AttentionBookings, lacking(*first))
}

// adopt makes a way the transfer's own; what is reported of legs that stay, stays.
func (s *Service) adopt(t *Transfer, way planner.Itinerary, live *planner.Planner) {
	same := 0
	for same < len(way.Legs) && same < len(t.Itinerary.Legs) && way.Legs[same].Mode == t.Itinerary.Legs[same].Mode &&
		way.Legs[same].Number == t.Itinerary.Legs[same].Number && way.Legs[same].To == t.Itinerary.Legs[same].To && way.Legs[same].From == t.Itinerary.Legs[same].From {
		same++
	}
	t.Tracks = t.Tracks[:min(same, len(t.Tracks))]
	t.Troubles = slices.DeleteFunc(t.Troubles, func(one Trouble) bool { return one.Leg >= same || one.Lost })
	t.Rides = ridesOf(s.planner, live, way, t.Rides)
	t.Itinerary = way
	t.TimetableVersion = live.TimetableVersion()
}

func lacking(need pool.Need) planner.Text {
	at := need.Start.In(clock.Shanghai).Format("01-02 15:04")
	return planner.Text{
		Zh: fmt.Sprintf("%s 自 %s 起没有可用的 %s。", need.Organisation, at, need.Kind),
		En: fmt.Sprintf("%s has no %s to be had from %s on.", need.Organisation, need.Kind, at),
	}
}

// byHand are the ways on that a person may choose from: within the hours of the crew that goes along, else those for which
// somebody has to relieve it.
func (s *Service) byHand(t *Transfer, e expected, from stand, live *planner.Planner) (options []planner.Itinerary, none planner.Text, err error) {
	options, none, err = s.ways(t, e, from, live, false)
	if err != nil || len(options) > 0 || t.Status != InTransit || !t.Itinerary.Escort.NeedsCrew() {
		return options, none, err
	}
	if options, _, err = s.ways(t, e, from, live, true); err != nil {
		return nil, none, err
	}
	for i := range options {
		options[i].Because.Zh += "；护送团队工时已满，须安排换班"
		options[i].Because.En += "; the crew's hours end on the way: it has to be relieved"
	}
	return options, none, nil
}

// ways are the ways on from where the patient is, the whole itinerary each; none says why there is none. The crew has been
// on duty since it left, unless it is relieved.
func (s *Service) ways(t *Transfer, e expected, from stand, live *planner.Planner, relieved bool) (options []planner.Itinerary, none planner.Text, err error) {
	destination, err := city(t.DestinationCity, "destination_city")
	if err != nil {
		return nil, none, err
	}
	q := planner.Question{
		Origin: planner.Somewhere(from.at), Destination: destination, NotBefore: from.time, Fitness: t.Fitness, Now: s.clock.Now(),
	}
	if t.Status == InTransit && !relieved {
		q.DutySince = t.DepartedTime
	}
	if from.leg == 0 && t.Status != InTransit {
		if q.Origin, err = city(t.OriginCity, "origin_city"); err != nil {
			return nil, none, err
		}
	}
	plan := live.Plan(q)
	for _, option := range plan.Options {
		options = append(options, t.onward(e, from, option))
	}
	if len(options) == 0 {
		none = planner.Text{Zh: "没有符合条件的后续行程。", En: "No allowed way is left."}
		for _, r := range plan.Refused {
			none.Zh, none.En = none.Zh+string(r.Mode)+"："+r.Because.Zh+"；", none.En+" "+string(r.Mode)+": "+r.Because.En+";"
		}
	}
	return options, none, nil
}

// attend makes t wait for a person; it reports whether that is new.
func (s *Service) attend(ctx context.Context, t *Transfer, code string, detail planner.Text) (bool, error) {
	if t.Attention != nil && t.Attention.Code == code && t.Attention.Detail == detail {
		return false, nil
	}
	t.Attention = &Attention{Code: code, Since: s.clock.Now(), Detail: detail}
	if err := s.note(ctx, *t, EventAttention, code); err != nil {
		return false, err
	}
	return true, s.tell(ctx, *t, EventAttention, t.Itinerary.Arrive)
}

// resolved ends an attention.
func (s *Service) resolved(ctx context.Context, t *Transfer) error {
	if t.Attention == nil {
		return nil
	}
	code := t.Attention.Code
	t.Attention = nil
	return s.note(ctx, *t, changeResolved, code)
}

// note adds to what both ends follow.
func (s *Service) note(ctx context.Context, t Transfer, kind, detail string) error {
	return s.store.Note(ctx, Change{
		TransferID: t.ID, ReferralID: t.ReferralID, From: t.From, To: t.To, Kind: kind, Detail: detail, At: s.clock.Now(),
		Arrive: t.Itinerary.Arrive, Version: t.Version,
	})
}

// PlanOnward answers the ways on from where the patient is.
func (s *Service) PlanOnward(ctx context.Context, transferID string) ([]planner.Itinerary, planner.Text, error) {
	_, t, err := s.visible(ctx, transferID)
	if err != nil {
		return nil, planner.Text{}, err
	}
	if !t.goesOn() {
		return nil, planner.Text{}, t.wrongState("Only a patient who is not there yet is planned on.", "仅尚未到达的转运可继续安排。")
	}
	now := s.clock.Now()
	live, err := s.today(ctx, now)
	if err != nil {
		return nil, planner.Text{}, err
	}
	e := t.expect(now, live.Table().Ride, s.boardTime(t.Fitness))
	return s.byHand(&t, e, t.standing(e, now), live)
}

// Replan plans the rest again on a person's word; at is where the patient is, when the line cannot know.
//
// Faults: WRONG_STATE, NO_ITINERARY naming option_key, RESOURCE_TAKEN, FIELD_INVALID for a place without a name.
func (s *Service) Replan(ctx context.Context, transferID, etag, option string, at *planner.Place) (Transfer, error) {
	return s.step(ctx, transferID, etag, sender, func(t *Transfer) error {
		if !t.goesOn() {
			return t.wrongState("Only a patient who is not there yet is planned again.", "仅尚未到达的转运可重新安排。")
		}
		return nil
	}, func(ctx context.Context, t *Transfer) error {
		now := s.clock.Now()
		live, err := s.today(ctx, now)
		if err != nil {
			return err
		}
		e := t.expect(now, live.Table().Ride, s.boardTime(t.Fitness))
		from := t.standing(e, now)
		if at != nil {
			if from, err = t.broughtTo(&e, *at, now); err != nil {
				return err
			}
		}
		options, none, err := s.byHand(t, e, from, live)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(options, func(o planner.Itinerary) bool { return option == "" || o.Key == option })
		if i < 0 {
			field := ""
			if option != "" {
				field = "option_key"
			}
			return fault.New(fault.FailedPrecondition, fault.NoItinerary, field,
				"No such way is allowed and runs at that time.", "没有符合条件的行程。").With("because", none.En)
		}
		missing, err := s.book(ctx, t, options[i])
		if err != nil {
			return err
		}
		if missing != nil {
			return pool.Taken(*missing)
		}
		s.adopt(t, options[i], live)
		if err := s.resolved(ctx, t); err != nil {
			return err
		}
		if err := s.note(ctx, *t, EventReplanned, ""); err != nil {
			return err
		}
		return s.tell(ctx, *t, EventReplanned, t.Itinerary.Arrive)
	})
}

// broughtTo ends the leg under way, or lost, at a place that a person names.
func (t *Transfer) broughtTo(e *expected, at planner.Place, now time.Time) (stand, error) {
	if t.Status != InTransit {
		return stand{}, t.wrongState("A patient who has not left is at the hospital.", "患者尚未出发，仍在医院。")
	}
	if at.Name == "" {
		return stand{}, fault.New(fault.InvalidArgument, fault.FieldInvalid, "from_name", "The place needs a name.", "须填写地点名称。")
	}
	i := t.standing(*e, now).leg
	for i > 0 && e.legs[i-1].Arrive.After(now) {
		i--
	}
	if e.broken >= 0 {
		i = min(i, e.broken)
	}
	leg := t.Itinerary.Legs[min(i, len(t.Itinerary.Legs)-1)]
	begin := t.DepartedTime
	if i > 0 {
		begin = e.legs[i-1].Arrive
		if begin.After(now) {
			begin = now
		}
	}
	leg.To, leg.Depart, leg.Arrive = at, begin, now
	e.legs = append(slices.Clone(e.legs[:i]), leg)
	return stand{i + 1, at, now}, nil
}
