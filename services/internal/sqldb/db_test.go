package sqldb_test

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"sync"
	"testing"

	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

//go:embed testdata/*.sql
var migrations embed.FS

var errTest = errors.New("stop")

func each(t *testing.T, test func(t *testing.T, db *sqldb.DB), options ...sqldbtest.Option) {
	t.Helper()
	sqldbtest.Each(t, migrations, test, options...)
}

func insert(ctx context.Context, q sqldb.Querier, id string, n int64) error {
	_, err := q.Exec(ctx, "INSERT INTO thing (id, n, data, flag, version) VALUES ($1, $2, $3, $4, 1)", id, n, []byte{1}, true)
	return err
}

func count(t *testing.T, db *sqldb.DB) int {
	t.Helper()
	var n int
	err := db.Read(t.Context(), func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, "SELECT count(*) FROM thing").Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWriteCommitsAndRollsBack(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			if err := insert(ctx, tx, "a", 1); err != nil {
				return err
			}
			// Joins, and sees what has been written so far.
			return db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
				var n int64
				var flag bool
				var data []byte
				if err := q.QueryRow(ctx, "SELECT n, data, flag FROM thing WHERE id = $1", "a").Scan(&n, &data, &flag); err != nil {
					return err
				}
				if n != 1 || !flag || len(data) != 1 {
					return fmt.Errorf("read %d %v %v", n, data, flag)
				}
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			if err := insert(ctx, tx, "b", 1); err != nil {
				return err
			}
			return errTest
		})
		if !errors.Is(err, errTest) {
			t.Fatalf("err = %v", err)
		}
		if n := count(t, db); n != 1 {
			t.Fatalf("%d rows", n)
		}
	})
}

func TestNoUpdateIsLost(t *testing.T) {
	const writers = 64
	each(t, func(t *testing.T, db *sqldb.DB) {
		if err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, "a", 0) }); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for range writers {
			wait.Go(func() {
				err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
					// The careless way: read, compute, write, no lock.
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
		wait.Wait()
		var n int64
		err := db.Read(t.Context(), func(ctx context.Context, q sqldb.Querier) error {
			return q.QueryRow(ctx, "SELECT n FROM thing WHERE id = 'a'").Scan(&n)
		})
		if err != nil || n != writers {
			t.Fatalf("n = %d, %v", n, err)
		}
	})
}
