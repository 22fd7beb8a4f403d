package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/audit"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/sampleline"
)

const (
	// A job that ran in a killed process starts again after more than a minute at worst, and a case may meet that more than once.
	patience  = 5 * time.Minute
	caseLimit = 10 * time.Minute
)

// storm drives cases over a fleet while its processes die and come back.
type storm struct {
	*processes
	t       *testing.T
	open    map[string]*sqldb.DB
	client  *sampleline.Client
	random  *rand.Rand
	serial  atomic.Int64
	stopped chan struct{}
	most    int // reservations that were live at once

	mu        sync.Mutex
	settled   []driven
	withdrawn []string
	failed    []error
	kills     map[string]int
}

type driven struct {
	*sampleline.Result
	took time.Duration
}

// victims are the processes that die; clients know the gateway's address, and it would be them who are cut off.
var victims = []string{"patient-1", "transfer-1", "settlement-treatment", "settlement-insured", "matching-1", "matching-2", "referral-1"}

func newStorm(t *testing.T, seed uint64) *storm {
	f := newFleet(t)
	f.serveLine("  rate_limit:\n    per_second: 5000\n    burst: 5000\n")
	open := map[string]*sqldb.DB{}
	for name, dsn := range f.databases {
		db, err := sqldb.Open(t.Context(), sqldb.Config{DSN: dsn, MaxConns: 3})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(db.Close)
		open[name] = db
	}
	return &storm{
		processes: f, t: t, open: open, random: rand.New(rand.NewPCG(seed, 1)), stopped: make(chan struct{}), kills: map[string]int{},
		client: &sampleline.Client{Base: f.base, HTTP: &http.Client{Timeout: 20 * time.Second}, Patience: patience, Clock: clock.System()},
	}
}

// run lets so many workers drive case after case while wreck runs, and waits for the cases under way.
func (s *storm) run(workers int, wreck func(ctx context.Context)) {
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for {
				s.one(int(s.serial.Add(1)))
				select {
				case <-s.stopped:
					return
				default:
				}
			}
		})
	}
	wreck(s.t.Context())
	close(s.stopped)
	all.Wait()
}

// wreckOnce kills one process and starts it again after a moment.
func (s *storm) wreckOnce(ctx context.Context, victim string) {
	s.kill(victim)
	s.kills[victim]++
	_ = clock.System().Sleep(ctx, time.Duration(s.random.IntN(1500))*time.Millisecond)
	s.again(victim)
	s.givenOnce()
}

// one drives one case to its bill; every fifth is withdrawn once its bed is held.
func (s *storm) one(serial int) {
	ctx, cancel := context.WithTimeout(s.t.Context(), caseLimit)
	defer cancel()
	started := clock.System().Now()
	withdraw := serial%5 == 0
	err := s.makeRoom(ctx, serial)
	d := &sampleline.Driver{Client: s.client, Clock: clock.System(), Out: &buffer{}, Key: fmt.Sprintf("storm-%08d", serial), Serial: serial}
	if withdraw {
		d.Until = "accepted"
	}
	result := &sampleline.Result{}
	if err == nil {
		result, err = d.Run(ctx)
	}
	if err == nil && withdraw {
		err = s.withdraw(ctx, result.ReferralID, serial)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		s.failed = append(s.failed, fmt.Errorf("case %d %s, after %s: %w\n%s", serial, result.ReferralID, clock.System().Now().Sub(started), err, d.Out))
	case withdraw:
		s.withdrawn = append(s.withdrawn, result.ReferralID)
	default:
		s.settled = append(s.settled, driven{result, clock.System().Now().Sub(started)})
	}
}

