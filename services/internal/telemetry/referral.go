package telemetry

import (
	"context"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// ReferralKey names the referral's id in baggage, spans and, shortened, in logs.
const ReferralKey = "huhang.referral_id"

// ReferralTrailer is the gRPC trailer in which a service tells its caller, another service, which referral a call was about.
const ReferralTrailer = "huhang-referral-id"

const maxReferral = 64

// WithReferral marks all work under the returned context, here and in the services called, as part of the referral
// (转诊). An id that is none leaves the context as it was.
func WithReferral(ctx context.Context, id string) context.Context {
	if !plausible(id) {
		return ctx
	}
	member, err := baggage.NewMemberRaw(ReferralKey, id)
	if err != nil {
		return ctx
	}
	carried, err := baggage.FromContext(ctx).SetMember(member)
	if err != nil {
		return ctx
	}
	trace.SpanFromContext(ctx).SetAttributes(attribute.String(ReferralKey, id))
	if l, there := ctx.Value(learnedKey{}).(*Learned); there {
		l.id.Store(&id)
	}
	return baggage.ContextWithBaggage(ctx, carried)
}

// Learned is the referral that work turned out to be about, for whoever ends it: a server learns from its handler, a
// caller from the answer, which case a request was of that names only an offer or a claim.
type Learned struct{ id atomic.Pointer[string] }

// ID is what WithReferral said last, or "".
func (l *Learned) ID() string {
	if id := l.id.Load(); id != nil {
		return *id
	}
	return ""
}

type learnedKey struct{}

// Learn returns a context under which WithReferral is remembered.
func Learn(ctx context.Context) (context.Context, *Learned) {
	l := &Learned{}
	return context.WithValue(ctx, learnedKey{}, l), l
}

// Referral returns the id set by WithReferral here or by a caller, or "".
func Referral(ctx context.Context) string {
	id := baggage.FromContext(ctx).Member(ReferralKey).Value()
	if !plausible(id) {
		return ""
	}
	return id
}

// plausible accepts what can be an id of ours. Baggage comes from partners too: an identity or telephone number put
// there by mistake begins with a digit and must not reach spans and logs.
func plausible(id string) bool {
	if id == "" || len(id) > maxReferral || !isLetter(id[0]) {
		return false
	}
	return strings.IndexFunc(id, func(r rune) bool {
		return r > 'z' || !isLetter(byte(r)) && (r < '0' || r > '9') && r != '_' && r != '-'
	}) < 0
}

func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }

// Propagator carries trace context and the referral's id between services in the W3C forms.
func Propagator() propagation.TextMapPropagator {
	return propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, referralBaggage{})
}

// referralBaggage is W3C baggage cut down to the one member that is ours: what a partner puts there besides is neither
// kept nor passed on.
type referralBaggage struct{ w3c propagation.Baggage }

func (p referralBaggage) Inject(ctx context.Context, to propagation.TextMapCarrier) {
	p.w3c.Inject(onlyReferral(ctx, ctx), to)
}

func (p referralBaggage) Extract(ctx context.Context, from propagation.TextMapCarrier) context.Context {
	return onlyReferral(ctx, p.w3c.Extract(ctx, from))
}

func (p referralBaggage) Fields() []string { return p.w3c.Fields() }

// onlyReferral returns base with no baggage but the referral of other.
func onlyReferral(base, other context.Context) context.Context {
	id := Referral(other)
	if id == "" {
		return baggage.ContextWithoutBaggage(base)
	}
	member, err := baggage.NewMemberRaw(ReferralKey, id)
	if err != nil {
		return baggage.ContextWithoutBaggage(base)
	}
	only, err := baggage.New(member)
	if err != nil {
		return baggage.ContextWithoutBaggage(base)
	}
	return baggage.ContextWithBaggage(base, only)
}

// referralProcessor copies the referral's id onto every span as it starts.
type referralProcessor struct{}

func (referralProcessor) OnStart(parent context.Context, span sdktrace.ReadWriteSpan) {
	if id := Referral(parent); id != "" {
		span.SetAttributes(attribute.String(ReferralKey, id))
	}
}

func (referralProcessor) OnEnd(sdktrace.ReadOnlySpan)      {}
func (referralProcessor) Shutdown(context.Context) error   { return nil }
func (referralProcessor) ForceFlush(context.Context) error { return nil }
