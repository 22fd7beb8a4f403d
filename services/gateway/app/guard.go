package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"huhang.example/services/gateway/rest"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
)

// traceHeader tells a client which trace its request became.
const traceHeader = "X-Trace-Id"

// given is what a request was before it was shown to the instruments.
type given struct {
	url          *url.URL
	host, remote string
}

type givenKey struct{}

// observed puts a span and metrics around each request. They see its route, never its path or query: an id, or a number
// typed into the wrong place, must not become part of them.
func (a *App) observed(next http.Handler) http.Handler {
	options := []otelhttp.Option{
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
			if r.Pattern != "" {
				return r.Pattern
			}
			return "HTTP"
		}),
	}
	if t := a.deps.Telemetry; t != nil {
		options = append(options, otelhttp.WithTracerProvider(t.TracerProvider),
			otelhttp.WithMeterProvider(t.MeterProvider), otelhttp.WithPropagators(t.Propagator))
	}
	instrumented := otelhttp.NewHandler(http.HandlerFunc(func(w http.ResponseWriter, shown *http.Request) {
		was, _ := shown.Context().Value(givenKey{}).(given)
		x := &rest.Exchange{}
		ctx, learned := telemetry.Learn(rest.WithExchange(shown.Context(), x))
		r := shown.WithContext(ctx)
		r.URL, r.Host, r.RemoteAddr = was.url, was.host, was.remote
		started := a.deps.Clock.Now()
		next.ServeHTTP(w, r)
		if x.Route != "" {
			shown.Pattern = shown.Method + " " + x.Route
			trace.SpanFromContext(r.Context()).SetAttributes(attribute.String("http.route", x.Route))
			a.deps.Log.DebugContext(telemetry.WithReferral(ctx, learned.ID()), "request", slog.String("route", shown.Pattern), slog.String("reason", x.Reason()),
				slog.String("organisation", x.Organisation), slog.Int64("duration_ms", a.deps.Clock.Now().Sub(started).Milliseconds()))
		}
	}), "HTTP", options...)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if infrastructure(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		shown := r.WithContext(context.WithValue(r.Context(), givenKey{}, given{r.URL, r.Host, r.RemoteAddr}))
		shown.URL, shown.Host, shown.RemoteAddr = &url.URL{Path: "/"}, "gateway", ""
		instrumented.ServeHTTP(w, shown)
	})
}

func infrastructure(path string) bool { return path == "/healthz" || path == "/readyz" }

// guarded sets the headers every answer has, answers browsers of allowed sites, and survives a panic.
func (a *App) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		if span := trace.SpanContextFromContext(r.Context()); span.HasTraceID() {
			w.Header().Set(traceHeader, span.TraceID().String())
		}
		if a.crossOrigin(w, r) {
			return
		}
		defer a.recovered(w, r)
		next.ServeHTTP(w, r)
	})
}

// secure sets what holds for the API; a page loosens the policy for what it is made of.
func secure(header http.Header) {
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	header.Set("Cache-Control", "no-store")
}

// crossOrigin names the origin to a browser whose page may read the answer, and answers its question beforehand.
func (a *App) crossOrigin(w http.ResponseWriter, r *http.Request) (answered bool) {
	if len(a.config.AllowedOrigins) == 0 {
		return false
	}
	header := w.Header()
	header.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(a.config.AllowedOrigins, origin) {
		return false
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Expose-Headers", traceHeader+", Retry-After")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	header.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
	header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Grpc-Timeout, Traceparent")
	header.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

func (a *App) recovered(w http.ResponseWriter, r *http.Request) {
	thrown := recover()
	if thrown == nil {
		return
	}
	if err, ok := thrown.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(thrown)
	}
	// By type alone: it may hold what a request held.
	a.deps.Log.ErrorContext(r.Context(), "handler panicked", slog.String("panic", fmt.Sprintf("%T", thrown)), slog.String("stack", string(debug.Stack())))
	rest.Refuse(w, r, fault.New(fault.Internal, fault.ReasonInternal, "", "Something broke on our side.", "系统内部出错。"))
}
