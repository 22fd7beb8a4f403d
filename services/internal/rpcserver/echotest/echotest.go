// Package echotest is a small gRPC service for the tests of what lies between services: real descriptors with rights and
// constraints, no service of the line behind them.
package echotest

import (
	"context"
	"fmt"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	accessv1 "huhang.example/gen/huhang/access/v1"
)

// Service is the full name of the service; its package is one of huhang.referral, where `id` is a referral's.
const Service = "huhang.referral.echotest.v1.EchoService"

// The methods. All but Follow are unary; all but Read take a request_id, so they count as mutations.
const (
	Say     = "/" + Service + "/Say"     // coordinators and operations
	Read    = "/" + Service + "/Read"    // coordinators, centers and services
	Inner   = "/" + Service + "/Inner"   // services only
	Unruled = "/" + Service + "/Unruled" // declares no rule
	Nobody  = "/" + Service + "/Nobody"  // declares a rule without roles
	Follow  = "/" + Service + "/Follow"  // a server stream; coordinators and services
)

// Request is what a call sends.
type Request struct {
	RequestID  string // "SayRequest" only
	ID         string // "ReadRequest" only
	ReferralID string // "SayRequest" only
	Text       string // at most 2 MiB
	Code       string // two upper-case letters, or empty
	Labels     map[string]string
}

// Handler answers the unary methods.
type Handler func(ctx context.Context, method string, request Request) (string, error)

// Stream answers Follow.
type Stream func(ctx context.Context, request Request, send func(string) error) error

var file = build()

func build() protoreflect.FileDescriptor {
	optional, repeated := descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL, descriptorpb.FieldDescriptorProto_LABEL_REPEATED
	text, message := descriptorpb.FieldDescriptorProto_TYPE_STRING, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
	field := func(name string, number int32, rules *validate.StringRules) *descriptorpb.FieldDescriptorProto {
		f := &descriptorpb.FieldDescriptorProto{Name: &name, Number: &number, Label: &optional, Type: &text}
		if rules != nil {
			f.Options = &descriptorpb.FieldOptions{}
			proto.SetExtension(f.Options, validate.E_Field, &validate.FieldRules{Type: &validate.FieldRules_String_{String_: rules}})
		}
		return f
	}
	textRules := &validate.StringRules{MinLen: proto.Uint64(1), MaxLen: proto.Uint64(2 << 20)}
	codeRules := &validate.StringRules{Pattern: proto.String("^([A-Z]{2})?$")}
	labels := func(owner string) *descriptorpb.FieldDescriptorProto {
		f := &descriptorpb.FieldDescriptorProto{
			Name: proto.String("labels"), Number: proto.Int32(9), Label: &repeated, Type: &message,
			TypeName: proto.String(".huhang.referral.echotest.v1." + owner + ".LabelsEntry"), Options: &descriptorpb.FieldOptions{},
		}
		proto.SetExtension(f.Options, validate.E_Field, &validate.FieldRules{Type: &validate.FieldRules_Map{Map: &validate.MapRules{
			Values: &validate.FieldRules{Type: &validate.FieldRules_String_{String_: &validate.StringRules{MaxLen: proto.Uint64(3)}}},
		}}})
		return f
	}
	entry := func() *descriptorpb.DescriptorProto {
		return &descriptorpb.DescriptorProto{
			Name:    proto.String("LabelsEntry"),
			Field:   []*descriptorpb.FieldDescriptorProto{field("key", 1, nil), field("value", 2, nil)},
			Options: &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)},
		}
	}
	method := func(name, input string, rule *accessv1.Rule) *descriptorpb.MethodDescriptorProto {
		m := &descriptorpb.MethodDescriptorProto{
			Name:      &name,
			InputType: proto.String(".huhang.referral.echotest.v1." + input), OutputType: proto.String(".huhang.referral.echotest.v1.Answer"),
			Options: &descriptorpb.MethodOptions{},
		}
		if rule != nil {
			proto.SetExtension(m.Options, accessv1.E_Rule, rule)
		}
		return m
	}
	roles := func(r ...accessv1.Role) *accessv1.Rule { return &accessv1.Rule{Roles: r} }
	follow := method("Follow", "ReadRequest", roles(accessv1.Role_ROLE_COORDINATOR, accessv1.Role_ROLE_SERVICE))
	follow.ServerStreaming = proto.Bool(true)
	described, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Syntax: proto.String("proto3"), Name: proto.String("huhang/referral/echotest/v1/echo.proto"), Package: proto.String("huhang.referral.echotest.v1"),
		Dependency: []string{"buf/validate/validate.proto", "huhang/access/v1/access.proto"},
		MessageType: []*descriptorpb.DescriptorProto{
			{
				Name: proto.String("SayRequest"), NestedType: []*descriptorpb.DescriptorProto{entry()},
				Field: []*descriptorpb.FieldDescriptorProto{
					field("request_id", 1, nil), field("referral_id", 2, nil), field("text", 3, textRules), field("code", 4, codeRules), labels("SayRequest"),
				},
			},
			{
				Name: proto.String("ReadRequest"), NestedType: []*descriptorpb.DescriptorProto{entry()},
				Field: []*descriptorpb.FieldDescriptorProto{
					field("id", 1, nil), field("text", 3, textRules), field("code", 4, codeRules), labels("ReadRequest"),
				},
			},
			{Name: proto.String("Answer"), Field: []*descriptorpb.FieldDescriptorProto{field("text", 1, nil)}},
		},
		Service: []*descriptorpb.ServiceDescriptorProto{{
			Name: proto.String("EchoService"),
			Method: []*descriptorpb.MethodDescriptorProto{
				method("Say", "SayRequest", roles(accessv1.Role_ROLE_COORDINATOR, accessv1.Role_ROLE_OPERATIONS)),
				method("Read", "ReadRequest", roles(accessv1.Role_ROLE_COORDINATOR, accessv1.Role_ROLE_CENTER, accessv1.Role_ROLE_SERVICE)),
				method("Inner", "SayRequest", roles(accessv1.Role_ROLE_SERVICE)),
				method("Unruled", "SayRequest", nil),
				method("Nobody", "SayRequest", roles()),
				follow,
			},
		}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		panic(err)
	}
	if err := protoregistry.GlobalFiles.RegisterFile(described); err != nil {
		panic(err)
	}
	return described
}

