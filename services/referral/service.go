package referral

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/telemetry"
)

// Service is the use cases of the case. What must be asked of a peer before a call is decided is asked by a Prepare
// method, outside the call's transaction; it never fails but carries its error into the call.
type Service struct {
	store Store
	peers Peers
	clock clock.Clock
	ids   id.Source
	// traces is nil where the operator keeps none.
	traces   Traces
	pictures pictures
	bell     bell
	// followers counts the open feeds.
	followers atomic.Int64
}

// New returns the service.
func New(store Store, peers Peers, clock clock.Clock, ids id.Source) *Service {
	return &Service{store: store, peers: peers, clock: clock, ids: ids}
}

// act is the caller's attempt, now, in this trace.
func (s *Service) act(ctx context.Context) Act {
	a := Act{By: access.From(ctx), At: s.clock.Now()}
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		a.Trace = span.TraceID().String()
	}
	return a
}

// visible returns a case the caller may see, and marks the work as part of it.
func (s *Service) visible(ctx context.Context, referralID string) (*Referral, error) {
	r, err := s.store.Get(ctx, referralID)
	if err != nil {
		return nil, err
	}
	if !r.VisibleTo(access.From(ctx)) {
		return nil, access.NotVisible("referral", referralID)
	}
	return r, nil
}

// update changes a case the caller may see. Visibility is decided before the etag: a stranger learns nothing.
func (s *Service) update(ctx context.Context, referralID, etag string, change func(r *Referral, a Act) error) (*Referral, error) {
	ctx = telemetry.WithReferral(ctx, referralID)
	a := s.act(ctx)
	return s.store.Update(ctx, referralID, "", func(r *Referral) error {
		if !r.VisibleTo(a.By) {
			return access.NotVisible("referral", referralID)
		}
		if etag != "" && etag != r.Etag() {
			return fault.Stale(r.Etag())
		}
		return change(r, a)
	})
}

// key makes a request id from the parts that make the call what it is; one that would be too long is cut to a hash.
func key(parts ...string) string {
	whole := strings.Join(parts, "-")
	if len(whole) <= 64 {
		return whole
	}
	sum := sha256.Sum256([]byte(whole))
	return parts[0] + "-" + hex.EncodeToString(sum[:20])
}

// refused reports whether a peer will give the same answer however often it is asked.
func refused(err error) (*fault.Fault, bool) {
	f, ok := fault.As(err)
	if !ok {
		return nil, false
	}
	switch f.Code {
	case fault.InvalidArgument, fault.FailedPrecondition, fault.NotFound, fault.AlreadyExists, fault.OutOfRange:
		return f, true
	}
	return nil, false
}

// bell wakes the followers of the feed in this process.
type bell struct {
	mu sync.Mutex
	c  chan struct{}
}

func (b *bell) heard() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		b.c = make(chan struct{})
	}
	return b.c
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c != nil {
		close(b.c)
		b.c = nil
	}
}

// Committed tells the followers of the feed that there may be something new. Without it they look every poll.
func (s *Service) Committed() { s.bell.ring() }

const poll = time.Second
