package app_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"huhang.example/services/gateway/app"
	"huhang.example/services/gateway/signin"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/rpcclient"
	"huhang.example/services/internal/rpcserver"
	"huhang.example/services/internal/telemetry"
)

const patience = 20 * time.Second // for what must happen at all

// rig is a gateway, an issuer, and room for services behind it.
type rig struct {
	t         *testing.T
	authority *mtls.Authority
	registry  *discovery.Static
	issuer    *issuer
	spans     *tracetest.SpanRecorder
	app       *app.App
	base      string
}

func newRig(t *testing.T, settings ...func(*app.Config)) *rig {
	t.Helper()
	authority, err := mtls.DevAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, authority: authority, registry: discovery.NewStatic(nil), issuer: newIssuer(t), spans: tracetest.NewSpanRecorder()}
	config := app.Config{
		Instance: "g-1", Listen: "127.0.0.1:0", GRPCListen: "127.0.0.1:0",
		Issuers: []signin.Issuer{{URL: r.issuer.server.URL, Audience: "huhang", JWKS: r.issuer.server.URL + "/keys"}},
	}
	for _, set := range settings {
		set(&config)
	}
	identity := r.service("gateway")
	tel := r.telemetry("gateway")
	peers := rpcclient.New(rpcclient.Config{Identity: identity, Registry: r.registry, Telemetry: tel})
	t.Cleanup(peers.Close)
	r.app, err = app.New(t.Context(), config, fleet.Deps{
		Clock: clock.System(), IDs: id.Random(), Registry: r.registry, Identity: identity, Peers: peers,
		Log: slog.New(slog.DiscardHandler), Telemetry: tel,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err := r.app.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	r.base = "http://" + r.app.HTTPAddr()
	return r
}

func (r *rig) service(name string) mtls.Identity {
	r.t.Helper()
	identity, err := r.authority.Service(name)
	if err != nil {
		r.t.Fatal(err)
	}
	return identity
}

func (r *rig) telemetry(service string) *telemetry.Telemetry {
	r.t.Helper()
	tel, err := telemetry.Start(r.t.Context(), telemetry.Config{Service: service, SpanProcessors: []sdktrace.SpanProcessor{r.spans}})
	if err != nil {
		r.t.Fatal(err)
	}
	return tel
}

// serve starts a service behind the gateway.
func (r *rig) serve(service string, register func(grpc.ServiceRegistrar), provinces ...string) *rpcserver.Server {
	r.t.Helper()
	server := rpcserver.New(rpcserver.Config{
		Service: service, Instance: service + "-" + strings.Join(append(provinces, "1"), "-"), Listen: "127.0.0.1:0", Provinces: provinces,
	}, rpcserver.Deps{Identity: r.service(service), Registry: r.registry, Log: slog.New(slog.DiscardHandler), Telemetry: r.telemetry(service)})
	register(server.GRPC())
	if err := server.Start(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = server.Stop(ctx) // that calls were cut off is a test's business
	})
	return server
}

// hospital dials the gateway as a partner's system.
func (r *rig) hospital(code string) *grpc.ClientConn {
	r.t.Helper()
	identity, err := r.authority.Hospital(code)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.dial(identity)
}

func (r *rig) dial(identity mtls.Identity) *grpc.ClientConn {
	r.t.Helper()
	connection, err := grpc.NewClient(r.app.GRPCAddr(), grpc.WithTransportCredentials(credentials.NewTLS(identity.ClientConfig("gateway"))))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// reply is an HTTP answer.
type reply struct {
	code   int
	header http.Header
	body   string
	reason string
	field  string
	zh, en string
}

// send makes one request; headers come in pairs.
func (r *rig) send(method, path, token, body string, headers ...string) reply {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, r.base+path, bytes.NewReader([]byte(body)))
	if err != nil {
		r.t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return parse(response, string(text))
}

func parse(response *http.Response, text string) reply {
	out := reply{code: response.StatusCode, header: response.Header, body: text}
	var told struct {
		Message string `json:"message"`
		Details []struct {
			Type     string            `json:"@type"`
			Reason   string            `json:"reason"`
			Metadata map[string]string `json:"metadata"`
			Locale   string            `json:"locale"`
			Message  string            `json:"message"`
		} `json:"details"`
	}
	if json.Unmarshal([]byte(text), &told) == nil {
		for _, d := range told.Details {
			switch {
			case strings.HasSuffix(d.Type, "ErrorInfo"):
				out.reason, out.field = d.Reason, d.Metadata["field"]
			case d.Locale == "en":
				out.en = d.Message
			case d.Locale == "zh-CN":
				out.zh = d.Message
			}
		}
	}
	return out
}

// issuer is a sign-in whose tokens can be wrong in every way.
type issuer struct {
	t      *testing.T
	server *httptest.Server
	key    *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Use: "sig"}}})
	})
	i.server = httptest.NewServer(mux)
	t.Cleanup(i.server.Close)
	return i
}

type claims map[string]any

// person returns the claims of a good token; others replace some of them.
func (i *issuer) person(others claims) claims {
	now := clock.System().Now()
	c := claims{
		"iss": i.server.URL, "aud": "huhang", "sub": "u-1", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"huhang_org": "H-HF-01", "huhang_roles": []string{"coordinator"},
	}
	for k, v := range others {
		c[k] = v
	}
	return c
}

func (i *issuer) token(others claims) string { return i.sign(i.key, "k1", i.person(others)) }

func (i *issuer) sign(key *ecdsa.PrivateKey, keyID string, c claims) string {
	i.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: keyID}}, nil)
	if err != nil {
		i.t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(map[string]any(c)).Serialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return token
}

// record keeps what handlers were called with.
type record[T any] struct {
	mu  sync.Mutex
	all []T
}

func (r *record[T]) add(value T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, value)
}

func (r *record[T]) list() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

func (r *record[T]) last(t *testing.T) T {
	t.Helper()
	all := r.list()
	if len(all) == 0 {
		t.Fatal("the service was not called")
	}
	return all[len(all)-1]
}

// empty starts a service that has no methods but says that it serves.
func (r *rig) empty(service string) { r.serve(service, func(grpc.ServiceRegistrar) {}) }

// await repeats what becomes true by itself.
func (r *rig) await(what string, done func() bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	for !done() {
		if ctx.Err() != nil {
			r.t.Fatalf("%s did not happen", what)
		}
	}
}

// lines opens a stream and returns its lines as they come.
func (r *rig) lines(path, token string) <-chan string {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.base+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	lines := make(chan string, 16)
	go func() {
		defer close(lines)
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			lines <- err.Error()
			return
		}
		defer response.Body.Close()
		for scanner := bufio.NewScanner(response.Body); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	return lines
}
