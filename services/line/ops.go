package line

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/protobuf/proto"

	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/telemetry"
)

// ops serves what machines that run the line ask of a process: is it alive, is it ready, what are its figures.
// It starts last and stops first, so that a process is ready only while every service of it serves.
type ops struct {
	listen  string
	builder *Builder
	server  *http.Server
	ready   atomic.Bool
	addr    net.Addr
}

func newOps(listen string, b *Builder) *ops { return &ops{listen: listen, builder: b} }

// Name is the part's name.
func (o *ops) Name() string { return "ops" }

// Start listens and serves.
func (o *ops) Start(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	o.addr = listener.Addr()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !o.ready.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.builder, promhttp.HandlerOpts{
		MaxRequestsInFlight: 4, Timeout: 5 * time.Second,
		// Exemplars, which lead from a figure to a trace, exist in this form alone; who does not ask for it gets the older one.
		EnableOpenMetrics: true,
	}))
	o.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 15 * time.Second, MaxHeaderBytes: 16 << 10}
	o.ready.Store(true)
	go func() {
		if err := o.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			o.ready.Store(false)
		}
	}()
	return nil
}

// Stop says not ready and ends.
func (o *ops) Stop(ctx context.Context) error {
	o.ready.Store(false)
	return o.server.Shutdown(ctx)
}

// Gather merges the figures of the services of this process, each told apart by its name and instance.
func (b *Builder) Gather() ([]*dto.MetricFamily, error) {
	families := map[string]*dto.MetricFamily{}
	var failed []error
	for _, t := range b.metrics {
		own, err := t.registry.Gather()
		failed = append(failed, err)
		for _, f := range own {
			for _, m := range f.GetMetric() {
				m.Label = append(m.Label, label("service", t.service), label("instance", t.instance))
			}
			if all, there := families[f.GetName()]; there {
				all.Metric = append(all.Metric, f.GetMetric()...)
			} else {
				families[f.GetName()] = f
			}
		}
	}
	merged := make([]*dto.MetricFamily, 0, len(families))
	for _, f := range families {
		merged = append(merged, f)
	}
	slices.SortFunc(merged, func(a, b *dto.MetricFamily) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return merged, errors.Join(failed...)
}

func label(name, value string) *dto.LabelPair {
	return &dto.LabelPair{Name: proto.String(name), Value: proto.String(value)}
}

// figures are one service's metrics.
type figures struct {
	service, instance string
	registry          prometheus.Gatherer
}

// measureDiscovery shows how long this process has gone by remembered instances.
func measureDiscovery(t *telemetry.Telemetry, registry discovery.Registry) error {
	view, is := registry.(interface{ Stale() time.Duration })
	if !is {
		return nil
	}
	_, err := t.Meter("huhang.example/line").Float64ObservableGauge("huhang.discovery.stale", metric.WithUnit("s"),
		metric.WithDescription("How long the oldest set of instances of this process has been without etcd's word; 0: all are followed."),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(view.Stale().Seconds())
			return nil
		}))
	return err
}
