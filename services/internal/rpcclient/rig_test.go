package rpcclient_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/rpcclient"
	"huhang.example/services/internal/rpcserver"
	"huhang.example/services/internal/rpcserver/echotest"
)

const limit = 20 * time.Second // for what must happen at all

// line is an authority, a registry, and servers of "patient" that a pool of "referral" calls.
type line struct {
	t         *testing.T
	authority *mtls.Authority
	registry  *discovery.Static
}

func newLine(t *testing.T) *line {
	t.Helper()
	authority, err := mtls.DevAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &line{t: t, authority: authority, registry: discovery.NewStatic(nil)}
}

func (l *line) identity(service string) mtls.Identity {
	l.t.Helper()
	identity, err := l.authority.Service(service)
	if err != nil {
		l.t.Fatal(err)
	}
	return identity
}

// serve starts an instance of "patient"; it is stopped within a tenth of a second, calls in flight or not.
func (l *line) serve(instance string, handler echotest.Handler, stream echotest.Stream, settings ...func(*rpcserver.Config, *rpcserver.Deps)) *rpcserver.Server {
	l.t.Helper()
	config := rpcserver.Config{Service: "patient", Instance: instance, Listen: "127.0.0.1:0"}
	deps := rpcserver.Deps{Identity: l.identity("patient"), Registry: l.registry, Log: slog.New(slog.DiscardHandler)}
	for _, set := range settings {
		set(&config, &deps)
	}
	server := rpcserver.New(config, deps)
	echotest.Register(server.GRPC(), handler, stream)
	if err := server.Start(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { kill(server) })
	return server
}

// kill ends a server without waiting for anybody.
func kill(server *rpcserver.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_ = server.Stop(ctx) // that calls were cut off is what is wanted
}

func (l *line) pool(settings ...func(*rpcclient.Config)) *rpcclient.Pool {
	l.t.Helper()
	config := rpcclient.Config{Identity: l.identity("referral"), Registry: l.registry}
	for _, set := range settings {
		set(&config)
	}
	pool := rpcclient.New(config)
	l.t.Cleanup(pool.Close)
	return pool
}

func patient(t *testing.T, pool *rpcclient.Pool) grpc.ClientConnInterface {
	t.Helper()
	connection, err := pool.Conn("patient", "")
	if err != nil {
		t.Fatal(err)
	}
	return connection
}

func echo(_ context.Context, _ string, request echotest.Request) (string, error) {
	return request.Text, nil
}

// record keeps what handlers were called with.
type record[T any] struct {
	mu  sync.Mutex
	all []T
}

func (r *record[T]) add(value T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, value)
}

func (r *record[T]) list() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]T(nil), r.all...)
}
