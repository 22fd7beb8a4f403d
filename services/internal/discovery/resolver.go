package discovery

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/status"
)

type etcdBuilder struct{ e *Etcd }

func (etcdBuilder) Scheme() string { return Scheme }

// OverrideAuthority keeps the province out of :authority and of TLS's server name.
func (etcdBuilder) OverrideAuthority(t resolver.Target) string { return authority(t) }

// Build never waits for etcd: a call's first wait happens in gRPC, which minds the call's deadline.
func (b etcdBuilder) Build(t resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	service, province, err := parseTarget(t)
	if err != nil {
		return nil, err
	}
	r := &etcdResolver{e: b.e, prefix: prefix(service, province), view: newView(b.e.grace)}
	r.out = publisher{cc: cc, target: service + "/" + province}
	if r.stop, err = b.e.spawn(r.run); err != nil {
		return nil, err
	}
	return r, nil
}

// etcdResolver feeds one gRPC connection: list, watch from the next revision, and on any trouble list again. While
// etcd is away nothing is taken from the connection.
type etcdResolver struct {
	e      *Etcd
	prefix string
	view   *view // run's alone
	out    publisher
	stop   func()
}

func (r *etcdResolver) ResolveNow(resolver.ResolveNowOptions) {} // the watch is quicker

func (r *etcdResolver) Close() { r.stop() }

func (r *etcdResolver) run(ctx context.Context) {
	log := r.e.log.With("target", r.out.target)
	for _, inst := range r.e.cache.load(r.prefix) {
		r.view.put(inst.key(), record{Instance: inst})
	}
	if len(r.view.live) > 0 {
		r.publish()
	}
	defer r.e.strays.back(r.out.target)
	for failures := 0; ; {
		listed, rev, err := r.e.list(ctx, r.prefix)
		if err == nil {
			if failures > 0 {
				log.Info("discovery: etcd is back", "instances", len(listed))
			}
			failures = 0
			r.e.strays.back(r.out.target)
			r.view.replace(listed, r.e.clock.Now())
			err = r.follow(ctx, rev+1)
		}
		if ctx.Err() != nil {
			return
		}
		if failures == 0 {
			r.e.strays.away(r.out.target, r.e.clock.Now())
			log.Warn("discovery: etcd is away, the last known instances serve", "instances", len(r.out.last), "error", err)
		}
		if len(r.out.last) == 0 {
			r.out.fail(errors.New("etcd is away and no instance is known"))
		}
		if r.e.clock.Sleep(ctx, r.e.backoff(failures)) != nil {
			return
		}
		failures++
	}
}

// follow applies changes until the watch breaks.
func (r *etcdResolver) follow(ctx context.Context, rev int64) error {
	var reader sync.WaitGroup
	defer reader.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := r.e.watch(ctx, r.prefix, rev)
	if err != nil {
		return err
	}
	responses, broken := make(chan *pb.WatchResponse), make(chan error, 1)
	reader.Go(func() {
		for {
			resp, err := stream.Recv()
			if err != nil {
				broken <- err
				return
			}
			select {
			case responses <- resp:
			case <-ctx.Done():
				broken <- ctx.Err()
				return
			}
		}
	})
	for {
		var expiry <-chan time.Time
		stopTimer := func() bool { return false }
		if again := r.publish(); !again.IsZero() {
			timer := r.e.clock.NewTimer(again.Sub(r.e.clock.Now()))
			expiry, stopTimer = timer.C(), timer.Stop
		}
		select {
		case resp := <-responses:
			stopTimer()
			if resp.CompactRevision != 0 || resp.Canceled {
				return fmt.Errorf("watch ended: %s (compacted at %d)", resp.CancelReason, resp.CompactRevision)
			}
			r.apply(resp.Events)
		case <-expiry:
		case err := <-broken:
			stopTimer()
			return err
		}
	}
}

func (r *etcdResolver) apply(events []*mvccpb.Event) {
	for _, ev := range events {
		key := string(ev.Kv.Key)
		if ev.Type == mvccpb.Event_DELETE {
			r.view.vanish(key, r.e.clock.Now())
			continue
		}
		rec, err := decode(key, ev.Kv.Value)
		if err != nil {
			r.e.log.Error("discovery: ignored a record", "error", err)
			continue
		}
		r.view.put(key, rec)
	}
}

// publish hands the present set on and returns when to look again.
func (r *etcdResolver) publish() time.Time {
	set, again := r.view.current(r.e.clock.Now())
	if r.out.update(set) {
		r.e.cache.save(r.prefix, set)
	}
	return again
}

// publisher tells a gRPC connection which addresses to use, when they have changed.
type publisher struct {
	cc     resolver.ClientConn
	target string
	told   bool
	last   []Instance
}

func (p *publisher) update(set []Instance) (changed bool) {
	if p.told && sameAddrs(p.last, set) {
		return false
	}
	p.told, p.last = true, set
	state := resolver.State{}
	for _, inst := range set {
		addr := resolver.Address{Addr: inst.Addr}
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{addr}})
	}
	// The answer says whether the balancer liked the set; it is told again when the set changes.
	_ = p.cc.UpdateState(state)
	if len(set) == 0 {
		p.fail(errors.New("no instance is registered"))
	}
	return true
}

// fail makes calls end at once with UNAVAILABLE instead of waiting for their deadline.
func (p *publisher) fail(err error) {
	p.cc.ReportError(status.Errorf(codes.Unavailable, "discovery: %s: %v", p.target, err))
}

func authority(t resolver.Target) string {
	service, _, err := parseTarget(t)
	if err != nil {
		return Scheme
	}
	return service
}
