package notify

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"

	"huhang.example/services/internal/fault"
)

// Addresses says where messages may go. The zero value: to public addresses over https.
type Addresses struct {
	// Allowed are networks of one's own that are sent to as well, such as a hospitals' private line.
	Allowed []netip.Prefix
	// LoopbackHTTP allows http to this machine, for development.
	LoopbackHTTP bool
}

// notPublic are the networks of the registries of special addresses that netip does not know by name.
var notPublic = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
)

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// ErrForbiddenAddress says that an address is not sent to.
var ErrForbiddenAddress = errors.New("notify: the address is not public")

// Check refuses an address that must not be sent to: it is asked for every connection, after the name was resolved.
func (a Addresses) Check(ip netip.Addr) error {
	ip = ip.Unmap().WithZone("")
	if a.LoopbackHTTP && ip.IsLoopback() {
		return nil
	}
	for _, p := range a.Allowed {
		if p.Contains(ip) {
			return nil
		}
	}
	if !ip.IsValid() || ip.IsUnspecified() || ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsInterfaceLocalMulticast() {
		return ErrForbiddenAddress
	}
	for _, p := range notPublic {
		if p.Contains(ip) {
			return ErrForbiddenAddress
		}
	}
	return nil
}

// URL checks an endpoint's address as far as it can be without resolving it. Fault ENDPOINT_REFUSED.
func (a Addresses) URL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return refusedURL("HOST")
	}
	ip, notLiteral := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || notLiteral == nil && ip.Unmap().IsLoopback()
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !a.LoopbackHTTP || !local):
		return refusedURL("SCHEME")
	case u.User != nil:
		return refusedURL("CREDENTIALS")
	case u.Fragment != "" || strings.Contains(text, "#"):
		return refusedURL("FRAGMENT")
	case notLiteral == nil && a.Check(ip) != nil, u.Hostname() == "localhost" && !a.LoopbackHTTP:
		return refusedURL("FORBIDDEN_ADDRESS")
	case notLiteral != nil && !strings.Contains(u.Hostname(), ".") && !local:
		return refusedURL("HOST")
	}
	return nil
}

func refusedURL(why string) error {
	return fault.New(fault.InvalidArgument, fault.EndpointRefused, "url",
		"The address cannot be an endpoint.", "该地址不能用作端点。").With("why", why)
}
