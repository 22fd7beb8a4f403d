package rest

import (
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"huhang.example/services/gateway/limit"
	"huhang.example/services/gateway/route"
	"huhang.example/services/internal/fault"
)

// Refuse answers err as a google.rpc.Status.
func Refuse(w http.ResponseWriter, r *http.Request, err error) {
	told := route.Status(err)
	answer(w, r, httpStatus(told), told)
}

func answer(w http.ResponseWriter, r *http.Request, code int, told *status.Status) {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Cache-Control", "no-store")
	header.Del("Content-Length")
	if info := errorInfo(told); info.GetReason() == string(fault.RateLimited) {
		if seconds := info.GetMetadata()[limit.RetryAfter]; seconds != "" {
			header.Set("Retry-After", seconds)
		}
	}
	switch {
	case told.Code() == codes.Unauthenticated:
		header.Set("WWW-Authenticate", `Bearer realm="huhang"`)
	case told.Code() == codes.Unavailable && header.Get("Retry-After") == "":
		header.Set("Retry-After", "1")
	}
	if x := exchangeOf(r.Context()); x != nil {
		x.reason = errorInfo(told).GetReason()
	}
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		// Only a client that went away makes this fail.
		_, _ = w.Write(encode(told.Proto()))
	}
}

func encode(told *spb.Status) []byte {
	text, err := protojson.Marshal(told)
	if err != nil {
		// A detail of a type that is not linked in here; the rest still tells most.
		text, _ = protojson.Marshal(&spb.Status{Code: told.GetCode(), Message: told.GetMessage()})
	}
	return append(text, '\n')
}

func errorInfo(told *status.Status) *errdetails.ErrorInfo {
	for _, detail := range told.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info
		}
	}
	return nil
}

func httpStatus(told *status.Status) int {
	switch reason := errorInfo(told).GetReason(); {
	case reason == string(fault.BodyTooLarge):
		return http.StatusRequestEntityTooLarge
	case reason == string(fault.ReasonNotFound) && told.Code() == codes.Unimplemented:
		return http.StatusMethodNotAllowed
	}
	return runtime.HTTPStatusFromCode(told.Code())
}

// The answers of the way in, where no service was asked.

func noSuchPath() *fault.Fault {
	return fault.New(fault.NotFound, fault.ReasonNotFound, "",
		"There is nothing at this path.", "此路径不存在。").
		Do("The paths are listed at /docs and /openapi.json.", "可用路径见 /docs 与 /openapi.json。")
}

func noSuchVerb() *fault.Fault {
	return fault.New(fault.Unimplemented, fault.ReasonNotFound, "",
		"The path does not take this HTTP method.", "此路径不支持该 HTTP 方法。").
		Do("The methods are in the Allow header and listed at /docs.", "可用方法见 Allow 响应头与 /docs。")
}

func notWellFormed() *fault.Fault {
	return fault.New(fault.InvalidArgument, fault.BodyMalformed, "",
		"The request is not well-formed.", "请求格式不正确。")
}

func unknownField() *fault.Fault {
	return fault.New(fault.InvalidArgument, fault.BodyMalformed, "",
		"The request has a field that is not known here.", "请求中含有此处未知的字段。")
}

func tooLarge() *fault.Fault {
	return fault.New(fault.ResourceExhausted, fault.BodyTooLarge, "",
		"The body is larger than the limit.", "请求内容超过大小限制。")
}

func badParameter(name string) *fault.Fault {
	return fault.New(fault.InvalidArgument, fault.FieldInvalid, name,
		"A parameter of the path or the query is unknown or has a wrong form.", "路径或查询参数未知或格式错误。")
}
