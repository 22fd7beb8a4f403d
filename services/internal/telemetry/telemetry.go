// Package telemetry makes what one service does visible: traces, metrics and logs that name the case they belong to.
//
// Invariant: every span and log line made under WithReferral carries the referral's id, across services too, and nothing
// else about the patient. Nothing is kept in globals: any number of services in one process have a Telemetry each.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Config says whose telemetry it is and where it goes.
type Config struct {
	// Service and Instance become the resource's service.name and service.instance.id.
	Service, Instance string
	// OTLPEndpoint is host:port of an OTLP/gRPC collector for traces; empty exports none.
	OTLPEndpoint string
	// OTLPInsecure talks to the collector without TLS.
	OTLPInsecure bool
	// SampleRatio is the share of traces begun here that are recorded, above 0 to 1; 0 means all, a negative one none.
	// A trace begun elsewhere follows the decision made there.
	SampleRatio float64
	// SpanProcessors see every recorded span as well. They stay the caller's: Shutdown flushes but does not close them,
	// so that several services may share one.
	SpanProcessors []sdktrace.SpanProcessor
}

// Telemetry is one service's instruments. Give the providers and the propagator to the libraries by option; none of
// them is the process's default.
type Telemetry struct {
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
	Propagator     propagation.TextMapPropagator

	service  string
	tracers  *sdktrace.TracerProvider
	meters   *sdkmetric.MeterProvider
	registry *prometheus.Registry
	stop     sync.Once
	stopErr  error
}

const (
	shutdownLimit = 5 * time.Second
	exportLimit   = 5 * time.Second
	maxAttribute  = 1024
	maxScrapes    = 4
)

// Start makes a service's telemetry. It does not wait for the collector: one that is away costs spans, never calls.
func Start(ctx context.Context, c Config) (*Telemetry, error) {
	if c.Service == "" {
		return nil, errors.New("telemetry: no service name")
	}
	if c.SampleRatio > 1 {
		return nil, fmt.Errorf("telemetry: sample ratio %v is above 1", c.SampleRatio)
	}
	described, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.namespace", "huhang"),
		attribute.String("service.name", c.Service),
		attribute.String("service.instance.id", c.Instance),
	))
	if err != nil {
		return nil, fmt.Errorf("telemetry: describe %s: %w", c.Service, err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	scraped, err := otelprometheus.New(otelprometheus.WithRegisterer(registry))
	if err != nil {
		return nil, fmt.Errorf("telemetry: metrics of %s: %w", c.Service, err)
	}
	traceOptions, err := tracing(ctx, c, described)
	if err != nil {
		return nil, err
	}
	t := &Telemetry{
		Propagator: Propagator(),
		service:    c.Service,
		tracers:    sdktrace.NewTracerProvider(traceOptions...),
		meters:     sdkmetric.NewMeterProvider(sdkmetric.WithReader(scraped), sdkmetric.WithResource(described)),
		registry:   registry,
	}
	t.TracerProvider, t.MeterProvider = t.tracers, t.meters
	return t, nil
}

func tracing(ctx context.Context, c Config, described *resource.Resource) ([]sdktrace.TracerProviderOption, error) {
	limits := sdktrace.NewSpanLimits()
	limits.AttributeValueLengthLimit = maxAttribute
	options := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(described),
		sdktrace.WithRawSpanLimits(limits),
		sdktrace.WithSampler(sdktrace.ParentBased(sampler(c.SampleRatio))),
		sdktrace.WithSpanProcessor(referralProcessor{}),
	}
	for _, p := range c.SpanProcessors {
		options = append(options, sdktrace.WithSpanProcessor(borrowed{p}))
	}
	if c.OTLPEndpoint == "" {
		return options, nil
	}
	to := []otlptracegrpc.Option{
		otlptracegrpc.WithEndpoint(c.OTLPEndpoint), otlptracegrpc.WithTimeout(exportLimit),
	}
	if c.OTLPInsecure {
		to = append(to, otlptracegrpc.WithInsecure())
	}
	exporter, err := otlptracegrpc.New(ctx, to...)
	if err != nil {
		return nil, fmt.Errorf("telemetry: collector of %s: %w", c.Service, err)
	}
	return append(options, sdktrace.WithBatcher(exporter)), nil
}

func sampler(ratio float64) sdktrace.Sampler {
	switch {
	case ratio < 0:
		return sdktrace.NeverSample()
	case ratio == 0:
		return sdktrace.AlwaysSample()
	}
	return sdktrace.TraceIDRatioBased(ratio)
}

// Tracer returns a tracer named after the package that uses it.
func (t *Telemetry) Tracer(name string) trace.Tracer { return t.TracerProvider.Tracer(name) }

// Meter returns a meter named after the package that uses it.
func (t *Telemetry) Meter(name string) metric.Meter { return t.MeterProvider.Meter(name) }

// Registry takes collectors of libraries that speak Prometheus themselves; it is this service's own.
func (t *Telemetry) Registry() *prometheus.Registry { return t.registry }

// Handler serves the metrics in Prometheus form.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
}

// Shutdown sends what is pending and stops, within ctx and five seconds. Further calls return the first one's result.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	t.stop.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, shutdownLimit)
		defer cancel()
		t.stopErr = errors.Join(t.tracers.Shutdown(ctx), t.meters.Shutdown(ctx))
	})
	return t.stopErr
}

// borrowed keeps a span processor open that others use too.
type borrowed struct{ sdktrace.SpanProcessor }

func (b borrowed) Shutdown(ctx context.Context) error { return b.ForceFlush(ctx) }
