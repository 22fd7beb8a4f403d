package rpcserver_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/rpcserver"
	"huhang.example/services/internal/rpcserver/echotest"
	"huhang.example/services/internal/telemetry"
)

const limit = 20 * time.Second // for what must happen at all

// rig is a server of "patient" with its authority, its log and what its handlers do.
type rig struct {
	t         *testing.T
	authority *mtls.Authority
	registry  *discovery.Static
	server    *rpcserver.Server
	log       *lines
	handler   echotest.Handler
	stream    echotest.Stream
}

type setting func(*rpcserver.Config, *rpcserver.Deps)

func newRig(t *testing.T, settings ...setting) *rig {
	t.Helper()
	authority, err := mtls.DevAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, authority: authority, registry: discovery.NewStatic(nil), log: &lines{}}
	r.handler = func(_ context.Context, _ string, request echotest.Request) (string, error) { return request.Text, nil }
	r.stream = func(_ context.Context, request echotest.Request, send func(string) error) error {
		return send(request.Text)
	}
	config := rpcserver.Config{Service: "patient", Instance: "patient-1", Listen: "127.0.0.1:0"}
	deps := rpcserver.Deps{
		Identity: r.service("patient"), Registry: r.registry,
		Log: telemetry.Logger(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}), "patient"),
	}
	for _, set := range settings {
		set(&config, &deps)
	}
	r.server = rpcserver.New(config, deps)
	echotest.Register(r.server.GRPC(),
		func(ctx context.Context, method string, request echotest.Request) (string, error) {
			return r.handler(ctx, method, request)
		},
		func(ctx context.Context, request echotest.Request, send func(string) error) error {
			return r.stream(ctx, request, send)
		})
	return r
}

// start is for tests that set the handlers first.
func (r *rig) start() *rig {
	r.t.Helper()
	if err := r.server.Start(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := r.server.Stop(ctx); err != nil {
			r.t.Errorf("stop: %v", err)
		}
	})
	return r
}

func (r *rig) service(name string) mtls.Identity {
	r.t.Helper()
	identity, err := r.authority.Service(name)
	if err != nil {
		r.t.Fatal(err)
	}
	return identity
}

func (r *rig) hospital(code string) mtls.Identity {
	r.t.Helper()
	identity, err := r.authority.Hospital(code)
	if err != nil {
		r.t.Fatal(err)
	}
	return identity
}

// as connects with the identity's certificate and nothing else of ours.
func (r *rig) as(identity mtls.Identity) *grpc.ClientConn {
	r.t.Helper()
	return r.dial(identity.ClientConfig("patient"))
}

func (r *rig) dial(config *tls.Config) *grpc.ClientConn {
	r.t.Helper()
	connection, err := grpc.NewClient("passthrough:///"+r.server.Addr(), grpc.WithNoProxy(),
		grpc.WithTransportCredentials(credentials.NewTLS(config)), grpc.WithDisableRetry())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// hasReason checks an error against the code and the reason a caller can rely on.
func hasReason(t *testing.T, err error, code codes.Code, reason string) *status.Status {
	t.Helper()
	s := status.Convert(err)
	if s.Code() != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	if info := detail[*errdetails.ErrorInfo](s); info.GetReason() != reason {
		t.Fatalf("reason %q of %v, want %q", info.GetReason(), err, reason)
	}
	return s
}

func detail[T any](s *status.Status) T {
	for _, d := range s.Details() {
		if found, ok := d.(T); ok {
			return found
		}
	}
	var none T
	return none
}

// lines is a log a test reads.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// find returns the lines with the message.
func (l *lines) find(t *testing.T, message string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for line := range strings.Lines(l.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		if fields["msg"] == message {
			found = append(found, fields)
		}
	}
	return found
}

// within waits for what a test cannot be told of; it fails when it does not come.
func within(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	select {
	case <-done:
	case <-ctx.Done():
		t.Fatalf("%s did not happen", what)
	}
}

var errBroken = errors.New("relation patients: secret of 11010519900307")
