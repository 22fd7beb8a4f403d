// Package app opens the transfer service: database, timetable, jobs, server.
package app

import (
	"context"
	"fmt"
	"os"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/host"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/peers"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/rpc"
	"huhang.example/services/transfer/store"
	"huhang.example/services/transfer/timetable"
)

const name = "transfer"

// Config of one instance.
type Config struct {
	Instance string `yaml:"instance"`
	Listen   string `yaml:"listen"` // host:port
	// Advertise is the host:port that the other services dial; empty: the address listened on.
	Advertise string `yaml:"advertise"`
	Database  string `yaml:"database"` // sqlite:/path/file.db or postgres://...
	// Timetable is a GTFS zip. Empty: the invented sample where Sample is set, else nothing runs and only roads are offered.
	Timetable string `yaml:"timetable"`
	// Sample adds the invented units of the sample line, and its timetable.
	Sample bool `yaml:"sample"`
}

// App is one running instance.
type App struct {
	*host.Host
	sample bool
	store  *store.Store
	deps   fleet.Deps
}

// New reads the timetable, opens the database and wires the service; nothing serves before Start.
func New(ctx context.Context, c Config, d fleet.Deps) (*App, error) {
	table, err := c.timetable()
	if err != nil {
		return nil, err
	}
	h, err := host.Open(ctx, host.Config{
		Service: name, Instance: c.Instance, Listen: c.Listen, Advertise: c.Advertise, Database: c.Database, Migrations: store.Migrations,
	}, d)
	if err != nil {
		return nil, err
	}
	kept := store.New(h.DB)
	service := transfer.New(kept, peers.New(d.Peers), planner.New(table, planner.CurrentRules()), d.Clock, d.IDs)
	handle(h.Jobs, service)
	transferv1.RegisterTransferServiceServer(h.GRPC(), rpc.New(service, h.DB))
	transferv1.RegisterPoolServiceServer(h.GRPC(), rpc.NewPool(service, h.DB))
	transferv1.RegisterMoveServiceServer(h.GRPC(), rpc.NewMoves(service, h.DB))
	transferv1.RegisterLiveServiceServer(h.GRPC(), rpc.NewLive(service))
	transferv1.RegisterTimetableServiceServer(h.GRPC(), rpc.NewTimetable(service, h.DB))
	return &App{Host: h, sample: c.Sample, store: kept, deps: d}, nil
}

// Start adds the sample's units if asked to, then runs jobs, then serves.
func (a *App) Start(ctx context.Context) error {
	if a.sample {
		if err := seed(ctx, a.store, a.deps.IDs); err != nil {
			a.DB.Close()
			return fmt.Errorf("transfer: sample: %w", err)
		}
	}
	return a.Host.Start(ctx)
}

func (c Config) timetable() (*timetable.Timetable, error) {
	switch {
	case c.Timetable == "" && c.Sample:
		return timetable.Sample(), nil
	case c.Timetable == "":
		return timetable.Empty(), nil
	}
	file, err := os.Open(c.Timetable)
	if err != nil {
		return nil, fmt.Errorf("timetable: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("timetable: %w", err)
	}
	return timetable.ReadZip(file, info.Size(), timetable.Limits{})
}

// handle makes the workers run this service's jobs.
func handle(w *sqldb.Workers, service *transfer.Service) {
	sqldb.Handle(w, func(ctx context.Context, job store.CaseEventJob) error {
		err := service.Deliver(ctx, job.Event)
		if f, ok := fault.As(err); ok && (f.Code == fault.InvalidArgument || f.Code == fault.NotFound) {
			// Asking again cannot help; the dead job stays for operations to see.
			return sqldb.Discard(err)
		}
		return err
	})
	sqldb.Handle(w, func(ctx context.Context, job store.ReviseJob) error { return service.Revise(ctx, job.TransferID) })
	sqldb.Handle(w, func(ctx context.Context, job store.ExpireHoldJob) error {
		wait, err := service.ExpireHold(ctx, job.HoldID)
		if err == nil && wait > 0 {
			return sqldb.Snooze(wait)
		}
		return err
	})
}
