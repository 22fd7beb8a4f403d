package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/ledger"
	"huhang.example/services/settlement/split"
)

func settlements(t *testing.T, s settlement.Store) {
	c := newClaim()
	ok(t, s.CreateClaim(ctx(t), c))
	make := func() *settlement.Settlement {
		return &settlement.Settlement{
			ID: ids.New("stl_340000"), ClaimID: c.ID, MessageID: ids.New("msg_310000"), Time: at,
			Answer: settlement.Answer{SettlementID: "x", Split: split.Result{Total: 3, Shares: []split.Share{{Payer: split.Cash, Amount: 3}}, Steps: []split.Step{{Rule: "cash", Zh: "您", En: "You"}}}},
		}
	}
	first, second := make(), make()
	ok(t, s.CreateSettlement(ctx(t), first))
	got, err := s.Settlement(ctx(t), first.ID)
	if err != nil || got.Reversed || got.ClaimID != c.ID || !got.Time.Equal(at) || got.Answer.Split.Check() != nil || got.Answer.Split.Steps[0].Zh != "您" {
		t.Fatalf("%+v, %v", got, err)
	}
	fails(t, s.CreateSettlement(ctx(t), second)) // one stands
	ok(t, s.MarkReversed(ctx(t), first.ID))
	reason(t, s.MarkReversed(ctx(t), first.ID), fault.ReasonNotFound)
	ok(t, s.CreateSettlement(ctx(t), second))
	if got, err = s.Settlement(ctx(t), first.ID); err != nil || !got.Reversed {
		t.Fatalf("%+v, %v", got, err)
	}
	_, err = s.Settlement(ctx(t), ids.New("stl_340000"))
	reason(t, err, fault.ReasonNotFound)
}

func newMessage() *settlement.Message {
	return &settlement.Message{
		ID: ids.New("msg_310000"), Province: "340000", Kind: settlement.Commit, Status: settlement.MessageCommitted, ClaimID: ids.New("clm_310000"),
		Hash: "h", PatientID: ids.New("pat"), ReferralID: ids.New("ref"), Year: "2026", Treatment: "310000", Created: at,
		Answer: settlement.Answer{SettlementID: "stl", FilingID: "fil", Split: split.Result{Total: 5, Used: split.Counters{Deductible: 1}}},
	}
}

