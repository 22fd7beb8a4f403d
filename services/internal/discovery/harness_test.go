package discovery_test

import (
	"context"
	"flag"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/etcd"
)

const (
	service = "matching"
	target  = "huhang:///matching/000000"
	ttl     = 2 * time.Second

	balanced = `{"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":""}}`
	retrying = `{"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":""},
		"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":4,"initialBackoff":"0.02s","maxBackoff":"0.2s",
		"backoffMultiplier":2,"retryableStatusCodes":["UNAVAILABLE"]}}]}`
)

// These tests wait for leases and outages rather than compute: more of them than processors run side by side.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// await waits for a condition with a generous limit.
func await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	limit := time.After(40 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("never happened: %s", what)
		}
	}
}

// elapse lets real time pass where the passing is what is tested: an outage that outlasts leases.
func elapse(d time.Duration) { <-time.After(d) }

// cluster is an etcd behind a proxy that can fail, so that etcd may be stopped and move while its address stays.
type cluster struct {
	t      *testing.T
	dir    string
	server *etcd.Server
	proxy  *proxy
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir(), proxy: newProxy(t)}
	c.start("data")
	t.Cleanup(func() {
		c.proxy.cut()
		c.server.Close()
	})
	return c
}

func (c *cluster) start(data string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	server, err := etcd.Start(ctx, etcd.Config{Dir: filepath.Join(c.dir, data), Log: quiet()})
	if err != nil {
		c.t.Fatal(err)
	}
	c.server = server
	c.proxy.restore(server.Endpoints()[0])
}

func (c *cluster) stop() {
	c.proxy.cut()
	c.server.Close()
}

// registry connects through the cluster's proxy.
func (c *cluster) registry(change func(*discovery.Config)) *discovery.Etcd {
	c.t.Helper()
	return newRegistry(c.t, c.proxy.addr(), change)
}

// direct connects past every proxy, as the test's own eyes.
func (c *cluster) direct() *discovery.Etcd {
	c.t.Helper()
	return newRegistry(c.t, c.server.Endpoints()[0], nil)
}

// behind puts a proxy of its own before the same etcd, for a party that is partitioned alone.
func (c *cluster) behind() *proxy {
	p := newProxy(c.t)
	p.restore(c.server.Endpoints()[0])
	return p
}

func newRegistry(t *testing.T, endpoint string, change func(*discovery.Config)) *discovery.Etcd {
	t.Helper()
	cfg := discovery.Config{Endpoints: []string{endpoint}, TTL: ttl, Log: quiet()}
	if change != nil {
		change(&cfg)
	}
	reg, err := discovery.NewEtcd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := reg.Close(); err != nil {
			t.Error(err)
		}
	})
	return reg
}

func count(t *testing.T, reg discovery.Registry) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	list, err := reg.List(ctx, service, discovery.AllProvinces)
	if err != nil {
		return -1
	}
	return len(list)
}

// instance is a real gRPC server that says who it is.
type instance struct {
	id     string
	addr   string
	server *grpc.Server
	reg    *discovery.Registration
}

func newInstance(t *testing.T, id string) *instance {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	i := &instance{id: id, addr: l.Addr().String(), server: grpc.NewServer()}
	healthpb.RegisterHealthServer(i.server, health.NewServer())
	i.server.RegisterService(&grpc.ServiceDesc{ServiceName: "test.Who", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
		MethodName: "Who",
		Handler: func(_ any, _ context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			return wrapperspb.String(id), dec(&emptypb.Empty{})
		},
	}}}, nil)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = i.server.Serve(l) // ends with Stop
	}()
	t.Cleanup(func() {
		i.server.Stop()
		<-served
	})
	return i
}

func (i *instance) describe() discovery.Instance {
	return discovery.Instance{Service: service, Province: discovery.AllProvinces, ID: i.id, Addr: i.addr, Version: "v1"}
}

func (i *instance) register(t *testing.T, reg discovery.Registry) *instance {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var err error
	if i.reg, err = reg.Register(ctx, i.describe()); err != nil {
		t.Fatal(err)
	}
	if err := i.reg.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	return i
}

func dial(t *testing.T, reg discovery.Registry, config string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append(opts, grpc.WithResolvers(reg.Builder()), grpc.WithDefaultServiceConfig(config),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(target, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func who(conn *grpc.ClientConn, timeout time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var out wrapperspb.StringValue
	err := conn.Invoke(ctx, "/test.Who/Who", &emptypb.Empty{}, &out)
	return out.GetValue(), err
}

// traffic calls without pause from several callers and counts.
type traffic struct {
	callers    int
	ok, failed atomic.Int64
	first      atomic.Pointer[error]
	stopped    context.CancelFunc
	wg         sync.WaitGroup
}

func startTraffic(t *testing.T, conn *grpc.ClientConn) *traffic {
	t.Helper()
	await(t, "the first answer", func() bool { _, err := who(conn, 5*time.Second); return err == nil })
	ctx, cancel := context.WithCancel(context.Background())
	f := &traffic{callers: 4, stopped: cancel}
	for range f.callers {
		f.wg.Go(func() {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for ctx.Err() == nil {
				if _, err := who(conn, 20*time.Second); err != nil {
					f.failed.Add(1)
					f.first.CompareAndSwap(nil, &err)
				} else {
					f.ok.Add(1)
				}
				<-tick.C
			}
		})
	}
	t.Cleanup(f.stop)
	return f
}

func (f *traffic) stop() { f.stopped(); f.wg.Wait() }

// unbroken ends the traffic and demands that no call failed.
func (f *traffic) unbroken(t *testing.T) {
	t.Helper()
	await(t, "calls enough to tell", func() bool { return f.ok.Load() >= 100 })
	f.stop()
	if n := f.failed.Load(); n != 0 {
		t.Errorf("%d of %d calls failed, the first with: %v", n, n+f.ok.Load(), *f.first.Load())
	}
}

func unavailable(err error) bool { return status.Code(err) == codes.Unavailable }

// proxy is a TCP proxy that can cut (refuse and break) and freeze (hold every byte, break nothing).
type proxy struct {
	listener net.Listener
	mu       sync.Mutex
	backend  string // empty: cut
	conns    map[net.Conn]struct{}
	thawed   chan struct{} // closed unless frozen
	wg       sync.WaitGroup
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, conns: map[net.Conn]struct{}{}, thawed: make(chan struct{})}
	close(p.thawed)
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		p.thaw()
		p.cut()
		_ = l.Close()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		down, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		up, err := net.Conn(nil), io.ErrClosedPipe
		if p.backend != "" {
			up, err = net.Dial("tcp", p.backend)
		}
		if err != nil {
			p.mu.Unlock()
			_ = down.Close()
			continue
		}
		p.conns[down], p.conns[up] = struct{}{}, struct{}{}
		p.mu.Unlock()
		p.wg.Go(func() { p.pipe(down, up) })
		p.wg.Go(func() { p.pipe(up, down) })
	}
}

func (p *proxy) pipe(from, to net.Conn) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		thawed := p.thawed
		p.mu.Unlock()
		<-thawed
		if err == nil {
			_, err = to.Write(buf[:n])
		}
		if err != nil {
			_, _ = from.Close(), to.Close()
			p.mu.Lock()
			delete(p.conns, from)
			p.mu.Unlock()
			return
		}
	}
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.backend = ""
	for c := range p.conns {
		_ = c.Close()
	}
}

func (p *proxy) restore(backend string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.backend = backend
}

func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.thawed = make(chan struct{})
}

func (p *proxy) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.thawed:
	default:
		close(p.thawed)
	}
}
