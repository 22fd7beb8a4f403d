package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/id"
)

// postgresEnv names the server the figures are taken on; tools/with-postgres sets it.
const postgresEnv = "HUHANG_TEST_POSTGRES"

type settings struct {
	huhang string
	rounds int
	round  time.Duration
	// most bounds the calls of one round, so that a fast machine does not fill its memory with what was asked.
	most int64
	// starts is how often a start is timed; settle how long a line at rest may take to give memory back.
	starts int
	settle time.Duration
	// patients bounds how many are made for the look-up among many.
	patients int64
	// cleared is how many settlements a month has that is cleared.
	cleared int64
	// engine is the one the look-up among many is taken on; empty: both.
	engine string
	// cases bounds how many are made for the worklists.
	cases int64
	// keep is a folder for what else a figure was made of; empty: none.
	keep string
}

var defaultSettings = settings{
	huhang: "bin/huhang", rounds: 3, round: 4 * time.Second, most: 200_000, starts: 5, settle: 15 * time.Second, patients: 1_000_000, cleared: 100_000, cases: 1_000_000,
}

// bed is what the figures share; its parts start when first asked for.
type bed struct {
	settings
	dir      string
	self     string
	postgres string
	opened   []func() error // in the order opened
	counted  int
	fleet    *fleet
}

func newBed(ctx context.Context, s settings) (*bed, error) {
	b := &bed{settings: s, postgres: os.Getenv(postgresEnv)}
	if b.postgres == "" {
		return nil, fmt.Errorf("%s is not set: run through make bench", postgresEnv)
	}
	var err error
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "huhang-bench-*"); err != nil {
		return nil, err
	}
	b.later(func() error { return os.RemoveAll(b.dir) })
	return b, ctx.Err()
}

// later is done at the end, the last first.
func (b *bed) later(close func() error) { b.opened = append(b.opened, close) }

func (b *bed) close() error {
	var failed []error
	for i := len(b.opened) - 1; i >= 0; i-- {
		failed = append(failed, b.opened[i]())
	}
	b.opened = nil
	return errors.Join(failed...)
}

// kept is a path for what may be of use after the run.
func (b *bed) kept(name string) string {
	if b.keep == "" {
		return filepath.Join(b.dir, name)
	}
	return filepath.Join(b.keep, name)
}

func (b *bed) number() int {
	b.counted++
	return b.counted
}

// sql runs statements on a connection of its own.
func sql(ctx context.Context, dsn string, do func(conn *pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	return errors.Join(do(conn), conn.Close(context.WithoutCancel(ctx)))
}

// analyze tells the server how large the tables are, as it finds out by itself within a minute. Until then statements go on
// by the plans they were prepared with on empty tables.
func analyze(ctx context.Context, dsn string) error {
	return sql(ctx, dsn, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "ANALYZE")
		return err
	})
}

// database makes one on the server, dropped at the end.
func (b *bed) database(ctx context.Context) (dsn string, err error) {
	dsn, drop, err := b.scratch(ctx)
	if err != nil {
		return "", err
	}
	b.later(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		return drop(ctx)
	})
	return dsn, nil
}

// scratch makes a database on the server, which whoever asked for it drops.
func (b *bed) scratch(ctx context.Context) (dsn string, drop func(context.Context) error, err error) {
	address, err := url.Parse(b.postgres)
	if err != nil {
		return "", nil, fmt.Errorf("%s is no URL", postgresEnv)
	}
	name := id.Random().New("huhang_bench")
	execute := func(ctx context.Context, statement string) error {
		return sql(ctx, b.postgres, func(conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, statement)
			return err
		})
	}
	if err := execute(ctx, "CREATE DATABASE "+name); err != nil {
		return "", nil, err
	}
	address.Path = "/" + name
	return address.String(), func(ctx context.Context) error {
		return execute(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	}, nil
}

// freePort returns a loopback address that nobody listens on now. It lies below the ports that the system gives out by
// itself: between this look and its use no connection of another process takes it.
func freePort() (string, error) {
	for range 100 {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 12_000+rand.N(8_000)))
		if err == nil {
			return listener.Addr().String(), listener.Close()
		}
	}
	return "", errors.New("no free port was found")
}

const (
	readyLimit = 30 * time.Second
	readyLook  = 2 * time.Millisecond
)

// awaitReady looks until a process says that it is ready, and returns when it said so.
func awaitReady(ctx context.Context, ops string, ended <-chan struct{}) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	system := clock.System()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+ops+"/readyz", nil)
		if err != nil {
			return time.Time{}, err
		}
		answer, err := client.Do(request)
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return system.Now(), nil
			}
		}
		select {
		case <-ended:
			return time.Time{}, errors.New("it ended before it was ready")
		default:
		}
		if err := system.Sleep(ctx, readyLook); err != nil {
			return time.Time{}, fmt.Errorf("not ready: %w", err)
		}
	}
}
