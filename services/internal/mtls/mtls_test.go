package mtls_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/mtls"
)

var start = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// shake makes a TLS connection over loopback and sends a byte each way, so that both ends have said what they refuse.
func shake(t *testing.T, server, client *tls.Config) (seen tls.ConnectionState, serverErr, clientErr error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var done sync.WaitGroup
	done.Go(func() {
		raw, err := listener.Accept()
		if err != nil {
			serverErr = err
			return
		}
		connection := tls.Server(raw, server)
		defer connection.Close()
		if serverErr = connection.Handshake(); serverErr == nil {
			seen = connection.ConnectionState()
			_, serverErr = connection.Write([]byte{1})
		}
	})
	raw, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	connection := tls.Client(raw, client)
	if clientErr = connection.Handshake(); clientErr == nil {
		_, clientErr = connection.Read(make([]byte, 1))
	}
	_ = connection.Close()
	done.Wait()
	return seen, serverErr, clientErr
}

func authority(t *testing.T, options ...mtls.Option) *mtls.Authority {
	t.Helper()
	a, err := mtls.DevAuthority(t.TempDir(), options...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func service(t *testing.T, a *mtls.Authority, name string) mtls.Identity {
	t.Helper()
	identity, err := a.Service(name)
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

func hospital(t *testing.T, a *mtls.Authority, code string) mtls.Identity {
	t.Helper()
	identity, err := a.Hospital(code)
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

func TestPeersSeeEachOthersNames(t *testing.T) {
	a := authority(t)
	server := service(t, a, "patient")
	for _, client := range []mtls.Identity{service(t, a, "referral"), hospital(t, a, "H-HF-01")} {
		state, serverErr, clientErr := shake(t, server.ServerConfig(), client.ClientConfig("patient"))
		if serverErr != nil || clientErr != nil {
			t.Fatalf("%s: server %v, client %v", client.Name, serverErr, clientErr)
		}
		kind, name, err := mtls.PeerOf(state)
		if err != nil || kind != client.Kind || name != client.Name {
			t.Fatalf("the server sees %s/%s, %v; want %s/%s", kind, name, err, client.Kind, client.Name)
		}
		if state.Version != tls.VersionTLS13 {
			t.Fatalf("TLS version %x", state.Version)
		}
	}
}

func TestServerRefuses(t *testing.T) {
	a, foreign := authority(t), authority(t)
	own := hospital(t, a, "H-HF-01").ClientConfig("patient")
	trusting := func(change func(*tls.Config)) *tls.Config {
		c := own.Clone()
		change(c)
		return c
	}
	stranger := hospital(t, foreign, "H-HF-01").ClientConfig("patient")
	clients := map[string]*tls.Config{
		"no certificate": trusting(func(c *tls.Config) { c.GetClientCertificate = nil }),
		"foreign authority": trusting(func(c *tls.Config) {
			c.GetClientCertificate = stranger.GetClientCertificate
		}),
		"TLS 1.2": trusting(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 }),
	}
	for name, client := range clients {
		t.Run(name, func(t *testing.T) {
			_, serverErr, clientErr := shake(t, service(t, a, "patient").ServerConfig(), client)
			if serverErr == nil || clientErr == nil {
				t.Fatalf("accepted: server %v, client %v", serverErr, clientErr)
			}
		})
	}
}

func TestClientRefuses(t *testing.T) {
	a, foreign := authority(t), authority(t)
	client := service(t, a, "referral")
	tests := map[string]struct {
		server mtls.Identity
		want   string
	}{
		"another service":   {service(t, a, "matching"), "want service/patient"},
		"foreign authority": {service(t, foreign, "patient"), "unknown authority"},
		// Its certificate is for clients only, and names no service either.
		"a hospital": {hospital(t, a, "patient"), "incompatible key usage"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := shake(t, test.server.ServerConfig(), client.ClientConfig("patient"))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
		})
	}
}

// made is a certificate of the authority in dir with whatever names one likes: what an authority of one's own may do wrong.
func made(t *testing.T, dir string, change func(*x509.Certificate)) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "authority.pem"), filepath.Join(dir, "authority.pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), NotBefore: start, NotAfter: start.AddDate(20, 0, 0),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, pair.Leaf, key.Public(), pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, InsecureSkipVerify: true,
	}
}

