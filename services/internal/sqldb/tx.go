package sqldb

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"huhang.example/services/internal/clock"
)

const (
	// longest bounds a transaction whose context has no deadline.
	longest = 30 * time.Second
	// attempts bounds how often a contended transaction is run.
	attempts = 40
)

// Tx is one transaction. It ends with the function it was given to.
type Tx struct {
	db      *DB
	session session
	mode    mode
	asked   bool    // a statement was run
	rows    *txRows // the rows that are still being read
	failed  error   // the first statement error; nothing works after it
	doomed  error   // what a joined Write returned; the whole must not commit
}

type txKey struct{ db *DB }

// Write runs fn in a transaction and commits it if fn returns nil. If ctx already carries a transaction of this database,
// fn joins it: an error of fn then rolls back the whole, even if the caller swallows it. Calls made by fn must use the
// context fn is given: another context would wait for this very transaction.
//
// The outermost Write runs fn again after a serialization failure, a deadlock or a busy database, at most 40 times and
// within ctx's deadline (30 s if it has none); then the error is ErrBusy. fn is not run again after any other error, nor
// when the commit's outcome is unknown.
func (db *DB) Write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	if outer := db.current(ctx); outer != nil {
		return outer.join(ctx, fn)
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	if db.turn != nil {
		// One of this process waits in the database, the others here: reads need connections too.
		select {
		case db.turn <- struct{}{}:
			defer func() { <-db.turn }()
		case <-ctx.Done():
			return fmt.Errorf("%w: waiting for other writers: %w", ErrBusy, ctx.Err())
		}
	}
	return db.retry(ctx, func() (bool, error) { return db.once(ctx, writing, fn) })
}

// Read runs fn on one state of the database, that of ctx's transaction if it carries one. It cannot write.
func (db *DB) Read(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	if outer := db.current(ctx); outer != nil {
		return fn(ctx, outer)
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	return db.retry(ctx, func() (bool, error) {
		return db.once(ctx, reading, func(ctx context.Context, tx *Tx) error { return fn(ctx, tx) })
	})
}

// ReadOne is Read for an fn that runs a single SELECT, which sees one state of the database without a transaction and so
// takes one round trip in place of two. A second statement is an error.
func (db *DB) ReadOne(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	if outer := db.current(ctx); outer != nil {
		return fn(ctx, outer)
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	return db.retry(ctx, func() (bool, error) {
		return db.once(ctx, readingOnce, func(ctx context.Context, tx *Tx) error { return fn(ctx, tx) })
	})
}

func (db *DB) current(ctx context.Context) *Tx {
	tx, _ := ctx.Value(txKey{db}).(*Tx)
	return tx
}

func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, longest)
}

func (db *DB) retry(ctx context.Context, run func() (again bool, err error)) error {
	queued := false
	for attempt := 1; ; attempt++ {
		again, err := run()
		if !again {
			return err
		}
		if attempt == attempts {
			return fmt.Errorf("%w: %w", ErrBusy, err)
		}
		if !queued {
			select {
			case db.again <- struct{}{}:
				queued = true
				defer func() { <-db.again }()
			case <-ctx.Done():
				return fmt.Errorf("%w: %w", ctx.Err(), err)
			}
			continue
		}
		// Only other processes are left to collide with.
		pause := min(time.Millisecond<<min(attempt, 8), 100*time.Millisecond)
		if stop := clock.System().Sleep(ctx, rand.N(pause)); stop != nil {
			return fmt.Errorf("%w: %w", stop, err)
		}
	}
}

