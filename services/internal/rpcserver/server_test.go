package rpcserver_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/rpcserver"
	"huhang.example/services/internal/rpcserver/echotest"
)

func instances(t *testing.T, r *rig, province string) int {
	t.Helper()
	list, err := r.registry.List(t.Context(), "patient", province)
	if err != nil {
		t.Fatal(err)
	}
	for _, instance := range list {
		if instance.Addr != r.server.Addr() || instance.ID != "patient-1" {
			t.Fatalf("registered %+v, serving at %s", instance, r.server.Addr())
		}
	}
	return len(list)
}

func TestRegistersEveryProvince(t *testing.T) {
	r := newRig(t, func(c *rpcserver.Config, _ *rpcserver.Deps) { c.Provinces = []string{"340000", "360000"} }).start()
	if instances(t, r, "340000") != 1 || instances(t, r, "360000") != 1 || instances(t, r, discovery.AllProvinces) != 0 {
		t.Fatal("not registered under its provinces alone")
	}
}

func TestStopDrains(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	r := newRig(t)
	r.handler = func(context.Context, string, echotest.Request) (string, error) {
		close(entered)
		<-release
		return "finished", nil
	}
	r.start()
	if instances(t, r, discovery.AllProvinces) != 1 {
		t.Fatal("not registered")
	}
	connection := r.as(r.hospital("H-HF-01"))
	watch, err := healthv1.NewHealthClient(connection).Watch(t.Context(), &healthv1.HealthCheckRequest{Service: "patient"})
	if err != nil {
		t.Fatal(err)
	}
	if state, err := watch.Recv(); err != nil || state.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Fatalf("health %v, %v", state, err)
	}
	type answer struct {
		text string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		text, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "x"})
		answered <- answer{text, err}
	}()
	within(t, entered, "the call")

	stopped := make(chan struct{})
	var stopErr error
	go func() {
		defer close(stopped)
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		stopErr = r.server.Stop(ctx)
	}()
	// The watch hears NOT_SERVING, and then its end, while the call is still running.
	if state, err := watch.Recv(); err != nil || state.GetStatus() != healthv1.HealthCheckResponse_NOT_SERVING {
		t.Fatalf("health %v, %v", state, err)
	}
	if state, err := watch.Recv(); err == nil {
		t.Fatalf("the watch goes on: %v", state)
	}
	if instances(t, r, discovery.AllProvinces) != 0 {
		t.Fatal("still registered while it stops")
	}
	select {
	case <-stopped:
		t.Fatal("stopped under a running call")
	default:
	}
	close(release)
	if got := <-answered; got.err != nil || got.text != "finished" {
		t.Fatalf("the call in flight got %q, %v", got.text, got.err)
	}
	within(t, stopped, "the stop")
	if stopErr != nil {
		t.Fatalf("stop: %v", stopErr)
	}
	_, err = echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "x"})
	hasReason(t, err, codes.Unavailable, "")
}

func TestStopEndsWithItsContext(t *testing.T) {
	entered, deaf, release := make(chan struct{}, 2), make(chan struct{}), make(chan struct{})
	defer close(release)
	r := newRig(t)
	r.handler = func(ctx context.Context, _ string, request echotest.Request) (string, error) {
		entered <- struct{}{}
		if request.Text == "deaf" {
			defer close(deaf)
			<-release
			return "", nil
		}
		<-ctx.Done()
		return "", ctx.Err()
	}
	if err := r.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	connection := r.as(r.hospital("H-HF-01"))
	failed := make(chan error, 2)
	for _, text := range []string{"deaf", "heeding"} {
		go func() {
			_, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: text})
			failed <- err
		}()
		<-entered
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		if err := r.server.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("stop: %v", err)
		}
	}()
	within(t, stopped, "the stop")
	for range 2 {
		if err := <-failed; err == nil {
			t.Fatal("a call that was cut off succeeded")
		}
	}
}

// A stream would hold up a drain for as long as it lives.
func TestStopEndsStreams(t *testing.T) {
	r := newRig(t)
	r.stream = func(ctx context.Context, _ echotest.Request, send func(string) error) error {
		if err := send("first"); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}
	r.start()
	receive, err := echotest.Open(t.Context(), r.as(r.hospital("H-HF-01")), echotest.Request{Text: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := receive(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := r.server.Stop(ctx); err != nil {
		t.Fatalf("stop: %v", err)
	}
	_, err = receive()
	hasReason(t, err, codes.Unavailable, "PEER_UNAVAILABLE")
}

func TestHealthAndReflection(t *testing.T) {
	r := newRig(t).start()
	connection := r.as(r.hospital("H-HF-01"))
	for _, name := range []string{"", "patient", echotest.Service} {
		state, err := healthv1.NewHealthClient(connection).Check(t.Context(), &healthv1.HealthCheckRequest{Service: name})
		if err != nil || state.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("health of %q: %v, %v", name, state, err)
		}
	}
	stream, err := reflectionv1.NewServerReflectionClient(connection).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
	}); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil || !strings.Contains(answer.String(), echotest.Service) {
		t.Fatalf("reflection: %v, %v", answer, err)
	}
	if text := r.log.String(); strings.Contains(text, "grpc.health") {
		t.Fatal("health checks are logged")
	}
}

func TestStartRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, set := range map[string]setting{
		"another service's identity": func(c *rpcserver.Config, _ *rpcserver.Deps) { c.Service = "matching" },
		"no instance":                func(c *rpcserver.Config, _ *rpcserver.Deps) { c.Instance = "" },
		"a taken port":               func(c *rpcserver.Config, _ *rpcserver.Deps) { c.Listen = taken.Addr().String() },
		"an address nobody can dial": func(c *rpcserver.Config, _ *rpcserver.Deps) { c.Advertise = "0.0.0.0:1" },
		"no such province":           func(c *rpcserver.Config, _ *rpcserver.Deps) { c.Provinces = []string{"34"} },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, set)
			if err := r.server.Start(t.Context()); err == nil {
				t.Fatal("started")
			}
			if address := r.server.Addr(); address != "" {
				if _, err := net.Dial("tcp", address); err == nil {
					t.Fatal("still listening after a failed start")
				}
			}
		})
	}
	r := newRig(t).start()
	if err := r.server.Start(t.Context()); err == nil {
		t.Fatal("started twice")
	}
	if err := newRig(t).server.Stop(t.Context()); err != nil {
		t.Fatalf("stop without start: %v", err)
	}
}

func TestStopMayOvertakeStart(t *testing.T) {
	for range 20 {
		r := newRig(t)
		if err := r.server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.server.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := net.Dial("tcp", r.server.Addr()); err == nil {
			t.Fatal("still listening")
		}
	}
}
