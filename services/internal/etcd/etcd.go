// Package etcd runs one etcd member inside the process, for `huhang dev` and for tests.
//
// Invariant: it is reachable from this machine alone. It has no TLS and no passwords, so Start refuses any
// address that is not a loopback one; a fleet uses an etcd cluster of its operator.
package etcd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"huhang.example/services/internal/clock"
)

// Config says where the member keeps its data and where it listens.
type Config struct {
	Dir        string       // data directory, created when absent
	ClientAddr string       // host:port for clients; default 127.0.0.1:0, port 0 takes a free one
	PeerAddr   string       // host:port for peers, of which there are none; the same default
	Log        *slog.Logger // gets etcd's errors only; default slog.Default()
}

// Server is a running member.
type Server struct {
	member    *embed.Etcd
	core      *slogCore
	closeOnce sync.Once
}

const (
	anyPort = "127.0.0.1:0"
	// closeLimit is longer than the 5.4 seconds that etcd gives open watches before it cuts them.
	closeLimit = 6 * time.Second
)

// Start runs a member and returns when it serves clients, or with an error when ctx ends first.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.Dir == "" {
		return nil, errors.New("etcd: Dir is required")
	}
	client, err := loopbackURL(cfg.ClientAddr)
	if err != nil {
		return nil, fmt.Errorf("etcd: client address: %w", err)
	}
	peer, err := loopbackURL(cfg.PeerAddr)
	if err != nil {
		return nil, fmt.Errorf("etcd: peer address: %w", err)
	}
	log := cfg.Log
	if log == nil {
		log = slog.Default()
	}

	ec := embed.NewConfig()
	ec.Dir = cfg.Dir
	ec.ListenClientUrls, ec.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	ec.ListenPeerUrls, ec.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	ec.InitialCluster = ec.InitialClusterFromName(ec.Name)
	// A single member elects itself after one election timeout: a short one makes it ready at once.
	ec.TickMs, ec.ElectionMs = 20, 200
	// Only the present set of instances matters; without compaction the history grows for ever.
	ec.AutoCompactionMode, ec.AutoCompactionRetention = embed.CompactorModeRevision, "1000"
	core := newSlogCore(log)
	ec.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.New(core))

	member, err := embed.StartEtcd(ec)
	if err != nil {
		return nil, fmt.Errorf("etcd: start: %w", err)
	}
	s := &Server{member: member, core: core}
	select {
	case <-member.Server.ReadyNotify():
		return s, nil
	case err := <-member.Err():
		s.Close()
		return nil, fmt.Errorf("etcd: start: %w", err)
	case <-ctx.Done():
		s.Close()
		return nil, fmt.Errorf("etcd: not ready: %w", ctx.Err())
	}
}

// Endpoints returns the addresses clients dial, with the port that was chosen.
func (s *Server) Endpoints() []string {
	out := make([]string, 0, len(s.member.Clients))
	for _, l := range s.member.Clients {
		out = append(out, l.Addr().String())
	}
	return out
}

// Close stops the member; a second call does nothing. Close the clients first: etcd waits up to five seconds for
// open watches.
func (s *Server) Close() {
	s.closeOnce.Do(func() {
		s.core.closing.Store(true)
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.member.Close()
		}()
		// etcd's Close waits without limit for a connection that never sent a byte, long after all else has ended.
		timer := clock.System().NewTimer(closeLimit)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C():
			s.core.log.Warn("etcd: a silent connection was left behind")
		}
	})
}

func loopbackURL(addr string) (url.URL, error) {
	if addr == "" {
		addr = anyPort
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return url.URL{}, err
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return url.URL{}, fmt.Errorf("%q is not a loopback address", addr)
	}
	return url.URL{Scheme: "http", Host: addr}, nil
}
