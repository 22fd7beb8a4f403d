package rpcserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/telemetry"
)

// call is what the guards learn of a call, for its log line.
type call struct {
	method  string
	started time.Time
	caller  access.Caller
	peer    string // kind and name in the certificate
	learned *telemetry.Learned

	mu       sync.Mutex
	referral string
}

// about notes the referral a message names; a stream's handler and its log line may look at once.
func (c *call) about(referral string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.referral = referral
}

// referralID is what the request named, else what the handler found out.
func (c *call) referralID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.referral == "" && c.learned != nil {
		return c.learned.ID()
	}
	return c.referral
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return new(call)
}

// answerUnary is the outermost guard: it recovers from a panic, maps what went wrong to a status, and logs the call.
func (s *Server) answerUnary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (answer any, err error) {
	ctx, c := s.begin(ctx, info.FullMethod)
	defer func() {
		if p := recover(); p != nil {
			answer, err = nil, s.panicked(ctx, p)
		}
		err = s.finish(ctx, c, err)
	}()
	return next(ctx, request)
}

func (s *Server) answerStream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	ctx, c := s.begin(stream.Context(), info.FullMethod)
	defer func() {
		if p := recover(); p != nil {
			err = s.panicked(ctx, p)
		}
		err = s.finish(ctx, c, err)
	}()
	return next(server, &contextStream{ServerStream: stream, ctx: ctx})
}

func (s *Server) begin(ctx context.Context, method string) (context.Context, *call) {
	c := &call{method: method, started: s.deps.Clock.Now()}
	ctx, c.learned = telemetry.Learn(ctx)
	return context.WithValue(ctx, callKey{}, c), c
}

// panicked logs where it happened. What was thrown is named by type alone, for it may hold what a request held; the
// runtime's own texts hold none.
func (s *Server) panicked(ctx context.Context, thrown any) error {
	what := fmt.Sprintf("%T", thrown)
	var bug runtime.Error
	if err, ok := thrown.(error); ok && errors.As(err, &bug) {
		what = bug.Error()
	}
	s.deps.Log.ErrorContext(ctx, "handler panicked", slog.String("method", callOf(ctx).method),
		slog.String("panic", what), slog.String("stack", string(debug.Stack())))
	return fault.New(fault.Internal, fault.ReasonInternal, "", "Something broke on our side.", "系统内部出错。")
}

func (s *Server) finish(ctx context.Context, c *call, err error) error {
	told := fault.Status(err)
	if id := c.referralID(); id != "" && strings.HasPrefix(c.peer, string(mtls.KindService)+"/") {
		// Fails only where the call is over already, and then nobody waits for it.
		_ = grpc.SetTrailer(ctx, metadata.Pairs(telemetry.ReferralTrailer, id))
	}
	s.log(telemetry.WithReferral(ctx, c.referralID()), c, told, err)
	return told.Err()
}

// log writes one line a call; nothing of the payload.
func (s *Server) log(ctx context.Context, c *call, told *status.Status, err error) {
	m := s.methods[c.method]
	level := slog.LevelDebug
	switch told.Code() {
	case codes.OK:
		if m.mutation {
			level = slog.LevelInfo
		}
	case codes.Internal, codes.Unknown, codes.DataLoss:
		level = slog.LevelError
	case codes.Unavailable, codes.DeadlineExceeded:
		level = slog.LevelWarn
	default:
		level = slog.LevelInfo
	}
	if m.infrastructure && level < slog.LevelWarn || !s.deps.Log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", c.method),
		slog.String("code", told.Code().String()),
		slog.Int64("duration_ms", s.deps.Clock.Now().Sub(c.started).Milliseconds()),
		slog.String("organisation", c.caller.Organisation),
		slog.String("peer", c.peer),
	}
	if f, ok := fault.As(fault.FromStatus(told.Err())); ok {
		attrs = append(attrs, slog.String("reason", string(f.Reason)))
		if f.Field != "" {
			attrs = append(attrs, slog.String("field", f.Field))
		}
	}
	// Our own failures say what lies behind them; a caller's mistake might quote what the caller sent.
	if level >= slog.LevelWarn && err != nil {
		attrs = append(attrs, slog.String("cause", err.Error()))
	}
	s.deps.Log.LogAttrs(ctx, level, "call", attrs...)
}

// contextStream is a stream whose context the guards have added to.
type contextStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *contextStream) Context() context.Context { return s.ctx }
