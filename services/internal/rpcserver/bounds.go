package rpcserver

import (
	"context"
	"errors"

	"google.golang.org/grpc"

	"huhang.example/services/internal/fault"
)

// boundUnary gives every call a deadline: its own, within the longest one allowed, or the default.
func (s *Server) boundUnary(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	limit := s.config.MaxDeadline
	if _, given := ctx.Deadline(); !given {
		limit = s.config.DefaultDeadline
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return next(ctx, request)
}

// boundStream ends a stream that has lived long enough, and every stream when the server stops: its client resumes from
// its cursor, at another instance. A health watch lives as long as its connection, and
// ends a moment later, having said why.
func (s *Server) boundStream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	ending := s.unseen
	if !s.methods[info.FullMethod].infrastructure {
		ending = s.ending
		var done context.CancelFunc
		ctx, done = context.WithTimeoutCause(ctx, s.config.MaxStream, errEnding)
		defer done()
	}
	defer context.AfterFunc(ending, func() { cancel(errEnding) })()
	err := next(server, &contextStream{ServerStream: stream, ctx: ctx})
	if errors.Is(context.Cause(ctx), errEnding) {
		// Also where the handler ended without an error: the client must not take it for the end of the data.
		return fault.New(fault.Unavailable, fault.PeerUnavailable, "",
			"The stream ends here; resume it from the last cursor.", "数据流在此中断；请从最后的游标处继续。").Cause(err)
	}
	return err
}
