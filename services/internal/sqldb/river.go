package sqldb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"huhang.example/services/internal/clock"
)

// jobQueue hides River's type parameter, which differs between the engines.
type jobQueue interface {
	migrate(ctx context.Context, db *DB) error
	insert(ctx context.Context, s session, args river.JobArgs, opts *river.InsertOpts) error
	start(ctx context.Context, w *Workers) error
	stop(ctx context.Context) error
	dead(ctx context.Context, limit int) ([]*rivertype.JobRow, error)
	retry(ctx context.Context, jobID int64) error
}

type riverQueue[T any] struct {
	db       *DB
	driver   riverdriver.Driver[T]
	raw      func(session) T
	inserter *river.Client[T]

	mu     sync.Mutex
	worker *river.Client[T] // nil unless started
}

func newRiver[T any](db *DB, driver riverdriver.Driver[T], raw func(session) T) (jobQueue, error) {
	q := &riverQueue[T]{db: db, driver: driver, raw: raw}
	var err error
	q.inserter, err = river.NewClient(driver, q.config())
	if err != nil {
		return nil, fmt.Errorf("sqldb: jobs: %w", err)
	}
	return q, nil
}

func (q *riverQueue[T]) config() *river.Config {
	conf := &river.Config{
		Logger:      slog.New(warnings{q.db.conf.Log.Handler()}),
		MaxAttempts: maxAttempts,
		RetryPolicy: retryAfter{q.db.conf.Clock},
		Hooks:       []rivertype.Hook{&insertHook{db: q.db}},
		// A job that failed for good waits for somebody to look at it.
		CancelledJobRetentionPeriod: -1,
		DiscardedJobRetentionPeriod: -1,
	}
	if !q.db.systemClock() {
		conf.Test.Time = riverTime{q.db.conf.Clock}
		conf.CompletedJobRetentionPeriod = -1
	}
	return conf
}

func (q *riverQueue[T]) migrate(ctx context.Context, db *DB) error {
	migrator, err := rivermigrate.New(q.driver, &rivermigrate.Config{Logger: slog.New(warnings{db.conf.Log.Handler()})})
	if err != nil {
		return err
	}
	// ExistingVersions fails on versions this River does not know: the database is newer.
	if db.Engine() == Postgres {
		// Not in one transaction: River adds values to an enum and uses them in a later migration.
		if _, err = migrator.ExistingVersions(ctx); err == nil {
			_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
		}
		return err
	}
	return db.Write(ctx, func(ctx context.Context, tx *Tx) error {
		_, err := migrator.ExistingVersionsTx(ctx, q.raw(tx.session))
		if err == nil {
			//nolint:staticcheck // deprecated for PostgreSQL's enums; here one transaction keeps two processes apart
			_, err = migrator.MigrateTx(ctx, q.raw(tx.session), rivermigrate.DirectionUp, nil)
		}
		return tx.note(err)
	})
}

func (q *riverQueue[T]) insert(ctx context.Context, s session, args river.JobArgs, opts *river.InsertOpts) error {
	// What was sent goes first, and the transaction is begun.
	if err := s.flush(ctx); err != nil {
		return err
	}
	_, err := q.inserter.InsertTx(ctx, q.raw(s), args, opts)
	return err
}

