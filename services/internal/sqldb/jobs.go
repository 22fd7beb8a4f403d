package sqldb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"huhang.example/services/internal/clock"
)

const (
	defaultQueue   = river.QueueDefault
	defaultWorkers = 8
	jobTimeout     = 30 * time.Second
)

// Workers is what a service can do with jobs: a handler for each kind, and the queues.
type Workers struct {
	river    *river.Workers
	queues   map[string]int
	periodic []*river.PeriodicJob
	longest  time.Duration
}

// NewWorkers returns workers with the default queue, which runs eight jobs at a time.
func NewWorkers() *Workers {
	return &Workers{river: river.NewWorkers(), queues: map[string]int{defaultQueue: defaultWorkers}, longest: jobTimeout}
}

// Queue adds a queue in which at most parallel jobs run at a time, or changes the default queue's number.
func (w *Workers) Queue(name string, parallel int) { w.queues[name] = parallel }

// HandlerOption changes how a kind of job is handled.
type HandlerOption func(*handlerOptions)

type handlerOptions struct{ timeout time.Duration }

// Timeout is how long one run may take. Default 30 s.
func Timeout(d time.Duration) HandlerOption { return func(o *handlerOptions) { o.timeout = d } }

// Handle makes fn the handler of T's kind; a second handler of a kind panics. fn may run more than once for the same job,
// also after it succeeded: its effect must be the same. An error runs it again later, see MaxAttempts, Snooze, Discard.
func Handle[T river.JobArgs](w *Workers, fn func(ctx context.Context, args T) error, opts ...HandlerOption) {
	options := handlerOptions{timeout: jobTimeout}
	for _, set := range opts {
		set(&options)
	}
	w.longest = max(w.longest, options.timeout)
	river.AddWorker(w.river, &handler[T]{fn: fn, timeout: options.timeout})
}

// Every enqueues args each interval while jobs run, and once when they start; not while one of the same kind and
// arguments is still waiting or running. Of several processes one does it.
func Every(w *Workers, interval time.Duration, args river.JobArgs) {
	insert := func() (river.JobArgs, *river.InsertOpts) {
		return args, &river.InsertOpts{MaxAttempts: maxAttempts, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
		}}}
	}
	w.periodic = append(w.periodic, river.NewPeriodicJob(river.PeriodicInterval(interval), insert, &river.PeriodicJobOpts{RunOnStart: true}))
}

type handler[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	fn      func(ctx context.Context, args T) error
	timeout time.Duration
}

func (h *handler[T]) Timeout(*river.Job[T]) time.Duration { return h.timeout }

func (h *handler[T]) Work(ctx context.Context, job *river.Job[T]) error { return h.fn(ctx, job.Args) }

// Snooze returned by a handler runs the job again after d, without counting an attempt.
func Snooze(d time.Duration) error { return river.JobSnooze(max(d, 0)) }

// Discard returned by a handler ends the job for good; it stays as a dead job.
func Discard(err error) error { return river.JobCancel(err) }

// StartJobs runs jobs until StopJobs. ctx's values go to the handlers, its end does not stop them. On SQLite only one
// process may run the jobs of a file: what was running when the last one died is made ready again.
func (db *DB) StartJobs(ctx context.Context, w *Workers) error {
	return db.queue.start(context.WithoutCancel(ctx), w)
}

// StopJobs takes no more jobs and waits for those that run; when ctx ends first, their contexts are cancelled and they
// will be run again.
func (db *DB) StopJobs(ctx context.Context) error { return db.queue.stop(ctx) }

// DeadJob is a job that ran out of attempts or was discarded. Its arguments are not shown: they are for the handler.
type DeadJob struct {
	ID       int64
	Kind     string
	Attempts int
	Error    string // of the last attempt
	At       time.Time
}

// DeadJobs returns at most limit dead jobs, the newest first. They are kept for ever.
func (db *DB) DeadJobs(ctx context.Context, limit int) ([]DeadJob, error) {
	rows, err := db.queue.dead(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("sqldb: dead jobs: %w", err)
	}
	jobs := make([]DeadJob, 0, len(rows))
	for _, row := range rows {
		job := DeadJob{ID: row.ID, Kind: row.Kind, Attempts: row.Attempt}
		if row.FinalizedAt != nil {
			job.At = row.FinalizedAt.UTC()
		}
		if n := len(row.Errors); n > 0 {
			job.Error = row.Errors[n-1].Error
		}
		jobs = append(jobs, job)
	}
	return jobs, nil
}

// RetryJob makes a dead job run again at once. ErrNoRows if there is no such job.
func (db *DB) RetryJob(ctx context.Context, jobID int64) error {
	err := db.queue.retry(ctx, jobID)
	if errors.Is(err, rivertype.ErrNotFound) {
		return ErrNoRows
	}
	return err
}

// retryAfter doubles the pause from one second up to half an hour, with a tenth of jitter so that what failed together
// does not come back together.
type retryAfter struct{ clock clock.Clock }

func (p retryAfter) NextRetry(job *rivertype.JobRow) time.Time {
	pause := min(time.Second<<min(max(job.Attempt-1, 0), 16), 30*time.Minute)
	return p.clock.Now().Add(pause + rand.N(pause/10+1))
}
