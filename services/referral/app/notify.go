package app

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/host"
	"huhang.example/services/internal/sealing"
	"huhang.example/services/referral"
	"huhang.example/services/referral/notify"
	"huhang.example/services/referral/peers/webhook"
	"huhang.example/services/referral/rpc"
	"huhang.example/services/referral/store"
)

// Notify is what an operator sets of notices and webhooks.
type Notify struct {
	// Keys is the folder of the keyset that seals signing secrets; instances that share a database share it. Empty: there
	// are no webhooks, only the inbox.
	Keys string `yaml:"keys"`
	// Source is the CloudEvents source of this line; empty: urn:huhang:referral.
	Source string `yaml:"source"`
	// AllowNetworks are networks that are not public and are sent to all the same, such as 10.20.0.0/16.
	AllowNetworks []string `yaml:"allow_networks"`
	// AllowLoopbackHTTP allows http to this machine. For development.
	AllowLoopbackHTTP bool `yaml:"allow_loopback_http"`
	// Authorities is a PEM file of authorities trusted besides the system's.
	Authorities string `yaml:"authorities"`
	// Rules is a file of when deliveries are tried, Notices one of who is told what; empty: those that come with the line.
	Rules   string `yaml:"rules"`
	Notices string `yaml:"notices"`
}

func (c Notify) config() (notify.Config, *x509.CertPool, error) {
	out := notify.Config{Source: c.Source, Rules: notify.DefaultRules(), Table: notify.DefaultTable(), Random: rand.Reader}
	if out.Source == "" {
		out.Source = "urn:huhang:referral"
	}
	out.Addresses.LoopbackHTTP = c.AllowLoopbackHTTP
	for _, text := range c.AllowNetworks {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return out, nil, fmt.Errorf("notify.allow_networks: %q is no network", text)
		}
		out.Addresses.Allowed = append(out.Addresses.Allowed, p.Masked())
	}
	if err := fromFile(c.Rules, "rules", notify.ParseRules, &out.Rules); err != nil {
		return out, nil, err
	}
	if err := fromFile(c.Notices, "notices", notify.ParseTable, &out.Table); err != nil {
		return out, nil, err
	}
	if c.Keys != "" {
		cipher, err := sealing.Open(c.Keys)
		if err != nil {
			return out, nil, fmt.Errorf("notify.keys: %w", err)
		}
		out.Cipher = cipher
	}
	if c.Authorities == "" {
		return out, nil, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return out, nil, fmt.Errorf("notify.authorities: %w", err)
	}
	pem, err := os.ReadFile(c.Authorities)
	if err != nil {
		return out, nil, fmt.Errorf("notify.authorities: %w", err)
	}
	if !roots.AppendCertsFromPEM(pem) {
		return out, nil, errors.New("notify.authorities: no certificate in the file")
	}
	return out, roots, nil
}

func fromFile[T any](file, name string, parse func([]byte) (T, error), into *T) error {
	if file == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("notify.%s: %w", name, err)
	}
	*into, err = parse(text)
	return err
}

// notifying adds notices and webhooks to the service.
func notifying(c Notify, d fleet.Deps, h *host.Host, cases *referral.Service) error {
	config, roots, err := c.config()
	if err != nil {
		return err
	}
	tracer := otel.Tracer("huhang.example/services/referral/notify")
	if d.Telemetry != nil {
		tracer = d.Telemetry.Tracer("huhang.example/services/referral/notify")
	}
	kept := store.NewNotify(h.DB)
	if d.Telemetry != nil {
		if config.Attempted, err = webhookFigures(d, kept); err != nil {
			return err
		}
	}
	use := notify.New(notify.Parts{
		Store: kept, Feed: store.New(h.DB), Cases: cases, Clock: d.Clock, IDs: d.IDs,
		Post: webhook.New(webhook.Config{Addresses: config.Addresses, Roots: roots, Tracer: tracer, Clock: d.Clock}),
	}, config)
	rpc.RegisterNotifications(h.GRPC(), rpc.NewNotifications(use, h.DB))
	store.HandleNotify(h.Jobs, use, func(ctx context.Context, job string, err error) {
		d.Log.LogAttrs(ctx, slog.LevelWarn, "notifying failed", slog.String("job", job), slog.Any("error", err))
	})
	return nil
}

// webhookFigures are the metrics: every attempt by its outcome, what waits, what is dead, and for how long the oldest has waited.
func webhookFigures(d fleet.Deps, kept *store.Notify) (func(context.Context, notify.Outcome), error) {
	meter := d.Telemetry.Meter("huhang.example/services/referral/notify")
	attempts, e1 := meter.Int64Counter("huhang.webhook.attempts", metric.WithDescription("Attempts to deliver a webhook, by outcome."))
	pending, e2 := meter.Int64ObservableGauge("huhang.webhook.pending", metric.WithDescription("Webhook messages that wait."))
	dead, e3 := meter.Int64ObservableGauge("huhang.webhook.dead", metric.WithDescription("Webhook messages given up."))
	oldest, e4 := meter.Float64ObservableGauge("huhang.webhook.oldest", metric.WithUnit("s"), metric.WithDescription("Age of the oldest webhook message that waits."))
	endpoints, e5 := meter.Int64ObservableGauge("huhang.webhook.endpoints", metric.WithDescription("Webhook endpoints by status."))
	if err := errors.Join(e1, e2, e3, e4, e5); err != nil {
		return nil, err
	}
	_, err := meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		s, err := kept.Standing(ctx)
		if err != nil {
			return err
		}
		age := 0.0
		if !s.Oldest.IsZero() {
			age = max(d.Clock.Now().Sub(s.Oldest).Seconds(), 0)
		}
		o.ObserveInt64(pending, s.Pending)
		o.ObserveInt64(dead, s.Dead)
		o.ObserveFloat64(oldest, age)
		for _, status := range []notify.Status{notify.Active, notify.Paused, notify.Disabled} {
			o.ObserveInt64(endpoints, s.Endpoints[status], metric.WithAttributes(attribute.String("status", string(status))))
		}
		return nil
	}, pending, dead, oldest, endpoints)
	return func(ctx context.Context, o notify.Outcome) {
		attempts.Add(ctx, 1, metric.WithAttributes(attribute.String("outcome", string(o))))
	}, err
}