// once runs fn in one transaction. again means that nothing was written and another attempt may succeed.
func (db *DB) once(ctx context.Context, m mode, fn func(ctx context.Context, tx *Tx) error) (again bool, err error) {
	session, err := db.engine.begin(ctx, m)
	if err != nil {
		return contended(err) || pgconn.SafeToRetry(err), fmt.Errorf("sqldb: begin: %w", err)
	}
	tx := &Tx{db: db, session: session, mode: m}
	open := true
	defer func() {
		// Also when fn panics.
		if open {
			tx.closeRows()
			session.rollback()
		}
	}()
	err = fn(context.WithValue(ctx, txKey{db}, tx), tx)
	switch {
	case err != nil:
	case tx.failed != nil:
		err = tx.aborted()
	case tx.doomed != nil:
		err = fmt.Errorf("sqldb: a joined write failed: %w", tx.doomed)
	}
	if err != nil {
		// The statement's own error decides, for fn may have hidden it in another.
		return contended(err) || contended(tx.failed) || pgconn.SafeToRetry(tx.failed), err
	}
	tx.closeRows()
	open = false
	if err := session.commit(ctx); err != nil {
		return contended(err), fmt.Errorf("sqldb: commit: %w", err)
	}
	return false, nil
}

func (t *Tx) join(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) (err error) {
	if t.mode != writing {
		return errReadOnly
	}
	defer func() {
		if err != nil && t.doomed == nil {
			t.doomed = err
		}
	}()
	return fn(ctx, t)
}

// Clock returns the clock of the database.
func (t *Tx) Clock() clock.Clock { return t.db.conf.Clock }

// Exec runs a statement and returns how many rows it changed.
func (t *Tx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	if err := t.usable(); err != nil {
		return 0, err
	}
	n, err := t.session.exec(ctx, sql, args)
	return n, t.note(err)
}

// Send is Exec where nobody needs to know how many rows were changed. On PostgreSQL the statement travels with the next one,
// or with the commit, and so does its error: the transaction cannot commit all the same. Where an error is to be told from
// others, use Exec.
func (t *Tx) Send(ctx context.Context, sql string, args ...any) error {
	if err := t.usable(); err != nil {
		return err
	}
	return t.note(t.session.send(ctx, sql, args))
}

// Insert adds rows to a table, however many: where they are many it is much cheaper than statements of many values. A row
// has a value for each column, in order.
func (t *Tx) Insert(ctx context.Context, table string, columns []string, rows [][]any) error {
	if err := t.usable(); err != nil {
		return err
	}
	if t.mode != writing {
		return t.note(errReadOnly)
	}
	if len(rows) == 0 {
		return nil
	}
	return t.note(t.session.insert(ctx, table, columns, rows))
}

// Query returns rows; they must be closed before the next statement.
func (t *Tx) Query(ctx context.Context, sql string, args ...any) (Rows, error) {
	if err := t.usable(); err != nil {
		return nil, err
	}
	if t.mode == readingOnce {
		if !selects(sql) {
			return nil, t.note(errReadOnly)
		}
		if t.asked {
			return nil, t.note(errSecond)
		}
		t.asked = true
	}
	rows, err := t.session.query(ctx, sql, args)
	if err != nil {
		return nil, t.note(err)
	}
	t.rows = &txRows{Rows: rows, tx: t}
	return t.rows, nil
}

// QueryRow returns the first row.
func (t *Tx) QueryRow(ctx context.Context, sql string, args ...any) Row {
	rows, err := t.Query(ctx, sql, args...)
	return firstRow{rows, err}
}

func (t *Tx) usable() error {
	if t.failed != nil {
		return t.aborted()
	}
	if t.rows != nil {
		return errRowsOpen
	}
	return nil
}

func (t *Tx) aborted() error { return fmt.Errorf("%w: %w", ErrAborted, t.failed) }

func (t *Tx) note(err error) error {
	if err != nil && t.failed == nil {
		t.failed = err
	}
	return err
}

func (t *Tx) closeRows() {
	if t.rows != nil {
		t.rows.Close()
	}
}

// txRows makes an error while reading count against the transaction, and its end free the transaction.
type txRows struct {
	Rows
	tx *Tx
}

func (r *txRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *txRows) Scan(dest ...any) error { return r.tx.note(r.Rows.Scan(dest...)) }

func (r *txRows) Err() error { return r.tx.note(r.Rows.Err()) }

func (r *txRows) Close() {
	r.Rows.Close()
	if r.tx.rows == r {
		r.tx.rows = nil
		_ = r.tx.note(r.Rows.Err())
	}
}
