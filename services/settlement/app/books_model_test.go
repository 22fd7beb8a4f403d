package app_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
	"huhang.example/services/settlement/store"
)

// bookkeeping is the insured province's side alone, straight over domain, store and ledger, many operations a transaction:
// what TestModel does with every call and every loss on the wire, this does to the messages, counters and books, often.
// Every tenth transaction is given up at its end, and nothing of it may stay.
type bookkeeping struct {
	t       *testing.T
	db      *sqldb.DB
	store   *store.Store
	books   *store.Books
	use     *settlement.Service
	book    *policy.Book
	clock   *clock.Fake
	random  *rand.Rand
	people  []*bookkept
	live    []*standing // some of those that can still be reversed
	gone    []*standing // some that were
	closed  []string
	months  map[ledger.Side]clearing.Month
	owed    money.Fen
	entries int64
	done    int
	did     map[string]int
	undo    []func()
}

type bookkept struct {
	id       string
	coverage settlement.Coverage
	years    map[string]split.Counters
}

// standing is a bill that was settled.
type standing struct {
	of                *bookkept
	message, reversal string
	day               string
	in                settlement.SplitInput
	settlementID      string
	used              split.Counters
	funds             money.Fen
	entry             ledger.Entry
}

var errGivenUp = errors.New("given up")

// mostKept bounds what the model keeps of single bills; the sums know of all.
const mostKept = 2000

