package app_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// A code becomes a token once, for whoever holds the key its challenge was made of, and goes to the console of this address alone.
func TestDevelopmentSignInByCode(t *testing.T) {
	r := newRig(t, devIssuer(t.TempDir()))
	r.patients()
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	redirect := r.base + "/console/"
	ask := url.Values{
		"response_type": {"code"}, "client_id": {"huhang"}, "redirect_uri": {redirect}, "state": {"s-1"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	page := r.send("GET", "/dev/issuer/authorize?"+ask.Encode(), "", "")
	if page.code != http.StatusOK || !strings.Contains(page.body, "staff-hf-7") || strings.Contains(page.header.Get("Content-Security-Policy"), "unsafe") {
		t.Fatalf("%d %s", page.code, page.body)
	}
	for name, change := range map[string]func(url.Values){
		"another address": func(v url.Values) { v.Set("redirect_uri", "https://elsewhere.example/console/") },
		"another page":    func(v url.Values) { v.Set("redirect_uri", r.base+"/docs") },
		"no challenge":    func(v url.Values) { v.Del("code_challenge") },
		"a plain one":     func(v url.Values) { v.Set("code_challenge_method", "plain") },
		"a token at once": func(v url.Values) { v.Set("response_type", "token") },
	} {
		bad := url.Values{}
		for k, v := range ask {
			bad[k] = v
		}
		change(bad)
		if got := r.send("GET", "/dev/issuer/authorize?"+bad.Encode(), "", ""); got.code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, got.code)
		}
	}
	code := func() string {
		t.Helper()
		form := url.Values{"person": {"0"}}
		for k, v := range ask {
			form[k] = v
		}
		got := r.send("POST", "/dev/issuer/authorize", "", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		to := got.header.Get("Location")
		found := regexp.MustCompile(`[?&]code=([A-Z0-9]+)`).FindStringSubmatch(to)
		if got.code != http.StatusSeeOther || !strings.HasPrefix(to, redirect+"?") || found == nil || !strings.Contains(to, "state=s-1") {
			t.Fatalf("%d %s %s", got.code, to, got.body)
		}
		return found[1]
	}
	exchange := func(code, verifier, redirect string) (reply, string) {
		return r.devToken(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}, "redirect_uri": {redirect}})
	}
	first := code()
	if got, token := exchange(first, verifier, redirect); token == "" {
		t.Fatalf("%d %s", got.code, got.body)
	} else if got := r.send("GET", "/v1/patients/"+patientID, token, ""); got.code != http.StatusOK {
		t.Errorf("with its token: %d", got.code)
	}
	if got, token := exchange(first, verifier, redirect); token != "" || got.code != http.StatusBadRequest {
		t.Errorf("a second time: %d", got.code)
	}
	if _, token := exchange(code(), strings.Repeat("w", 43), redirect); token != "" {
		t.Error("with another key")
	}
	if _, token := exchange(code(), verifier, r.base+"/docs"); token != "" {
		t.Error("for another page")
	}
}
