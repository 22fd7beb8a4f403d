package rpc_test

import (
	"context"
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
	// reached counts the states looked at, refused the reasons met.
	reached map[referral.State]int
	refused map[fault.Reason]int
	// straight makes every call decide so that the case goes on.
	straight bool
}

var everybody = []access.Caller{hospital, other, shanghai, nanjing, desk, zhou}

// modelOf opens the database once; each case of it is a patient of its own.
func modelOf(t *testing.T, dsn string) *model {
	now := clock.NewFake(start)
	db := sqldbtest.Open(t, dsn, store.Migrations, sqldbtest.Clock(now))
	m := &model{line: &line{t: t, db: db, clock: now}, store: store.New(db)}
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
	{hospital, "SubmitReferral"},
	{desk, "ScreenReferral"},
	{hospital, "ChooseCenters"},
	{peer, "ACCEPTED"},
	{shanghai, "BookAdmission"},
	{peer, "ARRIVED"},
	{shanghai, "RecordEvaluation"},
	{shanghai, "RecordSurgery"},
	{shanghai, "RecordDischarge"},
	{shanghai, "BackRefer"},
	{hospital, "AcceptBackReferral"},
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
	m.refused[f.Reason]++
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
	case r.Live() && !referral.TheAskedCenter.WaitsIn(r.State) && slices.ContainsFunc(r.AskedCenters(), func(c string) bool { return c != r.CenterID }):
		t.Fatalf("%s waits for %v to answer, which no worklist of theirs says", r.State, r.AskedCenters())
	case slices.Contains([]referral.State{referral.Booked, referral.TransferPlanned, referral.Listed, referral.Operated}, r.State) && r.CenterID == "":
		t.Fatalf("%s at no center", r.State)
	}
}

// settles ends a case's day: nothing fails any more, and when nothing is due nothing is left that nobody needs.
func (m *model) settles(t *rapid.T) {
	m.world.mu.Lock()
	m.world.fails = nil
	open := map[string]string{}
	for offer, status := range m.world.offers {
		if status == "OPEN" {
			open[offer] = m.world.centers[offer]
		}
	}
	m.world.mu.Unlock()
	// Matching tells of every offer itself, also where the answer to who asked for it was lost.
	for offer, center := range open {
		_, err := m.server.RecordCaseEvent(m.as(peer), &referralv1.RecordCaseEventRequest{
			RequestId: m.key(), ReferralId: m.id, OccurTime: timestamppb.New(m.clock.Now()),
			Event: &referralv1.RecordCaseEventRequest_Offer{Offer: &referralv1.OfferEvent{OfferId: offer, CenterId: center, CenterCity: "310100", Kind: "CREATED"}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
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

func (m *model) run(t *testing.T, cases int) {
	old := flag.Lookup("rapid.checks").Value.String()
	if err := flag.Set("rapid.checks", strconv.Itoa(cases)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = flag.Set("rapid.checks", old) }()
	rapid.Check(t, func(t *rapid.T) {
		m.begin(t)
		t.Repeat(map[string]func(*rapid.T){
			"":      func(t *rapid.T) { m.check(t); m.reached[m.now(t).State]++ },
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
}

// What the walks must have met is counted over both engines, so that no seed makes it red.
func TestModelOfACase(t *testing.T) {
	reached, refused := map[referral.State]int{}, map[fault.Reason]int{}
	for _, engine := range []struct {
		name  string
		dsn   func(testing.TB) string
		cases int
	}{{sqldb.SQLite, sqldbtest.SQLite, 25}, {sqldb.Postgres, sqldbtest.Postgres, 10}} {
		t.Run(engine.name, func(t *testing.T) {
			m := modelOf(t, engine.dsn(t))
			m.reached, m.refused = reached, refused
			m.run(t, engine.cases)
		})
	}
	t.Logf("states looked at: %v; refusals: %v", reached, refused)
	if len(reached) < 10 || refused[fault.WrongState] == 0 || refused[fault.ReasonNotFound] == 0 {
		t.Errorf("little was tried: %v, %v", reached, refused)
	}
}