func messages(t *testing.T, s settlement.Store) {
	m := newMessage()
	_, err := s.Message(ctx(t), m.ID)
	reason(t, err, fault.ReasonNotFound)
	_, err = s.CommittedFor(ctx(t), m.ClaimID)
	reason(t, err, fault.ReasonNotFound)
	reason(t, s.SaveMessage(ctx(t), m), fault.ReasonNotFound)
	for i, want := range []bool{true, false} {
		inserted, err := s.InsertMessage(ctx(t), m)
		if err != nil || inserted != want {
			t.Fatalf("insert %d: %v, %v", i, inserted, err)
		}
	}
	charged := func(province string, want money.Fen) {
		t.Helper()
		if sum, err := s.ReferralDeductible(ctx(t), province, m.ReferralID); err != nil || sum != want {
			t.Fatalf("deductible of the case: %s, %v, want %s", sum, err, want)
		}
	}
	charged("340000", 1)
	charged("310000", 0)
	twice := newMessage()
	twice.ClaimID = m.ClaimID
	_, err = s.InsertMessage(ctx(t), twice)
	fails(t, err) // the claim is paid for
	for _, read := range []func() (*settlement.Message, error){
		func() (*settlement.Message, error) { return s.Message(ctx(t), m.ID) },
		func() (*settlement.Message, error) { return s.CommittedFor(ctx(t), m.ClaimID) },
	} {
		got, err := read()
		if err != nil || got.ID != m.ID || got.Hash != "h" || got.Answer.Split.Used.Deductible != 1 || got.Status != settlement.MessageCommitted || got.Treatment != "310000" {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	m.Status = settlement.MessageReversed
	ok(t, s.SaveMessage(ctx(t), m))
	charged("340000", 0)
	_, err = s.CommittedFor(ctx(t), m.ClaimID)
	reason(t, err, fault.ReasonNotFound)
	if inserted, err := s.InsertMessage(ctx(t), twice); err != nil || !inserted {
		t.Fatalf("%v, %v", inserted, err)
	}
	short := newMessage()
	short.ID = "short"
	_, err = s.InsertMessage(ctx(t), short)
	fails(t, err)
}

func counters(t *testing.T, s settlement.Store) {
	patient := ids.New("pat")
	c, err := s.Counters(ctx(t), "340000", patient, "2026")
	if err != nil || c != (split.Counters{}) {
		t.Fatalf("%+v, %v", c, err)
	}
	var want split.Counters
	for i, sum := range want.Values() {
		*sum = money.Fen(i + 1)
	}
	ok(t, s.UpdateCounters(ctx(t), "340000", patient, "2026", func(_ context.Context, c *split.Counters) error { *c = c.Plus(want); return nil }))
	boom := errors.New("boom")
	err = s.UpdateCounters(ctx(t), "340000", patient, "2026", func(_ context.Context, c *split.Counters) error { c.Basic = 99; return boom })
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	fails(t, s.UpdateCounters(ctx(t), "340000", patient, "2026", func(_ context.Context, c *split.Counters) error { c.Basic = -1; return nil }))
	if c, err = s.Counters(ctx(t), "340000", patient, "2026"); err != nil || c != want {
		t.Fatalf("%+v, %v", c, err)
	}
	for _, other := range [][2]string{{"340000", "2025"}, {"360000", "2026"}} {
		if c, err = s.Counters(ctx(t), other[0], patient, other[1]); err != nil || c != (split.Counters{}) {
			t.Fatalf("%v: %+v, %v", other, c, err)
		}
	}
}

func countersRace(t *testing.T, s settlement.Store) {
	patient := ids.New("pat")
	var all sync.WaitGroup
	for range 24 {
		all.Go(func() {
			err := s.UpdateCounters(ctx(t), "340000", patient, "2026", func(_ context.Context, c *split.Counters) error { c.Basic++; return nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if c, err := s.Counters(ctx(t), "340000", patient, "2026"); err != nil || c.Basic != 24 {
		t.Fatalf("%+v, %v", c, err)
	}
}

func messageRace(t *testing.T, s settlement.Store) {
	m := newMessage()
	var all sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 24 {
		all.Go(func() {
			mine := *m
			inserted, err := s.InsertMessage(ctx(t), &mine)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if inserted {
				won++
			}
		})
	}
	all.Wait()
	if won != 1 {
		t.Fatalf("%d of 24 won", won)
	}
}

func entry(t *testing.T, source string, kind ledger.Kind) ledger.Entry {
	t.Helper()
	e, err := ledger.New(ledger.Head{ID: ids.New("ent_340000"), Province: "340000", Side: ledger.Insured, Kind: kind, Source: source, Counterparty: "310000", Day: "2026-11-22"},
		ledger.Posting{Account: ledger.Fund("340000", "basic"), Debit: 70}, ledger.Posting{Account: ledger.Fund("340000", "assistance"), Debit: 5},
		ledger.Posting{Account: ledger.PayableTo("340000", "310000"), Credit: 75})
	ok(t, err)
	return e
}

func books(t *testing.T, s settlement.Store) {
	e := entry(t, "stl_1", ledger.Settlement)
	ok(t, s.Post(ctx(t), e, at))
	fails(t, s.Post(ctx(t), entry(t, "stl_1", ledger.Settlement), at)) // posted once
	got, err := s.Entry(ctx(t), "340000", ledger.Insured, ledger.Settlement, "stl_1")
	if err != nil || !slices.Equal(got.Postings(), e.Postings()) || got.Head() != e.Head() {
		t.Fatalf("%+v, %v", got, err)
	}
	_, err = s.Entry(ctx(t), "340000", ledger.Treatment, ledger.Settlement, "stl_1")
	reason(t, err, fault.ReasonNotFound)
	back, err := got.Reverse(ids.New("ent_340000"), "2026-11-23")
	ok(t, err)
	ok(t, s.Post(ctx(t), entry(t, "stl_2", ledger.Settlement), at))
	ok(t, s.Post(ctx(t), back, at))
	ok(t, s.Post(ctx(t), ledger.Entry{}, at)) // nothing moved
	balances, err := s.Balances(ctx(t), "340000")
	want := []ledger.Balance{
		{Account: "fund:340000:assistance", Debit: 10, Credit: 5},
		{Account: "fund:340000:basic", Debit: 140, Credit: 70},
		{Account: "payable:340000:310000", Debit: 75, Credit: 150},
	}
	if err != nil || !slices.Equal(balances, want) || ledger.Difference(balances) != 0 {
		t.Fatalf("%+v, %v", balances, err)
	}
	if balances, err = s.Balances(ctx(t), "360000"); err != nil || len(balances) != 0 {
		t.Fatalf("%+v, %v", balances, err)
	}
}

func jobs(t *testing.T, s settlement.Store) {
	ok(t, s.CompleteLater(ctx(t), ids.New("clm_310000"), clock.System().Now().Add(time.Hour)))
	claim, other := ids.New("clm_310000"), ids.New("clm_310000")
	tell := func(claimID string, number int64) {
		ok(t, s.TellCase(ctx(t), settlement.Event{Key: strings.Repeat("k", 64), ReferralID: ids.New("ref"), ClaimID: claimID, Number: number, Kind: "OPENED", At: at}))
	}
	tell(claim, 3)
	tell(claim, 1)
	tell(claim, 10)
	tell(other, 2)
	owed := func(upTo int64, want ...int64) {
		t.Helper()
		got, err := s.Untold(ctx(t), claim, upTo)
		var numbers []int64
		for _, e := range got {
			numbers = append(numbers, e.Number)
		}
		if err != nil || !slices.Equal(numbers, want) {
			t.Errorf("owed up to %d: %v, %v", upTo, numbers, err)
		}
	}
	owed(3, 1, 3)
	owed(10, 1, 3, 10)
	ok(t, s.Told(ctx(t), claim, 1))
	ok(t, s.Told(ctx(t), claim, 1))
	owed(10, 3, 10)
}

// What is done within Atomically commits together, or not at all.
func atomically(t *testing.T, s settlement.Store) {
	c, patient, boom := newClaim(), ids.New("pat"), errors.New("boom")
	do := func(end error) error {
		return s.Atomically(ctx(t), func(ctx context.Context) error {
			if err := s.CreateClaim(ctx, c); err != nil {
				return err
			}
			err := s.UpdateCounters(ctx, "340000", patient, "2026", func(ctx context.Context, n *split.Counters) error {
				n.Basic = 7
				return s.Post(ctx, entry(t, "stl_9", ledger.Settlement), at)
			})
			return errors.Join(err, end)
		})
	}
	if err := do(boom); !errors.Is(err, boom) {
		t.Fatal(err)
	}
	_, err := s.Claim(ctx(t), c.ID)
	reason(t, err, fault.ReasonNotFound)
	balances, err := s.Balances(ctx(t), "340000")
	if n, _ := s.Counters(ctx(t), "340000", patient, "2026"); err != nil || len(balances) != 0 || n.Basic != 0 {
		t.Fatalf("half a transaction: %v, %+v, %v", balances, n, err)
	}
	ok(t, do(nil))
	if _, err = s.Claim(ctx(t), c.ID); err != nil {
		t.Fatal(err)
	}
}
