// Package app opens the matching service.
package app

import (
	"context"
	"fmt"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/host"
	"huhang.example/services/matching"
	"huhang.example/services/matching/directory"
	"huhang.example/services/matching/peers"
	"huhang.example/services/matching/rpc"
	"huhang.example/services/matching/store"
)

const name = "matching"

// Config of one instance.
type Config struct {
	Instance string `yaml:"instance"`
	Listen   string `yaml:"listen"`   // host:port
	Database string `yaml:"database"` // sqlite:/path/file.db or postgres://...
	// Sample puts the invented directory where its centers are missing; what was declared since stays.
	Sample bool `yaml:"sample"`
}

// App is one running instance.
type App struct{ *host.Host }

// New opens the database, seeds it where asked to, and wires the service; nothing serves before Start.
func New(ctx context.Context, c Config, d fleet.Deps) (*App, error) {
	h, err := host.Open(ctx, host.Config{
		Service: name, Instance: c.Instance, Listen: c.Listen, Database: c.Database, Migrations: store.Migrations(),
	}, d)
	if err != nil {
		return nil, err
	}
	use := matching.New(store.New(h.DB), peers.New(d.Peers), d.Clock, d.IDs)
	if c.Sample {
		if err := use.Seed(ctx, directory.Sample()); err != nil {
			h.DB.Close()
			return nil, fmt.Errorf("sample: %w", err)
		}
	}
	store.Handle(h.Jobs, use)
	matchingv1.RegisterMatchingServiceServer(h.GRPC(), rpc.New(use, h.DB))
	return &App{h}, nil
}
