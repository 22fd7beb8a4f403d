package cli_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"huhang.example/services/internal/clock"
)

// issuer is an organisation's OIDC issuer with the device flow (RFC 8628). A refresh token is good once.
type issuer struct {
	*httptest.Server
	mu sync.Mutex
	// asked counts the polls of a device; it is granted at the second, or refused with what refuse says.
	asked   int
	refuse  string
	granted int
	// refresh is the refresh token that is good now.
	refresh string
	away    bool
	// lasts is how many seconds a token lasts; forms are what was posted to the token endpoint.
	lasts int
	forms []string
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{lasts: 300}
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	say := func(status int, v map[string]any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		say(200, map[string]any{
			"issuer": i.URL, "authorization_endpoint": i.URL + "/auth", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
			"device_authorization_endpoint": i.URL + "/device", "id_token_signing_alg_values_supported": []string{"ES256"},
		})
	case "/device":
		say(200, map[string]any{"device_code": "device-1", "user_code": "WDJB-MJHT", "verification_uri": i.URL + "/activate", "expires_in": 60, "interval": 1})
	case "/token":
		if i.away {
			say(http.StatusBadGateway, map[string]any{})
			return
		}
		_ = r.ParseForm()
		i.forms = append(i.forms, r.PostForm.Encode())
		switch r.PostForm.Get("grant_type") {
		case "urn:ietf:params:oauth:grant-type:device_code":
			if i.asked++; i.asked == 1 {
				say(400, map[string]any{"error": "authorization_pending"})
				return
			}
			if i.refuse != "" {
				say(400, map[string]any{"error": i.refuse})
				return
			}
		case "refresh_token":
			if r.PostForm.Get("refresh_token") != i.refresh || i.refuse != "" {
				say(400, map[string]any{"error": "invalid_grant"})
				return
			}
		}
		i.granted++
		i.refresh = fmt.Sprint("refresh-", i.granted)
		say(200, map[string]any{"access_token": i.token(i.granted), "token_type": "Bearer", "expires_in": i.lasts, "refresh_token": i.refresh})
	default:
		http.NotFound(w, r)
	}
}

