package rpcserver_test

import (
	"context"
	"crypto/tls"
	"slices"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	accessv1 "huhang.example/gen/huhang/access/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/rpcserver"
	"huhang.example/services/internal/rpcserver/echotest"
	"huhang.example/services/internal/telemetry"
)

// seen remembers under which caller a handler ran.
type seen struct {
	mu      sync.Mutex
	callers []access.Caller
}

func (s *seen) handler(ctx context.Context, _ string, _ echotest.Request) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callers = append(s.callers, access.From(ctx))
	return "done", nil
}

func (s *seen) one(t *testing.T) access.Caller {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.callers) != 1 {
		t.Fatalf("the handler ran %d times", len(s.callers))
	}
	return s.callers[0]
}

func (s *seen) none(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.callers) != 0 {
		t.Fatalf("the handler ran for %+v", s.callers)
	}
}

func passing(t *testing.T, callers ...*accessv1.Caller) context.Context {
	t.Helper()
	ctx := t.Context()
	for _, c := range callers {
		text, err := proto.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		ctx = metadata.AppendToOutgoingContext(ctx, access.MetadataKey, string(text))
	}
	return ctx
}

func TestConnectionsWithoutACertificateOfTheLine(t *testing.T) {
	var handled seen
	r := newRig(t)
	r.handler = handled.handler
	r.start()
	foreign, err := mtls.DevAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := foreign.Service("referral")
	if err != nil {
		t.Fatal(err)
	}
	own := r.service("referral").ClientConfig("patient")
	without, alien := own.Clone(), own.Clone()
	without.GetClientCertificate = nil
	alien.GetClientCertificate = stranger.ClientConfig("patient").GetClientCertificate
	plain, err := grpc.NewClient("passthrough:///"+r.server.Addr(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Close() })
	for name, connection := range map[string]*grpc.ClientConn{
		"no certificate": r.dial(without), "foreign authority": r.dial(alien), "no TLS": plain,
		"TLS 1.2": r.dial(func() *tls.Config {
			c := own.Clone()
			c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
			return c
		}()),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Text: "x"})
			hasReason(t, err, codes.Unavailable, "")
			handled.none(t)
		})
	}
	// The control: the same configuration with the right certificate.
	if _, err := echotest.Call(t.Context(), r.dial(own), echotest.Read, echotest.Request{Text: "x"}); err != nil {
		t.Fatal(err)
	}
}

