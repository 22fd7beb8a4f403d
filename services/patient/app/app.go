// Package app opens the patient service.
package app

import (
	"context"
	"errors"
	"fmt"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/host"
	"huhang.example/services/patient"
	"huhang.example/services/patient/peers"
	"huhang.example/services/patient/recognition"
	"huhang.example/services/patient/rpc"
	"huhang.example/services/patient/scan"
	"huhang.example/services/patient/sealing"
	"huhang.example/services/patient/store"
)

const name = "patient"

// Config of one instance.
type Config struct {
	Instance string `yaml:"instance"`
	Listen   string `yaml:"listen"` // host:port
	// Advertise is the host:port that the other services dial; empty: the address listened on.
	Advertise string `yaml:"advertise"`
	Database  string `yaml:"database"` // sqlite:/path/file.db or postgres://...
	// Keys is the folder of the sealing keysets; instances that share a database share it.
	Keys string `yaml:"keys"`
	// Scanner judges uploaded documents: "clamd:tcp:host:port", "clamd:unix:/path", or "builtin" for development, which knows
	// the EICAR test string alone. Empty: documents stay in quarantine.
	Scanner string `yaml:"scanner"`
	// Catalogue is a file with the items of mutual recognition, their windows and prices; empty: the sample of the binary.
	Catalogue string `yaml:"catalogue"`
	// Sample changes nothing here: nobody is registered before somebody registers them.
	Sample bool `yaml:"sample"`
}

// App is one running instance.
type App struct{ *host.Host }

// New opens the database and wires the service; nothing serves before Start.
func New(ctx context.Context, c Config, d fleet.Deps) (*App, error) {
	if c.Keys == "" {
		return nil, errors.New("keys: the folder of the sealing keysets is required")
	}
	sealer, err := sealing.Open(c.Keys)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	scanner, err := scan.Open(c.Scanner)
	if err != nil {
		return nil, err
	}
	catalogue, err := recognition.Open(c.Catalogue, d.Clock.Now())
	if err != nil {
		return nil, err
	}
	if c.Scanner == "" && d.Log != nil {
		d.Log.WarnContext(ctx, "no scanner is configured: uploaded documents stay in quarantine")
	}
	h, err := host.Open(ctx, host.Config{
		Service: name, Instance: c.Instance, Listen: c.Listen, Advertise: c.Advertise, Database: c.Database, Migrations: store.Migrations(),
	}, d)
	if err != nil {
		return nil, err
	}
	kept := store.New(h.DB, sealer)
	store.IndexNamesWith(h.Jobs, kept)
	use := patient.New(kept, peers.New(d.Peers), scanner, d.Clock, d.IDs)
	use.Recognise(catalogue)
	store.ScanWith(h.Jobs, use.Scan)
	store.TellWith(h.Jobs, use)
	server := rpc.New(use, h.DB, sealer)
	patientv1.RegisterPatientServiceServer(h.GRPC(), server)
	patientv1.RegisterMergeServiceServer(h.GRPC(), rpc.Merges{Server: server})
	patientv1.RegisterResultServiceServer(h.GRPC(), rpc.Results{Server: server})
	patientv1.RegisterDocumentServiceServer(h.GRPC(), rpc.NewDocuments(server))
	return &App{h}, nil
}
