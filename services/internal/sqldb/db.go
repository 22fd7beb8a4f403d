package sqldb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"huhang.example/services/internal/clock"
)

// The engines, as Engine returns them.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Config says which database to open. Only DSN is required.
type Config struct {
	// DSN is "sqlite:/path/file.db" (the file and its folder are made when missing) or "postgres://...".
	DSN string
	// MaxConns bounds PostgreSQL's connections, or SQLite's readers. Default 10, at least 3: with jobs, PostgreSQL keeps
	// one connection for notifications.
	MaxConns int
	// PollInterval is how often a queue looks for jobs that no notification announced. Default 150 ms on SQLite, 1 s on
	// PostgreSQL.
	PollInterval time.Duration
	// Service is the name under which jobs call: access.Caller.Service. Default "jobs".
	Service string
	// Instance names this process among those that share the database; no two have the same name. A process that is
	// killed and started again under its name goes on at once with the jobs it was running; without a name, or where it
	// does not come back, others take them up when no handler can still be at them.
	Instance string
	// Log gets failed jobs and River's warnings. Default slog.Default().
	Log *slog.Logger
	// TracerProvider makes the spans of jobs. Default: the global one.
	TracerProvider trace.TracerProvider
	// Clock decides when a scheduled job is due. Default the system's. With any other clock a job becomes due when that
	// clock says so, within one PollInterval.
	Clock clock.Clock
}

// DB is one service's database. It is safe for concurrent use.
type DB struct {
	engine engine
	queue  jobQueue
	conf   Config
	tracer trace.Tracer
	// again lets one retried transaction run at a time, so that many writers of one row queue up rather than collide.
	again chan struct{}
	// turn, when there is one, is held by the Write that runs; see WriteOneByOne.
	turn chan struct{}
}

// engine is what differs between SQLite and PostgreSQL.
type engine interface {
	name() string
	begin(ctx context.Context, m mode) (session, error)
	ping(ctx context.Context) error
	close()
	// exclusive keeps other processes from migrating until release is called.
	exclusive(ctx context.Context) (release func(), err error)
	// lockFirst names the table that every writing session locks before it sees anything.
	lockFirst(table string)
	translate(sql string) string
}

// mode is what a session is for.
type mode int

const (
	writing mode = iota
	reading
	readingOnce // one statement, which needs no transaction
)

// session is one open transaction of an engine.
type session interface {
	exec(ctx context.Context, sql string, args []any) (int64, error)
	query(ctx context.Context, sql string, args []any) (Rows, error)
	// send is exec where the answer may wait for the next call.
	send(ctx context.Context, sql string, args []any) error
	// insert adds rows of one table, however many.
	insert(ctx context.Context, table string, columns []string, rows [][]any) error
	// flush waits for the answers of what was sent.
	flush(ctx context.Context) error
	commit(ctx context.Context) error
	rollback()
}

// Open opens the database and checks that it answers. Call Migrate before anything else.
func Open(ctx context.Context, conf Config) (*DB, error) {
	if conf.MaxConns == 0 {
		conf.MaxConns = 10
	}
	if conf.MaxConns < 3 {
		return nil, fmt.Errorf("sqldb: MaxConns %d is less than 3", conf.MaxConns)
	}
	if conf.Log == nil {
		conf.Log = slog.Default()
	}
	if conf.TracerProvider == nil {
		conf.TracerProvider = otel.GetTracerProvider()
	}
	if conf.Clock == nil {
		conf.Clock = clock.System()
	}
	if conf.Service == "" {
		conf.Service = "jobs"
	}
	db := &DB{
		conf:   conf,
		tracer: conf.TracerProvider.Tracer("huhang.example/services/internal/sqldb"),
		again:  make(chan struct{}, 1),
	}
	var err error
	switch scheme, rest, _ := strings.Cut(conf.DSN, ":"); {
	case scheme == "sqlite" && rest != "":
		err = db.openSQLite(ctx, rest)
	case scheme == "postgres" || scheme == "postgresql":
		err = db.openPostgres(ctx)
	default:
		// The DSN itself may hold a password and is not repeated.
		err = errors.New(`sqldb: a DSN starts with "sqlite:" and a path, or with "postgres://"`)
	}
	if err != nil {
		return nil, err
	}
	return db, nil
}

// WriteOneByOne makes each Write, of this and of every other process that says so, lock the table before it sees anything of the
// database, so that they wait for one another in the order they came. It is for a service whose changes all end at one row: there
// they would meet anyway, and all but one would have been made in vain. The table is there; call it before anything writes.
func (db *DB) WriteOneByOne(table string) {
	if db.turn != nil {
		return
	}
	db.turn = make(chan struct{}, 1)
	db.engine.lockFirst(table)
}

// Close closes all connections. Stop the jobs first.
func (db *DB) Close() { db.engine.close() }

// Engine returns SQLite or Postgres.
func (db *DB) Engine() string { return db.engine.name() }

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.engine.ping(ctx) }

// Clock returns the clock the database was opened with.
func (db *DB) Clock() clock.Clock { return db.conf.Clock }