func uris(t *testing.T, names ...string) []*url.URL {
	t.Helper()
	var out []*url.URL
	for _, name := range names {
		u, err := url.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, u)
	}
	return out
}

func TestOneNameOfTheTrustDomain(t *testing.T) {
	dir := t.TempDir()
	a, err := mtls.DevAuthority(dir, mtls.WithClock(clock.NewFake(start)))
	if err != nil {
		t.Fatal(err)
	}
	server := service(t, a, "patient").ServerConfig()
	tests := []struct {
		name  string
		names []string
		good  bool
	}{
		{"one", []string{"spiffe://huhang.example/hospital/H-HF-01"}, true},
		{"none", nil, false},
		{"two", []string{"spiffe://huhang.example/hospital/H-HF-01", "spiffe://huhang.example/service/referral"}, false},
		{"foreign trust domain", []string{"spiffe://elsewhere.example/service/referral"}, false},
		{"below the trust domain", []string{"spiffe://x.huhang.example/service/referral"}, false},
		{"another scheme", []string{"https://huhang.example/service/referral"}, false},
		{"port", []string{"spiffe://huhang.example:1/service/referral"}, false},
		{"user", []string{"spiffe://a@huhang.example/service/referral"}, false},
		{"query", []string{"spiffe://huhang.example/service/referral?x=1"}, false},
		{"fragment", []string{"spiffe://huhang.example/service/referral#x"}, false},
		{"escape", []string{"spiffe://huhang.example/service/%72eferral"}, false},
		{"unknown kind", []string{"spiffe://huhang.example/person/li"}, false},
		{"deeper", []string{"spiffe://huhang.example/service/referral/x"}, false},
		{"no name", []string{"spiffe://huhang.example/service/"}, false},
		{"climbing", []string{"spiffe://huhang.example/hospital/../service/referral"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client := made(t, dir, func(c *x509.Certificate) { c.URIs = uris(t, test.names...) })
			_, serverErr, _ := shake(t, server, client)
			if good := serverErr == nil; good != test.good {
				t.Fatalf("accepted: %v (%v), want %v", good, serverErr, test.good)
			}
		})
	}
	t.Run("a host name instead", func(t *testing.T) {
		client := made(t, dir, func(c *x509.Certificate) { c.DNSNames = []string{"huhang.example"} })
		if _, serverErr, _ := shake(t, server, client); serverErr == nil {
			t.Fatal("accepted")
		}
	})
	t.Run("for servers only", func(t *testing.T) {
		client := made(t, dir, func(c *x509.Certificate) {
			c.URIs = uris(t, "spiffe://huhang.example/service/referral")
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		})
		if _, serverErr, _ := shake(t, server, client); serverErr == nil {
			t.Fatal("accepted")
		}
	})
}

func TestNamesThatCannotBeIssued(t *testing.T) {
	a := authority(t)
	for _, name := range []string{"", "a/b", "a b", "../x", "名", strings.Repeat("a", 64), "a\n"} {
		if _, err := a.Service(name); err == nil {
			t.Errorf("%q was issued", name)
		}
	}
}

func TestPeerOfNeedsAVerifiedChain(t *testing.T) {
	a := authority(t)
	config := hospital(t, a, "H-HF-01").ClientConfig("patient")
	certificate, err := config.GetClientCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	claimed := tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificate.Leaf}}
	if _, _, err := mtls.PeerOf(claimed); !errors.Is(err, mtls.ErrNoPeer) {
		t.Fatalf("got %v", err)
	}
	if _, _, err := mtls.Peer(t.Context()); !errors.Is(err, mtls.ErrNoPeer) {
		t.Fatalf("a context without a connection: %v", err)
	}
}

