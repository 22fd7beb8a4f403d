// Package storetest holds every settlement store to the same behaviour.
package storetest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

var ids = id.Random()

// Run runs the suite; open returns a fresh, empty store.
func Run(t *testing.T, open func(t *testing.T) settlement.Store) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, s settlement.Store){
		"entitlements": entitlements, "filings": filings, "claims": claims, "lists": lists, "lines": lines,
		"settlements": settlements, "messages": messages, "counters": counters, "counters race": countersRace,
		"message race": messageRace, "books": books, "jobs": jobs, "atomically": atomically,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func ctx(t *testing.T) context.Context {
	return access.With(t.Context(), access.Caller{Service: "test", Roles: []access.Role{access.Service}})
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func reason(t *testing.T, err error, want fault.Reason) {
	t.Helper()
	if !fault.Is(err, want) {
		t.Fatalf("got %v, want %s", err, want)
	}
}

func fails(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("accepted")
	}
}

var at = time.Date(2026, 11, 22, 8, 0, 0, 123_000, time.UTC)

func entitlements(t *testing.T, s settlement.Store) {
	e := settlement.Entitlement{
		Province: "340000", PatientID: ids.New("pat"), ValidFrom: "2026-01-01",
		Coverage: settlement.Coverage{Province: "340000", PoolingArea: "340100", Scheme: policy.Resident, Groups: []policy.Group{policy.Destitute}},
	}
	_, err := s.Entitlement(ctx(t), e.Province, e.PatientID)
	reason(t, err, fault.ReasonNotFound)
	_, err = s.PutEntitlement(ctx(t), e, "1")
	reason(t, err, fault.ReasonNotFound)
	put, err := s.PutEntitlement(ctx(t), e, "")
	ok(t, err)
	got, err := s.Entitlement(ctx(t), e.Province, e.PatientID)
	ok(t, err)
	if put.Version != 1 || got.Etag() != "1" || got.ValidFrom != e.ValidFrom || got.Coverage.Scheme != policy.Resident || !slices.Equal(got.Coverage.Groups, e.Coverage.Groups) {
		t.Fatalf("%+v, %+v", put, got)
	}
	for _, etag := range []string{"", "2", "01"} {
		_, err = s.PutEntitlement(ctx(t), e, etag)
		reason(t, err, fault.StaleVersion)
	}
	e.ValidTo = "2026-12-31"
	_, err = s.PutEntitlement(ctx(t), e, "1")
	ok(t, err)
	if got, err = s.Entitlement(ctx(t), e.Province, e.PatientID); err != nil || got.Version != 2 || got.ValidTo != "2026-12-31" {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err = s.Entitlement(ctx(t), "360000", e.PatientID); !fault.Is(err, fault.ReasonNotFound) {
		t.Fatal("another province sees it")
	}
}

func newFiling(patient string) *settlement.Filing {
	return &settlement.Filing{
		ID: ids.New("fil_340000"), PatientID: patient, ReferralID: ids.New("ref"), Province: "340000", TreatmentCity: "310100",
		FiledBy: "H-HF-01", Status: settlement.FilingActive, Type: policy.Referral, ValidFrom: "2026-11-22", ValidTo: "2027-05-22",
		Automatic: true, Created: at,
	}
}

func filings(t *testing.T, s settlement.Store) {
	patient := ids.New("pat")
	f := newFiling(patient)
	ok(t, s.LockPerson(ctx(t), f.Province, patient))
	ok(t, s.LockPerson(ctx(t), f.Province, patient))
	ok(t, s.CreateFiling(ctx(t), f))
	fails(t, s.CreateFiling(ctx(t), f))
	got, err := s.Filing(ctx(t), f.ID)
	ok(t, err)
	if !reflect.DeepEqual(got, f) {
		t.Fatalf("%+v became %+v", f, got)
	}
	_, err = s.UpdateFiling(ctx(t), f.ID, "7", func(context.Context, *settlement.Filing) error { return nil })
	reason(t, err, fault.StaleVersion)
	_, err = s.UpdateFiling(ctx(t), ids.New("fil_340000"), "", func(context.Context, *settlement.Filing) error { return nil })
	reason(t, err, fault.ReasonNotFound)
	boom := errors.New("boom")
	_, err = s.UpdateFiling(ctx(t), f.ID, "1", func(_ context.Context, f *settlement.Filing) error {
		f.Status = settlement.FilingCancelled
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	if got, _ = s.Filing(ctx(t), f.ID); !reflect.DeepEqual(got, f) {
		t.Fatalf("a failed update left %+v", got)
	}
	same, err := s.UpdateFiling(ctx(t), f.ID, "1", func(context.Context, *settlement.Filing) error { return settlement.ErrUnchanged })
	if err != nil || same.Version != 1 {
		t.Fatalf("%+v, %v", same, err)
	}
	changed, err := s.UpdateFiling(ctx(t), f.ID, "1", func(_ context.Context, f *settlement.Filing) error {
		f.Status = settlement.FilingCancelled
		return nil
	})
	if err != nil || changed.Version != 2 {
		t.Fatalf("%+v, %v", changed, err)
	}
	second := newFiling(patient)
	ok(t, s.CreateFiling(ctx(t), second))
	ok(t, s.CreateFiling(ctx(t), newFiling(ids.New("pat"))))
	all, err := s.FilingsOf(ctx(t), "340000", patient)
	ok(t, err)
	if len(all) != 2 || all[0].ID != second.ID || all[1].Status != settlement.FilingCancelled {
		t.Fatalf("%v", all)
	}
}

func newClaim() *settlement.Claim {
	return &settlement.Claim{
		ID: ids.New("clm_310000"), ReferralID: ids.New("ref"), PatientID: ids.New("pat"), CenterID: "C-SH-01", Referrer: "H-HF-01",
		Province: "310000", InsuredProvince: "340000", Status: settlement.Open, Kind: settlement.Inpatient, TreatmentCity: "310100", Organ: "liver",
		AdmissionDate: "2026-11-01", Created: at,
	}
}

func claims(t *testing.T, s settlement.Store) {
	c := newClaim()
	ok(t, s.CreateClaim(ctx(t), c))
	got, err := s.Claim(ctx(t), c.ID)
	ok(t, err)
	if *got != *c {
		t.Fatalf("%+v became %+v", c, got)
	}
	again := newClaim()
	again.ReferralID = c.ReferralID
	reason(t, s.CreateClaim(ctx(t), again), fault.WrongState)
	_, err = s.UpdateClaim(ctx(t), c.ID, "1", func(_ context.Context, c *settlement.Claim) error {
		c.Status, c.MessageID, c.Input = settlement.Settling, ids.New("msg_310000"), &settlement.SplitInput{ClaimID: c.ID, Totals: split.Totals{Total: 7}}
		return nil
	})
	ok(t, err)
	got, err = s.Claim(ctx(t), c.ID)
	if err != nil || got.Version != 2 || got.Status != settlement.Settling || got.Input == nil || got.Input.Totals.Total != 7 {
		t.Fatalf("%+v, %v", got, err)
	}
	ok(t, s.CreateClaim(ctx(t), again))
	_, err = s.UpdateClaim(ctx(t), c.ID, "1", func(context.Context, *settlement.Claim) error { return nil })
	reason(t, err, fault.StaleVersion)
	_, err = s.Claim(ctx(t), ids.New("clm_310000"))
	reason(t, err, fault.ReasonNotFound)

	// Of many at once each sees the other's.
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			_, err := s.UpdateClaim(ctx(t), c.ID, "", func(_ context.Context, c *settlement.Claim) error { c.Total++; return nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got, err = s.Claim(ctx(t), c.ID); err != nil || got.Total != 16 || got.Version != 18 {
		t.Fatalf("%+v, %v", got, err)
	}
}

func lists(t *testing.T, s settlement.Store) {
	var want []string
	for i := range 7 {
		c := newClaim()
		if i%2 == 1 {
			c.CenterID, c.Status = "C-SH-02", settlement.Discharged
		}
		ok(t, s.CreateClaim(ctx(t), c))
		want = append([]string{c.ID}, want...)
	}
	read := func(q settlement.ClaimQuery, size int) (got []string) {
		q.Province = "310000"
		for cursor := ""; ; {
			page, next, err := s.ListClaims(ctx(t), q, cursor, size)
			ok(t, err)
			if len(page) > size {
				t.Fatalf("a page of %d", len(page))
			}
			for _, c := range page {
				got = append(got, c.ID)
			}
			if cursor = next; cursor == "" {
				return got
			}
		}
	}
	for _, size := range []int{1, 3, 7, 50} {
		if got := read(settlement.ClaimQuery{Scope: settlement.Scope{All: true}}, size); !slices.Equal(got, want) {
			t.Fatalf("by %d: %v, want %v", size, got, want)
		}
	}
	for name, test := range map[string]struct {
		q    settlement.ClaimQuery
		want int
	}{
		"one center":          {settlement.ClaimQuery{Scope: settlement.Scope{Organisation: "C-SH-02"}}, 3},
		"the referrer":        {settlement.ClaimQuery{Scope: settlement.Scope{Organisation: "H-HF-01"}}, 7},
		"insured province":    {settlement.ClaimQuery{Scope: settlement.Scope{Province: "340000"}}, 7},
		"treatment province":  {settlement.ClaimQuery{Scope: settlement.Scope{Province: "310000"}}, 7},
		"another province":    {settlement.ClaimQuery{Scope: settlement.Scope{Province: "360000"}}, 0},
		"nobody":              {settlement.ClaimQuery{}, 0},
		"another case's name": {settlement.ClaimQuery{Scope: settlement.Scope{Organisation: "h-hf-01"}}, 0},
		"a status":            {settlement.ClaimQuery{Scope: settlement.Scope{All: true}, Status: settlement.Discharged}, 3},
		"no such case":        {settlement.ClaimQuery{Scope: settlement.Scope{All: true}, ReferralID: ids.New("ref")}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := read(test.q, 2); len(got) != test.want {
				t.Fatalf("%d, want %d", len(got), test.want)
			}
		})
	}
	mine, theirs := newFiling(ids.New("pat")), newFiling(ids.New("pat"))
	theirs.FiledBy = "H-NC-01"
	ok(t, s.CreateFiling(ctx(t), mine))
	ok(t, s.CreateFiling(ctx(t), theirs))
	for name, test := range map[string]struct {
		q    settlement.FilingQuery
		want int
	}{
		"all":        {settlement.FilingQuery{Province: "340000", Scope: settlement.Scope{All: true}}, 2},
		"mine":       {settlement.FilingQuery{Province: "340000", Scope: settlement.Scope{Organisation: "H-HF-01"}}, 1},
		"by case":    {settlement.FilingQuery{Province: "340000", ReferralID: theirs.ReferralID, Scope: settlement.Scope{All: true}}, 1},
		"by patient": {settlement.FilingQuery{Province: "340000", PatientID: mine.PatientID, Scope: settlement.Scope{All: true}}, 1},
		"elsewhere":  {settlement.FilingQuery{Province: "360000", Scope: settlement.Scope{All: true}}, 0},
		"nobody":     {settlement.FilingQuery{Province: "340000"}, 0},
	} {
		got, _, err := s.ListFilings(ctx(t), test.q, "", 10)
		if err != nil || len(got) != test.want {
			t.Errorf("filings, %s: %d, want %d, %v", name, len(got), test.want, err)
		}
	}
}

func lines(t *testing.T, s settlement.Store) {
	c := newClaim()
	ok(t, s.CreateClaim(ctx(t), c))
	one := settlement.FeeLine{Line: split.Line{Number: 9, Item: "S-BED", Price: 100, QuantityMilli: 1500, Amount: 150}, Name: "示范床位", ServiceDate: "2026-11-02"}
	back := settlement.FeeLine{Line: split.Line{Number: 2, Item: "S-BED", Price: 100, QuantityMilli: 500, Amount: -50, RefundOf: 9}, Name: "示范床位", ServiceDate: "2026-11-03"}
	ok(t, s.AddLines(ctx(t), c.ID, []settlement.FeeLine{one, back}))
	got, err := s.Lines(ctx(t), c.ID)
	if err != nil || !slices.Equal(got, []settlement.FeeLine{back, one}) {
		t.Fatalf("%+v, %v", got, err)
	}
	more := one
	more.Number = 10
	fails(t, s.AddLines(ctx(t), c.ID, []settlement.FeeLine{more, one})) // 9 is there
	fails(t, s.AddLines(ctx(t), ids.New("clm_310000"), []settlement.FeeLine{more}))
	negative := more
	negative.Amount = -1
	fails(t, s.AddLines(ctx(t), c.ID, []settlement.FeeLine{negative}))
	if got, err = s.Lines(ctx(t), c.ID); err != nil || len(got) != 2 {
		t.Fatalf("a refused line left %+v, %v", got, err)
	}
}
