package transfer

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/place"
	"huhang.example/services/transfer/planner"
)

// PlanQuery asks for ways.
type PlanQuery struct {
	OriginCity, DestinationCity string
	NotBefore                   time.Time
	Fitness                     planner.Fitness
	Within                      time.Duration
}

// Plan answers the options around what is known of delays and cancellations, and why modes are refused. CODE_UNKNOWN names the city's field; TIME_INVALID.
func (s *Service) Plan(ctx context.Context, q PlanQuery) (planner.Plan, error) {
	question, err := s.question(ctx, q, furthestPlan)
	if err != nil {
		return planner.Plan{}, err
	}
	live, err := s.today(ctx, s.clock.Now())
	if err != nil {
		return planner.Plan{}, err
	}
	return live.Plan(question), nil
}

func (s *Service) question(ctx context.Context, q PlanQuery, furthest time.Duration) (planner.Question, error) {
	s.current(ctx)
	if !s.planner.Rules().KnownProblem(q.Fitness.Problem) {
		return planner.Question{}, fault.New(fault.InvalidArgument, fault.CodeUnknown, "fitness.main_problem",
			"The main problem is not in the travel rules.", "主要病情代码不在出行规则中。").With("code", q.Fitness.Problem)
	}
	origin, err := city(q.OriginCity, "origin_city")
	if err != nil {
		return planner.Question{}, err
	}
	destination, err := city(q.DestinationCity, "destination_city")
	if err != nil {
		return planner.Question{}, err
	}
	if err := checkNotBefore(q.NotBefore, s.clock.Now(), furthest); err != nil {
		return planner.Question{}, err
	}
	return planner.Question{
		Origin: origin, Destination: destination, NotBefore: q.NotBefore, Fitness: q.Fitness, Within: q.Within,
		Now: s.clock.Now(),
	}, nil
}

// Estimate answers the shortest allowed way to each city by what runs today, in the order asked. A zero notBefore means now.
func (s *Service) Estimate(ctx context.Context, originCity string, cities []string, f planner.Fitness, notBefore time.Time) ([]planner.Estimate, error) {
	origin, err := city(originCity, "origin_city")
	if err != nil {
		return nil, err
	}
	destinations := make([]place.Info, len(cities))
	for i, code := range cities {
		to, err := city(code, fmt.Sprintf("destination_cities[%d]", i))
		if err != nil {
			return nil, err
		}
		destinations[i] = to
	}
	s.current(ctx)
	now := s.clock.Now()
	if notBefore.IsZero() {
		notBefore = now
	}
	if err := checkNotBefore(notBefore, now, furthestPlan); err != nil {
		return nil, err
	}
	live, err := s.today(ctx, now)
	if err != nil {
		return nil, err
	}
	return live.Estimate(planner.Question{Origin: origin, NotBefore: notBefore, Fitness: f, Now: now}, destinations), nil
}

// current looks after the timetables in force. A plan by those of a moment ago is better than none.
func (s *Service) current(ctx context.Context) {
	if err := s.refresh(ctx); err != nil {
		slog.WarnContext(ctx, "timetables in force not read", slog.Any("error", err))
	}
}
