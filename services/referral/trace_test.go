package referral

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var traceBase = time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func spanAt(trace, id, parent string, from, to int) Span {
	return Span{TraceID: trace, ID: id, ParentID: parent, Name: id, Service: "s", Start: traceBase.Add(ms(from)), Duration: ms(to - from)}
}

func TestAssemble(t *testing.T) {
	call := spanAt("b", "root", "", 0, 100)
	settle := spanAt("b", "settle", "root", 10, 60)
	settle.Province = "340000"
	server := spanAt("b", "server", "settle", 20, 50)
	server.Failed = true
	overlapping := spanAt("b", "late", "root", 40, 130) // clocks differ: it ends after its parent
	job := spanAt("b", "job", "gone", 5_000, 5_010)     // its parent was not kept
	earlier := spanAt("a", "first", "", -500, -400)
	got := Assemble([]Span{job, overlapping, server, settle, call, earlier, call}, map[string][]int64{"b": {3, 4}})

	type row struct {
		id    string
		depth int
		self  time.Duration
		rank  int
	}
	want := []row{{"first", 0, ms(100), 1}, {"root", 0, ms(10), 4}, {"settle", 1, ms(20), 0}, {"server", 2, ms(30), 3}, {"late", 1, ms(90), 2}, {"job", 0, ms(10), 5}}
	want[2].rank, want[1].rank, want[5].rank = 4, 5, 0
	var have []row
	for _, s := range got.Spans {
		have = append(have, row{s.ID, s.Depth, s.Self, s.SlowRank})
	}
	if !slices.Equal(have, want) {
		t.Errorf("spans\n have %v\n want %v", have, want)
	}
	if p := got.Spans[3].Province; p != "340000" {
		t.Errorf("the server's province is %q, its caller asked 340000", p)
	}
	if len(got.Traces) != 2 || got.Traces[1].Failed != 1 || got.Failed != 1 || got.Traces[1].Duration != ms(5_010) ||
		got.Traces[1].Name != "root" || !slices.Equal(got.Traces[1].Sequences, []int64{3, 4}) {
		t.Errorf("summaries %+v", got.Traces)
	}
	if own := got.Of("a"); len(own) != 1 || own[0].ID != "first" {
		t.Errorf("the part of trace a is %v", own)
	}
}

func TestAssembleIsBounded(t *testing.T) {
	var spans []Span
	for i := range maxSpans + 10 {
		spans = append(spans, spanAt(fmt.Sprintf("%032d", i/100), fmt.Sprint(i), "", i, i+1))
	}
	got := Assemble(spans, nil)
	if !got.Truncated || len(got.Spans) != maxSpans {
		t.Errorf("truncated %v with %d spans", got.Truncated, len(got.Spans))
	}
}

// Whatever the spans, each stands once, below its parent, in an order that does not depend on how they came.
func TestAssembleKeepsEverySpanOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(t, "spans")
		var spans []Span
		for i := range n {
			from := rapid.IntRange(0, 1000).Draw(t, "from")
			// A parent may be later, missing, or the span itself: the store is not ours.
			parent := fmt.Sprint(rapid.IntRange(-1, n).Draw(t, "parent"))
			spans = append(spans, spanAt(fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "trace")), fmt.Sprint(i), parent, from, from+rapid.IntRange(0, 300).Draw(t, "length")))
		}
		got := Assemble(spans, nil)
		if len(got.Spans) != n {
			t.Fatalf("%d of %d spans", len(got.Spans), n)
		}
		depth := map[string]int{}
		for _, s := range got.Spans {
			if _, twice := depth[s.ID]; twice {
				t.Fatalf("span %s twice", s.ID)
			}
			if s.Depth > 0 && depth[s.ParentID] != s.Depth-1 {
				t.Fatalf("span %s at depth %d stands below %s at %d", s.ID, s.Depth, s.ParentID, depth[s.ParentID])
			}
			if s.Self < 0 || s.Self > s.Duration {
				t.Fatalf("self time %v of %v", s.Self, s.Duration)
			}
			depth[s.ID] = s.Depth
		}
		shuffled := slices.Clone(spans)
		rand.New(rand.NewPCG(1, uint64(n))).Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if again := Assemble(shuffled, nil); !slices.Equal(again.Spans, got.Spans) {
			t.Fatal("the order of arrival changed the picture")
		}
	})
}
