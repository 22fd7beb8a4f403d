package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"gopkg.in/yaml.v3"

	gateway "huhang.example/services/gateway/app"
	"huhang.example/services/internal/config"
	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/etcd"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/line"
	patient "huhang.example/services/patient/app"
	"huhang.example/services/sampleline"
)

// fleet is the patient service and the gateway in a process of their own, as `huhang serve patient gateway` runs them, on
// PostgreSQL and with etcd outside.
type fleet struct {
	*child
	base     string // of REST
	dsn      string
	registry *discovery.Etcd
	gateway  mtls.Identity
	// script is the SQL of one registration, for pgbench.
	script *script
	// registered is whom figures may read.
	registered []registered
}

// beLine does what `huhang serve patient gateway --config FILE` does.
func beLine(ctx context.Context, file string) error {
	settings, err := config.Load[line.Config](file, "HUHANG_BENCH")
	if err != nil {
		return err
	}
	return line.Serve(ctx, settings, []string{"patient", "gateway"}, slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// line starts the fleet once. Before that it is started once with PostgreSQL behind an observer, which notes what SQL a
// registration is.
func (b *bed) line(ctx context.Context) (*fleet, error) {
	if b.fleet != nil {
		return b.fleet, nil
	}
	f := &fleet{}
	endpoints, err := b.discovery(ctx, f)
	if err != nil {
		return nil, err
	}
	authority, err := mtls.DevAuthority(filepath.Join(b.dir, "authority"))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"patient", "gateway"} {
		identity, err := authority.Service(name)
		if err != nil {
			return nil, err
		}
		if err := authority.WritePEM(filepath.Join(b.dir, "certs"), identity); err != nil {
			return nil, err
		}
		f.gateway = identity
	}
	if f.dsn, err = b.database(ctx); err != nil {
		return nil, err
	}
	if f.script, err = b.observe(ctx, endpoints, f.dsn); err != nil {
		return nil, fmt.Errorf("the SQL of a registration: %w", err)
	}
	if f.child, f.base, err = b.startLine(ctx, endpoints, f.dsn); err != nil {
		return nil, err
	}
	b.later(f.stop)
	b.fleet = f
	return f, nil
}

func (b *bed) discovery(ctx context.Context, f *fleet) (endpoints []string, err error) {
	quiet := slog.New(slog.DiscardHandler)
	server, err := etcd.Start(ctx, etcd.Config{Dir: filepath.Join(b.dir, "etcd"), Log: quiet})
	if err != nil {
		return nil, err
	}
	b.later(func() error { server.Close(); return nil })
	if f.registry, err = discovery.NewEtcd(discovery.Config{Endpoints: server.Endpoints(), Log: quiet}); err != nil {
		return nil, err
	}
	b.later(f.registry.Close)
	return server.Endpoints(), nil
}

func (b *bed) startLine(ctx context.Context, endpoints []string, dsn string) (c *child, base string, err error) {
	var ports [3]string
	for i := range ports {
		if ports[i], err = freePort(); err != nil {
			return nil, "", err
		}
	}
	ops, http, grpc := ports[0], ports[1], ports[2]
	settings := line.Config{
		Etcd: line.Etcd{Endpoints: endpoints, TTL: 5 * time.Second}, Identity: line.Identity{Dir: filepath.Join(b.dir, "certs")}, Ops: ops,
		Patient: patient.Config{Instance: "patient-1", Listen: "127.0.0.1:0", Database: dsn, Keys: filepath.Join(b.dir, "keys")},
		Gateway: gateway.Config{
			Instance: "gateway-1", Listen: http, GRPCListen: grpc, DevIssuer: true, StateDir: filepath.Join(b.dir, "gateway"),
		},
	}
	// The limit that keeps one caller from taking everybody's share would be all that is measured.
	settings.Gateway.RateLimit.PerSecond, settings.Gateway.RateLimit.Burst = 1e6, 1e6
	text, err := yaml.Marshal(settings)
	if err != nil {
		return nil, "", err
	}
	file := filepath.Join(b.dir, fmt.Sprintf("line-%d.yaml", b.number()))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, "", err
	}
	if c, err = b.spawn("line", file); err != nil {
		return nil, "", err
	}
	if _, err := awaitReady(ctx, ops, c.ended); err != nil {
		return nil, "", errors.Join(c.why(err), c.stop())
	}
	return c, "http://" + http, nil
}

// signIn returns a session for each caller, each a coordinator of the same hospital with a connection kept open.
func signIn(ctx context.Context, base string, callers int) ([]*sampleline.Session, error) {
	client := &sampleline.Client{Base: base, HTTP: &http.Client{
		Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: callers},
	}}
	sessions := make([]*sampleline.Session, 0, callers)
	for caller := range callers {
		session, err := client.As(ctx, sampleline.Person{Subject: fmt.Sprintf("staff-%d", caller), Organisation: hospital, Role: "coordinator"})
		if err != nil {
			return nil, err
		}
		sessions = append(sessions, session)
	}
	return sessions, nil
}
