package sqldb_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

// Each handle stands for a process: nothing is shared but the database.
func TestProcessesLoseNothing(t *testing.T) {
	const processes, writes = 3, 20
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
		var wait sync.WaitGroup
		first := sqldbtest.Open(t, dsn, migrations)
		if err := write(t, first, func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, "a", 0) }); err != nil {
			t.Fatal(err)
		}
		for range processes {
			db := sqldbtest.Open(t, dsn, migrations)
			for range writes {
				wait.Go(func() {
					err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
						var n int64
						if err := tx.QueryRow(ctx, "SELECT n FROM thing WHERE id = 'a'").Scan(&n); err != nil {
							return err
						}
						_, err := tx.Exec(ctx, "UPDATE thing SET n = $1 WHERE id = 'a'", n+1)
						return err
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
		}
		wait.Wait()
		var n int64
		err := first.Read(t.Context(), func(ctx context.Context, q sqldb.Querier) error {
			return q.QueryRow(ctx, "SELECT n FROM thing WHERE id = 'a'").Scan(&n)
		})
		if err != nil || n != processes*writes {
			t.Fatalf("n = %d, %v", n, err)
		}
	})
}

// Writers that take turns run once each, whatever they change and however many processes they are; without turns some run in vain.
func TestWritersInTurnsRunOnce(t *testing.T) {
	const processes, writes = 3, 20
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
		var wait sync.WaitGroup
		var runs atomic.Int64
		first := sqldbtest.Open(t, dsn, migrations)
		if err := write(t, first, func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, "a", 0) }); err != nil {
			t.Fatal(err)
		}
		for range processes {
			db := sqldbtest.Open(t, dsn, migrations)
			db.WriteOneByOne("thing")
			for range writes {
				wait.Go(func() {
					err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
						runs.Add(1)
						_, err := tx.Exec(ctx, "UPDATE thing SET n = n + 1 WHERE id = 'a'")
						return err
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
		}
		wait.Wait()
		if n := runs.Load(); n != processes*writes {
			t.Errorf("%d writes ran %d times", processes*writes, n)
		}
	})
}

// Two transactions that lock two rows in opposite order: PostgreSQL ends one, which is run again.
func TestDeadlockIsRunAgain(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			return errors.Join(insert(ctx, tx, "a", 0), insert(ctx, tx, "b", 0))
		})
		if err != nil {
			t.Fatal(err)
		}
		var wait, both sync.WaitGroup
		both.Add(2)
		for _, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
			wait.Go(func() {
				first := sync.OnceFunc(func() {
					both.Done()
					if db.Engine() == sqldb.Postgres { // SQLite has one writer: the two can never meet
						both.Wait()
					}
				})
				err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
					for _, id := range order {
						if _, err := tx.Exec(ctx, "UPDATE thing SET n = n + 1 WHERE id = $1", id); err != nil {
							return err
						}
						first()
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		var sum int64
		err = db.Read(t.Context(), func(ctx context.Context, q sqldb.Querier) error {
			return q.QueryRow(ctx, "SELECT sum(n) FROM thing").Scan(&sum)
		})
		if err != nil || sum != 4 {
			t.Fatalf("sum = %d, %v", sum, err)
		}
	})
}
