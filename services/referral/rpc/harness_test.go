package rpc_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	organv1 "huhang.example/gen/huhang/organ/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/referral"
	"huhang.example/services/referral/rpc"
	"huhang.example/services/referral/store"
)

// line is a referral service with its database and jobs; only the other services are played.
type line struct {
	t       *testing.T
	db      *sqldb.DB
	clock   *clock.Fake
	service *referral.Service
	played  *played
	server  *rpc.Server
	n       int
	id      string
}

var (
	start    = time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC) // Tuesday 10:00 in Shanghai
	hospital = access.Caller{Subject: "li", Organisation: "H-HF-01", Roles: []access.Role{access.Coordinator}}
	other    = access.Caller{Subject: "xu", Organisation: "H-NC-01", Roles: []access.Role{access.Coordinator}}
	shanghai = access.Caller{Subject: "wu", Organisation: "C-SH-01", Roles: []access.Role{access.Center}}
	nanjing  = access.Caller{Subject: "he", Organisation: "C-NJ-01", Roles: []access.Role{access.Center}}
	desk     = access.Caller{Subject: "ops", Organisation: "OPS", Roles: []access.Role{access.Operations}}
	peer     = access.Caller{Service: "matching", Roles: []access.Role{access.Service}}
)

const patient = "pat_00000000000000000000000001"

func each(t *testing.T, test func(t *testing.T, l *line)) {
	for engine, dsn := range map[string]func(testing.TB) string{sqldb.SQLite: sqldbtest.SQLite, sqldb.Postgres: sqldbtest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			now := clock.NewFake(start)
			db := sqldbtest.Open(t, dsn(t), store.Migrations, sqldbtest.Clock(now))
			p := &played{consents: true, ranked: []string{"C-SH-01", "C-NJ-01"}, calls: map[string]int{}, fail: map[string]error{}}
			service := referral.New(store.New(db), p, now, id.Random())
			l := &line{t: t, db: db, clock: now, service: service, played: p}
			rpc.Register(registrar{l}, service, db)
			if err := db.StartJobs(t.Context(), store.Workers(service)); err != nil {
				t.Fatal(err)
			}
			test(t, l)
		})
	}
}

type registrar struct{ l *line }

func (r registrar) RegisterService(_ *grpc.ServiceDesc, impl any) { r.l.server = impl.(*rpc.Server) }

func (l *line) as(c access.Caller) context.Context { return access.With(l.t.Context(), c) }

func (l *line) key() string { l.n++; return fmt.Sprintf("request-%08d-%s", l.n, "k") }

func (l *line) get(c access.Caller) *referralv1.Referral {
	l.t.Helper()
	got, err := l.server.GetReferral(l.as(c), &referralv1.GetReferralRequest{ReferralId: l.id})
	if err != nil {
		l.t.Fatal(err)
	}
	return got.GetReferral()
}

func (l *line) etag() string { return l.get(desk).GetEtag() }

func (l *line) until(state referralv1.State) *referralv1.Referral {
	l.t.Helper()
	sqldbtest.Eventually(l.t, state.String(), func() bool { return l.get(desk).GetState() == state })
	return l.get(desk)
}

func (l *line) open() {
	l.t.Helper()
	got, err := l.server.CreateReferral(l.as(hospital), &referralv1.CreateReferralRequest{
		RequestId: l.key(), PatientId: patient, Organ: organv1.Organ_ORGAN_LIVER, Urgency: organv1.Urgency_URGENCY_ROUTINE,
	})
	l.must(err)
	l.id = got.GetReferral().GetReferralId()
}

func (l *line) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *line) submit() {
	l.t.Helper()
	_, err := l.server.SubmitReferral(l.as(hospital), &referralv1.SubmitReferralRequest{RequestId: l.key(), ReferralId: l.id, Etag: l.etag()})
	l.must(err)
}

