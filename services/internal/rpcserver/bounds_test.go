package rpcserver_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"huhang.example/services/internal/rpcserver"
	"huhang.example/services/internal/rpcserver/echotest"
)

// left tells a handler's deadline from now, against the machine's clock as contexts do.
func left(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	probe, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	later, _ := probe.Deadline()
	return deadline.Sub(later.Add(-time.Hour))
}

func TestDeadlines(t *testing.T) {
	given := make(chan time.Duration, 1)
	r := newRig(t)
	r.handler = func(ctx context.Context, _ string, _ echotest.Request) (string, error) {
		given <- left(ctx)
		return "", nil
	}
	r.start()
	connection := r.as(r.hospital("H-HF-01"))
	tests := []struct {
		name     string
		asks     time.Duration
		low, top time.Duration
	}{
		{"none", 0, 14 * time.Second, 15 * time.Second},
		{"its own", 5 * time.Second, 4 * time.Second, 5 * time.Second},
		{"longer than the default", 40 * time.Second, 39 * time.Second, 40 * time.Second},
		{"longer than any", time.Hour, 59 * time.Second, 60 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx := t.Context()
			if test.asks > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, test.asks)
				defer cancel()
			}
			if _, err := echotest.Call(ctx, connection, echotest.Read, echotest.Request{Text: "x"}); err != nil {
				t.Fatal(err)
			}
			if got := <-given; got < test.low || got > test.top {
				t.Fatalf("the handler has %s, want %s to %s", got, test.low, test.top)
			}
		})
	}
}

func TestACallPastItsDeadline(t *testing.T) {
	r := newRig(t, func(c *rpcserver.Config, _ *rpcserver.Deps) { c.DefaultDeadline = 50 * time.Millisecond })
	r.handler = func(ctx context.Context, _ string, _ echotest.Request) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	}
	r.start()
	_, err := echotest.Call(t.Context(), r.as(r.hospital("H-HF-01")), echotest.Read, echotest.Request{Text: "x"})
	hasReason(t, err, codes.DeadlineExceeded, "DEADLINE_EXCEEDED")
}

func TestOversizedRequests(t *testing.T) {
	r := newRig(t)
	r.handler = func(context.Context, string, echotest.Request) (string, error) { return "ok", nil }
	r.start()
	connection := r.as(r.hospital("H-HF-01"))
	if _, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: strings.Repeat("x", 1<<20-64)}); err != nil {
		t.Fatalf("just below the limit: %v", err)
	}
	_, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: strings.Repeat("x", 1<<20)})
	hasReason(t, err, codes.ResourceExhausted, "")
	large := metadata.AppendToOutgoingContext(t.Context(), "filler", strings.Repeat("x", 20<<10))
	if _, err := echotest.Call(large, connection, echotest.Read, echotest.Request{Text: "x"}); err == nil {
		t.Fatal("20 KiB of headers are accepted")
	}
	if _, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "x"}); err != nil {
		t.Fatalf("afterwards: %v", err)
	}
}

func TestConcurrentStreamsAreBounded(t *testing.T) {
	release, running := make(chan struct{}), make(chan struct{}, 8)
	r := newRig(t, func(c *rpcserver.Config, _ *rpcserver.Deps) { c.MaxConcurrentStreams = 2 })
	r.handler = func(_ context.Context, _ string, request echotest.Request) (string, error) {
		running <- struct{}{}
		<-release
		return "", nil
	}
	r.start()
	connection := r.as(r.hospital("H-HF-01"))
	results := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "x"})
			results <- err
		}()
		<-running
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := echotest.Call(short, connection, echotest.Read, echotest.Request{Text: "x"})
	hasReason(t, err, codes.DeadlineExceeded, "")
	if len(running) != 0 {
		t.Fatal("a third call ran beside two")
	}
	close(release)
	for range 2 {
		if err := <-results; err != nil {
			t.Fatal(err)
		}
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	r := newRig(t, func(c *rpcserver.Config, _ *rpcserver.Deps) { c.MaxConnections = 1 }).start()
	if _, err := echotest.Call(t.Context(), r.as(r.hospital("H-HF-01")), echotest.Read, echotest.Request{Text: "x"}); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := echotest.Call(short, r.as(r.hospital("H-NC-01")), echotest.Read, echotest.Request{Text: "x"}); err == nil {
		t.Fatal("a second connection is served")
	}
}

// A connection that says nothing is closed in five seconds, not in grpc's two minutes.
func TestSilentConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	r := newRig(t).start()
	connection, err := net.Dial("tcp", r.server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	probe, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	deadline, _ := probe.Deadline()
	if err := connection.SetReadDeadline(deadline); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, connection); errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		t.Fatalf("still open: %v", err)
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestStreamsEndInTime(t *testing.T) {
	r := newRig(t, func(c *rpcserver.Config, _ *rpcserver.Deps) { c.MaxStream = 50 * time.Millisecond })
	r.stream = func(ctx context.Context, _ echotest.Request, send func(string) error) error {
		<-ctx.Done()
		return nil // as a handler does that takes its context's end for its own
	}
	r.start()
	receive, err := echotest.Open(t.Context(), r.as(r.hospital("H-HF-01")), echotest.Request{Text: "x"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = receive()
	hasReason(t, err, codes.Unavailable, "PEER_UNAVAILABLE")
}

func TestAStreamEndsAsItsHandlerSays(t *testing.T) {
	r := newRig(t).start()
	receive, err := echotest.Open(t.Context(), r.as(r.hospital("H-HF-01")), echotest.Request{Text: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := receive(); err != nil || got != "x" {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := receive(); !errors.Is(err, io.EOF) {
		t.Fatalf("end: %v", err)
	}
}
