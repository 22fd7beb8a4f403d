package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"huhang.example/services/gateway/devissuer"
	"huhang.example/services/gateway/limit"
	"huhang.example/services/gateway/passthrough"
	"huhang.example/services/gateway/ready"
	"huhang.example/services/gateway/rest"
	"huhang.example/services/gateway/route"
	"huhang.example/services/gateway/signin"
	"huhang.example/services/internal/fleet"
)

const (
	headerLimit    = 5 * time.Second
	exchangeLimit  = 75 * time.Second // above the longest deadline of a request
	idleLimit      = 2 * time.Minute
	maxHeaderBytes = 32 << 10
	maxConnections = 4096
)

// App is the gateway as a service of a fleet.
type App struct {
	config  Config
	deps    fleet.Deps
	limiter *limit.Limiter
	router  *route.Router
	grpc    *passthrough.Server

	ending   context.Context // done when streams have to end
	end      context.CancelFunc
	stopping atomic.Bool

	mu       sync.Mutex
	listener net.Listener
	http     *http.Server
	served   chan error
}

var _ fleet.Service = (*App)(nil)

// New returns a gateway that is not started yet.
func New(_ context.Context, config Config, deps fleet.Deps) (*App, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	a := &App{
		config: config, deps: deps, limiter: limit.New(config.RateLimit, deps.Clock),
		router: route.New(deps.Peers, deps.Registry, config.DefaultSettlementProvince),
	}
	a.ending, a.end = context.WithCancel(context.Background())
	a.grpc = passthrough.New(passthrough.Config{Listen: config.GRPCListen}, passthrough.Deps{
		Router: a.router, Limiter: a.limiter, Identity: deps.Identity, Clock: deps.Clock, Log: deps.Log, Telemetry: deps.Telemetry,
	})
	return a, nil
}

// Name is the service's name.
func (a *App) Name() string { return "gateway" }

// HTTPAddr is host:port of REST; empty before Start.
func (a *App) HTTPAddr() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.listener == nil {
		return ""
	}
	return a.listener.Addr().String()
}

// GRPCAddr is host:port for partner hospitals; empty before Start.
func (a *App) GRPCAddr() string { return a.grpc.Addr() }

// Start listens for gRPC and then for HTTP. It does not wait for the services: /readyz tells when they are there.
func (a *App) Start(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", a.config.Listen)
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	handler, err := a.handler(ctx, listener.Addr().String())
	if err == nil {
		err = a.grpc.Start(ctx)
	}
	if err != nil {
		return fmt.Errorf("gateway: %w", errors.Join(err, listener.Close()))
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerLimit, ReadTimeout: exchangeLimit, WriteTimeout: exchangeLimit,
		IdleTimeout: idleLimit, MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(a.deps.Log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	a.mu.Lock()
	a.listener, a.http, a.served = listener, server, served
	a.mu.Unlock()
	go func() { served <- server.Serve(netutil.LimitListener(listener, maxConnections)) }()
	a.deps.Log.InfoContext(ctx, "serving", slog.String("http", a.HTTPAddr()), slog.String("grpc", a.GRPCAddr()))
	return nil
}

// handler needs the address: it is part of the development issuer's name.
func (a *App) handler(ctx context.Context, address string) (http.Handler, error) {
	issuers := slices.Clone(a.config.Issuers)
	pages := newPages(ready.New(a.deps.Peers, a.deps.Registry, a.deps.Clock, a.stopping.Load), a.config)
	if a.config.DevIssuer {
		issuer, err := devissuer.Open(a.config.StateDir, "http://"+address, a.deps.Clock, rest.Refuse)
		if err != nil {
			return nil, err
		}
		issuers = append(issuers, issuer.Trust())
		pages.issuer = issuer
		a.deps.Log.WarnContext(ctx, "the development sign-in is on: whoever reaches this address may be anybody")
	}
	verifier, err := signin.New(issuers, a.deps.Clock)
	if err != nil {
		return nil, err
	}
	api, err := rest.New(ctx, rest.Config{MaxBodyBytes: a.config.MaxBodyBytes}, rest.Deps{
		Connection: a.router.Conn(), SignIn: verifier, Limiter: a.limiter, Log: a.deps.Log, Ending: a.ending,
	})
	if err != nil {
		return nil, err
	}
	pages.api = api
	return a.observed(a.guarded(pages)), nil
}

// Stop reports not ready, ends streams, lets requests in flight finish while ctx lasts, and then ends them.
func (a *App) Stop(ctx context.Context) error {
	if a.stopping.Swap(true) {
		return nil
	}
	a.end()
	a.mu.Lock()
	server, served := a.http, a.served
	a.mu.Unlock()
	grpcStopped := make(chan error, 1)
	go func() { grpcStopped <- a.grpc.Stop(ctx) }()
	var failed error
	if server != nil {
		if err := server.Shutdown(ctx); err != nil {
			failed = errors.Join(fmt.Errorf("requests were cut off: %w", err), server.Close())
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			failed = errors.Join(failed, err)
		}
	}
	return errors.Join(failed, <-grpcStopped)
}
