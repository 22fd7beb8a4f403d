package sqldb_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/internal/telemetry"
)

func TestJobsSurviveARestart(t *testing.T) {
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
		first := sqldbtest.Open(t, dsn, migrations)
		enqueue(t, first, mark{"never-started"})
		entered := make(chan struct{}, 10)
		start(t, first, func(ctx context.Context, args mark) error {
			entered <- struct{}{}
			<-ctx.Done() // until the hard stop
			return ctx.Err()
		})
		<-entered
		stop, cancel := context.WithCancel(t.Context())
		cancel() // do not wait for it
		if err := first.StopJobs(stop); err != nil {
			t.Fatal(err)
		}
		first.Close()

		second := sqldbtest.Open(t, dsn, migrations)
		var s seen
		start(t, second, func(_ context.Context, args mark) error { s.add(args.Name); return nil })
		sqldbtest.Eventually(t, "the job runs in the second process", func() bool { return s.times("never-started") == 1 })
	})
}

// A killed process leaves its job running and itself the leader.
func TestJobsOfAKilledProcess(t *testing.T) {
	dsn := sqldbtest.SQLite(t)
	db := sqldbtest.Open(t, dsn, migrations)
	enqueue(t, db, mark{"killed"})
	enqueue(t, db, mark{"bystander"}, sqldb.MaxAttempts(2))
	enqueue(t, db, mark{"killer"}, sqldb.MaxAttempts(2))
	err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, statement := range []string{
			"UPDATE river_job SET state = 'running', attempt = 2, attempted_at = datetime('now', 'subsec')",
			"UPDATE river_job SET attempt = 42 WHERE id = (SELECT max(id) FROM river_job)",
			"INSERT INTO river_leader (leader_id, elected_at, expires_at) VALUES ('gone', datetime('now', 'subsec'), datetime('now', '+1 hour'))",
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var s seen
	start(t, db, func(_ context.Context, args mark) error { s.add(args.Name); return nil })
	sqldbtest.Eventually(t, "the job runs again", func() bool { return s.times("killed") == 1 })
	// It had no attempt left and ran when another one killed the process.
	sqldbtest.Eventually(t, "so does a bystander", func() bool { return s.times("bystander") == 1 })
	sqldbtest.Idle(t, db)
	dead, err := db.DeadJobs(t.Context(), 10)
	if err != nil || len(dead) != 1 || s.times("killer") != 0 {
		t.Fatalf("dead = %+v, %v; killer ran %d times", dead, err, s.times("killer"))
	}
}

func TestTraceAndReferralTravelWithTheJob(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
	each(t, func(t *testing.T, db *sqldb.DB) {
		ctx, parent := provider.Tracer("test").Start(t.Context(), "request")
		ctx = telemetry.WithReferral(ctx, "ref_0123456789abcdefghjkmnpqrs")
		err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return tx.Enqueue(ctx, mark{"a"}) })
		parent.End()
		if err != nil {
			t.Fatal(err)
		}
		referrals := make(chan string, 1)
		start(t, db, func(ctx context.Context, _ mark) error { referrals <- telemetry.Referral(ctx); return nil })
		if got := <-referrals; got != "ref_0123456789abcdefghjkmnpqrs" {
			t.Fatalf("referral = %q", got)
		}
		sqldbtest.Eventually(t, "the job's span ends", func() bool {
			for _, span := range spans.Ended() {
				if span.Name() == "job mark" && span.Parent().SpanID() == parent.SpanContext().SpanID() &&
					span.SpanContext().TraceID() == parent.SpanContext().TraceID() {
					return true
				}
			}
			return false
		})
	}, sqldbtest.With(func(conf *sqldb.Config) { conf.TracerProvider = provider }))
}

// tape is a log that may be read while others write.
type tape struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *tape) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(b)
}

func (w *tape) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

func TestFailuresTellNeitherArgumentsNorPanics(t *testing.T) {
	const secret = "invented-secret"
	var log tape
	each(t, func(t *testing.T, db *sqldb.DB) {
		start(t, db, func(_ context.Context, args mark) error {
			if args.Name == secret+"-panics" {
				panic(fmt.Errorf("person %s", secret))
			}
			return errTest
		})
		enqueue(t, db, mark{secret + "-panics"}, sqldb.MaxAttempts(1))
		enqueue(t, db, mark{secret + "-fails"}, sqldb.MaxAttempts(1))
		sqldbtest.Idle(t, db)
		dead, err := db.DeadJobs(t.Context(), 10)
		if err != nil || len(dead) != 2 {
			t.Fatalf("dead = %+v, %v", dead, err)
		}
		for _, job := range dead {
			if strings.Contains(job.Error, secret) || job.Error == "" {
				t.Errorf("error = %q", job.Error)
			}
		}
		text := log.String()
		if strings.Contains(text, secret) || !strings.Contains(text, "job panicked") || !strings.Contains(text, "kind=mark") {
			t.Errorf("log = %s", text)
		}
	}, sqldbtest.With(func(conf *sqldb.Config) { conf.Log = slog.New(slog.NewTextHandler(&log, nil)) }))
}
