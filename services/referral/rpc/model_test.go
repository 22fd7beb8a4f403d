package rpc_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	organv1 "huhang.example/gen/huhang/organ/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/referral"
	"huhang.example/services/referral/store"
)

// model is one case over the real service and store: anybody calls anything, peers tell anything, the clock leaps, jobs run late,
// twice and in any order, and the rest of the line fails before or after it did what it was asked.
type model struct {
	*line
	world  *world
	store  *store.Store
	random *rand.Rand
	failed map[int64]int
	reason map[fault.Reason]int
	// straight makes every call decide so that the case goes on.
	straight bool
}

var everybody = []access.Caller{hospital, other, shanghai, nanjing, desk, zhou}

// modelOf opens the database once; each case of it is a patient of its own.
func modelOf(t *testing.T, dsn string) *model {
	now := clock.NewFake(start)
	db := sqldbtest.Open(t, dsn, store.Migrations, sqldbtest.Clock(now))
	m := &model{line: &line{t: t, db: db, clock: now}, store: store.New(db), reason: map[fault.Reason]int{}}
	m.service = referral.New(m.store, worldPeers{now: now.Now, centers: []string{"C-SH-01", "C-NJ-01"}, ask: func(_ context.Context, q asked) (said, error) {
		return m.world.do(q)
	}}, now, id.Random())
	registrar{m.line}.RegisterService(nil, serverOf(m.service, db))
	return m
}

var patients int

func (m *model) begin(t *rapid.T) {
	m.world, m.failed = newWorld(), map[int64]int{}
	m.random = rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	m.world.fails = func(call string, done bool) error {
		if m.random.IntN(12) == 0 {
			return fault.New(fault.Unavailable, fault.PeerUnavailable, "", "away", "暂不可用")
		}
		return nil
	}
	patients++
	got, err := m.server.CreateReferral(m.as(hospital), &referralv1.CreateReferralRequest{
		RequestId: m.key(), PatientId: fmt.Sprintf("pat_%026d", patients), Organ: organv1.Organ_ORGAN_LIVER,
		Urgency: rapid.SampledFrom([]organv1.Urgency{organv1.Urgency_URGENCY_ROUTINE, organv1.Urgency_URGENCY_URGENT}).Draw(t, "urgency"),
	})
	if err != nil {
		t.Fatal(err)
	}
	m.id = got.GetReferral().GetReferralId()
	m.along(t, rapid.IntRange(0, len(chain)).Draw(t, "begun"))
}

// chain is the case that runs well; random walks begin somewhere along it.
var chain = []struct {
	by   access.Caller
	name string
}{
	{hospital, "SubmitReferral"}, {desk, "ScreenReferral"}, {hospital, "ChooseCenters"}, {peer, "ACCEPTED"}, {shanghai, "BookAdmission"}, {peer, "ARRIVED"},
	{shanghai, "RecordEvaluation"}, {shanghai, "RecordSurgery"}, {shanghai, "RecordDischarge"}, {shanghai, "BackRefer"}, {hospital, "AcceptBackReferral"},
}

func (m *model) along(t *rapid.T, steps int) {
	m.straight = true
	defer func() { m.straight = false }()
	fails := m.world.fails
	m.world.fails = nil
	for _, step := range chain[:steps] {
		r := m.now(t)
		req := &referralv1.RecordCaseEventRequest{RequestId: m.key(), ReferralId: m.id, OccurTime: timestamppb.New(m.clock.Now())}
		var err error
		switch step.name {
		case "ACCEPTED":
			m.world.decide(r.OfferID, "ACCEPTED")
			req.Event = &referralv1.RecordCaseEventRequest_Offer{Offer: &referralv1.OfferEvent{
				OfferId: r.OfferID, CenterId: r.Asking, CenterCity: "310100", Kind: "ACCEPTED", HoldId: m.world.hold(), AdmissionTime: timestamppb.New(m.clock.Now().Add(48 * time.Hour)),
			}}
			_, err = m.server.RecordCaseEvent(m.as(peer), req)
		case "ARRIVED":
			req.Event = &referralv1.RecordCaseEventRequest_Transfer{Transfer: &referralv1.TransferEvent{TransferId: move1, Kind: "ARRIVED"}}
			_, err = m.server.RecordCaseEvent(m.as(peer), req)
		default:
			err = m.calls(t, r)[step.name](m.as(step.by), r.Etag())
		}
		if err != nil {
			t.Fatalf("%s in %s: %v", step.name, r.State, err)
		}
		for m.jobs(t) > 0 {
			continue
		}
	}
	m.world.fails = fails
}