func TestCallers(t *testing.T) {
	person := &accessv1.Caller{Subject: "u-7", Organisation: "H-NC-01", Roles: []accessv1.Role{accessv1.Role_ROLE_COORDINATOR}}
	hospital := access.Caller{Subject: "system", Organisation: "H-HF-01", Roles: []access.Role{access.Coordinator, access.Center}}
	tests := []struct {
		name   string
		peer   func(*rig) mtls.Identity
		passed []*accessv1.Caller
		want   access.Caller
	}{
		{"a hospital", func(r *rig) mtls.Identity { return r.hospital("H-HF-01") }, nil, hospital},
		{
			"a hospital that forges another", func(r *rig) mtls.Identity { return r.hospital("H-HF-01") },
			[]*accessv1.Caller{{Subject: "u-7", Organisation: "H-NC-01", Roles: []accessv1.Role{accessv1.Role_ROLE_COORDINATOR, accessv1.Role_ROLE_OPERATIONS}}},
			hospital,
		},
		{
			"a service for itself", func(r *rig) mtls.Identity { return r.service("referral") }, nil,
			access.Caller{Service: "referral", Roles: []access.Role{access.Service}},
		},
		{
			"a service for a person", func(r *rig) mtls.Identity { return r.service("gateway") },
			[]*accessv1.Caller{person},
			access.Caller{Subject: "u-7", Organisation: "H-NC-01", Roles: []access.Role{access.Coordinator}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var handled seen
			r := newRig(t)
			r.handler = handled.handler
			r.start()
			if _, err := echotest.Call(passing(t, test.passed...), r.as(test.peer(r)), echotest.Read, echotest.Request{Text: "x"}); err != nil {
				t.Fatal(err)
			}
			got := handled.one(t)
			if got.Subject != test.want.Subject || got.Organisation != test.want.Organisation || got.Service != test.want.Service ||
				got.Province != test.want.Province || !slices.Equal(got.Roles, test.want.Roles) {
				t.Fatalf("handled for %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestCallersThatCannotBePassedOn(t *testing.T) {
	coordinator := &accessv1.Caller{Subject: "u-7", Roles: []accessv1.Role{accessv1.Role_ROLE_COORDINATOR}}
	for name, passed := range map[string][]*accessv1.Caller{
		"a service's role": {{Subject: "u-7", Roles: []accessv1.Role{accessv1.Role_ROLE_SERVICE}}},
		"a service's name": {{Subject: "u-7", Service: "referral", Roles: []accessv1.Role{accessv1.Role_ROLE_COORDINATOR}}},
		"nobody":           {{Roles: []accessv1.Role{accessv1.Role_ROLE_COORDINATOR}}},
		"two":              {coordinator, coordinator},
	} {
		t.Run(name, func(t *testing.T) {
			var handled seen
			r := newRig(t)
			r.handler = handled.handler
			r.start()
			_, err := echotest.Call(passing(t, passed...), r.as(r.service("gateway")), echotest.Read, echotest.Request{Text: "x"})
			hasReason(t, err, codes.Unauthenticated, "IDENTITY_MISSING")
			handled.none(t)
		})
	}
}

func TestRights(t *testing.T) {
	type denial struct {
		caller access.Caller
		method string
	}
	var denials []denial
	instruments, err := telemetry.Start(t.Context(), telemetry.Config{Service: "patient"})
	if err != nil {
		t.Fatal(err)
	}
	var handled seen
	r := newRig(t, func(_ *rpcserver.Config, d *rpcserver.Deps) {
		d.Telemetry = instruments
		d.OnDenied = func(_ context.Context, caller access.Caller, method string) {
			denials = append(denials, denial{caller, method})
		}
	})
	r.handler = handled.handler
	r.start()
	hospital, referral, gateway := r.as(r.hospital("H-HF-01")), r.as(r.service("referral")), r.as(r.service("gateway"))
	agency := &accessv1.Caller{Subject: "u-9", Organisation: "A-340000", Roles: []accessv1.Role{accessv1.Role_ROLE_AGENCY}}
	tests := []struct {
		name       string
		ctx        context.Context
		connection *grpc.ClientConn
		method     string
	}{
		{"a method without a rule", t.Context(), hospital, echotest.Unruled},
		{"a method without a rule, for a service", t.Context(), referral, echotest.Unruled},
		{"a method for nobody", t.Context(), referral, echotest.Nobody},
		{"a hospital at a method for services", t.Context(), hospital, echotest.Inner},
		{"a service at a method for coordinators", t.Context(), referral, echotest.Say},
		{"a person without the role", passing(t, agency), gateway, echotest.Say},
		{"a person at a method for services, through one", passing(t, agency), referral, echotest.Inner},
		{"the gateway for nobody", t.Context(), gateway, echotest.Inner},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := echotest.Call(test.ctx, test.connection, test.method, echotest.Request{Text: "x"})
			hasReason(t, err, codes.PermissionDenied, "RIGHT_MISSING")
			handled.none(t)
			if len(denials) != i+1 || denials[i].method != test.method {
				t.Fatalf("told of %+v", denials)
			}
		})
	}
	if denials[0].caller.Organisation != "H-HF-01" {
		t.Fatalf("denied %+v", denials[0].caller)
	}
	logged := r.log.find(t, "right missing")
	if len(logged) != len(tests) || logged[0]["method"] != echotest.Unruled || logged[0]["organisation"] != "H-HF-01" {
		t.Fatalf("logged %v", logged)
	}
	scrapeUntil(t, instruments, `huhang_rpc_denied\S*\{[^}]*huhang_organisation="A-340000"[^}]*EchoService/Say"[^}]*\} 1\n`)
}

func TestStreamsAreGuardedToo(t *testing.T) {
	ran := false
	r := newRig(t)
	r.stream = func(_ context.Context, _ echotest.Request, send func(string) error) error {
		ran = true
		return send("x")
	}
	r.start()
	open := func(ctx context.Context, peer mtls.Identity, request echotest.Request) error {
		receive, err := echotest.Open(ctx, r.as(peer), request)
		if err != nil {
			t.Fatal(err)
		}
		_, err = receive()
		return err
	}
	agency := &accessv1.Caller{Subject: "u-9", Roles: []accessv1.Role{accessv1.Role_ROLE_AGENCY}}
	twice := passing(t, agency, agency)
	hasReason(t, open(passing(t, agency), r.service("gateway"), echotest.Request{Text: "x"}), codes.PermissionDenied, "RIGHT_MISSING")
	hasReason(t, open(twice, r.service("gateway"), echotest.Request{Text: "x"}), codes.Unauthenticated, "IDENTITY_MISSING")
	hasReason(t, open(t.Context(), r.hospital("H-HF-01"), echotest.Request{Code: "x"}), codes.InvalidArgument, "FIELD_INVALID")
	if ran {
		t.Fatal("the handler ran")
	}
	if err := open(t.Context(), r.hospital("H-HF-01"), echotest.Request{Text: "x"}); err != nil {
		t.Fatal(err)
	}
}
