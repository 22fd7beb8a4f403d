package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sealing"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/matching"
	"huhang.example/services/matching/directory"
	"huhang.example/services/matching/ranking"
	"huhang.example/services/matching/rpc"
	"huhang.example/services/matching/store"
)

// start is a Sunday noon in Shanghai.
var start = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

// line stands for the other services: what it was asked, and how it answers.
type line struct {
	mu       sync.Mutex
	holds    map[string]string // request id -> hold
	released map[string]bool
	taken    bool // no unit is free
	lie      int  // so many holds are made and then answered with an error
	down     bool
	events   []matching.Event
	told     map[string]matching.Event
	deaf     int // so many events are taken and then answered with an error
	mute     bool
	noOne    bool
	refused  bool
	asked    map[string]matching.HoldAsk
	waiting  []matching.Waiting
	assigned map[string]matching.AssignAsk
	moved    string // this case goes its own way
}

var errLost = fault.New(fault.Unavailable, fault.PeerUnavailable, "", "A needed service is not reachable now.", "所需服务暂时无法访问。")

func (l *line) Profile(context.Context, string, string) (*matching.Profile, error) {
	if l.noOne {
		return nil, fault.NotFoundf("patient", "pat")
	}
	yes, no := true, false
	return &matching.Profile{
		ResidenceCity: "340100", Coverage: matching.Coverage{Province: "340000"}, ClinicalVersion: 2, Consented: !l.refused,
		Patient: ranking.Patient{
			Age: 47, ActiveInfection: &no, HIV: &no, Recorded: true,
			Tumour: &ranking.Tumour{Present: &yes, NodulesCm: []float64{3.4, 2.1}, VascularInvasion: &no, ExtrahepaticSpread: &no},
		},
	}, nil
}

func (l *line) Travel(_ context.Context, _ string, to []string, _ matching.Fitness) (map[string]int32, error) {
	if l.mute {
		return nil, errLost
	}
	out := map[string]int32{}
	for i, city := range to {
		out[city] = int32(180 + i*60)
	}
	return out, nil
}

func (l *line) FreeBeds(_ context.Context, centers []string, _, _ time.Time) (map[string]int32, error) {
	if l.mute {
		return nil, errLost
	}
	out := map[string]int32{}
	for _, c := range centers {
		out[c] = 3
	}
	return out, nil
}

func (l *line) Bills(_ context.Context, _, _ string, _ matching.Coverage, provinces []string) (map[string]matching.Bill, error) {
	if l.mute {
		return nil, errLost
	}
	out := map[string]matching.Bill{}
	for _, p := range provinces {
		pays := money.Fen(12_345_678)
		out[p] = matching.Bill{Direct: true, SelfPay: &pays}
	}
	return out, nil
}

func (l *line) Hold(_ context.Context, requestID string, ask matching.HoldAsk) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return "", errLost
	}
	if before, again := l.asked[requestID]; again && before != ask {
		return "", errors.New("the same request id with another payload")
	}
	l.asked[requestID] = ask
	hold, done := l.holds[requestID]
	if !done && l.taken {
		return "", fault.New(fault.FailedPrecondition, fault.ResourceTaken, "", "No unit is free.", "该时段无空闲资源。").With("kind", "BED")
	}
	if !done {
		hold = fmt.Sprintf("hld_%026d", len(l.holds)+1)
		l.holds[requestID] = hold
	}
	if l.lie > 0 {
		l.lie--
		return "", errLost
	}
	return hold, nil
}

func (l *line) Release(_ context.Context, _, holdID, _ string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.released[holdID] = true
	return nil
}

func (l *line) Tell(_ context.Context, requestID string, e matching.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if before, again := l.told[requestID]; !again {
		l.told[requestID] = e
		l.events = append(l.events, e)
	} else if before != e {
		return errors.New("the same request id with another payload")
	}
	if l.deaf > 0 {
		l.deaf--
		return errLost
	}
	return nil
}

func (l *line) Waiting(_ context.Context, _, token string, _ int32) ([]matching.Waiting, string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return nil, "", errLost
	}
	// Two pages.
	half := len(l.waiting) / 2
	if token == "" {
		return l.waiting[:half:half], "more", nil
	}
	return l.waiting[half:], "", nil
}

func (l *line) Assign(_ context.Context, requestID string, ask matching.AssignAsk) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ask.ReferralID == l.moved {
		return fault.New(fault.FailedPrecondition, fault.WrongState, "", "The case does not allow this step now.", "病例当前状态不允许此步骤。")
	}
	if before, again := l.assigned[requestID]; again && before != ask {
		return errors.New("the same request id with another payload")
	}
	l.assigned[requestID] = ask
	if l.deaf > 0 {
		l.deaf--
		return errLost
	}
	return nil
}

