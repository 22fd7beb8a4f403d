package mtls

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"huhang.example/services/internal/clock"
)

const (
	authorityFile = "authority.pem"
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 30 * 24 * time.Hour
	// A leaf is renewed with a third of its life left: a process that runs for months never shows an expired one.
	leafRenewal = leafLife / 3
	// Peers' clocks may be behind by this much.
	skew = 10 * time.Minute
)

// Authority is a certificate authority in a directory, for development, tests and trial lines. A real line brings its own
// and uses Load.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	roots       *x509.CertPool
	now         func() time.Time
}

// An Option changes how an authority works.
type Option func(*Authority)

// WithClock makes the authority, and every identity it issues, take its time from c.
func WithClock(c clock.Clock) Option { return func(a *Authority) { a.now = c.Now } }

// DevAuthority opens the authority in dir, and makes it first if there is none. Processes that race to make it end up
// with the same one.
func DevAuthority(dir string, options ...Option) (*Authority, error) {
	a := &Authority{now: clock.System().Now}
	for _, option := range options {
		option(a)
	}
	path := filepath.Join(dir, authorityFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := a.create(dir, path); err != nil {
			return nil, fmt.Errorf("make authority: %w", err)
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read authority: %w", err)
	}
	if err := a.parse(text); err != nil {
		return nil, fmt.Errorf("authority %s: %w", path, err)
	}
	return a, nil
}

func (a *Authority) create(dir, path string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := newSerial()
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "Huhang development authority"},
		NotBefore:             a.now().Add(-skew),
		NotAfter:              a.now().Add(authorityLife),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign,
		// Even a leaked key cannot name anything outside the trust domain.
		PermittedURIDomains:         []string{TrustDomain},
		PermittedDNSDomainsCritical: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	keyText, err := keyPEM(key)
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(dir, ".authority-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(append(certificatePEM(der), keyText...))
	if err := errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	// Linking is atomic and never replaces: the first process wins, the others read what it made.
	if err := os.Link(temporary.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func (a *Authority) parse(text []byte) error {
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return errors.New("not a certificate authority with an ECDSA key")
	}
	if left := pair.Leaf.NotAfter.Sub(a.now()); left < leafLife {
		return fmt.Errorf("it expires at %s: remove the file and start again", pair.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	a.certificate, a.key = pair.Leaf, key
	a.roots = x509.NewCertPool()
	a.roots.AddCert(a.certificate)
	return nil
}

// Service issues the identity of one of the line's own services.
func (a *Authority) Service(name string) (Identity, error) {
	return a.identity(KindService, name, x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)
}

// Hospital issues the identity of a partner hospital's or center's system; it can call, not serve.
func (a *Authority) Hospital(code string) (Identity, error) {
	return a.identity(KindHospital, code, x509.ExtKeyUsageClientAuth)
}

func (a *Authority) identity(kind Kind, name string, usage ...x509.ExtKeyUsage) (Identity, error) {
	uri, err := spiffeID(kind, name)
	if err != nil {
		return Identity{}, err
	}
	source := &issued{authority: a, uri: uri, usage: usage}
	if _, err := source.current(); err != nil {
		return Identity{}, fmt.Errorf("issue %s: %w", uri, err)
	}
	return Identity{Kind: kind, Name: name, source: source, now: a.now}, nil
}

// issued keeps one leaf in memory and replaces it in time.
type issued struct {
	authority *Authority
	uri       *url.URL
	usage     []x509.ExtKeyUsage

	mu   sync.Mutex
	leaf *tls.Certificate
}

func (s *issued) current() (material, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaf == nil || s.leaf.Leaf.NotAfter.Sub(s.authority.now()) < leafRenewal {
		leaf, err := s.authority.leaf(s.uri, s.usage)
		if err != nil {
			return material{}, err
		}
		s.leaf = leaf
	}
	return material{certificate: s.leaf, roots: s.authority.roots}, nil
}

func (a *Authority) leaf(uri *url.URL, usage []x509.ExtKeyUsage) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		NotBefore:    a.now().Add(-skew),
		NotAfter:     a.now().Add(leafLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  usage,
		URIs:         []*url.URL{uri},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed}, nil
}

func newSerial() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func keyPEM(key any) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Files returns the paths WritePEM uses in dir, in the order Load takes them.
func Files(dir string, identity Identity) (certFile, keyFile, caFile string) {
	base := filepath.Join(dir, string(identity.Kind)+"-"+identity.Name)
	return base + ".crt", base + ".key", filepath.Join(dir, "ca.crt")
}

// WritePEM writes the identity's present certificate, its key and the authority's certificate to Files(dir, identity).
func (a *Authority) WritePEM(dir string, identity Identity) error {
	own, err := identity.current()
	if err != nil {
		return err
	}
	key, err := keyPEM(own.certificate.PrivateKey)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var chain bytes.Buffer
	for _, der := range own.certificate.Certificate {
		chain.Write(certificatePEM(der))
	}
	certFile, keyFile, caFile := Files(dir, identity)
	// The key goes last: a reader that reloads on change never pairs it with the certificate before.
	for _, file := range []struct {
		path string
		text []byte
		mode os.FileMode
	}{
		{caFile, certificatePEM(a.certificate.Raw), 0o644},
		{certFile, chain.Bytes(), 0o644},
		{keyFile, key, 0o600},
	} {
		if err := replaceFile(file.path, file.text, file.mode); err != nil {
			return err
		}
	}
	return nil
}

func replaceFile(path string, text []byte, mode os.FileMode) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".pem-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(text)
	if err := errors.Join(err, temporary.Chmod(mode), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}
