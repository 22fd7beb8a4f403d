package app_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/app"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
	"huhang.example/services/settlement/store"
)

const (
	treatment = "310000"
	insured   = "360000"
	today     = "2026-11-22"
)

var (
	ids         = id.Random()
	center      = access.Caller{Subject: "c-1", Organisation: "C-SH-01", Roles: []access.Role{access.Center}}
	otherCenter = access.Caller{Subject: "c-2", Organisation: "C-SH-02", Roles: []access.Role{access.Center}}
	referrer    = access.Caller{Subject: "r-1", Organisation: "H-NC-01", Roles: []access.Role{access.Coordinator}}
	stranger    = access.Caller{Subject: "r-2", Organisation: "H-HF-01", Roles: []access.Role{access.Coordinator}}
	operations  = access.Caller{Subject: "o-1", Organisation: "OPS", Roles: []access.Role{access.Operations}}
	line        = access.Caller{Service: "referral", Roles: []access.Role{access.Service}}
)

func agency(province string) access.Caller {
	return access.Caller{Subject: "a-1", Organisation: "A-" + province, Province: province, Roles: []access.Role{access.Agency}}
}

func as(t *testing.T, who access.Caller) context.Context { return access.With(t.Context(), who) }

// wire is the other services, and a wire to the insured province that loses what a test says.
type wire struct {
	mu      sync.Mutex
	profile settlement.Profile
	theCase settlement.Case
	insured *settlement.Service
	treats  *settlement.Service
	told    []settlement.Event
	commits int
	// before and after are asked with the name of a call; an error loses the question, or the answer.
	before, after func(call string) error
	// telling is asked with an event; an error keeps the case from hearing it.
	telling func(e settlement.Event) error
}

var errLost = fault.New(fault.Unavailable, fault.PeerUnavailable, "", "lost", "丢失")

func (w *wire) Profile(context.Context, string) (settlement.Profile, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.profile, nil
}

func (w *wire) Case(context.Context, string) (settlement.Case, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.theCase, nil
}

