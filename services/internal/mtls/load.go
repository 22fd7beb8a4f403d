package mtls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"huhang.example/services/internal/clock"
)

// Load reads an identity from PEM files: a certificate chain, its key, and the authorities to trust. When the files
// change, the next handshake uses what they hold; while they do not fit together, what they held before stays in force.
func Load(certFile, keyFile, caFile string) (Identity, error) {
	s := &loaded{paths: [3]string{certFile, keyFile, caFile}}
	own, err := s.current()
	if err != nil {
		return Identity{}, err
	}
	kind, name, err := nameOf(own.certificate.Leaf)
	if err != nil {
		return Identity{}, fmt.Errorf("%s: %w", certFile, err)
	}
	s.mu.Lock()
	s.kind, s.name = kind, name
	s.mu.Unlock()
	return Identity{Kind: kind, Name: name, source: s, now: clock.System().Now}, nil
}

// stamp tells one state of a file from another.
type stamp struct {
	modified time.Time
	size     int64
}

type loaded struct {
	paths [3]string // certificate, key, authorities

	mu     sync.Mutex
	stamps [3]stamp
	held   material
	kind   Kind
	name   string
}

func (s *loaded) current() (material, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stamps, err := s.stat()
	if err == nil && s.held.certificate != nil && stamps == s.stamps {
		return s.held, nil
	}
	var fresh material
	if err == nil {
		fresh, err = s.read()
	}
	if err != nil {
		if s.held.certificate != nil {
			return s.held, nil
		}
		return material{}, err
	}
	s.held, s.stamps = fresh, stamps
	return fresh, nil
}

func (s *loaded) stat() ([3]stamp, error) {
	var stamps [3]stamp
	for i, path := range s.paths {
		info, err := os.Stat(path)
		if err != nil {
			return stamps, err
		}
		stamps[i] = stamp{modified: info.ModTime(), size: info.Size()}
	}
	return stamps, nil
}

func (s *loaded) read() (material, error) {
	pair, err := tls.LoadX509KeyPair(s.paths[0], s.paths[1])
	if err != nil {
		return material{}, err
	}
	text, err := os.ReadFile(s.paths[2])
	if err != nil {
		return material{}, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return material{}, fmt.Errorf("%s holds no certificate", s.paths[2])
	}
	if s.name != "" {
		// Code was started under this name; another one in the files is a mistake, not a renewal.
		kind, name, err := nameOf(pair.Leaf)
		if err != nil {
			return material{}, err
		}
		if kind != s.kind || name != s.name {
			return material{}, errors.New("the renewed certificate has another name")
		}
	}
	return material{certificate: &pair, roots: roots}, nil
}
