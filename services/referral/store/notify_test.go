package store_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/sealing"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/referral"
	"huhang.example/services/referral/notify"
	"huhang.example/services/referral/store"
)

// rig is notices and webhooks over a database, a feed that tests write, and a receiver that they play.
type rig struct {
	t     *testing.T
	db    *sqldb.DB
	clock *clock.Fake
	feed  *feed
	use   *notify.Service
	kept  *store.Notify
	post  notify.Post
}

const hospital, other = "H-HF-01", "H-NC-01"

func as(t *testing.T, organisation string, role access.Role) context.Context {
	return access.With(t.Context(), access.Caller{Subject: "li", Organisation: organisation, Roles: []access.Role{role}})
}

func newRig(t *testing.T, db *sqldb.DB, now *clock.Fake, post notify.Post) *rig {
	t.Helper()
	cipher, err := sealing.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, db: db, clock: now, feed: &feed{db: db}, kept: store.NewNotify(db), post: post}
	c := clock.System()
	if now != nil {
		c = now
	}
	r.use = notify.New(notify.Parts{Store: r.kept, Feed: store.New(db), Cases: r.feed, Post: post, Clock: c, IDs: id.NewSource(c, rand.Reader)},
		notify.Config{Source: "urn:test", Rules: notify.DefaultRules(), Table: notify.DefaultTable(), Cipher: cipher, Random: rand.Reader})
	return r
}

func eachRig(t *testing.T, post func() notify.Post, test func(t *testing.T, r *rig)) {
	start := time.Date(2026, 11, 29, 2, 0, 0, 0, time.UTC)
	for engine, dsn := range map[string]func(testing.TB) string{sqldb.SQLite: sqldbtest.SQLite, sqldb.Postgres: sqldbtest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			now := clock.NewFake(start)
			test(t, newRig(t, sqldbtest.Open(t, dsn(t), store.Migrations, sqldbtest.Clock(now)), now, post()))
		})
	}
}

// feed writes the case's own tables, as a case's store does, and answers for cases.
type feed struct {
	db    *sqldb.DB
	mu    sync.Mutex
	cases map[string]*referral.Referral
}

func (f *feed) GetReferral(ctx context.Context, referralID string) (*referral.Referral, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, there := f.cases[referralID]
	if !there || !r.VisibleTo(access.From(ctx)) {
		return nil, fault.NotFoundf("referral", referralID)
	}
	return r, nil
}

// caseOf makes a case of a hospital's, with a center that was asked, through the case's own store.
func (r *rig) caseOf(n int) *referral.Referral {
	r.t.Helper()
	c := &referral.Referral{
		ID: fmt.Sprintf("ref_%026d", n), PatientID: fmt.Sprintf("pat_%026d", n), Organ: "LIVER", Urgency: "ROUTINE", Referrer: hospital, State: referral.Draft,
	}
	c.Remark("CREATED", referral.Act{By: access.Caller{Organisation: hospital}, At: r.use.Clock.Now()})
	if err := store.New(r.db).Create(r.t.Context(), c); err != nil {
		r.t.Fatal(err)
	}
	r.feed.mu.Lock()
	defer r.feed.mu.Unlock()
	if r.feed.cases == nil {
		r.feed.cases = map[string]*referral.Referral{}
	}
	r.feed.cases[c.ID] = c
	return c
}

