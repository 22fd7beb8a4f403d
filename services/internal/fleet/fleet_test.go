package fleet_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fleet"
)

// part is a service that notes what happens to it.
type part struct {
	name            string
	notes           *notes
	started         context.Context
	onStart, onStop func(context.Context) error
}

func (p *part) Name() string { return p.name }

func (p *part) Start(ctx context.Context) error {
	p.started = ctx
	p.notes.add("start " + p.name)
	if p.onStart != nil {
		return p.onStart(ctx)
	}
	return nil
}

func (p *part) Stop(ctx context.Context) error {
	p.notes.add("stop " + p.name)
	if p.onStop != nil {
		return p.onStop(ctx)
	}
	return nil
}

type notes struct {
	mu  sync.Mutex
	all []string
}

func (n *notes) add(what string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, what)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.all, ", ")
}

// now is the bubble's own time.
func now() time.Time { return clock.System().Now() }

var errBroken = errors.New("broken")

func TestStartsInOrderStopsInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &notes{}
		a, b := &part{name: "a", notes: n}, &part{name: "b", notes: n}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- fleet.Run(ctx, a, b) }()
		synctest.Wait()
		if got := n.String(); got != "start a, start b" {
			t.Fatalf("running: %s", got)
		}
		if a.started.Err() != nil {
			t.Fatal("a service's context ended while it runs")
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := n.String(); got != "start a, start b, stop b, stop a" {
			t.Fatalf("in the end: %s", got)
		}
	})
}

func TestAFailedStartStopsWhatWasStarted(t *testing.T) {
	n := &notes{}
	stopBroken := errors.New("stop is broken too")
	err := fleet.Run(t.Context(),
		&part{name: "a", notes: n, onStop: func(context.Context) error { return stopBroken }},
		&part{name: "b", notes: n},
		&part{name: "c", notes: n, onStart: func(context.Context) error { return errBroken }},
		&part{name: "d", notes: n})
	if !errors.Is(err, errBroken) || !errors.Is(err, stopBroken) || !strings.Contains(err.Error(), "start c") || !strings.Contains(err.Error(), "stop a") {
		t.Fatalf("got %v", err)
	}
	if got := n.String(); got != "start a, start b, start c, stop b, stop a" {
		t.Fatalf("in the end: %s", got)
	}
}

func TestAnEndDuringStartStopsIt(t *testing.T) {
	n := &notes{}
	ctx, cancel := context.WithCancel(t.Context())
	err := fleet.Run(ctx,
		&part{name: "a", notes: n, onStart: func(context.Context) error { cancel(); return nil }},
		&part{name: "b", notes: n})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if got := n.String(); got != "start a, stop a" {
		t.Fatalf("in the end: %s", got)
	}
}

func TestHungServicesKeepNobodyFromTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &notes{}
		release := make(chan struct{})
		hung := func(context.Context) error { <-release; return nil }
		slow := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		lasts := map[string]time.Duration{}
		timed := func(name string, stop func(context.Context) error) *part {
			return &part{name: name, notes: n, onStop: func(ctx context.Context) error {
				if stop != nil {
					return stop(ctx)
				}
				began := now()
				deadline, _ := ctx.Deadline()
				lasts[name] = deadline.Sub(began)
				return nil
			}}
		}
		running, err := fleet.Start(t.Context(), timed("store", nil), timed("slow", slow), timed("jobs", nil), timed("hung", hung))
		if err != nil {
			t.Fatal(err)
		}
		began := now()
		err = running.Stop(5 * time.Second)
		took := now().Sub(began)
		close(release)
		if took > 5*time.Second || took < 4*time.Second {
			t.Fatalf("the stop took %s", took)
		}
		if !errors.Is(err, fleet.ErrHung) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "stop hung") {
			t.Fatalf("got %v", err)
		}
		if got := n.String(); !slices.Equal(strings.Split(got, ", ")[4:], []string{"stop hung", "stop jobs", "stop slow", "stop store"}) {
			t.Fatalf("in the end: %s", got)
		}
		for name, last := range lasts {
			if last < 100*time.Millisecond {
				t.Errorf("%s was left %s", name, last)
			}
		}
		if err := running.Stop(time.Second); err != nil {
			t.Fatalf("a second stop: %v", err)
		}
	})
}
