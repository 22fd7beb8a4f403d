package spanstore

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"huhang.example/services/internal/telemetry"
)

const referral = "ref_00000000000000000000000001"

type rig struct {
	t     *testing.T
	store *Store
	by    map[string]trace.Tracer
}

func rigOf(t *testing.T, path string, most int) *rig {
	t.Helper()
	store, err := open(t.Context(), path, most)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t, store, map[string]trace.Tracer{}}
	for _, service := range []string{"gateway", "settlement"} {
		tel, err := telemetry.Start(t.Context(), telemetry.Config{Service: service, Instance: service + "-1", SpanProcessors: []sdktrace.SpanProcessor{store.Processor()}})
		if err != nil {
			t.Fatal(err)
		}
		r.by[service] = tel.Tracer("test")
	}
	return r
}

func (r *rig) get(path string, q url.Values) (int, answer) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.store.URL()+path+"?"+q.Encode(), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var a answer
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		r.t.Fatal(err)
	}
	return response.StatusCode, a
}

func ofCase(service, id string) url.Values {
	return url.Values{"service": {service}, "tags": {fmt.Sprintf(`{"huhang.referral_id":%q}`, id)}, "limit": {"100"}}
}

// call makes one trace over both services and returns its id.
func (r *rig) call(ctx context.Context) string {
	ctx, root := r.by["gateway"].Start(ctx, "POST /v1/claims")
	_, child := r.by["settlement"].Start(telemetry.WithReferral(ctx, referral), "settle", trace.WithSpanKind(trace.SpanKindServer))
	child.SetStatus(codes.Error, "refused")
	child.End()
	root.End()
	return root.SpanContext().TraceID().String()
}

func TestFindsWholeTraces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spans.db")
	r := rigOf(t, path, maxSpans)
	id := r.call(t.Context())
	_, other := r.by["gateway"].Start(t.Context(), "something else")
	other.End()

	look := func(r *rig) {
		t.Helper()
		code, a := r.get("/api/traces", ofCase("settlement", referral))
		if code != http.StatusOK || len(a.Data) != 1 || a.Data[0].TraceID != id || len(a.Data[0].Spans) != 2 || len(a.Data[0].Processes) != 2 {
			t.Fatalf("%d: %+v", code, a)
		}
		var root, child span
		var who process
		for of, to := range map[string]any{string(a.Data[0].Spans[0]): &root, string(a.Data[0].Spans[1]): &child} {
			if err := json.Unmarshal([]byte(of), to); err != nil {
				t.Fatal(err)
			}
		}
		if err := json.Unmarshal(a.Data[0].Processes[child.ProcessID], &who); err != nil {
			t.Fatal(err)
		}
		if len(root.References) != 0 || len(child.References) != 1 || child.References[0].SpanID != root.SpanID || who.ServiceName != "settlement" {
			t.Errorf("root %+v child %+v", root, child)
		}
		tags := map[string]any{}
		for _, t := range child.Tags {
			tags[t.Key] = t.Value
		}
		if tags["error"] != true || tags["span.kind"] != "server" || tags["otel.status_description"] != "refused" {
			t.Errorf("tags %v", tags)
		}
	}
	look(r) // at once: a query waits for what was ended before it
	if err := r.store.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	look(rigOf(t, path, maxSpans))
}

func TestRefusals(t *testing.T) {
	r := rigOf(t, filepath.Join(t.TempDir(), "spans.db"), maxSpans)
	good := ofCase("gateway", referral)
	for name, value := range map[string]string{"service": "", "tags": `{"http.route":"/"}`, "start": "yesterday", "limit": "100000"} {
		q := url.Values{}
		for k, v := range good {
			q[k] = v
		}
		q.Set(name, value)
		if code, a := r.get("/api/traces", q); code != http.StatusBadRequest || len(a.Errors) != 1 {
			t.Errorf("%s=%q: %d %+v", name, value, code, a)
		}
	}
	if code, _ := r.get("/api/traces/no-trace", nil); code != http.StatusBadRequest {
		t.Errorf("a trace id that is none: %d", code)
	}
	if code, a := r.get("/api/traces", good); code != http.StatusOK || len(a.Data) != 0 {
		t.Errorf("a case without spans: %d %+v", code, a)
	}
}

func TestOldestGoFirst(t *testing.T) {
	r := rigOf(t, filepath.Join(t.TempDir(), "spans.db"), 40)
	first := r.call(t.Context())
	var last string
	for range 60 {
		last = r.call(t.Context())
		r.get("/api/traces/"+last, nil) // one batch each
	}
	if _, a := r.get("/api/traces/"+first, nil); len(a.Data) != 0 {
		t.Error("the oldest trace is still there")
	}
	if _, a := r.get("/api/traces/"+last, nil); len(a.Data) != 1 {
		t.Error("the newest trace is gone")
	}
}
