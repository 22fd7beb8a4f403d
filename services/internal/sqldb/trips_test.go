package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"huhang.example/services/internal/sqldb"
)

func TestReadOneReadsOnce(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		if err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, "a", 7) }); err != nil {
			t.Fatal(err)
		}
		var n int64
		read := func(ctx context.Context, q sqldb.Querier) error {
			return q.QueryRow(ctx, "SELECT n FROM thing WHERE id = $1", "a").Scan(&n)
		}
		if err := db.ReadOne(t.Context(), read); err != nil || n != 7 {
			t.Fatalf("n = %d, %v", n, err)
		}
		err := db.ReadOne(t.Context(), func(ctx context.Context, q sqldb.Querier) error {
			return q.QueryRow(ctx, "SELECT n FROM thing WHERE id = $1", "none").Scan(&n)
		})
		if !errors.Is(err, sqldb.ErrNoRows) {
			t.Errorf("nothing there: %v", err)
		}
		if db.ReadOne(t.Context(), func(ctx context.Context, q sqldb.Querier) error { return errors.Join(read(ctx, q), read(ctx, q)) }) == nil {
			t.Error("ReadOne read twice, of two states")
		}
		for _, sql := range []string{"INSERT INTO thing (id, n, version) VALUES ('b', 1, 1) RETURNING n", "DELETE FROM thing RETURNING n"} {
			err := db.ReadOne(t.Context(), func(ctx context.Context, q sqldb.Querier) error { return q.QueryRow(ctx, sql).Scan(&n) })
			if err == nil {
				t.Errorf("ReadOne ran %s", sql)
			}
		}
		if db.ReadOne(t.Context(), func(ctx context.Context, q sqldb.Querier) error { return insert(ctx, q, "b", 1) }) == nil || count(t, db) != 1 {
			t.Error("ReadOne wrote")
		}
		// Inside a transaction it sees what that has written, and is not bound to one statement.
		err = write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			if _, err := tx.Exec(ctx, "UPDATE thing SET n = 8 WHERE id = 'a'"); err != nil {
				return err
			}
			return db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error { return errors.Join(read(ctx, q), read(ctx, q)) })
		})
		if err != nil || n != 8 {
			t.Errorf("inside a write: %d, %v", n, err)
		}
	})
}

// What was sent is done before the next statement, in order, and its error keeps all of it from being committed.
func TestSent(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		send := func(ctx context.Context, tx *sqldb.Tx, id string, n int64) error {
			return tx.Send(ctx, "INSERT INTO thing (id, n, version) VALUES ($1, $2, 1)", id, n)
		}
		err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			for i := range 200 { // more than are held back
				if err := send(ctx, tx, fmt.Sprint(i), int64(i)); err != nil {
					return err
				}
			}
			var n int
			if err := tx.QueryRow(ctx, "SELECT count(*) FROM thing").Scan(&n); err != nil || n != 200 {
				return fmt.Errorf("%d seen, %w", n, err)
			}
			if err := tx.Send(ctx, "UPDATE thing SET n = n + 1000 WHERE id = $1", "3"); err != nil {
				return err
			}
			if changed, err := tx.Exec(ctx, "DELETE FROM thing WHERE n >= 1000"); err != nil || changed != 1 {
				return fmt.Errorf("%d deleted, %w", changed, err)
			}
			rows, err := tx.Query(ctx, "SELECT id FROM thing ORDER BY n")
			if err != nil {
				return err
			}
			defer rows.Close()
			seen := 0
			for rows.Next() {
				seen++
			}
			if seen != 199 || rows.Err() != nil {
				t.Errorf("%d rows, %v", seen, rows.Err())
			}
			return send(ctx, tx, "last", 1) // goes with the commit
		})
		if err != nil || count(t, db) != 200 {
			t.Fatalf("%d rows, %v", count(t, db), err)
		}
		// The error shows at the latest with the commit.
		err = write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			return errors.Join(send(ctx, tx, "new", 1), send(ctx, tx, "last", 1))
		})
		if !sqldb.IsUnique(err) || count(t, db) != 200 {
			t.Errorf("a second row of the same key: %v, %d rows", err, count(t, db))
		}
		err = write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			_ = send(ctx, tx, "last", 1)
			_, _ = tx.Exec(ctx, "DELETE FROM thing")
			return nil // swallowed
		})
		if err == nil || count(t, db) != 200 {
			t.Errorf("a swallowed error: %v, %d rows", err, count(t, db))
		}
		err = write(t, db, func(ctx context.Context, tx *sqldb.Tx) error { return errors.Join(send(ctx, tx, "new", 1), errTest) })
		if !errors.Is(err, errTest) || count(t, db) != 200 {
			t.Errorf("given up: %v, %d rows", err, count(t, db))
		}
	})
}

// Rows are added after what was sent before, few or many, and one that cannot be keeps all from being committed.
func TestInsert(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		columns := []string{"version", "id", "n"}
		rows := func(from, n int) (out [][]any) {
			for i := range n {
				out = append(out, []any{int64(1), fmt.Sprint(from + i), int64(from + i)})
			}
			return out
		}
		sum := func(tx *sqldb.Tx) (n, sum int64, err error) {
			err = tx.QueryRow(t.Context(), "SELECT count(*), CAST(coalesce(sum(n), 0) AS BIGINT) FROM thing").Scan(&n, &sum)
			return n, sum, err
		}
		for _, n := range []int{0, 1, 16, 17, 3000} {
			err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
				if _, err := tx.Exec(ctx, "DELETE FROM thing"); err != nil {
					return err
				}
				if err := tx.Send(ctx, "INSERT INTO thing (id, n, version) VALUES ('first', 5, 1)"); err != nil {
					return err
				}
				if err := tx.Insert(ctx, "thing", columns, rows(1, n)); err != nil {
					return err
				}
				if got, total, err := sum(tx); err != nil || got != int64(n)+1 || total != 5+int64(n)*int64(n+1)/2 {
					t.Errorf("%d rows and one before: %d, sum %d, %v", n, got, total, err)
				}
				return nil
			})
			if err != nil || count(t, db) != n+1 {
				t.Fatalf("%d rows: %d, %v", n, count(t, db), err)
			}
			// As the first statement of a transaction, one row being there.
			err = write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
				return tx.Insert(ctx, "thing", columns, append(rows(10_000, n), []any{int64(1), "first", int64(1)}))
			})
			if !sqldb.IsUnique(err) || count(t, db) != n+1 {
				t.Errorf("%d rows and one that is there: %v, %d rows", n, err, count(t, db))
			}
		}
	})
}

// Statements stay prepared: more of them than are kept, the same one in a loop and while its rows are read.
func TestManyStatements(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			for i := range 1200 {
				if _, err := tx.Exec(ctx, fmt.Sprintf("INSERT INTO thing (id, n, version) VALUES ($1, %d, 1)", i%600), fmt.Sprint(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || count(t, db) != 1200 {
			t.Fatalf("%d rows, %v", count(t, db), err)
		}
		for range 3 {
			err := db.Read(t.Context(), func(ctx context.Context, q sqldb.Querier) error {
				rows, err := q.Query(ctx, "SELECT n FROM thing ORDER BY id")
				if err != nil {
					return err
				}
				defer rows.Close()
				rows.Next() // given up half way
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}
