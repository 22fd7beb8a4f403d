package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/sampleline"
)

// A file goes up and comes down over REST as it is; only clean, only to those who may, and nothing of it is in the log.
func TestDocumentsOverREST(t *testing.T) {
	l := start(t, &devLine{state: t.TempDir()})
	hospital, stranger := l.as(t, "H-HF-01", "coordinator", ""), l.as(t, "H-NC-01", "coordinator", "")
	p := registerSample(t, hospital, 7)
	base := "/v1/patients/" + p + "/documents"
	const secret = "示范机密内容"
	pdf := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte(secret), 70_000)...)
	send := func(s *sampleline.Session, query, kind string, body []byte) (int, string) {
		return l.raw(t, s.Token, http.MethodPost, base+query, kind, body)
	}
	const asked = "?request_id=document-upload-1&kind=DOCUMENT_KIND_REPORT"
	status, text := send(hospital, asked, "application/pdf", pdf)
	var got patientv1.UploadDocumentResponse
	if err := protojson.Unmarshal([]byte(text), &got); status != http.StatusOK || err != nil || got.GetDocument().GetSize() != int64(len(pdf)) {
		t.Fatalf("HTTP %d %s %v", status, text, err)
	}
	content := base + "/" + got.GetDocument().GetDocumentId() + "/content"
	sqldbtest.Eventually(t, "scanned and given out", func() bool {
		status, text := l.raw(t, hospital.Token, http.MethodGet, content, "", nil)
		return status == http.StatusOK && text == string(pdf)
	})
	for _, c := range []struct {
		name              string
		who               *sampleline.Session
		query, kind, want string
		body              []byte
		status            int
	}{
		{"a stranger", stranger, "?request_id=document-upload-2&kind=DOCUMENT_KIND_REPORT", "application/pdf", "NOT_FOUND", pdf, 404},
		{"another type", hospital, "?request_id=document-upload-3&kind=DOCUMENT_KIND_REPORT", "image/png", "DOCUMENT_REFUSED", pdf, 400},
		{"a page", hospital, "?request_id=document-upload-4&kind=DOCUMENT_KIND_REPORT", "text/html", "DOCUMENT_REFUSED", []byte("<html>"), 400},
		{"no kind", hospital, "?request_id=document-upload-5", "application/pdf", "FIELD_INVALID", pdf, 400},
		{"an unknown parameter", hospital, asked + "&name=x", "application/pdf", "FIELD_INVALID", pdf, 400},
		{"no key", hospital, "?kind=DOCUMENT_KIND_REPORT", "application/pdf", "FIELD_INVALID", pdf, 400},
		{"another file under the key", hospital, asked, "application/pdf", "REQUEST_ID_REUSED", []byte("%PDF-1.7\nother"), 400},
		{"too large", hospital, "?request_id=document-upload-6&kind=DOCUMENT_KIND_REPORT", "application/pdf", "BODY_TOO_LARGE", append(bytes.Clone(pdf), make([]byte, 20<<20)...), 413},
	} {
		status, text := send(c.who, c.query, c.kind, c.body)
		if status/100 != c.status/100 || !strings.Contains(text, `"`+c.want+`"`) {
			t.Errorf("%s: HTTP %d %s", c.name, status, text)
		}
	}
	for who, want := range map[string]int{"": 401, stranger.Token: 404, l.as(t, "A-340000", "agency", "340000").Token: 403} {
		if status, text := l.raw(t, who, http.MethodGet, content, "", nil); status != want {
			t.Errorf("HTTP %d instead of %d: %s", status, want, text)
		}
	}
	if strings.Contains(l.logs.String(), secret) {
		t.Error("what a document contains is in the log")
	}
}

func (l *devLine) raw(t *testing.T, token, verb, path, contentType string, body []byte) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), verb, l.client().Base+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := l.client().HTTP.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 30<<20))
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// registerSample registers an invented patient and returns the id.
func registerSample(t *testing.T, s *sampleline.Session, serial int) string {
	t.Helper()
	var got patientv1.RegisterPatientResponse
	err := s.Do(context.WithoutCancel(t.Context()), http.MethodPost, "/v1/patients", &patientv1.RegisterPatientRequest{
		RequestId: "document-register", Name: "示范文件患者", IdentityNumber: sampleline.IdentityNumber("340104", "19790312", serial), Phone: "13900009907", ResidenceCity: "340100",
		Coverage: &patientv1.Coverage{Province: "340000", PoolingArea: "340100", Scheme: patientv1.Scheme_SCHEME_RESIDENT},
	}, &got)
	if err != nil {
		t.Fatal(err)
	}
	return got.GetPatient().GetPatientId()
}
