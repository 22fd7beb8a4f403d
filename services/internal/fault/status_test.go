package fault_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"huhang.example/services/internal/fault"
)

var allCodes = []fault.Code{
	fault.InvalidArgument, fault.NotFound, fault.AlreadyExists, fault.FailedPrecondition, fault.Aborted,
	fault.PermissionDenied, fault.Unauthenticated, fault.ResourceExhausted, fault.OutOfRange, fault.Unavailable,
	fault.DeadlineExceeded, fault.Internal, fault.Unimplemented, fault.Canceled,
}

func info(s *status.Status) *errdetails.ErrorInfo {
	for _, d := range s.Details() {
		if i, ok := d.(*errdetails.ErrorInfo); ok {
			return i
		}
	}
	return &errdetails.ErrorInfo{}
}

func TestCodesAreTheCanonicalOnes(t *testing.T) {
	for _, code := range allCodes {
		var want codes.Code
		name := code.String()
		if code == fault.Canceled {
			name = "CANCELLED" // how grpc spells it in JSON
		}
		if err := want.UnmarshalJSON([]byte(`"` + name + `"`)); err != nil {
			t.Fatal(err)
		}
		if got := fault.Status(fault.New(code, fault.WrongState, "", "a", "b")).Code(); got != want {
			t.Errorf("%s is sent as %s", code, got)
		}
	}
}

// What one service says, another hears: everything but the cause.
func TestFaultsSurviveTheWire(t *testing.T) {
	text := rapid.StringN(0, 40, 200)
	key := rapid.StringMatching(`[a-z][a-z_]{0,20}`).Filter(func(s string) bool { return s != "field" })
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom(allCodes).Filter(func(c fault.Code) bool { return c != fault.Internal }).Draw(t, "code")
		sent := fault.New(code, rapid.SampledFrom(sortedReasons()).Draw(t, "reason"),
			rapid.StringMatching(`([a-z_]+(\.[a-z_]+)?)?`).Draw(t, "field"), text.Draw(t, "en"), text.Draw(t, "zh"))
		for k, v := range rapid.MapOfN(key, text, 0, 8).Draw(t, "meta") {
			sent = sent.With(k, v)
		}
		// One violation like the fault itself says nothing more and is not kept.
		for _, field := range rapid.SliceOfN(rapid.StringMatching(`x\.[a-z]{1,9}`), 0, 5).Draw(t, "violations") {
			sent = sent.Violate(field, text.Draw(t, "en"), text.Draw(t, "zh"))
		}
		wire, err := proto.Marshal(fault.Status(sent.Cause(errors.New("secret"))).Proto())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(wire), "secret") {
			t.Fatal("the cause was sent")
		}
		back := status.New(codes.OK, "").Proto()
		if proto.Unmarshal(wire, back) != nil {
			t.Fatal("not a status")
		}
		got, ok := fault.As(fault.FromStatus(status.FromProto(back).Err()))
		if !ok {
			t.Fatal("no fault came back")
		}
		if got.Code != sent.Code || got.Reason != sent.Reason || got.Field != sent.Field || got.En != sent.En ||
			got.Zh != sent.Zh || got.DoEn != sent.DoEn || got.DoZh != sent.DoZh || !maps.Equal(got.Meta, sent.Meta) ||
			!slices.Equal(got.Violations, sent.Violations) {
			t.Fatalf("sent %+v\ngot  %+v", sent, got)
		}
	})
}

func sortedReasons() []fault.Reason {
	all := fault.Reasons()
	slices.Sort(all)
	return all
}

func TestWhatIsToldOfErrors(t *testing.T) {
	peer := status.Error(codes.FailedPrecondition, "their words")
	secret := errors.New("dsn=postgres://secret")
	for _, test := range []struct {
		name   string
		err    error
		code   codes.Code
		reason fault.Reason
	}{
		{"an unknown error", secret, codes.Internal, fault.ReasonInternal},
		{"an internal fault", fault.New(fault.Internal, fault.WrongState, "secret", "secret", "secret").With("k", "secret").Cause(secret), codes.Internal, fault.ReasonInternal},
		{"a fault without a code", &fault.Fault{En: "secret"}, codes.Internal, fault.ReasonInternal},
		{"a wrapped fault", fmt.Errorf("secret: %w", fault.Stale("3")), codes.Aborted, fault.StaleVersion},
		{"a fault caused by a deadline", fault.New(fault.Unavailable, fault.PeerUnavailable, "", "Away.", "不可用。").Cause(context.DeadlineExceeded), codes.Unavailable, fault.PeerUnavailable},
		{"a fault caused by a peer's status", fault.NotFoundf("offer", "o").Cause(status.Error(codes.Unknown, "secret")), codes.NotFound, fault.ReasonNotFound},
		{"a deadline", fmt.Errorf("secret: %w", context.DeadlineExceeded), codes.DeadlineExceeded, fault.ReasonDeadlineExceeded},
		{"a cancellation", fmt.Errorf("secret: %w", context.Canceled), codes.Canceled, fault.ReasonCanceled},
		{"a peer's status", peer, codes.FailedPrecondition, ""},
		{"a wrapped peer's status", fmt.Errorf("secret: %w", peer), codes.FailedPrecondition, ""},
	} {
		s := fault.Status(test.err)
		if s.Code() != test.code || info(s).GetReason() != string(test.reason) {
			t.Errorf("%s: %s %s", test.name, s.Code(), info(s).GetReason())
		}
		if strings.Contains(s.Proto().String(), "secret") {
			t.Errorf("%s tells too much: %v", test.name, s.Proto())
		}
		if test.reason != "" && info(s).GetDomain() != fault.Domain {
			t.Errorf("%s: domain %q", test.name, info(s).GetDomain())
		}
	}
	if fault.Status(nil) != nil || fault.FromStatus(nil) != nil {
		t.Error("no error became one")
	}
	if got := fault.Status(peer); got.Message() != "their words" {
		t.Error("a peer's words were changed:", got.Message())
	}
}

