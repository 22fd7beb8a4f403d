// Package host runs one service over one database: opened and migrated, its jobs working, its server in discovery.
//
// Invariant: nothing serves before the jobs run, and nothing is closed while something that uses it still works; a denied
// call leaves an audit entry like a mutation does.
package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"google.golang.org/grpc"

	"huhang.example/services/internal/audit"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/rpcserver"
	"huhang.example/services/internal/sqldb"
)

// Config says which service this is, where it listens and what it stores in.
type Config struct {
	Service, Instance, Listen, Advertise, Database string
	// Provinces to register under; empty: all.
	Provinces []string
	// Migrations are the service's own tables.
	Migrations fs.FS
}

// Host is a fleet.Service. Register servers on GRPC() and handlers on Jobs, or put Jobs of your own there, before Start.
type Host struct {
	DB   *sqldb.DB
	Jobs *sqldb.Workers

	name   string
	log    *slog.Logger
	server *rpcserver.Server
}

// Open opens and migrates the database and makes the server; nothing runs before Start.
func Open(ctx context.Context, c Config, d fleet.Deps) (*Host, error) {
	if c.Database == "" || c.Listen == "" || c.Instance == "" {
		return nil, errors.New("instance, listen and database are required")
	}
	conf := sqldb.Config{DSN: c.Database, Service: c.Service, Instance: c.Instance, Log: d.Log, Clock: d.Clock}
	if d.Telemetry != nil {
		conf.TracerProvider = d.Telemetry.TracerProvider
	}
	db, err := sqldb.Open(ctx, conf)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	if err := db.Migrate(ctx, c.Migrations); err != nil {
		db.Close()
		return nil, fmt.Errorf("database: %w", err)
	}
	if err := measureJobs(d.Telemetry, db); err != nil {
		db.Close()
		return nil, fmt.Errorf("metrics: %w", err)
	}
	h := &Host{DB: db, Jobs: sqldb.NewWorkers(), name: c.Service, log: d.Log}
	h.server = rpcserver.New(rpcserver.Config{
		Service: c.Service, Instance: c.Instance, Listen: c.Listen, Advertise: c.Advertise, Provinces: c.Provinces,
	}, rpcserver.Deps{
		Identity: d.Identity, Registry: d.Registry, Telemetry: d.Telemetry, Log: d.Log, Clock: d.Clock, OnDenied: audit.OnDenied(db, d.Log),
	})
	return h, nil
}

// GRPC is where the service registers its servers.
func (h *Host) GRPC() grpc.ServiceRegistrar { return h.server.GRPC() }

// Addr is where the server listens, once started.
func (h *Host) Addr() string { return h.server.Addr() }

// Name is the service's name.
func (h *Host) Name() string { return h.name }

// Start runs jobs, then serves.
func (h *Host) Start(ctx context.Context) error {
	idempotency.SchedulePurge(h.Jobs, h.DB)
	audit.ScheduleExtend(h.Jobs, h.DB, h.log)
	if err := h.DB.StartJobs(ctx, h.Jobs); err != nil {
		h.DB.Close()
		return err
	}
	if err := h.server.Start(ctx); err != nil {
		err = errors.Join(err, h.DB.StopJobs(ctx))
		h.DB.Close()
		return err
	}
	return nil
}

// Stop ends serving, then jobs, then closes the database. A call that hangs uses up half of the time at the most.
func (h *Host) Stop(ctx context.Context) error {
	serving, cancel := ctx, context.CancelFunc(func() {})
	if end, bounded := ctx.Deadline(); bounded {
		now := clock.System().Now() // a context's deadline is by the machine's clock
		serving, cancel = context.WithDeadline(ctx, now.Add(end.Sub(now)/2))
	}
	defer cancel()
	err := errors.Join(h.server.Stop(serving), h.DB.StopJobs(ctx))
	h.DB.Close()
	return err
}
