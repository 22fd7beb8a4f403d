package rpcclient_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/rpcclient"
	"huhang.example/services/internal/rpcserver"
	"huhang.example/services/internal/rpcserver/echotest"
)

// until repeats a call that becomes possible, as connections and health come in by themselves.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for !done() {
		if ctx.Err() != nil {
			t.Fatalf("%s did not happen", what)
		}
	}
}

func TestACallOutlivesItsInstance(t *testing.T) {
	l := newLine(t)
	entered := make(chan string, 8)
	var killed atomic.Bool
	handler := func(name string) echotest.Handler {
		return func(ctx context.Context, _ string, request echotest.Request) (string, error) {
			if request.Text == "held" {
				entered <- name
				if !killed.Load() {
					<-ctx.Done()
					return "", ctx.Err()
				}
			}
			return name, nil
		}
	}
	servers := map[string]*rpcserver.Server{}
	for _, name := range []string{"p-1", "p-2"} {
		servers[name] = l.serve(name, handler(name), nil)
	}
	connection := patient(t, l.pool())
	seen := map[string]bool{}
	until(t, "both instances answering", func() bool {
		got, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "x"})
		if err != nil {
			t.Fatal(err)
		}
		seen[got] = true
		return len(seen) == 2
	})

	type answer struct {
		text string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		text, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "held"})
		answered <- answer{text, err}
	}()
	victim := <-entered
	killed.Store(true)
	kill(servers[victim])
	got := <-answered
	if got.err != nil || got.text == victim {
		t.Fatalf("the call in flight got %q, %v; %s was killed", got.text, got.err, victim)
	}
	for range 20 {
		if _, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "x"}); err != nil {
			t.Fatalf("after the kill: %v", err)
		}
	}
}

func TestRetriesAreForUnavailableAlone(t *testing.T) {
	var tries atomic.Int64
	l := newLine(t)
	l.serve("p-1", func(_ context.Context, _ string, request echotest.Request) (string, error) {
		n := tries.Add(1)
		unavailable := fault.New(fault.Unavailable, fault.PeerUnavailable, "", "A needed service is not reachable now.", "所需服务暂时无法访问。")
		switch {
		case request.Text == "refused":
			return "", fault.Stale("7")
		case request.Text == "never", n < 3:
			return "", unavailable
		}
		return fmt.Sprint(n), nil
	}, nil)
	connection := patient(t, l.pool())
	call := func(text string) (string, error) {
		tries.Store(0)
		return echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: text})
	}
	if got, err := call("third"); err != nil || got != "3" {
		t.Fatalf("got %q, %v", got, err)
	}
	if _, err := call("never"); !fault.Is(err, fault.PeerUnavailable) || tries.Load() != 4 {
		t.Fatalf("%d tries, %v", tries.Load(), err)
	}
	if _, err := call("refused"); !fault.Is(err, fault.StaleVersion) || tries.Load() != 1 {
		t.Fatalf("%d tries, %v", tries.Load(), err)
	}
}

// Where most calls fail, retries stop: each service that retries would multiply the load of the one that is down.
func TestRetriesAreThrottled(t *testing.T) {
	var tries atomic.Int64
	l := newLine(t)
	l.serve("p-1", func(context.Context, string, echotest.Request) (string, error) {
		tries.Add(1)
		return "", fault.New(fault.Unavailable, fault.PeerUnavailable, "", "A needed service is not reachable now.", "所需服务暂时无法访问。")
	}, nil)
	connection := patient(t, l.pool())
	const calls = 40
	for range calls {
		if _, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "x"}); err == nil {
			t.Fatal("no error")
		}
	}
	if n := tries.Load(); n >= 2*calls {
		t.Fatalf("%d tries for %d calls", n, calls)
	}
}

func TestNobodyThere(t *testing.T) {
	l := newLine(t)
	connection := patient(t, l.pool())
	_, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "x"})
	if f, ok := fault.As(err); !ok || f.Code != fault.Unavailable || f.Reason != fault.PeerUnavailable {
		t.Fatalf("got %v", err)
	}
	// The same connection works once somebody has come.
	l.serve("p-1", echo, nil)
	until(t, "an answer", func() bool {
		_, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "x"})
		return err == nil
	})
}

