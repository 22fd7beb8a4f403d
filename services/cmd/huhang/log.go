package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

func logLevel(name string) (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(name)); err != nil {
		return 0, fmt.Errorf("log level %q: one of debug, info, warn, error", name)
	}
	return level, nil
}

// twoLogs writes lines for people from a level on, and JSON from info on.
func twoLogs(people io.Writer, level slog.Level, machines io.Writer) slog.Handler {
	return both{
		slog.NewTextHandler(people, &slog.HandlerOptions{Level: level}),
		slog.NewJSONHandler(machines, &slog.HandlerOptions{Level: min(level, slog.LevelInfo)}),
	}
}

type both []slog.Handler

func (b both) Enabled(ctx context.Context, l slog.Level) bool {
	for _, h := range b {
		if h.Enabled(ctx, l) {
			return true
		}
	}
	return false
}

func (b both) Handle(ctx context.Context, r slog.Record) error {
	var failed []error
	for _, h := range b {
		if h.Enabled(ctx, r.Level) {
			failed = append(failed, h.Handle(ctx, r.Clone()))
		}
	}
	return errors.Join(failed...)
}

func (b both) WithAttrs(attrs []slog.Attr) slog.Handler {
	return b.each(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

func (b both) WithGroup(name string) slog.Handler {
	return b.each(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (b both) each(change func(slog.Handler) slog.Handler) slog.Handler {
	out := make(both, len(b))
	for i, h := range b {
		out[i] = change(h)
	}
	return out
}
