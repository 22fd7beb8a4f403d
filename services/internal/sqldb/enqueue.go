package sqldb

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// maxAttempts is how often a job runs before it is put aside: with the pauses of retryAfter, over nine hours.
const maxAttempts = 30

// JobOption says how a job is to run.
type JobOption func(*jobOptions)

type jobOptions struct {
	insert river.InsertOpts
	key    string
}

// At makes the job wait until t.
func At(t time.Time) JobOption { return func(o *jobOptions) { o.insert.ScheduledAt = t.UTC() } }

// Queue puts the job into a queue of its own, whose jobs do not wait for others: one for each slow partner, say. The
// queue must be known to the Workers. Default "default".
func Queue(name string) JobOption { return func(o *jobOptions) { o.insert.Queue = name } }

// MaxAttempts bounds how often the job is run; afterwards it stays as a dead job. Default 30, which takes nine hours.
func MaxAttempts(n int) JobOption { return func(o *jobOptions) { o.insert.MaxAttempts = n } }

// UniqueKey lets Enqueue do nothing while another job of this kind and key waits, runs or will be retried. Finished jobs
// do not count. A handler that enqueues its successor is itself still running: give the successor another key, or Snooze.
func UniqueKey(key string) JobOption { return func(o *jobOptions) { o.key = key } }

// Enqueue adds a job to the transaction: it exists if and only if the transaction commits. The context's trace and
// referral id travel with it.
func (t *Tx) Enqueue(ctx context.Context, args river.JobArgs, opts ...JobOption) error {
	if err := t.usable(); err != nil {
		return err
	}
	if t.mode != writing {
		return errReadOnly
	}
	var options jobOptions
	for _, set := range opts {
		set(&options)
	}
	metadata, err := json.Marshal(carry(ctx))
	if err != nil {
		return fmt.Errorf("sqldb: enqueue %s: %w", args.Kind(), err)
	}
	options.insert.Metadata = metadata
	if options.key != "" {
		ctx = context.WithValue(ctx, uniqueKey{}, options.key)
	}
	if err := t.db.queue.insert(ctx, t.session, args, &options.insert); err != nil {
		return t.note(fmt.Errorf("sqldb: enqueue %s: %w", args.Kind(), err))
	}
	return nil
}

type uniqueKey struct{}

// liveStates are the states River keeps as bits, in its own alphabetical order.
const liveStates = 1<<0 | 1<<4 | 1<<5 | 1<<6 | 1<<7 // available, pending, retryable, running, scheduled

// soon is River's own horizon: jobs due within it stand with the available ones and wait there for their time, the others
// are brought there by River's scheduler, which looks every five seconds.
const soon = 5 * time.Second

// insertHook completes a job as it is inserted.
type insertHook struct {
	river.HookDefaults
	db *DB
}

func (h *insertHook) InsertBegin(ctx context.Context, params *rivertype.JobInsertParams) error {
	if key, ok := ctx.Value(uniqueKey{}).(string); ok {
		sum := sha256.Sum256([]byte(params.Kind + "\x00" + key))
		params.UniqueKey, params.UniqueStates = sum[:], liveStates
	}
	if params.State != rivertype.JobStateScheduled || params.ScheduledAt == nil {
		return nil
	}
	// A clock other than the machine's leaps ahead of River's scheduler: its jobs all stand with the available ones.
	if !h.db.systemClock() || params.ScheduledAt.Before(h.db.conf.Clock.Now().Add(soon)) {
		params.State = rivertype.JobStateAvailable
	}
	return nil
}
