package signin

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
)

// Issuer is one sign-in whose tokens are accepted.
type Issuer struct {
	// URL is the issuer, letter for letter as in its tokens.
	URL string `yaml:"url"`
	// Audience must be among the token's.
	Audience string `yaml:"audience"`
	// JWKS is where its keys are; empty: where its discovery document says.
	JWKS string `yaml:"jwks"`
	// Keys, where set, are the keys themselves; nothing is fetched.
	Keys []crypto.PublicKey `yaml:"-"`
}

// Validate says what is wrong with the issuer.
func (i Issuer) Validate() error {
	if i.Audience == "" {
		return errors.New("audience: needed")
	}
	if err := checkURL(i.URL); err != nil {
		return fmt.Errorf("url: %w", err)
	}
	if i.JWKS != "" {
		if err := checkURL(i.JWKS); err != nil {
			return fmt.Errorf("jwks: %w", err)
		}
	}
	return nil
}

// checkURL accepts https, and http on this machine alone: whoever can change keys on the way can sign in as anybody.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return errors.New("not an absolute URL")
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()) {
		return nil
	}
	return errors.New("must be https, or http on a loopback address")
}

// Session is what a token proves: a caller, and a key under which all its calls are counted.
type Session struct {
	Caller access.Caller
	Key    string
}

// Verifier checks tokens.
type Verifier struct {
	issuers map[string]*oidc.IDTokenVerifier
}

// New returns a verifier for the issuers. It asks none of them yet: one that is away keeps nobody else from signing in.
func New(issuers []Issuer, c clock.Clock) (*Verifier, error) {
	v := &Verifier{issuers: map[string]*oidc.IDTokenVerifier{}}
	client := &http.Client{
		Timeout: fetchLimit,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("an issuer must answer where it is configured")
		},
	}
	for _, issuer := range issuers {
		if err := issuer.Validate(); err != nil {
			return nil, fmt.Errorf("issuer %q: %w", issuer.URL, err)
		}
		if _, twice := v.issuers[issuer.URL]; twice {
			return nil, fmt.Errorf("issuer %q: configured twice", issuer.URL)
		}
		var keys oidc.KeySet = &remoteKeys{issuer: issuer.URL, address: issuer.JWKS, client: client, clock: c}
		if len(issuer.Keys) > 0 {
			keys = &oidc.StaticKeySet{PublicKeys: issuer.Keys}
		}
		v.issuers[issuer.URL] = oidc.NewVerifier(issuer.URL, keys, &oidc.Config{
			ClientID: issuer.Audience, SupportedSigningAlgs: algorithmNames(), Now: c.Now,
		})
	}
	return v, nil
}

// claims are what the line reads of a token.
type claims struct {
	Subject      string   `json:"sub"`
	Organisation string   `json:"huhang_org"`
	Province     string   `json:"huhang_province"`
	Roles        []string `json:"huhang_roles"`
}

// roles are the words of a token. A service is never a person's role: its certificate proves it.
var roles = map[string]access.Role{
	"coordinator": access.Coordinator, "center": access.Center, "operations": access.Operations, "agency": access.Agency,
}

// Role returns the role behind a token's word.
func Role(word string) (access.Role, bool) {
	role, ok := roles[word]
	return role, ok
}

// Verify returns who stands behind the header's token, or IDENTITY_MISSING.
func (v *Verifier) Verify(ctx context.Context, header http.Header) (Session, error) {
	token, ok := Bearer(header)
	if !ok {
		return Session{}, missing()
	}
	issuer, err := issuerOf(token)
	if err != nil {
		return Session{}, missing().Cause(err)
	}
	verifier, ok := v.issuers[issuer]
	if !ok {
		return Session{}, missing().Cause(errors.New("the token is of an issuer that is not configured"))
	}
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		return Session{}, missing().Cause(err)
	}
	var c claims
	if err := verified.Claims(&c); err != nil {
		return Session{}, missing().Cause(errors.New("the token's claims have other types than expected"))
	}
	caller, err := c.caller()
	if err != nil {
		return Session{}, missing().Cause(err)
	}
	return Session{Caller: caller, Key: issuer + " " + caller.Subject}, nil
}

func (c claims) caller() (access.Caller, error) {
	caller := access.Caller{Subject: c.Subject, Organisation: c.Organisation, Province: c.Province}
	for _, word := range c.Roles {
		// An issuer may know words that mean nothing here; they give no right.
		if role, ok := roles[word]; ok && !caller.Has(role) {
			caller.Roles = append(caller.Roles, role)
		}
	}
	// What could not be passed on to a service is refused at the door.
	if _, err := access.Encode(caller); err != nil {
		return access.Caller{}, err
	}
	return caller, nil
}

// issuerOf reads the issuer a token claims, only to choose the keys it is then checked with.
func issuerOf(token string) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", errors.New("not three parts")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", errors.New("the payload is not base64url")
	}
	var claimed struct {
		Issuer string `json:"iss"`
	}
	if err := json.Unmarshal(payload, &claimed); err != nil {
		return "", errors.New("the payload is not JSON")
	}
	return claimed.Issuer, nil
}

func missing() *fault.Fault {
	return fault.New(fault.Unauthenticated, fault.IdentityMissing, "",
		"The call carries no valid identity.", "请求未携带有效身份。")
}
