package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	matching "huhang.example/gen/gateway/huhang/matching/v1"
	patient "huhang.example/gen/gateway/huhang/patient/v1"
	referral "huhang.example/gen/gateway/huhang/referral/v1"
	settlement "huhang.example/gen/gateway/huhang/settlement/v1"
	transfer "huhang.example/gen/gateway/huhang/transfer/v1"
	matchingv1 "huhang.example/gen/huhang/matching/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/gateway/limit"
	"huhang.example/services/gateway/route"
	"huhang.example/services/gateway/signin"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/telemetry"
)

// Config bounds requests. The zero value of each means its default.
type Config struct {
	MaxBodyBytes int64         // default 1 MiB
	MaxStream    time.Duration // how long a stream may live before its client has to resume; default 30 min
}

const (
	defaultBody   = 1 << 20
	defaultStream = 30 * time.Minute
)

// Deps are the parts of the API.
type Deps struct {
	Connection grpc.ClientConnInterface
	SignIn     *signin.Verifier
	Limiter    *limit.Limiter
	Log        *slog.Logger
	// Ending is done when streams have to end.
	Ending context.Context
}

// API serves the REST routes of every service.
type API struct {
	config Config
	deps   Deps
	mux    *runtime.ServeMux
}

// New returns the API.
func New(ctx context.Context, config Config, deps Deps) (*API, error) {
	if config.MaxBodyBytes <= 0 {
		config.MaxBodyBytes = defaultBody
	}
	if config.MaxStream <= 0 {
		config.MaxStream = defaultStream
	}
	a := &API{config: config, deps: deps}
	nothing := func(string) (string, bool) { return "", false }
	options := []runtime.ServeMuxOption{
		runtime.WithMarshalerOption(runtime.MIMEWildcard, newJSON()),
		runtime.WithForwardResponseOption(fileHeaders),
		runtime.WithForwardResponseOption(begin),
		// A request's headers are the gateway's to read; none of them is metadata of the call, nor the other way round.
		runtime.WithIncomingHeaderMatcher(nothing),
		runtime.WithOutgoingHeaderMatcher(nothing),
		runtime.WithOutgoingTrailerMatcher(nothing),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithErrorHandler(a.failed),
		runtime.WithStreamErrorHandler(streamFailed),
		runtime.WithRoutingErrorHandler(a.unrouted),
		runtime.WithMiddlewares(a.admit),
	}
	installQuery.Do(func() { options = append(options, runtime.SetQueryParameterParser(&strictQuery{})) })
	a.mux = runtime.NewServeMux(options...)
	c := deps.Connection
	for _, register := range []error{
		patient.RegisterPatientServiceHandlerClient(ctx, a.mux, patientv1.NewPatientServiceClient(c)),
		patient.RegisterMergeServiceHandlerClient(ctx, a.mux, patientv1.NewMergeServiceClient(c)),
		patient.RegisterResultServiceHandlerClient(ctx, a.mux, patientv1.NewResultServiceClient(c)),
		patient.RegisterDocumentServiceHandlerClient(ctx, a.mux, patientv1.NewDocumentServiceClient(c)),
		a.documents(),
		matching.RegisterMatchingServiceHandlerClient(ctx, a.mux, matchingv1.NewMatchingServiceClient(c)),
		matching.RegisterDirectoryServiceHandlerClient(ctx, a.mux, matchingv1.NewDirectoryServiceClient(c)),
		matching.RegisterAssignmentServiceHandlerClient(ctx, a.mux, matchingv1.NewAssignmentServiceClient(c)),
		matching.RegisterOfferServiceHandlerClient(ctx, a.mux, matchingv1.NewOfferServiceClient(c)),
		transfer.RegisterTransferServiceHandlerClient(ctx, a.mux, transferv1.NewTransferServiceClient(c)),
		transfer.RegisterTimetableServiceHandlerClient(ctx, a.mux, transferv1.NewTimetableServiceClient(c)),
		transfer.RegisterPoolServiceHandlerClient(ctx, a.mux, transferv1.NewPoolServiceClient(c)),
		transfer.RegisterMoveServiceHandlerClient(ctx, a.mux, transferv1.NewMoveServiceClient(c)),
		transfer.RegisterLiveServiceHandlerClient(ctx, a.mux, transferv1.NewLiveServiceClient(c)),
		settlement.RegisterSettlementServiceHandlerClient(ctx, a.mux, settlementv1.NewSettlementServiceClient(c)),
		settlement.RegisterClaimLifeServiceHandlerClient(ctx, a.mux, settlementv1.NewClaimLifeServiceClient(c)),
		settlement.RegisterPreauthorisationServiceHandlerClient(ctx, a.mux, settlementv1.NewPreauthorisationServiceClient(c)),
		settlement.RegisterClearingServiceHandlerClient(ctx, a.mux, settlementv1.NewClearingServiceClient(c)),
		settlement.RegisterSupervisionServiceHandlerClient(ctx, a.mux, settlementv1.NewSupervisionServiceClient(c)),
		referral.RegisterReferralServiceHandlerClient(ctx, a.mux, referralv1.NewReferralServiceClient(c)),
		referral.RegisterNotificationServiceHandlerClient(ctx, a.mux, referralv1.NewNotificationServiceClient(c)),
		referral.RegisterFiguresServiceHandlerClient(ctx, a.mux, referralv1.NewFiguresServiceClient(c)),
		referral.RegisterWebhookServiceHandlerClient(ctx, a.mux, referralv1.NewWebhookServiceClient(c)),
		referral.RegisterExchangeServiceHandlerClient(ctx, a.mux, referralv1.NewExchangeServiceClient(c)),
	} {
		if register != nil {
			return nil, fmt.Errorf("routes: %w", register)
		}
	}
	if err := a.mux.HandlePath(http.MethodPost, uploadPath, a.uploadTimetable); err != nil {
		return nil, fmt.Errorf("routes: %w", err)
	}
	return a, nil
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// admit is what every routed request passes: sign-in, rate, size, deadline.
func (a *API) admit(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		ctx := r.Context()
		x := exchangeOf(ctx)
		if pattern, ok := runtime.HTTPPattern(ctx); ok && x != nil {
			x.Route = strings.ReplaceAll(pattern.String(), "=*}", "}")
		}
		session, err := a.deps.SignIn.Verify(ctx, r.Header)
		if err != nil {
			a.deps.Log.InfoContext(ctx, "sign-in refused", slog.Any("error", err))
			Refuse(w, r, err)
			return
		}
		if x != nil {
			x.Organisation = session.Caller.Organisation
		}
		streaming := streams(x)
		ctx, release, err := a.bound(ctx, w, r, session, streaming)
		if err != nil {
			Refuse(w, r, err)
			return
		}
		defer release()
		ctx = access.With(ctx, session.Caller)
		if given := params["referral_id"]; id.Valid("ref", given) {
			ctx = telemetry.WithReferral(ctx, given)
		}
		limit := a.config.MaxBodyBytes
		if raw(r, x) {
			limit, ctx = largestDocument, withDeclaredType(ctx, r.Header)
		}
		if x != nil && x.Route == uploadPath {
			limit = maxUploadBytes
		}
		if streaming {
			w = &stream{ResponseWriter: w}
		}
		r = r.WithContext(ctx)
		// The library would make metadata of these whatever the matcher says.
		r.Header = http.Header{"Accept": r.Header["Accept"], "Content-Type": {contentType}}
		r.Host, r.RemoteAddr = "", ""
		if r.Body != nil {
			r.Body = &body{ReadCloser: http.MaxBytesReader(w, r.Body, limit)}
		}
		next(w, r, params)
	}
}

