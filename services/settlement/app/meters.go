package app

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/metric"

	"huhang.example/services/internal/fleet"
	"huhang.example/services/settlement/store"
)

// askWithin bounds what one scrape may cost the database.
const askWithin = 3 * time.Second

// measure shows the claims that wait for an answer of their insured province. Every instance tells all of its database.
func measure(d fleet.Deps, s *store.Store) error {
	if d.Telemetry == nil {
		return nil
	}
	m := d.Telemetry.Meter("huhang.example/settlement")
	waiting, err := m.Int64ObservableGauge("huhang.settlements.unanswered", metric.WithDescription("Claims whose step at the insured province has no outcome yet."))
	oldest, failed := m.Float64ObservableGauge("huhang.settlements.unanswered.oldest", metric.WithUnit("s"),
		metric.WithDescription("How long the oldest of them has waited; 0: none does."))
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	_, err = m.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, askWithin)
		defer cancel()
		count, since, err := s.Unanswered(ctx)
		if err != nil {
			return err
		}
		age := 0.0
		if count > 0 {
			age = max(d.Clock.Now().Sub(since).Seconds(), 0)
		}
		o.ObserveInt64(waiting, count)
		o.ObserveFloat64(oldest, age)
		return nil
	}, waiting, oldest)
	return err
}
