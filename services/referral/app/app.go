// Package app assembles the referral service: database, jobs, peers and the gRPC server.
//
// Invariant: the service answers only while its database is migrated and its jobs run; it stops in the reverse order.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/audit"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/rpcserver"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/referral"
	"huhang.example/services/referral/peers"
	"huhang.example/services/referral/rpc"
	"huhang.example/services/referral/store"
)

// Name is the service's name in discovery and in its certificate.
const Name = "referral"

// Config is what an operator sets.
type Config struct {
	Instance string `yaml:"instance"`
	// Listen is host:port.
	Listen string `yaml:"listen"`
	// Database is a DSN, see sqldb.
	Database string `yaml:"database"`
	// Sample is accepted by every service; this one owns no directory, and its cases are made by using the line.
	Sample bool `yaml:"sample"`
}

// App is a running referral service.
type App struct {
	config Config
	deps   fleet.Deps
	db     *sqldb.DB
	server *rpcserver.Server
}

var _ fleet.Service = (*App)(nil)

// New opens and migrates the database.
func New(ctx context.Context, config Config, deps fleet.Deps) (*App, error) {
	conf := sqldb.Config{DSN: config.Database, Service: Name, Log: deps.Log, Clock: deps.Clock}
	if deps.Telemetry != nil {
		conf.TracerProvider = deps.Telemetry.TracerProvider
	}
	db, err := sqldb.Open(ctx, conf)
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, store.Migrations); err != nil {
		db.Close()
		return nil, err
	}
	return &App{config: config, deps: deps, db: db}, nil
}

// Name is "referral".
func (a *App) Name() string { return Name }

// Addr is where the service listens; empty before Start.
func (a *App) Addr() string {
	if a.server == nil {
		return ""
	}
	return a.server.Addr()
}

// Start runs the jobs, then listens.
func (a *App) Start(ctx context.Context) error {
	service := referral.New(store.New(a.db), peers.New(a.deps.Peers), a.deps.Clock, a.deps.IDs)
	workers := store.Workers(service)
	idempotency.SchedulePurge(workers, a.db)
	if err := a.db.StartJobs(ctx, workers); err != nil {
		a.db.Close()
		return fmt.Errorf("referral: %w", err)
	}
	a.server = rpcserver.New(rpcserver.Config{Service: Name, Instance: a.config.Instance, Listen: a.config.Listen}, rpcserver.Deps{
		Identity: a.deps.Identity, Registry: a.deps.Registry, Telemetry: a.deps.Telemetry, Log: a.deps.Log, Clock: a.deps.Clock,
		OnDenied: a.denied,
	})
	rpc.Register(a.server.GRPC(), service, a.db)
	if err := a.server.Start(ctx); err != nil {
		err = errors.Join(err, a.db.StopJobs(ctx))
		a.db.Close()
		return fmt.Errorf("referral: %w", err)
	}
	return nil
}

// Stop drains calls, then jobs, then closes the database.
func (a *App) Stop(ctx context.Context) error {
	var err error
	if a.server != nil {
		err = a.server.Stop(ctx)
	}
	err = errors.Join(err, a.db.StopJobs(ctx))
	a.db.Close()
	return err
}

// denied keeps refused calls in the audit log.
func (a *App) denied(ctx context.Context, caller access.Caller, method string) {
	ctx = access.With(ctx, caller)
	err := a.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return audit.Append(ctx, tx, audit.Entry{Action: method, Outcome: audit.Denied})
	})
	if err != nil && a.deps.Log != nil {
		a.deps.Log.ErrorContext(ctx, "denied call not audited", slog.Any("error", err))
	}
}
