package e2e

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/sampleline"
)

// showsTrace reads the case's trace as operations do and holds it against every span the line ended.
func showsTrace(t *testing.T, l *devLine, r *sampleline.Result) {
	desk := l.as(t, "OPS", "operations", "")
	path := "/v1/referrals/" + r.ReferralID + "/trace?pageSize=100"
	// What is held against the trace is taken before it is read: jobs that end later are not in it.
	ended := l.spans.Ended()
	var timeline referralv1.ListTimelineResponse
	if err := desk.Do(t.Context(), http.MethodGet, "/v1/referrals/"+r.ReferralID+"/timeline?pageSize=200", nil, &timeline); err != nil {
		t.Fatal(err)
	}
	shown := map[string]*referralv1.TraceSpan{}
	provinces, ranks := map[string]bool{}, map[int32]bool{}
	var first *referralv1.GetTraceResponse
	for token := ""; ; {
		var got referralv1.GetTraceResponse
		if err := desk.Do(t.Context(), http.MethodGet, path+"&pageToken="+url.QueryEscape(token), nil, &got); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = &got
		}
		for _, s := range got.GetSpans() {
			shown[s.GetTraceId()+s.GetSpanId()] = s
			provinces[s.GetProvince()] = true
			ranks[s.GetSlowRank()] = true
		}
		if token = got.GetNextPageToken(); token == "" {
			break
		}
	}
	if first.GetTruncated() || len(shown) < int(first.GetTotalSpans()) {
		t.Errorf("%d spans of %d, truncated %v", len(shown), first.GetTotalSpans(), first.GetTruncated())
	}
	if !provinces["310000"] || !provinces["340000"] || !ranks[1] || !ranks[5] {
		t.Errorf("provinces %v, slow ranks %v", provinces, ranks)
	}
	for _, s := range ended {
		id := s.SpanContext()
		names := false
		for _, a := range s.Attributes() {
			names = names || a == attribute.String(telemetry.ReferralKey, r.ReferralID)
		}
		kept := shown[id.TraceID().String()+id.SpanID().String()]
		switch {
		// Reading the trace is itself part of the case, and ends after it was read.
		case !names || strings.HasSuffix(s.Name(), "/GetTrace") || strings.HasSuffix(s.Name(), "/trace"):
		case kept == nil:
			t.Errorf("span %q of %s is not shown", s.Name(), s.Resource())
		case s.SpanKind() != trace.SpanKindInternal && kept.GetKind() != s.SpanKind().String():
			t.Errorf("span %q is shown as %s", s.Name(), kept.GetKind())
		}
	}
	linked := map[int64]bool{}
	for _, x := range first.GetTraces() {
		for _, sequence := range x.GetTimelineSequences() {
			linked[sequence] = true
		}
	}
	for _, e := range timeline.GetEntries() {
		if !linked[e.GetSequence()] {
			t.Errorf("entry %d, %s, leads to no trace", e.GetSequence(), e.GetKind())
		}
	}
	one := timeline.GetEntries()[0].GetTraceId()
	var part referralv1.GetTraceResponse
	if err := desk.Do(t.Context(), http.MethodGet, path+"&traceId="+one, nil, &part); err != nil || len(part.GetSpans()) == 0 {
		t.Fatalf("the trace of the first entry: %d spans, %v", len(part.GetSpans()), err)
	}
	for _, s := range part.GetSpans() {
		if s.GetTraceId() != one {
			t.Errorf("a span of %s in the trace of the first entry", s.GetTraceId())
		}
	}
	if err := l.as(t, "H-HF-01", "coordinator", "").Do(t.Context(), http.MethodGet, path, nil, &part); err == nil {
		t.Error("a coordinator reads how the services of others work")
	}
}

// leadsToTraces asks that a figure names a trace to look at.
func leadsToTraces(t *testing.T, l *devLine) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.OpsAddr()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "rpc_server_") && strings.Contains(line, `# {`) && strings.Contains(line, `trace_id="`) {
			return
		}
	}
	t.Error("no figure of the servers has an exemplar")
}
