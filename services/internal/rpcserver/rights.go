package rpcserver

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc"

	"huhang.example/services/internal/access"
)

func (s *Server) permitUnary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := s.permit(ctx, info.FullMethod); err != nil {
		return nil, err
	}
	return next(ctx, request)
}

func (s *Server) permitStream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := s.permit(stream.Context(), info.FullMethod); err != nil {
		return err
	}
	return next(server, stream)
}

func (s *Server) permit(ctx context.Context, fullMethod string) error {
	if s.methods[fullMethod].infrastructure {
		return nil
	}
	caller := access.From(ctx)
	err := access.Check(caller, fullMethod)
	if err == nil {
		return nil
	}
	s.denied.Add(ctx, 1, metric.WithAttributes(
		attribute.String("rpc.method", fullMethod), attribute.String("huhang.organisation", caller.Organisation)))
	s.deps.Log.WarnContext(ctx, "right missing",
		slog.String("method", fullMethod), slog.String("organisation", caller.Organisation))
	if s.deps.OnDenied != nil {
		s.deps.OnDenied(ctx, caller, fullMethod)
	}
	return err
}
