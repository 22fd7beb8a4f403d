package route

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/telemetry"
)

// lookupLimit bounds the question whether a province that did not answer is served at all.
const lookupLimit = time.Second

// Peers opens connections to services; rpcclient.Pool does.
type Peers interface {
	Conn(service, province string) (grpc.ClientConnInterface, error)
}

// Provinces tells which provinces a service is registered for; discovery.Registry does.
type Provinces interface {
	Provinces(ctx context.Context, service string) ([]string, error)
}

// Router chooses connections.
type Router struct {
	peers    Peers
	registry Provinces
	// otherwise is the settlement province of a request that names none; empty: such a request is refused.
	otherwise string
}

// New returns a router. The registry may be nil: then a province without an instance is merely not reachable.
func New(peers Peers, registry Provinces, otherwise string) *Router {
	return &Router{peers: peers, registry: registry, otherwise: otherwise}
}

// Way is the connection a call takes.
type Way struct {
	grpc.ClientConnInterface
	Service, Province string
}

// Choose returns the way of a request. Only settlement looks at the request.
func (r *Router) Choose(target Target, request proto.Message) (Way, error) {
	way := Way{Service: target.Service, Province: discovery.AllProvinces}
	if target.Service == Settlement {
		if request == nil {
			return Way{}, NotServed("", "province")
		}
		province, err := Province(request.ProtoReflect(), r.otherwise)
		if err != nil {
			return Way{}, err
		}
		way.Province = province
	}
	connection, err := r.peers.Conn(way.Service, way.Province)
	if err != nil {
		return Way{}, err
	}
	way.ClientConnInterface = connection
	return way, nil
}

// Explain makes "not reachable" precise for a province that nobody serves.
func (r *Router) Explain(ctx context.Context, way Way, err error) error {
	if way.Service != Settlement || r.registry == nil || !fault.Is(err, fault.PeerUnavailable) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupLimit)
	defer cancel()
	served, lookup := r.registry.Provinces(ctx, Settlement)
	if lookup != nil || slices.Contains(served, way.Province) {
		return err
	}
	return NotServed(way.Province, "province").Cause(err)
}

// Clean returns ctx without outgoing metadata, and marked with the referral the request names.
func Clean(ctx context.Context, request proto.Message) context.Context {
	ctx = metadata.NewOutgoingContext(ctx, metadata.MD{})
	if request == nil {
		return ctx
	}
	m := request.ProtoReflect()
	if f := m.Descriptor().Fields().ByName("referral_id"); isText(f) {
		// Only what is an id of ours: the request is not validated yet, and the mark goes into logs and spans.
		if value := m.Get(f).String(); id.Valid("ref", value) {
			return telemetry.WithReferral(ctx, value)
		}
	}
	return ctx
}

// Status is what a client may be told of err: the answering service's own status unchanged where it is one of the
// line's, else the nearest fault.
func Status(err error) *status.Status {
	if err == nil {
		return nil
	}
	var peer interface{ GRPCStatus() *status.Status }
	if f, ok := fault.As(err); ok && errors.As(f.Unwrap(), &peer) {
		// A fault made here may have a status as its cause, too: of grpc's own making, or with another reason.
		if s := peer.GRPCStatus(); reasonOf(s) == string(f.Reason) {
			return s
		}
	}
	return fault.Status(err)
}

func reasonOf(s *status.Status) string {
	if s.Code() == codes.OK {
		return ""
	}
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == fault.Domain {
			return info.GetReason()
		}
	}
	return ""
}

// Conn is the connection that REST handlers call through: each call chooses its way.
func (r *Router) Conn() grpc.ClientConnInterface { return conn{r} }

type conn struct{ router *Router }

func (c conn) Invoke(ctx context.Context, method string, request, answer any, options ...grpc.CallOption) error {
	target, ok := Find(method)
	if !ok {
		return NoSuchMethod()
	}
	message, _ := request.(proto.Message)
	way, err := c.router.Choose(target, message)
	if err != nil {
		return err
	}
	return c.router.Explain(ctx, way, way.Invoke(Clean(ctx, message), method, request, answer, options...))
}

// NewStream serves the services that need no request to be found; settlement has no streams.
func (c conn) NewStream(ctx context.Context, description *grpc.StreamDesc, method string, options ...grpc.CallOption) (grpc.ClientStream, error) {
	target, ok := Find(method)
	if !ok {
		return nil, NoSuchMethod()
	}
	way, err := c.router.Choose(target, nil)
	if err != nil {
		return nil, err
	}
	stream, err := way.NewStream(Clean(ctx, nil), description, method, options...)
	if err != nil {
		return nil, err
	}
	return &earlyStream{ClientStream: stream, output: target.Method.Output()}, nil
}

// earlyStream tells a refusal when the header is asked for, so that it can still become the HTTP status.
type earlyStream struct {
	grpc.ClientStream
	output protoreflect.MessageDescriptor
	ended  error
}

func (s *earlyStream) Header() (metadata.MD, error) {
	header, err := s.ClientStream.Header()
	if err != nil || header != nil {
		return header, err
	}
	// No header: the server ended the stream without an answer, and the status says why.
	s.ended = s.ClientStream.RecvMsg(dynamicpb.NewMessage(s.output))
	if s.ended == nil || errors.Is(s.ended, io.EOF) {
		s.ended = io.EOF
		return nil, nil
	}
	return nil, s.ended
}

func (s *earlyStream) RecvMsg(message any) error {
	if s.ended != nil {
		return s.ended
	}
	return s.ClientStream.RecvMsg(message)
}