func TestLeavesAreRenewed(t *testing.T) {
	now := clock.NewFake(start)
	a := authority(t, mtls.WithClock(now))
	server, client := service(t, a, "patient"), hospital(t, a, "H-HF-01")
	serverConfig, clientConfig := server.ServerConfig(), client.ClientConfig("patient")
	serial := func() string {
		state, serverErr, clientErr := shake(t, serverConfig, clientConfig)
		if serverErr != nil || clientErr != nil {
			t.Fatalf("at %s: server %v, client %v", now.Now(), serverErr, clientErr)
		}
		return state.PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	now.Advance(10 * 24 * time.Hour)
	if serial() != first {
		t.Fatal("renewed long before its time")
	}
	now.Advance(15 * 24 * time.Hour)
	second := serial()
	if second == first {
		t.Fatal("not renewed with a sixth of its life left")
	}
	now.Advance(365 * 24 * time.Hour)
	if serial() == second {
		t.Fatal("an expired certificate is shown")
	}
}

func TestExpiredCertificatesAreRefused(t *testing.T) {
	now := clock.NewFake(start)
	dir := t.TempDir()
	a, err := mtls.DevAuthority(dir, mtls.WithClock(now))
	if err != nil {
		t.Fatal(err)
	}
	server := service(t, a, "patient")
	client := made(t, dir, func(c *x509.Certificate) {
		c.URIs, c.NotAfter = uris(t, "spiffe://huhang.example/hospital/H-HF-01"), start.Add(time.Hour)
	})
	if _, serverErr, _ := shake(t, server.ServerConfig(), client); serverErr != nil {
		t.Fatalf("while it is valid: %v", serverErr)
	}
	now.Advance(2 * time.Hour)
	if _, serverErr, _ := shake(t, server.ServerConfig(), client); serverErr == nil {
		t.Fatal("an expired client is accepted")
	}
	// A server that did not renew.
	stale := &tls.Config{Certificates: []tls.Certificate{*staleServer(t, dir)}, NextProtos: []string{"h2"}}
	if _, _, clientErr := shake(t, stale, server.ClientConfig("patient")); clientErr == nil || !strings.Contains(clientErr.Error(), "expired") {
		t.Fatalf("an expired server: %v", clientErr)
	}
}

func staleServer(t *testing.T, dir string) *tls.Certificate {
	t.Helper()
	config := made(t, dir, func(c *x509.Certificate) {
		c.URIs, c.NotAfter = uris(t, "spiffe://huhang.example/service/patient"), start.Add(time.Hour)
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	return &config.Certificates[0]
}

func TestAuthorityIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	var made sync.WaitGroup
	authorities := make([]*mtls.Authority, 8)
	for i := range authorities {
		made.Go(func() {
			var err error
			if authorities[i], err = mtls.DevAuthority(dir); err != nil {
				t.Error(err)
			}
		})
	}
	made.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for _, a := range authorities {
		_, serverErr, clientErr := shake(t, service(t, authorities[0], "patient").ServerConfig(), service(t, a, "referral").ClientConfig("patient"))
		if serverErr != nil || clientErr != nil {
			t.Fatalf("two authorities: %v, %v", serverErr, clientErr)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("left behind: %v, %v", entries, err)
	}
	info, err := entries[0].Info()
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
}

func TestAuthorityRefusesWhatIsNone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "authority.pem"), []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := mtls.DevAuthority(dir); err == nil {
		t.Fatal("accepted")
	}
	old := t.TempDir()
	if _, err := mtls.DevAuthority(old, mtls.WithClock(clock.NewFake(start))); err != nil {
		t.Fatal(err)
	}
	if _, err := mtls.DevAuthority(old, mtls.WithClock(clock.NewFake(start.AddDate(10, 0, 0)))); err == nil {
		t.Fatal("an authority at its end is used")
	}
}

func TestNoIdentity(t *testing.T) {
	a := authority(t)
	if _, _, err := shake(t, service(t, a, "patient").ServerConfig(), mtls.Identity{}.ClientConfig("patient")); err == nil {
		t.Fatal("a client without an identity connects")
	}
	if _, err := (mtls.Identity{}).ServerConfig().GetConfigForClient(nil); err == nil {
		t.Fatal("a server without an identity serves")
	}
}
