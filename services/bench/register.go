package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/sampleline"
)

const hospital = "H-HF-01"

// registered is an invented patient whom the line has answered for.
type registered struct {
	id, masked, birth, request string
}

// people counts the invented patients of this run; none is registered twice.
var people atomic.Int64

// person makes the n-th invented patient: a day of birth for each thousand.
func person(n int64) *patientv1.RegisterPatientRequest {
	birth := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(n/1000)).Format("20060102")
	return &patientv1.RegisterPatientRequest{
		RequestId: "bench-" + rand.Text(), Name: "示范患者", IdentityNumber: sampleline.IdentityNumber("340104", birth, int(n%1000)),
		Phone: fmt.Sprintf("139%08d", n), ResidenceCity: "340100",
		Coverage: &patientv1.Coverage{Province: "340000", PoolingArea: "340100", Scheme: patientv1.Scheme_SCHEME_RESIDENT},
		Consents: []patientv1.Purpose{patientv1.Purpose_PURPOSE_REFERRAL, patientv1.Purpose_PURPOSE_SETTLEMENT},
	}
}

// register registers a new person and compares the answer with what was sent.
func register(ctx context.Context, session *sampleline.Session) (registered, error) {
	return send(ctx, session, person(people.Add(1)))
}

func send(ctx context.Context, session *sampleline.Session, request *patientv1.RegisterPatientRequest) (registered, error) {
	var answer patientv1.RegisterPatientResponse
	if err := session.Do(ctx, http.MethodPost, "/v1/patients", request, &answer); err != nil {
		return registered{}, err
	}
	got, number := answer.GetPatient(), request.GetIdentityNumber()
	want := registered{
		id: got.GetPatientId(), masked: number[:3] + strings.Repeat("*", 13) + number[16:],
		birth: number[6:10] + "-" + number[10:12] + "-" + number[12:14], request: request.GetRequestId(),
	}
	return want, want.same(got)
}

// same compares an answer with what was registered.
func (r registered) same(got *patientv1.Patient) error {
	if got.GetPatientId() != r.id || r.id == "" || got.GetIdentityNumberMasked() != r.masked || got.GetBirthDate() != r.birth ||
		got.GetRegisteredBy() != hospital || got.GetEtag() != "1" {
		return fmt.Errorf("wrong answer: %q born %s registered by %s, etag %s", got.GetPatientId(), got.GetBirthDate(), got.GetRegisteredBy(), got.GetEtag())
	}
	return nil
}
