package fault

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
)

// Domain is the ErrorInfo domain in which the reasons have their meaning.
const Domain = "huhang.example"

// Keys of ErrorInfo.metadata that carry parts of a fault; the rest of the metadata is the fault's own.
const (
	keyField = "field"
	keyDoEn  = "what_to_do"
	keyDoZh  = "what_to_do_zh"
)

// A status travels in response headers, which are bounded: what would not fit is cut rather than lost with the answer.
const (
	maxText       = 512
	maxMeta       = 3 << 10
	maxViolations = 3 << 10
)

const zhCN = "zh-CN"

var toGRPC = map[Code]codes.Code{
	InvalidArgument: codes.InvalidArgument, NotFound: codes.NotFound, AlreadyExists: codes.AlreadyExists,
	FailedPrecondition: codes.FailedPrecondition, Aborted: codes.Aborted, PermissionDenied: codes.PermissionDenied,
	Unauthenticated: codes.Unauthenticated, ResourceExhausted: codes.ResourceExhausted, OutOfRange: codes.OutOfRange,
	Unavailable: codes.Unavailable, DeadlineExceeded: codes.DeadlineExceeded, Internal: codes.Internal,
	Unimplemented: codes.Unimplemented, Canceled: codes.Canceled,
}

var fromGRPC = invert(toGRPC)

func invert(m map[Code]codes.Code) map[codes.Code]Code {
	out := make(map[codes.Code]Code, len(m))
	for c, g := range m {
		out[g] = c
	}
	return out
}

// Status returns what may be told of err over the wire: nil for nil; a fault without its cause; the deadline's or the
// caller's cancellation; a peer's status as it is; anything else as an internal error that names nothing.
func Status(err error) *status.Status {
	if err == nil {
		return nil
	}
	if f, ok := As(err); ok {
		return f.status()
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return deadlineExceeded().status()
	case errors.Is(err, context.Canceled):
		return canceled().status()
	}
	// Not status.FromError: for a wrapped status it puts the wrapping text, which is ours alone, into the message.
	var peer interface{ GRPCStatus() *status.Status }
	if errors.As(err, &peer) {
		if s := peer.GRPCStatus(); s.Code() != codes.OK {
			return s
		}
	}
	return internal().status()
}

func (f *Fault) status() *status.Status {
	code, known := toGRPC[f.Code]
	if !known || f.Code == Internal {
		f, code = internal(), codes.Internal
	}
	details := []protoadapt.MessageV1{
		&errdetails.ErrorInfo{Reason: string(f.Reason), Domain: Domain, Metadata: f.metadata()},
		&errdetails.LocalizedMessage{Locale: zhCN, Message: cut(f.Zh)},
		&errdetails.LocalizedMessage{Locale: "en", Message: cut(f.En)},
	}
	if bad := f.badRequest(); bad != nil {
		details = append(details, bad)
	}
	s := status.New(code, cut(f.En))
	with, err := s.WithDetails(details...)
	if err != nil { // only for code OK or an unencodable message, neither of which can be
		return s
	}
	return with
}

func (f *Fault) metadata() map[string]string {
	meta := map[string]string{keyDoEn: cut(f.DoEn), keyDoZh: cut(f.DoZh)}
	if f.Field != "" {
		meta[keyField] = cut(f.Field)
	}
	room := maxMeta
	for _, key := range slices.Sorted(maps.Keys(f.Meta)) {
		value := cut(f.Meta[key])
		room -= len(key) + len(value)
		if _, taken := meta[key]; !taken && room >= 0 {
			meta[key] = value
		}
	}
	return meta
}

