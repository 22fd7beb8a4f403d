package app_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"huhang.example/services/gateway/app"
	"huhang.example/services/gateway/limit"
	"huhang.example/services/gateway/signin"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fleet"
)

func devIssuer(dir string) func(*app.Config) {
	return func(c *app.Config) { c.DevIssuer, c.StateDir, c.Issuers = true, dir, nil }
}

// token asks the development sign-in.
func (r *rig) devToken(form url.Values, headers ...string) (reply, string) {
	r.t.Helper()
	got := r.send("POST", "/dev/issuer/token", "", form.Encode(), append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
	var answer struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if got.code == http.StatusOK {
		if err := json.Unmarshal([]byte(got.body), &answer); err != nil || answer.TokenType != "Bearer" || answer.ExpiresIn <= 0 {
			r.t.Fatalf("%s", got.body)
		}
	}
	return got, answer.AccessToken
}

func TestDevelopmentSignIn(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, devIssuer(dir))
	patients := r.patients()
	form := url.Values{"subject": {"demo-1"}, "organisation": {"C-SH-01"}, "roles": {"center coordinator"}}
	got, token := r.devToken(form)
	if token == "" {
		t.Fatalf("%d %s", got.code, got.body)
	}
	if got := r.send("GET", "/v1/patients/"+patientID, token, ""); got.code != http.StatusOK {
		t.Fatalf("%d %s", got.code, got.body)
	}
	if c := patients.calls.last(t).caller; c.Subject != "demo-1" || c.Organisation != "C-SH-01" || !c.Has(access.Center) || !c.Has(access.Coordinator) {
		t.Errorf("called by %+v", c)
	}
	for name, bad := range map[string]url.Values{
		"no subject":      {"roles": {"center"}},
		"no role":         {"subject": {"a"}},
		"an unknown role": {"subject": {"a"}, "roles": {"service"}},
		"a bad province":  {"subject": {"a"}, "roles": {"agency"}, "province": {"34"}},
	} {
		if got, _ := r.devToken(bad); got.code != http.StatusBadRequest || got.reason != "FIELD_INVALID" {
			t.Errorf("%s: %d %s", name, got.code, got.body)
		}
	}
	if got := r.send("GET", "/dev/issuer/token", "", ""); got.code != http.StatusMethodNotAllowed || got.header.Get("Allow") != "POST" {
		t.Errorf("GET: %d", got.code)
	}
	var document map[string]any
	if err := json.Unmarshal([]byte(r.send("GET", "/dev/issuer/.well-known/openid-configuration", "", "").body), &document); err != nil || document["issuer"] != r.base+"/dev/issuer" {
		t.Errorf("discovery: %v, %v", document, err)
	}
	if keys := r.send("GET", "/dev/issuer/jwks", "", "").body; !strings.Contains(keys, `"kty":"EC"`) || strings.Contains(keys, `"d":`) {
		t.Errorf("keys: %s", keys)
	}
	info, err := os.Stat(filepath.Join(dir, "dev-issuer.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info, err)
	}
	// The published keys are enough for anybody else to check a token by.
	v, err := signin.New([]signin.Issuer{{URL: r.base + "/dev/issuer", Audience: "huhang"}}, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), http.Header{"Authorization": {"Bearer " + token}}); err != nil {
		t.Errorf("by discovery: %v", err)
	}
	if got := newRig(t).send("POST", "/dev/issuer/token", "", form.Encode(), "Content-Type", "application/x-www-form-urlencoded"); got.code != http.StatusNotFound {
		t.Errorf("where it is off: %d", got.code)
	}
}

func TestDevelopmentSignInIsForThisMachine(t *testing.T) {
	r := newRig(t, devIssuer(t.TempDir()))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.base+"/dev/issuer/jwks", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "rebound.example:8080"
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Fatalf("a foreign host name: %d", response.StatusCode)
	}
}

