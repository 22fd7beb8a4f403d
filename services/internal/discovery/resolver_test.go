package discovery

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/resolver"

	"huhang.example/services/internal/etcd"
)

type deafConn struct{ resolver.ClientConn }

func (deafConn) UpdateState(resolver.State) error { return nil }
func (deafConn) ReportError(error)                {}

// Between a list and its watch etcd may compact: such a watch must end, not fall silent.
func TestWatchFromACompactedRevisionEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	log := slog.New(slog.DiscardHandler)
	server, err := etcd.Start(ctx, etcd.Config{Dir: t.TempDir(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	e, err := NewEtcd(Config{Endpoints: server.Endpoints(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	var rev int64
	for range 3 {
		resp, err := e.client.Put(ctx, "/elsewhere", "x")
		if err != nil {
			t.Fatal(err)
		}
		rev = resp.Header.Revision
	}
	if _, err := e.client.Compact(ctx, rev); err != nil {
		t.Fatal(err)
	}
	r := &etcdResolver{e: e, prefix: prefix("matching", AllProvinces), view: newView(e.grace)}
	r.out = publisher{cc: deafConn{}, target: "matching"}
	if err := r.follow(ctx, rev-1); err == nil || !strings.Contains(err.Error(), "compacted") {
		t.Errorf("the watch ended with %v", err)
	}
	short, end := context.WithTimeout(ctx, 300*time.Millisecond)
	defer end()
	if err := r.follow(short, rev+1); err == nil || strings.Contains(err.Error(), "compacted") {
		t.Errorf("negative control: a watch from a kept revision ended with %v", err)
	}
}
