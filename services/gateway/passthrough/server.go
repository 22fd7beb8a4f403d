package passthrough

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"huhang.example/services/gateway/limit"
	"huhang.example/services/gateway/route"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/telemetry"
)

// Config says where the server listens. The zero value of each bound means its default.
type Config struct {
	Listen          string
	MaxStream       time.Duration // how long a stream may live before its client has to resume; default 30 min
	MaxMessageBytes int           // a request's message; default 1 MiB
}

// Deps are the parts of the server. Telemetry may be left out.
type Deps struct {
	Router    *route.Router
	Limiter   *limit.Limiter
	Identity  mtls.Identity
	Clock     clock.Clock
	Log       *slog.Logger
	Telemetry *telemetry.Telemetry
}

const (
	defaultStream  = 30 * time.Minute
	defaultMessage = 1 << 20
	maxAnswer      = 4 << 20
	maxReceived    = 4 << 20 // beyond what a message may be, so that a refusal can say why
	maxStreams     = 100
	maxConnections = 1024
	maxHeaderBytes = 16 << 10
	handshakeLimit = 5 * time.Second
	maxAge         = 30 * time.Minute
	noticeLimit    = 250 * time.Millisecond
)

// Server is the gRPC face of the gateway.
type Server struct {
	config Config
	deps   Deps
	codec  codec
	grpc   *grpc.Server
	health *health.Server
	ending context.Context
	end    context.CancelCauseFunc

	mu       sync.Mutex
	listener net.Listener
	served   chan struct{}
	serveErr error
	stopped  bool
}

// New returns a server.
func New(config Config, deps Deps) *Server {
	if config.MaxStream <= 0 {
		config.MaxStream = defaultStream
	}
	if config.MaxMessageBytes <= 0 {
		config.MaxMessageBytes = defaultMessage
	}
	s := &Server{config: config, deps: deps, codec: newCodec(), health: health.NewServer()}
	s.ending, s.end = context.WithCancelCause(context.Background())
	s.grpc = grpc.NewServer(
		grpc.Creds(credentials.NewTLS(deps.Identity.ServerConfig())),
		grpc.ForceServerCodecV2(s.codec),
		grpc.UnknownServiceHandler(s.handle),
		grpc.ConnectionTimeout(handshakeLimit),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.MaxRecvMsgSize(maxReceived),
		grpc.MaxSendMsgSize(maxAnswer),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: 30 * time.Second, Timeout: 10 * time.Second, MaxConnectionAge: maxAge, MaxConnectionAgeGrace: maxDeadline,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
		grpc.StatsHandler(s.observer()),
	)
	healthv1.RegisterHealthServer(s.grpc, s.health)
	reflectionv1.RegisterServerReflectionServer(s.grpc, reflection.NewServerV1(reflection.ServerOptions{
		Services: publicServices{}, DescriptorResolver: protoregistry.GlobalFiles,
	}))
	return s
}

func (s *Server) observer() stats.Handler {
	options := []otelgrpc.Option{otelgrpc.WithFilter(func(info *stats.RPCTagInfo) bool {
		// Whoever invents method names must not make spans and metrics grow.
		_, known := route.Find(info.FullMethodName)
		return known
	})}
	if t := s.deps.Telemetry; t != nil {
		options = append(options, otelgrpc.WithTracerProvider(t.TracerProvider),
			otelgrpc.WithMeterProvider(t.MeterProvider), otelgrpc.WithPropagators(t.Propagator))
	}
	return otelgrpc.NewServerHandler(options...)
}

// publicServices are what reflection lists.
type publicServices struct{}

// GetServiceInfo names each service that has a method somebody outside the line may call.
func (publicServices) GetServiceInfo() map[string]grpc.ServiceInfo {
	found := map[string]grpc.ServiceInfo{}
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				target, ok := route.Find("/" + string(service.FullName()) + "/" + string(service.Methods().Get(j).Name()))
				if ok && target.Public {
					found[string(service.FullName())] = grpc.ServiceInfo{Metadata: file.Path()}
				}
			}
		}
		return true
	})
	return found
}

// Addr returns host:port listened on; empty before Start.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Start listens and serves.
func (s *Server) Start(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.config.Listen)
	if err != nil {
		return err
	}
	served := make(chan struct{})
	s.mu.Lock()
	s.listener, s.served = listener, served
	s.mu.Unlock()
	s.health.SetServingStatus("", healthv1.HealthCheckResponse_SERVING)
	for name := range (publicServices{}).GetServiceInfo() {
		s.health.SetServingStatus(name, healthv1.HealthCheckResponse_SERVING)
	}
	go func() {
		defer close(served)
		if err := s.grpc.Serve(netutil.LimitListener(listener, maxConnections)); err != nil {
			s.mu.Lock()
			s.serveErr = err
			s.mu.Unlock()
			s.deps.Log.Error("gRPC serving ended", slog.Any("error", err))
		}
	}()
	return nil
}

// Stop reports NOT_SERVING, lets calls in flight finish while ctx lasts, and then ends them.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	served, stopped := s.served, s.stopped
	s.stopped = true
	s.mu.Unlock()
	if stopped {
		return nil
	}
	s.health.Shutdown()
	s.end(errEnding)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		s.grpc.GracefulStop()
	}()
	var err error
	select {
	case <-drained:
	case <-ctx.Done():
		err = fmt.Errorf("gRPC calls were cut off: %w", ctx.Err())
		s.grpc.Stop()
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

// protobuf reports whether a call's content type is the one encoding that services take.
func protobuf(contentType []string) bool {
	return len(contentType) == 0 || len(contentType) == 1 &&
		(contentType[0] == "application/grpc" || strings.HasPrefix(contentType[0], "application/grpc+proto"))
}
