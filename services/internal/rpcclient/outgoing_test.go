package rpcclient_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/rpcclient"
	"huhang.example/services/internal/rpcserver"
	"huhang.example/services/internal/rpcserver/echotest"
	"huhang.example/services/internal/telemetry"
)

func TestTheCallerTravels(t *testing.T) {
	var callers record[access.Caller]
	l := newLine(t)
	l.serve("p-1", func(ctx context.Context, _ string, _ echotest.Request) (string, error) {
		callers.add(access.From(ctx))
		return "", nil
	}, nil)
	connection := patient(t, l.pool())
	person := access.Caller{Subject: "u-7", Organisation: "H-HF-01", Roles: []access.Role{access.Coordinator}}
	forged, err := access.Encode(access.Caller{Subject: "u-8", Organisation: "H-NC-01", Roles: []access.Role{access.Coordinator}})
	if err != nil {
		t.Fatal(err)
	}
	// As when a gateway passes on a header of its own request.
	smuggled := metadata.AppendToOutgoingContext(t.Context(), access.MetadataKey, forged, "kept", "yes")
	job := access.Caller{Service: "referral", Roles: []access.Role{access.Service}}
	tests := []struct {
		name                           string
		ctx                            context.Context
		subject, organisation, service string
	}{
		{"a person", access.With(t.Context(), person), "u-7", "H-HF-01", ""},
		{"a person, beside a smuggled one", access.With(smuggled, person), "u-7", "H-HF-01", ""},
		{"nobody", t.Context(), "", "", "referral"},
		{"nobody, beside a smuggled one", smuggled, "", "", "referral"},
		{"a job", access.With(t.Context(), job), "", "", "referral"},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := echotest.Call(test.ctx, connection, echotest.Read, echotest.Request{Text: "x"}); err != nil {
				t.Fatal(err)
			}
			got := callers.list()[i]
			if got.Subject != test.subject || got.Organisation != test.organisation || got.Service != test.service {
				t.Fatalf("called by %+v", got)
			}
		})
	}
	nameless := access.With(t.Context(), access.Caller{Organisation: "H-HF-01", Roles: []access.Role{access.Coordinator}})
	if _, err := echotest.Call(nameless, connection, echotest.Read, echotest.Request{Text: "x"}); !fault.Is(err, fault.ReasonInternal) {
		t.Fatalf("a caller that cannot be passed on: %v", err)
	}
	if len(callers.list()) != len(tests) {
		t.Fatal("it was called as somebody else")
	}
}

// left tells how long a context lasts from now, against the machine's clock as contexts do.
func left(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	probe, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	later, _ := probe.Deadline()
	return deadline.Sub(later.Add(-time.Hour))
}

func TestDeadlinesShrink(t *testing.T) {
	var given record[time.Duration]
	l := newLine(t)
	l.serve("p-1", func(ctx context.Context, _ string, _ echotest.Request) (string, error) {
		given.add(left(ctx))
		return "", nil
	}, nil)
	connection := patient(t, l.pool())
	tests := []struct {
		name     string
		asks     time.Duration
		low, top time.Duration
	}{
		{"none", 0, 9 * time.Second, 10 * time.Second},
		{"long", 30 * time.Second, 29 * time.Second, 30*time.Second - 90*time.Millisecond},
		{"short", time.Second, 500 * time.Millisecond, 910 * time.Millisecond},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx := t.Context()
			if test.asks > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, test.asks)
				defer cancel()
			}
			if _, err := echotest.Call(ctx, connection, echotest.Read, echotest.Request{Text: "x"}); err != nil {
				t.Fatal(err)
			}
			if got := given.list()[i]; got < test.low || got > test.top {
				t.Fatalf("the server has %s, want %s to %s", got, test.low, test.top)
			}
		})
	}
}

