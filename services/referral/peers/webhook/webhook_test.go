package webhook_test

import (
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"huhang.example/services/internal/clock"
	"huhang.example/services/referral/notify"
	"huhang.example/services/referral/peers/webhook"
)

func client(a notify.Addresses, roots *x509.CertPool, spans ...sdktrace.SpanProcessor) *webhook.Client {
	var options []sdktrace.TracerProviderOption
	for _, s := range spans {
		options = append(options, sdktrace.WithSpanProcessor(s))
	}
	return webhook.New(webhook.Config{Addresses: a, Roots: roots, Tracer: sdktrace.NewTracerProvider(options...).Tracer("test"), Clock: clock.System()})
}

func send(t *testing.T, c *webhook.Client, url string, limit time.Duration) notify.Answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	a, err := c.Send(ctx, notify.Message{URL: url, ID: "msg_1", Body: []byte("{}"), Sent: time.Unix(1_700_000_000, 0), Signature: "v1,x"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Whatever a receiver does, the outcome says it, and nothing is followed or read beyond a bound.
func TestOutcomes(t *testing.T) {
	var followed atomic.Int32
	done := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/followed", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/followed", func(http.ResponseWriter, *http.Request) { followed.Add(1) })
	mux.HandleFunc("/gone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/later", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", clock.System().Now().Add(time.Hour).Format(http.TimeFormat))
		w.WriteHeader(http.StatusTooManyRequests)
	})
	mux.HandleFunc("/silent", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-done:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/hangs-up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	server := httptest.NewServer(mux)
	defer server.Close()
	defer close(done)
	garbage, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = garbage.Close() }()
	go func() {
		for {
			c, err := garbage.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "220 no web server\r\n")
			_ = c.Close()
		}
	}()
	c := client(notify.Addresses{LoopbackHTTP: true}, nil)
	for path, want := range map[string]notify.Answer{
		"/ok": {Outcome: notify.Delivered, Status: 204}, "/elsewhere": {Outcome: notify.Redirected, Status: 307}, "/gone": {Outcome: notify.Gone, Status: 410},
		"/broken": {Outcome: notify.Refused, Status: 500}, "/busy": {Outcome: notify.Refused, Status: 503, RetryAfter: 2 * time.Minute},
		"/endless": {Outcome: notify.Delivered, Status: 200}, "/hangs-up": {Outcome: notify.Unreachable},
	} {
		got := send(t, c, server.URL+path, 20*time.Second)
		got.Took, got.TraceID = 0, ""
		if got != want {
			t.Errorf("%s: %+v", path, got)
		}
	}
	if a := send(t, c, server.URL+"/later", 20*time.Second); a.RetryAfter < 50*time.Minute || a.RetryAfter > time.Hour {
		t.Errorf("a date in Retry-After: %s", a.RetryAfter)
	}
	if a := send(t, c, server.URL+"/silent", 200*time.Millisecond); a.Outcome != notify.Timeout {
		t.Errorf("silent: %+v", a)
	}
	if a := send(t, c, "http://"+garbage.Addr().String(), 20*time.Second); a.Outcome != notify.Unreachable {
		t.Errorf("garbage: %+v", a)
	}
	if followed.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// The address is checked when it is connected to, whatever name led there.
func TestInnerAddressesAreNotConnectedTo(t *testing.T) {
	var seen atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(net.Conn, http.ConnState) { seen.Add(1) }
	server.Start()
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "169.254.169.254"} {
		if a := send(t, client(notify.Addresses{}, nil), "http://"+host+":"+port, 20*time.Second); a.Outcome != notify.ForbiddenAddress {
			t.Errorf("%s: %+v", host, a)
		}
	}
	if seen.Load() != 0 {
		t.Error("it was connected to")
	}
	if a := send(t, client(notify.Addresses{LoopbackHTTP: true}, nil), server.URL, 20*time.Second); a.Outcome != notify.Delivered || seen.Load() == 0 {
		t.Errorf("the control: %+v", a)
	}
}

// A certificate that no authority vouches for is refused; with the authority, the attempt is a span of the event's trace.
func TestCertificateAndTrace(t *testing.T) {
	var headers http.Header
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { headers = r.Header.Clone() }))
	defer server.Close()
	if a := send(t, client(notify.Addresses{LoopbackHTTP: true}, nil), server.URL, 20*time.Second); a.Outcome != notify.Certificate {
		t.Errorf("%+v", a)
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	spans := tracetest.NewSpanRecorder()
	const trace = "abababababababababababababababab"
	a, err := client(notify.Addresses{LoopbackHTTP: true}, roots, spans).Send(t.Context(), notify.Message{
		URL: server.URL, ID: "msg_1", Body: []byte("{}"), Sent: time.Unix(1_700_000_000, 0), Signature: "v1,x", ReferralID: "ref_1",
		TraceParent: "00-" + trace + "-0102030405060708-01",
	})
	if err != nil || a.Outcome != notify.Delivered || a.TraceID != trace {
		t.Fatalf("%v %+v", err, a)
	}
	ended := spans.Ended()
	if len(ended) != 1 || ended[0].SpanContext().TraceID().String() != trace {
		t.Fatalf("%v", ended)
	}
	for name, want := range map[string]string{
		"Webhook-Id": "msg_1", "Webhook-Timestamp": "1700000000", "Webhook-Signature": "v1,x", "Content-Type": "application/cloudevents+json; charset=utf-8",
		"Traceparent": "00-" + trace + "-" + ended[0].SpanContext().SpanID().String() + "-01", "Baggage": "",
	} {
		if got := headers.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
