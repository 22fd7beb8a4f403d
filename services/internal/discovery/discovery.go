// Package discovery lets services find one another.
//
// An instance writes itself under /huhang/<service>/<province>/<instance> with a lease and keeps the lease alive;
// a client resolves huhang:///<service>/<province> and watches. Provinces other than AllProvinces are for services
// whose instances each serve some provinces (settlement).
//
// Invariants: what was last known serves while etcd is away; a lost registration comes back by itself; a set is
// emptied only when it has stayed empty for the grace, or when its instances said that they leave. Nothing that must
// be correct rests on etcd: it says where to knock, and the TLS identity behind the door is checked by the caller.
package discovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/grpc/resolver"
)

const (
	// Scheme is the scheme of targets: huhang:///<service>/<province>.
	Scheme = "huhang"
	// AllProvinces is the province (省) of services that are not deployed per province.
	AllProvinces = "000000"

	root         = "/huhang/"
	maxValueSize = 8 << 10 // bytes of one stored instance; more is refused and, when read, ignored
)

// Registry registers instances and resolves them. Etcd and Static implement it.
type Registry interface {
	// Register announces the instance until Deregister. It does not wait for etcd: an error means a faulty instance
	// or a closed registry, never that etcd is away.
	Register(ctx context.Context, inst Instance) (*Registration, error)
	// Builder resolves huhang:///<service>/<province>; pass it to grpc.WithResolvers.
	Builder() resolver.Builder
	// List returns the registered instances, ordered by id. Unlike the resolver it asks etcd and fails without it.
	List(ctx context.Context, service, province string) ([]Instance, error)
	// Provinces returns the provinces under which the service is registered, in order.
	Provinces(ctx context.Context, service string) ([]string, error)
	// Close ends resolvers and registrations. Like a crash it leaves leases to lapse: Deregister first.
	Close() error
}

// Instance is one process that serves a service for a province.
type Instance struct {
	Service  string            `json:"service"`            // "settlement"
	Province string            `json:"province"`           // six digits; AllProvinces when the service is not split
	ID       string            `json:"id"`                 // unique within service and province, stable over restarts
	Addr     string            `json:"addr"`               // host:port that clients dial
	Version  string            `json:"version,omitempty"`  // build, for operations
	Metadata map[string]string `json:"metadata,omitempty"` // small, for operations
}

var (
	servicePattern  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	provincePattern = regexp.MustCompile(`^[0-9]{6}$`)
	idPattern       = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
)

// Validate says what is wrong with the instance.
func (i Instance) Validate() error {
	if err := validTarget(i.Service, i.Province); err != nil {
		return err
	}
	if !idPattern.MatchString(i.ID) {
		return fmt.Errorf("discovery: instance id %q is not 1-64 letters, digits, '.', '_' or '-'", i.ID)
	}
	host, port, err := net.SplitHostPort(i.Addr)
	if err != nil {
		return fmt.Errorf("discovery: address %q: %w", i.Addr, err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("discovery: address %q has no port that clients can dial", i.Addr)
	}
	// A wildcard is where a server listens; a client on another machine would dial itself.
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return fmt.Errorf("discovery: address %q names no host that clients can dial", i.Addr)
	}
	return nil
}

func validTarget(service, province string) error {
	if !servicePattern.MatchString(service) {
		return fmt.Errorf("discovery: service %q is not 1-32 lower-case letters, digits or '-'", service)
	}
	if !provincePattern.MatchString(province) {
		return fmt.Errorf("discovery: province %q is not six digits", province)
	}
	return nil
}

func prefix(service, province string) string { return root + service + "/" + province + "/" }

func (i Instance) key() string { return prefix(i.Service, i.Province) + i.ID }

// record is what stands in etcd. Leaving is written just before an orderly end, so that clients drop the instance
// at once, where one that merely vanished is kept for the grace.
type record struct {
	Instance
	Leaving bool `json:"leaving,omitempty"`
}

func (r record) encode() (string, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("discovery: encode instance: %w", err)
	}
	if len(b) > maxValueSize {
		return "", fmt.Errorf("discovery: instance %s takes %d bytes, more than %d", r.ID, len(b), maxValueSize)
	}
	return string(b), nil
}

// decode reads a stored record and refuses one that does not belong under its key.
func decode(key string, value []byte) (record, error) {
	var r record
	if len(value) > maxValueSize {
		return record{}, fmt.Errorf("discovery: value of %q takes %d bytes", key, len(value))
	}
	if err := json.Unmarshal(value, &r); err != nil {
		return record{}, fmt.Errorf("discovery: value of %q: %w", key, err)
	}
	if err := r.Validate(); err != nil {
		return record{}, err
	}
	if r.key() != key {
		return record{}, fmt.Errorf("discovery: value of %q belongs under %q", key, r.key())
	}
	return r, nil
}

// parseTarget reads "<service>/<province>"; the province may be left out.
func parseTarget(t resolver.Target) (service, province string, err error) {
	service, province, found := strings.Cut(t.Endpoint(), "/")
	if !found {
		province = AllProvinces
	}
	return service, province, validTarget(service, province)
}

// Registration is an announced instance.
type Registration struct {
	registered chan struct{}
	leave      func(context.Context) error
	once       sync.Once
	err        error
}

// Registered is closed when the instance stands in etcd for the first time.
func (r *Registration) Registered() <-chan struct{} { return r.registered }

// Wait returns when the instance is registered, or with ctx's error.
func (r *Registration) Wait(ctx context.Context) error {
	select {
	case <-r.registered:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Deregister ends the announcement and takes the instance out at once. An error means that etcd could not be told:
// the entry then ends with its lease. Only the first call acts; later ones return its answer.
func (r *Registration) Deregister(ctx context.Context) error {
	r.once.Do(func() { r.err = r.leave(ctx) })
	return r.err
}

// ErrClosed is returned by a registry after Close.
var ErrClosed = errors.New("discovery: registry is closed")
