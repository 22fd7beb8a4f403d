package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// Logger returns a logger that writes through next and adds service, trace_id, span_id and referral_id to each line.
func Logger(next slog.Handler, service string) *slog.Logger {
	return slog.New(handler{root: next.WithAttrs([]slog.Attr{slog.String("service", service)})})
}

// Logger is the function Logger with this service's name.
func (t *Telemetry) Logger(next slog.Handler) *slog.Logger { return Logger(next, t.service) }

// handler applies With and WithGroup only when a line is written: the ids belong at the top, outside any group.
type handler struct {
	root  slog.Handler
	steps []func(slog.Handler) slog.Handler
}

func (h handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.root.Enabled(ctx, level)
}

func (h handler) Handle(ctx context.Context, record slog.Record) error {
	next := h.root
	if attrs := ids(ctx); len(attrs) > 0 {
		next = next.WithAttrs(attrs)
	}
	for _, step := range h.steps {
		next = step(next)
	}
	return next.Handle(ctx, record)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	return h.then(func(next slog.Handler) slog.Handler { return next.WithAttrs(attrs) })
}

func (h handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.then(func(next slog.Handler) slog.Handler { return next.WithGroup(name) })
}

func (h handler) then(step func(slog.Handler) slog.Handler) handler {
	steps := append(h.steps[:len(h.steps):len(h.steps)], step)
	return handler{root: h.root, steps: steps}
}

func ids(ctx context.Context) []slog.Attr {
	var attrs []slog.Attr
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		attrs = append(attrs, slog.String("trace_id", span.TraceID().String()),
			slog.String("span_id", span.SpanID().String()))
	}
	if id := Referral(ctx); id != "" {
		attrs = append(attrs, slog.String("referral_id", id))
	}
	return attrs
}
