package discovery_test

import (
	"context"
	"crypto/tls"
	"net/url"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"
	"google.golang.org/grpc/status"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/etcd"
)

func TestRegisterListDeregister(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	for name, reg := range map[string]discovery.Registry{"etcd": c.registry(nil), "static": discovery.NewStatic(nil)} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			var regs []*discovery.Registration
			for _, inst := range []discovery.Instance{
				{Service: "settlement", Province: "360000", ID: "s-2", Addr: "127.0.0.1:2", Metadata: map[string]string{"zone": "a"}},
				{Service: "settlement", Province: "360000", ID: "s-1", Addr: "[::1]:1", Version: "v2"},
				{Service: "settlement", Province: "340000", ID: "s-1", Addr: "127.0.0.1:1"},
				{Service: "settle", Province: "110000", ID: "s-1", Addr: "host.example:1"},
			} {
				r, err := reg.Register(ctx, inst)
				if err != nil {
					t.Fatal(err)
				}
				if err := r.Wait(ctx); err != nil {
					t.Fatal(err)
				}
				regs = append(regs, r)
			}
			provinces, err := reg.Provinces(ctx, "settlement")
			if err != nil || !slices.Equal(provinces, []string{"340000", "360000"}) {
				t.Errorf("provinces %v, %v", provinces, err)
			}
			list, err := reg.List(ctx, "settlement", "360000")
			if err != nil || len(list) != 2 || list[0].Version != "v2" || list[1].Metadata["zone"] != "a" {
				t.Errorf("list %v, %v", list, err)
			}
			for range 2 { // the second call does nothing
				if err := regs[0].Deregister(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if list, err = reg.List(ctx, "settlement", "360000"); err != nil || len(list) != 1 {
				t.Errorf("after leaving: %v, %v", list, err)
			}
			if err := reg.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := reg.Register(ctx, list[0]); err == nil {
				t.Error("a closed registry registered")
			}
		})
	}
}

func TestFaultyInstancesAreRefused(t *testing.T) {
	t.Parallel()
	good := discovery.Instance{Service: "patient", Province: "000000", ID: "p-1", Addr: "127.0.0.1:80"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*discovery.Instance){
		"service with a slash":  func(i *discovery.Instance) { i.Service = "a/b" },
		"no service":            func(i *discovery.Instance) { i.Service = "" },
		"province name":         func(i *discovery.Instance) { i.Province = "江西" },
		"short province":        func(i *discovery.Instance) { i.Province = "36" },
		"id with a slash":       func(i *discovery.Instance) { i.ID = "../x" },
		"no id":                 func(i *discovery.Instance) { i.ID = "" },
		"long id":               func(i *discovery.Instance) { i.ID = strings.Repeat("a", 65) },
		"no port":               func(i *discovery.Instance) { i.Addr = "127.0.0.1" },
		"port 0":                func(i *discovery.Instance) { i.Addr = "127.0.0.1:0" },
		"named port":            func(i *discovery.Instance) { i.Addr = "127.0.0.1:http" },
		"wildcard":              func(i *discovery.Instance) { i.Addr = "0.0.0.0:80" },
		"wildcard v6":           func(i *discovery.Instance) { i.Addr = "[::]:80" },
		"no host":               func(i *discovery.Instance) { i.Addr = ":80" },
		"more than 8 KiB of it": func(i *discovery.Instance) { i.Metadata = map[string]string{"x": strings.Repeat("x", 9<<10)} },
	} {
		inst := good
		spoil(&inst)
		reg := newRegistry(t, "127.0.0.1:1", nil)
		if _, err := reg.Register(context.Background(), inst); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestFaultyConfigsAreRefused(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]discovery.Config{
		"no endpoints":       {},
		"TTL of no seconds":  {Endpoints: []string{"127.0.0.1:1"}, TTL: 1500 * time.Millisecond},
		"negative TTL":       {Endpoints: []string{"127.0.0.1:1"}, TTL: -time.Second},
		"plain text and TLS": {Endpoints: []string{"http://127.0.0.1:1"}, TLS: &tls.Config{MinVersion: tls.VersionTLS13}},
	} {
		if _, err := discovery.NewEtcd(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// The stock resolver lets a first call hang past its deadline.
func TestFirstCallWhileEtcdIsAway(t *testing.T) {
	t.Parallel()
	silent, refusing := newProxy(t), newProxy(t)
	silent.freeze()
	c := newCluster(t)
	silent.restore(c.server.Endpoints()[0])
	for name, endpoint := range map[string]string{"silent": silent.addr(), "refusing": refusing.addr()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, newRegistry(t, endpoint, nil), balanced)
			began := clock.System().Now()
			_, err := who(conn, 300*time.Millisecond)
			if took := clock.System().Now().Sub(began); err == nil || took > 2*time.Second {
				t.Errorf("took %v and returned %v", took, err)
			}
			if _, err := who(conn, 30*time.Second); !unavailable(err) {
				t.Errorf("with time enough: %v, want UNAVAILABLE", err)
			}
		})
	}
}

func TestNoInstanceFailsAtOnceAndRecovers(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	endless := c.registry(func(cfg *discovery.Config) { cfg.Grace = time.Hour })
	for name, reg := range map[string]discovery.Registry{"etcd": endless, "static": discovery.NewStatic(nil)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, reg, balanced)
			if _, err := who(conn, 30*time.Second); status.Code(err) != codes.Unavailable {
				t.Fatalf("with none: %v, want UNAVAILABLE", err)
			}
			inst := newInstance(t, "m-"+name).register(t, reg)
			await(t, "calls succeed", func() bool { _, err := who(conn, 5*time.Second); return err == nil })
			// One that says it leaves is dropped at once, although it was the last and there is a grace.
			if err := inst.reg.Deregister(context.Background()); err != nil {
				t.Fatal(err)
			}
			await(t, "calls fail", func() bool { _, err := who(conn, 5*time.Second); return unavailable(err) })
		})
	}
}

