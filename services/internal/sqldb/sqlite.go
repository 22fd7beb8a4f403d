package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// sqliteEngine has one connection that writes and several that only read: a second writer would only wait, and for
// seconds (measured), where one connection hands over at once.
type sqliteEngine struct {
	writer, readers *sql.DB
}

func (db *DB) openSQLite(ctx context.Context, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("sqldb: %w", err)
	}
	if err := createFile(path); err != nil {
		return fmt.Errorf("sqldb: %w", err)
	}
	engine := &sqliteEngine{}
	// synchronous=FULL: with NORMAL a power cut takes acknowledged commits along. immediate: a transaction that reads
	// first and locks later would lose updates to SQLITE_BUSY.
	engine.writer, err = openSQLitePool(ctx, path, 1, "immediate", "journal_mode(WAL)", "synchronous(FULL)")
	if err != nil {
		return err
	}
	engine.readers, err = openSQLitePool(ctx, path, db.conf.MaxConns, "deferred", "query_only(1)")
	if err != nil {
		_ = engine.writer.Close()
		return err
	}
	db.engine = engine
	db.queue, err = newRiver(db, riversqlite.New(engine.writer), func(s session) *sql.Tx { return s.(*sqliteSession).tx })
	if err != nil {
		engine.close()
	}
	return err
}

// createFile makes the file with rights for the service's user alone, for it holds patients' data, and makes sure that
// its name outlives a power cut: SQLite does so only for files it makes itself.
func createFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func openSQLitePool(ctx context.Context, path string, size int, lock string, pragmas ...string) (*sql.DB, error) {
	query := url.Values{
		"_txlock": {lock},
		"_pragma": append([]string{"busy_timeout(10000)", "foreign_keys(1)", "case_sensitive_like(1)"}, pragmas...),
	}
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}
	pool, err := openPrepared(dsn.String())
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	if err := pool.PingContext(ctx); err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("sqldb: open: %w", err)
	}
	return pool, nil
}

func (e *sqliteEngine) name() string { return SQLite }

func (e *sqliteEngine) begin(ctx context.Context, m mode) (session, error) {
	pool := e.writer
	switch m {
	case reading:
		pool = e.readers
	case readingOnce:
		return sqliteOnce{e.readers}, nil
	}
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &sqliteSession{tx}, nil
}

func (e *sqliteEngine) ping(ctx context.Context) error {
	var one int
	return e.readers.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

func (e *sqliteEngine) close() {
	_ = e.readers.Close()
	_ = e.writer.Close()
}

// exclusive does nothing: on SQLite each migration looks again inside its own transaction, which excludes all others.
func (e *sqliteEngine) exclusive(context.Context) (func(), error) { return func() {}, nil }

// lockFirst has nothing to do: a file has one writer at a time.
func (e *sqliteEngine) lockFirst(string) {}

func (e *sqliteEngine) translate(sql string) string { return strict(sql) }

type sqliteSession struct{ tx *sql.Tx }

func (s *sqliteSession) exec(ctx context.Context, sql string, args []any) (int64, error) {
	result, err := s.tx.ExecContext(ctx, sql, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s *sqliteSession) query(ctx context.Context, sql string, args []any) (Rows, error) {
	rows, err := s.tx.QueryContext(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return sqliteRows{rows}, nil
}

func (s *sqliteSession) send(ctx context.Context, sql string, args []any) error {
	_, err := s.exec(ctx, sql, args)
	return err
}

// insert runs one prepared statement for each row: nothing travels here.
func (s *sqliteSession) insert(ctx context.Context, table string, columns []string, rows [][]any) error {
	return sendRows(ctx, s, 1, table, columns, rows)
}

func (s *sqliteSession) flush(context.Context) error { return nil }

func (s *sqliteSession) commit(context.Context) error { return s.tx.Commit() }

func (s *sqliteSession) rollback() {
	// database/sql has already rolled back when the context ended; a connection that cannot is discarded.
	if err := s.tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return
	}
}

// sqliteOnce runs one statement that only reads.
type sqliteOnce struct{ readers *sql.DB }

func (s sqliteOnce) exec(context.Context, string, []any) (int64, error) { return 0, errReadOnly }

func (s sqliteOnce) send(context.Context, string, []any) error { return errReadOnly }

func (s sqliteOnce) insert(context.Context, string, []string, [][]any) error { return errReadOnly }

func (s sqliteOnce) query(ctx context.Context, sql string, args []any) (Rows, error) {
	rows, err := s.readers.QueryContext(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return sqliteRows{rows}, nil
}

func (s sqliteOnce) flush(context.Context) error { return nil }

func (s sqliteOnce) commit(context.Context) error { return nil }

func (s sqliteOnce) rollback() {}

type sqliteRows struct{ *sql.Rows }

func (r sqliteRows) Close() { _ = r.Rows.Close() }
