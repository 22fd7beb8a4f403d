package signin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"huhang.example/services/gateway/signin"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
)

// issuer is a sign-in that counts how often it is asked for its keys.
type issuer struct {
	t      *testing.T
	server *httptest.Server

	mu    sync.Mutex
	keys  []jose.JSONWebKey
	asked int
	away  bool
	calls string // what it calls itself; empty: what it is
}

func newIssuer(t *testing.T, keys ...jose.JSONWebKey) *issuer {
	t.Helper()
	i := &issuer{t: t, keys: keys}
	i.server = httptest.NewServer(i)
	t.Cleanup(i.server.Close)
	return i
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.away:
		w.WriteHeader(http.StatusBadGateway)
	case r.URL.Path == "/.well-known/openid-configuration":
		name := i.calls
		if name == "" {
			name = i.server.URL
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": name, "jwks_uri": i.server.URL + "/keys"})
	case r.URL.Path == "/keys":
		i.asked++
		public := jose.JSONWebKeySet{}
		for _, key := range i.keys {
			public.Keys = append(public.Keys, key.Public())
		}
		_ = json.NewEncoder(w).Encode(public)
	}
}

func (i *issuer) set(change func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change()
}

func (i *issuer) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked
}

func newKey(t *testing.T, id string) jose.JSONWebKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: id, Use: "sig"}
}

func (i *issuer) token(key jose.JSONWebKey, now time.Time) http.Header {
	i.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		i.t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(map[string]any{
		"iss": i.server.URL, "aud": []string{"huhang", "other"}, "sub": "u-1", "exp": now.Add(48 * time.Hour).Unix(),
		"huhang_org": "A-340000", "huhang_province": "340000", "huhang_roles": []string{"agency", "librarian", "agency"},
	}).Serialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return http.Header{"Authorization": {"bearer " + token}}
}

func verifier(t *testing.T, i *issuer, c clock.Clock) *signin.Verifier {
	t.Helper()
	v, err := signin.New([]signin.Issuer{{URL: i.server.URL, Audience: "huhang"}}, c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWhoATokenIs(t *testing.T) {
	fake := clock.NewFake(clock.System().Now())
	key := newKey(t, "k1")
	i := newIssuer(t, key)
	session, err := verifier(t, i, fake).Verify(t.Context(), i.token(key, fake.Now()))
	if err != nil {
		t.Fatal(err)
	}
	c := session.Caller
	if c.Subject != "u-1" || c.Organisation != "A-340000" || c.Province != "340000" || len(c.Roles) != 1 || !c.Has(access.Agency) {
		t.Fatalf("got %+v", c)
	}
	if !strings.HasSuffix(session.Key, " u-1") || !strings.HasPrefix(session.Key, i.server.URL) {
		t.Errorf("counted under %q", session.Key)
	}
}

// Whoever sends tokens with invented keys must not make the issuer be asked each time.
func TestUnknownKeysCoolDown(t *testing.T) {
	fake := clock.NewFake(clock.System().Now())
	key, next := newKey(t, "k1"), newKey(t, "k2")
	i := newIssuer(t, key)
	v := verifier(t, i, fake)
	if _, err := v.Verify(t.Context(), i.token(key, fake.Now())); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if _, err := v.Verify(t.Context(), i.token(next, fake.Now())); !fault.Is(err, fault.IdentityMissing) {
			t.Fatalf("an unknown key: %v", err)
		}
	}
	if n := i.count(); n != 1 {
		t.Fatalf("asked %d times", n)
	}
	i.set(func() { i.keys = []jose.JSONWebKey{next} })
	fake.Advance(31 * time.Second)
	if _, err := v.Verify(t.Context(), i.token(next, fake.Now())); err != nil {
		t.Fatalf("the new key: %v", err)
	}
	if n := i.count(); n != 2 {
		t.Fatalf("asked %d times", n)
	}
	if _, err := v.Verify(t.Context(), i.token(key, fake.Now())); !fault.Is(err, fault.IdentityMissing) {
		t.Fatalf("the withdrawn key: %v", err)
	}
}

func TestKeysAreAskedForAgain(t *testing.T) {
	fake := clock.NewFake(clock.System().Now())
	key := newKey(t, "k1")
	i := newIssuer(t, key)
	v := verifier(t, i, fake)
	header := i.token(key, fake.Now())
	for _, step := range []struct {
		name    string
		after   time.Duration
		change  func()
		refused bool
	}{
		{"at first", 0, func() {}, false},
		{"away within the hour", 50 * time.Minute, func() { i.away = true }, false},
		{"away for long", 20 * time.Hour, func() {}, false},
		{"away for a day", 10 * time.Hour, func() {}, true},
		{"back", time.Minute, func() { i.away = false }, false},
		{"withdrawn", 61 * time.Minute, func() { i.keys = []jose.JSONWebKey{newKey(t, "k2")} }, true},
	} {
		i.set(step.change)
		fake.Advance(step.after)
		if _, err := v.Verify(t.Context(), header); (err != nil) != step.refused {
			t.Errorf("%s: %v", step.name, err)
		}
	}
}

func TestAnIssuerThatIsAnother(t *testing.T) {
	fake := clock.NewFake(clock.System().Now())
	key := newKey(t, "k1")
	i := newIssuer(t, key)
	i.calls = "https://elsewhere.example"
	if _, err := verifier(t, i, fake).Verify(t.Context(), i.token(key, fake.Now())); !fault.Is(err, fault.IdentityMissing) {
		t.Fatalf("got %v", err)
	}
}

func TestIssuersThatAreRefused(t *testing.T) {
	for _, bad := range [][]signin.Issuer{
		{{URL: "http://issuer.example", Audience: "huhang"}},
		{{URL: "issuer.example", Audience: "huhang"}},
		{{URL: "https://issuer.example"}},
		{{URL: "https://issuer.example", Audience: "huhang", JWKS: "http://issuer.example/keys"}},
		{{URL: "https://issuer.example", Audience: "a"}, {URL: "https://issuer.example", Audience: "b"}},
	} {
		if _, err := signin.New(bad, clock.System()); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"Bearer a.b.c", "bearer a.b.c", "Bearer  a.b.c", "Bearer a.b.c ", "Basic a.b.c", "Bearer", "", "Bearer a..c", "Bearer a.b.c,Bearer d.e.f", "Bearer é.b.c"} {
		f.Add(seed)
	}
	v, err := signin.New([]signin.Issuer{{URL: "http://127.0.0.1:1", Audience: "huhang", JWKS: "http://127.0.0.1:1/"}}, clock.System())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		header := http.Header{"Authorization": {text}}
		token, ok := signin.Bearer(header)
		if ok && (!strings.HasSuffix(text, " "+token) || strings.ContainsAny(token, " ,;\t\r\n") || strings.Count(token, ".") != 2) {
			t.Fatalf("%q holds %q", text, token)
		}
		if !ok && token != "" {
			t.Fatalf("%q is refused and held", text)
		}
		if _, err := v.Verify(t.Context(), header); !fault.Is(err, fault.IdentityMissing) {
			t.Fatalf("%q signs in: %v", text, err)
		}
	})
}