// Registering does not wait for etcd, and happens when etcd comes.
func TestRegisterWhileEtcdIsAway(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.proxy.cut()
	inst := newInstance(t, "m-1")
	reg, err := c.registry(nil).Register(context.Background(), inst.describe())
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-reg.Registered():
		t.Fatal("registered without etcd")
	default:
	}
	if n := count(t, c.direct()); n != 0 {
		t.Fatalf("%d registered", n)
	}
	c.proxy.restore(c.server.Endpoints()[0])
	<-reg.Registered()
	if n := count(t, c.direct()); n != 1 {
		t.Errorf("%d registered, want 1", n)
	}
}

// In a rolling restart the new process may register under the old one's id before the old one leaves.
func TestSuccessorKeepsItsKey(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	old := newInstance(t, "m-1").register(t, c.registry(nil))
	fresh := newInstance(t, "m-1").register(t, c.registry(nil))
	if err := old.reg.Deregister(context.Background()); err != nil {
		t.Fatal(err)
	}
	list, err := c.direct().List(context.Background(), service, discovery.AllProvinces)
	if err != nil || len(list) != 1 || list[0].Addr != fresh.addr {
		t.Errorf("after the old one left: %v, %v; want %s", list, err, fresh.addr)
	}
}

func TestProcessStartsFromItsCacheWhileEtcdIsAway(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	newInstance(t, "m-1").register(t, c.registry(nil))
	dir := filepath.Join(t.TempDir(), "discovery")
	cached := func(cfg *discovery.Config) { cfg.CacheDir = dir }
	if _, err := who(dial(t, c.registry(cached), balanced), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	c.stop()
	if _, err := who(dial(t, c.registry(cached), balanced), 10*time.Second); err != nil {
		t.Errorf("with a cache: %v", err)
	}
	if _, err := who(dial(t, c.registry(nil), balanced), 10*time.Second); !unavailable(err) {
		t.Errorf("negative control, without a cache: %v, want UNAVAILABLE", err)
	}
}

func TestStaticTargets(t *testing.T) {
	t.Parallel()
	inst := newInstance(t, "m-1")
	conn := dial(t, discovery.NewStatic(map[string][]string{service: {inst.addr}}), balanced)
	if id, err := who(conn, 5*time.Second); err != nil || id != inst.id {
		t.Errorf("%q, %v", id, err)
	}
}

// Not parallel: it counts goroutines.
func TestCloseLeavesNothingRunning(t *testing.T) {
	running := func() (ours []string) {
		buf := make([]byte, 4<<20)
		for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if !strings.Contains(g, "testing.tRunner") &&
				(strings.Contains(g, "internal/discovery.") || strings.Contains(g, "etcd/client/v3") || strings.Contains(g, "internal/etcd.")) {
				ours = append(ours, g)
			}
		}
		return ours
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(strings.Join(running(), "\n\n"))
		}
	})
	server, err := etcd.Start(context.Background(), etcd.Config{Dir: t.TempDir(), Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	reg, err := discovery.NewEtcd(discovery.Config{Endpoints: server.Endpoints(), Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	inst := newInstance(t, "m-1").register(t, reg)
	conn := dial(t, reg, balanced)
	if _, err := who(conn, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if len(running()) == 0 {
		t.Fatal("negative control: nothing is seen running while it runs")
	}
	if err := reg.Close(); err != nil { // under a connection and a registration still in use
		t.Fatal(err)
	}
	if err := inst.reg.Deregister(context.Background()); err == nil {
		t.Error("a closed registry revoked a lease")
	}
	server.Close()
	await(t, "no goroutine is left", func() bool { return len(running()) == 0 })
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

// sink is a gRPC connection as the resolver sees it.
type sink struct {
	mu    sync.Mutex
	told  bool
	addrs []string
	fault error
}

// watchTarget runs a resolver without gRPC behind it.
func watchTarget(t *testing.T, reg discovery.Registry) *sink {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{}
	r, err := reg.Builder().Build(resolver.Target{URL: *u}, s, resolver.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return s
}

func (s *sink) UpdateState(st resolver.State) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told, s.addrs = true, nil
	for _, ep := range st.Endpoints {
		s.addrs = append(s.addrs, ep.Addresses[0].Addr)
	}
	return nil
}

func (s *sink) ReportError(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = err
}

func (s *sink) NewAddress([]resolver.Address) {}

func (s *sink) ParseServiceConfig(string) *serviceconfig.ParseResult { return nil }

func (s *sink) has(addr string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.addrs, addr)
}

func (s *sink) empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told && len(s.addrs) == 0
}

func (s *sink) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}
