package line

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	gateway "huhang.example/services/gateway/app"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/etcd"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/line/spanstore"
	matching "huhang.example/services/matching/app"
	patient "huhang.example/services/patient/app"
	referral "huhang.example/services/referral/app"
	settlement "huhang.example/services/settlement/app"
	transfer "huhang.example/services/transfer/app"
)

// Dev says how the whole line runs in one process.
type Dev struct {
	// State is the folder of databases, keys, certificates and etcd's data.
	State string
	// HTTP and GRPC are the gateway's two addresses; Ops serves health and metrics.
	HTTP, GRPC, Ops string
	// Sample loads the sample line: centers, resources, timetable. A folder that was loaded with it once stays a sample line.
	// Policies are always there.
	Sample bool
	// Database answers a service's DSN; nil: a SQLite file under State.
	Database func(service string) string
	// Clock answers an instance's clock; nil: the machine's for all.
	Clock   func(instance string) clock.Clock
	Handler slog.Handler
	Trace   Telemetry
	Spans   []sdktrace.SpanProcessor
}

// national is the national clearing center; here it shares an instance.
const national = "100000"

// Provinces of the two settlement instances of a development line: where patients are treated, and where they are insured.
var (
	TreatmentProvinces = []string{"110000", "120000", "310000", "320000", "330000", "440000", national}
	InsuredProvinces   = []string{"130000", "340000", "360000", "450000"}
)

// Running is a line that serves.
type Running struct {
	Gateway   *gateway.App
	Authority *mtls.Authority
	// Services in the order they started.
	Services []fleet.Service
	// Spans is where the line's spans are kept.
	Spans *spanstore.Store
	// Sample tells that the sample line is loaded.
	Sample bool

	ops      *ops
	fleet    *fleet.Running
	builder  *Builder
	registry discovery.Registry
	etcd     *etcd.Server
	lock     *os.File
}

const anyPort = "127.0.0.1:0"

// StartDev starts everything on embedded parts. What it starts it stops again when it fails.
func StartDev(ctx context.Context, d Dev) (r *Running, err error) {
	if err := os.MkdirAll(d.State, 0o700); err != nil {
		return nil, err
	}
	r = &Running{}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Stop(fleet.StopLimit))
			r = nil
		}
	}()
	if r.lock, err = lockState(d.State); err != nil {
		return r, err
	}
	if d.Sample, err = sampleLine(d.State, d.Sample); err != nil {
		return r, err
	}
	r.Sample = d.Sample
	if r.Authority, err = mtls.DevAuthority(filepath.Join(d.State, "authority")); err != nil {
		return r, err
	}
	if r.etcd, err = etcd.Start(ctx, etcd.Config{Dir: filepath.Join(d.State, "etcd"), Log: slog.New(d.Handler)}); err != nil {
		return r, err
	}
	if r.registry, err = discovery.NewEtcd(discovery.Config{Endpoints: r.etcd.Endpoints(), Log: slog.New(d.Handler)}); err != nil {
		return r, err
	}
	if r.Spans, err = spanstore.Open(ctx, filepath.Join(d.State, "spans.db")); err != nil {
		return r, err
	}
	r.builder = NewBuilder(Parts{
		Registry: r.registry, Identity: r.Authority.Service, Clock: d.Clock, Handler: d.Handler, Trace: d.Trace, Spans: append([]sdktrace.SpanProcessor{r.Spans.Processor()}, d.Spans...),
	})
	for _, part := range d.parts(r.Spans.URL()) {
		service, err := r.builder.Build(ctx, part.service, part.config)
		if err != nil {
			return r, err
		}
		r.Services = append(r.Services, service)
		if g, ok := service.(*gateway.App); ok {
			r.Gateway = g
		}
	}
	if d.Ops != "" {
		r.ops = newOps(d.Ops, r.builder)
		r.Services = append(r.Services, r.ops)
	}
	r.fleet, err = fleet.Start(ctx, r.Services...)
	return r, err
}

// OpsAddr is where health and metrics are served.
func (r *Running) OpsAddr() string { return r.ops.addr.String() }

type part struct {
	service string
	config  Config
}

// parts are the six services; settlement runs twice, so that a bill crosses a border here too.
func (d Dev) parts(traces string) []part {
	dsn := d.Database
	if dsn == nil {
		dsn = func(name string) string { return "sqlite:" + filepath.Join(d.State, name+".db") }
	}
	return []part{
		{"patient", Config{Patient: patient.Config{
			Instance: "patient-1", Listen: anyPort, Database: dsn("patient"), Keys: filepath.Join(d.State, "keys"), Scanner: "builtin", Sample: d.Sample,
		}}},
		{"transfer", Config{Transfer: transfer.Config{Instance: "transfer-1", Listen: anyPort, Database: dsn("transfer"), Sample: d.Sample}}},
		{"settlement", Config{Settlement: settlement.Config{
			Instance: "settlement-treatment", Listen: anyPort, Database: dsn("settlement_treatment"), Provinces: TreatmentProvinces, Sample: d.Sample,
		}}},
		{"settlement", Config{Settlement: settlement.Config{
			Instance: "settlement-insured", Listen: anyPort, Database: dsn("settlement_insured"), Provinces: InsuredProvinces, Sample: d.Sample,
		}}},
		{"matching", Config{Matching: matching.Config{Instance: "matching-1", Listen: anyPort, Database: dsn("matching"), Keys: filepath.Join(d.State, "keys-matching"), Sample: d.Sample}}},
		{"referral", Config{Referral: referral.Config{
			Instance: "referral-1", Listen: anyPort, Database: dsn("referral"), Sample: d.Sample, Traces: traces,
			Notify: referral.Notify{Keys: filepath.Join(d.State, "keys-referral"), AllowLoopbackHTTP: true},
		}}},
		{"gateway", Config{Gateway: gateway.Config{
			Instance: "gateway-1", Listen: d.HTTP, GRPCListen: d.GRPC, DevIssuer: true, StateDir: filepath.Join(d.State, "gateway"),
		}}},
	}
}

// Stop ends the line in reverse within the limit.
func (r *Running) Stop(limit time.Duration) error {
	var failed []error
	if r.fleet != nil {
		failed = append(failed, r.fleet.Stop(limit))
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if r.builder != nil {
		failed = append(failed, r.builder.Close(ctx))
	}
	if r.Spans != nil {
		failed = append(failed, r.Spans.Close(ctx))
	}
	if r.registry != nil {
		failed = append(failed, r.registry.Close())
	}
	if r.etcd != nil {
		r.etcd.Close()
	}
	if r.lock != nil {
		failed = append(failed, r.lock.Close())
	}
	return errors.Join(failed...)
}

func lockState(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%s is used by another running line", dir), f.Close())
	}
	return f, nil
}