// happens writes an entry of a case.
func (r *rig) happens(referralID, kind string, change func(c *referral.Referral)) {
	r.t.Helper()
	updated, err := store.New(r.db).Update(r.t.Context(), referralID, "", func(c *referral.Referral) error {
		if change != nil {
			change(c)
		}
		c.Remark(kind, referral.Act{By: access.Caller{Service: "matching"}, At: r.use.Clock.Now(), Trace: strings.Repeat("ab", 16)})
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.feed.mu.Lock()
	defer r.feed.mu.Unlock()
	r.feed.cases[referralID] = updated
}

func (r *rig) endpoint(organisation string, types ...string) *notify.Endpoint {
	r.t.Helper()
	e, secret, err := r.use.CreateEndpoint(as(r.t, organisation, access.Coordinator), notify.Decision{URL: "https://his.example.cn/" + strings.ToLower(organisation), Types: types})
	if err != nil || !strings.HasPrefix(secret, "whsec_") {
		r.t.Fatal(secret, err)
	}
	return e
}

// played is a receiver: it answers what the test says, and remembers what it took.
type played struct {
	mu     sync.Mutex
	answer func(m notify.Message) (notify.Answer, error)
	got    []notify.Message
}

func (p *played) Send(_ context.Context, m notify.Message) (notify.Answer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, err := notify.Answer{Outcome: notify.Delivered, Status: 200}, error(nil)
	if p.answer != nil {
		a, err = p.answer(m)
	}
	if a.Outcome == notify.Delivered {
		p.got = append(p.got, m)
	}
	return a, err
}

func (p *played) ids() (ids []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.got {
		ids = append(ids, m.ID)
	}
	return ids
}

func (r *rig) watch() {
	r.t.Helper()
	if err := r.use.Watch(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) run(e *notify.Endpoint) {
	r.t.Helper()
	r.watch()
	if err := r.use.Run(r.t.Context(), e.ID); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) deliveries(e *notify.Endpoint, s notify.DeliveryStatus) []*notify.Delivery {
	r.t.Helper()
	list, _, err := r.kept.Deliveries(r.t.Context(), notify.DeliveryQuery{EndpointID: e.ID, Status: s}, "", 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	slices.Reverse(list)
	return list
}

// An endpoint gets what its organisation finds on its feed from its making on, of the types it wants, once and in order.
func TestDeliveredAreTheFeedsEvents(t *testing.T) {
	receiver := &played{}
	eachRig(t, func() notify.Post { receiver = &played{}; return receiver }, func(t *testing.T, r *rig) {
		before := r.caseOf(1)
		all, some, foreign := r.endpoint(hospital), r.endpoint(hospital, "cn.huhang.referral.offer.created.v1"), r.endpoint(other)
		r.happens(before.ID, "SUBMITTED", nil)
		r.happens(before.ID, "OFFER_CREATED", nil)
		r.caseOf(2)
		for _, e := range []*notify.Endpoint{all, some, foreign} {
			r.run(e)
			r.run(e)
		}
		var types []string
		for _, d := range r.deliveries(all, notify.Done) {
			types = append(types, strings.TrimPrefix(d.Type, "cn.huhang.referral."))
		}
		if got := strings.Join(types, " "); got != "case.submitted.v1 offer.created.v1 case.created.v1" {
			t.Errorf("all: %s", got)
		}
		if n, m := len(r.deliveries(some, "")), len(r.deliveries(foreign, "")); n != 1 || m != 0 || len(receiver.got) != 4 {
			t.Errorf("some %d, foreign %d, received %d", n, m, len(receiver.got))
		}
		for _, m := range receiver.got {
			if !strings.HasPrefix(m.Signature, "v1,") || m.TraceParent != "" && !strings.HasPrefix(m.TraceParent, "00-abab") {
				t.Errorf("%+v", m)
			}
		}
		// A paused endpoint loses nothing.
		paused, err := r.use.UpdateEndpoint(as(t, hospital, access.Coordinator), all.ID, all.Etag(), notify.Decision{URL: all.URL, Pause: true}, false)
		if err != nil {
			t.Fatal(err)
		}
		r.happens(before.ID, "MATCHED", nil)
		r.run(all)
		if n := len(r.deliveries(all, "")); n != 3 {
			t.Errorf("paused, and it has %d messages", n)
		}
		if _, err := r.use.UpdateEndpoint(as(t, hospital, access.Coordinator), all.ID, paused.Etag(), notify.Decision{URL: all.URL}, false); err != nil {
			t.Fatal(err)
		}
		r.run(all)
		if list := r.deliveries(all, notify.Done); len(list) != 4 || list[3].Type != "cn.huhang.referral.case.matched.v1" {
			t.Errorf("after the pause: %d", len(list))
		}
	})
}

// A message that is never taken dies within its time and keeps only its own case waiting; it is seen, and sent again under
// its id.
func TestDeadLetters(t *testing.T) {
	receiver := &played{}
	eachRig(t, func() notify.Post { receiver = &played{}; return receiver }, func(t *testing.T, r *rig) {
		e := r.endpoint(hospital)
		poison, good := r.caseOf(1), r.caseOf(2)
		bad := true
		receiver.answer = func(m notify.Message) (notify.Answer, error) {
			if bad && strings.Contains(string(m.Body), poison.ID+"-1\"") {
				return notify.Answer{Outcome: notify.Refused, Status: 500}, nil
			}
			return notify.Answer{Outcome: notify.Delivered, Status: 200}, nil
		}
		r.happens(poison.ID, "SUBMITTED", nil)
		r.run(e)
		if list := r.deliveries(e, notify.Done); len(list) != 1 || list[0].ReferralID != good.ID {
			t.Fatalf("delivered %d; the next of a case must wait, another case must not", len(list))
		}
		for range 80 {
			r.clock.Advance(time.Hour)
			r.run(e)
		}
		dead := r.deliveries(e, notify.Dead)
		if len(dead) != 1 || dead[0].ReferralID != poison.ID || dead[0].Attempts != 10 || dead[0].LastStatus != 500 {
			t.Fatalf("dead: %+v", dead)
		}
		if n := len(r.deliveries(e, notify.Done)); n != 2 {
			t.Fatalf("%d delivered after the poison is dead", n)
		}
		bad = false
		n, more, err := r.use.ReplayDead(as(t, hospital, access.Coordinator), e.ID, r.clock.Now().Add(-100*time.Hour))
		if err != nil || n != 1 || more {
			t.Fatalf("replayed %d %t %v", n, more, err)
		}
		r.run(e)
		d, attempts, err := r.use.GetDelivery(as(t, hospital, access.Coordinator), dead[0].ID)
		if err != nil || d.Status != notify.Done || len(attempts) != 11 || attempts[10].Outcome != notify.Delivered || d.Replays != 1 {
			t.Fatalf("%v %+v %d", err, d, len(attempts))
		}
		if ids := receiver.ids(); ids[len(ids)-1] != dead[0].ID {
			t.Fatalf("sent again as %s", ids[len(ids)-1])
		}
	})
}

// The inbox gets each notice once; whoever of a facility opens it first has opened it; the referring side sees when, not who.
func TestInbox(t *testing.T) {
	eachRig(t, func() notify.Post { return &played{} }, func(t *testing.T, r *rig) {
		c := r.caseOf(1)
		r.happens(c.ID, "MATCHED", nil)
		r.happens(c.ID, "CLOSED", func(c *referral.Referral) { c.CenterID = "C-SH-01" })
		r.watch()
		r.watch()
		mine, center := as(t, hospital, access.Coordinator), as(t, "C-SH-01", access.Center)
		list, _, unread, err := r.use.ListNotices(mine, false, "", "", 0)
		if err != nil || len(list) != 2 || unread != 2 || list[0].Code != "CASE_CLOSED" || list[1].Code != "CENTERS_TO_CHOOSE" {
			t.Fatalf("%v %d %d", err, len(list), unread)
		}
		theirs, _, _, err := r.use.ListNotices(center, true, "", "", 0)
		if err != nil || len(theirs) != 1 || theirs[0].Code != "CASE_CLOSED" {
			t.Fatalf("%v %d", err, len(theirs))
		}
		if _, _, err := r.use.OpenNotices(mine, []string{theirs[0].ID}); !fault.Is(err, fault.ReasonNotFound) {
			t.Fatalf("another facility's notice was opened: %v", err)
		}
		first := r.clock.Now()
		for range 2 {
			opened, left, err := r.use.OpenNotices(center, []string{theirs[0].ID})
			if err != nil || left != 0 || !opened[0].Opened.Equal(first) || opened[0].OpenedBy != "li" {
				t.Fatalf("%v %+v", err, opened)
			}
			r.clock.Advance(time.Minute)
		}
		seen, _, err := r.use.OfReferral(mine, c.ID)
		if err != nil || len(seen) != 2 || seen[0].Organisation != "C-SH-01" || !seen[0].Notices[0].Opened.Equal(first) || seen[0].Notices[0].OpenedBy != "" {
			t.Fatalf("%v %+v", err, seen)
		}
		if seen, _, err := r.use.OfReferral(center, c.ID); err != nil || len(seen) != 1 || seen[0].Organisation != "C-SH-01" {
			t.Fatalf("the center sees %v %+v", err, seen)
		}
		if seen, _, err := r.use.OfReferral(as(t, "OPS", access.Operations), c.ID); err != nil || seen[0].Notices[0].OpenedBy != "li" {
			t.Fatalf("operations see %v %+v", err, seen)
		}
		if _, _, err := r.use.OfReferral(as(t, other, access.Coordinator), c.ID); !fault.Is(err, fault.ReasonNotFound) {
			t.Fatalf("a stranger sees %v", err)
		}
	})
}

// What each refused call is answered with, and that it changed nothing.
func TestWebhookRefusals(t *testing.T) {
	eachRig(t, func() notify.Post { return &played{} }, func(t *testing.T, r *rig) {
		e := r.endpoint(hospital)
		mine, strange, desk := as(t, hospital, access.Coordinator), as(t, other, access.Coordinator), as(t, "OPS", access.Operations)
		d, err := r.use.SendTest(mine, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		ok := notify.Decision{URL: "https://his.example.cn/"}
		for name, c := range map[string]struct {
			want fault.Reason
			try  func() error
		}{
			"an inner address": {fault.EndpointRefused, func() error {
				_, _, err := r.use.CreateEndpoint(mine, notify.Decision{URL: "https://10.0.0.1/"})
				return err
			}},
			"a foreign endpoint":         {fault.ReasonNotFound, func() error { _, err := r.use.GetEndpoint(strange, e.ID); return err }},
			"a foreign update":           {fault.ReasonNotFound, func() error { _, err := r.use.UpdateEndpoint(strange, e.ID, e.Etag(), ok, false); return err }},
			"operations' update":         {fault.ReasonNotFound, func() error { _, err := r.use.UpdateEndpoint(desk, e.ID, e.Etag(), ok, false); return err }},
			"a stale update":             {fault.StaleVersion, func() error { _, err := r.use.UpdateEndpoint(mine, e.ID, "7", ok, false); return err }},
			"a stale rotation":           {fault.StaleVersion, func() error { _, _, err := r.use.RotateSecret(mine, e.ID, "7", nil); return err }},
			"a stale deletion":           {fault.StaleVersion, func() error { return r.use.DeleteEndpoint(mine, e.ID, "7") }},
			"a foreign test":             {fault.ReasonNotFound, func() error { _, err := r.use.SendTest(strange, e.ID); return err }},
			"a foreign delivery":         {fault.ReasonNotFound, func() error { _, _, err := r.use.GetDelivery(strange, d.ID); return err }},
			"a foreign replay":           {fault.ReasonNotFound, func() error { _, err := r.use.Replay(strange, d.ID); return err }},
			"a replay of one that waits": {fault.WrongState, func() error { _, err := r.use.Replay(mine, d.ID); return err }},
			"a foreign list of deliveries": {fault.ReasonNotFound, func() error {
				_, _, err := r.use.ListDeliveries(strange, notify.DeliveryQuery{EndpointID: e.ID}, "", 0)
				return err
			}},
			"another's endpoints": {fault.RightMissing, func() error { _, _, err := r.use.ListEndpoints(strange, hospital, "", 0); return err }},
			"a page of nothing":   {fault.InvalidPageToken, func() error { _, _, err := r.use.ListEndpoints(mine, "", "nonsense", 0); return err }},
		} {
			if err := c.try(); !fault.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if after, err := r.use.GetEndpoint(mine, e.ID); err != nil || after.Etag() != e.Etag() {
			t.Fatalf("%v %+v", err, after)
		}
		for range notify.MaxEndpoints - 1 {
			r.endpoint(hospital)
		}
		if _, _, err := r.use.CreateEndpoint(mine, ok); !fault.Is(err, fault.WebhookLimit) {
			t.Errorf("one too many: %v", err)
		}
		if err := r.use.DeleteEndpoint(mine, e.ID, e.Etag()); err != nil {
			t.Fatal(err)
		}
		if _, err := r.use.GetEndpoint(mine, e.ID); !fault.Is(err, fault.ReasonNotFound) {
			t.Errorf("deleted: %v", err)
		}
		r.run(e)
		off := notify.New(r.use.Parts, notify.Config{Rules: r.use.Rules, Table: r.use.Table})
		if _, _, err := off.CreateEndpoint(mine, ok); !fault.Is(err, fault.WebhooksOff) {
			t.Errorf("without keys: %v", err)
		}
	})
}