// token is the n-th, as the line would be shown it; only the line would verify it.
func (i *issuer) token(n int) string {
	claims, err := json.Marshal(map[string]any{"sub": "desk-2", "huhang_org": "OPS", "huhang_roles": []string{"operations"}, "exp": noon.Add(time.Hour).Unix(), "n": n})
	if err != nil {
		panic(err)
	}
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"ES256"}`)) + "." + part(claims) + "." + part([]byte("signature"))
}

// signedIn is a person without a token in the environment, on the machine's own clock: the oauth2 library goes by it.
func signedIn(t *testing.T) (*answers, *person) {
	l := sampleLine()
	p := l.serve(t)
	delete(p.env, "HUHANG_TOKEN")
	p.Clock = clock.System()
	return l, p
}

func (p *person) kept() (kept struct{ Server, Token, Refresh string }, mode os.FileMode) {
	p.t.Helper()
	path := filepath.Join(p.Home, "huhang", "sign-in.json")
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return kept, 0
	}
	info, statErr := os.Stat(path)
	if err != nil || statErr != nil || json.Unmarshal(text, &kept) != nil {
		p.t.Fatal(err, statErr)
	}
	return kept, info.Mode().Perm()
}

// A person enters the code at the issuer; the token is kept for the line's address alone, renewed when it ends, and the
// renewal of two commands at once costs one refresh token.
func TestSignInByDevice(t *testing.T) {
	l, p := signedIn(t)
	i := newIssuer(t)
	if exit := p.run(t.Context(), "worklist"); exit != 4 || !strings.Contains(p.err.String(), "huhang login") {
		t.Fatalf("before: exit %d %s", exit, p.err)
	}
	if exit := p.run(t.Context(), "login", "--issuer", i.URL, "--client-id", "cli-1"); exit != 0 {
		t.Fatalf("exit %d %s", exit, p.err)
	}
	if told := p.err.String(); !strings.Contains(told, "WDJB-MJHT") || !strings.Contains(told, i.URL+"/activate") {
		t.Errorf("the person is not told where to enter what: %s", told)
	}
	if out := p.out.String(); !strings.Contains(out, "desk-2") || !strings.Contains(out, "operations") {
		t.Errorf("who it is: %s", out)
	}
	kept, mode := p.kept()
	if kept.Token != i.token(1) || kept.Refresh != "refresh-1" || kept.Server != p.env["HUHANG_SERVER"] || mode != 0o600 {
		t.Errorf("kept %+v %v", kept, mode)
	}
	if i.asked != 2 || !strings.Contains(i.forms[0], "client_id=cli-1") {
		t.Errorf("%d polls: %v", i.asked, i.forms)
	}
	if p.run(t.Context(), "worklist"); l.bearers[len(l.bearers)-1] != i.token(1) || i.granted != 1 {
		t.Errorf("%d tokens for a call while the first lasts", i.granted)
	}
	// Another line does not get it.
	other := sampleLine()
	stranger := other.serve(t)
	if exit := p.run(t.Context(), "worklist", "--server", stranger.env["HUHANG_SERVER"]); exit != 4 || len(other.bearers) != 0 {
		t.Errorf("another line was sent a token: exit %d, %v", exit, other.bearers)
	}

	// It ends: many commands at once renew it once.
	p.expire()
	var wait sync.WaitGroup
	exits := make([]int, 8)
	for n := range exits {
		one := *p
		one.out, one.err = &screen{}, &screen{}
		wait.Go(func() { exits[n] = one.start(context.WithoutCancel(t.Context()), "worklist") })
	}
	wait.Wait()
	if i.granted != 2 || fmt.Sprint(exits) != "[0 0 0 0 0 0 0 0]" {
		t.Errorf("%d tokens, exits %v", i.granted, exits)
	}
	if kept, mode := p.kept(); kept.Token != i.token(2) || kept.Refresh != "refresh-2" || mode != 0o600 {
		t.Errorf("kept %+v %v", kept, mode)
	}

	// The issuer is away: to be tried again; the sign-in stays. Then it refuses: to be signed in anew.
	p.expire()
	i.mu.Lock()
	i.away = true
	i.mu.Unlock()
	if exit := p.run(t.Context(), "worklist"); exit != 3 || !strings.Contains(p.err.String(), "issuer") {
		t.Errorf("the issuer away: exit %d %s", exit, p.err)
	}
	i.mu.Lock()
	i.away, i.refuse = false, "invalid_grant"
	i.mu.Unlock()
	if exit := p.run(t.Context(), "worklist"); exit != 4 || !strings.Contains(p.err.String(), "huhang login") {
		t.Errorf("refused: exit %d %s", exit, p.err)
	}
	if exit := p.run(t.Context(), "logout"); exit != 0 {
		t.Error(p.err)
	}
	if kept, _ := p.kept(); kept.Token != "" {
		t.Errorf("kept after signing out: %+v", kept)
	}
}

// expire lets the kept token end.
func (p *person) expire() {
	p.t.Helper()
	path := filepath.Join(p.Home, "huhang", "sign-in.json")
	text, err := os.ReadFile(path)
	var kept map[string]any
	if err != nil || json.Unmarshal(text, &kept) != nil {
		p.t.Fatal(err)
	}
	kept["expires"] = p.Clock.Now().Add(-time.Minute)
	if text, err = json.Marshal(kept); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// What the issuer refuses, or cannot do, leaves nobody signed in and says why.
func TestSignInRefused(t *testing.T) {
	for refuse, words := range map[string]string{"access_denied": "access_denied", "expired_token": "expired_token"} {
		_, p := signedIn(t)
		i := newIssuer(t)
		i.refuse = refuse
		exit := p.run(t.Context(), "login", "--issuer", i.URL)
		if kept, _ := p.kept(); exit != 1 || kept.Token != "" || !strings.Contains(p.err.String(), words) {
			t.Errorf("%s: exit %d, kept %+v, %s", refuse, exit, kept, p.err)
		}
	}
	_, p := signedIn(t)
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"issuer": "http://%s", "token_endpoint": "http://%[1]s/token", "jwks_uri": "http://%[1]s/keys"}`, r.Host)
	}))
	defer plain.Close()
	if exit := p.run(t.Context(), "login", "--issuer", plain.URL); exit != 1 || !strings.Contains(p.err.String(), "HUHANG_TOKEN_FILE") {
		t.Errorf("no device flow: exit %d %s", exit, p.err)
	}
	if exit := p.run(t.Context(), "login", "--issuer", "http://sso.example"); exit != 1 || !strings.Contains(p.err.String(), "must be https") {
		t.Errorf("in the clear: exit %d %s", exit, p.err)
	}
	plain.Close()
	if exit := p.run(t.Context(), "login", "--issuer", plain.URL); exit != 3 {
		t.Errorf("nobody there: exit %d %s", exit, p.err)
	}
}
