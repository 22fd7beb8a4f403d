package sqldb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

type postgresEngine struct {
	pool *pgxpool.Pool
	// first is the table that writers lock first, quoted; empty: none.
	first string
}

func (db *DB) openPostgres(ctx context.Context) error {
	conf, err := pgxpool.ParseConfig(db.conf.DSN)
	if err != nil {
		return fmt.Errorf("sqldb: %w", err)
	}
	conf.MaxConns = int32(min(db.conf.MaxConns, 1000))
	conf.MaxConnIdleTime = time.Minute
	conf.MaxConnLifetimeJitter = 5 * time.Minute
	if conf.ConnConfig.ConnectTimeout == 0 {
		conf.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	params := conf.ConnConfig.RuntimeParams
	if params["application_name"] == "" {
		params["application_name"] = "huhang " + db.conf.Service
	}
	params["timezone"] = "UTC"
	// A paused process must not hold its locks for ever.
	params["idle_in_transaction_session_timeout"] = "60s"
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return fmt.Errorf("sqldb: open: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return fmt.Errorf("sqldb: open: %w", err)
	}
	db.engine = &postgresEngine{pool: pool}
	db.queue, err = newRiver(db, riverpgxv5.New(pool), func(s session) pgx.Tx { return s.(*postgresSession).tx })
	if err != nil {
		pool.Close()
	}
	return err
}

func (e *postgresEngine) name() string { return Postgres }

// begin takes a connection. The transaction begins with its first statement, in the same round trip.
func (e *postgresEngine) begin(ctx context.Context, m mode) (session, error) {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	if m == readingOnce {
		return &postgresOnce{conn}, nil
	}
	session := &postgresSession{conn: conn, options: pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadWrite}}
	switch {
	case m == reading:
		session.options.AccessMode = pgx.ReadOnly
	case e.first != "":
		// LOCK takes no snapshot: the transaction sees what those before it have committed.
		session.waiting = []pgx.QueuedQuery{{SQL: "LOCK TABLE " + e.first + " IN EXCLUSIVE MODE"}}
	}
	return session, nil
}

func (e *postgresEngine) lockFirst(table string) { e.first = pgx.Identifier{table}.Sanitize() }

func (e *postgresEngine) ping(ctx context.Context) error { return e.pool.Ping(ctx) }

func (e *postgresEngine) close() { e.pool.Close() }

// migrationLock is the advisory lock of whoever migrates; advisory locks are per database.
const migrationLock = 0x687568616e67 // "huhang"

func (e *postgresEngine) exclusive(ctx context.Context) (func(), error) {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("sqldb: migration lock: %w", err)
	}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		conn.Release()
		return nil, fmt.Errorf("sqldb: migration lock: %w", err)
	}
	return func() {
		// Closing the connection gives the lock back even if the caller's context has ended.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = conn.Hijack().Close(ctx)
	}, nil
}

func (e *postgresEngine) translate(sql string) string { return sql }
