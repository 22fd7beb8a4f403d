// Package rpcserver is the way into every service: one gRPC server over mutual TLS, with the same guards for all.
//
// Invariant: a handler runs only for an identified caller who holds the method's right, on a request that keeps the
// proto's constraints, with a deadline; whatever the handler does, the caller gets a fault of the line, never a cause,
// and the process lives on.
package rpcserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"buf.build/go/protovalidate"
	"go.opentelemetry.io/otel/metric"
	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/telemetry"
)

// Config says what is served and where. The zero value of each bound means its default.
type Config struct {
	Service  string // the service's short name, as in discovery and in its certificate: "patient"
	Instance string
	Listen   string // host:port; port 0 takes any free one
	// Advertise is the host:port that peers dial; empty: the address listened on.
	Advertise string
	// Provinces to register under; empty: all of them, discovery.AllProvinces.
	Provinces []string

	MaxConcurrentStreams uint32        // a connection; default 100
	MaxConnections       int           // default 1024
	MaxReceiveBytes      int           // a request; default 1 MiB
	DefaultDeadline      time.Duration // for a call that brings none; default 15 s
	MaxDeadline          time.Duration // default 60 s
	MaxStream            time.Duration // how long a stream may live before its client has to resume; default 30 min
}

// Deps are the parts a server uses. Registry, Telemetry, Log, Clock and OnDenied may be left out.
type Deps struct {
	Identity  mtls.Identity
	Registry  discovery.Registry
	Telemetry *telemetry.Telemetry
	Log       *slog.Logger
	Clock     clock.Clock
	// OnDenied hears of every call refused for want of a right, for the audit log.
	OnDenied func(ctx context.Context, caller access.Caller, fullMethod string)
}

const (
	defaultStreams     = 100
	defaultConnections = 1024
	defaultReceive     = 1 << 20
	defaultDeadline    = 15 * time.Second
	maxDeadline        = 60 * time.Second
	maxStream          = 30 * time.Minute

	// How long a start waits to be visible, and a stop to be invisible, before it goes on without etcd.
	registerLimit   = 2 * time.Second
	deregisterLimit = time.Second
	// How long a health watch may go on after it had NOT_SERVING to say.
	watchLimit = 500 * time.Millisecond
	// How long handlers that were cut off may take to return.
	noticeLimit = 250 * time.Millisecond
)

func (c Config) withDefaults() Config {
	setDefault(&c.MaxConcurrentStreams, defaultStreams)
	setDefault(&c.MaxConnections, defaultConnections)
	setDefault(&c.MaxReceiveBytes, defaultReceive)
	setDefault(&c.DefaultDeadline, defaultDeadline)
	setDefault(&c.MaxDeadline, maxDeadline)
	setDefault(&c.MaxStream, maxStream)
	if len(c.Provinces) == 0 {
		c.Provinces = []string{discovery.AllProvinces}
	}
	return c
}

func setDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// Server is one service's gRPC server.
type Server struct {
	config    Config
	deps      Deps
	grpc      *grpc.Server
	health    *health.Server
	validator protovalidate.Validator
	setupErr  error
	denied    metric.Int64Counter

	methods map[string]method // what is registered, fixed at Start
	ending  context.Context   // done when streams have to end
	end     context.CancelCauseFunc
	unseen  context.Context // done when health watches have to end: they are to say NOT_SERVING first
	hide    context.CancelCauseFunc

	mu            sync.Mutex
	listener      net.Listener
	served        chan struct{} // closed when Serve has returned
	serveErr      error
	registrations []*discovery.Registration
	stopped       bool
}

// New returns a server to register services with; what is wrong with the settings is told by Start.
func New(config Config, deps Deps) *Server {
	s := &Server{config: config.withDefaults(), deps: deps, health: health.NewServer()}
	if s.deps.Log == nil {
		s.deps.Log = slog.New(slog.DiscardHandler)
	}
	if s.deps.Clock == nil {
		s.deps.Clock = clock.System()
	}
	s.ending, s.end = context.WithCancelCause(context.Background())
	s.unseen, s.hide = context.WithCancelCause(context.Background())
	s.setupErr = s.instruments()
	s.grpc = grpc.NewServer(s.options()...)
	healthv1.RegisterHealthServer(s.grpc, s.health)
	reflection.Register(s.grpc)
	return s
}

// GRPC takes the services; all of them before Start.
func (s *Server) GRPC() grpc.ServiceRegistrar { return s.grpc }

// Addr returns host:port listened on; empty before Start.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Name is the service's name.
func (s *Server) Name() string { return s.config.Service }

