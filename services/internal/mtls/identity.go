package mtls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Identity is one party's own certificate and the authority it trusts (身份). It stays valid while the certificate behind
// it is renewed: a handshake always takes the present one.
type Identity struct {
	Kind Kind
	Name string

	source source
	now    func() time.Time
}

// material is what one handshake needs.
type material struct {
	certificate *tls.Certificate
	roots       *x509.CertPool
}

type source interface {
	// current returns the material to use now; it fails only while there never was any.
	current() (material, error)
}

var errNoIdentity = errors.New("no identity: Load one or let an authority issue it")

func (i Identity) current() (material, error) {
	if i.source == nil {
		return material{}, errNoIdentity
	}
	return i.source.current()
}

// ServerConfig requires of every client a certificate of the authority with a name of the line.
func (i Identity) ServerConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		// Asked per connection, so that a renewed certificate or authority is in force without a restart.
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			own, err := i.current()
			if err != nil {
				return nil, err
			}
			return &tls.Config{
				MinVersion:   tls.VersionTLS13,
				Certificates: []tls.Certificate{*own.certificate},
				ClientAuth:   tls.RequireAndVerifyClientCert,
				ClientCAs:    own.roots,
				NextProtos:   []string{"h2"},
				Time:         i.now,
				// A resumed session would keep trusting what was verified before a reload.
				SessionTicketsDisabled: true,
				VerifyConnection: func(state tls.ConnectionState) error {
					_, _, err := PeerOf(state)
					return err
				},
			}, nil
		},
	}
}

// ClientConfig trusts exactly the named service, wherever it listens.
func (i Identity) ClientConfig(serverService string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"h2"},
		Time:       i.now,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			own, err := i.current()
			if err != nil {
				return nil, err
			}
			return own.certificate, nil
		},
		// The standard verification insists on a host name. VerifyConnection below does all of the rest: chain, use, name.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			own, err := i.current()
			if err != nil {
				return err
			}
			return i.verifyServer(state, own.roots, serverService)
		},
	}
}

func (i Identity) verifyServer(state tls.ConnectionState, roots *x509.CertPool, service string) error {
	if len(state.PeerCertificates) == 0 {
		return ErrNoPeer
	}
	intermediates := x509.NewCertPool()
	for _, certificate := range state.PeerCertificates[1:] {
		intermediates.AddCert(certificate)
	}
	leaf := state.PeerCertificates[0]
	if _, err := leaf.Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: intermediates,
		CurrentTime:   i.now(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}); err != nil {
		return fmt.Errorf("server certificate: %w", err)
	}
	kind, name, err := nameOf(leaf)
	if err != nil {
		return err
	}
	if kind != KindService || name != service {
		return fmt.Errorf("the server is %s/%s, want service/%s", kind, name, service)
	}
	return nil
}
