package rpcserver

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/telemetry"
)

func (s *Server) referralUnary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	return next(s.withReferral(ctx, info.FullMethod, request), request)
}

// withReferral marks the call with the referral its request names. Only what is an id of a referral counts: the request
// is not validated yet, and what is marked goes into logs and spans.
func (s *Server) withReferral(ctx context.Context, fullMethod string, request any) context.Context {
	field := s.methods[fullMethod].referral
	message, ok := request.(proto.Message)
	if field == "" || !ok {
		return ctx
	}
	m := message.ProtoReflect()
	descriptor := m.Descriptor().Fields().ByName(field)
	if descriptor == nil {
		return ctx
	}
	if value := m.Get(descriptor).String(); id.Valid("ref", value) && value != telemetry.Referral(ctx) {
		callOf(ctx).about(value)
		return telemetry.WithReferral(ctx, value)
	}
	return ctx
}

func (s *Server) validateUnary(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := s.validate(request); err != nil {
		return nil, err
	}
	return next(ctx, request)
}

// messagesStream does for every message of a stream what the two above do for a request.
func (s *Server) messagesStream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	return next(server, &messageStream{contextStream: contextStream{ServerStream: stream, ctx: stream.Context()}, server: s, method: info.FullMethod})
}

type messageStream struct {
	contextStream
	server *Server
	method string
	mu     sync.Mutex // a handler may receive in one goroutine and use the context in another
}

func (s *messageStream) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ctx
}

func (s *messageStream) RecvMsg(message any) error {
	if err := s.ServerStream.RecvMsg(message); err != nil {
		return err
	}
	s.mu.Lock()
	s.ctx = s.server.withReferral(s.ctx, s.method, message)
	s.mu.Unlock()
	return s.server.validate(message)
}

func (s *Server) validate(request any) error {
	message, ok := request.(proto.Message)
	if !ok {
		return nil
	}
	err := s.validator.Validate(message)
	if err == nil {
		return nil
	}
	var invalid *protovalidate.ValidationError
	if !errors.As(err, &invalid) || len(invalid.Violations) == 0 {
		return fmt.Errorf("validate %s: %w", message.ProtoReflect().Descriptor().FullName(), err)
	}
	first := fieldPath(invalid.Violations[0].Proto.GetField())
	f := fault.New(fault.InvalidArgument, fault.FieldInvalid, first,
		"A field breaks its bound or format.", "有字段超出范围或格式错误。")
	for _, v := range invalid.Violations {
		f = f.Violate(fieldPath(v.Proto.GetField()), english(v), chinese(v))
	}
	return f
}

var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,31}$`)

// fieldPath writes "items[2].code". A map's key is shown only where it is a plain word: it was sent by the caller.
func fieldPath(path *validate.FieldPath) string {
	var b strings.Builder
	for i, element := range path.GetElements() {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(element.GetFieldName())
		switch subscript := element.GetSubscript().(type) {
		case *validate.FieldPathElement_Index:
			fmt.Fprintf(&b, "[%d]", subscript.Index)
		case *validate.FieldPathElement_StringKey:
			if plainKey.MatchString(subscript.StringKey) {
				fmt.Fprintf(&b, "[%q]", subscript.StringKey)
				break
			}
			b.WriteString("[...]")
		case nil:
		default:
			b.WriteString("[...]")
		}
	}
	return b.String()
}

func english(v *protovalidate.Violation) string {
	if text := v.Proto.GetMessage(); text != "" {
		return text
	}
	return "breaks the rule " + v.Proto.GetRuleId()
}

// chineseRules says what the common rules ask for; %v is the rule's value.
var chineseRules = map[string]string{
	"required": "必填", "string.min_len": "长度不得少于 %v 个字符", "string.max_len": "长度不得超过 %v 个字符",
	"string.len": "长度必须为 %v 个字符", "string.max_bytes": "不得超过 %v 字节", "string.pattern": "格式不正确",
	"string.in": "不在可选值之中", "string.uuid": "必须为 UUID", "bytes.max_len": "不得超过 %v 字节",
	"repeated.min_items": "至少 %v 项", "repeated.max_items": "至多 %v 项", "repeated.unique": "不得重复",
	"enum.defined_only": "不在可选值之中", "enum.not_in": "不在可选值之中", "enum.in": "不在可选值之中",
}

func chinese(v *protovalidate.Violation) string {
	rule := v.Proto.GetRuleId()
	text, ok := chineseRules[rule]
	if !ok {
		_, comparison, _ := strings.Cut(rule, ".")
		switch {
		case strings.HasPrefix(comparison, "gt"), strings.HasPrefix(comparison, "lt"):
			return "超出允许范围"
		default:
			return "不符合要求"
		}
	}
	if strings.Contains(text, "%v") {
		if !v.RuleValue.IsValid() {
			return "不符合要求"
		}
		return fmt.Sprintf(text, v.RuleValue.Interface())
	}
	return text
}
