package rpcserver

import (
	"context"
	"log/slog"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/mtls"
)

// edge is the one service that never acts for itself: all it does is pass on others. Were a call that reaches it
// without a sign-in to arrive here as a service's own, it would have every right of one.
const edge = "gateway"

func (s *Server) identifyUnary(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	ctx, err := s.identify(ctx)
	if err != nil {
		return nil, err
	}
	return next(ctx, request)
}

func (s *Server) identifyStream(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	ctx, err := s.identify(stream.Context())
	if err != nil {
		return err
	}
	return next(server, &contextStream{ServerStream: stream, ctx: ctx})
}

// identify puts the caller into the context: whom a service passes on, else whoever the certificate names.
func (s *Server) identify(ctx context.Context) (context.Context, error) {
	kind, name, err := mtls.Peer(ctx)
	if err != nil {
		return nil, noIdentity().Cause(err)
	}
	c := callOf(ctx)
	c.peer = string(kind) + "/" + name
	passed := metadata.ValueFromIncomingContext(ctx, access.MetadataKey)
	switch {
	case kind == mtls.KindHospital:
		if len(passed) > 0 {
			s.deps.Log.WarnContext(ctx, "a hospital tried to pass on a caller", slog.String("organisation", name))
		}
		c.caller = access.Caller{
			Subject: access.OwnSystem, Organisation: name, Roles: []access.Role{access.Coordinator, access.Center},
		}
	case kind != mtls.KindService || len(passed) > 1:
		return nil, noIdentity()
	case len(passed) == 1:
		caller, err := access.Decode(passed[0])
		if err != nil {
			return nil, noIdentity().Cause(err)
		}
		c.caller = caller
	case name == edge:
		c.caller = access.Caller{Service: name}
	default:
		c.caller = access.Caller{Service: name, Roles: []access.Role{access.Service}}
	}
	return access.With(ctx, c.caller), nil
}

func noIdentity() *fault.Fault {
	return fault.New(fault.Unauthenticated, fault.IdentityMissing, "",
		"The call carries no valid identity.", "请求未携带有效身份。")
}
