package sqldb_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

type mark struct {
	Name string `json:"name"`
}

func (mark) Kind() string { return "mark" }

// seen counts what handlers saw.
type seen struct {
	mu    sync.Mutex
	names map[string]int
}

func (s *seen) add(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil {
		s.names = map[string]int{}
	}
	s.names[name]++
	return s.names[name]
}

func (s *seen) times(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names[name]
}

func (s *seen) total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, times := range s.names {
		n += times
	}
	return n
}

func enqueue(t *testing.T, db *sqldb.DB, args river.JobArgs, opts ...sqldb.JobOption) {
	t.Helper()
	if err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error { return tx.Enqueue(ctx, args, opts...) }); err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T, db *sqldb.DB, fn func(ctx context.Context, args mark) error, opts ...sqldb.HandlerOption) {
	t.Helper()
	w := sqldb.NewWorkers()
	sqldb.Handle(w, fn, opts...)
	if err := db.StartJobs(t.Context(), w); err != nil {
		t.Fatal(err)
	}
}

func TestJobsCommitWithTheirTransaction(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		var s seen
		start(t, db, func(ctx context.Context, args mark) error {
			s.add(args.Name)
			caller := access.From(ctx)
			job, _ := sqldb.JobFrom(ctx)
			if caller.Service != "test" || !caller.Has(access.Service) || job.Attempt != 1 || job.Kind != "mark" {
				t.Errorf("caller %+v job %+v", caller, job)
			}
			if _, has := ctx.Deadline(); !has {
				t.Error("no deadline")
			}
			return db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, args.Name, 1) })
		})
		err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			if err := tx.Enqueue(ctx, mark{"rolled-back"}); err != nil {
				return err
			}
			return errTest
		})
		if !errors.Is(err, errTest) {
			t.Fatal(err)
		}
		enqueue(t, db, mark{"committed"})
		sqldbtest.Eventually(t, "the committed job runs", func() bool { return s.times("committed") == 1 })
		sqldbtest.Idle(t, db)
		if s.times("rolled-back") != 0 || s.total() != 1 || count(t, db) != 1 {
			t.Fatalf("ran %v", s.names)
		}
	})
}

func TestScheduledJobWaitsForTheClock(t *testing.T) {
	fake := func() *clock.Fake { return clock.NewFake(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)) }
	for _, engine := range []struct {
		name string
		dsn  func(testing.TB) string
	}{{"sqlite", sqldbtest.SQLite}, {"postgres", sqldbtest.Postgres}} {
		t.Run(engine.name, func(t *testing.T) {
			now := fake()
			db := sqldbtest.Open(t, engine.dsn(t), migrations, sqldbtest.Clock(now))
			var s seen
			start(t, db, func(_ context.Context, args mark) error { s.add(args.Name); return nil })
			enqueue(t, db, mark{"offer-expires"}, sqldb.At(now.Now().Add(30*time.Minute)))
			enqueue(t, db, mark{"now"})
			sqldbtest.Eventually(t, "the job without a time runs", func() bool { return s.times("now") == 1 })
			now.Advance(29 * time.Minute)
			sqldbtest.Idle(t, db)
			if s.times("offer-expires") != 0 {
				t.Fatal("ran too early")
			}
			now.Advance(time.Minute)
			sqldbtest.Eventually(t, "the scheduled job runs", func() bool { return s.times("offer-expires") == 1 })
		})
	}
}

func TestScheduledJobByTheMachinesClock(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		var s seen
		start(t, db, func(_ context.Context, args mark) error { s.add(args.Name); return nil })
		at := clock.System().Now().Add(300 * time.Millisecond)
		enqueue(t, db, mark{"soon"}, sqldb.At(at))
		enqueue(t, db, mark{"far"}, sqldb.At(at.Add(time.Hour)))
		sqldbtest.Eventually(t, "the job runs", func() bool { return s.times("soon") == 1 })
		if late := clock.System().Now().Sub(at); late < 0 {
			t.Fatalf("ran %v too early", -late)
		}
		sqldbtest.Idle(t, db)
		if s.times("far") != 0 {
			t.Fatal("a job of the future ran")
		}
	})
}

