// Package sqldbtest gives tests a fresh database on each engine.
//
// Invariant: no test sees another's rows, and what a test leaves running is stopped and dropped when it ends.
package sqldbtest

import (
	"context"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/sqldb"
)

// PostgresEnv names the server on which tests make their databases.
const PostgresEnv = "HUHANG_TEST_POSTGRES"

// Option changes how a test's database is opened.
type Option func(*sqldb.Config)

// Clock opens the database with another clock: scheduled jobs become due when it says so.
func Clock(c clock.Clock) Option { return func(conf *sqldb.Config) { conf.Clock = c } }

// With changes the configuration; the DSN is already set.
func With(change func(*sqldb.Config)) Option { return change }

// Each runs test on a fresh SQLite file and on a fresh PostgreSQL database, migrated.
func Each(t *testing.T, migrations fs.FS, test func(t *testing.T, db *sqldb.DB), options ...Option) {
	t.Helper()
	EachDSN(t, func(t *testing.T, dsn string) { test(t, Open(t, dsn, migrations, options...)) })
}

// EachDSN runs test with the address of a fresh, empty database of each engine.
func EachDSN(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run(sqldb.SQLite, func(t *testing.T) { test(t, SQLite(t)) })
	t.Run(sqldb.Postgres, func(t *testing.T) { test(t, Postgres(t)) })
}

// Open opens and migrates the database at dsn. Its jobs are stopped and it is closed when the test ends.
func Open(t testing.TB, dsn string, migrations fs.FS, options ...Option) *sqldb.DB {
	t.Helper()
	conf := sqldb.Config{DSN: dsn, MaxConns: 4, PollInterval: 20 * time.Millisecond, Service: "test"}
	for _, set := range options {
		set(&conf)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db, err := sqldb.Open(ctx, conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := db.StopJobs(ctx); err != nil {
			t.Error(err)
		}
		db.Close()
	})
	if err := db.Migrate(ctx, migrations); err != nil {
		t.Fatal(err)
	}
	return db
}

// SQLite returns the address of a file in the test's folder.
func SQLite(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}

// Postgres makes a database, dropped when the test ends, and returns its address.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv(PostgresEnv)
	if server == "" {
		t.Fatalf("%s is not set: run through make test", PostgresEnv)
	}
	name := id.Random().New("huhang_test")
	execute(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	address, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s is not a URL", PostgresEnv)
	}
	address.Path = "/" + name
	return address.String()
}

func execute(t testing.TB, server, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatal(err)
	}
}

// Eventually waits until condition holds, for at most a minute: River's scheduler takes up to half of that to take over when a test moves its clock.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for !condition() {
		if clock.System().Sleep(ctx, 5*time.Millisecond) != nil {
			t.Fatalf("never: %s", what)
		}
	}
}

// Idle waits until no job of db is due, running or waiting to be retried. Jobs scheduled for later do not count.
func Idle(t testing.TB, db *sqldb.DB) {
	t.Helper()
	Eventually(t, "no job is due", func() bool { return due(t, db) == 0 })
}

func due(t testing.TB, db *sqldb.DB) int {
	t.Helper()
	at := db.Clock().Now()
	var n int
	err := db.Read(context.Background(), func(ctx context.Context, q sqldb.Querier) error {
		if db.Engine() == sqldb.SQLite {
			return q.QueryRow(ctx, `SELECT count(*) FROM river_job WHERE state IN ('running', 'retryable')
				OR state IN ('available', 'scheduled') AND julianday(scheduled_at) <= julianday($1)`, at.Format("2006-01-02 15:04:05.000")).Scan(&n)
		}
		return q.QueryRow(ctx, `SELECT count(*) FROM river_job WHERE state IN ('running', 'retryable')
			OR state IN ('available', 'scheduled') AND scheduled_at <= $1`, at).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
