package referral

import (
	"cmp"
	"slices"
	"time"
)

// Span is one piece of work of one service, as the trace store kept it (调用片段).
type Span struct {
	TraceID, ID, ParentID string
	Service, Instance     string
	// Province the work was done for; empty where the span says nothing of it.
	Province string
	// Kind is client, server, consumer, producer or internal.
	Name, Kind string
	Start      time.Time
	Duration   time.Duration
	Failed     bool
	Failure    string
	JobAttempt int
}

func (s Span) end() time.Time { return s.Start.Add(s.Duration) }

// PlacedSpan is a span with its place in the case's picture.
type PlacedSpan struct {
	Span
	Depth int
	// Self is the duration less the time in which a child was at work.
	Self time.Duration
	// SlowRank is 1 for the longest Self of the case, up to slowest; 0 for the others.
	SlowRank int
}

// TraceSummary is one trace (调用链) of a case.
type TraceSummary struct {
	ID, Name, Service string
	Start             time.Time
	Duration          time.Duration
	Spans, Failed     int
	// Sequences are the timeline entries written in it.
	Sequences []int64
}

// Trace is the whole picture of a case: its traces, oldest first, and their spans in the same order, each trace from its
// roots down.
type Trace struct {
	Traces    []TraceSummary
	Spans     []PlacedSpan
	Failed    int
	Truncated bool
}

const (
	slowest           = 5
	maxTraceEntries   = 50
	maxSpans          = 20_000
	maxTraceSummaries = 5_000
)

// Assemble puts spans in order. They may come in any order and more than once, and a parent may be missing: its children
// then stand as roots. entries tell which timeline entries were written in which trace.
func Assemble(spans []Span, entries map[string][]int64) Trace {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.TraceID, b.TraceID), a.Start.Compare(b.Start), cmp.Compare(b.Duration, a.Duration), cmp.Compare(a.ID, b.ID))
	})
	spans = slices.CompactFunc(spans, func(a, b Span) bool { return a.TraceID == b.TraceID && a.ID == b.ID })
	var groups [][]Span
	for begin, i := 0, 1; i <= len(spans); i++ {
		if i == len(spans) || spans[i].TraceID != spans[begin].TraceID {
			groups = append(groups, spans[begin:i])
			begin = i
		}
	}
	slices.SortFunc(groups, func(a, b []Span) int {
		return cmp.Or(a[0].Start.Compare(b[0].Start), cmp.Compare(a[0].TraceID, b[0].TraceID))
	})
	var t Trace
	for _, group := range groups {
		t.Truncated = t.Truncated || len(t.Spans)+len(group) > maxSpans || len(t.Traces) == maxTraceSummaries
		if t.Truncated {
			break
		}
		placed := place(group)
		t.Spans = append(t.Spans, placed...)
		summary := summarise(placed)
		summary.Sequences = entries[summary.ID]
		summary.Sequences = summary.Sequences[:min(len(summary.Sequences), maxTraceEntries)]
		t.Traces = append(t.Traces, summary)
		t.Failed += summary.Failed
	}
	rankSlowest(t.Spans)
	return t
}

// Of returns the part of one trace.
func (t Trace) Of(traceID string) []PlacedSpan {
	var own []PlacedSpan
	for _, s := range t.Spans {
		if s.TraceID == traceID {
			own = append(own, s)
		}
	}
	return own
}

// place orders one trace from its roots down; group is sorted by start.
func place(group []Span) []PlacedSpan {
	at := make(map[string]int, len(group))
	for i, s := range group {
		at[s.ID] = i
	}
	children := make([][]int, len(group))
	var roots []int
	for i, s := range group {
		parent, there := at[s.ParentID]
		if !there || parent == i {
			roots = append(roots, i)
			continue
		}
		children[parent] = append(children[parent], i)
	}
	placed := make([]PlacedSpan, 0, len(group))
	seen := make([]bool, len(group))
	var put func(i, depth int, province string)
	put = func(i, depth int, province string) {
		if seen[i] {
			return
		}
		seen[i] = true
		s := group[i]
		// What a call was made for, its server and the work below it were done for too.
		s.Province = cmp.Or(s.Province, province)
		placed = append(placed, PlacedSpan{Span: s, Depth: depth, Self: selfTime(s, group, children[i])})
		for _, c := range children[i] {
			put(c, depth+1, s.Province)
		}
	}
	for _, r := range roots {
		put(r, 0, "")
	}
	// Spans that name each other in a ring have no root; they are shown all the same.
	for i := range group {
		put(i, 0, "")
	}
	return placed
}

// selfTime is what is left of a span's duration when its children's times, which may overlap and, by clocks that differ,
// reach beyond it, are cut out. children are sorted by start.
func selfTime(s Span, group []Span, children []int) time.Duration {
	self, covered := s.Duration, s.Start
	for _, i := range children {
		from, to := group[i].Start, group[i].end()
		if from.Before(covered) {
			from = covered
		}
		if to.After(s.end()) {
			to = s.end()
		}
		if to.After(from) {
			self -= to.Sub(from)
			covered = to
		}
	}
	return self
}

func summarise(placed []PlacedSpan) TraceSummary {
	first := placed[0]
	sum := TraceSummary{ID: first.TraceID, Name: first.Name, Service: first.Service, Start: first.Start, Spans: len(placed)}
	end := first.end()
	for _, s := range placed {
		if s.Start.Before(sum.Start) {
			sum.Start = s.Start
		}
		if s.end().After(end) {
			end = s.end()
		}
		if s.Failed {
			sum.Failed++
		}
	}
	sum.Duration = end.Sub(sum.Start)
	return sum
}

func rankSlowest(spans []PlacedSpan) {
	order := make([]int, len(spans))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(spans[b].Self, spans[a].Self) })
	for rank, i := range order[:min(slowest, len(order))] {
		if spans[i].Self > 0 {
			spans[i].SlowRank = rank + 1
		}
	}
}
