package console

import (
	"errors"
	"fmt"
	"net"
	"net/url"
)

// SignIn is where people sign in: OpenID Connect's authorization code with a proof key (PKCE). The tokens it gives must be
// of one of the gateway's issuers.
type SignIn struct {
	// AuthorizationEndpoint is the page that people are sent to; empty: nobody can sign in to the console.
	AuthorizationEndpoint string `json:"authorizationEndpoint" yaml:"authorization_endpoint"`
	// TokenEndpoint turns a code into a token; it must allow calls from this site.
	TokenEndpoint string `json:"tokenEndpoint" yaml:"token_endpoint"`
	// ClientID is the console's name at the issuer, a public client.
	ClientID string `json:"clientId" yaml:"client_id"`
	// Scope is what is asked for; empty means "openid".
	Scope string `json:"scope" yaml:"scope"`
}

// Validate says what is wrong with the settings.
func (s SignIn) Validate() error {
	if s == (SignIn{}) {
		return nil
	}
	if s.ClientID == "" {
		return errors.New("client_id: needed")
	}
	for name, text := range map[string]string{"authorization_endpoint": s.AuthorizationEndpoint, "token_endpoint": s.TokenEndpoint} {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
			return fmt.Errorf("%s: not an absolute URL", name)
		}
		ip := net.ParseIP(u.Hostname())
		if u.Scheme != "https" && (u.Scheme != "http" || ip == nil || !ip.IsLoopback()) {
			return fmt.Errorf("%s: must be https, or http on a loopback address", name)
		}
	}
	return nil
}

// originOf is scheme and host of a URL; empty for a path of this site.
func originOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
