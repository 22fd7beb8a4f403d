package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
	"huhang.example/services/settlement/store"
)

// world is two provinces, their people, and a wire between them on which every third call is lost, question or answer.
// The model listens on the wire behind the losses: it knows what the insured province has done before the treatment
// province does.
type world struct {
	clock     *clock.Fake
	book      *policy.Book
	here, far *settlement.Service
	farStore  *store.Store
	people    map[string]*insuredPerson
	messages  sync.Map // message id -> *insuredPerson
}

// insuredPerson is one person's model. One goroutine at a time works on a person.
type insuredPerson struct {
	id       string
	random   *rand.Rand
	lossless bool
	coverage settlement.Coverage
	cases    []string
	claims   []string
	manual   map[string]bool
	years    map[string]split.Counters
	messages map[string]*sent
	byClaim  map[string][]string
	order    []string
	reserved map[string]*settlement.Preauthorisation // by case
	owed     money.Fen
	did      map[string]int
	broken   error
}

// sent is a message as the model saw it arrive.
type sent struct {
	in                          settlement.SplitInput
	answer                      settlement.Answer
	committed, reversed, closed bool
	reversal, why, day          string
	used                        split.Counters
	spent                       *settlement.Preauthorisation
}

func (p *insuredPerson) fail(format string, args ...any) {
	if p.broken == nil {
		p.broken = fmt.Errorf("%s: "+format, append([]any{p.id}, args...)...)
	}
}

func (p *insuredPerson) loses() bool { return !p.lossless && p.random.IntN(6) == 0 }

func (w *world) Profile(_ context.Context, patientID string) (settlement.Profile, error) {
	return settlement.Profile{Coverage: w.people[patientID].coverage, ConsentSettlement: true, RegisteredBy: "H-NC-01"}, nil
}

func (w *world) Case(_ context.Context, referralID string) (settlement.Case, error) {
	for _, p := range w.people {
		if slices.Contains(p.cases, referralID) {
			return settlement.Case{PatientID: p.id, Referrer: "H-NC-01", CenterID: "C-SH-01"}, nil
		}
	}
	return settlement.Case{}, fault.NotFoundf("referral", referralID)
}

func (w *world) Tell(context.Context, settlement.Event) error { return nil }

func (w *world) ManualAccepted(ctx context.Context, _ string, m settlement.ManualClaim) error {
	_, err := w.here.ManualAccepted(service(ctx), m)
	return err
}

func service(ctx context.Context) context.Context {
	return access.With(ctx, access.Caller{Service: "settlement", Roles: []access.Role{access.Service}})
}

func (w *world) QuoteSplit(ctx context.Context, in settlement.SplitInput) (settlement.Answer, error) {
	return w.far.QuoteSplit(service(ctx), in)
}

func (w *world) CommitSplit(ctx context.Context, messageID string, in settlement.SplitInput) (settlement.Answer, error) {
	p := w.people[in.PatientID]
	w.messages.Store(messageID, p)
	if p.loses() {
		return settlement.Answer{}, errLost
	}
	a, err := w.far.CommitSplit(service(ctx), messageID, in)
	w.heard(p, messageID, in, a, err)
	if p.loses() {
		return settlement.Answer{}, errLost
	}
	return a, err
}

// heard is what the insured province answered to a commit: the model works it out on its own.
func (w *world) heard(p *insuredPerson, id string, in settlement.SplitInput, a settlement.Answer, err error) {
	m := p.messages[id]
	switch {
	case err != nil:
		if m != nil && m.committed || !fault.Is(err, fault.ClaimManual) && !fault.Is(err, fault.WrongState) && !fault.Is(err, fault.NoPolicy) {
			p.fail("commit of %s (%+v): %v", id, m, err)
		}
		return
	case m != nil && m.committed:
		if a.SettlementID != m.answer.SettlementID {
			p.fail("%s was answered twice differently", id)
		}
		return
	case m != nil && m.closed || p.manual[in.ClaimID]:
		p.fail("%s was closed, or its bill taken as manual, and is committed", id)
	}
	for _, other := range p.byClaim[in.ClaimID] {
		if p.messages[other].committed && !p.messages[other].reversed {
			p.fail("%s is settled twice", in.ClaimID)
		}
	}
	year, now := in.DischargeDate[:4], w.clock.Now()
	before := p.years[year]
	m = &sent{in: in, answer: a, committed: true}
	for referral, r := range p.reserved {
		switch mine := referral == in.ReferralID && in.Kind != settlement.Outpatient; {
		case !r.Holds(now):
		case mine:
			m.spent = r
		case r.Year == year:
			before = before.Plus(r.Reserved)
		}
	}
	if m.spent != nil {
		delete(p.reserved, in.ReferralID)
	}
	document, _ := w.book.Policy(insured, in.DischargeDate)
	stay := w.stay(in, a)
	want, err := split.Split(document, p.coverage.Person(), stay, in.Totals, before)
	if err != nil || !reflect.DeepEqual(want.Shares, a.Split.Shares) {
		p.fail("%s pays %v, the model %v, %v", id, a.Split.Shares, want.Shares, err)
	}
	m.used = want.Used
	p.years[year] = p.years[year].Plus(m.used)
	p.owed += want.Funds()
	p.messages[id] = m
	p.byClaim[in.ClaimID], p.order = append(p.byClaim[in.ClaimID], id), append(p.order, id)
}