// now is the case as it is kept.
func (m *model) now(t *rapid.T) *referral.Referral {
	r, err := m.store.Get(m.as(desk), m.id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// leads tells whether the table has a way for a call, by this move or any, from one state to another.
func leads(call string, from, to referral.State) bool {
	return slices.ContainsFunc(referral.Table, func(row referral.Row) bool {
		return len(row.Do) > 0 && slices.Contains(row.From, from) && (row.To == to || row.To == "" && from == to)
	}) || from == referral.Draft && call == "SubmitReferral" && to == referral.Screening || from == referral.Returned && to == referral.Screening
}

// call lets somebody call something. What the table does not offer them is refused and changes nothing; what it offers them is
// not refused for the state.
func (m *model) call(t *rapid.T) {
	by := rapid.SampledFrom(everybody).Draw(t, "caller")
	before := m.now(t)
	offered := actions(m.seen(t, by))
	calls := m.calls(t, before)
	name := rapid.SampledFrom(slices.Sorted(keysOf(calls))).Draw(t, "call")
	if len(offered) > 0 && rapid.IntRange(0, 3).Draw(t, "likely") > 0 {
		if likely := slices.DeleteFunc(slices.Clone(offered), func(n string) bool {
			_, ours := calls[n]
			return !ours || n == "CloseReferral"
		}); len(likely) > 0 {
			name = rapid.SampledFrom(likely).Draw(t, "offered")
		}
	}
	etag := before.Etag()
	if rapid.IntRange(0, 15).Draw(t, "stale") == 0 {
		etag = "1"
	}
	err := calls[name](m.as(by), etag)
	after := m.now(t)
	if err == nil {
		if !slices.Contains(offered, name) && name != "CheckExpert" {
			t.Fatalf("%s did %s in %s, which is not among %v", by.Organisation, name, before.State, offered)
		}
		if !leads(name, before.State, after.State) {
			t.Fatalf("%s led from %s to %s", name, before.State, after.State)
		}
		if after.Version != before.Version+1 || after.Length == before.Length {
			t.Fatalf("%s: version %d to %d, %d entries to %d", name, before.Version, after.Version, before.Length, after.Length)
		}
		return
	}
	f, ok := fault.As(err)
	if !ok {
		t.Fatalf("%s: %v", name, err)
	}
	m.reason[f.Reason]++
	if after.Version != before.Version || after.Length != before.Length {
		t.Fatalf("%s was refused with %s and changed the case", name, f.Reason)
	}
	// A call with several moves is offered for one of them.
	several := []string{"RecordCourse", "CloseReferral", "ScreenReferral", "RecordEvaluation", "SuspendClock", "ConcludeConsultation"}
	if f.Reason == fault.WrongState && slices.Contains(offered, name) && !slices.Contains(several, name) {
		t.Fatalf("%s was offered to %s in %s and refused: %v", name, by.Organisation, before.State, err)
	}
}

func (m *model) seen(t *rapid.T, by access.Caller) *referralv1.Referral {
	got, err := m.server.GetReferral(m.as(by), &referralv1.GetReferralRequest{ReferralId: m.id})
	if err != nil && !fault.Is(err, fault.ReasonNotFound) {
		t.Fatal(err)
	}
	return got.GetReferral()
}

func keysOf[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// event lets another service tell something: of what the case waits for, or of something long past. It is never refused.
func (m *model) event(t *rapid.T) {
	r := m.now(t)
	req := &referralv1.RecordCaseEventRequest{RequestId: m.key(), ReferralId: m.id, OccurTime: timestamppb.New(m.clock.Now())}
	switch rapid.SampledFrom([]string{"offer", "offer", "hold", "transfer", "transfer", "claim", "patient"}).Draw(t, "of") {
	case "offer":
		offer, center := r.OfferID, r.Asking
		if open := m.openOffer(); rapid.IntRange(0, 3).Draw(t, "old") == 0 && open != "" {
			offer = open
		}
		if offer == "" || center == "" {
			return
		}
		kind := rapid.SampledFrom([]string{"ACCEPTED", "ACCEPTED", "DECLINED", "EXPIRED", "WITHDRAWN", "REMINDED"}).Draw(t, "kind")
		e := &referralv1.OfferEvent{OfferId: offer, CenterId: center, CenterCity: "310100", Kind: kind, OpenConditions: 1}
		switch kind {
		case "ACCEPTED":
			if m.world.decided(offer) {
				return // matching decides once
			}
			e.HoldId, e.AdmissionTime = m.world.hold(), timestamppb.New(m.clock.Now().Add(48*time.Hour))
			m.world.decide(offer, "ACCEPTED")
		case "DECLINED", "EXPIRED", "WITHDRAWN":
			if m.world.decided(offer) {
				return
			}
			m.world.decide(offer, kind)
		}
		req.Event = &referralv1.RecordCaseEventRequest_Offer{Offer: e}
	case "hold":
		if r.HoldID == "" || rapid.IntRange(0, 3).Draw(t, "rare") > 0 {
			return
		}
		m.world.mu.Lock()
		m.world.holds[r.HoldID] = "RELEASED"
		m.world.mu.Unlock()
		req.Event = &referralv1.RecordCaseEventRequest_Hold{Hold: &referralv1.HoldEvent{HoldId: r.HoldID, Kind: rapid.SampledFrom([]string{"EXPIRED", "RELEASED"}).Draw(t, "kind")}}
	case "transfer":
		req.Event = &referralv1.RecordCaseEventRequest_Transfer{Transfer: &referralv1.TransferEvent{
			TransferId: rapid.SampledFrom([]string{move1, move2}).Draw(t, "transfer"), Kind: rapid.SampledFrom([]string{"PLANNED", "DEPARTED", "ARRIVED", "ARRIVED", "ABORTED", "DELAYED"}).Draw(t, "kind"),
			ReasonCode: rapid.SampledFrom([]string{"", "UNFIT", "DIVERTED"}).Draw(t, "reason"), DepartTime: timestamppb.New(m.clock.Now().Add(time.Hour)), ArriveTime: timestamppb.New(m.clock.Now().Add(5 * time.Hour)),
		}}
	case "claim":
		req.Event = &referralv1.RecordCaseEventRequest_Claim{Claim: &referralv1.ClaimEvent{
			ClaimId: "clm_310000_00000000000000000000000001", Kind: rapid.SampledFrom([]string{"OPENED", "DISCHARGED", "SETTLED", "REVERSED", "MANUAL"}).Draw(t, "kind"),
		}}
	case "patient":
		req.Event = &referralv1.RecordCaseEventRequest_Patient{Patient: &referralv1.PatientEvent{Kind: "CLINICAL", Version: int64(rapid.IntRange(2, 9).Draw(t, "version"))}}
	}
	got, err := m.server.RecordCaseEvent(m.as(peer), req)
	if err != nil {
		t.Fatalf("%v: %v", req, err)
	}
	after := m.now(t)
	if got.GetState().String() != "STATE_"+string(after.State) || !leads("", r.State, after.State) {
		t.Fatalf("%v led from %s to %s, and said %s", req.GetEvent(), r.State, after.State, got.GetState())
	}
	if again, err := m.server.RecordCaseEvent(m.as(peer), req); err != nil || again.GetState() != got.GetState() {
		t.Fatalf("the same again: %v, %v", again, err)
	}
	if twice := m.now(t); twice.Version != after.Version {
		t.Fatal("the same event counted twice")
	}
}

func (w *world) decided(offer string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.offers[offer] != "OPEN"
}

func (m *model) openOffer() string {
	m.world.mu.Lock()
	defer m.world.mu.Unlock()
	for offer, status := range m.world.offers {
		if status == "OPEN" {
			return offer
		}
	}
	return ""
}

// jobs runs what is due in any order, some of it twice; what fails comes again.
func (m *model) jobs(t *rapid.T) (ran int) {
	handlers := map[string]func(context.Context, referral.Job) error{
		"referral_match": m.service.RunMatch, "referral_ask": m.service.Ask, "referral_file": m.service.File, "referral_grant": m.service.Grant, "referral_revoke": m.service.Revoke,
		"referral_deadline": m.service.Deadline, "referral_remind": m.service.Remind, "referral_withdraw": m.service.Withdraw, "referral_release": m.service.Release,
		"referral_abort": m.service.Abort, "referral_died": m.service.Died,
	}
	due := m.due(t)
	m.random.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] })
	ctx := m.as(access.Caller{Service: "referral", Roles: []access.Role{access.Service}})
	for _, d := range due {
		handle, known := handlers[d.kind]
		if !known {
			t.Fatalf("nobody does %s", d.kind)
		}
		err := handle(ctx, d.job)
		if err == nil && m.random.IntN(5) == 0 {
			err = handle(ctx, d.job) // its process died after the commit
		}
		if err != nil {
			if m.failed[d.id]++; m.failed[d.id] == 5 {
				if err := m.service.JobFailed(ctx, d.job, err, false); err != nil {
					t.Fatal(err)
				}
			}
			continue
		}
		if m.failed[d.id] >= 5 {
			if err := m.service.JobDone(ctx, d.job); err != nil {
				t.Fatal(err)
			}
		}
		ran++
		if err := m.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM river_job WHERE id = $1", d.id)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return ran
}

type dueJob struct {
	id   int64
	kind string
	job  referral.Job
}

func (m *model) due(t *rapid.T) (due []dueJob) {
	args, at := "args", any(m.clock.Now())
	if m.db.Engine() == sqldb.SQLite {
		args, at = "json(args)", m.clock.Now().Format("2006-01-02 15:04:05.000")
	}
	err := m.db.Read(m.as(desk), func(ctx context.Context, q sqldb.Querier) error {
		due = nil
		sql := "SELECT id, kind, " + args + " FROM river_job WHERE scheduled_at <= $1 ORDER BY id"
		if m.db.Engine() == sqldb.SQLite {
			sql = "SELECT id, kind, " + args + " FROM river_job WHERE julianday(scheduled_at) <= julianday($1) ORDER BY id"
		}
		rows, err := q.Query(ctx, sql, at)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d dueJob
			var text []byte
			if err := rows.Scan(&d.id, &d.kind, &text); err != nil {
				return err
			}
			if err := json.Unmarshal(text, &d.job); err != nil {
				return err
			}
			if d.job.ReferralID == m.id {
				due = append(due, d)
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return due
}

// check is what holds at every moment.
func (m *model) check(t *rapid.T) {
	r := m.now(t)
	entries, err := m.store.Timeline(m.as(desk), m.id, 0, 5000)
	if err != nil || int64(len(entries)) != r.Length {
		t.Fatalf("%d entries of %d: %v", len(entries), r.Length, err)
	}
	for i, e := range entries {
		if e.Sequence != int64(i+1) || e.Recorded.Before(e.Occurred.Add(-time.Second)) || i > 0 && !e.Recorded.After(entries[i-1].Recorded) && e.Recorded != entries[i-1].Recorded || e.Organisation == "" {
			t.Fatalf("entry %d: %+v", i+1, e)
		}
	}
	if last := entries[len(entries)-1]; last.State != r.State {
		t.Fatalf("the timeline ends in %s, the case is %s", last.State, r.State)
	}
	switch {
	case !r.Deadline.IsZero() && r.ClockSuspended != "":
		t.Fatal("the clock runs and stands")
	case !r.Live() && (!r.Deadline.IsZero() || r.CloseReason == ""):
		t.Fatalf("a closed case: %+v", r)
	case r.State == referral.Offered && len(r.AskedCenters()) == 0:
		t.Fatal("offered to nobody")
	case slices.Contains([]referral.State{referral.Booked, referral.TransferPlanned, referral.Listed, referral.Operated}, r.State) && r.CenterID == "":
		t.Fatalf("%s at no center", r.State)
	}
}

// settles ends a case's day: nothing fails any more, and when nothing is due nothing is left that nobody needs.
func (m *model) settles(t *rapid.T) {
	m.world.mu.Lock()
	m.world.fails = nil
	m.world.mu.Unlock()
	for range 50 {
		if m.jobs(t) == 0 {
			break
		}
	}
	if due := m.due(t); len(due) > 0 {
		t.Fatalf("%v do not come to an end", due)
	}
	if left := m.world.left(m.now(t)); len(left) > 0 {
		t.Fatalf("%v, of a case that is %s", left, m.now(t).State)
	}
	if r := m.now(t); len(r.Attention) > 0 {
		t.Fatalf("%v still need attention", r.Attention)
	}
}

func (m *model) run(t *testing.T, cases int) map[referral.State]int {
	reached := map[referral.State]int{}
	old := flag.Lookup("rapid.checks").Value.String()
	if err := flag.Set("rapid.checks", strconv.Itoa(cases)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = flag.Set("rapid.checks", old) }()
	rapid.Check(t, func(t *rapid.T) {
		m.begin(t)
		t.Repeat(map[string]func(*rapid.T){
			"":      func(t *rapid.T) { m.check(t); reached[m.now(t).State]++ },
			"call":  m.call,
			"call2": m.call,
			"event": m.event,
			"jobs":  func(t *rapid.T) { m.jobs(t) },
			"clock": func(t *rapid.T) {
				m.clock.Advance(time.Duration(rapid.SampledFrom([]int{1, 30, 300, 3000, 50_000}).Draw(t, "minutes")) * time.Minute)
			},
		})
		m.settles(t)
	})
	return reached
}

func TestModelOfACase(t *testing.T) {
	for engine, of := range map[string]struct {
		dsn   func(testing.TB) string
		cases int
	}{sqldb.SQLite: {sqldbtest.SQLite, 40}, sqldb.Postgres: {sqldbtest.Postgres, 15}} {
		t.Run(engine, func(t *testing.T) {
			m := modelOf(t, of.dsn(t))
			reached := m.run(t, of.cases)
			t.Logf("states looked at: %v; refusals: %v", reached, m.reason)
			if len(reached) < 15 || m.reason[fault.WrongState] == 0 || m.reason[fault.RightMissing] == 0 || m.reason[fault.ReasonNotFound] == 0 {
				t.Errorf("little was tried: %v, %v", reached, m.reason)
			}
		})
	}
}
