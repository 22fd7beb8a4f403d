// Package webhook posts messages to facilities' own systems.
//
// Invariant: no connection is opened to an address that must not be sent to, whatever its name resolves to at that
// moment; no redirect is followed, no proxy asked, no more of an answer read than a bound, and nothing of it kept but its
// status and Retry-After.
package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/referral/notify"
)

const (
	// answerMost is how much of an answer is read, so that its connection can be used again.
	answerMost = 16 << 10
	headerMost = 16 << 10
	idleFor    = 30 * time.Second
)

// Config of the client.
type Config struct {
	Addresses notify.Addresses
	// Roots are authorities to trust besides the system's; nil: the system's alone.
	Roots *x509.CertPool
	// Tracer makes a span of every attempt.
	Tracer trace.Tracer
	Clock  clock.Clock
}

// Client is a notify.Post over HTTP.
type Client struct {
	http   *http.Client
	tracer trace.Tracer
	clock  clock.Clock
}

var _ notify.Post = (*Client)(nil)

// New returns a client.
func New(c Config) *Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		// The address is the one that is about to be connected to: a name that changes its mind after a look-up gains nothing.
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return notify.ErrForbiddenAddress
		}
		return c.Addresses.Check(to.Addr())
	}}
	return &Client{
		tracer: c.Tracer, clock: c.Clock,
		http: &http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				Proxy: nil, DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Roots},
				TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 30 * time.Second, MaxResponseHeaderBytes: headerMost,
				MaxConnsPerHost: 64, MaxIdleConns: 256, MaxIdleConnsPerHost: 4, IdleConnTimeout: idleFor, ForceAttemptHTTP2: true,
				DisableCompression: true,
			},
		},
	}
}

// Send posts one message. It returns an error only where the request could not be made at all.
func (c *Client) Send(ctx context.Context, m notify.Message) (notify.Answer, error) {
	if m.TraceParent != "" {
		// The attempt goes into the trace of what it tells of, days after it may be.
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": m.TraceParent})
	}
	ctx, span := c.tracer.Start(ctx, "webhook POST", trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
		attribute.String("http.request.method", http.MethodPost), attribute.String("messaging.message.id", m.ID)))
	defer span.End()
	if m.ReferralID != "" {
		span.SetAttributes(attribute.String(telemetry.ReferralKey, m.ReferralID))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return notify.Answer{}, errors.New("webhook: the endpoint's address makes no request")
	}
	h := request.Header
	h.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	h.Set("User-Agent", "Huhang-Webhooks/1")
	h.Set("webhook-id", m.ID)
	h.Set("webhook-timestamp", strconv.FormatInt(m.Sent.Unix(), 10))
	h.Set("webhook-signature", m.Signature)
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(h))
	began := c.clock.Now()
	answer := c.post(request)
	answer.Took = c.clock.Now().Sub(began)
	if s := span.SpanContext(); s.HasTraceID() {
		answer.TraceID = s.TraceID().String()
	}
	span.SetAttributes(attribute.String("huhang.webhook_outcome", string(answer.Outcome)))
	if answer.Status != 0 {
		span.SetAttributes(attribute.Int("http.response.status_code", answer.Status))
	}
	if answer.Outcome != notify.Delivered {
		span.SetStatus(codes.Error, "not delivered")
	}
	return answer, nil
}

func (c *Client) post(request *http.Request) notify.Answer {
	response, err := c.http.Do(request)
	if err != nil {
		return notify.Answer{Outcome: outcomeOf(err)}
	}
	defer func() { _ = response.Body.Close() }()
	// What is beyond the bound costs the connection, not us. A body that breaks off does not unsay the status.
	_, _ = io.CopyN(io.Discard, response.Body, answerMost)
	return notify.Answer{
		Outcome: notify.OutcomeOf(response.StatusCode), Status: response.StatusCode, RetryAfter: c.retryAfter(response.Header.Get("Retry-After")),
	}
}

// outcomeOf sorts errors; their texts may hold addresses and are dropped.
func outcomeOf(err error) notify.Outcome {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var verification *tls.CertificateVerificationError
	var slow net.Error
	switch {
	case errors.Is(err, notify.ErrForbiddenAddress):
		return notify.ForbiddenAddress
	case errors.As(err, &verification), errors.As(err, &unknown), errors.As(err, &invalid), errors.As(err, &name):
		return notify.Certificate
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return notify.Timeout
	}
	return notify.Unreachable
}

// retryAfter reads seconds or a date; anything else is nothing.
func (c *Client) retryAfter(text string) time.Duration {
	if text == "" {
		return 0
	}
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(time.Duration(seconds)*time.Second, 0)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(c.clock.Now()), 0)
	}
	return 0
}
