package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"huhang.example/services/internal/sqldb"
)

func write(t *testing.T, db *sqldb.DB, fn func(ctx context.Context, tx *sqldb.Tx) error) error {
	t.Helper()
	return db.Write(t.Context(), fn)
}

func TestJoinedErrorRollsBackTheWhole(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			if err := insert(ctx, tx, "a", 1); err != nil {
				return err
			}
			swallowed := db.Write(ctx, func(ctx context.Context, inner *sqldb.Tx) error {
				if inner != tx {
					t.Error("the inner write has a transaction of its own")
				}
				if err := insert(ctx, inner, "b", 1); err != nil {
					return err
				}
				return errTest
			})
			if !errors.Is(swallowed, errTest) {
				t.Errorf("inner error = %v", swallowed)
			}
			return nil
		})
		if !errors.Is(err, errTest) || count(t, db) != 0 {
			t.Fatalf("err = %v, %d rows", err, count(t, db))
		}
	})
}

func TestPanicRollsBack(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
				if err := insert(ctx, tx, "a", 1); err != nil {
					return err
				}
				panic("boom")
			})
		}()
		if n := count(t, db); n != 0 {
			t.Fatalf("%d rows", n)
		}
	})
}

func TestErrors(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		if err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, "a", 1_000_001) }); err != nil {
			t.Fatal(err)
		}
		err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, "a", 1) })
		if !sqldb.IsUnique(err) || sqldb.IsForeignKey(err) {
			t.Errorf("primary key: %v", err)
		}
		err = write(t, db, func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, "b", 1_000_001) })
		if !sqldb.IsUnique(err) {
			t.Errorf("partial unique index: %v", err)
		}
		err = write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO part (thing_id, position) VALUES ($1, $2)", "none", 1)
			return err
		})
		if !sqldb.IsForeignKey(err) || sqldb.IsUnique(err) {
			t.Errorf("foreign key: %v", err)
		}
		err = write(t, db, func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, "", 1) })
		if err == nil || sqldb.IsUnique(err) {
			t.Errorf("check: %v", err)
		}
		if sqldb.IsUnique(nil) || sqldb.IsUnique(errTest) {
			t.Error("IsUnique of something else")
		}
		err = db.Read(t.Context(), func(ctx context.Context, q sqldb.Querier) error {
			var n int64
			return q.QueryRow(ctx, "SELECT n FROM thing WHERE id = $1", "nobody").Scan(&n)
		})
		if !errors.Is(err, sqldb.ErrNoRows) {
			t.Errorf("no rows: %v", err)
		}
	})
}

func TestStrictTypes(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		for _, value := range []any{"many", []byte("x")} {
			err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
				_, err := tx.Exec(ctx, "INSERT INTO thing (id, n, version) VALUES ('a', $1, 1)", value)
				return err
			})
			if err == nil {
				t.Errorf("%v (%T) was stored in a BIGINT", value, value)
			}
		}
	})
}

func TestNothingWorksAfterAnError(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			if err := insert(ctx, tx, "a", 1); err != nil {
				return err
			}
			if err := insert(ctx, tx, "a", 2); !sqldb.IsUnique(err) {
				t.Errorf("second insert: %v", err)
			}
			if err := insert(ctx, tx, "b", 2); !errors.Is(err, sqldb.ErrAborted) || !sqldb.IsUnique(err) {
				t.Errorf("after the error: %v", err)
			}
			return nil // swallowed, and yet it must not commit
		})
		if !errors.Is(err, sqldb.ErrAborted) || count(t, db) != 0 {
			t.Fatalf("err = %v, %d rows", err, count(t, db))
		}
		err = write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			for range 2 {
				n, err := tx.Exec(ctx, "INSERT INTO thing (id, n, version) VALUES ('a', 1, 1) ON CONFLICT DO NOTHING")
				if err != nil {
					return err
				}
				t.Logf("inserted %d", n)
			}
			return nil
		})
		if err != nil || count(t, db) != 1 {
			t.Fatalf("err = %v, %d rows", err, count(t, db))
		}
	})
}

func TestOneStatementAtATime(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			for i := range 3 {
				if err := insert(ctx, tx, fmt.Sprint(i), int64(i)); err != nil {
					return err
				}
			}
			rows, err := tx.Query(ctx, "SELECT id FROM thing ORDER BY id")
			if err != nil {
				return err
			}
			if !rows.Next() {
				return errors.New("no rows")
			}
			if err := insert(ctx, tx, "x", 1); err == nil {
				t.Error("a statement ran between two rows")
			}
			seen := 1
			for rows.Next() {
				seen++
			}
			if seen != 3 || rows.Err() != nil {
				t.Errorf("%d rows, %v", seen, rows.Err())
			}
			return insert(ctx, tx, "y", 1)
		})
		if err != nil || count(t, db) != 4 {
			t.Fatalf("err = %v, %d rows", err, count(t, db))
		}
	})
}

