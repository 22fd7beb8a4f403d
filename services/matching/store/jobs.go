package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/riverqueue/river"

	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/matching"
)

// Each kind of job has a type of its own, so that operators see which is which.
type (
	remindJob   struct{ matching.Job }
	expireJob   struct{ matching.Job }
	completeJob struct{ matching.Job }
	releaseJob  struct{ matching.Job }
	tellJob     struct{ matching.Job }
	lapseJob    struct{ matching.Job }
	workOutJob  struct{ matching.Job }
	askCaseJob  struct{ matching.Job }
	licenceJob  struct{ matching.LicenceJob }
)

func (remindJob) Kind() string   { return "offer_remind" }
func (expireJob) Kind() string   { return "offer_expire" }
func (completeJob) Kind() string { return "offer_complete" }
func (releaseJob) Kind() string  { return "offer_release" }
func (tellJob) Kind() string     { return "offer_tell" }
func (lapseJob) Kind() string    { return "offer_lapse" }
func (workOutJob) Kind() string  { return "assignment_work_out" }
func (askCaseJob) Kind() string  { return "assignment_ask" }

func (licenceJob) Kind() string { return "licence_ended" }

// untiring jobs go on for weeks: a bed is held, or an offer stands, until they are done.
const untiring = 1000

func enqueue(ctx context.Context, tx *sqldb.Tx, j matching.Job) error {
	var args river.JobArgs
	var options []sqldb.JobOption
	switch j.Do {
	case matching.JobRemind:
		args = remindJob{j}
	case matching.JobExpire:
		args, options = expireJob{j}, append(options, sqldb.MaxAttempts(untiring))
	case matching.JobComplete:
		args, options = completeJob{j}, append(options, sqldb.MaxAttempts(untiring))
	case matching.JobRelease:
		args, options = releaseJob{j}, append(options, sqldb.MaxAttempts(untiring))
	case matching.JobTell:
		args, options = tellJob{j}, append(options, sqldb.MaxAttempts(untiring))
	case matching.JobLapse:
		args, options = lapseJob{j}, append(options, sqldb.MaxAttempts(untiring))
	case matching.JobWorkOut:
		args = workOutJob{j}
	case matching.JobAskAssigned:
		args, options = askCaseJob{j}, append(options, sqldb.MaxAttempts(untiring))
	default:
		return fmt.Errorf("matching: no job %q", j.Do)
	}
	if !j.At.IsZero() {
		options = append(options, sqldb.At(j.At))
	}
	return tx.Enqueue(telemetry.WithReferral(ctx, j.ReferralID), args, options...)
}

func enqueueLicence(ctx context.Context, tx *sqldb.Tx, j matching.LicenceJob) error {
	options := []sqldb.JobOption{sqldb.MaxAttempts(untiring)}
	if !j.At.IsZero() {
		options = append(options, sqldb.At(j.At))
	}
	return tx.Enqueue(ctx, licenceJob{j}, options...)
}

// Handle adds the handlers of a service's jobs to workers.
func Handle(w *sqldb.Workers, s *matching.Service) {
	handle(w, s.Remind, func(a remindJob) matching.Job { return a.Job })
	handle(w, s.Expire, func(a expireJob) matching.Job { return a.Job })
	handle(w, s.Complete, func(a completeJob) matching.Job { return a.Job })
	handle(w, s.ReleaseHold, func(a releaseJob) matching.Job { return a.Job })
	sqldb.Handle(w, func(ctx context.Context, a licenceJob) error { return again(s.LicenceEnded(ctx, a.LicenceJob)) })
	handle(w, s.Lapse, func(a lapseJob) matching.Job { return a.Job })
	handle(w, s.WorkOut, func(a workOutJob) matching.Job { return a.Job }, sqldb.Timeout(workOutTime))
	handle(w, s.AskAssigned, func(a askCaseJob) matching.Job { return a.Job })
	handle(w, s.TellCase, func(a tellJob) matching.Job { return a.Job })
}

func handle[T river.JobArgs](w *sqldb.Workers, run func(context.Context, matching.Job) error, job func(T) matching.Job, options ...sqldb.HandlerOption) {
	sqldb.Handle(w, func(ctx context.Context, args T) error {
		j := job(args)
		return again(run(telemetry.WithReferral(ctx, j.ReferralID), j))
	}, options...)
}

// again puts a job off that wishes so.
func again(err error) error {
	var later matching.Later
	if errors.As(err, &later) {
		return sqldb.Snooze(later.After)
	}
	return err
}
