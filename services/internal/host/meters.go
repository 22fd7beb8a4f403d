package host

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/telemetry"
)

// askWithin bounds what one scrape may cost the database.
const askWithin = 3 * time.Second

// measureJobs shows the jobs of the database that are not done. Every instance tells all of them.
func measureJobs(t *telemetry.Telemetry, db *sqldb.DB) error {
	if t == nil {
		return nil
	}
	m := t.Meter("huhang.example/host")
	jobs, err := m.Int64ObservableGauge("huhang.jobs",
		metric.WithDescription("Jobs that are not done, by kind and state (available, running, retryable, dead). Every instance tells all of its database."))
	dead, failed := m.Int64ObservableGauge("huhang.jobs.dead",
		metric.WithDescription("Jobs that ran out of attempts or were discarded, all kinds. Every instance tells all of its database."))
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	_, err = m.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, askWithin)
		defer cancel()
		standings, err := db.JobStandings(ctx)
		if err != nil {
			return err
		}
		// A state of which there is none is told too: what is not told could as well not be known.
		for _, state := range []string{"available", "running", "retryable", "dead"} {
			o.ObserveInt64(jobs, 0, metric.WithAttributes(attribute.String("state", state)))
		}
		var all int64
		for _, s := range standings {
			o.ObserveInt64(jobs, s.Count, metric.WithAttributes(attribute.String("kind", s.Kind), attribute.String("state", s.State)))
			if s.State == "dead" {
				all += s.Count
			}
		}
		o.ObserveInt64(dead, all)
		return nil
	}, jobs, dead)
	return err
}