// bound counts the request against its caller and gives it its time.
func (a *API) bound(ctx context.Context, w http.ResponseWriter, r *http.Request, session signin.Session, stream bool) (context.Context, func(), error) {
	if !stream {
		if err := a.deps.Limiter.Take(session.Key); err != nil {
			return ctx, nil, err
		}
		limit, err := deadline(r.Header)
		if err != nil {
			return ctx, nil, err
		}
		if r.Header.Get(timeoutHeader) == "" && slow(exchangeOf(ctx)) {
			limit = maxDeadline
		}
		ctx, cancel := context.WithTimeout(ctx, limit)
		return ctx, cancel, nil
	}
	free, err := a.deps.Limiter.TakeStream(session.Key)
	if err != nil {
		return ctx, nil, err
	}
	ctx, end := context.WithCancelCause(ctx)
	stop := context.AfterFunc(a.deps.Ending, func() { end(errEnding) })
	ctx, cancel := context.WithTimeoutCause(ctx, a.config.MaxStream, errEnding)
	until, _ := ctx.Deadline()
	// The server's own limits are for short answers. A client that reads no more is cut off with the stream's end.
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(until); err == nil {
		_ = control.SetReadDeadline(until)
	}
	return ctx, func() { stop(); cancel(); end(nil); free() }, nil
}

// streams reports whether a route answers with a stream.
func streams(x *Exchange) bool {
	return x != nil && (x.Route == uploadPath || slices.Contains(streamRoutes, x.Route))
}

// failed answers what went wrong in a routed request.
func (a *API) failed(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	if b, ok := r.Body.(*body); ok && b.refused != nil {
		Refuse(w, r, b.refused)
		return
	}
	if _, ours := fault.As(err); !ours {
		// The library's own words about a path or a query quote what was sent.
		if s, ok := status.FromError(err); ok && s.Code() == codes.InvalidArgument && len(s.Details()) == 0 {
			Refuse(w, r, badParameter(parameterOf(s.Message())))
			return
		}
	}
	err = explained(ctx, err)
	if route.Status(err).Code() == codes.Internal {
		a.deps.Log.ErrorContext(ctx, "request failed", slog.Any("error", err))
	}
	Refuse(w, r, err)
}

// errEnding is why a stream ends while there may be more to come.
var errEnding = errors.New("the stream has to be resumed")

func streamFailed(ctx context.Context, err error) *status.Status {
	return route.Status(explained(ctx, err))
}

// explained tells the end of a stream that we ended from a failure.
func explained(ctx context.Context, err error) error {
	if !errors.Is(context.Cause(ctx), errEnding) {
		return err
	}
	return fault.New(fault.Unavailable, fault.PeerUnavailable, "",
		"The stream ends here; resume it from the last cursor.", "数据流在此中断；请从最后的游标处继续。").Cause(err)
}

// unrouted answers a request that no route takes.
func (a *API) unrouted(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, code int) {
	Unrouted(w, r, code)
}

// Unrouted answers a request that has no place here: 404, 405, or 400 for a path that is none.
func Unrouted(w http.ResponseWriter, r *http.Request, code int) {
	switch code {
	case http.StatusMethodNotAllowed:
		if allowed := allow(r.URL.Path); allowed != "" && w.Header().Get("Allow") == "" {
			w.Header().Set("Allow", allowed)
		}
		answer(w, r, code, fault.Status(noSuchVerb()))
	case http.StatusBadRequest:
		answer(w, r, code, fault.Status(notWellFormed()))
	default:
		Refuse(w, r, noSuchPath())
	}
}
