package rpcclient_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/rpcserver/echotest"
)

// unhealthy registers an instance of "patient" that reports NOT_SERVING and counts the calls it gets all the same.
func unhealthy(t *testing.T, l *line) *atomic.Int64 {
	t.Helper()
	var calls atomic.Int64
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(l.identity("patient").ServerConfig())),
		grpc.UnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			calls.Add(1)
			return next(ctx, request)
		}))
	echotest.Register(server, echo, nil)
	state := health.NewServer()
	state.SetServingStatus("patient", healthv1.HealthCheckResponse_NOT_SERVING)
	healthv1.RegisterHealthServer(server, state)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	if _, err := l.registry.Register(t.Context(), discovery.Instance{
		Service: "patient", Province: discovery.AllProvinces, ID: "sick", Addr: listener.Addr().String(),
	}); err != nil {
		t.Fatal(err)
	}
	return &calls
}