func (q *riverQueue[T]) start(ctx context.Context, w *Workers) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.worker != nil {
		return errors.New("sqldb: jobs are already running")
	}
	conf := q.config()
	conf.Workers = w.river
	conf.PeriodicJobs = w.periodic
	conf.Queues = make(map[string]river.QueueConfig, len(w.queues))
	for name, parallel := range w.queues {
		conf.Queues[name] = river.QueueConfig{MaxWorkers: parallel}
	}
	conf.Middleware = []rivertype.Middleware{river.WorkerMiddlewareFunc(q.db.work)}
	conf.JobTimeout = jobTimeout
	// What a killed process left running is taken up again when no handler can still be at it.
	conf.RescueStuckJobsAfter = w.longest + 15*time.Second
	conf.FetchPollInterval = q.db.conf.PollInterval
	if q.db.Engine() == SQLite {
		conf.PollOnly = true
		if conf.FetchPollInterval == 0 {
			conf.FetchPollInterval = 150 * time.Millisecond
		}
	}
	if conf.FetchPollInterval == 0 {
		conf.FetchPollInterval = time.Second
	}
	conf.FetchCooldown = min(50*time.Millisecond, conf.FetchPollInterval)
	if !q.db.systemClock() {
		// River's rescuer compares the machine's time with the other clock's.
		conf.RescueStuckJobsAfter = 100 * 365 * 24 * time.Hour
		// Scheduled before the process restarted, due by a clock River's scheduler looks at every five seconds.
		conf.TestOnly = true
	}
	if q.db.conf.Instance != "" {
		conf.ID = q.db.conf.Service + "/" + q.db.conf.Instance
	}
	if err := q.db.Write(ctx, func(ctx context.Context, tx *Tx) error { return q.takeOver(ctx, tx, conf.ID) }); err != nil {
		return fmt.Errorf("sqldb: jobs: %w", err)
	}
	worker, err := river.NewClient(q.driver, conf)
	if err != nil {
		return fmt.Errorf("sqldb: jobs: %w", err)
	}
	if err := worker.Start(ctx); err != nil {
		return fmt.Errorf("sqldb: jobs: %w", err)
	}
	q.worker = worker
	return nil
}

// takeOver makes ready what this worker was running when it died, and its leadership free: on SQLite a file has one
// process, on PostgreSQL an instance's name has. What ran when a process died was most likely only there, and a job put aside
// here is one that its handler has told nobody of: it is given another attempt, up to lives. Then it may be what kills.
func (q *riverQueue[T]) takeOver(ctx context.Context, tx *Tx, worker string) error {
	mine, leader, now, args := "", "", "datetime('now', 'subsec')", []any(nil)
	if q.db.Engine() == Postgres {
		if worker == "" {
			return nil
		}
		mine, leader, now, args = " AND attempted_by[array_upper(attempted_by, 1)] = $1", " WHERE leader_id = $1", "now()", []any{worker}
	}
	for _, statement := range []string{
		"UPDATE river_job SET max_attempts = attempt + 1 WHERE state = 'running' AND attempt >= max_attempts AND attempt < " + strconv.Itoa(lives) + mine,
		"UPDATE river_job SET state = 'discarded', finalized_at = " + now + " WHERE state = 'running' AND attempt >= max_attempts" + mine,
		"UPDATE river_job SET state = 'available' WHERE state = 'running'" + mine,
		"DELETE FROM river_leader" + leader,
	} {
		if _, err := tx.Exec(ctx, statement, args...); err != nil {
			return err
		}
	}
	return nil
}

// lives bounds the attempts of a job in whose midst processes die.
const lives = maxAttempts + 12

func (q *riverQueue[T]) stop(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.worker == nil {
		return nil
	}
	worker := q.worker
	q.worker = nil
	err := worker.Stop(ctx)
	if err == nil {
		return nil
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := worker.StopAndCancel(hard); err != nil {
		return fmt.Errorf("sqldb: jobs do not stop: %w", err)
	}
	return nil
}

func (q *riverQueue[T]) dead(ctx context.Context, limit int) ([]*rivertype.JobRow, error) {
	list, err := q.inserter.JobList(ctx, river.NewJobListParams().
		States(rivertype.JobStateDiscarded, rivertype.JobStateCancelled).
		OrderBy(river.JobListOrderByFinalizedAt, river.SortOrderDesc).
		First(min(max(limit, 1), 1000)))
	if err != nil {
		return nil, err
	}
	return list.Jobs, nil
}

func (q *riverQueue[T]) retry(ctx context.Context, jobID int64) error {
	_, err := q.inserter.JobRetry(ctx, jobID)
	return err
}

func (db *DB) systemClock() bool { return db.conf.Clock == clock.System() }

// riverTime lets another clock than the machine's decide what is due.
type riverTime struct{ clock clock.Clock }

func (t riverTime) Now() time.Time { return t.clock.Now() }

func (t riverTime) NowOrNil() *time.Time {
	now := t.clock.Now()
	return &now
}

// warnings passes on what operators should see: River tells every failed attempt at info, and so do we, once.
type warnings struct{ slog.Handler }

func (h warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

func (h warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{h.Handler.WithAttrs(attrs)}
}

func (h warnings) WithGroup(name string) slog.Handler { return warnings{h.Handler.WithGroup(name)} }