func TestReadSeesOneStateAndCannotWrite(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		err := db.Read(t.Context(), func(ctx context.Context, q sqldb.Querier) error {
			var before, after int
			if err := q.QueryRow(ctx, "SELECT count(*) FROM thing").Scan(&before); err != nil {
				return err
			}
			// Somebody else writes meanwhile; t.Context() does not carry the read's transaction.
			if err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, "a", 1) }); err != nil {
				return err
			}
			if err := q.QueryRow(ctx, "SELECT count(*) FROM thing").Scan(&after); err != nil {
				return err
			}
			if before != 0 || after != 0 {
				t.Errorf("saw %d, then %d", before, after)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Read(t.Context(), func(ctx context.Context, q sqldb.Querier) error { return insert(ctx, q, "b", 1) })
		if err == nil {
			t.Error("Read wrote")
		}
		err = db.Read(t.Context(), func(ctx context.Context, _ sqldb.Querier) error {
			return db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, "b", 1) })
		})
		if err == nil || count(t, db) != 1 {
			t.Errorf("Write inside Read: %v", err)
		}
	})
}

func TestLockFirst(t *testing.T) {
	const bookers = 64
	each(t, func(t *testing.T, db *sqldb.DB) {
		if err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, "unit", 3) }); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		var mu sync.Mutex
		booked := 0
		for i := range bookers {
			wait.Go(func() {
				won := false
				err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
					won = false
					if _, err := tx.Exec(ctx, "UPDATE thing SET version = version + 1 WHERE id = 'unit'"); err != nil {
						return err
					}
					var taken, limit int64
					if err := tx.QueryRow(ctx, "SELECT count(*) FROM part WHERE thing_id = 'unit'").Scan(&taken); err != nil {
						return err
					}
					if err := tx.QueryRow(ctx, "SELECT n FROM thing WHERE id = 'unit'").Scan(&limit); err != nil {
						return err
					}
					if taken >= limit {
						return nil
					}
					won = true
					_, err := tx.Exec(ctx, "INSERT INTO part (thing_id, position) VALUES ('unit', $1)", i)
					return err
				})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				} else if won {
					booked++
				}
			})
		}
		wait.Wait()
		if booked != 3 {
			t.Fatalf("%d bookings of 3", booked)
		}
	})
}

func TestCancelledWriteLeavesTheDatabaseUsable(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			if err := insert(ctx, tx, "a", 1); err != nil {
				return err
			}
			cancel()
			return insert(ctx, tx, "b", 1)
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
		for range 8 { // more than there are connections
			if err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
				_, err := tx.Exec(ctx, "INSERT INTO thing (id, n, version) VALUES ('c', 1, 1) ON CONFLICT DO NOTHING")
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		if n := count(t, db); n != 1 {
			t.Fatalf("%d rows", n)
		}
	})
}

func TestDeadlineOfAWaitingWriter(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			if err := insert(ctx, tx, "a", 1); err != nil {
				return err
			}
			short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			other := db.Write(short, func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, "a", 1) })
			if !errors.Is(other, context.DeadlineExceeded) {
				t.Errorf("the other writer: %v", other)
			}
			return nil
		})
		if err != nil || count(t, db) != 1 {
			t.Fatalf("err = %v, %d rows", err, count(t, db))
		}
	})
}

type fen int64

func (f fen) String() string { return fmt.Sprintf("%d fen", int64(f)) }

type kind string

func TestValues(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		err := write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			// Named types, one of them with a String method, nil and empty bytes, LIKE's case.
			if _, err := tx.Exec(ctx, "INSERT INTO thing (id, n, data, flag, version) VALUES ($1, $2, $3, $4, $2)", kind("Ab"), fen(1234), []byte(nil), false); err != nil {
				return err
			}
			var id kind
			var n fen
			var data []byte
			var flag bool
			if err := tx.QueryRow(ctx, "SELECT id, n, data, flag FROM thing WHERE id = $1 AND NOT flag", kind("Ab")).Scan(&id, &n, &data, &flag); err != nil {
				return err
			}
			if id != "Ab" || n != 1234 || data != nil || flag {
				t.Errorf("read %q %d %v %v", string(id), int64(n), data, flag)
			}
			var sum, matches int64
			var any bool
			if err := tx.QueryRow(ctx, "SELECT sum(n), count(*) > 0 FROM thing").Scan(&sum, &any); err != nil {
				return err
			}
			if err := tx.QueryRow(ctx, "SELECT count(*) FROM thing WHERE id LIKE 'ab%'").Scan(&matches); err != nil {
				return err
			}
			if sum != 1234 || !any || matches != 0 {
				t.Errorf("sum %d any %v matches %d", sum, any, matches)
			}
			var note *string
			if err := tx.QueryRow(ctx, "SELECT note FROM thing").Scan(&note); err != nil {
				return err
			}
			if note == nil || !strings.Contains(*note, "BIGINT") {
				t.Errorf("note = %v", note)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
