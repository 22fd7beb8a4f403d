// Package devissuer is a sign-in for development and trial lines: whoever reaches it becomes whom they say.
//
// Invariant: it serves this machine alone. A process that listens anywhere else refuses to start with it, and it answers
// no request that was addressed to another host name.
package devissuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"huhang.example/services/gateway/signin"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
)

const (
	// Path is where the issuer stands under the gateway's address.
	Path = "/dev/issuer"
	// Audience is whom its tokens are for.
	Audience = "huhang"
	// Life is how long a token lasts.
	Life = time.Hour

	keyFile = "dev-issuer.pem"
	maxForm = 8 << 10
)

// Issuer signs tokens.
type Issuer struct {
	url    string
	key    *ecdsa.PrivateKey
	keyID  string
	signer jose.Signer
	clock  clock.Clock
	refuse func(http.ResponseWriter, *http.Request, error)
	codes  grants
}

// Open returns the issuer with the key in dir, made first if there is none. base is the gateway's own URL; refuse writes
// an error the way all of the gateway does.
func Open(dir, base string, c clock.Clock, refuse func(http.ResponseWriter, *http.Request, error)) (*Issuer, error) {
	if dir == "" {
		return nil, errors.New("dev issuer: state_dir is needed for its key")
	}
	key, err := load(dir)
	if err != nil {
		return nil, fmt.Errorf("dev issuer: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("dev issuer: %w", err)
	}
	sum := sha256.Sum256(public)
	id := base64.RawURLEncoding.EncodeToString(sum[:12])
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: id}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("dev issuer: %w", err)
	}
	return &Issuer{url: base + Path, key: key, keyID: id, signer: signer, clock: c, refuse: refuse}, nil
}

func load(dir string) (*ecdsa.PrivateKey, error) {
	path := filepath.Join(dir, keyFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(dir, path); err != nil {
			return nil, err
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no key", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%s holds another kind of key", path)
	}
	return key, nil
}

func create(dir, path string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(dir, ".issuer-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err := errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	// Linking never replaces: of two gateways that start at once, both use the first one's key.
	if err := os.Link(temporary.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// Trust is how a verifier knows this issuer, without asking it over the network.
func (i *Issuer) Trust() signin.Issuer {
	return signin.Issuer{URL: i.url, Audience: Audience, Keys: []crypto.PublicKey{i.key.Public()}}
}

// ServeHTTP answers under Path.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A page of elsewhere may point a name of its own at this machine; it is not who is meant to sign in here.
	if !OnlyHere(hostOf(r.Host)) {
		i.refuse(w, r, fault.New(fault.PermissionDenied, fault.RightMissing, "",
			"The development sign-in serves this machine alone.", "开发登录仅限本机使用。"))
		return
	}
	switch strings.TrimPrefix(r.URL.Path, Path) {
	case "/.well-known/openid-configuration":
		i.discovery(w)
	case "/jwks":
		write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: i.keyID, Algorithm: string(jose.ES256), Use: "sig"}}})
	case "/authorize":
		i.authorize(w, r)
	case "/token":
		i.token(w, r)
	default:
		i.refuse(w, r, fault.NotFoundf("record", ""))
	}
}

func (i *Issuer) discovery(w http.ResponseWriter) {
	write(w, map[string]any{
		"issuer": i.url, "jwks_uri": i.url + "/jwks", "token_endpoint": i.url + "/token",
		"authorization_endpoint":   i.url + "/authorize",
		"response_types_supported": []string{"code", "token"}, "code_challenge_methods_supported": []string{"S256"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{string(jose.ES256)},
		"claims_supported":                      []string{"sub", "huhang_org", "huhang_province", "huhang_roles"},
	})
}

func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		i.refuse(w, r, fault.New(fault.Unimplemented, fault.ReasonNotFound, "", "Ask for a token with POST.", "请用 POST 获取令牌。"))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		i.refuse(w, r, fault.New(fault.InvalidArgument, fault.BodyMalformed, "", "The form cannot be read.", "无法读取表单。"))
		return
	}
	if r.PostForm.Get("grant_type") == "authorization_code" {
		i.exchange(w, r)
		return
	}
	words := strings.Fields(r.PostForm.Get("roles"))
	caller := access.Caller{
		Subject: r.PostForm.Get("subject"), Organisation: r.PostForm.Get("organisation"), Province: r.PostForm.Get("province"),
	}
	for _, word := range words {
		role, ok := signin.Role(word)
		if !ok {
			i.refuse(w, r, fault.New(fault.InvalidArgument, fault.FieldInvalid, "roles",
				"Roles are coordinator, center, operations and agency.", "角色只能是 coordinator、center、operations、agency。"))
			return
		}
		caller.Roles = append(caller.Roles, role)
	}
	if _, err := access.Encode(caller); err != nil || len(caller.Roles) == 0 {
		i.refuse(w, r, fault.New(fault.InvalidArgument, fault.FieldInvalid, "subject",
			"A subject, at least one role and well-formed codes are needed.", "需要填写用户、至少一个角色及正确的代码。"))
		return
	}
	i.answer(w, r, caller.Subject, caller.Organisation, caller.Province, words)
}

func (i *Issuer) answer(w http.ResponseWriter, r *http.Request, subject, organisation, province string, roles []string) {
	token, err := i.Sign(subject, organisation, province, roles, Life)
	if err != nil {
		i.refuse(w, r, err)
		return
	}
	write(w, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(Life.Seconds())})
}

// Sign returns a token.
func (i *Issuer) Sign(subject, organisation, province string, roles []string, life time.Duration) (string, error) {
	now := i.clock.Now()
	return jwt.Signed(i.signer).Claims(jwt.Claims{
		Issuer: i.url, Subject: subject, Audience: jwt.Audience{Audience},
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(life)),
	}).Claims(map[string]any{
		"huhang_org": organisation, "huhang_province": province, "huhang_roles": roles,
	}).Serialize()
}

// OnlyHere reports whether a host is reached from this machine alone.
func OnlyHere(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func hostOf(hostPort string) string {
	if host, _, err := net.SplitHostPort(hostPort); err == nil {
		return host
	}
	return strings.Trim(hostPort, "[]")
}

func write(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	// Only a client that went away makes this fail.
	_ = json.NewEncoder(w).Encode(answer)
}
