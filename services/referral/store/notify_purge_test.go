package store_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/referral/notify"
	"huhang.example/services/referral/store"
)

func (r *rig) rows(table string) (n int) {
	r.t.Helper()
	err := r.db.Read(r.t.Context(), func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n)
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

// What was delivered goes when its time is over, batch by batch, and so do notices; what waits or is dead stays.
func TestPurge(t *testing.T) {
	receiver := &played{}
	eachRig(t, func() notify.Post { receiver = &played{}; return receiver }, func(t *testing.T, r *rig) {
		day := 24 * time.Hour
		refuse := false
		receiver.answer = func(notify.Message) (notify.Answer, error) {
			if refuse {
				return notify.Answer{Outcome: notify.Refused, Status: 500}, nil
			}
			return notify.Answer{Outcome: notify.Delivered, Status: 200}, nil
		}
		e := r.endpoint(hospital)
		for n := range 6 {
			r.caseOf(n + 1)
		}
		r.happens(r.caseOf(7).ID, "SUBMITTED", nil) // the desk is told
		r.run(e)
		if n := r.rows("notify_delivery WHERE status = 'DELIVERED'"); n != 8 {
			t.Fatalf("%d were delivered", n)
		}
		refuse = true
		r.caseOf(8) // will be dead
		r.caseOf(9)
		r.run(e)
		if err := r.kept.Drop(t.Context(), e.ID); err != nil { // what was tried is dead
			t.Fatal(err)
		}
		r.watch() // the inboxes
		dead, notices := r.rows("notify_delivery WHERE status = 'DEAD'"), r.rows("notify_notice")
		if dead == 0 || notices == 0 {
			t.Fatal("nothing is dead, or nobody was told")
		}
		left := func(delivered, attempts bool, told int) {
			t.Helper()
			if n := r.rows("notify_delivery WHERE status = 'DELIVERED'"); (n > 0) != delivered {
				t.Errorf("%d delivered are left", n)
			}
			if n := r.rows("notify_attempt WHERE delivery_id IN (SELECT id FROM notify_delivery WHERE status = 'DEAD')"); n == 0 {
				t.Error("a dead letter lost its attempts")
			}
			if n := r.rows("notify_attempt WHERE delivery_id NOT IN (SELECT id FROM notify_delivery WHERE status = 'DEAD')"); (n > 0) != attempts {
				t.Errorf("%d attempts are left", n)
			}
			if n := r.rows("notify_delivery WHERE status = 'DEAD'"); n != dead {
				t.Errorf("%d dead letters of %d", n, dead)
			}
			if n := r.rows("notify_notice"); n != told {
				t.Errorf("%d notices, want %d", n, told)
			}
		}
		purge := func() {
			t.Helper()
			if err := r.use.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		r.clock.Advance(time.Duration(r.use.Rules.KeepDeliveredDays)*day - time.Hour)
		purge()
		left(true, true, notices)
		r.clock.Advance(2 * time.Hour)
		// By batches: no transaction takes more than it is told to.
		before := r.clock.Now().Add(-time.Duration(r.use.Rules.KeepDeliveredDays) * day)
		if more, err := r.kept.Purge(t.Context(), before, before.Add(-time.Hour), 3); err != nil || !more || r.rows("notify_delivery WHERE status = 'DELIVERED'") != 5 {
			t.Errorf("a batch of 3 of 8: %t, %v", more, err)
		}
		purge()
		left(false, false, notices)
		r.clock.Advance(time.Duration(r.use.Rules.KeepNoticesDays) * day)
		r.happens(r.caseOf(10).ID, "SUBMITTED", nil)
		r.watch()
		fresh := r.rows("notify_notice") - notices
		purge()
		left(false, false, fresh)
	})
}

// However many create endpoints at the same instant, of however many instances, an organisation gets as many as it may have.
func TestTheBoundOfEndpointsIsExact(t *testing.T) {
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
		instances := []*rig{newRig(t, sqldbtest.Open(t, dsn, store.Migrations), nil, &played{})}
		if instances[0].db.Engine() == sqldb.Postgres { // a file of SQLite has one
			for range 3 {
				instances = append(instances, newRig(t, sqldbtest.Open(t, dsn, store.Migrations), nil, &played{}))
			}
		}
		var wait sync.WaitGroup
		var made atomic.Int32
		start := make(chan struct{})
		for n := range 40 {
			r := instances[n%len(instances)]
			wait.Go(func() {
				<-start
				_, _, err := r.use.CreateEndpoint(as(t, hospital, access.Coordinator), notify.Decision{URL: "https://his.example.cn/hook"})
				switch {
				case err == nil:
					made.Add(1)
				case !fault.Is(err, fault.WebhookLimit):
					t.Error(err)
				}
			})
		}
		close(start)
		wait.Wait()
		if n := instances[0].rows("notify_endpoint"); made.Load() != notify.MaxEndpoints || n != notify.MaxEndpoints {
			t.Errorf("%d made, there are %d", made.Load(), n)
		}
	})
}
