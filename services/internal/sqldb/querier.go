package sqldb

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Querier runs statements in one transaction. It is not safe for concurrent use, and runs one statement at a time.
type Querier interface {
	// Exec runs a statement and returns how many rows it changed.
	Exec(ctx context.Context, sql string, args ...any) (int64, error)
	// Query returns rows; the caller closes them.
	Query(ctx context.Context, sql string, args ...any) (Rows, error)
	// QueryRow returns the first row; errors come with Scan.
	QueryRow(ctx context.Context, sql string, args ...any) Row
}

// Rows is the answer to a Query.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	// Err tells why Next returned false; look at it after every loop.
	Err() error
	Close()
}

// Row is the answer to a QueryRow.
type Row interface {
	// Scan returns ErrNoRows when there is none.
	Scan(dest ...any) error
}

var (
	// ErrNoRows says that a QueryRow found nothing.
	ErrNoRows = errors.New("sqldb: no rows")
	// ErrBusy says that others changed the same rows in every attempt; the call may be repeated.
	ErrBusy = errors.New("sqldb: too much contention")
	// ErrAborted says that an earlier statement of the transaction failed.
	ErrAborted = errors.New("sqldb: transaction aborted by an earlier error")

	errRowsOpen = errors.New("sqldb: rows of an earlier query are still open")
	errReadOnly = errors.New("sqldb: Write inside Read")
	errSecond   = errors.New("sqldb: a second statement inside ReadOne")
)

// IsUnique reports whether err is a violated unique or primary key. The transaction is over by then: where a conflict is
// expected, use ON CONFLICT DO NOTHING.
func IsUnique(err error) bool {
	if pg := new(pgconn.PgError); errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	switch sqliteCode(err) {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return true
	}
	return false
}

// IsForeignKey reports whether err is a reference to a row that does not exist.
func IsForeignKey(err error) bool {
	if pg := new(pgconn.PgError); errors.As(err, &pg) {
		return pg.Code == "23503"
	}
	return sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
}

// IsNoTable reports whether err is a table that the database does not have.
func IsNoTable(err error) bool {
	if pg := new(pgconn.PgError); errors.As(err, &pg) {
		return pg.Code == "42P01"
	}
	return sqliteCode(err) == sqlite3.SQLITE_ERROR && strings.Contains(err.Error(), "no such table")
}

// selects reports whether a statement only reads: outside a transaction PostgreSQL would not refuse one that writes.
func selects(sql string) bool {
	return strings.HasPrefix(sql, "SELECT ") || strings.HasPrefix(sql, "WITH ")
}

// contended reports whether the same transaction may succeed when run again from its beginning.
func contended(err error) bool {
	if pg := new(pgconn.PgError); errors.As(err, &pg) {
		switch pg.Code {
		case "40001", "40P01", // serialization failure, deadlock
			"0A000": // "cached plan must not change result type": a migration went by
			return true
		}
		return false
	}
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return true
	}
	return false
}

func sqliteCode(err error) int {
	if lite := new(sqlite.Error); errors.As(err, &lite) {
		return lite.Code()
	}
	return 0
}

type firstRow struct {
	rows Rows
	err  error
}

func (r firstRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}
