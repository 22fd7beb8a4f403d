// Package app opens the referral service.
package app

import (
	"context"

	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/host"
	"huhang.example/services/referral"
	"huhang.example/services/referral/exchange"
	"huhang.example/services/referral/peers"
	"huhang.example/services/referral/peers/jaeger"
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
	// Advertise is the host:port that the other services dial; empty: the address listened on.
	Advertise string `yaml:"advertise"`
	// Database is a DSN, see sqldb.
	Database string `yaml:"database"`
	// Sample is accepted by every service; this one owns no directory, and its cases are made by using the line.
	Sample bool `yaml:"sample"`
	// Traces is the address of a Jaeger query service, such as http://jaeger-query:16686; empty: cases have no trace to show.
	Traces string `yaml:"traces"`
	// Notify is about what facilities are told.
	Notify Notify `yaml:"notify"`
}

// App is a running referral service.
type App struct{ *host.Host }

// New opens the database and wires the service; nothing serves before Start.
func New(ctx context.Context, c Config, d fleet.Deps) (*App, error) {
	var traces *jaeger.Client
	if c.Traces != "" {
		var err error
		if traces, err = jaeger.New(c.Traces); err != nil {
			return nil, err
		}
	}
	h, err := host.Open(ctx, host.Config{
		Service: Name, Instance: c.Instance, Listen: c.Listen, Advertise: c.Advertise, Database: c.Database, Migrations: store.Migrations,
	}, d)
	if err != nil {
		return nil, err
	}
	others := peers.New(d.Peers)
	service := referral.New(store.New(h.DB), others, d.Clock, d.IDs)
	if traces != nil {
		service.WithTraces(traces)
	}
	h.Jobs = store.Workers(service)
	rpc.Register(h.GRPC(), service, h.DB)
	counted, err := newFigures(store.NewFigures(h.DB), others, d)
	if err != nil {
		h.DB.Close()
		return nil, err
	}
	scheduleFigures(h.Jobs, counted)
	rpc.RegisterFigures(h.GRPC(), counted)
	if err := notifying(c.Notify, d, h, service); err != nil {
		h.DB.Close()
		return nil, err
	}
	rpc.RegisterExchange(h.GRPC(), exchange.New(service, others, d.Clock), service, h.DB)
	return &App{h}, nil
}
