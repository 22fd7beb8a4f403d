// Package app opens the settlement service.
package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"time"

	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/host"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/peers"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/rpc"
	"huhang.example/services/settlement/store"
	"huhang.example/services/settlement/supervision"
)

const name = "settlement"

// Config of one instance.
type Config struct {
	Instance string `yaml:"instance"`
	Listen   string `yaml:"listen"` // host:port
	// Advertise is the host:port that the other services dial; empty: the address listened on.
	Advertise string `yaml:"advertise"`
	Database  string `yaml:"database"` // sqlite:/path/file.db or postgres://...
	// Provinces are those this instance serves, as treatment and as insured place. 100000 is the national clearing center.
	Provinces []string `yaml:"provinces"`
	// Documents is a folder of policies, catalogues and typical bills; empty: those that come with the line.
	Documents string `yaml:"documents"`
	// LifeRules is a file of the terms of a claim's life; empty: those that come with the line.
	LifeRules string `yaml:"life_rules"`
	// ClearingRules is a file with the dates and shares of clearing; empty: those that come with the line.
	ClearingRules string `yaml:"clearing_rules"`
	// SupervisionRules is a folder of rules of supervision; empty: those that come with the line.
	SupervisionRules string `yaml:"supervision_rules"`
	// SupervisionKey hashes telephone and identity numbers: 64 hexadecimal digits, the same in every instance of a line.
	// Empty: no such numbers are taken. The sample line has a key that is no secret.
	SupervisionKey string `yaml:"supervision_key"`
	// RecogniseDeclared takes the coverage a person declared for recognised while their agency has recorded nothing of
	// them. The sample line has no agencies' registers and always does.
	RecogniseDeclared bool `yaml:"recognise_declared"`
	// Sample makes this instance part of the sample line.
	Sample bool `yaml:"sample"`
}

var provinceCode = regexp.MustCompile(`^[1-9][0-9]0000$`)

func (c Config) book() (*policy.Book, error) {
	if c.Documents != "" {
		return policy.Load(os.DirFS(c.Documents))
	}
	return policy.Sample()
}

func (c Config) life() (*settlement.LifeRules, error) {
	if c.LifeRules == "" {
		return settlement.SampleLifeRules(), nil
	}
	data, err := os.ReadFile(c.LifeRules)
	if err != nil {
		return nil, fmt.Errorf("life_rules: %w", err)
	}
	rules, err := settlement.ParseLifeRules(data)
	if err != nil {
		return nil, fmt.Errorf("life_rules: %s: %w", c.LifeRules, err)
	}
	return rules, nil
}

func (c Config) clearingRules() (clearing.Rules, error) {
	if c.ClearingRules == "" {
		return clearing.ChinaRules(), nil
	}
	text, err := os.ReadFile(c.ClearingRules)
	if err != nil {
		return clearing.Rules{}, fmt.Errorf("clearing_rules: %w", err)
	}
	return clearing.ParseRules(text)
}

// sampleKey hashes the invented people's numbers.
var sampleKey = []byte("the sample line has no secrets..")

func (c Config) watched(provinces []string) (out supervision.Config, err error) {
	out = supervision.Config{Provinces: provinces, Book: supervision.Sample()}
	if c.SupervisionRules != "" {
		if out.Book, err = supervision.Load(os.DirFS(c.SupervisionRules)); err != nil {
			return out, fmt.Errorf("supervision_rules: %w", err)
		}
	}
	switch {
	case c.SupervisionKey != "":
		if out.Key, err = hex.DecodeString(c.SupervisionKey); err != nil || len(out.Key) != 32 {
			return out, errors.New("supervision_key: not 64 hexadecimal digits")
		}
	case c.Sample:
		out.Key = sampleKey
	}
	return out, nil
}

// App is one running instance.
type App struct{ *host.Host }

