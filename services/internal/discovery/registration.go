package discovery

import (
	"context"
	"errors"
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Register announces the instance until Deregister or Close, whatever happens to etcd or the lease meanwhile.
func (e *Etcd) Register(ctx context.Context, inst Instance) (*Registration, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := inst.Validate(); err != nil {
		return nil, err
	}
	value, err := record{Instance: inst}.encode()
	if err != nil {
		return nil, err
	}
	a := &announcement{e: e, inst: inst, value: value}
	reg := &Registration{registered: make(chan struct{})}
	stop, err := e.spawn(func(ctx context.Context) { a.run(ctx, reg.registered) })
	if err != nil {
		return nil, err
	}
	reg.leave = func(ctx context.Context) error {
		stop()
		return a.leave(ctx)
	}
	return reg, nil
}

// announcement keeps one key in etcd.
type announcement struct {
	e     *Etcd
	inst  Instance
	value string
	lease clientv3.LeaseID // 0: none; run's, and leave's after run has ended
}

func (a *announcement) run(ctx context.Context, registered chan<- struct{}) {
	log := a.e.log.With("service", a.inst.Service, "province", a.inst.Province, "instance", a.inst.ID)
	first, failures := true, 0
	for {
		err := a.step(ctx)
		if ctx.Err() != nil {
			return
		}
		wait := jitter(a.e.ttl / 3)
		switch {
		case err != nil:
			if failures == 0 {
				log.Warn("discovery: registration interrupted", "error", err)
			}
			wait = a.e.backoff(failures)
			failures++
		case first:
			close(registered)
			log.Info("discovery: registered")
			first, failures = false, 0
		case failures > 0:
			log.Info("discovery: registered again")
			failures = 0
		}
		if a.e.clock.Sleep(ctx, wait) != nil {
			return
		}
	}
}

// step registers, or keeps the registration alive.
func (a *announcement) step(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	if a.lease == 0 {
		return a.register(ctx)
	}
	err := a.keepAlive(ctx)
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		a.lease = 0
	}
	// Any other error leaves the lease: when etcd returns it has usually kept it.
	return err
}

func (a *announcement) register(ctx context.Context) error {
	lease, err := a.e.client.Grant(ctx, int64(a.e.ttl/time.Second))
	if err != nil {
		return fmt.Errorf("grant: %w", err)
	}
	// The key may still stand from this instance's last life: overwrite it.
	if _, err := a.e.client.Put(ctx, a.inst.key(), a.value, clientv3.WithLease(lease.ID)); err != nil {
		return fmt.Errorf("put: %w", err)
	}
	a.lease = lease.ID
	return nil
}

// keepAlive renews the lease and puts the key back if someone deleted it. The client library's KeepAlive ends for
// ever when a TTL passes without etcd, and its KeepAliveOnce spins without pause while etcd refuses connections.
func (a *announcement) keepAlive(ctx context.Context) error {
	stream, err := pb.NewLeaseClient(a.e.client.ActiveConnection()).LeaseKeepAlive(clientv3.WithRequireLeader(ctx))
	if err != nil {
		return fmt.Errorf("keep alive: %w", err)
	}
	if err := stream.Send(&pb.LeaseKeepAliveRequest{ID: int64(a.lease)}); err != nil {
		return fmt.Errorf("keep alive: %w", err)
	}
	resp, err := stream.Recv()
	if err != nil {
		return fmt.Errorf("keep alive: %w", err)
	}
	if resp.TTL <= 0 {
		return rpctypes.ErrLeaseNotFound
	}
	key := a.inst.key()
	_, err = a.e.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
		Then(clientv3.OpPut(key, a.value, clientv3.WithLease(a.lease))).
		Commit()
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// leave tells clients and ends the lease, within two seconds.
func (a *announcement) leave(ctx context.Context) error {
	if a.lease == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	value, err := record{Instance: a.inst, Leaving: true}.encode()
	if err != nil {
		return err
	}
	// A successor with this id may have taken the key over: then it is not ours to mark.
	key := a.inst.key()
	_, err = a.e.client.Txn(ctx).
		If(clientv3.Compare(clientv3.LeaseValue(key), "=", a.lease)).
		Then(clientv3.OpPut(key, value, clientv3.WithLease(a.lease))).
		Commit()
	if err == nil {
		_, err = a.e.client.Revoke(ctx, a.lease)
	}
	if err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return fmt.Errorf("discovery: deregister %s: %w", a.inst.ID, err)
	}
	return nil
}