func (l *line) screen(d referralv1.ScreeningDecision, comment string) error {
	_, err := l.server.ScreenReferral(l.as(desk), &referralv1.ScreenReferralRequest{RequestId: l.key(), ReferralId: l.id, Etag: l.etag(), Decision: d, Comment: comment})
	return err
}

func (l *line) choose(centers ...string) error {
	_, err := l.server.ChooseCenters(l.as(hospital), &referralv1.ChooseCentersRequest{RequestId: l.key(), ReferralId: l.id, Etag: l.etag(), CenterIds: centers})
	return err
}

// toOffered opens a case and brings it to its first offer.
func (l *line) toOffered() {
	l.t.Helper()
	l.open()
	l.submit()
	l.must(l.screen(referralv1.ScreeningDecision_SCREENING_DECISION_PASS, ""))
	l.until(referralv1.State_STATE_MATCHED)
	l.must(l.choose("C-SH-01", "C-NJ-01"))
	l.until(referralv1.State_STATE_OFFERED)
}

func (l *line) toAccepted() {
	l.t.Helper()
	l.toOffered()
	if state, ignored := l.offer("ACCEPTED", "C-SH-01", l.get(desk).GetOfferId()); ignored || state != referralv1.State_STATE_ACCEPTED {
		l.t.Fatalf("%s %t", state, ignored)
	}
}

const hold = "hld_00000000000000000000000001"

func (l *line) tell(req *referralv1.RecordCaseEventRequest) (referralv1.State, bool) {
	l.t.Helper()
	req.RequestId, req.ReferralId = l.key(), l.id
	if req.OccurTime == nil {
		req.OccurTime = timestamppb.New(l.clock.Now())
	}
	got, err := l.server.RecordCaseEvent(l.as(peer), req)
	l.must(err)
	return got.GetState(), got.GetIgnored()
}

func (l *line) offer(kind, center, offerID string) (referralv1.State, bool) {
	l.t.Helper()
	e := &referralv1.OfferEvent{OfferId: offerID, CenterId: center, CenterCity: "310100", Kind: kind}
	if kind == "ACCEPTED" {
		e.HoldId, e.AdmissionTime = hold, timestamppb.New(l.clock.Now().Add(48*time.Hour))
	}
	return l.tell(&referralv1.RecordCaseEventRequest{Event: &referralv1.RecordCaseEventRequest_Offer{Offer: e}})
}

func (l *line) transfer(kind, transferID string) (referralv1.State, bool) {
	l.t.Helper()
	return l.tell(&referralv1.RecordCaseEventRequest{Event: &referralv1.RecordCaseEventRequest_Transfer{
		Transfer: &referralv1.TransferEvent{TransferId: transferID, Kind: kind},
	}})
}

// kinds are the timeline's, which must have no gap.
func (l *line) kinds() []string {
	l.t.Helper()
	got, err := l.server.ListTimeline(l.as(desk), &referralv1.ListTimelineRequest{ReferralId: l.id, PageSize: 200})
	l.must(err)
	var kinds []string
	for i, e := range got.GetEntries() {
		if e.GetSequence() != int64(i+1) {
			l.t.Fatalf("entry %d is numbered %d", i+1, e.GetSequence())
		}
		kinds = append(kinds, e.GetKind())
	}
	return kinds
}

func (l *line) eventually(kind string) {
	l.t.Helper()
	sqldbtest.Eventually(l.t, kind, func() bool { return slices.Contains(l.kinds(), kind) })
}

func actions(r *referralv1.Referral) []string {
	var names []string
	for _, a := range r.GetAvailableActions() {
		names = append(names, a.GetAction())
	}
	return names
}

// refused checks a refusal, and that the case is as it was; it returns the refusal's metadata.
func (l *line) refused(reason fault.Reason, try func(etag string) error) map[string]string {
	l.t.Helper()
	before := l.get(desk)
	err := try(before.GetEtag())
	if !fault.Is(err, reason) {
		l.t.Fatalf("want %s, got %v", reason, err)
	}
	if after := l.get(desk); after.GetEtag() != before.GetEtag() || after.GetState() != before.GetState() {
		l.t.Fatalf("%s changed the case", reason)
	}
	f, _ := fault.As(err)
	return f.Meta
}