// New opens the database and wires the service; nothing serves before Start.
func New(ctx context.Context, c Config, d fleet.Deps) (*App, error) {
	if len(c.Provinces) == 0 {
		return nil, errors.New("provinces: at least one is required")
	}
	for _, province := range c.Provinces {
		if !provinceCode.MatchString(province) {
			return nil, fmt.Errorf("provinces: %q is not a province code", province)
		}
	}
	book, err := c.book()
	if err != nil {
		return nil, err
	}
	life, err := c.life()
	if err != nil {
		return nil, err
	}
	dates, err := c.clearingRules()
	if err != nil {
		return nil, err
	}
	// The national center treats and insures nobody.
	places := slices.DeleteFunc(slices.Clone(c.Provinces), func(p string) bool { return p == clearing.National })
	watched, err := c.watched(places)
	if err != nil {
		return nil, err
	}
	h, err := host.Open(ctx, host.Config{
		Service: name, Instance: c.Instance, Listen: c.Listen, Advertise: c.Advertise, Database: c.Database, Provinces: c.Provinces, Migrations: store.Migrations(),
	}, d)
	if err != nil {
		return nil, err
	}
	if err := measure(d, store.New(h.DB)); err != nil {
		h.DB.Close()
		return nil, err
	}
	watch := supervision.New(store.New(h.DB), d.Clock, d.IDs, watched)
	rules := settlement.Rules{Watch: watch, Provinces: places, Book: book, Life: life, RecogniseDeclared: c.RecogniseDeclared || c.Sample}
	use := settlement.New(store.New(h.DB), peers.New(d.Peers), d.Clock, d.IDs, rules)
	server := rpc.New(use, h.DB, d.Log)
	settlementv1.RegisterSettlementServiceServer(h.GRPC(), server)
	settlementv1.RegisterClaimLifeServiceServer(h.GRPC(), server)
	settlementv1.RegisterPreauthorisationServiceServer(h.GRPC(), server)
	settlementv1.RegisterInsuredPlaceServiceServer(h.GRPC(), rpc.NewInsured(use))
	settlementv1.RegisterTreatmentPlaceServiceServer(h.GRPC(), server)
	Handle(h.Jobs, use)
	clears := clearing.New(store.NewBooks(h.DB), peers.NewClearing(d.Peers), d.Clock, d.IDs, c.Provinces, dates)
	settlementv1.RegisterClearingServiceServer(h.GRPC(), rpc.NewClearing(clears, h.DB))
	settlementv1.RegisterClearingExchangeServiceServer(h.GRPC(), rpc.NewExchange(clears, h.DB))
	HandleClearing(h.Jobs, clears)
	settlementv1.RegisterSupervisionServiceServer(h.GRPC(), rpc.NewSupervision(watch, use, h.DB))
	HandleSupervision(h.Jobs, watch)
	return &App{h}, nil
}

// Handle makes the jobs of the service work.
func Handle(w *sqldb.Workers, use *settlement.Service) {
	sqldb.Handle(w, func(ctx context.Context, args store.CompleteArgs) error {
		return persist(ctx, seeThrough(ctx, use, args.ClaimID))
	})
	sqldb.Handle(w, func(ctx context.Context, args store.ExpireArgs) error { return use.Expire(ctx, args.ID) })
	sqldb.Handle(w, func(ctx context.Context, args store.EventArgs) error { return told(use.TellCase(ctx, args.Event)) })
	sqldb.Handle(w, func(ctx context.Context, args store.AcceptedArgs) error {
		return told(use.TellTreatment(ctx, args.Accepted()))
	})
}

// told ends a job whose hearer will never take what it says: the dead job keeps it.
func told(err error) error {
	if settlement.NeverTaken(err) {
		return sqldb.Discard(err)
	}
	return err
}

// supervisionEvery is how often it is looked whether a day has to be looked through.
const supervisionEvery = time.Hour

// HandleSupervision makes the daily job of supervision work.
func HandleSupervision(w *sqldb.Workers, watch *supervision.Service) {
	sqldb.Handle(w, func(ctx context.Context, _ store.SuperviseArgs) error { return watch.Daily(ctx) }, sqldb.Timeout(10*time.Minute))
	sqldb.Every(w, supervisionEvery, store.SuperviseArgs{})
}

// seeThrough tries to complete a claim, and comes again when the claim says so: for as long as its outcome is not known.
func seeThrough(ctx context.Context, use *settlement.Service, claimID string) error {
	failed := use.Complete(ctx, claimID)
	pause, more, err := use.NextTry(ctx, claimID)
	switch {
	case err != nil:
		return errors.Join(failed, err)
	case more:
		return sqldb.Snooze(pause)
	}
	return nil // whoever else was at it has ended it
}

const (
	// sealEvery is how long an entry waits for its place in the book.
	sealEvery = 10 * time.Second
	// watchEvery is how often it is looked whether a day has to be compared, or a prepayment warned of.
	watchEvery = time.Hour
)

// HandleClearing makes the jobs of clearing work.
func HandleClearing(w *sqldb.Workers, use *clearing.Service) {
	sqldb.Handle(w, func(ctx context.Context, args store.ClearingArgs) error { return persist(ctx, use.Do(ctx, args.Job)) })
	sqldb.Handle(w, func(ctx context.Context, _ store.SealArgs) error {
		if err := use.SealAll(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		return nil // out of time: the next one goes on where this one ended
	})
	sqldb.Handle(w, func(ctx context.Context, _ store.WatchArgs) error { return use.Watch(ctx) })
	sqldb.Every(w, sealEvery, store.SealArgs{})
	sqldb.Every(w, watchEvery, store.WatchArgs{})
}

// persist keeps a job from ever giving up: money under way stays under way until its outcome is known.
func persist(ctx context.Context, err error) error {
	if job, ok := sqldb.JobFrom(ctx); ok && err != nil && job.Attempt+1 >= job.MaxAttempts {
		return sqldb.Snooze(lastPause)
	}
	return err
}

// lastPause is how often a claim is looked after once the usual attempts are used up.
const lastPause = 30 * time.Minute
