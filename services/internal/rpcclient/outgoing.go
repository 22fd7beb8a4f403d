package rpcclient

import (
	"context"
	"fmt"
	"time"

	"huhang.example/services/internal/clock"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/proto"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
)

// maxMargin is the most a hop keeps back of its deadline, to answer its own caller in time.
const maxMargin = 100 * time.Millisecond

// outgoing is what happens to every call of one connection.
type outgoing struct {
	config Config
	slots  chan struct{}
}

func (o *outgoing) unary(ctx context.Context, method string, request, answer any, connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	select {
	case o.slots <- struct{}{}:
		defer func() { <-o.slots }()
	default:
		return unavailable().Cause(fmt.Errorf("%d calls are waiting for %s", cap(o.slots), connection.Target()))
	}
	if message, ok := request.(proto.Message); ok {
		// grpc would say RESOURCE_EXHAUSTED of this and of an overload alike.
		if size := proto.Size(message); size > o.config.MaxSendBytes {
			return fault.New(fault.ResourceExhausted, fault.BodyTooLarge, "",
				"The body is larger than the limit.", "请求内容超过大小限制。").With("limit_bytes", fmt.Sprint(o.config.MaxSendBytes))
		}
	}
	ctx, err := withCaller(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := o.withDeadline(ctx)
	defer cancel()
	var trailer metadata.MD
	err = invoke(ctx, method, request, answer, connection, append(options, grpc.Trailer(&trailer))...)
	if id := trailer.Get(telemetry.ReferralTrailer); len(id) == 1 {
		telemetry.WithReferral(ctx, id[0])
	}
	return fault.FromStatus(err)
}

// named puts the referral that an answer names on the call's own span, which an interceptor does not see.
type named struct{}

func (named) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (named) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if end, is := event.(*stats.InTrailer); is {
		if id := end.Trailer.Get(telemetry.ReferralTrailer); len(id) == 1 {
			telemetry.WithReferral(ctx, id[0])
		}
	}
}

func (named) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (named) HandleConn(context.Context, stats.ConnStats)                       {}

func (o *outgoing) stream(ctx context.Context, description *grpc.StreamDesc, connection *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, err := withCaller(ctx)
	if err != nil {
		return nil, err
	}
	// No deadline: the server bounds a stream, and its end is resumed from the cursor.
	stream, err := open(ctx, description, connection, method, options...)
	if err != nil {
		return nil, fault.FromStatus(err)
	}
	return faultStream{stream}, nil
}

// withCaller sets whom the call is made for. A service's own call carries nobody: its certificate speaks for it.
func withCaller(ctx context.Context) (context.Context, error) {
	sent, _ := metadata.FromOutgoingContext(ctx)
	sent = sent.Copy()
	// Whatever put one there, such as a header that a gateway passes on, only access.From counts.
	sent.Delete(access.MetadataKey)
	if caller := access.From(ctx); caller.Known() && !caller.Has(access.Service) {
		text, err := access.Encode(caller)
		if err != nil {
			return nil, fault.New(fault.Internal, fault.ReasonInternal, "",
				"Something broke on our side.", "系统内部出错。").Cause(fmt.Errorf("pass on the caller: %w", err))
		}
		sent.Set(access.MetadataKey, text)
	}
	return metadata.NewOutgoingContext(ctx, sent), nil
}

func (o *outgoing) withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, given := ctx.Deadline()
	if !given {
		return context.WithTimeout(ctx, o.config.DefaultDeadline)
	}
	margin := min(deadline.Sub(clock.System().Now())/10, maxMargin) // a context's deadline is by the machine's clock
	return context.WithDeadline(ctx, deadline.Add(-max(margin, 0)))
}

// faultStream rebuilds the faults of a stream; io.EOF stays what it is.
type faultStream struct{ grpc.ClientStream }

func (s faultStream) Header() (metadata.MD, error) {
	header, err := s.ClientStream.Header()
	return header, fault.FromStatus(err)
}

func (s faultStream) SendMsg(message any) error {
	return fault.FromStatus(s.ClientStream.SendMsg(message))
}

func (s faultStream) RecvMsg(message any) error {
	return fault.FromStatus(s.ClientStream.RecvMsg(message))
}

func (s faultStream) CloseSend() error { return fault.FromStatus(s.ClientStream.CloseSend()) }