func (l *line) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// kinds are the events of an offer as the case learned them.
func (l *line) kinds(offerID string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var kinds []string
	for _, e := range l.events {
		if e.OfferID == offerID {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

// live are the holds nobody released.
func (l *line) live() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var live []string
	for _, hold := range l.holds {
		if !l.released[hold] {
			live = append(live, hold)
		}
	}
	slices.Sort(live)
	return live
}

type rig struct {
	*rpc.Server
	db    *sqldb.DB
	use   *matching.Service
	store *store.Store
	line  *line
	clock *clock.Fake
	ids   id.Source
	n     int
}

// each runs a test on both engines, over a seeded directory and running jobs.
func each(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
		fake := clock.NewFake(start)
		db := sqldbtest.Open(t, dsn, store.Migrations(), sqldbtest.Clock(fake))
		r := &rig{db: db, clock: fake, ids: id.Random(), line: &line{
			holds: map[string]string{}, released: map[string]bool{}, told: map[string]matching.Event{}, asked: map[string]matching.HoldAsk{}, assigned: map[string]matching.AssignAsk{},
		}}
		cipher, err := sealing.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		r.store = store.New(db, cipher)
		r.use = matching.New(r.store, r.line, fake, r.ids)
		r.Server = rpc.New(r.use, db, cipher)
		if err := r.use.Seed(t.Context(), directory.Sample()); err != nil {
			t.Fatal(err)
		}
		workers := sqldb.NewWorkers()
		store.Handle(workers, r.use)
		if err := db.StartJobs(t.Context(), workers); err != nil {
			t.Fatal(err)
		}
		test(t, r)
	})
}

func as(ctx context.Context, organisation string, role access.Role) context.Context {
	return access.With(ctx, access.Caller{Subject: "staff-1", Organisation: organisation, Roles: []access.Role{role}})
}

func service(ctx context.Context) context.Context {
	return access.With(ctx, access.Caller{Service: "referral", Roles: []access.Role{access.Service}})
}

func center(ctx context.Context, code string) context.Context { return as(ctx, code, access.Center) }

func (r *rig) rid() string {
	r.n++
	return fmt.Sprintf("request-%08d", r.n)
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// want checks a refusal and returns its metadata.
func want(t *testing.T, err error, code fault.Code, reason fault.Reason, field string) map[string]string {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Code != code || f.Reason != reason || f.Field != field {
		t.Fatalf("%v\nwant %s %s (%s)", err, code, reason, field)
	}
	return f.Meta
}

func (r *rig) match(t *testing.T) *matchingv1.MatchRun {
	t.Helper()
	return must[*matchingv1.RunMatchResponse](t)(r.RunMatch(service(t.Context()), &matchingv1.RunMatchRequest{
		RequestId: r.rid(), ReferralId: r.ids.New("ref"), PatientId: r.ids.New("pat"), Organ: organv1.Organ_ORGAN_LIVER, ReferringOrganisation: "H-HF-01",
	})).GetMatchRun()
}

func (r *rig) proposal(t *testing.T, run *matchingv1.MatchRun, code string, u organv1.Urgency) *matchingv1.CreateOfferRequest {
	t.Helper()
	stored, err := r.store.Run(t.Context(), run.GetMatchRunId())
	if err != nil {
		t.Fatal(err)
	}
	return &matchingv1.CreateOfferRequest{
		RequestId: r.rid(), ReferralId: run.GetReferralId(), PatientId: stored.PatientID, MatchRunId: run.GetMatchRunId(), CenterId: code,
		ReferringOrganisation: "H-HF-01", Organ: organv1.Organ_ORGAN_LIVER, Urgency: u,
	}
}

func (r *rig) offer(t *testing.T, u organv1.Urgency) *matchingv1.Offer {
	t.Helper()
	return must[*matchingv1.CreateOfferResponse](t)(r.CreateOffer(service(t.Context()), r.proposal(t, r.match(t), "C-SH-01", u))).GetOffer()
}

func (r *rig) wish(o *matchingv1.Offer) *matchingv1.AcceptOfferRequest {
	return &matchingv1.AcceptOfferRequest{
		RequestId: r.rid(), OfferId: o.GetOfferId(), Etag: o.GetEtag(), AdmissionTime: timestamppb.New(r.clock.Now().Add(12 * time.Hour)),
		Conditions: []string{"示范：补充影像"},
	}
}

func (r *rig) get(t *testing.T, offerID string) *matchingv1.Offer {
	t.Helper()
	return must[*matchingv1.GetOfferResponse](t)(r.GetOffer(service(t.Context()), &matchingv1.GetOfferRequest{OfferId: offerID})).GetOffer()
}

func (r *rig) await(t *testing.T, offerID string, s matchingv1.OfferStatus) *matchingv1.Offer {
	t.Helper()
	sqldbtest.Eventually(t, offerID+" is "+s.String(), func() bool { return r.get(t, offerID).GetStatus() == s })
	return r.get(t, offerID)
}

func (r *rig) learned(t *testing.T, offerID string, kinds ...string) {
	t.Helper()
	sqldbtest.Eventually(t, fmt.Sprint("the case learns ", kinds), func() bool { return slices.Equal(r.line.kinds(offerID), kinds) })
}
