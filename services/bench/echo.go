package main

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const echoMethod = "/bench.Echo/Say"

// beEcho is grpc-go with nothing around it: no TLS, no interceptor, no observer. It listens where the argument says.
func beEcho(ctx context.Context, address string) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bench.Echo", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{
			MethodName: "Say",
			Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				said := new(wrapperspb.BytesValue)
				return said, decode(said)
			},
		}},
	}, struct{}{})
	context.AfterFunc(ctx, server.Stop)
	return server.Serve(listener)
}

// echo starts the echo in a process of its own and returns how to call it.
func (b *bed) echo() (say func(ctx context.Context, text []byte) ([]byte, error), err error) {
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	c, err := b.spawn("echo", address)
	if err != nil {
		return nil, err
	}
	b.later(c.stop)
	connection, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
	if err != nil {
		return nil, err
	}
	b.later(connection.Close)
	return func(ctx context.Context, text []byte) ([]byte, error) {
		heard := new(wrapperspb.BytesValue)
		err := connection.Invoke(ctx, echoMethod, wrapperspb.Bytes(text), heard, grpc.WaitForReady(true))
		return heard.GetValue(), err
	}, nil
}