func TestFaultsComeBack(t *testing.T) {
	l := newLine(t)
	l.serve("p-1", func(ctx context.Context, _ string, request echotest.Request) (string, error) {
		switch request.Text {
		case "stale":
			return "", fault.Stale("7")
		case "slow":
			<-ctx.Done()
			return "", ctx.Err()
		}
		return "", errors.New("relation patients is gone")
	}, func(_ context.Context, request echotest.Request, send func(string) error) error {
		if err := send("one"); err != nil {
			return err
		}
		if request.Text == "end" {
			return nil
		}
		return fault.New(fault.OutOfRange, fault.InvalidPageToken, "cursor", "Resume from a cursor of this list.", "请使用本列表的游标。")
	})
	connection := patient(t, l.pool())
	call := func(ctx context.Context, text string) error {
		_, err := echotest.Call(ctx, connection, echotest.Read, echotest.Request{Text: text})
		return err
	}
	f, ok := fault.As(call(t.Context(), "stale"))
	if !ok || f.Reason != fault.StaleVersion || f.Meta["current_etag"] != "7" || f.Zh == "" {
		t.Fatalf("stale: %v", f)
	}
	if err := call(t.Context(), "broken"); !fault.Is(err, fault.ReasonInternal) || strings.Contains(err.Error(), "relation") {
		t.Fatalf("broken: %v", err)
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := call(short, "slow"); !fault.Is(err, fault.ReasonDeadlineExceeded) {
		t.Fatalf("slow: %v", err)
	}
	if short.Err() != nil {
		t.Fatal("the caller has no time left to answer")
	}
	_, err := echotest.Call(t.Context(), connection, echotest.Read, echotest.Request{Code: "x"})
	if f, ok := fault.As(err); !ok || f.Reason != fault.FieldInvalid || f.Field != "text" || len(f.Violations) != 2 {
		t.Fatalf("invalid: %+v", f)
	}

	receive, err := echotest.Open(t.Context(), connection, echotest.Request{Text: "fail"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := receive(); err != nil || got != "one" {
		t.Fatalf("stream: %q, %v", got, err)
	}
	if _, err := receive(); !fault.Is(err, fault.InvalidPageToken) {
		t.Fatalf("stream: %v", err)
	}
	receive, err = echotest.Open(t.Context(), connection, echotest.Request{Text: "end"})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = receive()
	if _, err := receive(); !errors.Is(err, io.EOF) {
		t.Fatalf("the stream's end: %v", err)
	}
}

func TestOversizedMessages(t *testing.T) {
	l := newLine(t)
	l.serve("p-1", func(_ context.Context, _ string, request echotest.Request) (string, error) {
		if request.Text == "answer" {
			return strings.Repeat("x", 3<<20), nil
		}
		return "", nil
	}, nil)
	_, err := echotest.Call(t.Context(), patient(t, l.pool()), echotest.Read, echotest.Request{Text: strings.Repeat("x", 1<<20)})
	if f, ok := fault.As(err); !ok || f.Reason != fault.BodyTooLarge || f.Meta["limit_bytes"] != "1048576" {
		t.Fatalf("request: %v", err)
	}
	if got, err := echotest.Call(t.Context(), patient(t, l.pool()), echotest.Read, echotest.Request{Text: "answer"}); err != nil || len(got) != 3<<20 {
		t.Fatalf("an answer of 3 MiB: %v", err)
	}
	small := l.pool(func(c *rpcclient.Config) { c.MaxReceiveBytes = 1 << 20 })
	if _, err := echotest.Call(t.Context(), patient(t, small), echotest.Read, echotest.Request{Text: "answer"}); err == nil {
		t.Fatal("an answer above the limit is taken")
	}
}

func TestTheReferralTravels(t *testing.T) {
	instruments := func(service string) *telemetry.Telemetry {
		made, err := telemetry.Start(t.Context(), telemetry.Config{Service: service})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	l := newLine(t)
	l.serve("p-1", func(ctx context.Context, _ string, _ echotest.Request) (string, error) {
		return telemetry.Referral(ctx), nil
	}, nil,
		func(_ *rpcserver.Config, d *rpcserver.Deps) { d.Telemetry = instruments("patient") })
	connection := patient(t, l.pool(func(c *rpcclient.Config) { c.Telemetry = instruments("referral") }))
	referral := id.Sequence().New("ref")
	got, err := echotest.Call(telemetry.WithReferral(t.Context(), referral), connection, echotest.Read, echotest.Request{Text: "x"})
	if err != nil || got != referral {
		t.Fatalf("the handler knows referral %q, %v", got, err)
	}
}
