package rpcserver

import (
	"fmt"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"huhang.example/services/internal/access"
)

const (
	handshakeLimit = 5 * time.Second
	maxHeaderBytes = 16 << 10
	maxSendBytes   = 4 << 20
	// Connections are renewed, so that new instances get their share and new certificates are looked at.
	maxConnectionAge = 30 * time.Minute
)

func (s *Server) options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.Creds(credentials.NewTLS(s.deps.Identity.ServerConfig())),
		grpc.ConnectionTimeout(handshakeLimit),
		grpc.MaxConcurrentStreams(s.config.MaxConcurrentStreams),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.MaxRecvMsgSize(s.config.MaxReceiveBytes),
		grpc.MaxSendMsgSize(maxSendBytes),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: 30 * time.Second, Timeout: 10 * time.Second,
			MaxConnectionAge: maxConnectionAge, MaxConnectionAgeGrace: s.config.MaxDeadline,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
		grpc.StatsHandler(s.observer()),
		grpc.ChainUnaryInterceptor(s.answerUnary, s.identifyUnary, s.permitUnary, s.boundUnary, s.referralUnary, s.validateUnary),
		grpc.ChainStreamInterceptor(s.answerStream, s.identifyStream, s.permitStream, s.boundStream, s.messagesStream),
	}
}

func (s *Server) observer() stats.Handler {
	options := []otelgrpc.Option{otelgrpc.WithFilter(s.observed)}
	if t := s.deps.Telemetry; t != nil {
		options = append(options, otelgrpc.WithTracerProvider(t.TracerProvider),
			otelgrpc.WithMeterProvider(t.MeterProvider), otelgrpc.WithPropagators(t.Propagator))
	}
	return otelgrpc.NewServerHandler(options...)
}

// observed keeps methods that do not exist out of spans and metrics: whoever invents names must not make them grow.
func (s *Server) observed(info *stats.RPCTagInfo) bool {
	m, known := s.methods[info.FullMethodName]
	return known && !m.infrastructure
}

func (s *Server) instruments() error {
	var err error
	s.validator, err = protovalidate.New(protovalidate.WithNowFunc(func() *timestamppb.Timestamp {
		return timestamppb.New(s.deps.Clock.Now())
	}))
	if err != nil {
		return fmt.Errorf("validation: %w", err)
	}
	var meters metric.MeterProvider = metricnoop.NewMeterProvider()
	if s.deps.Telemetry != nil {
		meters = s.deps.Telemetry.MeterProvider
	}
	s.denied, err = meters.Meter("huhang.example/rpcserver").Int64Counter("huhang.rpc.denied",
		metric.WithDescription("Calls refused because the caller lacks the right."), metric.WithUnit("{call}"))
	return err
}

// method is what the guards need to know of a registered method.
type method struct {
	// infrastructure is health and reflection: open to whoever has a certificate of the line, and not worth a log line.
	infrastructure bool
	// mutation changes something: it takes a request_id.
	mutation bool
	// referral tells in which field of the request the referral's id stands; empty: nowhere.
	referral protoreflect.Name
}

func (s *Server) describe() map[string]method {
	methods := map[string]method{}
	for service, info := range s.grpc.GetServiceInfo() {
		for _, m := range info.Methods {
			full := "/" + service + "/" + m.Name
			methods[full] = describe(service, full)
		}
	}
	return methods
}

func describe(service, full string) method {
	if strings.HasPrefix(service, "grpc.health.v1.") || strings.HasPrefix(service, "grpc.reflection.") {
		return method{infrastructure: true}
	}
	descriptor, ok := access.Method(full)
	if !ok {
		return method{}
	}
	fields := descriptor.Input().Fields()
	m := method{mutation: fields.ByName("request_id") != nil}
	candidates := []protoreflect.Name{"referral_id"}
	if strings.HasPrefix(service, "huhang.referral.") {
		candidates = append(candidates, "id")
	}
	for _, name := range candidates {
		if f := fields.ByName(name); f != nil && f.Kind() == protoreflect.StringKind && !f.IsList() {
			m.referral = name
			break
		}
	}
	return m
}
