package transfer

import (
	"context"
	"fmt"
	"time"

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

// Plan answers the options, and why modes are refused. CODE_UNKNOWN names the city's field; TIME_INVALID.
func (s *Service) Plan(_ context.Context, q PlanQuery) (planner.Plan, error) {
	question, err := s.question(q, furthestPlan)
	if err != nil {
		return planner.Plan{}, err
	}
	return s.planner.Plan(question), nil
}

func (s *Service) question(q PlanQuery, furthest time.Duration) (planner.Question, error) {
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

// Estimate answers the shortest allowed way to each city, in the order asked. A zero notBefore means now.
func (s *Service) Estimate(_ context.Context, originCity string, cities []string, f planner.Fitness, notBefore time.Time) ([]planner.Estimate, error) {
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
	now := s.clock.Now()
	if notBefore.IsZero() {
		notBefore = now
	}
	if err := checkNotBefore(notBefore, now, furthestPlan); err != nil {
		return nil, err
	}
	return s.planner.Estimate(planner.Question{Origin: origin, NotBefore: notBefore, Fitness: f, Now: now}, destinations), nil
}
