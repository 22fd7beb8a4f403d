package referral

import (
	"context"
	"strconv"
	"sync"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/page"
	"huhang.example/services/internal/telemetry"
)

// Traces reads the operator's trace store.
type Traces interface {
	// OfCase returns every span kept of a case's traces between two instants, in any order, and whether there are more
	// than it may return. Faults PEER_UNAVAILABLE, DEADLINE_EXCEEDED.
	OfCase(ctx context.Context, referralID string, from, to time.Time) (spans []Span, more bool, err error)
}

// WithTraces gives the service a trace store to read; without one GetTrace is refused.
func (s *Service) WithTraces(traces Traces) *Service {
	s.traces = traces
	return s
}

// TracePage is a part of a case's trace.
type TracePage struct {
	Trace
	// Total counts the case's spans, of which Spans are this page's.
	Total int
	Next  string
}

const (
	// Clocks of machines differ, and what led to a case began before it.
	traceMargin = 10 * time.Minute
	// maxTimelineRead bounds the entries that are looked through for their traces.
	maxTimelineRead = 5_000
)

// GetTrace returns a page of a case's spans; faults NOT_FOUND, WRONG_STATE without a trace store, INVALID_PAGE_TOKEN.
func (s *Service) GetTrace(ctx context.Context, referralID, traceID, token string, size int32) (TracePage, error) {
	ctx = telemetry.WithReferral(ctx, referralID)
	r, err := s.visible(ctx, referralID)
	if err != nil {
		return TracePage{}, err
	}
	filter := page.Filter("trace", referralID, traceID)
	cursor, err := page.Parse(filter, token)
	if err != nil {
		return TracePage{}, err
	}
	if s.traces == nil {
		return TracePage{}, fault.New(fault.FailedPrecondition, fault.WrongState, "",
			"No trace store is configured: set referral.traces to a Jaeger query address.", "未配置链路存储：请将 referral.traces 设为 Jaeger 查询地址。").
			With("state", "NO_TRACE_STORE")
	}
	whole, err := s.picture(ctx, r, cursor != "")
	if err != nil {
		return TracePage{}, err
	}
	p := TracePage{Trace: whole, Total: len(whole.Spans)}
	if traceID != "" {
		p.Spans = p.Of(traceID)
	}
	begin := 0
	if cursor != "" {
		if begin, err = strconv.Atoi(cursor); err != nil || begin < 0 {
			return TracePage{}, fault.New(fault.InvalidArgument, fault.InvalidPageToken, "page_token", "The page token is not one of ours.", "分页令牌无效。")
		}
		p.Traces = nil
	}
	begin = min(begin, len(p.Spans))
	end := min(begin+page.Size(size, 500, 2000), len(p.Spans))
	if end < len(p.Spans) {
		p.Next = page.Token(filter, strconv.Itoa(end))
	}
	p.Spans = p.Spans[begin:end]
	return p, nil
}

// picture returns the case's whole trace: a first page asks for it anew, the further ones go on with what the first saw,
// so that nothing moves between pages.
func (s *Service) picture(ctx context.Context, r *Referral, goesOn bool) (Trace, error) {
	if goesOn {
		if t, there := s.pictures.get(r.ID, s.clock.Now()); there {
			return t, nil
		}
	}
	entries, err := s.tracesOfTimeline(ctx, r.ID)
	if err != nil {
		return Trace{}, err
	}
	spans, more, err := s.traces.OfCase(ctx, r.ID, r.CreateTime.Add(-traceMargin), s.clock.Now().Add(traceMargin))
	if err != nil {
		return Trace{}, err
	}
	t := Assemble(spans, entries)
	t.Truncated = t.Truncated || more
	s.pictures.put(r.ID, t, s.clock.Now())
	return t, nil
}

// pictures are the few assembled last, for a short time.
type pictures struct {
	mu   sync.Mutex
	kept map[string]picture
}

type picture struct {
	trace Trace
	until time.Time
}

const (
	keepPicture = 30 * time.Second
	maxPictures = 8
)

func (p *pictures) get(referralID string, now time.Time) (Trace, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k, there := p.kept[referralID]
	return k.trace, there && now.Before(k.until)
}

func (p *pictures) put(referralID string, t Trace, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept == nil {
		p.kept = map[string]picture{}
	}
	oldest := ""
	for id, k := range p.kept {
		if oldest == "" || k.until.Before(p.kept[oldest].until) {
			oldest = id
		}
	}
	if len(p.kept) >= maxPictures {
		delete(p.kept, oldest)
	}
	p.kept[referralID] = picture{t, now.Add(keepPicture)}
}

// tracesOfTimeline tells which entries were written in which trace.
func (s *Service) tracesOfTimeline(ctx context.Context, referralID string) (map[string][]int64, error) {
	of := map[string][]int64{}
	for after := int64(0); after < maxTimelineRead; {
		entries, err := s.store.Timeline(ctx, referralID, after, 200)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.TraceID != "" {
				of[e.TraceID] = append(of[e.TraceID], e.Sequence)
			}
		}
		if len(entries) < 200 {
			break
		}
		after = entries[len(entries)-1].Sequence
	}
	return of, nil
}