func (w *world) stay(in settlement.SplitInput, a settlement.Answer) split.Stay {
	stay := split.Stay{Filing: policy.Unfiled, Province: in.TreatmentProvince}
	if in.Kind == settlement.Outpatient {
		stay.Disease = policy.AntiRejection
	}
	if a.FilingID != "" {
		stay.Filing = policy.Referral
	}
	return stay
}

func (w *world) ResolveMessage(ctx context.Context, messageID, province string) (settlement.Resolution, error) {
	found, _ := w.messages.Load(messageID)
	p := found.(*insuredPerson)
	if p.loses() {
		return settlement.Resolution{}, errLost
	}
	r, err := w.far.ResolveMessage(service(ctx), messageID, province)
	m := p.messages[messageID]
	if m == nil {
		m = &sent{closed: true}
		p.messages[messageID] = m
	}
	if err != nil || r.Committed != m.committed || r.Reversed != m.reversed {
		p.fail("%s is resolved as %+v, the model has %+v, %v", messageID, r, m, err)
	}
	if p.loses() {
		return settlement.Resolution{}, errLost
	}
	return r, err
}

func (w *world) ReverseSplit(ctx context.Context, messageID, originalID, province, reason, day string) error {
	found, _ := w.messages.Load(originalID)
	p := found.(*insuredPerson)
	if p.loses() {
		return errLost
	}
	err := w.far.ReverseSplit(service(ctx), messageID, originalID, province, reason, day)
	m := p.messages[originalID]
	switch {
	case m == nil || !m.committed:
		p.fail("%s was never committed, and is reversed: %v", originalID, err)
	case err != nil:
		p.fail("reversal of %s: %v", originalID, err)
	case !m.reversed:
		m.reversed, m.reversal, m.why, m.day = true, messageID, reason, day
		p.years[m.in.DischargeDate[:4]] = p.years[m.in.DischargeDate[:4]].Minus(m.used)
		p.owed -= m.answer.Split.Funds()
		w.restored(p, m)
	case m.reversal != messageID:
		p.fail("%s is reversed twice", originalID)
	}
	if p.loses() {
		return errLost
	}
	return err
}

// restored is a spent pre-authorisation after the reversal of what spent it.
func (w *world) restored(p *insuredPerson, m *sent) {
	if m.spent == nil {
		return
	}
	got, err := w.far.GetPreauthorisation(access.With(context.Background(), operations), m.spent.ID)
	if err != nil {
		p.fail("%v", err)
		return
	}
	again := w.clock.Now().Before(m.spent.Expires) && p.reserved[m.in.ReferralID] == nil && m.spent.Year == m.in.DischargeDate[:4]
	if again != (got.Status == settlement.PreauthorisationActive) {
		p.fail("after the reversal %s is %s", got.ID, got.Status)
	}
	if again {
		if u, r := m.used, got.Reserved; r.Basic > u.Basic || r.SecondLayer > u.SecondLayer || r.Assistance > u.Assistance || r.Basic > m.spent.Reserved.Basic {
			p.fail("%s reserves more than came back: %+v of %+v", got.ID, r, u)
		}
		p.reserved[m.in.ReferralID] = got
	}
}

func newWorld(t *testing.T, dsn string, people int, seed uint64) *world {
	t.Helper()
	book, err := policy.Sample()
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.DateOnly, "2026-01-10")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{clock: clock.NewFake(at), book: book, people: map[string]*insuredPerson{}}
	farDSN := sqldbtest.SQLite(t)
	if dsn[:6] != "sqlite" {
		farDSN = sqldbtest.Postgres(t)
	}
	w.farStore = store.New(sqldbtest.Open(t, farDSN, store.Migrations(), sqldbtest.Clock(w.clock)))
	w.far = settlement.New(w.farStore, w, w.clock, ids, settlement.Rules{Provinces: []string{insured}, Book: book})
	w.here = settlement.New(store.New(sqldbtest.Open(t, dsn, store.Migrations(), sqldbtest.Clock(w.clock))), w, w.clock, ids,
		settlement.Rules{Provinces: []string{treatment}, Book: book})
	for i := range people {
		p := &insuredPerson{
			id: ids.New("pat"), random: rand.New(rand.NewPCG(seed, uint64(i))), cases: []string{ids.New("ref"), ids.New("ref")},
			coverage: settlement.Coverage{Province: insured, PoolingArea: "360100", Scheme: policy.Resident},
			manual:   map[string]bool{}, years: map[string]split.Counters{}, messages: map[string]*sent{}, byClaim: map[string][]string{},
			reserved: map[string]*settlement.Preauthorisation{}, did: map[string]int{},
		}
		if i%2 == 1 {
			p.coverage.Groups = []policy.Group{policy.Subsistence}
		}
		if i%3 == 2 {
			p.coverage.Scheme = policy.Employee
		}
		w.people[p.id] = p
		if _, err := w.far.PutEntitlement(as(t, agency(insured)), settlement.Entitlement{PatientID: p.id, Province: insured, ValidFrom: "2020-01-01", Coverage: p.coverage}, ""); err != nil {
			t.Fatal(err)
		}
	}
	return w
}