func TestPoisonDoesNotBlock(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		var s seen
		start(t, db, func(_ context.Context, args mark) error {
			if args.Name == "poison" {
				panic("never")
			}
			s.add(args.Name)
			return nil
		})
		err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			for i := range 100 {
				args, opts := mark{"good"}, []sqldb.JobOption(nil)
				if i == 10 {
					args, opts = mark{"poison"}, []sqldb.JobOption{sqldb.MaxAttempts(1)}
				}
				if err := tx.Enqueue(ctx, args, opts...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		sqldbtest.Eventually(t, "the 99 others run", func() bool { return s.times("good") == 99 })
		sqldbtest.Idle(t, db)
		dead, err := db.DeadJobs(t.Context(), 10)
		if err != nil || len(dead) != 1 || dead[0].Kind != "mark" || dead[0].Attempts != 1 || dead[0].At.IsZero() {
			t.Fatalf("dead = %+v, %v", dead, err)
		}
	})
}

func TestDeadJobsCanBeRunAgain(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		var s seen
		start(t, db, func(_ context.Context, args mark) error {
			if s.add(args.Name) == 1 {
				return sqldb.Discard(errTest)
			}
			return nil
		})
		enqueue(t, db, mark{"a"})
		var dead []sqldb.DeadJob
		sqldbtest.Eventually(t, "the job is dead", func() bool {
			var err error
			if dead, err = db.DeadJobs(t.Context(), 10); err != nil {
				t.Fatal(err)
			}
			return len(dead) == 1
		})
		if err := db.RetryJob(t.Context(), dead[0].ID); err != nil {
			t.Fatal(err)
		}
		sqldbtest.Eventually(t, "the job runs again", func() bool { return s.times("a") == 2 })
		if err := db.RetryJob(t.Context(), 1<<40); !errors.Is(err, sqldb.ErrNoRows) {
			t.Fatalf("absent job: %v", err)
		}
	})
}

func TestFailureIsRetriedAndSnoozeIsNoFailure(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		var s seen
		var mu sync.Mutex
		attempts := map[string]int{}
		start(t, db, func(ctx context.Context, args mark) error {
			n := s.add(args.Name)
			job, _ := sqldb.JobFrom(ctx)
			mu.Lock()
			attempts[args.Name] = job.Attempt
			mu.Unlock()
			switch {
			case args.Name == "fails" && n == 1:
				return errTest
			case args.Name == "snoozes" && n < 4:
				return sqldb.Snooze(10 * time.Millisecond)
			}
			return nil
		})
		enqueue(t, db, mark{"fails"})
		enqueue(t, db, mark{"snoozes"}, sqldb.MaxAttempts(1))
		sqldbtest.Eventually(t, "both end", func() bool { return s.times("fails") == 2 && s.times("snoozes") == 4 })
		sqldbtest.Idle(t, db)
		if attempts["fails"] != 2 || attempts["snoozes"] != 1 {
			t.Fatalf("attempts = %v", attempts)
		}
		if dead, err := db.DeadJobs(t.Context(), 10); err != nil || len(dead) != 0 {
			t.Fatalf("dead = %+v, %v", dead, err)
		}
	})
}

func TestUniqueKey(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		for range 3 {
			enqueue(t, db, mark{"a"}, sqldb.UniqueKey("a"))
			enqueue(t, db, mark{"b"}, sqldb.UniqueKey("b"))
		}
		var s seen
		start(t, db, func(_ context.Context, args mark) error { s.add(args.Name); return nil })
		sqldbtest.Idle(t, db)
		if s.times("a") != 1 || s.times("b") != 1 {
			t.Fatalf("ran %v", s.names)
		}
		// A finished job does not count.
		enqueue(t, db, mark{"a"}, sqldb.UniqueKey("a"))
		sqldbtest.Eventually(t, "the key is free again", func() bool { return s.times("a") == 2 })
	})
}

func TestQueuesAreApart(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		var s seen
		release := make(chan struct{})
		w := sqldb.NewWorkers()
		w.Queue("slow-partner", 1)
		sqldb.Handle(w, func(ctx context.Context, args mark) error {
			if args.Name == "slow" {
				select {
				case <-release:
				case <-ctx.Done():
				}
			}
			s.add(args.Name)
			return nil
		})
		if err := db.StartJobs(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			enqueue(t, db, mark{"slow"}, sqldb.Queue("slow-partner"))
		}
		enqueue(t, db, mark{"fast"})
		sqldbtest.Eventually(t, "the other queue moves", func() bool { return s.times("fast") == 1 })
		if s.times("slow") != 0 {
			t.Fatal("the slow queue moved")
		}
		close(release)
	})
}

func TestEvery(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		var s seen
		w := sqldb.NewWorkers()
		sqldb.Handle(w, func(_ context.Context, args mark) error { s.add(args.Name); return nil })
		sqldb.Every(w, time.Hour, mark{"hourly"})
		if err := db.StartJobs(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		sqldbtest.Eventually(t, "it runs at the start", func() bool { return s.times("hourly") == 1 })
	})
}