func TestDetailsNameTheFieldAndBothLanguages(t *testing.T) {
	s := fault.Status(fault.New(fault.InvalidArgument, fault.TimeInvalid, "arrival", "In the past.", "时间已过。"))
	var locales []string
	var bad *errdetails.BadRequest
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.LocalizedMessage:
			locales = append(locales, d.GetLocale()+"="+d.GetMessage())
		case *errdetails.BadRequest:
			bad = d
		}
	}
	if !slices.Equal(locales, []string{"zh-CN=时间已过。", "en=In the past."}) {
		t.Error(locales)
	}
	if v := bad.GetFieldViolations(); len(v) != 1 || v[0].GetField() != "arrival" || v[0].GetDescription() != "In the past." {
		t.Error(bad)
	}
	meta := info(s).GetMetadata()
	if meta["field"] != "arrival" || meta["what_to_do"] == "" || meta["what_to_do_zh"] == "" {
		t.Error(meta)
	}
}

// An answer must fit into response headers whatever was put into it.
func TestStatusesAreBounded(t *testing.T) {
	f := fault.New(fault.InvalidArgument, fault.FieldInvalid, strings.Repeat("f", 5000),
		strings.Repeat("e", 5000), strings.Repeat("中", 5000)+"\xff")
	for i := range 100 {
		f = f.With(fmt.Sprintf("key%d", i), strings.Repeat("v", 5000)).Violate("f", strings.Repeat("x", 5000), "y")
	}
	s := fault.Status(f)
	if size := proto.Size(s.Proto()); size > 9<<10 {
		t.Errorf("%d bytes", size)
	}
	for _, d := range s.Details() {
		if m, ok := d.(*errdetails.LocalizedMessage); ok && !utf8.ValidString(m.GetMessage()) {
			t.Error("cut within a character")
		}
	}
}

func TestForeignStatusesBecomeTheNearestFault(t *testing.T) {
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		err := status.Error(code, "transport: dial tcp 10.0.0.1: secret")
		f, ok := fault.As(fault.FromStatus(err))
		if !ok || f.En == "" || f.Zh == "" || f.DoEn == "" || f.DoZh == "" {
			t.Errorf("%s: %+v", code, f)
			continue
		}
		if strings.Contains(fault.Status(f).Proto().String(), "secret") {
			t.Errorf("%s: grpc's words are passed on", code)
		}
		if !errors.Is(f, err) || status.Code(f) != code {
			t.Errorf("%s: the status is not the cause", code)
		}
	}
	for code, reason := range map[codes.Code]fault.Reason{
		codes.Unavailable: fault.PeerUnavailable, codes.DeadlineExceeded: fault.ReasonDeadlineExceeded,
		codes.Canceled: fault.ReasonCanceled, codes.PermissionDenied: fault.RightMissing, codes.Unknown: fault.ReasonInternal,
	} {
		if !fault.Is(fault.FromStatus(status.Error(code, "")), reason) {
			t.Errorf("%s is not %s", code, reason)
		}
	}
}

func TestFromStatusLeavesOtherErrorsAlone(t *testing.T) {
	plain, ours := errors.New("plain"), fault.Stale("1")
	for _, err := range []error{plain, ours, fmt.Errorf("wrapped: %w", ours)} {
		if got := fault.FromStatus(err); !errors.Is(got, err) || got.Error() != err.Error() {
			t.Errorf("%v, which is no status, became %v", err, got)
		}
	}
	other, err := status.New(codes.NotFound, "x").WithDetails(&errdetails.ErrorInfo{Reason: "STALE_VERSION", Domain: "elsewhere.example"})
	if err != nil {
		t.Fatal(err)
	}
	if fault.Is(fault.FromStatus(other.Err()), fault.StaleVersion) {
		t.Error("another domain's reason was taken for ours")
	}
}
