package rpcserver_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/rpcserver"
	"huhang.example/services/internal/rpcserver/echotest"
	"huhang.example/services/internal/telemetry"
)

// scrapeUntil reads the metrics until they hold a pattern: a call is counted when the server is done with it, which may be
// after its caller has the answer.
func scrapeUntil(t *testing.T, instruments *telemetry.Telemetry, pattern string) string {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(20 * time.Second); ; {
		answer := httptest.NewRecorder()
		instruments.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
		if text := answer.Body.String(); wanted.MatchString(text) {
			return text
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("never measured: %s", pattern)
		}
	}
}

func TestPanicsEndTheCallAlone(t *testing.T) {
	r := newRig(t)
	r.handler = func(_ context.Context, _ string, request echotest.Request) (string, error) {
		switch request.Text {
		case "text":
			panic("the patient is 张三")
		case "bug":
			_ = []string{}[len(request.Code)]
		}
		return "alive", nil
	}
	r.stream = func(context.Context, echotest.Request, func(string) error) error { panic("the patient is 张三") }
	r.start()
	connection := r.as(r.hospital("H-HF-01"))
	for _, text := range []string{"text", "bug"} {
		_, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: text})
		s := hasReason(t, err, codes.Internal, "INTERNAL")
		if strings.Contains(s.Message(), "张三") || strings.Contains(s.Message(), "index") {
			t.Fatalf("the caller is told %q", s.Message())
		}
	}
	receive, err := echotest.Open(t.Context(), connection, echotest.Request{Text: "x"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = receive()
	hasReason(t, err, codes.Internal, "INTERNAL")
	if got, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "x"}); err != nil || got != "alive" {
		t.Fatalf("after the panics: %q, %v", got, err)
	}
	logged := r.log.find(t, "handler panicked")
	if len(logged) != 3 || logged[0]["panic"] != "string" || !strings.Contains(fmt.Sprint(logged[1]["panic"]), "index out of range") {
		t.Fatalf("logged %v", logged)
	}
	if !strings.Contains(fmt.Sprint(logged[1]["stack"]), "answer_test.go") || strings.Contains(r.log.String(), "张三") {
		t.Fatal("the log lacks the place, or holds what was thrown")
	}
}

func TestEveryWrongFieldIsNamed(t *testing.T) {
	ran := false
	r := newRig(t)
	r.handler = func(context.Context, string, echotest.Request) (string, error) { ran = true; return "", nil }
	r.start()
	_, err := echotest.Call(t.Context(), r.as(r.hospital("H-HF-01")), echotest.Say, echotest.Request{
		Code: "abc", Labels: map[string]string{"13800001234": "long value"},
	})
	s := hasReason(t, err, codes.InvalidArgument, "FIELD_INVALID")
	if ran {
		t.Fatal("the handler ran")
	}
	if field := detail[*errdetails.ErrorInfo](s).GetMetadata()["field"]; field != "text" {
		t.Fatalf("the first field is %q", field)
	}
	var fields []string
	for _, v := range detail[*errdetails.BadRequest](s).GetFieldViolations() {
		fields = append(fields, v.GetField())
		if v.GetReason() != "FIELD_INVALID" || v.GetDescription() == "" || v.GetLocalizedMessage().GetMessage() == "" {
			t.Errorf("violation %v", v)
		}
		if strings.Contains(v.String(), "13800001234") || strings.Contains(v.String(), "long value") || strings.Contains(v.String(), "abc") {
			t.Errorf("violation repeats what was sent: %v", v)
		}
	}
	if got := strings.Join(fields, " "); got != "text code labels[...]" {
		t.Fatalf("fields %q", got)
	}
	if text := detail[*errdetails.BadRequest](s).GetFieldViolations()[0].GetLocalizedMessage().GetMessage(); text != "长度不得少于 1 个字符" {
		t.Fatalf("in Chinese %q", text)
	}
	if strings.Contains(r.log.String(), "13800001234") {
		t.Fatal("the log holds the key")
	}
}

func TestErrorsAreToldAsFaults(t *testing.T) {
	r := newRig(t)
	r.handler = func(ctx context.Context, _ string, request echotest.Request) (string, error) {
		switch request.Text {
		case "stale":
			return "", fmt.Errorf("update: %w", fault.Stale("7"))
		case "peer":
			return "", fmt.Errorf("dial 10.0.0.7: %w", status.Error(codes.Unavailable, "away"))
		}
		return "", fmt.Errorf("insert: %w", errBroken)
	}
	r.start()
	connection := r.as(r.hospital("H-HF-01"))
	call := func(text string) error {
		_, err := echotest.Call(t.Context(), connection, echotest.Say, echotest.Request{Text: text})
		return err
	}
	s := hasReason(t, call("stale"), codes.Aborted, "STALE_VERSION")
	if etag := detail[*errdetails.ErrorInfo](s).GetMetadata()["current_etag"]; etag != "7" {
		t.Fatalf("etag %q", etag)
	}
	s = hasReason(t, call("broken"), codes.Internal, "INTERNAL")
	if strings.Contains(s.String(), "patients") {
		t.Fatalf("the cause is told: %v", s)
	}
	if s = status.Convert(call("peer")); s.Code() != codes.Unavailable || strings.Contains(s.String(), "10.0.0.7") {
		t.Fatalf("a peer's status: %v", s)
	}
}

