// Package fault is how every service says no.
//
// Invariant: a fault tells its caller a canonical code, a reason that never changes its meaning, what happened and what
// to do about it, in English and Chinese; what caused it is for the log and never leaves the process. Texts are fixed:
// they hold no identity number, name, phone or diagnosis, and neither may the metadata.
package fault

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// Code is the canonical class of a fault; it decides how a caller reacts without knowing the reason.
type Code uint8

// The canonical codes this house uses. The zero Code is treated as Internal.
const (
	InvalidArgument Code = iota + 1
	NotFound
	AlreadyExists
	FailedPrecondition
	Aborted
	PermissionDenied
	Unauthenticated
	ResourceExhausted
	OutOfRange
	Unavailable
	DeadlineExceeded
	Internal
	Unimplemented
	Canceled
)

var codeNames = map[Code]string{
	InvalidArgument: "INVALID_ARGUMENT", NotFound: "NOT_FOUND", AlreadyExists: "ALREADY_EXISTS",
	FailedPrecondition: "FAILED_PRECONDITION", Aborted: "ABORTED", PermissionDenied: "PERMISSION_DENIED",
	Unauthenticated: "UNAUTHENTICATED", ResourceExhausted: "RESOURCE_EXHAUSTED", OutOfRange: "OUT_OF_RANGE",
	Unavailable: "UNAVAILABLE", DeadlineExceeded: "DEADLINE_EXCEEDED", Internal: "INTERNAL",
	Unimplemented: "UNIMPLEMENTED", Canceled: "CANCELED",
}

// String returns the canonical name, such as "NOT_FOUND".
func (c Code) String() string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return codeNames[Internal]
}

// Fault is one refusal (拒绝): an error whose every part but the cause may be shown to the caller.
type Fault struct {
	Code   Code
	Reason Reason
	// Field is the path of the offending field in the request, such as "patient.birth_date"; empty when none is.
	Field string
	// En and Zh say what happened; DoEn and DoZh say what the reader can do now.
	En, Zh     string
	DoEn, DoZh string
	// Violations names each field when several are wrong at once.
	Violations []Violation
	Meta       map[string]string
	cause      error
}

// Violation is one field that breaks its bound.
type Violation struct {
	Field  string
	En, Zh string
}

// New returns a fault. What to do follows from the reason; Do says otherwise.
func New(code Code, reason Reason, field, en, zh string) *Fault {
	doEn, doZh := reason.WhatToDo()
	return &Fault{Code: code, Reason: reason, Field: field, En: en, Zh: zh, DoEn: doEn, DoZh: doZh}
}

// The methods below return a changed copy, so that a fault kept in a variable can be shared by all callers.

// With adds one entry of metadata.
func (f *Fault) With(key, value string) *Fault {
	c := f.clone()
	if c.Meta == nil {
		c.Meta = map[string]string{}
	}
	c.Meta[key] = value
	return c
}

// Cause records what lies behind the fault: logged, never sent.
func (f *Fault) Cause(err error) *Fault {
	c := f.clone()
	c.cause = err
	return c
}

// Do replaces what the caller is told to do.
func (f *Fault) Do(en, zh string) *Fault {
	c := f.clone()
	c.DoEn, c.DoZh = en, zh
	return c
}

// Violate adds one more wrong field.
func (f *Fault) Violate(field, en, zh string) *Fault {
	c := f.clone()
	c.Violations = append(c.Violations, Violation{Field: field, En: en, Zh: zh})
	return c
}

func (f *Fault) clone() *Fault {
	c := *f
	c.Meta = maps.Clone(f.Meta)
	c.Violations = slices.Clone(f.Violations)
	return &c
}

// Error is for logs: it includes the cause.
func (f *Fault) Error() string {
	text := fmt.Sprintf("%s %s: %s", f.Code, f.Reason, f.En)
	if f.Field != "" {
		text = fmt.Sprintf("%s %s (%s): %s", f.Code, f.Reason, f.Field, f.En)
	}
	if f.cause != nil {
		text += ": " + f.cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.cause }

// Is makes errors.Is compare two faults by what they mean, since copies of one fault are not the same pointer.
func (f *Fault) Is(target error) bool {
	t, ok := target.(*Fault)
	return ok && f.Code == t.Code && f.Reason == t.Reason && f.Field == t.Field
}

// LogValue writes a fault into a structured log.
func (f *Fault) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("code", f.Code.String()), slog.String("reason", string(f.Reason)), slog.String("text", f.En),
	}
	if f.Field != "" {
		attrs = append(attrs, slog.String("field", f.Field))
	}
	if f.cause != nil {
		attrs = append(attrs, slog.String("cause", f.cause.Error()))
	}
	return slog.GroupValue(attrs...)
}

// As returns the fault in err's chain.
func As(err error) (*Fault, bool) {
	var f *Fault
	ok := errors.As(err, &f) && f != nil
	return f, ok
}

// Is reports whether err is, or wraps, a fault with the reason.
func Is(err error, reason Reason) bool {
	f, ok := As(err)
	return ok && f.Reason == reason
}

// NotFoundf is the answer for a record that is absent, and for one the caller may not see: both must look the same.
func NotFoundf(kind, id string) *Fault {
	f := New(NotFound, ReasonNotFound, "",
		"There is no such "+kind+", or it is not open to you.",
		"没有此"+kindZh(kind)+"，或您无权查看。").With("kind", kind)
	if looksPersonal(id) {
		return f
	}
	return f.With("id", id)
}

// looksPersonal reports whether an "id" may be an identity or telephone number typed into the wrong place; such a
// thing must not travel on in an error.
func looksPersonal(id string) bool {
	return len(id) >= 11 && strings.Trim(id, "0123456789xX+- ") == ""
}

// Stale is the answer to an update that saw an older version than the current one.
func Stale(currentEtag string) *Fault {
	return New(Aborted, StaleVersion, "etag",
		"The record was changed by somebody else since you read it.",
		"该记录在您读取之后已被他人修改。").
		With("current_etag", currentEtag)
}

// kindsZh names the kinds of record in the texts; a kind not listed is named as it is.
var kindsZh = map[string]string{
	"patient": "患者", "coverage": "参保信息", "consent": "知情同意", "clinical record": "临床资料", "result": "检查结果",
	"center": "移植中心", "program": "移植项目", "capacity": "接收能力", "match run": "匹配记录", "offer": "接收邀约",
	"resource": "资源", "reservation": "预约", "timetable": "时刻表", "itinerary": "行程", "transfer": "转运", "handover": "交接",
	"policy": "医保政策", "catalogue": "医保目录", "filing": "备案", "claim": "费用单", "settlement": "结算", "clearing": "清算",
	"ledger entry": "账目", "alert": "监管预警", "referral": "转诊病例", "case": "病例", "consultation": "会诊", "follow-up": "随访",
	"notification": "通知", "task": "待办", "listing": "登记", "record": "记录", "organisation": "机构", "hospital": "医院",
	"city": "城市", "province": "省份",
}

func kindZh(kind string) string {
	if zh, ok := kindsZh[kind]; ok {
		return zh
	}
	return " " + kind + " "
}
