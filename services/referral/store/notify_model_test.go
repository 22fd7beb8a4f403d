package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/referral"
	"huhang.example/services/referral/notify"
	"huhang.example/services/referral/store"
)

// hook is what a receiver knows of a message.
type hook struct {
	endpoint, id, subject string
	sequence              int64
	body                  string
}

// Receivers that answer, refuse, are away, or take a message whose sender is then killed, over a long history at random:
// in the end each has every event at least once, under one id and with one body, and the first sight of a case's events in
// order but for what had died and was replayed.
func TestDeliveryModel(t *testing.T) {
	receiver := &played{}
	eachRig(t, func() notify.Post { receiver = &played{}; return receiver }, func(t *testing.T, r *rig) {
		for seed := range uint64(3) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) { history(t, r, receiver, seed) })
		}
	})
}

func history(t *testing.T, r *rig, receiver *played, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 7))
	var lock sync.Mutex // of random, received and kill: receivers run side by side
	var received []hook
	kill, mood, kills := func() {}, map[string]int{}, 0
	receiver.answer = func(m notify.Message) (notify.Answer, error) {
		lock.Lock()
		defer lock.Unlock()
		took := func() {
			var e struct {
				Subject string
				Data    struct{ Sequence int64 }
			}
			if err := json.Unmarshal(m.Body, &e); err != nil {
				t.Error(err)
			}
			received = append(received, hook{m.URL, m.ID, e.Subject, e.Data.Sequence, string(m.Body)})
		}
		switch n := random.IntN(100); {
		case n < mood[m.URL]:
			return notify.Answer{Outcome: notify.Outcomes[1+random.IntN(2)], Status: 500, RetryAfter: time.Duration(random.IntN(200)) * time.Second}, nil
		case n < mood[m.URL]+mood[m.URL]/8:
			took()
			kills++
			kill() // the receiver has it; nobody records that
			return notify.Answer{Outcome: notify.Delivered, Status: 200}, nil
		}
		took()
		return notify.Answer{Outcome: notify.Delivered, Status: 200}, nil
	}
	run := func(e *notify.Endpoint) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		lock.Lock()
		kill = cancel
		lock.Unlock()
		r.watch()
		if err := r.use.Run(ctx, e.ID); err != nil && ctx.Err() == nil {
			t.Fatal(err)
		}
	}
	endpoints := []*notify.Endpoint{r.endpoint(hospital), r.endpoint(hospital)}
	for i, e := range endpoints {
		lock.Lock()
		endpoints[i].URL = fmt.Sprintf("https://his.example.cn/%d/%d", seed, i)
		lock.Unlock()
		if _, err := r.kept.UpdateEndpoint(t.Context(), e.ID, func(kept *notify.Endpoint) error { kept.URL = e.URL; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	var cases []*referral.Referral
	events := 0
	for range 60 {
		switch n := random.IntN(10); {
		case n == 0 && len(cases) < 5 || len(cases) == 0:
			cases = append(cases, r.caseOf(int(seed)*100+len(cases)+1))
			events++
		case n < 5:
			r.happens(cases[random.IntN(len(cases))].ID, "OFFER_REMINDED", nil)
			events++
		case n < 7:
			lock.Lock()
			mood[endpoints[random.IntN(2)].URL] = random.IntN(95)
			lock.Unlock()
		default:
			r.clock.Advance(time.Duration(random.IntN(300)) * time.Second)
		}
		run(endpoints[random.IntN(2)])
	}
	lock.Lock()
	clear(mood)
	lock.Unlock()
	replayed := map[string]bool{}
	for _, e := range endpoints {
		for i := 0; ; i++ {
			for _, d := range r.deliveries(e, notify.Dead) {
				replayed[d.ID] = true
				if _, err := r.kept.UpdateDelivery(t.Context(), d.ID, func(d *notify.Delivery) error { return d.Replay(r.clock.Now()) }); err != nil {
					t.Fatal(err)
				}
			}
			run(e)
			r.clock.Advance(time.Hour)
			if len(r.deliveries(e, notify.Pending))+len(r.deliveries(e, notify.Dead)) == 0 {
				break
			}
			if i > 200 {
				t.Fatalf("seed %d: %d wait for ever", seed, len(r.deliveries(e, notify.Pending)))
			}
		}
		check(t, r, e, received, events, replayed)
	}
	t.Logf("seed %d: %d events, %d received, %d killed, %d replayed", seed, events, len(received), kills, len(replayed))
}

func check(t *testing.T, r *rig, e *notify.Endpoint, received []hook, events int, replayed map[string]bool) {
	t.Helper()
	ids, bodies, last := map[string]string{}, map[string]string{}, map[string]int64{}
	for _, h := range received {
		if h.endpoint != e.URL {
			continue
		}
		event := fmt.Sprintf("%s-%d", h.subject, h.sequence)
		_, seen := ids[event]
		if seen && (ids[event] != h.id || bodies[h.id] != h.body) {
			t.Fatalf("%s came as %s and as %s", event, ids[event], h.id)
		}
		ids[event], bodies[h.id] = h.id, h.body
		if seen || replayed[h.id] {
			continue
		}
		if h.sequence <= last[h.subject] {
			t.Fatalf("%s was first seen after %d", event, last[h.subject])
		}
		last[h.subject] = h.sequence
	}
	if len(ids) != events || len(bodies) != events {
		t.Fatalf("%d of %d events under %d ids", len(ids), events, len(bodies))
	}
	if n := len(r.deliveries(e, notify.Done)); n != events {
		t.Fatalf("%d of %d recorded as delivered", n, events)
	}
}

// A receiver that hangs holds its own lane. The control: with one place for all lanes, it holds everybody's.
func TestASlowReceiverDelaysNobody(t *testing.T) {
	for name, places := range map[string]int{"bulkhead": 0, "control": 1} {
		t.Run(name, func(t *testing.T) {
			sqldbtest.Each(t, store.Migrations, func(t *testing.T, db *sqldb.DB) {
				hung, release, once := make(chan struct{}), make(chan struct{}), sync.Once{}
				fast := &played{}
				post := sendFunc(func(ctx context.Context, m notify.Message) (notify.Answer, error) {
					if m.URL == "https://his.example.cn/slow" {
						once.Do(func() { close(hung) })
						select {
						case <-release:
						case <-ctx.Done():
						}
						return notify.Answer{Outcome: notify.Timeout}, nil
					}
					return fast.Send(ctx, m)
				})
				r := newRig(t, db, nil, post)
				r.use.Rules.DeadlineSeconds = 25
				slow := r.endpoint(hospital)
				if _, err := r.kept.UpdateEndpoint(t.Context(), slow.ID, func(e *notify.Endpoint) error { e.URL = "https://his.example.cn/slow"; return nil }); err != nil {
					t.Fatal(err)
				}
				w := sqldb.NewWorkers()
				store.HandleNotify(w, r.use, func(_ context.Context, job string, err error) { t.Logf("%s: %v", job, err) })
				if places > 0 {
					w.Queue("notify", places)
				}
				if err := db.StartJobs(t.Context(), w); err != nil {
					t.Fatal(err)
				}
				c := r.caseOf(1)
				<-hung
				r.endpoint(hospital)
				r.happens(c.ID, "SUBMITTED", nil)
				if places > 0 {
					sqldbtest.Eventually(t, "the watch has seen the event", func() bool {
						n, err := r.kept.Told(t.Context())
						return err == nil && n == 2
					})
					if n := len(fast.ids()); n != 0 {
						t.Errorf("the control shows nothing: %d delivered beside the one that hangs", n)
					}
					close(release)
				}
				sqldbtest.Eventually(t, "the other endpoint gets its message", func() bool { return len(fast.ids()) == 1 })
				if places == 0 {
					close(release)
				}
			})
		})
	}
}

type sendFunc func(ctx context.Context, m notify.Message) (notify.Answer, error)

func (f sendFunc) Send(ctx context.Context, m notify.Message) (notify.Answer, error) {
	return f(ctx, m)
}