// makeRoom adds a bed and an operating room at each center that may be asked: the sample line has few.
func (s *storm) makeRoom(ctx context.Context, serial int) error {
	for _, center := range []string{"C-SH-01", "C-SH-02"} {
		staff, err := s.client.As(ctx, sampleline.Person{Subject: "center-sh-9", Organisation: center, Role: "center"})
		if err != nil {
			return err
		}
		for _, kind := range []transferv1.ResourceKind{transferv1.ResourceKind_RESOURCE_KIND_BED, transferv1.ResourceKind_RESOURCE_KIND_OPERATING_ROOM} {
			if err := staff.Do(ctx, http.MethodPost, "/v1/resources", &transferv1.AddResourceRequest{
				RequestId: fmt.Sprintf("storm-room-%s-%d-%d", center, kind, serial), Kind: kind, Label: fmt.Sprintf("示范 %d", serial),
			}, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *storm) withdraw(ctx context.Context, referralID string, serial int) error {
	desk, err := s.client.As(ctx, sampleline.Person{Subject: "desk-2", Organisation: "OPS", Role: "operations"})
	for attempt := 0; err == nil; attempt++ {
		var now referralv1.GetReferralResponse
		if err = desk.Do(ctx, http.MethodGet, "/v1/referrals/"+referralID, nil, &now); err != nil {
			break
		}
		err = desk.Do(ctx, http.MethodPost, "/v1/referrals/"+referralID+":close", &referralv1.CloseReferralRequest{
			RequestId: fmt.Sprintf("storm-withdraw-%d", serial), ReferralId: referralID, Etag: now.GetReferral().GetEtag(),
			Reason: referralv1.CloseReason_CLOSE_REASON_WITHDRAWN,
		}, nil)
		var refused *sampleline.Refused
		if errors.As(err, &refused) && refused.Reason == "STALE_VERSION" && attempt < 20 {
			err = nil // its own jobs moved it in between
			continue
		}
		break
	}
	return err
}

// check looks at everything the storm left; with rest, once the line's jobs have come to rest.
func (s *storm) check(rest bool) {
	t := s.t
	t.Helper()
	for _, err := range s.failed {
		t.Errorf("%v", err)
	}
	s.awaitReady(s.base)
	for name, db := range s.open {
		s.audited(name, db)
		if rest {
			s.rests(name, db)
		}
		if dead := s.count(db, `SELECT count(*) FROM river_job WHERE state = 'discarded'`); dead != 0 {
			t.Errorf("%s: %d jobs were given up", name, dead)
		}
	}
	for _, r := range s.settled {
		paysOnce(t, r.Statement)
	}
	s.balanced()
	s.holds(s.open["transfer"])
	s.report()
}

// rests waits until no job runs or is due.
func (s *storm) rests(name string, db *sqldb.DB) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for {
		at := clock.System().Now()
		busy := s.count(db, `SELECT count(*) FROM river_job WHERE state IN ('running', 'retryable', 'available') OR state = 'scheduled' AND scheduled_at <= $1`, at)
		if busy == 0 {
			break
		}
		if clock.System().Sleep(ctx, 100*time.Millisecond) != nil {
			s.t.Errorf("%s: %d jobs do not come to rest", name, busy)
			break
		}
	}
}

// audited verifies a service's audit log.
func (s *storm) audited(name string, db *sqldb.DB) {
	s.t.Helper()
	if _, err := audit.Extend(s.t.Context(), db); err != nil {
		s.t.Errorf("%s: %v", name, err)
	}
	v, err := audit.Verify(s.t.Context(), db, nil)
	if err != nil || v.Break != nil || v.Head.Size == 0 {
		s.t.Errorf("the audit log of %s: %d leaves, %v, %v", name, v.Head.Size, v.Break, err)
	}
}

func (s *storm) count(db *sqldb.DB, query string, args ...any) int {
	s.t.Helper()
	var n int
	if err := db.Read(s.t.Context(), func(ctx context.Context, q sqldb.Querier) error { return q.QueryRow(ctx, query, args...).Scan(&n) }); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// balanced asks that both sides' books balance and hold each bill once.
func (s *storm) balanced() {
	for _, province := range []string{"310000", "340000"} {
		agency, err := s.client.As(s.t.Context(), sampleline.Person{Subject: "agent-1", Organisation: "A-" + province, Province: province, Role: "agency"})
		if err != nil {
			s.t.Fatal(err)
		}
		var got settlementv1.GetTrialBalanceResponse
		if err := agency.Do(s.t.Context(), http.MethodGet, "/v1/ledger:trialBalance?province="+province, nil, &got); err != nil {
			s.t.Fatal(err)
		}
		if got.GetDifference().GetFen() != 0 || len(got.GetAccounts()) < 2 {
			s.t.Errorf("%s: difference %d over %d accounts", province, got.GetDifference().GetFen(), len(got.GetAccounts()))
		}
	}
	for side, query := range map[string]string{
		"treatment": `SELECT count(*) FROM settlement WHERE NOT reversed`,
		"insured":   `SELECT count(*) FROM message WHERE kind = 'COMMIT' AND status = 'COMMITTED'`,
	} {
		if n := s.count(s.open[side], query); n != len(s.settled) {
			s.t.Errorf("%s: %d settlements of %d bills", side, n, len(s.settled))
		}
		if n := s.count(s.open[side], `SELECT count(*) FROM ledger_entry WHERE kind = 'settlement'`); n != len(s.settled) {
			s.t.Errorf("%s: %d ledger entries of %d bills", side, n, len(s.settled))
		}
	}
}

// holds asks that a hold lives only while its case needs it, and that each case had its own.
func (s *storm) holds(pool *sqldb.DB) {
	// A discharge or a withdrawal frees the units by a job of the case.
	ended := len(s.settled) + len(s.withdrawn)
	sqldbtest.Eventually(s.t, "each case that ended has freed its hold", func() bool {
		return s.count(pool, `SELECT count(*) FROM hold WHERE status = 'RELEASED'`) >= ended
	})
	type hold struct{ id, referral, status string }
	var live []hold
	if err := pool.Read(s.t.Context(), func(ctx context.Context, q sqldb.Querier) error {
		live = nil
		rows, err := q.Query(ctx, `SELECT hold_id, referral_id, status FROM hold WHERE status IN ('HELD', 'CONFIRMED')`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var h hold
			if err := rows.Scan(&h.id, &h.referral, &h.status); err != nil {
				return err
			}
			live = append(live, h)
		}
		return rows.Err()
	}); err != nil {
		s.t.Fatal(err)
	}
	desk, err := s.client.As(s.t.Context(), sampleline.Person{Subject: "desk-2", Organisation: "OPS", Role: "operations"})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range live {
		var got referralv1.GetReferralResponse
		if err := desk.Do(s.t.Context(), http.MethodGet, "/v1/referrals/"+h.referral, nil, &got); err != nil {
			s.t.Fatal(err)
		}
		if c := got.GetReferral(); c.GetHoldId() != h.id || c.GetState() < referralv1.State_STATE_ACCEPTED || c.GetState() > referralv1.State_STATE_SURGERY {
			s.t.Errorf("hold %s is %s; its case %s is %s and has hold %q", h.id, h.status, h.referral, c.GetState(), c.GetHoldId())
		}
	}
	if len(live) > len(s.failed) {
		s.t.Errorf("%d live holds, and %d cases that did not end", len(live), len(s.failed))
	}
}

// givenOnce asks that no unit is given to two at once, in the middle of it all.
func (s *storm) givenOnce() {
	if n := s.count(s.open["transfer"], `SELECT count(*) FROM reservation a JOIN reservation b ON a.resource_id = b.resource_id
		AND (a.hold_id, a.position) < (b.hold_id, b.position) AND a.start_at < b.end_at AND b.start_at < a.end_at WHERE a.live AND b.live`); n != 0 {
		s.t.Errorf("%d units are given twice", n)
	}
	s.most = max(s.most, s.count(s.open["transfer"], `SELECT count(*) FROM reservation WHERE live`))
}

func (s *storm) report() {
	took := make([]time.Duration, 0, len(s.settled))
	for _, r := range s.settled {
		took = append(took, r.took)
	}
	slices.Sort(took)
	kills := 0
	for _, n := range s.kills {
		kills += n
	}
	if len(took) == 0 || kills == 0 || s.most == 0 {
		s.t.Fatalf("%d cases, %d kills, %d reservations at once: nothing was shown", len(took), kills, s.most)
	}
	at := func(share float64) time.Duration {
		return took[int(share*float64(len(took)-1))].Round(10 * time.Millisecond)
	}
	s.t.Logf("%d cases to their bill, %d withdrawn, %d failed; %d kills %v; %d calls sent again; a case took %s median, %s p90, %s longest",
		len(took), len(s.withdrawn), len(s.failed), kills, s.kills, s.client.Repeated.Load(), at(0.5), at(0.9), at(1))
}

// A few cases reach their bills while four processes are killed and started again under them. `make soak` is the long run of it.
func TestStorm(t *testing.T) {
	s := newStorm(t, 1)
	s.run(3, func(ctx context.Context) {
		for _, victim := range []string{"settlement-insured", "transfer-1", "matching-1", "referral-1"} {
			_ = clock.System().Sleep(ctx, 1500*time.Millisecond)
			s.wreckOnce(ctx, victim)
		}
	})
	s.check(false)
}