// Start listens, serves, and only then tells discovery.
func (s *Server) Start(ctx context.Context) error {
	if err := s.check(); err != nil {
		return fmt.Errorf("%s: %w", s.config.Service, err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.config.Listen)
	if err != nil {
		return fmt.Errorf("%s: %w", s.config.Service, err)
	}
	s.methods = s.describe()
	served := make(chan struct{})
	s.mu.Lock()
	s.listener, s.served = listener, served
	s.mu.Unlock()
	go func() {
		defer close(served)
		err := s.grpc.Serve(netutil.LimitListener(listener, s.config.MaxConnections))
		// A stop that overtakes this goroutine is no failure: the listener is closed all the same.
		if err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			s.mu.Lock()
			s.serveErr = err
			s.mu.Unlock()
			s.deps.Log.Error("serving ended", slog.Any("error", err))
		}
	}()
	s.setServing()
	if err := s.register(ctx); err != nil {
		return errors.Join(fmt.Errorf("%s: register: %w", s.config.Service, err), s.Stop(ctx))
	}
	s.deps.Log.InfoContext(ctx, "serving", slog.String("address", s.Addr()), slog.Any("provinces", s.config.Provinces))
	return nil
}

func (s *Server) check() error {
	switch {
	case s.setupErr != nil:
		return s.setupErr
	case s.config.Service == "" || s.config.Instance == "" || s.config.Listen == "":
		return errors.New("service, instance and listen address are needed")
	case s.deps.Identity.Kind != mtls.KindService || s.deps.Identity.Name != s.config.Service:
		// Clients would refuse it: they look for service/<name>.
		return fmt.Errorf("the identity is %s/%s", s.deps.Identity.Kind, s.deps.Identity.Name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil || s.stopped {
		return errors.New("started already")
	}
	return nil
}

// setServing reports the whole, the short name that our clients ask for, and each registered service.
func (s *Server) setServing() {
	s.health.SetServingStatus("", healthv1.HealthCheckResponse_SERVING)
	s.health.SetServingStatus(s.config.Service, healthv1.HealthCheckResponse_SERVING)
	for name := range s.grpc.GetServiceInfo() {
		s.health.SetServingStatus(name, healthv1.HealthCheckResponse_SERVING)
	}
}

func (s *Server) register(ctx context.Context) error {
	if s.deps.Registry == nil {
		return nil
	}
	address := s.config.Advertise
	if address == "" {
		address = s.Addr()
	}
	for _, province := range s.config.Provinces {
		registration, err := s.deps.Registry.Register(ctx, discovery.Instance{
			Service: s.config.Service, Province: province, ID: s.config.Instance, Addr: address,
		})
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.registrations = append(s.registrations, registration)
		s.mu.Unlock()
	}
	wait, cancel := context.WithTimeout(ctx, registerLimit)
	defer cancel()
	for _, registration := range s.registrations {
		// Without etcd those who know this instance still call it, and the registration comes later by itself.
		if err := registration.Wait(wait); err != nil {
			s.deps.Log.WarnContext(ctx, "not registered yet", slog.Any("error", err))
			break
		}
	}
	return ctx.Err()
}

// errEnding is why a stream ends while its handler would go on.
var errEnding = errors.New("the stream has to be resumed")

// Stop leaves discovery, reports NOT_SERVING, lets calls in flight finish while ctx lasts, and then ends them.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	registrations, served, stopped := s.registrations, s.served, s.stopped
	s.registrations, s.stopped = nil, true
	s.mu.Unlock()
	if stopped {
		return nil
	}
	// An etcd that is away must not eat the time for draining: its entry ends with the lease.
	leave, cancel := context.WithTimeout(ctx, deregisterLimit)
	var leaving sync.WaitGroup
	for _, registration := range registrations {
		leaving.Go(func() {
			if err := registration.Deregister(leave); err != nil {
				s.deps.Log.WarnContext(ctx, "not deregistered", slog.Any("error", err))
			}
		})
	}
	leaving.Wait()
	cancel()
	s.health.Shutdown()
	s.end(errEnding)
	// Clients leave their watches when the connection says goodbye; those that do not are ended.
	watched, cancel := context.WithTimeout(context.WithoutCancel(ctx), watchLimit)
	defer cancel()
	context.AfterFunc(watched, func() { s.hide(errEnding) })
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		s.grpc.GracefulStop()
	}()
	var err error
	select {
	case <-drained:
	case <-ctx.Done():
		err = fmt.Errorf("%s: calls were cut off: %w", s.config.Service, ctx.Err())
		s.grpc.Stop()
		// Handlers get a moment to notice; one that never does must not hold up the rest of the stop.
		notice, cancel := context.WithTimeout(context.WithoutCancel(ctx), noticeLimit)
		defer cancel()
		select {
		case <-drained:
		case <-notice.Done():
		}
	}
	if served != nil {
		<-served
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(err, s.serveErr)
}