func newBookkeeping(t *testing.T, dsn string, people int, seed uint64) *bookkeeping {
	t.Helper()
	book, err := policy.Sample()
	if err != nil {
		t.Fatal(err)
	}
	b := &bookkeeping{
		t: t, book: book, clock: clock.NewFake(time.Date(2026, 1, 10, 2, 0, 0, 0, time.UTC)), random: rand.New(rand.NewPCG(seed, 7)),
		months: map[ledger.Side]clearing.Month{}, did: map[string]int{},
	}
	b.db = sqldbtest.Open(t, dsn, store.Migrations(), sqldbtest.Clock(b.clock))
	b.store, b.books = store.New(b.db), store.NewBooks(b.db)
	b.use = settlement.New(b.store, nil, b.clock, ids, settlement.Rules{Provinces: []string{insured, treatment}, Book: book})
	for i := range people {
		p := &bookkept{
			id: ids.New("pat"), years: map[string]split.Counters{},
			coverage: settlement.Coverage{Province: insured, PoolingArea: "360100", Scheme: []policy.Scheme{policy.Resident, policy.Employee}[i%2]},
		}
		if i%3 == 0 {
			p.coverage.Groups = []policy.Group{policy.Subsistence}
		}
		b.people = append(b.people, p)
		if _, err := b.use.PutEntitlement(as(t, agency(insured)), settlement.Entitlement{PatientID: p.id, Province: insured, ValidFrom: "2020-01-01", Coverage: p.coverage}, ""); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// run does operations until there are enough or the time is over, and compares everything in the end.
func (b *bookkeeping) run(atMost int, limit time.Duration) int {
	b.t.Helper()
	// A machine that stands still for a while ends no transaction: what became of it would be unknown to the model.
	ctx, cancel := context.WithTimeout(service(b.t.Context()), limit+time.Hour)
	defer cancel()
	ends := clock.System().Now().Add(limit)
	for checked := 0; b.done < atMost && clock.System().Now().Before(ends); {
		b.transaction(ctx)
		b.refused(ctx)
		b.between(ctx)
		if b.done-checked >= 20_000 {
			checked = b.done
			b.agree(ctx)
			b.t.Logf("%d operations, %d entries: all agrees", b.done, b.entries)
		}
	}
	b.agree(ctx)
	b.end(ctx)
	b.t.Logf("%d operations, %d entries of the books: %v", b.done, b.entries, b.did)
	return b.done
}

// transaction does some operations in one; what the model noted is undone where it is given up.
func (b *bookkeeping) transaction(ctx context.Context) {
	n, giveUp := 1+b.random.IntN(40), b.random.IntN(10) == 0
	b.undo = nil
	err := b.store.Atomically(ctx, func(ctx context.Context) error {
		if b.undo != nil {
			b.t.Fatal("one goroutine's transaction was run again")
		}
		for range n {
			if err := b.step(ctx); err != nil {
				return err
			}
		}
		if giveUp {
			return errGivenUp
		}
		return nil
	})
	if giveUp && errors.Is(err, errGivenUp) {
		for i := len(b.undo) - 1; i >= 0; i-- {
			b.undo[i]()
		}
		b.did["given up"] += n
	} else if err != nil {
		b.t.Fatal(err)
	}
	b.done += n
}

func (b *bookkeeping) step(ctx context.Context) error {
	what := []string{"settle", "settle", "settle", "settle", "reverse", "reverse", "reverse", "again", "back again", "resolve", "close", "quote"}[b.random.IntN(12)]
	if len(b.live) == 0 || what == "back again" && len(b.gone) == 0 {
		what = "settle"
	}
	b.did[what]++
	switch what {
	case "settle":
		return b.settle(ctx)
	case "reverse":
		return b.reverse(ctx)
	case "again":
		s := b.some(b.live)
		a, err := b.use.CommitSplit(ctx, s.message, s.in)
		if err == nil && a.SettlementID != s.settlementID {
			b.t.Fatalf("%s was answered twice differently", s.message)
		}
		return err
	case "back again":
		s := b.some(b.gone)
		return b.use.ReverseSplit(ctx, s.reversal, s.message, insured, "model", s.day)
	case "resolve":
		s := b.some(b.live)
		r, err := b.use.ResolveMessage(ctx, s.message, insured)
		if err == nil && (!r.Committed || r.Reversed || r.Answer.SettlementID != s.settlementID) {
			b.t.Fatalf("%s is resolved as %+v", s.message, r)
		}
		return err
	case "close":
		id, before := ids.New("msg_"+treatment), b.closed
		b.undo = append(b.undo, func() { b.closed = before })
		b.closed = append(b.closed[max(0, len(b.closed)-100):len(b.closed):len(b.closed)], id)
		r, err := b.use.ResolveMessage(ctx, id, insured)
		if r.Committed {
			b.t.Fatalf("%s was never sent", id)
		}
		return err
	}
	_, err := b.use.QuoteSplit(ctx, b.bill(b.people[b.random.IntN(len(b.people))]))
	return err
}

func (b *bookkeeping) some(from []*standing) *standing { return from[b.random.IntN(len(from))] }

// bill is any bill of a person, up to forty days old.
func (b *bookkeeping) bill(p *bookkept) settlement.SplitInput {
	left := b.clock.Now().AddDate(0, 0, -b.random.IntN(40))
	in := settlement.SplitInput{
		PatientID: p.id, InsuredProvince: insured, TreatmentProvince: treatment, TreatmentCity: "310100", CenterID: "C-SH-01",
		ClaimID: ids.New("clm_" + treatment), ReferralID: ids.New("ref"), AdmissionDate: clock.Day(left.AddDate(0, 0, -b.random.IntN(20))), DischargeDate: clock.Day(left),
		BusinessDay: clock.Day(b.clock.Now()), Emergency: b.random.IntN(3) == 0,
	}
	if b.random.IntN(4) == 0 {
		in.Kind, in.AdmissionDate = settlement.Outpatient, in.DischargeDate
	}
	part := func(most int64) money.Fen { return money.Fen(b.random.Int64N(most)) }
	in.Totals = split.Totals{OutOfCatalogue: part(200_000), OverLimit: part(50_000), ClassB: part(90_000), InScope: part(3_000_000), CatalogueVersion: "model", HospitalLevel: 3}
	in.Totals.Total = in.Totals.OutOfCatalogue + in.Totals.OverLimit + in.Totals.ClassB + in.Totals.InScope
	return in
}

func (b *bookkeeping) settle(ctx context.Context) error {
	p := b.people[b.random.IntN(len(b.people))]
	s := &standing{of: p, message: ids.New("msg_" + treatment), in: b.bill(p)}
	a, err := b.use.CommitSplit(ctx, s.message, s.in)
	if err != nil {
		return err
	}
	year := s.in.DischargeDate[:4]
	document, _ := b.book.Policy(insured, s.in.DischargeDate)
	stay := split.Stay{Filing: policy.Unfiled, Province: treatment, City: s.in.TreatmentCity}
	if s.in.Emergency {
		stay.Filing = policy.Emergency
	}
	if s.in.Kind == settlement.Outpatient {
		stay.Disease = policy.AntiRejection
	}
	want, err := split.Split(document, p.coverage.Person(), stay, s.in.Totals, p.years[year])
	if err != nil || !reflect.DeepEqual(want.Shares, a.Split.Shares) {
		b.t.Fatalf("%s pays %v, the model %v, %v", s.message, a.Split.Shares, want.Shares, err)
	}
	s.settlementID, s.used, s.funds = a.SettlementID, want.Used, want.Funds()
	s.entry, err = ledger.New(
		ledger.Head{ID: ids.New("ent_" + treatment), Province: treatment, Side: ledger.Treatment, Kind: ledger.Settlement, Source: s.settlementID, Counterparty: insured, Day: s.in.BusinessDay},
		ledger.Posting{Account: ledger.ReceivableFrom(treatment, insured), Debit: s.funds},
		ledger.Posting{Account: ledger.PatientCash(treatment, "C-SH-01"), Debit: want.Total - s.funds},
		ledger.Posting{Account: ledger.HospitalPayable(treatment, "C-SH-01"), Credit: want.Total})
	if err != nil {
		return err
	}
	before, live := p.years[year], b.live
	b.undo = append(b.undo, func() { p.years[year], b.live, b.owed, b.entries = before, live, b.owed-s.funds, b.entries-2 })
	p.years[year] = before.Plus(s.used)
	b.live = append(append([]*standing(nil), live[max(0, len(live)-mostKept):]...), s)
	b.owed, b.entries = b.owed+s.funds, b.entries+2
	return b.store.Post(ctx, s.entry, b.clock.Now())
}

func (b *bookkeeping) reverse(ctx context.Context) error {
	at := b.random.IntN(len(b.live))
	s := b.live[at]
	s.reversal, s.day = ids.New("rev_"+treatment), clock.Day(b.clock.Now())
	if err := b.use.ReverseSplit(ctx, s.reversal, s.message, insured, "model", s.day); err != nil {
		return err
	}
	back, err := s.entry.Reverse(ids.New("ent_"+treatment), s.day)
	if err != nil {
		return err
	}
	year := s.in.DischargeDate[:4]
	before, live, gone := s.of.years[year], b.live, b.gone
	b.undo = append(b.undo, func() {
		s.of.years[year], b.live, b.gone, b.owed, b.entries = before, live, gone, b.owed+s.funds, b.entries-2
	})
	s.of.years[year] = before.Minus(s.used)
	b.live = append(append([]*standing(nil), live[:at]...), live[at+1:]...)
	b.gone = append(append([]*standing(nil), gone[max(0, len(gone)-100):]...), s)
	b.owed, b.entries = b.owed-s.funds, b.entries+2
	return b.store.Post(ctx, back, b.clock.Now())
}

// refused does one thing that must change nothing.
func (b *bookkeeping) refused(ctx context.Context) {
	if len(b.live) == 0 || len(b.gone) == 0 || len(b.closed) == 0 {
		return
	}
	live, gone, fresh := b.some(b.live), b.some(b.gone), ids.New("msg_"+treatment)
	commit := func(id string, in settlement.SplitInput, change func(*settlement.SplitInput)) error {
		change(&in)
		_, err := b.use.CommitSplit(ctx, id, in)
		return err
	}
	same := func(*settlement.SplitInput) {}
	try := []struct {
		want fault.Reason
		do   func() error
	}{
		{fault.AlreadySettled, func() error { return commit(fresh, live.in, same) }},
		{fault.MessageIDReused, func() error {
			return commit(live.message, live.in, func(in *settlement.SplitInput) { in.TreatmentCity = "310200" })
		}},
		{fault.WrongState, func() error { return commit(b.closed[len(b.closed)-1], b.bill(live.of), same) }},
		{fault.WrongState, func() error { return b.use.ReverseSplit(ctx, fresh, gone.message, insured, "model", gone.day) }},
		{fault.ReasonNotFound, func() error { return b.use.ReverseSplit(ctx, fresh, ids.New("msg_"+treatment), insured, "model", "") }},
		{fault.TimeInvalid, func() error {
			return commit(fresh, b.bill(live.of), func(in *settlement.SplitInput) { in.AdmissionDate = "2099-01-01" })
		}},
		{fault.NotEntitled, func() error {
			return commit(fresh, b.bill(live.of), func(in *settlement.SplitInput) { in.PatientID = ids.New("pat") })
		}},
		{fault.ProvinceNotServed, func() error {
			return commit(fresh, b.bill(live.of), func(in *settlement.SplitInput) { in.InsuredProvince = "340000" })
		}},
	}[b.random.IntN(8)]
	if err := try.do(); !fault.Is(err, try.want) {
		b.t.Fatalf("not %s: %v", try.want, err)
	}
	b.did["refused "+string(try.want)]++
	b.done++
}
