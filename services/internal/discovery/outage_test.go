package discovery_test

import (
	"context"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"

	"huhang.example/services/internal/discovery"
)

// outage stops etcd under traffic for longer than leases live, and lets it come back with or without its data.
func outage(t *testing.T, away time.Duration, dataAfter string) {
	t.Helper()
	c := newCluster(t)
	instances := c.registry(nil)
	newInstance(t, "m-1").register(t, instances)
	newInstance(t, "m-2").register(t, instances)
	stock := stockRegister(t, c)
	calls := startTraffic(t, dial(t, c.registry(nil), balanced))

	c.stop()
	elapse(away)
	c.start(dataAfter)
	eyes := c.direct()
	await(t, "both instances registered again", func() bool { return count(t, eyes) == 2 })
	// The dangerous moment is later: leases that nobody renews end a TTL after etcd came back.
	elapse(3 * ttl)
	if n := count(t, eyes); n != 2 {
		t.Errorf("%d instances registered, want 2", n)
	}
	calls.unbroken(t)
	resp, err := rawClient(t, c).Get(context.Background(), stock)
	if err != nil || resp.Count != 0 {
		t.Errorf("negative control: the stock client's registration outlived the outage (%v)", err)
	}
}

// stockRegister registers as the client library's users do: Grant, Put, KeepAlive.
func stockRegister(t *testing.T, c *cluster) (key string) {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{c.proxy.addr()}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	key = "/stock/m-1"
	lease, err := client.Grant(context.Background(), int64(ttl/time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Put(context.Background(), key, "here", clientv3.WithLease(lease.ID)); err != nil {
		t.Fatal(err)
	}
	alive, err := client.KeepAlive(context.Background(), lease.ID)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for range alive { // the answers must be taken; the channel closes by itself
		}
	}()
	return key
}

func TestEtcdAwayUnderTraffic(t *testing.T) {
	t.Parallel()
	outage(t, 2*ttl, "data")
}

func TestEtcdAwayThirtySeconds(t *testing.T) {
	t.Parallel()
	outage(t, 30*time.Second, "data")
}

func TestEtcdReturnsWithoutItsData(t *testing.T) {
	t.Parallel()
	outage(t, ttl, "empty")
}

// The whole guard of an emptied etcd, watched at the resolver: the instance cannot reach etcd, the client can.
func TestEmptiedSetIsKeptForTheGrace(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		grace time.Duration
		kept  bool
	}{
		"grace":                      {grace: 3 * time.Second, kept: true},
		"negative control: no grace": {grace: -1, kept: false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			lonely := c.behind()
			inst := newInstance(t, "m-1").register(t, newRegistry(t, lonely.addr(), nil))
			seen := watchTarget(t, c.registry(func(cfg *discovery.Config) { cfg.Grace = tc.grace }))
			await(t, "the instance is known", func() bool { return seen.has(inst.addr) })

			lonely.cut()
			c.stop()
			c.start("empty")
			if tc.kept {
				eyes := c.direct()
				await(t, "the client listed the empty etcd", func() bool { return count(t, eyes) == 0 })
				elapse(time.Second)
				if !seen.has(inst.addr) {
					t.Error("the set was emptied within the grace")
				}
			}
			await(t, "the set is empty in the end", func() bool { return seen.empty() })
			if err := seen.err(); !unavailable(err) {
				t.Errorf("reported %v, want UNAVAILABLE", err)
			}
			lonely.restore(c.server.Endpoints()[0])
			await(t, "the instance is known again", func() bool { return seen.has(inst.addr) })
		})
	}
}

// An instance that lost etcd but serves is called for the grace, then calls fail at once, then it returns.
func TestInstancePartitionedFromEtcd(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	lonely := c.behind()
	newInstance(t, "m-1").register(t, newRegistry(t, lonely.addr(), nil))
	conn := dial(t, c.registry(nil), balanced)
	calls := startTraffic(t, conn)
	eyes := c.direct()

	lonely.freeze()
	await(t, "the lease ended", func() bool { return count(t, eyes) == 0 })
	elapse(time.Second)
	calls.unbroken(t)
	await(t, "calls fail at once after the grace", func() bool {
		_, err := who(conn, 20*time.Second)
		return unavailable(err)
	})
	lonely.thaw()
	await(t, "calls succeed again", func() bool { _, err := who(conn, time.Second); return err == nil })
	if n := count(t, eyes); n != 1 {
		t.Errorf("%d instances registered, want 1", n)
	}
}

// Everyone is cut off from an etcd that lives: packets are held, no connection breaks.
func TestEtcdPartitionedFromAll(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	instances := c.registry(nil)
	newInstance(t, "m-1").register(t, instances)
	newInstance(t, "m-2").register(t, instances)
	calls := startTraffic(t, dial(t, c.registry(nil), balanced))
	eyes := c.direct()

	c.proxy.freeze()
	await(t, "the leases ended", func() bool { return count(t, eyes) == 0 })
	elapse(ttl)
	c.proxy.thaw()
	await(t, "both instances registered again", func() bool { return count(t, eyes) == 2 })
	elapse(2 * ttl)
	calls.unbroken(t)
}

