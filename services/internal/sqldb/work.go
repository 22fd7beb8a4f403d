package sqldb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"

	"github.com/riverqueue/river/rivertype"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/telemetry"
)

// carry returns what a job keeps of the context that enqueued it: its trace and the referral's id.
func carry(ctx context.Context) map[string]string {
	kept := propagation.MapCarrier{}
	telemetry.Propagator().Inject(ctx, kept)
	return kept
}

func restore(ctx context.Context, metadata []byte) context.Context {
	// River keeps values of its own beside ours, of any type.
	var kept map[string]any
	if json.Unmarshal(metadata, &kept) != nil {
		return ctx
	}
	carrier := propagation.MapCarrier{}
	for key, value := range kept {
		if text, ok := value.(string); ok {
			carrier[key] = text
		}
	}
	return telemetry.Propagator().Extract(ctx, carrier)
}

// Job is what a handler may know of the job it runs.
type Job struct {
	ID          int64
	Kind        string
	Attempt     int // from 1
	MaxAttempts int
}

type jobKey struct{}

// JobFrom returns the job whose handler runs with ctx.
func JobFrom(ctx context.Context) (Job, bool) {
	job, ok := ctx.Value(jobKey{}).(Job)
	return job, ok
}

// work surrounds every handler: the trace goes on, the service is the caller, a failure is logged without arguments.
func (db *DB) work(ctx context.Context, row *rivertype.JobRow, handle func(context.Context) error) error {
	ctx = restore(ctx, row.Metadata)
	ctx = access.With(ctx, access.Caller{Service: db.conf.Service, Roles: []access.Role{access.Service}})
	ctx = context.WithValue(ctx, jobKey{}, Job{ID: row.ID, Kind: row.Kind, Attempt: row.Attempt, MaxAttempts: row.MaxAttempts})
	ctx, span := db.tracer.Start(ctx, "job "+row.Kind, trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		attribute.String("messaging.system", "river"),
		attribute.Int64("huhang.job_id", row.ID),
		attribute.Int("huhang.job_attempt", row.Attempt),
	))
	defer span.End()
	err := db.caught(ctx, row, handle)
	var snooze *rivertype.JobSnoozeError
	var discard *rivertype.JobCancelError
	switch {
	case err == nil:
	case errors.As(err, &snooze):
		span.SetAttributes(attribute.String("huhang.job_snoozed", snooze.Duration.String()))
	default:
		// A fixed text: errors may quote what they were about.
		span.SetStatus(codes.Error, "job failed")
		level := slog.LevelWarn
		if row.Attempt >= row.MaxAttempts || errors.As(err, &discard) {
			level = slog.LevelError
		}
		db.conf.Log.LogAttrs(ctx, level, "job failed", slog.String("kind", row.Kind), slog.Int64("job", row.ID),
			slog.Int("attempt", row.Attempt), slog.Int("max_attempts", row.MaxAttempts), slog.Any("error", err))
	}
	return err
}

// caught turns a panic into an error. River would do so as well, but keeps and logs the panic's value, which may quote a
// record.
func (db *DB) caught(ctx context.Context, row *rivertype.JobRow, handle func(context.Context) error) (err error) {
	defer func() {
		value := recover()
		if value == nil {
			return
		}
		what := fmt.Sprintf("%T", value)
		if bug, ok := value.(runtime.Error); ok {
			what = bug.Error()
		}
		db.conf.Log.LogAttrs(ctx, slog.LevelError, "job panicked", slog.String("kind", row.Kind), slog.Int64("job", row.ID),
			slog.String("panic", what), slog.String("stack", string(debug.Stack())))
		err = fmt.Errorf("panic: %s", what)
	}()
	return handle(ctx)
}
