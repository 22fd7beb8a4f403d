// Package app opens the matching service.
package app

import (
	"context"
	"errors"
	"fmt"
	"os"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/host"
	"huhang.example/services/internal/sealing"
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
	Listen   string `yaml:"listen"` // host:port
	// Advertise is the host:port that the other services dial; empty: the address listened on.
	Advertise string `yaml:"advertise"`
	Database  string `yaml:"database"` // sqlite:/path/file.db or postgres://...
	// Keys is the folder of the keyset match runs are sealed with; instances that share a database share it.
	Keys string `yaml:"keys"`
	// Sample puts the invented directory where its centers are missing; what was declared since stays.
	Sample bool `yaml:"sample"`
	// OfferRules is a file with the versions of the offer rules; empty: those of the binary.
	OfferRules string `yaml:"offer_rules"`
}

// App is one running instance.
type App struct{ *host.Host }

// New opens the database, seeds it where asked to, and wires the service; nothing serves before Start.
func New(ctx context.Context, c Config, d fleet.Deps) (*App, error) {
	if c.Keys == "" {
		return nil, errors.New("keys: the folder of the sealing keyset is required")
	}
	cipher, err := sealing.Open(c.Keys)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	h, err := host.Open(ctx, host.Config{
		Service: name, Instance: c.Instance, Listen: c.Listen, Advertise: c.Advertise, Database: c.Database, Migrations: store.Migrations(),
	}, d)
	if err != nil {
		return nil, err
	}
	use := matching.New(store.New(h.DB, cipher), peers.New(d.Peers), d.Clock, d.IDs)
	if c.OfferRules != "" {
		rules, err := offerRules(c.OfferRules)
		if err != nil {
			h.DB.Close()
			return nil, err
		}
		use.Rules(rules)
	}
	if err := seed(ctx, use, c.Sample); err != nil {
		h.DB.Close()
		return nil, err
	}
	store.Handle(h.Jobs, use)
	server := rpc.New(use, h.DB, cipher)
	matchingv1.RegisterMatchingServiceServer(h.GRPC(), server)
	matchingv1.RegisterDirectoryServiceServer(h.GRPC(), server)
	matchingv1.RegisterOfferServiceServer(h.GRPC(), rpc.NewOffers(use, h.DB))
	matchingv1.RegisterAssignmentServiceServer(h.GRPC(), rpc.NewAssignments(use, h.DB))
	return &App{h}, nil
}

// seed puts the weights, and the sample's centers where asked to.
func seed(ctx context.Context, use *matching.Service, sample bool) error {
	if err := use.SeedWeights(ctx); err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	if !sample {
		return nil
	}
	if err := use.Seed(ctx, directory.Sample()); err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	return nil
}

func offerRules(file string) (matching.AllOfferRules, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("offer_rules: %w", err)
	}
	rules, err := matching.ParseOfferRules(data)
	if err != nil {
		return nil, fmt.Errorf("offer_rules %s: %w", file, err)
	}
	return rules, nil
}