// Tell records an event once per key, as the case does.
func (w *wire) Tell(_ context.Context, e settlement.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.telling != nil {
		if err := w.telling(e); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(w.told, func(t settlement.Event) bool { return t.Key == e.Key }) {
		w.told = append(w.told, e)
	}
	return nil
}

// heard are the kinds of the events told, in the order of the telling.
func (w *wire) heard() (kinds []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.told {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func send[T any](ctx context.Context, w *wire, call string, do func(ctx context.Context) (T, error)) (T, error) {
	w.mu.Lock()
	before, after := w.before, w.after
	if call == "commit" {
		w.commits++
	}
	w.mu.Unlock()
	var none T
	if before != nil {
		if err := before(call); err != nil {
			return none, err
		}
	}
	got, err := do(access.With(context.WithoutCancel(ctx), access.Caller{Service: "settlement", Roles: []access.Role{access.Service}}))
	if after != nil && err == nil {
		if err := after(call); err != nil {
			return none, err
		}
	}
	return got, err
}

func (w *wire) QuoteSplit(ctx context.Context, in settlement.SplitInput) (settlement.Answer, error) {
	return send(ctx, w, "quote", func(ctx context.Context) (settlement.Answer, error) { return w.insured.QuoteSplit(ctx, in) })
}

func (w *wire) CommitSplit(ctx context.Context, messageID string, in settlement.SplitInput) (settlement.Answer, error) {
	return send(ctx, w, "commit", func(ctx context.Context) (settlement.Answer, error) { return w.insured.CommitSplit(ctx, messageID, in) })
}

func (w *wire) ResolveMessage(ctx context.Context, messageID, province string) (settlement.Resolution, error) {
	return send(ctx, w, "resolve", func(ctx context.Context) (settlement.Resolution, error) {
		return w.insured.ResolveMessage(ctx, messageID, province)
	})
}

func (w *wire) ReverseSplit(ctx context.Context, messageID, originalID, province, reason, businessDay string) error {
	_, err := send(ctx, w, "reverse", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, w.insured.ReverseSplit(ctx, messageID, originalID, province, reason, businessDay)
	})
	return err
}

func (w *wire) ManualAccepted(ctx context.Context, _ string, m settlement.ManualClaim) error {
	_, err := send(ctx, w, "accepted", func(ctx context.Context) (*settlement.Claim, error) { return w.treats.ManualAccepted(ctx, m) })
	return err
}

func (w *wire) lose(before, after func(call string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before, w.after = before, after
}

// times loses the first n of a call.
func times(n int, name string) func(string) error {
	var mu sync.Mutex
	return func(call string) error {
		mu.Lock()
		defer mu.Unlock()
		if call != name || n == 0 {
			return nil
		}
		n--
		return errLost
	}
}

// pair is a treatment and an insured province, each with a database of its own, and the wire between them.
type pair struct {
	t         *testing.T
	clock     *clock.Fake
	wire      *wire
	here, far *settlement.Service
	db, farDB *sqldb.DB
	farStore  *store.Store
	patient   string
	referral  string
}

func eachPair(t *testing.T, test func(t *testing.T, p *pair)) {
	t.Helper()
	book, err := policy.Sample()
	if err != nil {
		t.Fatal(err)
	}
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
		at, err := time.Parse(time.DateOnly, today)
		if err != nil {
			t.Fatal(err)
		}
		p := &pair{t: t, clock: clock.NewFake(at), patient: ids.New("pat"), referral: ids.New("ref")}
		farDSN := sqldbtest.SQLite(t)
		if dsn[:6] != "sqlite" {
			farDSN = sqldbtest.Postgres(t)
		}
		p.db = sqldbtest.Open(t, dsn, store.Migrations(), sqldbtest.Clock(p.clock))
		p.farDB = sqldbtest.Open(t, farDSN, store.Migrations(), sqldbtest.Clock(p.clock))
		p.farStore = store.New(p.farDB)
		p.wire = &wire{
			profile: settlement.Profile{
				Coverage:          settlement.Coverage{Province: insured, PoolingArea: "360100", Scheme: policy.Resident},
				ConsentSettlement: true, RegisteredBy: "H-NC-01",
			},
			theCase: settlement.Case{PatientID: p.patient, Referrer: "H-NC-01", CenterID: "C-SH-01"},
		}
		p.far = settlement.New(p.farStore, p.wire, p.clock, ids, settlement.Rules{Provinces: []string{insured}, Book: book})
		p.wire.insured = p.far
		p.here = settlement.New(store.New(p.db), p.wire, p.clock, ids, settlement.Rules{Provinces: []string{treatment, "440000", "120000"}, Book: book})
		p.wire.treats = p.here
		p.entitle(policy.Subsistence)
		test(t, p)
	})
}

// jobs runs the jobs of the treatment province.
func (p *pair) jobs() {
	w := sqldb.NewWorkers()
	app.Handle(w, p.here)
	if err := p.db.StartJobs(p.t.Context(), w); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pair) entitle(groups ...policy.Group) {
	p.t.Helper()
	_, err := p.far.PutEntitlement(as(p.t, agency(insured)), settlement.Entitlement{
		PatientID: p.patient, Province: insured, ValidFrom: "2020-01-01",
		Coverage: settlement.Coverage{Province: insured, PoolingArea: "360100", Scheme: policy.Resident, Groups: groups},
	}, "")
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *pair) file() *settlement.Filing {
	p.t.Helper()
	ask := settlement.FilingAsk{
		PatientID: p.patient, ReferralID: p.referral, Province: insured, TreatmentCity: "310100", Type: policy.Referral,
		ValidFrom: "2026-11-01", OnBehalfOf: "H-NC-01",
	}
	ctx := as(p.t, line)
	prepared := p.far.PrepareFiling(ctx, ask)
	var f *settlement.Filing
	err := p.farStore.Atomically(ctx, func(ctx context.Context) (err error) {
		f, err = p.far.CreateFiling(ctx, ask, prepared)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return f
}

func (p *pair) ask(province, city string) settlement.ClaimAsk {
	return settlement.ClaimAsk{
		ReferralID: p.referral, PatientID: p.patient, CenterID: "C-SH-01", Province: province, TreatmentCity: city,
		InsuredProvince: insured, Organ: "liver", AdmissionDate: "2026-11-01",
	}
}

func (p *pair) open(province, city string) *settlement.Claim {
	p.t.Helper()
	ctx, ask := as(p.t, center), p.ask(province, city)
	c, err := p.here.OpenClaim(ctx, ask, p.here.PrepareClaim(ctx, ask))
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

func charge(number int32, item string, price money.Fen, milli int64) settlement.FeeLine {
	amount, err := split.Charge(price, milli)
	if err != nil {
		panic(err)
	}
	return settlement.FeeLine{
		Line: split.Line{Number: number, Item: item, Price: price, QuantityMilli: milli, Amount: amount}, Name: item, ServiceDate: "2026-11-02",
	}
}

// bill sums to the totals of the brief's example 4: 45,000 out of catalogue, 5,000 over the limit, 30,000 class-B
// first-pay, 220,000 in scope.
func bill() []settlement.FeeLine {
	return []settlement.FeeLine{
		charge(1, "S-SPECIAL", 4_500_000, 1000),
		charge(2, "S-CONS", 1_700_000, 1000), // limit 12,000: 5,000 over, 3,600 first-pay, 8,400 in scope
		charge(3, "S-CONS", 1_100_000, 9000), // 30 %: with the refund below 26,400 first-pay, 61,600 in scope
		refund(4, 3, "S-CONS", 1_100_000, 1000),
		charge(5, "S-OP-LIVER", 15_000_000, 1000),
	}
}

func refund(number, of int32, item string, price money.Fen, milli int64) settlement.FeeLine {
	l := charge(number, item, price, milli)
	l.Amount, l.RefundOf = -l.Amount, of
	return l
}

// discharged is a claim that is ready to be settled.
func (p *pair) discharged(lines ...settlement.FeeLine) *settlement.Claim {
	p.t.Helper()
	if len(lines) == 0 {
		lines = bill()
	}
	c := p.open(treatment, "310100")
	ctx := as(p.t, center)
	c, err := p.here.AddFeeLines(ctx, c.ID, lines)
	if err != nil {
		p.t.Fatal(err)
	}
	if c, err = p.here.DischargeClaim(ctx, c.ID, c.Etag(), today); err != nil {
		p.t.Fatal(err)
	}
	return c
}

func (p *pair) settle(c *settlement.Claim) *settlement.Claim {
	p.t.Helper()
	c, err := p.here.SettleClaim(as(p.t, center), c.ID, c.Etag())
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

func (p *pair) claim(c *settlement.Claim) *settlement.Claim {
	p.t.Helper()
	got, err := p.here.GetClaim(as(p.t, operations), c.ID)
	if err != nil {
		p.t.Fatal(err)
	}
	return got
}

// balanced checks both ledgers, and that the two sides agree on what one owes the other.
func (p *pair) balanced(owed money.Fen) {
	p.t.Helper()
	var net [2]money.Fen
	for i, side := range []struct {
		use     *settlement.Service
		at      string
		account string
	}{{p.here, treatment, "receivable:310000:360000"}, {p.far, insured, "payable:360000:310000"}} {
		balances, difference, err := side.use.TrialBalance(as(p.t, operations), side.at)
		if err != nil || difference != 0 {
			p.t.Fatalf("trial balance of %s: %s, %v", side.at, difference, err)
		}
		for _, b := range balances {
			if b.Account == side.account {
				net[i] = b.Debit - b.Credit
			}
		}
	}
	if net[0] != owed || net[1] != -owed {
		p.t.Fatalf("receivable %s, payable %s, want %s", net[0], -net[1], owed)
	}
}

func (p *pair) counters() split.Counters {
	p.t.Helper()
	c, err := p.far.GetCounters(as(p.t, agency(insured)), insured, p.patient, "2026")
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

func (p *pair) count(db *sqldb.DB, table string) (n int) {
	p.t.Helper()
	err := db.Read(p.t.Context(), func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n)
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

func reason(t *testing.T, err error, want fault.Reason) {
	t.Helper()
	if !fault.Is(err, want) {
		t.Fatalf("got %v, want %s", err, want)
	}
}
