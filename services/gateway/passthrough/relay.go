package passthrough

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"huhang.example/services/gateway/route"
	"huhang.example/services/internal/fault"
)

// relay passes a stream in both directions until the service ends it. The first message is read before the service is
// asked, for it may say which one to ask.
func (c *call) relay(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.server.ending, func() { cancel(errEnding) })()
	ctx, done := context.WithTimeoutCause(ctx, c.server.config.MaxStream, errEnding)
	defer done()
	first, message, err := c.receive()
	empty := errors.Is(err, io.EOF)
	if err != nil && !empty {
		return err
	}
	if empty {
		message = nil
	}
	err = c.connected(ctx, cancel, first, message)
	cause := context.Cause(ctx)
	if f, ours := fault.As(cause); ours {
		return f
	}
	if errors.Is(cause, errEnding) {
		return fault.New(fault.Unavailable, fault.PeerUnavailable, "",
			"The stream ends here; resume it from the last cursor.", "数据流在此中断；请从最后的游标处继续。").Cause(err)
	}
	return err
}

// connected opens the stream to the service and relays it. cancel ends both directions.
func (c *call) connected(ctx context.Context, cancel context.CancelCauseFunc, first *frame, message proto.Message) error {
	router := c.server.deps.Router
	way, err := router.Choose(c.target, message)
	if err != nil {
		return err
	}
	upstream, err := way.NewStream(route.Clean(ctx, message), &grpc.StreamDesc{
		StreamName: string(c.target.Method.Name()), ServerStreams: true, ClientStreams: true,
	}, c.method, grpc.ForceCodecV2(c.server.codec))
	if err != nil {
		return router.Explain(ctx, way, err)
	}
	go func() {
		// Where sending fails, receiving tells why; where the client failed, so must the call.
		if err := c.forward(upstream, first); err != nil && !errors.Is(err, io.EOF) {
			cancel(err)
		}
	}()
	ended, err := c.backward(upstream)
	if ended {
		c.stream.SetTrailer(passed(upstream.Trailer()))
	}
	if err != nil {
		return router.Explain(ctx, way, err)
	}
	return nil
}

// forward sends the client's messages on, and then that there are no more.
func (c *call) forward(upstream grpc.ClientStream, next *frame) error {
	for next != nil {
		if err := upstream.SendMsg(next); err != nil {
			return io.EOF
		}
		received, err := c.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		next = received
	}
	return upstream.CloseSend()
}

// backward sends the service's header as soon as it is there, and then its messages. ended says that the service ended
// the stream, rather than the way to the client.
func (c *call) backward(upstream grpc.ClientStream) (ended bool, err error) {
	header, err := upstream.Header()
	if err != nil {
		return false, err
	}
	if header != nil {
		if err := c.stream.SendHeader(passed(header)); err != nil {
			return false, err
		}
	}
	for {
		received := new(frame)
		if err := upstream.RecvMsg(received); err != nil {
			if errors.Is(err, io.EOF) {
				return true, nil
			}
			return true, err
		}
		if err := c.stream.SendMsg(received); err != nil {
			return false, err
		}
	}
}
