package cli_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

// A watched list is shown again when something happens and each minute, over a line that goes away and comes back, and ends
// with Ctrl-C.
func TestWatch(t *testing.T) {
	l := sampleLine()
	p := l.serve(t)
	fake := clock.NewFake(noon)
	p.Clock, p.Terminal = fake, true
	var opened atomic.Int32
	events := make(chan struct{})
	l.on("GET /v1/events:follow", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("from_now") != "true" {
			t.Errorf("what was is read too: %s", r.URL)
		}
		opened.Add(1)
		for {
			select {
			case <-r.Context().Done():
				return
			case _, open := <-events:
				if !open {
					return
				}
				_, _ = w.Write([]byte(`{"result": {"event": {"referralId": "` + firstCase + `", "entry": {"kind": "SUBMITTED"}}}}` + "\n"))
				_ = http.NewResponseController(w).Flush()
			}
		}
	})
	list := l.say["GET /v1/worklists/WORKLIST_KIND_FOR_REVIEW"].(*referralv1.ListWorklistResponse)
	show := func(n int) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.say["GET /v1/worklists/WORKLIST_KIND_FOR_REVIEW"] = &referralv1.ListWorklistResponse{Referrals: list.GetReferrals()[:n]}
	}
	show(0)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	ended := make(chan int, 1)
	go func() { ended <- p.start(ctx, "worklist", "for-review", "--watch") }()
	// last is what the screen shows now: all after it was cleared.
	last := func() string { return p.out.String()[strings.LastIndex(p.out.String(), "\x1b[2J")+1:] }
	await := func(what string, is func() bool) {
		t.Helper()
		sqldbtest.Eventually(t, what, func() bool { return is() })
	}
	// step lets time pass once somebody waits for it.
	step := func(d time.Duration, what string, is func() bool) {
		t.Helper()
		await(what, func() bool {
			if is() {
				return true
			}
			fake.Advance(d)
			return false
		})
	}
	await("the list is shown and the feed is open", func() bool { return strings.Contains(last(), "No cases.") && opened.Load() == 1 })
	show(1)
	events <- struct{}{}
	step(100*time.Millisecond, "a case came", func() bool { return strings.Contains(last(), firstCase) })
	show(2)
	step(10*time.Second, "shown again though nothing happened", func() bool { return strings.Contains(last(), secondCase) })

	l.on("GET /v1/worklists/WORKLIST_KIND_FOR_REVIEW", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"code": 14, "message": "away"}`))
	})
	close(events) // the feed breaks, too
	step(10*time.Second, "it says that the line is away", func() bool { return strings.Contains(p.err.String(), "The line is away") })
	if !strings.Contains(last(), secondCase) {
		t.Errorf("what was shown is gone while the line is away:\n%s", last())
	}
	l.on("GET /v1/worklists/WORKLIST_KIND_FOR_REVIEW", nil)
	show(0)
	step(time.Second, "the line is back", func() bool { return strings.Contains(last(), "No cases.") && opened.Load() > 1 })
	interrupt()
	if exit := <-ended; exit != 130 {
		t.Errorf("exit %d %s", exit, p.err)
	}
}
