package app_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
)

const ulid = "01jd0000000000000000000000"

func TestSettlementGoesToItsProvince(t *testing.T) {
	r := newRig(t)
	shanghai, anhui := r.settlements("310000", "440000"), r.settlements("340000")
	coordinator := r.issuer.token(nil)
	hospital := settlementv1.NewSettlementServiceClient(r.hospital("H-HF-01"))
	tests := []struct {
		name, path, body string
		code             int
		reason, field    string
		at               *settlements
	}{
		{"by a claim's id", "/v1/claims/clm_310000_" + ulid, "", 200, "", "", shanghai},
		{"by another claim's id", "/v1/claims/clm_340000_" + ulid, "", 200, "", "", anhui},
		{"a second province of an instance", "/v1/claims/clm_440000_" + ulid, "", 200, "", "", shanghai},
		{"by a parameter", "/v1/policies?province=340000", "", 200, "", "", anhui},
		{"by a field", "/v1/entitlements:check", `{"province":"340000","patientId":"` + patientID + `"}`, 200, "", "", anhui},
		{"a province nobody serves", "/v1/policies?province=450000", "", 400, "PROVINCE_NOT_SERVED", "province", nil},
		{"no province of the country", "/v1/policies?province=990000", "", 400, "PROVINCE_NOT_SERVED", "province", nil},
		{"a claim of a province nobody serves", "/v1/claims/clm_450000_" + ulid, "", 400, "PROVINCE_NOT_SERVED", "province", nil},
		{"malformed", "/v1/policies?province=34", "", 400, "FIELD_INVALID", "province", nil},
		{"none", "/v1/policies", "", 400, "FIELD_INVALID", "province", nil},
		{"a claim's id that is none", "/v1/claims/13800138000", "", 400, "FIELD_INVALID", "claim_id", nil},
		{"another record's id", "/v1/claims/fil_310000_" + ulid, "", 400, "FIELD_INVALID", "claim_id", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := map[*settlements]int{shanghai: len(shanghai.calls.list()), anhui: len(anhui.calls.list())}
			method := http.MethodGet
			if test.body != "" {
				method = http.MethodPost
			}
			got := r.send(method, test.path, coordinator, test.body)
			if got.code != test.code || got.reason != test.reason || got.field != test.field || strings.Contains(got.body, "13800138000") {
				t.Fatalf("%d %s %q %s", got.code, got.reason, got.field, got.body)
			}
			for at, calls := range before {
				want := calls
				if at == test.at {
					want++
				}
				if len(at.calls.list()) != want {
					t.Errorf("%d calls, want %d", len(at.calls.list()), want)
				}
			}
		})
	}
	if _, err := hospital.GetClaim(t.Context(), &settlementv1.GetClaimRequest{ClaimId: "clm_340000_" + ulid}); err != nil {
		t.Fatal(err)
	}
	if got := anhui.calls.last(t); got.caller.Organisation != "H-HF-01" || got.caller.Subject != "system" {
		t.Errorf("called by %+v", got.caller)
	}
	_, err := hospital.GetClaim(t.Context(), &settlementv1.GetClaimRequest{ClaimId: "clm_450000_" + ulid})
	if f, ok := fault.As(fault.FromStatus(err)); !ok || f.Reason != fault.ProvinceNotServed || f.Meta["province"] != "450000" {
		t.Errorf("over gRPC: %v", err)
	}
}

func TestOneTrace(t *testing.T) {
	r := newRig(t)
	referrals := r.referrals()
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	got := r.send("GET", "/v1/referrals/"+referralID+"?", r.issuer.token(nil), "", "Traceparent", parent,
		"Baggage", "name=zhangsan,huhang.referral_id=13800138000")
	if got.code != http.StatusOK || got.header.Get("X-Trace-Id") != "0af7651916cd43dd8448eb211c80319c" {
		t.Fatalf("%d %v", got.code, got.header)
	}
	if call := referrals.calls.last(t); call.referral != referralID {
		t.Errorf("the service knows referral %q", call.referral)
	}
	names := map[string]sdktrace.ReadOnlySpan{}
	for _, span := range r.spans.Ended() {
		if span.SpanContext().TraceID().String() == "0af7651916cd43dd8448eb211c80319c" {
			names[serviceOf(span)+" "+span.Name()] = span
		}
	}
	route, ok := names["gateway GET /v1/referrals/{referral_id}"]
	if !ok {
		t.Fatalf("spans: %v", names)
	}
	if _, ok := names["referral huhang.referral.v1.ReferralService/GetReferral"]; !ok {
		t.Errorf("the service's span is missing: %v", names)
	}
	if value(route.Attributes(), "http.route") != "/v1/referrals/{referral_id}" || value(route.Attributes(), telemetry.ReferralKey) != referralID {
		t.Errorf("attributes: %v", route.Attributes())
	}
	if path := value(route.Attributes(), "url.path"); path != "/" {
		t.Errorf("the path is in the span: %q", path)
	}
	r.send("GET", "/v1/patients/110105194912310021", r.issuer.token(nil), "")
	r.send("GET", "/v1/nothing/110105194912310021?name=zhangsan", r.issuer.token(nil), "")
	for _, span := range r.spans.Ended() {
		for _, a := range span.Attributes() {
			if text := a.Value.String(); strings.Contains(text, "110105194912310021") || strings.Contains(text, "zhangsan") {
				t.Errorf("span %s has %s=%s", span.Name(), a.Key, text)
			}
		}
	}
}

func serviceOf(span sdktrace.ReadOnlySpan) string {
	return value(span.Resource().Attributes(), "service.name")
}

func value(attributes []attribute.KeyValue, key string) string {
	for _, a := range attributes {
		if string(a.Key) == key {
			return a.Value.AsString()
		}
	}
	return ""
}

func TestReadiness(t *testing.T) {
	r := newRig(t)
	r.patients()
	r.settlements("310000", "340000")
	read := func() (int, map[string]string) {
		got := r.send("GET", "/readyz", "", "")
		var answer struct {
			Ready    bool
			Services []struct{ Service, Province, Status string }
		}
		if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
			t.Fatal(err)
		}
		if answer.Ready != (got.code == http.StatusOK) {
			t.Errorf("%d, ready %v", got.code, answer.Ready)
		}
		parts := map[string]string{}
		for _, p := range answer.Services {
			parts[p.Service+p.Province] = p.Status
		}
		return got.code, parts
	}
	code, parts := read()
	if code != http.StatusServiceUnavailable || parts["patient"] != "SERVING" || parts["settlement310000"] != "SERVING" ||
		parts["settlement340000"] != "SERVING" || parts["transfer"] != "UNREACHABLE" || len(parts) != 6 {
		t.Fatalf("%d %v", code, parts)
	}
	if got := r.send("GET", "/healthz", "", ""); got.code != http.StatusOK {
		t.Errorf("alive: %d", got.code)
	}
	r.referrals()
	r.empty("transfer")
	r.empty("matching")
	r.await("ready", func() bool { code, _ := read(); return code == http.StatusOK })
}
