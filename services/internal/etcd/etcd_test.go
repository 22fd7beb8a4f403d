package etcd_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"huhang.example/services/internal/etcd"
)

func start(t *testing.T, cfg etcd.Config) *etcd.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s, err := etcd.Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func connect(t *testing.T, s *etcd.Server) *clientv3.Client {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: s.Endpoints(), Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestDataSurvivesARestartAndLogsAreQuiet(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	cfg := etcd.Config{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(&logged, nil))}
	first := start(t, cfg)
	client := connect(t, first)
	if _, err := client.Put(context.Background(), "k", "v"); err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
	first.Close()
	first.Close() // does nothing

	cfg.ClientAddr = first.Endpoints()[0] // the port that was chosen can be asked for
	second := start(t, cfg)
	if got := second.Endpoints()[0]; got != cfg.ClientAddr {
		t.Errorf("listens on %s, want %s", got, cfg.ClientAddr)
	}
	client = connect(t, second)
	resp, err := client.Get(context.Background(), "k")
	if err != nil || len(resp.Kvs) != 1 || string(resp.Kvs[0].Value) != "v" {
		t.Errorf("after the restart: %v, %v", resp, err)
	}
	_ = client.Close()
	second.Close()
	if logged.Len() > 0 {
		t.Errorf("logged without an error:\n%s", logged.String())
	}
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]etcd.Config{
		"no directory":    {},
		"every interface": {Dir: t.TempDir(), ClientAddr: "0.0.0.0:0"},
		"another machine": {Dir: t.TempDir(), PeerAddr: "192.0.2.1:2380"},
		"a name":          {Dir: t.TempDir(), ClientAddr: "etcd.example:2379"},
		"no port":         {Dir: t.TempDir(), ClientAddr: "127.0.0.1"},
	} {
		if s, err := etcd.Start(context.Background(), cfg); err == nil {
			s.Close()
			t.Errorf("%s: started", name)
		}
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var logged bytes.Buffer
	s, err := etcd.Start(ctx, etcd.Config{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(&logged, nil))})
	if err == nil { // it was ready at once
		s.Close()
	}
}

// etcd's own Close hangs for ever on such a connection.
func TestCloseDespiteASilentConnection(t *testing.T) {
	t.Parallel()
	s := start(t, etcd.Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	conn, err := net.Dial("tcp", s.Endpoints()[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Close()
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("Close hangs")
	}
}
