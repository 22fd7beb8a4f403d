// Package mtls gives every service and every partner hospital a certificate, and reads a peer's name out of its own.
//
// Invariant: a peer is who its certificate says: one chain to the line's authority, exactly one URI SAN, in trust domain
// huhang.example. Host names and addresses prove nothing and are never looked at.
package mtls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// TrustDomain is the authority part of every name.
const TrustDomain = "huhang.example"

// Kind is what stands behind a certificate.
type Kind string

// The kinds of peers the line knows.
const (
	KindService  Kind = "service"
	KindHospital Kind = "hospital"
)

// ErrNoPeer says that the connection carries no verified certificate.
var ErrNoPeer = errors.New("the connection carries no verified certificate")

var nameFormat = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,62}$`)

func spiffeID(kind Kind, name string) (*url.URL, error) {
	if kind != KindService && kind != KindHospital {
		return nil, fmt.Errorf("unknown kind of peer %q", kind)
	}
	if !nameFormat.MatchString(name) {
		return nil, fmt.Errorf("malformed peer name %q", name)
	}
	return &url.URL{Scheme: "spiffe", Host: TrustDomain, Path: "/" + string(kind) + "/" + name}, nil
}

// nameOf reads the one name of a certificate that was verified already.
func nameOf(certificate *x509.Certificate) (Kind, string, error) {
	if n := len(certificate.URIs); n != 1 {
		return "", "", fmt.Errorf("the certificate has %d URI names, want exactly one", n)
	}
	given := certificate.URIs[0].String()
	kind, name, ok := strings.Cut(strings.TrimPrefix(certificate.URIs[0].Path, "/"), "/")
	if !ok {
		return "", "", fmt.Errorf("malformed name %q", given)
	}
	// Writing the name anew and comparing refuses ports, queries, escapes and foreign domains alike.
	want, err := spiffeID(Kind(kind), name)
	if err != nil {
		return "", "", err
	}
	if want.String() != given {
		return "", "", fmt.Errorf("name %q is not %q", given, want)
	}
	return Kind(kind), name, nil
}

// PeerOf returns the name of the peer at the other end of a TLS connection.
func PeerOf(state tls.ConnectionState) (Kind, string, error) {
	// Only a chain that was verified counts; PeerCertificates alone is what the peer claims.
	if len(state.VerifiedChains) == 0 || len(state.VerifiedChains[0]) == 0 {
		return "", "", ErrNoPeer
	}
	return nameOf(state.VerifiedChains[0][0])
}

// Peer returns the name of the peer of a gRPC call on the server's side.
func Peer(ctx context.Context) (Kind, string, error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return "", "", ErrNoPeer
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return "", "", ErrNoPeer
	}
	return PeerOf(info.State)
}