func TestCompactedWhileDisconnected(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	eyes := c.direct()
	old := newInstance(t, "m-1").register(t, eyes)
	lonely := c.behind()
	seen := watchTarget(t, newRegistry(t, lonely.addr(), nil))
	await(t, "the old instance is known", func() bool { return seen.has(old.addr) })
	client := rawClient(t, c)
	before := revision(t, client)

	lonely.cut()
	if err := old.reg.Deregister(context.Background()); err != nil {
		t.Fatal(err)
	}
	fresh := newInstance(t, "m-2").register(t, eyes)
	if _, err := client.Compact(context.Background(), revision(t, client)); err != nil {
		t.Fatal(err)
	}
	// Negative control: what the client had watched from is truly gone, a resumed watch dies.
	for resp := range client.Watch(context.Background(), "/huhang/", clientv3.WithPrefix(), clientv3.WithRev(before)) {
		if resp.CompactRevision == 0 {
			t.Fatal("the old revision was not compacted")
		}
	}
	lonely.restore(c.server.Endpoints()[0])
	await(t, "the new instance is known", func() bool { return seen.has(fresh.addr) })
	await(t, "the old instance is dropped after the grace", func() bool { return !seen.has(old.addr) })
}

func TestLeaseRevokedFromOutside(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		grace    time.Duration
		unbroken bool
	}{
		"grace":                      {0, true},
		"negative control: no grace": {-1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			inst := newInstance(t, "m-1").register(t, c.registry(nil))
			calls := startTraffic(t, dial(t, c.registry(func(cfg *discovery.Config) { cfg.Grace = tc.grace }), balanced))
			client := rawClient(t, c)
			lease := leaseOf(t, client, inst)
			if _, err := client.Revoke(context.Background(), lease); err != nil {
				t.Fatal(err)
			}
			await(t, "registered with another lease", func() bool {
				now := leaseOf(t, client, inst)
				return now != 0 && now != lease
			})
			if tc.unbroken {
				calls.unbroken(t)
			} else {
				await(t, "calls failed", func() bool { return calls.failed.Load() > 0 })
			}
		})
	}
}

func TestKeyDeletedFromOutside(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	inst := newInstance(t, "m-1").register(t, c.registry(nil))
	client := rawClient(t, c)
	if _, err := client.Delete(context.Background(), "/huhang/", clientv3.WithPrefix()); err != nil {
		t.Fatal(err)
	}
	await(t, "the key is back", func() bool { return leaseOf(t, client, inst) != 0 })
}

// One of two dies without a word: without retries only calls in flight are lost, with them none.
func TestInstanceKilled(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]string{"retries": retrying, "no retries": balanced} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			stays := newInstance(t, "m-1").register(t, c.registry(nil))
			crashing := c.registry(nil)
			dies := newInstance(t, "m-2").register(t, crashing)
			conn := dial(t, c.registry(nil), config)
			seen := watchTarget(t, c.registry(nil))
			await(t, "both answer", func() bool { id, err := who(conn, 5*time.Second); return err == nil && id == dies.id })
			calls := startTraffic(t, conn)
			eyes := c.direct()

			if err := crashing.Close(); err != nil { // no Deregister: as a crash
				t.Fatal(err)
			}
			dies.server.Stop()
			await(t, "its lease ended", func() bool { return count(t, eyes) == 1 })
			await(t, "clients dropped it", func() bool { return !seen.has(dies.addr) && seen.has(stays.addr) })
			if config == retrying {
				calls.unbroken(t)
				return
			}
			calls.stop()
			if n := calls.failed.Load(); n > int64(calls.callers) {
				t.Errorf("%d calls failed, more than the %d in flight; the first with: %v", n, calls.callers, *calls.first.Load())
			}
		})
	}
}

// A connection that fell idle forgets its resolver; the next one must not start from nothing while etcd is away.
func TestIdleConnectionWakesWhileEtcdIsAway(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	newInstance(t, "m-1").register(t, c.registry(nil))
	conn := dial(t, c.registry(nil), balanced, grpc.WithIdleTimeout(200*time.Millisecond))
	if _, err := who(conn, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	await(t, "the connection is idle", func() bool { return conn.GetState() == connectivity.Idle })
	c.stop()
	if _, err := who(conn, 5*time.Second); err != nil {
		t.Errorf("after idleness: %v", err)
	}
}

func rawClient(t *testing.T, c *cluster) *clientv3.Client {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: c.server.Endpoints(), Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func revision(t *testing.T, client *clientv3.Client) int64 {
	t.Helper()
	resp, err := client.Get(context.Background(), "/huhang/", clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		t.Fatal(err)
	}
	return resp.Header.Revision
}

func leaseOf(t *testing.T, client *clientv3.Client, inst *instance) clientv3.LeaseID {
	t.Helper()
	resp, err := client.Get(context.Background(), "/huhang/"+service+"/000000/"+inst.id)
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.Kvs) == 0 {
		return 0
	}
	return clientv3.LeaseID(resp.Kvs[0].Lease)
}
