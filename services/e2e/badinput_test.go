package e2e

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/sampleline"
)

// refused is what a bad call must be answered with.
type refused struct {
	status int
	reason string
	field  string
}

func (want refused) check(t *testing.T, name string, err error) {
	t.Helper()
	var got *sampleline.Refused
	if !errors.As(err, &got) {
		t.Errorf("%s: not refused but %v", name, err)
		return
	}
	if got.HTTPStatus != want.status || got.Reason != want.reason || got.Field != want.field {
		t.Errorf("%s: HTTP %d %s field %q, want %d %s field %q\n%s", name, got.HTTPStatus, got.Reason, got.Field, want.status, want.reason, want.field, got.Body)
	}
	if !strings.Contains(got.Body, "zh-CN") {
		t.Errorf("%s: no Chinese text in %s", name, got.Body)
	}
}

// Every kind of bad input gets a precise refusal over REST, and the case is as it was.
func TestBadInput(t *testing.T) {
	l := start(t, &devLine{state: t.TempDir()})
	result := l.drive(t, "badinput-00000001", 10, "offered")
	referrer, center, desk := l.as(t, "H-HF-01", "coordinator", ""), l.as(t, "C-SH-01", "center", ""), l.as(t, "OPS", "operations", "")
	foreign := l.as(t, "H-NC-01", "coordinator", "")
	ctx := t.Context()
	var before referralv1.GetReferralResponse
	path := "/v1/referrals/" + result.ReferralID
	if err := referrer.Do(ctx, http.MethodGet, path, nil, &before); err != nil {
		t.Fatal(err)
	}
	etag := before.GetReferral().GetEtag()
	const id = "bad-input-request-01"
	register := func(change func(*patientv1.RegisterPatientRequest)) *patientv1.RegisterPatientRequest {
		r := &patientv1.RegisterPatientRequest{
			RequestId: id, Name: "示范患者", IdentityNumber: sampleline.IdentityNumber("340104", "19790312", 11), Phone: "13900000011", ResidenceCity: "340100",
			Coverage: &patientv1.Coverage{Province: "340000", PoolingArea: "340100", Scheme: patientv1.Scheme_SCHEME_RESIDENT},
		}
		change(r)
		return r
	}
	for _, c := range []struct {
		name   string
		as     *sampleline.Session
		method string
		path   string
		body   proto.Message
		want   refused
	}{
		{"a wrong check digit", referrer, "POST", "/v1/patients", register(func(r *patientv1.RegisterPatientRequest) { r.IdentityNumber = "340104197903120116" }), refused{400, "IDENTITY_NUMBER_INVALID", "identity_number"}},
		{"a city of no code list", referrer, "POST", "/v1/patients", register(func(r *patientv1.RegisterPatientRequest) { r.ResidenceCity = "349999" }), refused{400, "CODE_UNKNOWN", "residence_city"}},
		{"a short request id", referrer, "POST", "/v1/patients", register(func(r *patientv1.RegisterPatientRequest) { r.RequestId = "1" }), refused{400, "FIELD_INVALID", "request_id"}},
		{"no coverage", referrer, "POST", "/v1/patients", register(func(r *patientv1.RegisterPatientRequest) { r.Coverage = nil }), refused{400, "FIELD_INVALID", "coverage"}},
		{"a person who is registered", referrer, "POST", "/v1/patients", register(func(r *patientv1.RegisterPatientRequest) {
			r.IdentityNumber = sampleline.IdentityNumber("340104", "19790312", 10)
		}), refused{409, "PATIENT_DUPLICATE", "identity_number"}},
		{"a role without the right", center, "POST", "/v1/patients", register(func(*patientv1.RegisterPatientRequest) {}), refused{403, "RIGHT_MISSING", ""}},
		{"a second live case", referrer, "POST", "/v1/referrals", &referralv1.CreateReferralRequest{RequestId: id, PatientId: result.PatientID, Organ: organv1.Organ_ORGAN_LIVER, Urgency: organv1.Urgency_URGENCY_ROUTINE}, refused{409, "LIVE_CASE_EXISTS", "patient_id"}},
		{"a foreign patient", foreign, "POST", "/v1/referrals", &referralv1.CreateReferralRequest{RequestId: id, PatientId: result.PatientID, Organ: organv1.Organ_ORGAN_HEART, Urgency: organv1.Urgency_URGENCY_ROUTINE}, refused{404, "NOT_FOUND", ""}},
		{"a foreign case", foreign, "GET", path, nil, refused{404, "NOT_FOUND", ""}},
		{"an absent case", referrer, "GET", "/v1/referrals/ref_00000000000000000000000000", nil, refused{404, "NOT_FOUND", ""}},
		{"an id that is none", referrer, "GET", "/v1/referrals/nonsense", nil, refused{400, "FIELD_INVALID", "referral_id"}},
		{"a wrong state", referrer, "POST", path + ":submit", &referralv1.SubmitReferralRequest{RequestId: id, ReferralId: result.ReferralID, Etag: etag}, refused{400, "WRONG_STATE", ""}},
		{"a stale version", desk, "POST", path + ":close", &referralv1.CloseReferralRequest{RequestId: id, ReferralId: result.ReferralID, Etag: "1", Reason: referralv1.CloseReason_CLOSE_REASON_WITHDRAWN}, refused{409, "STALE_VERSION", "etag"}},
		{"a decline code of no list", center, "POST", "/v1/offers/" + before.GetReferral().GetOfferId() + ":decline", &matchingv1.DeclineOfferRequest{RequestId: id, OfferId: before.GetReferral().GetOfferId(), Etag: "1", Code: "BECAUSE"}, refused{400, "CODE_UNKNOWN", "code"}},
		{"a foreign offer", l.as(t, "C-GZ-01", "center", ""), "GET", "/v1/offers/" + before.GetReferral().GetOfferId(), nil, refused{404, "NOT_FOUND", ""}},
		{"a page token of ours no more", referrer, "GET", "/v1/referrals?pageToken=nonsense", nil, refused{400, "INVALID_PAGE_TOKEN", "page_token"}},
	} {
		c.want.check(t, c.name, c.as.Do(ctx, c.method, c.path, c.body, nil))
	}
	var after referralv1.GetReferralResponse
	if err := referrer.Do(ctx, http.MethodGet, path, nil, &after); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(before.GetReferral(), after.GetReferral()) {
		t.Errorf("a refused call changed the case:\n%v\n%v", before.GetReferral(), after.GetReferral())
	}
	if err := referrer.Do(ctx, http.MethodPost, "/v1/patients", register(func(*patientv1.RegisterPatientRequest) {}), nil); err != nil {
		t.Errorf("after all refusals under this request id the right registration is refused: %v", err)
	}
	refused{400, "REQUEST_ID_REUSED", "request_id"}.check(t, "a request id with another payload",
		referrer.Do(ctx, http.MethodPost, "/v1/patients", register(func(r *patientv1.RegisterPatientRequest) { r.Phone = "13900000012" }), nil))
}
