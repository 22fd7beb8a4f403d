package discovery

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	grpcbackoff "google.golang.org/grpc/backoff"
	"google.golang.org/grpc/resolver"

	"huhang.example/services/internal/clock"
)

const (
	defaultTTL = 5 * time.Second
	// opTimeout bounds one request to etcd; a first call waits at most this long for an etcd that does not answer.
	opTimeout = 2 * time.Second
	// maxAnswer bounds one answer of etcd, some 10,000 instances.
	maxAnswer = 4 << 20
)

// Config says how to reach etcd. There is no clock in it: leases run by etcd's real time, so a registry with a
// clock that a test moves would lose them.
type Config struct {
	Endpoints []string    // host:port, or https://host:port
	TLS       *tls.Config // nil for an etcd without TLS, on loopback
	// TTL is how long an instance that died stands in etcd; default 5 s, whole seconds.
	TTL time.Duration
	// Grace is how long instances that vanished while etcd was in trouble are still called; default 2 TTL, negative: not at all.
	Grace time.Duration
	// CacheDir, when set, keeps the last known instances, so that a process can start while etcd is away.
	CacheDir string
	Log      *slog.Logger
}

// Etcd is the registry of a fleet.
type Etcd struct {
	client *clientv3.Client
	ttl    time.Duration
	grace  time.Duration
	log    *slog.Logger
	clock  clock.Clock
	cache  *cache
	strays strays

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	mu     sync.Mutex // closed, and wg against Close
	closed bool
	wg     sync.WaitGroup
}

var _ Registry = (*Etcd)(nil)

// NewEtcd returns a registry over etcd. It does not wait for a connection; an error means a faulty configuration.
func NewEtcd(cfg Config) (*Etcd, error) {
	if len(cfg.Endpoints) == 0 {
		return nil, errors.New("discovery: no etcd endpoints")
	}
	for _, ep := range cfg.Endpoints {
		// The etcd client silently speaks plain text to such an endpoint, whatever TLS says.
		if cfg.TLS != nil && strings.HasPrefix(ep, "http://") {
			return nil, fmt.Errorf("discovery: endpoint %q would bypass TLS", ep)
		}
	}
	if cfg.TTL == 0 {
		cfg.TTL = defaultTTL
	}
	if cfg.TTL < time.Second || cfg.TTL%time.Second != 0 {
		return nil, fmt.Errorf("discovery: TTL %v is not whole seconds", cfg.TTL)
	}
	if cfg.Grace == 0 {
		cfg.Grace = 2 * cfg.TTL
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints: cfg.Endpoints,
		TLS:       cfg.TLS,
		// A partition that drops packets is noticed by these; gRPC sends no keepalive more often than every 10 s.
		DialKeepAliveTime:    10 * time.Second,
		DialKeepAliveTimeout: 3 * time.Second,
		PermitWithoutStream:  true,
		MaxCallRecvMsgSize:   maxAnswer,
		MaxUnaryRetries:      2,
		Logger:               zap.NewNop(), // errors are returned to us, and logged once an outage
		DialOptions: []grpc.DialOption{
			grpc.WithNoProxy(), // etcd stands beside us; HTTPS_PROXY is for the world outside
			// gRPC's own back-off grows to two minutes: etcd would be back long before we notice.
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           grpcbackoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
				MinConnectTimeout: opTimeout,
			}),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	e := &Etcd{
		client: client, ttl: cfg.TTL, grace: cfg.Grace, log: cfg.Log, clock: clock.System(),
		cache: newCache(cfg.CacheDir, cfg.Log),
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e, nil
}

// Close ends resolvers and registrations and the connection to etcd. Leases are left to lapse.
func (e *Etcd) Close() error {
	e.mu.Lock()
	closed := e.closed
	e.closed = true
	e.mu.Unlock()
	if closed {
		return nil
	}
	e.cancel()
	e.wg.Wait()
	if err := e.client.Close(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("discovery: close: %w", err)
	}
	return nil
}

// spawn runs f until its context ends, which Close waits for; stop ends it earlier and waits too.
func (e *Etcd) spawn(f func(context.Context)) (stop func(), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	ctx, cancel := context.WithCancel(e.ctx)
	done := make(chan struct{})
	e.wg.Add(1)
	go func() {
		defer e.wg.Done()
		defer close(done)
		f(ctx)
	}()
	return func() { cancel(); <-done }, nil
}

// Builder resolves huhang:///<service>/<province>.
func (e *Etcd) Builder() resolver.Builder { return etcdBuilder{e} }

// List returns the registered instances, ordered by id.
func (e *Etcd) List(ctx context.Context, service, province string) ([]Instance, error) {
	if err := validTarget(service, province); err != nil {
		return nil, err
	}
	listed, _, err := e.list(ctx, prefix(service, province))
	if err != nil {
		return nil, err
	}
	var out []Instance
	for _, rec := range listed {
		if !rec.Leaving {
			out = append(out, rec.Instance)
		}
	}
	slices.SortFunc(out, byID)
	return out, nil
}

// Provinces returns the provinces under which the service is registered, in order.
func (e *Etcd) Provinces(ctx context.Context, service string) ([]string, error) {
	if err := validTarget(service, AllProvinces); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	resp, err := e.client.Get(ctx, root+service+"/", clientv3.WithPrefix())
	if err != nil {
		return nil, fmt.Errorf("discovery: provinces of %s: %w", service, err)
	}
	var out []string
	for _, rec := range e.decodeAll(resp.Kvs) {
		if !rec.Leaving {
			out = append(out, rec.Province)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// list reads a target's records and the revision they are of.
func (e *Etcd) list(ctx context.Context, prefix string) (map[string]record, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	resp, err := e.client.Get(ctx, prefix, clientv3.WithPrefix())
	if err != nil {
		return nil, 0, fmt.Errorf("discovery: list %s: %w", prefix, err)
	}
	return e.decodeAll(resp.Kvs), resp.Header.Revision, nil
}

// decodeAll skips what it cannot read: one faulty record must not hide the others.
func (e *Etcd) decodeAll(kvs []*mvccpb.KeyValue) map[string]record {
	out := make(map[string]record, len(kvs))
	for _, kv := range kvs {
		rec, err := decode(string(kv.Key), kv.Value)
		if err != nil {
			e.log.Error("discovery: ignored a record", "error", err)
			continue
		}
		out[string(kv.Key)] = rec
	}
	return out
}

// watch streams changes of a prefix from a revision until the connection breaks or etcd ends it. The client library's
// own watcher is not used because it hides reconnects: after one, etcd may have lost leases or all its data.
func (e *Etcd) watch(ctx context.Context, prefix string, rev int64) (pb.Watch_WatchClient, error) {
	stream, err := pb.NewWatchClient(e.client.ActiveConnection()).Watch(clientv3.WithRequireLeader(ctx))
	if err != nil {
		return nil, err
	}
	create := &pb.WatchCreateRequest{
		Key: []byte(prefix), RangeEnd: []byte(clientv3.GetPrefixRangeEnd(prefix)), StartRevision: rev,
	}
	return stream, stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: create}})
}

// backoff is the wait before try n (from 0): 50 ms doubling to a third of the TTL, of which a random half is taken
// off so that a fleet does not come back in step.
func (e *Etcd) backoff(n int) time.Duration {
	return jitter(min(50*time.Millisecond<<min(n, 10), e.ttl/3))
}

func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }
