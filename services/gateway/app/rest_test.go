package app_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/gateway/app"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
)

func TestRefusals(t *testing.T) {
	r := newRig(t)
	referrals := r.referrals()
	patients := r.patients()
	now := clock.System().Now()
	foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := r.issuer.token(nil)
	get, submit := "/v1/referrals/"+referralID, "/v1/referrals/"+referralID+":submit"
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + strings.Split(good, ".")[1] + "."
	tests := []struct {
		name, method, path, token, body string
		headers                         []string
		code                            int
		reason, field                   string
	}{
		{"no token", "GET", get, "", "", nil, 401, "IDENTITY_MISSING", ""},
		{"not a token", "GET", get, "abc", "", nil, 401, "IDENTITY_MISSING", ""},
		{"unsigned", "GET", get, unsigned, "", nil, 401, "IDENTITY_MISSING", ""},
		{"two tokens", "GET", get, good, "", []string{"Authorization", "Bearer " + good}, 401, "IDENTITY_MISSING", ""},
		{"expired", "GET", get, r.issuer.token(claims{"exp": now.Add(-time.Minute).Unix()}), "", nil, 401, "IDENTITY_MISSING", ""},
		{"not yet", "GET", get, r.issuer.token(claims{"nbf": now.Add(time.Hour).Unix()}), "", nil, 401, "IDENTITY_MISSING", ""},
		{"another audience", "GET", get, r.issuer.token(claims{"aud": "shop"}), "", nil, 401, "IDENTITY_MISSING", ""},
		{"another issuer", "GET", get, r.issuer.token(claims{"iss": "https://elsewhere.example"}), "", nil, 401, "IDENTITY_MISSING", ""},
		{"a foreign key", "GET", get, r.issuer.sign(foreign, "k1", r.issuer.person(nil)), "", nil, 401, "IDENTITY_MISSING", ""},
		{"no subject", "GET", get, r.issuer.token(claims{"sub": ""}), "", nil, 401, "IDENTITY_MISSING", ""},
		{"a malformed organisation", "GET", get, r.issuer.token(claims{"huhang_org": "示范"}), "", nil, 401, "IDENTITY_MISSING", ""},
		{"no role", "GET", get, r.issuer.token(claims{"huhang_roles": []string{}}), "", nil, 403, "RIGHT_MISSING", ""},
		{"a role for services", "GET", get, r.issuer.token(claims{"huhang_roles": []string{"service"}}), "", nil, 403, "RIGHT_MISSING", ""},
		{"a role without this right", "POST", submit, r.issuer.token(claims{"huhang_roles": []string{"agency"}}), `{"requestId":"0123456789abcdef"}`, nil, 403, "RIGHT_MISSING", ""},
		{"malformed", "POST", submit, good, `{"requestId":`, nil, 400, "BODY_MALFORMED", ""},
		{"two values", "POST", submit, good, `{} {}`, nil, 400, "BODY_MALFORMED", ""},
		{"not an object", "POST", submit, good, `[1]`, nil, 400, "BODY_MALFORMED", ""},
		{"not UTF-8", "POST", submit, good, "{\"requestId\":\"\xff\"}", nil, 400, "BODY_MALFORMED", ""},
		{"an unknown field", "POST", submit, good, `{"colour":"red"}`, nil, 400, "BODY_MALFORMED", "colour"},
		{"a field twice", "POST", submit, good, `{"requestId":"a","requestId":"b"}`, nil, 400, "BODY_MALFORMED", "requestId"},
		{"a wrong type", "POST", submit, good, `{"requestId":{"x":"13800138000"}}`, nil, 400, "BODY_MALFORMED", "requestId"},
		{"oversized", "POST", submit, good, `{"requestId":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413, "BODY_TOO_LARGE", ""},
		{"a field out of bounds", "POST", submit, good, `{"requestId":"short"}`, nil, 400, "FIELD_INVALID", "request_id"},
		{"no body", "POST", submit, good, ``, nil, 400, "FIELD_INVALID", "request_id"},
		{"a malformed id", "GET", "/v1/referrals/nothing", good, "", nil, 400, "FIELD_INVALID", "referral_id"},
		{"an unknown parameter", "GET", "/v1/referrals?colour=red", good, "", nil, 400, "FIELD_INVALID", "colour"},
		{"a parameter of the wrong type", "GET", "/v1/referrals?pageSize=13800138000x", good, "", nil, 400, "FIELD_INVALID", "page_size"},
		{"a malformed timeout", "GET", get, good, "", []string{"Grpc-Timeout", "soon"}, 400, "FIELD_INVALID", "Grpc-Timeout"},
		{"a stale etag", "POST", submit, good, `{"requestId":"0123456789abcdef","etag":"1"}`, nil, 409, "STALE_VERSION", "etag"},
		{"not implemented there", "GET", "/v1/referrals", good, "", nil, 501, "INTERNAL", ""},
		{"a service that is away", "GET", "/v1/transfers", good, "", nil, 503, "PEER_UNAVAILABLE", ""},
		{"an unknown route", "GET", "/v1/nothing", good, "", nil, 404, "NOT_FOUND", ""},
		{"an unknown route, by nobody", "GET", "/nothing/at/all", "", "", nil, 404, "NOT_FOUND", ""},
		{"a wrong method", "DELETE", get, good, "", nil, 405, "NOT_FOUND", ""},
		{"a method in a header", "POST", get, good, "", []string{"X-HTTP-Method-Override", "GET", "Content-Type", "application/x-www-form-urlencoded"}, 405, "NOT_FOUND", ""},
		{"a form for a query", "POST", "/v1/policies", good, "", []string{"Content-Type", "application/x-www-form-urlencoded"}, 405, "NOT_FOUND", ""},
		{"posting to a page", "POST", "/docs", good, "", nil, 405, "NOT_FOUND", ""},
	}
	before := len(patients.calls.list())
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := r.send(test.method, test.path, test.token, test.body, test.headers...)
			if got.code != test.code || got.reason != test.reason || got.field != test.field {
				t.Fatalf("got %d %s %q\n%s", got.code, got.reason, got.field, got.body)
			}
			if got.en == "" || got.zh == "" || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
				t.Errorf("not told in both languages: %s", got.body)
			}
			if strings.Contains(got.body, "13800138000") || strings.Contains(got.body, "proto:") {
				t.Errorf("what was sent comes back: %s", got.body)
			}
			if got.header.Get("X-Trace-Id") == "" || got.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers: %v", got.header)
			}
		})
	}
	if len(patients.calls.list()) != before {
		t.Error("another service was called")
	}
	if n := len(referrals.calls.list()); n != 1 {
		t.Errorf("handlers ran %d times, want once for the stale etag", n)
	}
	if allow := r.send("DELETE", get, good, "").header.Get("Allow"); allow != "GET" {
		t.Errorf("Allow: %q", allow)
	}
	if got := r.send("GET", get, good, ""); got.code != http.StatusOK {
		t.Errorf("the good one: %d %s", got.code, got.body)
	}
}

// Only the token says who calls; a client's headers neither add to it nor travel on.
func TestNobodyIsForged(t *testing.T) {
	r := newRig(t)
	patients := r.patients()
	forged, err := access.Encode(access.Caller{Subject: "u-9", Organisation: "OPS", Roles: []access.Role{access.Operations}})
	if err != nil {
		t.Fatal(err)
	}
	text := base64.StdEncoding.EncodeToString([]byte(forged))
	got := r.send("GET", "/v1/patients/"+patientID, r.issuer.token(nil), "",
		"Grpc-Metadata-Huhang-Caller-Bin", text, "Huhang-Caller-Bin", text, "Grpc-Metadata-Note", "x", "Cookie", "a=b",
		"X-Forwarded-For", "203.0.113.9", "Grpc-Metadata-X-Forwarded-Host", "elsewhere.example")
	if got.code != http.StatusOK {
		t.Fatalf("%d %s", got.code, got.body)
	}
	call := patients.calls.last(t)
	if call.caller.Subject != "u-1" || call.caller.Organisation != "H-HF-01" || len(call.caller.Roles) != 1 || !call.caller.Has(access.Coordinator) {
		t.Errorf("called by %+v", call.caller)
	}
	for key := range call.metadata {
		switch key {
		case ":authority", "content-type", "user-agent", "grpc-accept-encoding", access.MetadataKey, "traceparent", "tracestate", "baggage":
		default:
			t.Errorf("%q reached the service", key)
		}
	}
	if got.header.Get("Grpc-Metadata-Content-Type") != "" {
		t.Error("the service's metadata reached the client")
	}
}

func TestDeadlines(t *testing.T) {
	r := newRig(t)
	patients := r.patients()
	patients.get = func(ctx context.Context, _ *patientv1.GetPatientRequest) (*patientv1.GetPatientResponse, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	got := r.send("GET", "/v1/patients/"+patientID, r.issuer.token(nil), "", "Grpc-Timeout", "50m")
	if got.code != http.StatusGatewayTimeout || got.reason != "DEADLINE_EXCEEDED" {
		t.Fatalf("%d %s", got.code, got.body)
	}
}

func TestRates(t *testing.T) {
	r := newRig(t, func(c *app.Config) { c.RateLimit.PerSecond, c.RateLimit.Burst = 0.001, 3 })
	r.patients()
	one, two := r.issuer.token(nil), r.issuer.token(claims{"sub": "u-2"})
	for range 3 {
		if got := r.send("GET", "/v1/patients/"+patientID, one, ""); got.code != http.StatusOK {
			t.Fatalf("%d %s", got.code, got.body)
		}
	}
	got := r.send("GET", "/v1/patients/"+patientID, one, "")
	if got.code != http.StatusTooManyRequests || got.reason != "RATE_LIMITED" || got.header.Get("Retry-After") == "" {
		t.Fatalf("%d %v %s", got.code, got.header, got.body)
	}
	if got := r.send("GET", "/v1/patients/"+patientID, two, ""); got.code != http.StatusOK {
		t.Fatalf("another caller: %d %s", got.code, got.body)
	}
}

func TestOneSlowServiceDoesNotHoldUpAnother(t *testing.T) {
	r := newRig(t, func(c *app.Config) { c.RateLimit.PerSecond, c.RateLimit.Burst = 10_000, 10_000 })
	entered, release := make(chan struct{}, 64), make(chan struct{})
	patients := r.patients()
	patients.get = func(context.Context, *patientv1.GetPatientRequest) (*patientv1.GetPatientResponse, error) {
		entered <- struct{}{}
		<-release
		return &patientv1.GetPatientResponse{}, nil
	}
	r.referrals()
	token := r.issuer.token(nil)
	answered := make(chan int, 20)
	for range 20 {
		go func() { answered <- r.send("GET", "/v1/patients/"+patientID, token, "").code }()
	}
	for range 20 {
		<-entered
	}
	if got := r.send("GET", "/v1/referrals/"+referralID, token, "", "Grpc-Timeout", "5S"); got.code != http.StatusOK {
		t.Fatalf("%d %s", got.code, got.body)
	}
	close(release)
	for range 20 {
		if code := <-answered; code != http.StatusOK {
			t.Fatalf("a slow one: %d", code)
		}
	}
}
