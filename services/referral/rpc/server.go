// Package rpc speaks the referral protocol: proto in, use case, proto out.
//
// Invariant: every mutation runs inside idempotency.Once, and asks other services before it, never within.
package rpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/referral"
)

// Server implements ReferralService and CaseEventService.
type Server struct {
	referralv1.UnimplementedReferralServiceServer
	referralv1.UnimplementedCaseEventServiceServer
	service *referral.Service
	db      *sqldb.DB
}

// Register adds the service's two gRPC services to a server.
func Register(to grpc.ServiceRegistrar, service *referral.Service, db *sqldb.DB) {
	s := &Server{service: service, db: db}
	referralv1.RegisterReferralServiceServer(to, s)
	referralv1.RegisterCaseEventServiceServer(to, s)
}

// once makes a change of a case happen once, and wakes the followers of the feed.
func once[R proto.Message](ctx context.Context, s *Server, req idempotency.Request, change func(ctx context.Context) (*referral.Referral, error),
	answer func(*referralv1.Referral) R,
) (R, error) {
	caller := access.From(ctx)
	defer s.service.Committed()
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (R, error) {
		r, err := change(ctx)
		if err != nil {
			var none R
			return none, err
		}
		return answer(caseOut(r, caller)), nil
	})
}