func TestPages(t *testing.T) {
	r := newRig(t, devIssuer(t.TempDir()))
	for path, want := range map[string]string{
		"/": "/docs", "/docs": `data-dev-issuer="true"`, "/docs/docs.js": "textContent", "/docs/docs.css": "body", "/openapi.json": `"securityDefinitions"`,
	} {
		got := r.send("GET", path, "", "")
		policy := got.header.Get("Content-Security-Policy")
		if got.code != http.StatusOK || !strings.Contains(got.body, want) || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %d %v", path, got.code, got.header)
		}
		if path != "/openapi.json" && (strings.Contains(got.body, "http://") || strings.Contains(got.body, "https://") || strings.Contains(got.body, "innerHTML")) {
			t.Errorf("%s names another host or writes HTML", path)
		}
		if again := r.send("GET", path, "", "", "If-None-Match", got.header.Get("ETag")); again.code != http.StatusNotModified {
			t.Errorf("%s again: %d", path, again.code)
		}
	}
	var document struct {
		Paths map[string]any
	}
	if err := json.Unmarshal([]byte(r.send("GET", "/openapi.json", "", "").body), &document); err != nil || len(document.Paths) < 50 {
		t.Errorf("%d paths, %v", len(document.Paths), err)
	}
}

func TestOtherSites(t *testing.T) {
	const console = "https://console.example"
	r := newRig(t, func(c *app.Config) { c.AllowedOrigins = []string{console} })
	r.patients()
	preflight := []string{"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization"}
	got := r.send("OPTIONS", "/v1/patients/"+patientID, "", "", append(preflight, "Origin", console)...)
	if got.code != http.StatusNoContent || got.header.Get("Access-Control-Allow-Origin") != console || got.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("allowed: %d %v", got.code, got.header)
	}
	for _, origin := range []string{"https://console.example.evil.example", "null", "http://console.example"} {
		got := r.send("OPTIONS", "/v1/patients/"+patientID, "", "", append(preflight, "Origin", origin)...)
		if got.header.Get("Access-Control-Allow-Origin") != "" || got.code == http.StatusNoContent {
			t.Errorf("%s: %d %v", origin, got.code, got.header)
		}
	}
	got = r.send("GET", "/v1/patients/"+patientID, r.issuer.token(nil), "", "Origin", console)
	if got.code != http.StatusOK || got.header.Get("Access-Control-Allow-Origin") != console || got.header.Get("Vary") != "Origin" {
		t.Errorf("the call: %d %v", got.code, got.header)
	}
}

func TestSettingsThatAreRefused(t *testing.T) {
	good := app.Config{Instance: "g", DevIssuer: true, StateDir: t.TempDir()}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*app.Config){
		"no instance":                    func(c *app.Config) { c.Instance = "" },
		"the dev issuer for everybody":   func(c *app.Config) { c.Listen = "0.0.0.0:8080" },
		"the dev issuer on all":          func(c *app.Config) { c.Listen = ":8080" },
		"the dev issuer on a name":       func(c *app.Config) { c.Listen = "gateway.example:8080" },
		"the dev issuer without a place": func(c *app.Config) { c.StateDir = "" },
		"nobody can sign in":             func(c *app.Config) { c.DevIssuer = false },
		"an issuer in the clear": func(c *app.Config) {
			c.Issuers = []signin.Issuer{{URL: "http://issuer.example", Audience: "huhang"}}
		},
		"an origin with a path": func(c *app.Config) { c.AllowedOrigins = []string{"https://a.example/"} },
		"any origin":            func(c *app.Config) { c.AllowedOrigins = []string{"*"} },
		"a city for a province": func(c *app.Config) { c.DefaultSettlementProvince = "340100" },
		"a body beyond":         func(c *app.Config) { c.MaxBodyBytes = 2 << 20 },
		"a negative rate":       func(c *app.Config) { c.RateLimit = limit.Config{PerSecond: -1} },
		"no port":               func(c *app.Config) { c.GRPCListen = "127.0.0.1" },
	} {
		bad := good
		change(&bad)
		if _, err := app.New(t.Context(), bad, fleet.Deps{}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
