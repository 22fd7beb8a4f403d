// Package ready tells whether the services behind the gateway can be called (就绪检查).
//
// Invariant: ready means that every service answers SERVING to its own health check, asked just now; however often it is
// asked, the services are asked at most once in a moment.
package ready

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"huhang.example/services/gateway/route"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
)

const (
	checkLimit = time.Second
	freshness  = time.Second
	notAsked   = "UNREACHABLE"
)

// Part is one service, for one province, and what it says of itself.
type Part struct {
	Service  string `json:"service"`
	Province string `json:"province,omitempty"`
	Status   string `json:"status"`
}

// Answer is the whole.
type Answer struct {
	Ready bool   `json:"ready"`
	Parts []Part `json:"services"`
}

// Checker asks the services.
type Checker struct {
	peers    route.Peers
	registry route.Provinces
	clock    clock.Clock
	stopping func() bool

	mu        sync.Mutex
	last      Answer
	asked     time.Time
	provinces []string // of settlement, as last known
}

// New returns a checker; stopping reports that this process is about to end.
func New(peers route.Peers, registry route.Provinces, c clock.Clock, stopping func() bool) *Checker {
	return &Checker{peers: peers, registry: registry, clock: c, stopping: stopping}
}

// Check asks every service, or returns what they said within the last second.
func (c *Checker) Check(ctx context.Context) Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.asked.IsZero() && c.clock.Now().Sub(c.asked) < freshness {
		return c.last
	}
	// The answer is kept for others, so whoever asked first must not cut it short by leaving.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkLimit)
	defer cancel()
	parts := c.parts(ctx)
	var asking sync.WaitGroup
	for i := range parts {
		asking.Go(func() { parts[i].Status = c.ask(ctx, parts[i]) })
	}
	asking.Wait()
	answer := Answer{Ready: true, Parts: parts}
	for i := range parts {
		answer.Ready = answer.Ready && parts[i].Status == healthv1.HealthCheckResponse_SERVING.String()
		if parts[i].Province == discovery.AllProvinces {
			parts[i].Province = ""
		}
	}
	c.last, c.asked = answer, c.clock.Now()
	return answer
}

// parts lists what is needed: every service, and settlement for each province that registered.
func (c *Checker) parts(ctx context.Context) []Part {
	var parts []Part
	for _, service := range route.Services() {
		if service != route.Settlement {
			parts = append(parts, Part{Service: service, Province: discovery.AllProvinces})
		}
	}
	// Without etcd the provinces last known still serve.
	if served, err := c.registry.Provinces(ctx, route.Settlement); err == nil {
		c.provinces = served
	}
	if len(c.provinces) == 0 {
		return append(parts, Part{Service: route.Settlement, Status: notAsked})
	}
	for _, province := range c.provinces {
		parts = append(parts, Part{Service: route.Settlement, Province: province})
	}
	slices.SortFunc(parts, func(a, b Part) int { return strings.Compare(a.Service+a.Province, b.Service+b.Province) })
	return parts
}

func (c *Checker) ask(ctx context.Context, part Part) string {
	if part.Province == "" {
		return notAsked
	}
	connection, err := c.peers.Conn(part.Service, part.Province)
	if err != nil {
		return notAsked
	}
	answer, err := healthv1.NewHealthClient(connection).Check(ctx, &healthv1.HealthCheckRequest{Service: part.Service}, grpc.WaitForReady(false))
	if err != nil {
		return notAsked
	}
	return answer.GetStatus().String()
}

// ServeHTTP answers 200 when all is ready, else 503, and either way with the parts.
func (c *Checker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := c.Check(r.Context())
	if c.stopping() {
		answer.Ready = false
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !answer.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	// Only a client that went away makes this fail.
	_ = json.NewEncoder(w).Encode(answer)
}
