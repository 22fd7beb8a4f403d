package telemetry_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"

	"huhang.example/services/internal/telemetry"
)

func start(t *testing.T, c telemetry.Config) *telemetry.Telemetry {
	t.Helper()
	tel, err := telemetry.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tel.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return tel
}

func attributeOf(span sdktrace.ReadOnlySpan, key string) string {
	for _, a := range span.Attributes() {
		if string(a.Key) == key {
			return a.Value.AsString()
		}
	}
	return ""
}

func TestTheReferralIsOnEverySpanAcrossServices(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	referral := start(t, telemetry.Config{Service: "referral", Instance: "r1", SpanProcessors: []sdktrace.SpanProcessor{spans}})
	matching := start(t, telemetry.Config{Service: "matching", Instance: "m1", SpanProcessors: []sdktrace.SpanProcessor{spans}})

	ctx, outer := referral.Tracer("test").Start(t.Context(), "outer")
	ctx = telemetry.WithReferral(ctx, "ref_1")
	ctx, inner := referral.Tracer("test").Start(ctx, "inner")
	headers := propagation.MapCarrier{}
	referral.Propagator.Inject(ctx, headers)
	there := matching.Propagator.Extract(context.Background(), headers)
	_, remote := matching.Tracer("test").Start(there, "remote")
	remote.End()
	inner.End()
	outer.End()

	ended := spans.Ended()
	if len(ended) != 3 {
		t.Fatalf("%d spans", len(ended))
	}
	for _, span := range ended {
		if attributeOf(span, telemetry.ReferralKey) != "ref_1" {
			t.Errorf("%s does not name the referral", span.Name())
		}
		if span.SpanContext().TraceID() != ended[0].SpanContext().TraceID() {
			t.Errorf("%s is in another trace", span.Name())
		}
	}
	resource := map[string]string{}
	for _, a := range ended[0].Resource().Attributes() {
		resource[string(a.Key)] = a.Value.AsString()
	}
	if resource["service.name"] != "matching" || resource["service.instance.id"] != "m1" {
		t.Error(resource)
	}
	if telemetry.Referral(there) != "ref_1" || telemetry.Referral(context.Background()) != "" {
		t.Error("the referral is not known where it should be")
	}
}

func TestOnlyIdsTravel(t *testing.T) {
	for _, id := range []string{"", "11010519491231002X", "13800138000", "张三", "a b", "a,b", "ref_1;x=y", "ref\n", strings.Repeat("r", 65)} {
		if got := telemetry.Referral(telemetry.WithReferral(t.Context(), id)); got != "" {
			t.Errorf("%q was taken as %q", id, got)
		}
	}
	ctx := telemetry.WithReferral(t.Context(), "ref_1")
	if telemetry.Referral(telemetry.WithReferral(ctx, "")) != "ref_1" {
		t.Error("no id erased one")
	}
	if telemetry.Referral(telemetry.WithReferral(ctx, "ref_2")) != "ref_2" {
		t.Error("a second id did not replace the first")
	}
}

func TestAPartnersBaggageIsNotPassedOn(t *testing.T) {
	p := telemetry.Propagator()
	for given, want := range map[string]string{
		"name=zhangsan,huhang.referral_id=ref_1,x=y": "huhang.referral_id=ref_1",
		"name=zhangsan":                                  "",
		"huhang.referral_id=11010519491231002X":          "",
		"huhang.referral_id=%E5%BC%A0%E4%B8%89,name=abc": "",
		"%%%": "",
	} {
		ctx := p.Extract(t.Context(), propagation.MapCarrier{"baggage": given})
		if kept := baggage.FromContext(ctx).String(); kept != want {
			t.Errorf("of %q, %q was kept", given, kept)
		}
		out := propagation.MapCarrier{}
		p.Inject(ctx, out)
		if out["baggage"] != want {
			t.Errorf("%q went on as %q", given, out["baggage"])
		}
	}
}

func TestSampling(t *testing.T) {
	for _, test := range []struct {
		ratio     float64
		all, none bool
	}{{0, true, false}, {1, true, false}, {-1, false, true}, {0.5, false, false}} {
		spans := tracetest.NewSpanRecorder()
		tel := start(t, telemetry.Config{Service: "s", SampleRatio: test.ratio, SpanProcessors: []sdktrace.SpanProcessor{spans}})
		const n = 200
		for range n {
			_, span := tel.Tracer("test").Start(t.Context(), "x")
			span.End()
		}
		if got := len(spans.Ended()); (got == n) != test.all || (got == 0) != test.none {
			t.Errorf("ratio %v recorded %d of %d", test.ratio, got, n)
		}
	}
}

