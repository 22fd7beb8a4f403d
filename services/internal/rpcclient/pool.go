// Package rpcclient is the way from one service to another.
//
// Invariant: every call has a deadline that leaves its caller time to answer, goes out under the caller it is made for,
// and fails with a fault; nothing a request brought in its own metadata travels on.
package rpcclient

import (
	"fmt"
	"regexp"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/attribute"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/health" // the client's half of health checking
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"

	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/telemetry"
)

// Config says who calls. Telemetry may be left out; the zero value of each bound means its default.
type Config struct {
	Identity  mtls.Identity
	Registry  discovery.Registry
	Telemetry *telemetry.Telemetry

	DefaultDeadline time.Duration // for a call whose context has none; default 10 s
	MaxReceiveBytes int           // an answer; default 4 MiB
	MaxSendBytes    int           // a request; default 1 MiB, what rpcserver takes
	// MaxInFlight bounds the calls that wait for one service and province, so that a slow one does not tie up the caller; default 512.
	MaxInFlight int
}

const (
	defaultDeadline = 10 * time.Second
	defaultReceive  = 4 << 20
	defaultSend     = 1 << 20
	defaultInFlight = 512
	// There are 34 provinces and a handful of services; more connections than this are a mistake.
	maxConnections = 256
)

// serviceConfig: any instance that reports SERVING, in turn; up to four tries while none has answered. The throttle
// stops retries when most calls fail, so that they do not multiply through the services.
const serviceConfig = `{
  "loadBalancingConfig": [{"round_robin": {}}],
  "healthCheckConfig": {"serviceName": %q},
  "retryThrottling": {"maxTokens": 50, "tokenRatio": 0.2},
  "methodConfig": [{
    "name": [{}],
    "waitForReady": false,
    "retryPolicy": {
      "maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "0.5s", "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }]
}`

// Pool holds one connection for each service and province.
type Pool struct {
	config Config

	mu          sync.Mutex
	connections map[string]*grpc.ClientConn
	closed      bool
}

// New returns an empty pool; connections are made when first used.
func New(config Config) *Pool {
	if config.DefaultDeadline <= 0 {
		config.DefaultDeadline = defaultDeadline
	}
	if config.MaxReceiveBytes <= 0 {
		config.MaxReceiveBytes = defaultReceive
	}
	if config.MaxSendBytes <= 0 {
		config.MaxSendBytes = defaultSend
	}
	if config.MaxInFlight <= 0 {
		config.MaxInFlight = defaultInFlight
	}
	return &Pool{config: config, connections: map[string]*grpc.ClientConn{}}
}

var (
	serviceFormat  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	provinceFormat = regexp.MustCompile(`^[0-9]{6}$`)
)

// Conn returns the connection to a service that serves the province; an empty province means all of them. It does not
// wait for an instance: a call fails with PEER_UNAVAILABLE while there is none.
func (p *Pool) Conn(service, province string) (grpc.ClientConnInterface, error) {
	if province == "" {
		province = discovery.AllProvinces
	}
	if !serviceFormat.MatchString(service) || !provinceFormat.MatchString(province) {
		return nil, fmt.Errorf("no such service or province: %q, %q", service, province)
	}
	key := service + "/" + province
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, unavailable()
	}
	if connection, ok := p.connections[key]; ok {
		return connection, nil
	}
	if len(p.connections) >= maxConnections {
		return nil, unavailable()
	}
	connection, err := grpc.NewClient(discovery.Scheme+":///"+key, p.options(service, province)...)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", key, err)
	}
	p.connections[key] = connection
	return connection, nil
}

// Close ends the connections; calls under way fail.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for key, connection := range p.connections {
		// The only error is that it was closed already.
		_ = connection.Close()
		delete(p.connections, key)
	}
}

func (p *Pool) options(service, province string) []grpc.DialOption {
	guard := &outgoing{config: p.config, slots: make(chan struct{}, p.config.MaxInFlight)}
	return []grpc.DialOption{
		grpc.WithResolvers(p.config.Registry.Builder()),
		grpc.WithTransportCredentials(credentials.NewTLS(p.config.Identity.ClientConfig(service))),
		grpc.WithDefaultServiceConfig(fmt.Sprintf(serviceConfig, service)),
		grpc.WithDisableServiceConfig(),
		// Peers are reached directly: a proxy from the environment has no part in this.
		grpc.WithNoProxy(),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 3 * time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second, PermitWithoutStream: true}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(p.config.MaxReceiveBytes), grpc.MaxCallSendMsgSize(p.config.MaxSendBytes)),
		grpc.WithStatsHandler(p.observer(province)),
		grpc.WithStatsHandler(named{}),
		grpc.WithUnaryInterceptor(guard.unary),
		grpc.WithStreamInterceptor(guard.stream),
	}
}

func (p *Pool) observer(province string) stats.Handler {
	var options []otelgrpc.Option
	if province != discovery.AllProvinces {
		options = append(options, otelgrpc.WithSpanAttributes(attribute.String("huhang.province", province)))
	}
	if t := p.config.Telemetry; t != nil {
		options = append(options, otelgrpc.WithTracerProvider(t.TracerProvider),
			otelgrpc.WithMeterProvider(t.MeterProvider), otelgrpc.WithPropagators(t.Propagator))
	}
	return otelgrpc.NewClientHandler(options...)
}

func unavailable() *fault.Fault {
	return fault.New(fault.Unavailable, fault.PeerUnavailable, "",
		"A needed service is not reachable now.", "所需服务暂时无法访问。")
}