func TestAnotherServiceAtTheAddress(t *testing.T) {
	l := newLine(t)
	var ran atomic.Bool
	server := rpcserver.New(rpcserver.Config{Service: "matching", Instance: "m-1", Listen: "127.0.0.1:0"},
		rpcserver.Deps{Identity: l.identity("matching")})
	echotest.Register(server.GRPC(), func(context.Context, string, echotest.Request) (string, error) {
		ran.Store(true)
		return "", nil
	}, nil)
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(server) })
	if _, err := l.registry.Register(t.Context(), discovery.Instance{
		Service: "patient", Province: discovery.AllProvinces, ID: "lie", Addr: server.Addr(),
	}); err != nil {
		t.Fatal(err)
	}
	_, err := echotest.Call(t.Context(), patient(t, l.pool()), echotest.Read, echotest.Request{Text: "x"})
	if !fault.Is(err, fault.PeerUnavailable) || ran.Load() {
		t.Fatalf("got %v, ran %v", err, ran.Load())
	}
}

func TestASlowPeerDoesNotTieUpTheCaller(t *testing.T) {
	l := newLine(t)
	entered, release := make(chan struct{}), make(chan struct{})
	l.serve("p-1", func(_ context.Context, _ string, request echotest.Request) (string, error) {
		if request.Text == "slow" {
			entered <- struct{}{}
			<-release
		}
		return "", nil
	}, nil)
	connection := patient(t, l.pool(func(c *rpcclient.Config) { c.MaxInFlight = 2 }))
	finished := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "slow"})
			finished <- err
		}()
		<-entered
	}
	_, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "x"})
	if !fault.Is(err, fault.PeerUnavailable) {
		t.Fatalf("a third call beside two: %v", err)
	}
	close(release)
	for range 2 {
		if err := <-finished; err != nil {
			t.Fatal(err)
		}
	}
	if _, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "x"}); err != nil {
		t.Fatalf("afterwards: %v", err)
	}
}

// An instance that says NOT_SERVING gets no calls, though it is still registered and would answer.
func TestUnhealthyInstancesAreLeftAlone(t *testing.T) {
	l := newLine(t)
	l.serve("p-1", echo, nil)
	sick := unhealthy(t, l)
	connection := patient(t, l.pool())
	for range 50 {
		if _, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	if sick.Load() != 0 {
		t.Fatalf("%d calls went to it", sick.Load())
	}
}

func TestConnections(t *testing.T) {
	l := newLine(t)
	pool := l.pool()
	one, two := patient(t, pool), patient(t, pool)
	if one != two {
		t.Fatal("a second connection for the same service")
	}
	province, err := pool.Conn("settlement", "340000")
	if err != nil || province == one {
		t.Fatalf("a province: %v", err)
	}
	for _, bad := range [][2]string{{"", ""}, {"Patient", ""}, {"patient/1", ""}, {"patient", "34"}, {"patient", "../000"}} {
		if _, err := pool.Conn(bad[0], bad[1]); err == nil {
			t.Errorf("%q is a target", bad)
		}
	}
	for i := range 300 {
		if _, err = pool.Conn("settlement", fmt.Sprintf("%06d", i)); err != nil {
			break
		}
	}
	if !fault.Is(err, fault.PeerUnavailable) {
		t.Fatalf("without a bound: %v", err)
	}
	pool.Close()
	if _, err := pool.Conn("patient", ""); !fault.Is(err, fault.PeerUnavailable) {
		t.Fatalf("after Close: %v", err)
	}
	if _, err := echotest.Call(t.Context(), one, echotest.Read, echotest.Request{Text: "x"}); err == nil {
		t.Fatal("a call after Close")
	}
}

func TestDefaults(t *testing.T) {
	l := newLine(t)
	l.serve("p-1", func(ctx context.Context, _ string, _ echotest.Request) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	}, nil)
	connection := patient(t, l.pool(func(c *rpcclient.Config) { c.DefaultDeadline = 50 * time.Millisecond }))
	if _, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "x"}); !fault.Is(err, fault.ReasonDeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
}
