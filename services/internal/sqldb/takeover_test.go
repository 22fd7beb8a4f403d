package sqldb_test

import (
	"context"
	"testing"
	"time"

	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

type orphanArgs struct{}

func (orphanArgs) Kind() string { return "orphan" }

// What an instance was running when it was killed goes on as soon as it is back under its name; another instance of the
// same database leaves it alone until no handler can still be at it.
func TestInstanceTakesItsJobsUpAgain(t *testing.T) {
	dsn := sqldbtest.Postgres(t)
	open := func(instance string) (*sqldb.DB, *sqldb.Workers, chan struct{}) {
		db := sqldbtest.Open(t, dsn, nil, sqldbtest.With(func(c *sqldb.Config) { c.Service, c.Instance = "orphans", instance }))
		ran := make(chan struct{}, 1)
		w := sqldb.NewWorkers()
		sqldb.Handle(w, func(context.Context, orphanArgs) error { ran <- struct{}{}; return nil })
		return db, w, ran
	}
	ctx := t.Context()
	one, workersOne, ranOne := open("one")
	err := one.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := tx.Enqueue(ctx, orphanArgs{}); err != nil {
			return err
		}
		// As a process leaves it that is killed in the middle.
		_, err := tx.Exec(ctx, "UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = ARRAY['orphans/one'] WHERE kind = 'orphan'")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	two, workersTwo, ranTwo := open("two")
	if err := two.StartJobs(ctx, workersTwo); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ranTwo:
		t.Error("another instance ran a job that may still be running")
	case <-time.After(time.Second): // nothing tells that something does not happen
	}
	if err := one.StartJobs(ctx, workersOne); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ranOne:
	case <-ranTwo:
	case <-time.After(20 * time.Second):
		t.Error("the job was not taken up again")
	}
	for _, db := range []*sqldb.DB{one, two} {
		if err := db.StopJobs(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	}
}