// played stands for the other services.
type played struct {
	mu       sync.Mutex
	consents bool
	ranked   []string
	atOnce   int
	merged   []string
	// registrar, when set, registered every patient.
	registrar string
	calls     map[string]int
	fail      map[string]error
}

func (p *played) call(name, about string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[name+" "+about]++
	return p.fail[name]
}

func (p *played) set(change func()) { p.mu.Lock(); defer p.mu.Unlock(); change() }

func (p *played) called(what string) int { p.mu.Lock(); defer p.mu.Unlock(); return p.calls[what] }

func (p *played) Registered(_ context.Context, id string) (referral.Registered, error) {
	err := p.call("patient", id)
	p.mu.Lock()
	defer p.mu.Unlock()
	return referral.Registered{PatientID: id, Others: p.merged, Organisation: cmp.Or(p.registrar, "H-HF-01")}, err
}

func (p *played) FindPatients(_ context.Context, text, organisation string) ([]referral.FoundPatient, error) {
	if strings.HasPrefix(text, "pat_") {
		err := p.call("person", text)
		p.mu.Lock()
		defer p.mu.Unlock()
		return []referral.FoundPatient{{PatientID: text, Others: p.merged}}, err
	}
	err := p.call("find", organisation)
	if text != "示范甲" {
		return nil, err
	}
	return []referral.FoundPatient{{PatientID: patient, NameMasked: "示**"}}, err
}

func (p *played) MoveAdmission(_ context.Context, _, id string, _ time.Time) error {
	return p.call("move", id)
}

func (p *played) Profile(_ context.Context, id, _ string) (referral.Profile, error) {
	err := p.call("profile", id)
	p.mu.Lock()
	defer p.mu.Unlock()
	return referral.Profile{InsuredProvince: "340000", ConsentReferral: true, ConsentSettlement: p.consents, ClinicalRecorded: true}, err
}

func (p *played) GrantAccess(_ context.Context, _, _, organisation, _ string) error {
	return p.call("grant", organisation)
}

func (p *played) RevokeAccess(_ context.Context, _, _, organisation, _, _ string, _ time.Time) error {
	return p.call("revoke", organisation)
}

func (p *played) RunMatch(ctx context.Context, requestID string, _ referral.MatchAsk) (referral.MatchRun, error) {
	if err := p.call("match", requestID[len(requestID)-1:]); err != nil {
		return referral.MatchRun{}, err
	}
	return p.MatchRun(ctx, "")
}

func (p *played) MatchRun(context.Context, string) (referral.MatchRun, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return referral.MatchRun{ID: "mat_00000000000000000000000001", Ranked: p.ranked, Reasons: []string{"BMI 2"}}, nil
}

func (p *played) CreateOffer(_ context.Context, requestID string, ask referral.OfferAsk) (referral.Offer, error) {
	if err := p.call("offer", ask.Center); err != nil {
		return referral.Offer{}, err
	}
	sum := fmt.Sprintf("%026x", requestID)
	return referral.Offer{ID: "off_" + sum[len(sum)-26:], Created: start, Expire: start.Add(24 * time.Hour), AtOnce: p.atOnce}, nil
}

func (p *played) WithdrawOffer(_ context.Context, _, id, _ string) error {
	return p.call("withdraw", id)
}

func (p *played) ConfirmHold(_ context.Context, _, id string) error { return p.call("confirm", id) }

func (p *played) ReleaseHold(_ context.Context, _, id, _ string) error { return p.call("release", id) }

func (p *played) AbortTransfer(_ context.Context, _, id string) error { return p.call("abort", id) }

func (p *played) CreateFiling(_ context.Context, _ string, ask referral.FilingAsk) (string, error) {
	return "fil_340000_00000000000000000000000001", p.call("file", ask.Province+ask.City)
}
