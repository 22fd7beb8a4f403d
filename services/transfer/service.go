package transfer

import (
	"context"
	"sync"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/place"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/timetable"
)

// Service is the use cases.
type Service struct {
	store   Store
	peers   Peers
	planner *planner.Planner
	clock   clock.Clock
	ids     id.Source
	live    liveNetwork
	force   inForce
}

// inForce is what this instance knows of the timetables in force.
type inForce struct {
	mu      sync.Mutex
	base    *timetable.Timetable // where none was imported
	edition int64
	checked time.Time
}

// New returns the use cases over their parts.
func New(store Store, peers Peers, p *planner.Planner, c clock.Clock, ids id.Source) *Service {
	return &Service{store: store, peers: peers, planner: p, clock: c, ids: ids, force: inForce{base: p.Table()}}
}

// furthestPlan is how far ahead a way is planned.
const furthestPlan = 366 * 24 * time.Hour

func city(code, field string) (place.Info, error) {
	info, ok := place.City(code)
	if !ok {
		return place.Info{}, fault.New(fault.InvalidArgument, fault.CodeUnknown, field,
			"The city code is not in the code list.", "城市代码不在代码表中。").With("code", code)
	}
	return info, nil
}

func checkNotBefore(notBefore, now time.Time, furthest time.Duration) error {
	switch {
	case notBefore.Before(now.Add(-clock.Skew)):
		return fault.New(fault.InvalidArgument, fault.TimeInvalid, "not_before", "The time lies in the past.", "时间已过。")
	case notBefore.Sub(now) > furthest:
		return fault.New(fault.InvalidArgument, fault.TimeInvalid, "not_before", "The time is too far ahead.", "时间过远。")
	}
	return nil
}

func rightMissing(field, en, zh string) error {
	return fault.New(fault.PermissionDenied, fault.RightMissing, field, en, zh)
}

// visible returns the transfer if the caller is one of its ends, takes its diverted patient or runs the line; else it looks
// absent. The returned context carries the case.
func (s *Service) visible(ctx context.Context, transferID string) (context.Context, Transfer, error) {
	t, err := s.store.Get(ctx, transferID)
	if err != nil {
		return ctx, Transfer{}, err
	}
	if !access.From(ctx).MaySee(t.From, t.To, t.DivertedTo) {
		return ctx, Transfer{}, fault.NotFoundf("transfer", transferID)
	}
	return telemetry.WithReferral(ctx, t.ReferralID), t, nil
}

// mustBe refuses callers of the transfer's other end, and those of the end itself who have not its role.
func mustBe(ctx context.Context, of end) error {
	caller := access.From(ctx)
	switch {
	case caller.Has(access.Operations) || caller.Has(access.Service):
		return nil
	case caller.Organisation != of.organisation:
		return rightMissing("", "This step belongs to the other end of the transfer.", "该操作应由转运的另一方进行。")
	case of.role != "" && !caller.Has(of.role):
		return rightMissing("", "This step belongs to another role at this end of the transfer.", "该操作应由本机构的其他角色进行。")
	}
	return nil
}

// tell tells the case of a step of t, made by the context's caller.
func (s *Service) tell(ctx context.Context, t Transfer, kind string, arrive time.Time) error {
	caller, now := access.From(ctx), s.clock.Now()
	key := "evt-" + t.ID + "-" + kind
	switch again := kind == EventDelayed || kind == EventReplanned || kind == EventAttention; {
	case again:
		key += "-" + decimal(t.Version) // may come again
	case t.Back && kind != EventAtDoor && kind != EventSigned:
		kind = "BACK_" + kind
	}
	return s.store.Report(ctx, s.event(t, key, kind, arrive, now, caller))
}

func (s *Service) event(t Transfer, key, kind string, arrive, now time.Time, caller access.Caller) CaseEvent {
	e := CaseEvent{
		RequestID: key, ReferralID: t.ReferralID, At: now, Organisation: caller.Organisation, Subject: caller.Subject,
		TransferID: t.ID, Kind: kind, ReasonCode: t.AbortCode, ArriveTime: arrive, DepartTime: t.Itinerary.Depart, Told: t.DivertedTo,
	}
	if t.Attention != nil {
		e.ReasonCode = t.Attention.Code
	}
	if !t.DepartedTime.IsZero() {
		e.DepartTime = t.DepartedTime
	}
	return e
}

// report tells the case and both ends.
func (s *Service) report(ctx context.Context, t Transfer, kind string, arrive time.Time) error {
	if err := s.note(ctx, t, kind, t.AbortCode); err != nil {
		return err
	}
	return s.tell(ctx, t, kind, arrive)
}
