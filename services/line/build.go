package line

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	gateway "huhang.example/services/gateway/app"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/rpcclient"
	"huhang.example/services/internal/telemetry"
	matching "huhang.example/services/matching/app"
	patient "huhang.example/services/patient/app"
	referral "huhang.example/services/referral/app"
	settlement "huhang.example/services/settlement/app"
	transfer "huhang.example/services/transfer/app"
)

// Parts are what every service of this process is built from.
type Parts struct {
	Registry discovery.Registry
	// Identity answers the certificate of a service of this process.
	Identity func(service string) (mtls.Identity, error)
	// Clock answers an instance's clock; nil: the machine's for all.
	Clock   func(instance string) clock.Clock
	Handler slog.Handler
	Trace   Telemetry
	Spans   []sdktrace.SpanProcessor
}

// Builder makes services and remembers what to close after them.
type Builder struct {
	parts   Parts
	opened  []func(context.Context) error
	metrics []figures
}

// NewBuilder returns a builder over parts.
func NewBuilder(parts Parts) *Builder {
	if parts.Clock == nil {
		parts.Clock = func(string) clock.Clock { return clock.System() }
	}
	return &Builder{parts: parts}
}

// Close ends what was opened for the services, after they have stopped.
func (b *Builder) Close(ctx context.Context) error {
	var failed []error
	for i := len(b.opened) - 1; i >= 0; i-- {
		failed = append(failed, b.opened[i](ctx))
	}
	b.opened = nil
	return errors.Join(failed...)
}

func (b *Builder) deps(ctx context.Context, service, instance string) (fleet.Deps, error) {
	identity, err := b.parts.Identity(service)
	if err != nil {
		return fleet.Deps{}, fmt.Errorf("identity of %s: %w", service, err)
	}
	tel, err := telemetry.Start(ctx, telemetry.Config{
		Service: service, Instance: instance, SpanProcessors: b.parts.Spans,
		OTLPEndpoint: b.parts.Trace.OTLPEndpoint, OTLPInsecure: b.parts.Trace.OTLPInsecure, SampleRatio: b.parts.Trace.SampleRatio,
	})
	if err != nil {
		return fleet.Deps{}, err
	}
	b.opened = append(b.opened, tel.Shutdown)
	if err := measureDiscovery(tel, b.parts.Registry); err != nil {
		return fleet.Deps{}, err
	}
	b.metrics = append(b.metrics, figures{service, instance, tel.Registry()})
	peers := rpcclient.New(rpcclient.Config{Identity: identity, Registry: b.parts.Registry, Telemetry: tel})
	b.opened = append(b.opened, func(context.Context) error { peers.Close(); return nil })
	return fleet.Deps{
		Clock: b.parts.Clock(instance), IDs: id.Random(), Registry: b.parts.Registry, Identity: identity, Peers: peers,
		Log: tel.Logger(b.parts.Handler).With("instance", instance), Telemetry: tel,
	}, nil
}

// Build makes one service by its name.
func (b *Builder) Build(ctx context.Context, name string, c Config) (fleet.Service, error) {
	switch name {
	case "patient":
		return build(ctx, b, name, c.Patient.Instance, c.Patient, patient.New)
	case "transfer":
		return build(ctx, b, name, c.Transfer.Instance, c.Transfer, transfer.New)
	case "settlement":
		return build(ctx, b, name, c.Settlement.Instance, c.Settlement, settlement.New)
	case "matching":
		return build(ctx, b, name, c.Matching.Instance, c.Matching, matching.New)
	case "referral":
		return build(ctx, b, name, c.Referral.Instance, c.Referral, referral.New)
	case "gateway":
		return build(ctx, b, name, c.Gateway.Instance, c.Gateway, gateway.New)
	}
	return nil, CheckNames([]string{name})
}

func build[C any, S fleet.Service](ctx context.Context, b *Builder, name, instance string, c C,
	make func(context.Context, C, fleet.Deps) (S, error),
) (fleet.Service, error) {
	deps, err := b.deps(ctx, name, instance)
	if err != nil {
		return nil, err
	}
	service, err := make(ctx, c, deps)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return service, nil
}