func TestConfigsThatAreRefused(t *testing.T) {
	for _, c := range []telemetry.Config{{}, {Service: "s", SampleRatio: 1.5}} {
		if _, err := telemetry.Start(t.Context(), c); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

func TestMetricsAreEachServicesOwn(t *testing.T) {
	global := otel.GetTracerProvider()
	first, second := start(t, telemetry.Config{Service: "patient"}), start(t, telemetry.Config{Service: "patient"})
	for _, tel := range []*telemetry.Telemetry{first, second} {
		counter, err := tel.Meter("test").Int64Counter("cases")
		if err != nil {
			t.Fatal(err)
		}
		counter.Add(t.Context(), 1)
	}
	third := start(t, telemetry.Config{Service: "matching"})
	for tel, want := range map[*telemetry.Telemetry]bool{first: true, second: true, third: false} {
		body := scrape(t, tel)
		if ones := regexp.MustCompile(`(?m)^cases_total\{.*\} 1$`); ones.MatchString(body) != want {
			t.Errorf("wanted a count of one: %v, got\n%s", want, body)
		}
		if !strings.Contains(body, "go_goroutines") {
			t.Error("the runtime is not measured")
		}
	}
	if otel.GetTracerProvider() != global {
		t.Error("the process's tracer provider was replaced")
	}
}

func scrape(t *testing.T, tel *telemetry.Telemetry) string {
	t.Helper()
	answer := httptest.NewRecorder()
	tel.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.Code != http.StatusOK {
		t.Fatal(answer.Code, err)
	}
	return string(body)
}

// closing counts what is done to a span processor that several services share.
type closing struct {
	*tracetest.SpanRecorder
	mu              sync.Mutex
	closed, flushed int
}

func (c *closing) Shutdown(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed++
	return nil
}

func (c *closing) ForceFlush(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flushed++
	return errors.New("flush failed")
}

func TestShutdownIsOnceAndLeavesSharedProcessorsOpen(t *testing.T) {
	shared := &closing{SpanRecorder: tracetest.NewSpanRecorder()}
	tel, err := telemetry.Start(t.Context(), telemetry.Config{Service: "s", SpanProcessors: []sdktrace.SpanProcessor{shared}})
	if err != nil {
		t.Fatal(err)
	}
	first, second := tel.Shutdown(t.Context()), tel.Shutdown(t.Context())
	if first == nil || second == nil || first.Error() != second.Error() {
		t.Error("not the same result:", first, second)
	}
	if shared.closed != 0 || shared.flushed != 1 {
		t.Errorf("closed %d, flushed %d times", shared.closed, shared.flushed)
	}
}

type collector struct {
	collectorv1.UnimplementedTraceServiceServer
	names chan string
}

func (c collector) Export(_ context.Context, r *collectorv1.ExportTraceServiceRequest) (*collectorv1.ExportTraceServiceResponse, error) {
	for _, resource := range r.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				c.names <- span.GetName()
			}
		}
	}
	return &collectorv1.ExportTraceServiceResponse{}, nil
}

func TestSpansReachTheCollectorAtShutdown(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	received := collector{names: make(chan string, 10)}
	server := grpc.NewServer()
	collectorv1.RegisterTraceServiceServer(server, received)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)

	tel, err := telemetry.Start(t.Context(), telemetry.Config{Service: "s", OTLPEndpoint: listener.Addr().String(), OTLPInsecure: true})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tel.Tracer("test").Start(t.Context(), "sent")
	span.SetAttributes(attribute.String("k", "v"))
	span.End()
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-received.names; got != "sent" {
		t.Fatal(got)
	}
}

func TestAnAbsentCollectorStopsNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	tel, err := telemetry.Start(t.Context(), telemetry.Config{Service: "s", OTLPEndpoint: address, OTLPInsecure: true})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tel.Tracer("test").Start(t.Context(), "lost")
	span.End()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tel.Shutdown(ctx); err == nil {
		t.Fatal("the lost span was not reported")
	}
}
