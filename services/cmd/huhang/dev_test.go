package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/sampleline"
)

// unwilling answers the first of each change with 503, by turns before the line has heard it and after it has done it, and
// what is said to be refused with 400.
type unwilling struct {
	line    http.RoundTripper
	refused string

	mu     sync.Mutex
	bodies map[string]string
	again  int
}

func (u *unwilling) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet {
		return u.line.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	said := func(status int) *http.Response {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"message": "injected"}`)), Request: r}
	}
	if u.refused != "" && strings.HasSuffix(r.URL.Path, u.refused) {
		return said(http.StatusBadRequest), nil
	}
	key := r.URL.Path + " " + string(body)
	if _, seen := u.bodies[key]; seen {
		u.again++
		r.Body = io.NopCloser(bytes.NewReader(body))
		return u.line.RoundTrip(r)
	}
	u.bodies[key] = r.URL.Path
	if len(u.bodies)%2 == 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer, err := u.line.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return said(answer.StatusCode), nil
		}
	}
	return said(http.StatusServiceUnavailable), nil
}

// printed is what the line wrote so far.
type printed struct {
	mu sync.Mutex
	b  strings.Builder
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

var served = regexp.MustCompile(`REST API +(http://\S+)/v1/`)

// devLine runs the line until it serves, does what it is told with its address, and ends it.
func devLine(t *testing.T, o devOptions, do func(base string)) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	o.http, o.grpc, o.ops, o.log = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "error"
	out, ended := &printed{}, make(chan error, 1)
	go func() { ended <- dev(ctx, out, o) }()
	var base string
	sqldbtest.Eventually(t, "the line says where it serves", func() bool {
		select {
		case err := <-ended:
			t.Fatalf("the line ended: %v\n%s", err, out)
		default:
		}
		if found := served.FindStringSubmatch(out.String()); found != nil {
			base = found[1]
		}
		return base != ""
	})
	do(base)
	stop()
	if err := <-ended; err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return out.String()
}

// The sample case gets over services that are away; what is refused for good ends it in plain words and not the line. Started
// again without the sample case, the sample line still has its timetable.
func TestDevServesWhateverBecomesOfItsSample(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	between := &unwilling{refused: ":depart", bodies: map[string]string{}}
	first := devOptions{state: state, patience: time.Minute, between: func(line http.RoundTripper) http.RoundTripper {
		between.line = line
		return between
	}}
	answers := func(base string) {
		answer, err := http.Get(base + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
	}
	out := devLine(t, first, answers)
	if between.again < 10 || between.again != len(between.bodies) {
		t.Errorf("%d changes, %d of them sent again the same to the byte", len(between.bodies), between.again)
	}
	for _, words := range []string{"were sent again", "the sample case stopped: not arrived", ":depart", "HTTP 400", "goes on serving", "itinerary booked"} {
		if !strings.Contains(out, words) {
			t.Errorf("no %q in\n%s", words, out)
		}
	}

	out = devLine(t, devOptions{state: state, noSample: true}, func(base string) {
		client := &sampleline.Client{Base: base, HTTP: http.DefaultClient, Patience: time.Minute, Clock: clock.System()}
		var steps printed
		driver := &sampleline.Driver{Client: client, Clock: clock.System(), Out: &steps, Key: "dev-again-0001", Serial: 77, Until: "planned"}
		if _, err := driver.Run(t.Context()); err != nil {
			t.Error(err)
		}
		if !strings.Contains(steps.String(), "MODE_RAIL") {
			t.Errorf("nothing runs by a timetable:\n%s", &steps)
		}
	})
	if !strings.Contains(out, "no case is driven") {
		t.Errorf("it does not say that the sample line is still there:\n%s", out)
	}
}

func TestDevKnowsItsSteps(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	err := dev(t.Context(), io.Discard, devOptions{state: state, until: "operate"})
	if err == nil || !strings.Contains(err.Error(), "operated, discharged, settled") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(state); err == nil {
		t.Error("a state was made")
	}
}
