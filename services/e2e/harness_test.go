package e2e

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/line"
	"huhang.example/services/sampleline"
)

// devLine is a running development line and what it wrote.
type devLine struct {
	*line.Running
	spans *tracetest.SpanRecorder
	logs  *buffer
	state string
	pg    map[string]string
	clock func(instance string) clock.Clock
}

// buffer is a writer that can be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// engines runs the test on a line over SQLite files and on one over PostgreSQL.
func engines(t *testing.T, test func(t *testing.T, l *devLine)) {
	t.Run("sqlite", func(t *testing.T) { test(t, start(t, &devLine{state: t.TempDir()})) })
	t.Run("postgres", func(t *testing.T) {
		l := &devLine{state: t.TempDir(), pg: map[string]string{}}
		for _, name := range []string{"patient", "transfer", "settlement_treatment", "settlement_insured", "matching", "referral"} {
			l.pg[name] = sqldbtest.Postgres(t)
		}
		test(t, start(t, l))
	})
}

// start starts the line, or starts it again on the state it left.
func start(t *testing.T, l *devLine) *devLine {
	t.Helper()
	if l.spans == nil {
		l.spans, l.logs = tracetest.NewSpanRecorder(), &buffer{}
	}
	d := line.Dev{
		State: l.state, HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", Ops: "127.0.0.1:0", Sample: true,
		Handler: slog.NewJSONHandler(l.logs, &slog.HandlerOptions{Level: slog.LevelDebug}), Spans: []sdktrace.SpanProcessor{l.spans},
	}
	d.Clock = l.clock
	if l.pg != nil {
		d.Database = func(service string) string { return l.pg[service] }
	}
	running, err := line.StartDev(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	l.Running = running
	t.Cleanup(func() {
		if l.Running != nil {
			l.stop(t)
		}
		if t.Failed() {
			file := filepath.Join(os.TempDir(), "huhang-e2e-"+filepath.Base(t.Name())+".log")
			if os.WriteFile(file, []byte(l.logs.String()), 0o600) == nil {
				t.Logf("the line's log is in %s", file)
			}
		}
	})
	return l
}

func (l *devLine) stop(t *testing.T) {
	t.Helper()
	if err := l.Stop(fleet.StopLimit); err != nil {
		t.Errorf("stop: %v", err)
	}
	l.Running = nil
}

func (l *devLine) client() *sampleline.Client {
	return &sampleline.Client{Base: "http://" + l.Gateway.HTTPAddr(), HTTP: &http.Client{Timeout: 20 * time.Second}}
}

func (l *devLine) driver(t *testing.T, key string, serial int) *sampleline.Driver {
	return &sampleline.Driver{Client: l.client(), Clock: clock.System(), Out: t.Output(), Key: key, Serial: serial}
}

func (l *devLine) drive(t *testing.T, key string, serial int, until string) *sampleline.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	d := l.driver(t, key, serial)
	d.Until = until
	result, err := d.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (l *devLine) as(t *testing.T, organisation, role, province string) *sampleline.Session {
	t.Helper()
	s, err := l.client().As(t.Context(), sampleline.Person{Subject: "staff-1", Organisation: organisation, Role: role, Province: province})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
