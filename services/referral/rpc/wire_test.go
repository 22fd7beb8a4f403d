package rpc_test

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/referral"
	"huhang.example/services/referral/rpc"
)

// Some tests kill processes: this test binary is then also the process that is killed.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv(readerEnv) != "":
		os.Exit(beReader())
	case os.Getenv(sagaEnv) != "":
		os.Exit(beSaga())
	}
	os.Exit(m.Run())
}

const callerKey = "test-caller"

// by makes a call somebody's, between processes that trust each other.
func by(ctx context.Context, c access.Caller) context.Context {
	text, _ := json.Marshal(c)
	return metadata.AppendToOutgoingContext(ctx, callerKey, string(text))
}

func called(ctx context.Context) context.Context {
	md, _ := metadata.FromIncomingContext(ctx)
	var c access.Caller
	for _, text := range md.Get(callerKey) {
		_ = json.Unmarshal([]byte(text), &c)
	}
	return access.With(ctx, c)
}

type calledStream struct{ grpc.ServerStream }

func (s calledStream) Context() context.Context { return called(s.ServerStream.Context()) }

// listen serves a referral service on a loopback port; answered, when given, runs before each answer goes out.
func listen(service *referral.Service, db *sqldb.DB, answered func(method string)) (string, error) {
	server := grpc.NewServer(
		grpc.UnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			res, err := handle(called(ctx), req)
			if err == nil && answered != nil {
				answered(info.FullMethod)
			}
			return res, fault.Status(err).Err()
		}),
		grpc.StreamInterceptor(func(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			return fault.Status(handle(srv, calledStream{s})).Err()
		}),
	)
	rpc.Register(server, service, db)
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() { _ = server.Serve(l) }()
	return l.Addr().String(), nil
}

// dial reaches such a service.
func dial(address string) (*grpc.ClientConn, referralv1.ReferralServiceClient, error) {
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, nil, err
	}
	return conn, referralv1.NewReferralServiceClient(conn), nil
}
