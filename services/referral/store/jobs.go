package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/riverqueue/river"

	"huhang.example/services/internal/sqldb"
	"huhang.example/services/referral"
)

// Each kind of job has a type of its own, so that operators see which is which.
type (
	matchJob    struct{ referral.Job }
	askJob      struct{ referral.Job }
	fileJob     struct{ referral.Job }
	grantJob    struct{ referral.Job }
	revokeJob   struct{ referral.Job }
	deadlineJob struct{ referral.Job }
	withdrawJob struct{ referral.Job }
	releaseJob  struct{ referral.Job }
	abortJob    struct{ referral.Job }
	remindJob   struct{ referral.Job }
	diedJob     struct{ referral.Job }
	aliveJob    struct{ referral.Job }
	personJob   struct{ referral.Job }
)

func (matchJob) Kind() string    { return "referral_match" }
func (askJob) Kind() string      { return "referral_ask" }
func (fileJob) Kind() string     { return "referral_file" }
func (grantJob) Kind() string    { return "referral_grant" }
func (revokeJob) Kind() string   { return "referral_revoke" }
func (deadlineJob) Kind() string { return "referral_deadline" }
func (withdrawJob) Kind() string { return "referral_withdraw" }
func (releaseJob) Kind() string  { return "referral_release" }
func (abortJob) Kind() string    { return "referral_abort" }
func (remindJob) Kind() string   { return "referral_remind" }
func (diedJob) Kind() string     { return "referral_died" }
func (aliveJob) Kind() string    { return "referral_alive" }
func (personJob) Kind() string   { return "referral_person" }

const (
	// attentionAfter is the attempt whose failure the timeline tells: the pauses before it add up to a quarter of a minute.
	attentionAfter = 5
	// gives back a case that waits for a peer after about half an hour, to the people who can decide otherwise.
	waitedFor = 12
)

func enqueue(ctx context.Context, tx *sqldb.Tx, j referral.Job) error {
	var args river.JobArgs
	var options []sqldb.JobOption
	switch j.Do {
	case referral.JobMatch:
		args, options = matchJob{j}, append(options, sqldb.MaxAttempts(waitedFor))
	case referral.JobAsk:
		args, options = askJob{j}, append(options, sqldb.MaxAttempts(waitedFor))
	case referral.JobFile:
		args = fileJob{j}
	case referral.JobGrant:
		args = grantJob{j}
	case referral.JobRevoke:
		args = revokeJob{j}
	case referral.JobDeadline:
		args = deadlineJob{j}
	case referral.JobWithdraw:
		args = withdrawJob{j}
	case referral.JobRelease:
		args = releaseJob{j}
	case referral.JobAbort:
		args = abortJob{j}
	case referral.JobRemind:
		args = remindJob{j}
	case referral.JobDied:
		args = diedJob{j}
	case referral.JobAlive:
		args = aliveJob{j}
	case referral.JobPerson:
		args = personJob{j}
	default:
		return fmt.Errorf("referral: no job %q", j.Do)
	}
	if !j.At.IsZero() {
		options = append(options, sqldb.At(j.At))
	}
	return tx.Enqueue(ctx, args, options...)
}

// Workers are the handlers of a service's jobs.
func Workers(s *referral.Service) *sqldb.Workers {
	w := sqldb.NewWorkers()
	handle(w, s, s.RunMatch, func(a matchJob) referral.Job { return a.Job })
	handle(w, s, s.Ask, func(a askJob) referral.Job { return a.Job })
	handle(w, s, s.File, func(a fileJob) referral.Job { return a.Job })
	handle(w, s, s.Grant, func(a grantJob) referral.Job { return a.Job })
	handle(w, s, s.Revoke, func(a revokeJob) referral.Job { return a.Job })
	handle(w, s, s.Deadline, func(a deadlineJob) referral.Job { return a.Job })
	handle(w, s, s.Withdraw, func(a withdrawJob) referral.Job { return a.Job })
	handle(w, s, s.Release, func(a releaseJob) referral.Job { return a.Job })
	handle(w, s, s.Abort, func(a abortJob) referral.Job { return a.Job })
	handle(w, s, s.Remind, func(a remindJob) referral.Job { return a.Job })
	handle(w, s, s.Died, func(a diedJob) referral.Job { return a.Job })
	handle(w, s, s.Alive, func(a aliveJob) referral.Job { return a.Job })
	handle(w, s, s.Person, func(a personJob) referral.Job { return a.Job })
	return w
}

func handle[T river.JobArgs](w *sqldb.Workers, s *referral.Service, run func(context.Context, referral.Job) error, job func(T) referral.Job) {
	sqldb.Handle(w, func(ctx context.Context, args T) error {
		j := job(args)
		err := run(ctx, j)
		var later referral.Later
		switch {
		case errors.As(err, &later):
			s.Committed()
			return sqldb.Snooze(later.After)
		case err != nil:
			if attempt, ok := sqldb.JobFrom(ctx); ok && (attempt.Attempt == attentionAfter || attempt.Attempt >= attempt.MaxAttempts) {
				// What this cannot write, a later attempt will, or operators see the dead job.
				err = errors.Join(err, s.JobFailed(ctx, j, err, attempt.Attempt >= attempt.MaxAttempts))
			}
		default:
			if attempt, ok := sqldb.JobFrom(ctx); ok && attempt.Attempt > attentionAfter {
				err = s.JobDone(ctx, j)
			}
		}
		s.Committed()
		return err
	})
}
