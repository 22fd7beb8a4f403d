package store_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/sealing"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/referral/notify"
	"huhang.example/services/referral/peers/webhook"
	"huhang.example/services/referral/store"
)

// senderEnv tells a process of the test its database; senderEnv_KEYS where the secrets' keys are.
const senderEnv = "HUHANG_TEST_SENDER"

// sending is notices and webhooks over a database, with real messages to this machine.
func sending(db *sqldb.DB, keys string) (*notify.Service, error) {
	cipher, err := sealing.Open(keys)
	if err != nil {
		return nil, err
	}
	addresses := notify.Addresses{LoopbackHTTP: true}
	return notify.New(notify.Parts{
		Store: store.NewNotify(db), Feed: store.New(db), Cases: &feed{db: db}, Clock: clock.System(), IDs: id.Random(),
		Post: webhook.New(webhook.Config{Addresses: addresses, Tracer: otel.Tracer("test"), Clock: clock.System()}),
	}, notify.Config{Source: "urn:test", Rules: notify.DefaultRules(), Table: notify.DefaultTable(), Cipher: cipher, Random: rand.Reader, Addresses: addresses}), nil
}

// TestSenderChild is a process that sends until it is killed, and nothing when it is run as a test.
func TestSenderChild(t *testing.T) {
	dsn := os.Getenv(senderEnv)
	if dsn == "" {
		return
	}
	db, err := sqldb.Open(t.Context(), sqldb.Config{DSN: dsn, Service: "referral", Instance: "sender-1", PollInterval: 50 * time.Millisecond, MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	use, err := sending(db, os.Getenv(senderEnv+"_KEYS"))
	if err != nil {
		t.Fatal(err)
	}
	w := sqldb.NewWorkers()
	store.HandleNotify(w, use, func(_ context.Context, job string, err error) { fmt.Fprintln(os.Stderr, job, err) })
	if err := db.StartJobs(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	select {}
}

// deadly is a receiver in front of which the sender is killed with -9: as it has sent and before anything is kept, as it was
// kept and before that is answered, and as it was answered. What it kept is in the order in which it came first.
type deadly struct {
	mu     sync.Mutex
	sender *os.Process
	every  int
	kills  int
	most   int
	seen   int
	bodies map[string]string  // by id
	first  map[string][]int64 // by case: sequences in the order of their first keeping
	twice  int
	wrong  []string
}

func (d *deadly) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	d.mu.Lock()
	defer d.mu.Unlock()
	var e struct {
		ID, Subject string
		Data        struct{ Sequence int64 }
	}
	if err == nil {
		err = json.Unmarshal(body, &e)
	}
	if err != nil {
		d.wrong = append(d.wrong, err.Error())
		return
	}
	d.seen++
	kill := d.kills < d.most && d.seen%d.every == 0
	if kill {
		d.kills++
		if d.kills%3 == 1 { // nothing was kept
			_ = d.sender.Kill()
			panic(http.ErrAbortHandler)
		}
	}
	message := r.Header.Get("webhook-id")
	if before, kept := d.bodies[message]; !kept {
		d.bodies[message] = string(body)
		d.first[e.Subject] = append(d.first[e.Subject], e.Data.Sequence)
	} else if d.twice++; before != string(body) {
		d.wrong = append(d.wrong, "another body under "+message)
	}
	if kill {
		if d.kills%3 == 2 { // kept, and not answered
			_ = d.sender.Kill()
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		_ = d.sender.Kill() // answered, perhaps not recorded
	}
}

// TestSenderKilled kills the process that sends, again and again, and holds what the receiver kept to the promise: every event at
// least once, under one id with one body, a case's in their order.
func TestSenderKilled(t *testing.T) {
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) { senderKilled(t, dsn, 6, 5) })
}

func senderKilled(t *testing.T, dsn string, kills, cases int) {
	const perCase = 6
	db := sqldbtest.Open(t, dsn, store.Migrations)
	keys := t.TempDir()
	use, err := sending(db, keys)
	if err != nil {
		t.Fatal(err)
	}
	receiver := &deadly{every: 4, most: kills, bodies: map[string]string{}, first: map[string][]int64{}}
	server := httptest.NewServer(receiver)
	defer server.Close()
	r := &rig{t: t, db: db, feed: &feed{db: db}, use: use, kept: store.NewNotify(db)}
	e, _, err := use.CreateEndpoint(as(t, hospital, "coordinator"), notify.Decision{URL: server.URL + "/hook"})
	if err != nil {
		t.Fatal(err)
	}
	for n := range cases {
		c := r.caseOf(n + 1)
		for range perCase - 1 {
			r.happens(c.ID, "NUMBER_ADDED", nil)
		}
	}
	all := func() bool {
		receiver.mu.Lock()
		defer receiver.mu.Unlock()
		return len(receiver.bodies) == cases*perCase && receiver.kills == kills
	}
	for !all() {
		p := exec.Command(os.Args[0], "-test.run=^TestSenderChild$")
		p.Env = append(os.Environ(), senderEnv+"="+dsn, senderEnv+"_KEYS="+keys)
		p.Stderr = t.Output()
		receiver.mu.Lock()
		if err := p.Start(); err != nil {
			receiver.mu.Unlock()
			t.Fatal(err)
		}
		receiver.sender = p.Process
		receiver.mu.Unlock()
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_ = p.Wait() // killed
		}()
		sqldbtest.Eventually(t, "the sender is killed, or has sent everything", func() bool {
			select {
			case <-gone:
				return true
			default:
				return all() && r.rows("notify_delivery WHERE status <> 'DELIVERED'") == 0
			}
		})
		_ = p.Process.Kill()
		<-gone
	}
	receiver.mu.Lock()
	defer receiver.mu.Unlock()
	if len(receiver.wrong) > 0 || len(receiver.first) != cases {
		t.Errorf("%v, %d cases", receiver.wrong, len(receiver.first))
	}
	for subject, sequences := range receiver.first {
		for i, n := range sequences {
			if n != int64(i+1) {
				t.Errorf("%s came as %v", subject, sequences)
				break
			}
		}
	}
	if n, err := r.kept.Waiting(t.Context(), e.ID, 1000); err != nil || n > 0 {
		t.Errorf("%d still wait, %v", n, err)
	}
	t.Logf("%d messages, %d kills, %d came twice", len(receiver.bodies), receiver.kills, receiver.twice)
}