func methodOf(full string) protoreflect.MethodDescriptor {
	m := file.Services().ByName("EchoService").Methods().ByName(protoreflect.Name(full[len("/"+Service+"/"):]))
	if m == nil {
		panic("no method " + full)
	}
	return m
}

// Register adds the service to a server.
func Register(to grpc.ServiceRegistrar, handler Handler, stream Stream) {
	description := &grpc.ServiceDesc{ServiceName: Service, HandlerType: (*any)(nil), Metadata: file.Path()}
	for _, full := range []string{Say, Read, Inner, Unruled, Nobody} {
		input := methodOf(full).Input()
		description.Methods = append(description.Methods, grpc.MethodDesc{
			MethodName: string(methodOf(full).Name()),
			Handler: func(server any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
				request := dynamicpb.NewMessage(input)
				if err := decode(request); err != nil {
					return nil, err
				}
				return interceptor(ctx, request, &grpc.UnaryServerInfo{Server: server, FullMethod: full}, func(ctx context.Context, request any) (any, error) {
					text, err := handler(ctx, full, read(request.(*dynamicpb.Message)))
					if err != nil {
						return nil, err
					}
					return answer(text), nil
				})
			},
		})
	}
	description.Streams = []grpc.StreamDesc{{
		StreamName: "Follow", ServerStreams: true,
		Handler: func(_ any, s grpc.ServerStream) error {
			request := dynamicpb.NewMessage(methodOf(Follow).Input())
			if err := s.RecvMsg(request); err != nil {
				return err
			}
			return stream(s.Context(), read(request), func(text string) error { return s.SendMsg(answer(text)) })
		},
	}}
	to.RegisterService(description, struct{}{})
}

// Call makes a unary call and returns the answer's text.
func Call(ctx context.Context, connection grpc.ClientConnInterface, method string, request Request, options ...grpc.CallOption) (string, error) {
	out := dynamicpb.NewMessage(methodOf(method).Output())
	if err := connection.Invoke(ctx, method, write(methodOf(method).Input(), request), out, options...); err != nil {
		return "", err
	}
	return textOf(out), nil
}

// Open makes a call of Follow; the function returned receives one text a call.
func Open(ctx context.Context, connection grpc.ClientConnInterface, request Request) (func() (string, error), error) {
	stream, err := connection.NewStream(ctx, &grpc.StreamDesc{StreamName: "Follow", ServerStreams: true}, Follow)
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(write(methodOf(Follow).Input(), request)); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	if err := stream.CloseSend(); err != nil {
		return nil, fmt.Errorf("close send: %w", err)
	}
	return func() (string, error) {
		out := dynamicpb.NewMessage(methodOf(Follow).Output())
		if err := stream.RecvMsg(out); err != nil {
			return "", err
		}
		return textOf(out), nil
	}, nil
}

func answer(text string) *dynamicpb.Message {
	m := dynamicpb.NewMessage(methodOf(Say).Output())
	m.Set(m.Descriptor().Fields().ByName("text"), protoreflect.ValueOfString(text))
	return m
}

func textOf(m *dynamicpb.Message) string {
	return m.Get(m.Descriptor().Fields().ByName("text")).String()
}

func write(input protoreflect.MessageDescriptor, r Request) *dynamicpb.Message {
	m := dynamicpb.NewMessage(input)
	for name, value := range map[protoreflect.Name]string{
		"request_id": r.RequestID, "id": r.ID, "referral_id": r.ReferralID, "text": r.Text, "code": r.Code,
	} {
		if f := input.Fields().ByName(name); f != nil {
			m.Set(f, protoreflect.ValueOfString(value))
		}
	}
	labels := m.Mutable(input.Fields().ByName("labels")).Map()
	for key, value := range r.Labels {
		labels.Set(protoreflect.ValueOfString(key).MapKey(), protoreflect.ValueOfString(value))
	}
	return m
}

func read(m *dynamicpb.Message) Request {
	text := func(name protoreflect.Name) string {
		f := m.Descriptor().Fields().ByName(name)
		if f == nil {
			return ""
		}
		return m.Get(f).String()
	}
	return Request{RequestID: text("request_id"), ID: text("id"), ReferralID: text("referral_id"), Text: text("text"), Code: text("code")}
}
