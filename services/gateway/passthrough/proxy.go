package passthrough

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"huhang.example/services/gateway/route"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/mtls"
)

const (
	defaultDeadline = 15 * time.Second
	maxDeadline     = 60 * time.Second
)

// errEnding is why a stream ends while there may be more to come.
var errEnding = errors.New("the stream has to be resumed")

// handle takes every call to a service of the line.
func (s *Server) handle(_ any, stream grpc.ServerStream) (err error) {
	ctx := stream.Context()
	method, _ := grpc.MethodFromServerStream(stream)
	c := &call{server: s, method: method, stream: stream}
	started := s.deps.Clock.Now()
	defer func() {
		if thrown := recover(); thrown != nil {
			// By type alone: it may hold what a request held.
			s.deps.Log.ErrorContext(ctx, "pass-through panicked", slog.String("panic", fmt.Sprintf("%T", thrown)), slog.String("stack", string(debug.Stack())))
			err = fault.New(fault.Internal, fault.ReasonInternal, "", "Something broke on our side.", "系统内部出错。")
		}
		told := route.Status(err)
		if c.known {
			s.deps.Log.DebugContext(ctx, "call", slog.String("method", method), slog.String("code", told.Code().String()),
				slog.String("organisation", c.caller.Organisation), slog.Int64("duration_ms", s.deps.Clock.Now().Sub(started).Milliseconds()))
		}
		err = told.Err()
	}()
	return c.run(ctx)
}

// call is one call on its way.
type call struct {
	server *Server
	method string
	stream grpc.ServerStream
	target route.Target
	known  bool
	caller access.Caller
}

func (c *call) run(ctx context.Context) error {
	if err := c.admit(ctx); err != nil {
		return err
	}
	ctx = access.With(ctx, c.caller)
	key := "hospital/" + c.caller.Organisation
	if c.target.Method.IsStreamingClient() || c.target.Method.IsStreamingServer() {
		release, err := c.server.deps.Limiter.TakeStream(key)
		if err != nil {
			return err
		}
		defer release()
		return c.relay(ctx)
	}
	if err := c.server.deps.Limiter.Take(key); err != nil {
		return err
	}
	return c.unary(ctx)
}

// admit refuses whom and what does not belong here, before a message is read.
func (c *call) admit(ctx context.Context) error {
	kind, name, err := mtls.Peer(ctx)
	if err != nil {
		return fault.New(fault.Unauthenticated, fault.IdentityMissing, "",
			"The call carries no valid identity.", "请求未携带有效身份。").Cause(err)
	}
	if c.target, c.known = route.Find(c.method); !c.known {
		return route.NoSuchMethod()
	}
	if !c.target.Public || kind != mtls.KindHospital {
		// A service calls services where they are. Through here it would be the gateway that acts.
		return fault.New(fault.PermissionDenied, fault.RightMissing, "",
			"The caller has no right to this.", "调用方无此权限。")
	}
	if md, _ := metadata.FromIncomingContext(ctx); !protobuf(md.Get("content-type")) {
		return malformed()
	}
	c.caller = access.Caller{
		Subject: access.OwnSystem, Organisation: name, Roles: []access.Role{access.Coordinator, access.Center},
	}
	return nil
}

// read reads one message. The limit is kept here: what grpc itself refuses, it answers in its own bare words.
func (c *call) read() (*frame, error) {
	received := new(frame)
	if err := c.stream.RecvMsg(received); err != nil {
		return nil, err
	}
	if limit := c.server.config.MaxMessageBytes; len(received.bytes) > limit {
		return nil, fault.New(fault.ResourceExhausted, fault.BodyTooLarge, "",
			"The body is larger than the limit.", "请求内容超过大小限制。").With("limit_bytes", fmt.Sprint(limit))
	}
	return received, nil
}

// receive reads one message, and the same decoded, to choose its way by.
func (c *call) receive() (*frame, proto.Message, error) {
	received, err := c.read()
	if err != nil {
		return nil, nil, err
	}
	message := newMessage(c.target.Method.Input())
	if err := proto.Unmarshal(received.bytes, message); err != nil {
		return nil, nil, malformed().Cause(errors.New("message does not parse"))
	}
	return received, message, nil
}

func newMessage(descriptor protoreflect.MessageDescriptor) proto.Message {
	if known, err := protoregistry.GlobalTypes.FindMessageByName(descriptor.FullName()); err == nil {
		return known.New().Interface()
	}
	return dynamicpb.NewMessage(descriptor)
}

func (c *call) unary(ctx context.Context) error {
	limit := maxDeadline
	if _, given := ctx.Deadline(); !given {
		limit = defaultDeadline
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	request, message, err := c.receive()
	if errors.Is(err, io.EOF) {
		return malformed()
	}
	if err != nil {
		return err
	}
	router := c.server.deps.Router
	way, err := router.Choose(c.target, message)
	if err != nil {
		return err
	}
	var header, trailer metadata.MD
	answer := new(frame)
	err = way.Invoke(route.Clean(ctx, message), c.method, request, answer,
		grpc.ForceCodecV2(c.server.codec), grpc.Header(&header), grpc.Trailer(&trailer))
	c.stream.SetTrailer(passed(trailer))
	if err != nil {
		return router.Explain(ctx, way, err)
	}
	if err := c.stream.SetHeader(passed(header)); err != nil {
		return err
	}
	return c.stream.SendMsg(answer)
}

// passed is what of a service's metadata is its own; the rest is made by grpc anew.
func passed(md metadata.MD) metadata.MD {
	kept := metadata.MD{}
	for key, values := range md {
		if !strings.HasPrefix(key, "grpc-") && !strings.HasPrefix(key, ":") && key != "content-type" && key != "date" && key != "trailer" {
			kept[key] = values
		}
	}
	return kept
}

func malformed() *fault.Fault {
	return fault.New(fault.InvalidArgument, fault.BodyMalformed, "",
		"The request is not well-formed.", "请求格式不正确。")
}