func TestLogLines(t *testing.T) {
	referral := id.Sequence().New("ref")
	r := newRig(t)
	r.handler = func(ctx context.Context, _ string, request echotest.Request) (string, error) {
		switch request.Text {
		case "张三 absent":
			return "", fault.NotFoundf("patient", "pat_1")
		case "张三 broken":
			return "", errBroken
		}
		return telemetry.Referral(ctx), nil
	}
	r.stream = func(ctx context.Context, _ echotest.Request, send func(string) error) error {
		return send(telemetry.Referral(ctx))
	}
	r.start()
	connection := r.as(r.hospital("H-HF-01"))
	call := func(method string, request echotest.Request) string {
		got, _ := echotest.Call(t.Context(), connection, method, request)
		return got
	}
	if got := call(echotest.Say, echotest.Request{ReferralID: referral, Text: "张三"}); got != referral {
		t.Fatalf("the handler knows referral %q by referral_id", got)
	}
	if got := call(echotest.Read, echotest.Request{ID: referral, Text: "张三"}); got != referral {
		t.Fatalf("the handler knows referral %q by id", got)
	}
	if got := call(echotest.Say, echotest.Request{ReferralID: "li-si-13800001234", Text: "张三"}); got != "" {
		t.Fatalf("%q is taken for a referral's id", got)
	}
	call(echotest.Say, echotest.Request{Text: "张三 absent"})
	call(echotest.Say, echotest.Request{Text: "张三 broken"})
	receive, err := echotest.Open(t.Context(), connection, echotest.Request{ID: referral, Text: "张三"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := receive(); err != nil || got != referral {
		t.Fatalf("the stream knows referral %q, %v", got, err)
	}
	_, _ = receive() // to the end, when the line is written

	want := []struct{ method, code, level, reason, referral string }{
		{echotest.Say, "OK", "INFO", "", referral},
		{echotest.Read, "OK", "DEBUG", "", referral},
		{echotest.Say, "OK", "INFO", "", ""},
		{echotest.Say, "NotFound", "INFO", "NOT_FOUND", ""},
		{echotest.Say, "Internal", "ERROR", "INTERNAL", ""},
		{echotest.Follow, "OK", "DEBUG", "", referral},
	}
	got := r.log.find(t, "call")
	if len(got) != len(want) {
		t.Fatalf("%d lines:\n%s", len(got), r.log.String())
	}
	text := func(v any) string {
		if v == nil {
			return ""
		}
		return fmt.Sprint(v)
	}
	for i, w := range want {
		g := got[i]
		if g["method"] != w.method || g["code"] != w.code || g["level"] != w.level || text(g["reason"]) != w.reason ||
			text(g["referral_id"]) != w.referral || g["organisation"] != "H-HF-01" || g["peer"] != "hospital/H-HF-01" || g["duration_ms"] == nil {
			t.Errorf("line %d is %v, want %+v", i, g, w)
		}
	}
	if got[4]["cause"] == nil || got[3]["cause"] != nil {
		t.Errorf("causes: ours %v, the caller's %v", got[4]["cause"], got[3]["cause"])
	}
	if strings.Contains(r.log.String(), "张三") || strings.Contains(r.log.String(), "13800001234") {
		t.Fatal("the log holds the payload")
	}
}

func TestOnlyMethodsOfTheLineAreMeasured(t *testing.T) {
	instruments, err := telemetry.Start(t.Context(), telemetry.Config{Service: "patient"})
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(_ *rpcserver.Config, d *rpcserver.Deps) { d.Telemetry = instruments }).start()
	connection := r.as(r.hospital("H-HF-01"))
	if _, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "x"}); err != nil {
		t.Fatal(err)
	}
	err = connection.Invoke(t.Context(), "/huhang.made.up/Name13800001234", &emptypb.Empty{}, &emptypb.Empty{}, grpc.WaitForReady(false))
	hasReason(t, err, codes.Unimplemented, "")
	if _, err := healthv1.NewHealthClient(connection).Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
		t.Fatal(err)
	}
	text := scrapeUntil(t, instruments, `EchoService/Read"`)
	if strings.Contains(text, "made.up") || strings.Contains(text, "grpc.health") {
		t.Fatal("an invented method, or a health check, is measured")
	}
}