func (f *Fault) badRequest() *errdetails.BadRequest {
	violations := f.Violations
	if len(violations) == 0 {
		if f.Field == "" {
			return nil
		}
		violations = []Violation{{Field: f.Field, En: f.En, Zh: f.Zh}}
	}
	bad := &errdetails.BadRequest{}
	room := maxViolations
	for _, v := range violations {
		if room -= len(cut(v.Field)) + len(cut(v.En)) + len(cut(v.Zh)); room < 0 {
			break
		}
		bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{
			Field: cut(v.Field), Description: cut(v.En), Reason: string(f.Reason),
			LocalizedMessage: &errdetails.LocalizedMessage{Locale: zhCN, Message: cut(v.Zh)},
		})
	}
	return bad
}

// FromStatus rebuilds the fault a peer answered with. A status that is not of this house becomes the nearest fault,
// with the status as its cause; an error that is no status is returned as it is.
func FromStatus(err error) error {
	var peer interface{ GRPCStatus() *status.Status }
	if err == nil || !errors.As(err, &peer) {
		return err
	}
	if _, already := As(err); already {
		return err
	}
	s := peer.GRPCStatus()
	if s.Code() == codes.OK {
		return err
	}
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == Domain {
			return rebuild(s, info).Cause(err)
		}
	}
	return foreign(s.Code()).Cause(err)
}

func rebuild(s *status.Status, info *errdetails.ErrorInfo) *Fault {
	code, known := fromGRPC[s.Code()]
	if !known {
		code = Internal
	}
	meta := maps.Clone(info.GetMetadata())
	f := &Fault{
		Code: code, Reason: Reason(info.GetReason()), En: s.Message(),
		Field: meta[keyField], DoEn: meta[keyDoEn], DoZh: meta[keyDoZh],
	}
	for _, key := range []string{keyField, keyDoEn, keyDoZh} {
		delete(meta, key)
	}
	if len(meta) > 0 {
		f.Meta = meta
	}
	for _, detail := range s.Details() {
		switch d := detail.(type) {
		case *errdetails.LocalizedMessage:
			if d.GetLocale() == zhCN {
				f.Zh = d.GetMessage()
			}
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				f.Violations = append(f.Violations,
					Violation{Field: v.GetField(), En: v.GetDescription(), Zh: v.GetLocalizedMessage().GetMessage()})
			}
		}
	}
	// One violation of the fault's own field says nothing that the fault does not.
	if len(f.Violations) == 1 && f.Violations[0] == (Violation{Field: f.Field, En: f.En, Zh: f.Zh}) {
		f.Violations = nil
	}
	return f
}

// foreign is the fault for a bare status: what grpc itself says when a peer is away, slow or refuses a message.
func foreign(code codes.Code) *Fault {
	switch code {
	case codes.DeadlineExceeded:
		return deadlineExceeded()
	case codes.Canceled:
		return canceled()
	case codes.Unavailable:
		return New(Unavailable, PeerUnavailable, "", "A needed service is not reachable now.", "所需服务暂时无法访问。")
	case codes.Unauthenticated:
		return New(Unauthenticated, IdentityMissing, "", "The call carries no valid identity.", "请求未携带有效身份。")
	case codes.PermissionDenied:
		return New(PermissionDenied, RightMissing, "", "The caller has no right to this.", "调用方无此权限。")
	case codes.InvalidArgument:
		return New(InvalidArgument, FieldInvalid, "", "A field breaks its bound or format.", "有字段超出范围或格式错误。")
	case codes.NotFound:
		return NotFoundf("record", "")
	case codes.ResourceExhausted:
		return New(ResourceExhausted, RateLimited, "", "Too much at once for the service asked.", "请求超出服务承受范围。")
	}
	f := internal()
	if known, ok := fromGRPC[code]; ok {
		f.Code = known
	}
	return f
}

func internal() *Fault {
	return New(Internal, ReasonInternal, "", "Something broke on our side.", "系统内部出错。")
}

func deadlineExceeded() *Fault {
	return New(DeadlineExceeded, ReasonDeadlineExceeded, "",
		"The deadline passed before the answer was ready.", "在期限内未能得到结果。")
}

func canceled() *Fault {
	return New(Canceled, ReasonCanceled, "", "The caller cancelled.", "调用方已取消请求。")
}

func cut(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
