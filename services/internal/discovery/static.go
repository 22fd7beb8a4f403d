package discovery

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc/resolver"
)

// Static is a registry within one process, for tests that need no etcd.
type Static struct {
	mu        sync.Mutex
	instances map[string]Instance // by key
	resolvers map[*staticResolver]struct{}
	closed    bool
}

var _ Registry = (*Static)(nil)

// NewStatic returns a registry with these addresses by target, "<service>/<province>" or "<service>" for all
// provinces. It panics on a faulty target or address: they are literals of a test. Register adds more.
func NewStatic(addrs map[string][]string) *Static {
	s := &Static{instances: map[string]Instance{}, resolvers: map[*staticResolver]struct{}{}}
	for target, list := range addrs {
		service, province, found := strings.Cut(target, "/")
		if !found {
			province = AllProvinces
		}
		for i, addr := range list {
			inst := Instance{Service: service, Province: province, ID: fmt.Sprintf("static-%d", i+1), Addr: addr}
			if err := inst.Validate(); err != nil {
				panic(err)
			}
			s.instances[inst.key()] = inst
		}
	}
	return s
}

// Register adds the instance until Deregister.
func (s *Static) Register(ctx context.Context, inst Instance) (*Registration, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := inst.Validate(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	s.instances[inst.key()] = inst
	s.publish()
	reg := &Registration{registered: make(chan struct{})}
	close(reg.registered)
	reg.leave = func(context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.instances, inst.key())
		s.publish()
		return nil
	}
	return reg, nil
}

// List returns the registered instances, ordered by id.
func (s *Static) List(_ context.Context, service, province string) ([]Instance, error) {
	if err := validTarget(service, province); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list(prefix(service, province)), nil
}

// Provinces returns the provinces under which the service is registered, in order.
func (s *Static) Provinces(_ context.Context, service string) ([]string, error) {
	if err := validTarget(service, AllProvinces); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, inst := range s.list(root + service + "/") {
		out = append(out, inst.Province)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Close ends the registry; connections keep their last addresses.
func (s *Static) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

func (s *Static) list(prefix string) []Instance {
	var out []Instance
	for _, key := range slices.Sorted(maps.Keys(s.instances)) {
		if strings.HasPrefix(key, prefix) {
			out = append(out, s.instances[key])
		}
	}
	return out
}

func (s *Static) publish() {
	for r := range s.resolvers {
		r.out.update(s.list(r.prefix))
	}
}

// Builder resolves huhang:///<service>/<province>.
func (s *Static) Builder() resolver.Builder { return staticBuilder{s} }

type staticBuilder struct{ s *Static }

func (staticBuilder) Scheme() string                             { return Scheme }
func (staticBuilder) OverrideAuthority(t resolver.Target) string { return authority(t) }

func (b staticBuilder) Build(t resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	service, province, err := parseTarget(t)
	if err != nil {
		return nil, err
	}
	r := &staticResolver{s: b.s, prefix: prefix(service, province), out: publisher{cc: cc, target: service + "/" + province}}
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	if b.s.closed {
		return nil, ErrClosed
	}
	b.s.resolvers[r] = struct{}{}
	r.out.update(b.s.list(r.prefix))
	return r, nil
}

type staticResolver struct {
	s      *Static
	prefix string
	out    publisher // under s.mu
}

func (r *staticResolver) ResolveNow(resolver.ResolveNowOptions) {}

func (r *staticResolver) Close() {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	delete(r.s.resolvers, r)
}
