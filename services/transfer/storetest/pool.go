package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/pool"
)

const shanghai = "C-SH-01"

func whatOwnersSay(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	beds := AddUnits(t, s, shanghai, pool.Bed, 3)
	set := func(id, etag string, change func(*pool.Resource)) (pool.Resource, error) {
		return s.UpdateResource(ctx, id, etag, func(r *pool.Resource) error { change(r); return nil })
	}
	closed := pool.Calendar{Closures: []pool.Closure{{Interval: Need("", pool.Bed, 4, 8).Interval, Reason: "示范维护"}}, Rest: time.Hour}
	got := must[pool.Resource](t)(set(beds[0], "1", func(r *pool.Resource) { r.Calendar, r.Reported, r.ReportedBy = closed, Now, "示范工号" }))
	if got.Edition != 2 {
		t.Errorf("edition %d", got.Edition)
	}
	_, err := set(beds[0], "1", func(*pool.Resource) {})
	reason(t, err, fault.StaleVersion)
	_, err = set(ids.New("res"), "1", func(*pool.Resource) {})
	reason(t, err, fault.ReasonNotFound)
	must[pool.Resource](t)(set(beds[1], "1", func(r *pool.Resource) { r.OutOfService = true }))
	read := must[pool.Resource](t)(s.Resource(ctx, beds[0], Now))
	if len(read.Calendar.Closures) != 1 || read.Calendar.Rest != time.Hour || !read.Reported.Equal(Now) || read.ReportedBy != "示范工号" {
		t.Errorf("%+v", read)
	}
	if n := free(t, s, pool.Bed, 5, 6, Now); n != 1 {
		t.Errorf("%d free while one is closed and one out of service", n)
	}
	if n := free(t, s, pool.Bed, 9, 10, Now); n != 2 {
		t.Errorf("%d free after the closure", n)
	}
	must[pool.Hold](t)(s.Hold(ctx, NewHold(), []pool.Need{Need(shanghai, pool.Bed, 9, 10), Need(shanghai, pool.Bed, 9, 10)}, Now))
	// The first rests for an hour, the third is free at once.
	must[pool.Hold](t)(s.Hold(ctx, NewHold(), []pool.Need{Need(shanghai, pool.Bed, 10, 11)}, Now))
	_, err = s.Hold(ctx, NewHold(), []pool.Need{Need(shanghai, pool.Bed, 10, 11)}, Now)
	reason(t, err, fault.ResourceTaken)
	c := must[pool.Capacity](t)(s.Capacity(ctx, shanghai, pool.Bed, Need("", pool.Bed, 9, 10).Interval, Now))
	if c.Units != 3 || c.Free != 0 || c.Taken != 2 || c.Unusable != 1 || c.OwnLeft != -1 || !c.OldestReport.IsZero() {
		t.Errorf("%+v", c)
	}
}

func quotas(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	AddUnits(t, s, shanghai, pool.Bed, 3)
	quota := pool.Quota{ID: ids.New("quo"), Organisation: shanghai, Kind: pool.Bed, Units: 2, MostReferred: 2, Period: Need("", pool.Bed, 0, 48).Interval}
	quota = must[pool.Quota](t)(s.AddQuota(ctx, quota))
	twice := quota
	twice.ID = ids.New("quo")
	_, err := s.AddQuota(ctx, twice)
	reason(t, err, fault.FieldInvalid)
	own := func() (pool.Hold, error) {
		h := NewHold()
		h.Purpose, h.Status, h.ReferralID = pool.OwnUse, pool.Confirmed, ""
		return s.Hold(ctx, h, []pool.Need{Need(shanghai, pool.Bed, 1, 9)}, Now)
	}
	must[pool.Hold](t)(own())
	_, err = own()
	reason(t, err, fault.QuotaReserved)
	for range 2 {
		must[pool.Hold](t)(s.Hold(ctx, NewHold(), []pool.Need{Need(shanghai, pool.Bed, 2, 3)}, Now))
	}
	_, err = s.Hold(ctx, NewHold(), []pool.Need{Need(shanghai, pool.Bed, 20, 23)}, Now)
	if f := reason(t, err, fault.QuotaUsed); f.Meta["quota_id"] != quota.ID {
		t.Errorf("names %v", f.Meta)
	}
	must[pool.Hold](t)(s.Hold(ctx, NewHold(), []pool.Need{Need(shanghai, pool.Bed, 50, 53)}, Now))
	list, used, err := s.Quotas(ctx, shanghai, pool.Bed, "", 10, Now)
	if err != nil || len(list) != 1 || list[0] != quota || used[0] != (pool.Used{ReservedNow: 2, Referred: 2, OwnPeak: 1}) {
		t.Errorf("%+v %+v %v", list, used, err)
	}
	// Holds whose time is over are not counted.
	if _, used, err = s.Quotas(ctx, shanghai, pool.Bed, "", 10, Now.Add(2*time.Hour)); err != nil || used[0].Referred != 0 {
		t.Errorf("%+v %v", used, err)
	}
	reason(t, s.WithdrawQuota(ctx, "C-NJ-01", quota.ID, "1"), fault.ReasonNotFound)
	reason(t, s.WithdrawQuota(ctx, shanghai, quota.ID, "2"), fault.StaleVersion)
	if err := s.WithdrawQuota(ctx, shanghai, quota.ID, "1"); err != nil {
		t.Fatal(err)
	}
	must[pool.Hold](t)(s.Hold(ctx, NewHold(), []pool.Need{Need(shanghai, pool.Bed, 20, 23)}, Now))
}

// reserves: what own use has to leave are units that are to be had, and each is counted for who has it.
func reserves(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	const neighbour = "C-NJ-01"
	beds := AddUnits(t, s, shanghai, pool.Bed, 4)
	AddUnits(t, s, neighbour, pool.Bed, 1)
	quota := pool.Quota{ID: ids.New("quo"), Organisation: shanghai, Kind: pool.Bed, Units: 1, MostReferred: 2, Period: Need("", pool.Bed, 0, 48).Interval}
	must[pool.Quota](t)(s.AddQuota(ctx, quota))
	take := func(organisation string, purpose pool.Purpose, from, to int) (pool.Hold, error) {
		h := NewHold()
		h.Purpose, h.Status = purpose, pool.Confirmed
		return s.Hold(ctx, h, []pool.Need{Need(organisation, pool.Bed, from, to)}, Now)
	}
	left := func(from, to int) int {
		return must[pool.Capacity](t)(s.Capacity(ctx, shanghai, pool.Bed, Need("", pool.Bed, from, to).Interval, Now)).OwnLeft
	}
	loan := func(unit string, from, to int) (pool.Loan, error) {
		return s.Lend(ctx, pool.Loan{
			ID: ids.New("loa"), ResourceID: unit, Lender: shanghai, Borrower: neighbour, Interval: Need("", pool.Bed, from, to).Interval, Status: pool.Offered,
		}, Now)
	}
	// A bed without staff is no reserve.
	must[pool.Resource](t)(s.UpdateResource(ctx, beds[3], "1", func(r *pool.Resource) error { r.OutOfService = true; return nil }))
	if n := left(2, 4); n != 2 {
		t.Errorf("%d left of three with staff", n)
	}
	own := must[pool.Hold](t)(take(shanghai, pool.OwnUse, 2, 4))
	must[pool.Hold](t)(take(shanghai, pool.OwnUse, 2, 4))
	_, err := take(shanghai, pool.OwnUse, 3, 5)
	reason(t, err, fault.QuotaReserved)
	// An own use that moves does not stand in its own way.
	_, missing, err := s.Move(ctx, []pool.Move{{HoldID: own.ID, Needs: []pool.Need{Need(shanghai, pool.Bed, 3, 5)}}}, Now)
	if err != nil || missing != nil {
		t.Errorf("%v, %v", missing, err)
	}
	must[pool.Hold](t)(s.UpdateHold(ctx, own.ID, func(h *pool.Hold) error { h.Release("示范"); return nil }))
	// Three with staff, one of them lent: one may be used, and one is left; the next is not lent either.
	free := func(from, to int) string {
		for _, id := range beds[:3] {
			r := must[pool.Resource](t)(s.Resource(ctx, id, Now))
			taken := false
			for _, v := range r.Reservations {
				taken = taken || v.Overlaps(Need("", pool.Bed, from, to).Interval)
			}
			if !taken {
				return id
			}
		}
		return ""
	}
	made := must[pool.Loan](t)(loan(free(10, 20), 10, 20))
	must[pool.Loan](t)(s.UpdateLoan(ctx, made.ID, "1", Now, func(l *pool.Loan) error { return l.Accept(Now) }))
	must[pool.Hold](t)(take(shanghai, pool.OwnUse, 12, 14))
	_, err = take(shanghai, pool.OwnUse, 12, 14)
	reason(t, err, fault.QuotaReserved)
	for _, id := range beds[:3] {
		if _, err = loan(id, 12, 13); !fault.Is(err, fault.QuotaReserved) && !fault.Is(err, fault.ResourceTaken) {
			t.Errorf("lent of what is reserved: %v", err)
		}
	}
	// What the borrower does with it is the borrower's, whatever it is for.
	there := must[pool.Hold](t)(take(neighbour, pool.Referral, 15, 17))
	second := must[pool.Hold](t)(take(neighbour, pool.Referral, 15, 17))
	owners := map[string]string{}
	for _, h := range []pool.Hold{there, second, must[pool.Hold](t)(s.GetHold(ctx, there.ID)), must[pool.Hold](t)(s.GetHold(ctx, second.ID))} {
		r := h.Reservations[0]
		if r.For != neighbour || owners[r.ResourceID] != "" && owners[r.ResourceID] != r.Organisation {
			t.Errorf("%+v, %v", r, owners)
		}
		owners[r.ResourceID] = r.Organisation
	}
	if owners[made.ResourceID] != shanghai || len(owners) != 2 {
		t.Errorf("owners %v", owners)
	}
	_, used, err := s.Quotas(ctx, shanghai, pool.Bed, "", 10, Now)
	if err != nil || used[0].Referred != 0 {
		t.Errorf("the lender's quota counts the borrower's: %+v %v", used, err)
	}
	// It moves with its case where it is.
	_, missing, err = s.Move(ctx, []pool.Move{{HoldID: there.ID, Needs: []pool.Need{Need(neighbour, pool.Bed, 16, 18)}}}, Now)
	if err != nil || missing != nil {
		t.Errorf("%v, %v", missing, err)
	}
}

func moves(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	AddUnits(t, s, shanghai, pool.Bed, 1)
	AddUnits(t, s, shanghai, pool.OperatingRoom, 1)
	bed := func(from, to int) pool.Need { return Need(shanghai, pool.Bed, from, to) }
	room := func(from, to int) pool.Need { return Need(shanghai, pool.OperatingRoom, from, to) }
	a := must[pool.Hold](t)(s.Hold(ctx, NewHold(), []pool.Need{bed(0, 4), room(1, 2)}, Now))
	b := must[pool.Hold](t)(s.Hold(ctx, NewHold(), []pool.Need{bed(6, 8)}, Now))
	_, missing, err := s.Move(ctx, []pool.Move{{HoldID: a.ID, Needs: []pool.Need{room(3, 4), bed(3, 7)}}}, Now)
	if err != nil || missing == nil || missing.Kind != pool.Bed {
		t.Fatalf("%v %v", missing, err)
	}
	if got := must[pool.Hold](t)(s.GetHold(ctx, a.ID)); got.Version != 1 || len(got.Reservations) != 2 || got.Reservations[0].Interval != bed(0, 4).Interval {
		t.Fatalf("a refused move changed it: %+v", got)
	}
	// Two holds change places at once, which neither could alone.
	later := Now.Add(3 * time.Hour)
	moved, missing, err := s.Move(ctx, []pool.Move{{HoldID: a.ID, Needs: []pool.Need{bed(5, 8)}, Expire: later}, {HoldID: b.ID, Needs: []pool.Need{bed(1, 3)}}}, Now)
	if err != nil || missing != nil || len(moved) != 2 {
		t.Fatalf("%v %v %v", moved, missing, err)
	}
	got := must[pool.Hold](t)(s.GetHold(ctx, a.ID))
	if got.Version != 2 || len(got.Reservations) != 1 || got.Reservations[0].Interval != bed(5, 8).Interval || !got.Expire.Equal(later) {
		t.Fatalf("%+v", got)
	}
	if n := free(t, s, pool.OperatingRoom, 1, 2, Now); n != 1 {
		t.Error("the room stayed taken")
	}
	_, _, err = s.Move(ctx, []pool.Move{{HoldID: b.ID, Needs: []pool.Need{bed(1, 3)}}}, Now.Add(2*time.Hour))
	reason(t, err, fault.HoldExpired)
}

func overrides(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	beds := AddUnits(t, s, shanghai, pool.Bed, 2)
	crews := AddUnits(t, s, "H-HF-01", pool.Crew, 1)
	by := pool.Override{Organisation: shanghai, Subject: "示范工号-7", Reason: "示范：急危重症"}
	take := func(owner string, picks ...pool.Pick) (pool.Hold, []pool.Override, error) {
		return s.Override(ctx, NewHold(), owner, picks, by, Now)
	}
	pick := func(unit string, from, to int) pool.Pick {
		return pool.Pick{ResourceID: unit, Interval: Need("", pool.Bed, from, to).Interval}
	}
	first := must[pool.Hold](t)(s.Hold(ctx, NewHold(), []pool.Need{Need(shanghai, pool.Bed, 2, 6)}, Now))
	unit := first.Reservations[0].ResourceID
	got, records, err := take(shanghai, pick(unit, 1, 4))
	if err != nil || len(records) != 1 || records[0].Yielding != first.ID || records[0].MovedTo == "" || records[0].Subject != by.Subject {
		t.Fatalf("%+v %+v %v", got, records, err)
	}
	moved := must[pool.Hold](t)(s.GetHold(ctx, first.ID))
	if moved.Status != pool.Held || moved.Reservations[0].ResourceID == unit || len(moved.Reservations[0].Overrides) != 1 {
		t.Fatalf("%+v", moved)
	}
	if taken := must[pool.Hold](t)(s.GetHold(ctx, got.ID)); len(taken.Reservations[0].Overrides) != 1 || taken.Reservations[0].Overrides[0].Reason != by.Reason {
		t.Fatalf("%+v", taken)
	}
	// No bed is left: whoever gives way now is released as a whole.
	_, records, err = take("", pick(moved.Reservations[0].ResourceID, 3, 5))
	if err != nil || len(records) != 1 || records[0].MovedTo != "" {
		t.Fatalf("%+v %v", records, err)
	}
	if ended := must[pool.Hold](t)(s.GetHold(ctx, first.ID)); ended.Status != pool.Released {
		t.Fatalf("%+v", ended)
	}
	_, _, err = take("C-NJ-01", pick(beds[0], 20, 21))
	reason(t, err, fault.ReasonNotFound)
	_, _, err = take("", pick(beds[0], 20, 22), pick(beds[0], 21, 23))
	reason(t, err, fault.TimeInvalid)
	crew := NewHold()
	crew.TransferID = ids.New("trf")
	must[pool.Hold](t)(s.Hold(ctx, crew, []pool.Need{Need("H-HF-01", pool.Crew, 1, 5)}, Now))
	_, _, err = take("", pick(crews[0], 2, 3))
	reason(t, err, fault.WrongState)
}

func loans(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	beds := AddUnits(t, s, shanghai, pool.Bed, 1)
	interval := Need("", pool.Bed, 10, 20).Interval
	loan := func() pool.Loan {
		return pool.Loan{ID: ids.New("loa"), ResourceID: beds[0], Lender: shanghai, Borrower: "C-NJ-01", Interval: interval, Status: pool.Offered}
	}
	blocked := must[pool.Hold](t)(s.Hold(ctx, NewHold(), []pool.Need{Need(shanghai, pool.Bed, 12, 13)}, Now))
	_, err := s.Lend(ctx, loan(), Now)
	reason(t, err, fault.ResourceTaken)
	must[pool.Hold](t)(s.UpdateHold(ctx, blocked.ID, func(h *pool.Hold) error { h.Release("示范"); return nil }))
	foreign := loan()
	foreign.Lender = "C-HZ-01"
	_, err = s.Lend(ctx, foreign, Now)
	reason(t, err, fault.ReasonNotFound)
	made := must[pool.Loan](t)(s.Lend(ctx, loan(), Now))
	_, err = s.Lend(ctx, loan(), Now)
	reason(t, err, fault.ResourceTaken)
	_, err = s.Hold(ctx, NewHold(), []pool.Need{Need(shanghai, pool.Bed, 19, 21)}, Now)
	reason(t, err, fault.ResourceTaken)
	_, err = s.Hold(ctx, NewHold(), []pool.Need{Need("C-NJ-01", pool.Bed, 12, 13)}, Now)
	reason(t, err, fault.ResourceTaken)
	accept := func(l *pool.Loan) error { return l.Accept(Now) }
	_, err = s.UpdateLoan(ctx, made.ID, "7", Now, accept)
	reason(t, err, fault.StaleVersion)
	lent := must[pool.Loan](t)(s.UpdateLoan(ctx, made.ID, "1", Now, accept))
	if lent.Owed != 10*time.Hour || lent.Version != 2 {
		t.Errorf("%+v", lent)
	}
	borrowed := must[pool.Hold](t)(s.Hold(ctx, NewHold(), []pool.Need{Need("C-NJ-01", pool.Bed, 12, 16)}, Now))
	if borrowed.Reservations[0].ResourceID != beds[0] {
		t.Errorf("%+v", borrowed.Reservations)
	}
	_, err = s.Hold(ctx, NewHold(), []pool.Need{Need("C-NJ-01", pool.Bed, 18, 21)}, Now)
	reason(t, err, fault.ResourceTaken)
	count := must[[]int](t)(s.CountFree(ctx, []string{shanghai, "C-NJ-01"}, pool.Bed, Need("", pool.Bed, 16, 18).Interval, Now))
	if count[0] != 0 || count[1] != 1 {
		t.Errorf("counts %v while lent", count)
	}
	back := Now.Add(14 * time.Hour)
	end := func(l *pool.Loan) error { return l.Finish(back) }
	must[pool.Hold](t)(s.UpdateHold(ctx, borrowed.ID, func(h *pool.Hold) error { return h.Confirm(Now) }))
	_, err = s.UpdateLoan(ctx, made.ID, "2", back, end)
	reason(t, err, fault.ResourceTaken)
	must[pool.Hold](t)(s.UpdateHold(ctx, borrowed.ID, func(h *pool.Hold) error { h.Release("示范"); return nil }))
	ended := must[pool.Loan](t)(s.UpdateLoan(ctx, made.ID, "2", back, end))
	if ended.Owed != 4*time.Hour || !ended.End.Equal(back) {
		t.Errorf("%+v", ended)
	}
	for org, want := range map[string]pool.Balance{
		shanghai: {Other: "C-NJ-01", Kind: pool.Bed, Lent: 4 * time.Hour}, "C-NJ-01": {Other: shanghai, Kind: pool.Bed, Borrowed: 4 * time.Hour},
	} {
		if got := must[[]pool.Balance](t)(s.Balances(ctx, org)); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %+v", org, got)
		}
	}
	if got := must[[]pool.Loan](t)(s.Loans(ctx, "C-NJ-01", pool.Ended, "", 5)); len(got) != 1 || got[0] != ended {
		t.Errorf("%+v", got)
	}
}

func wayHome(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	const sender = "H-HF-01"
	AddUnits(t, s, sender, pool.Crew, 1)
	AddUnits(t, s, sender, pool.Ambulance, 1)
	hour := func(n int) time.Time { return Now.Add(time.Duration(n) * time.Hour) }
	for name, c := range map[string]struct {
		// The crew is held from 0 to 8, the ambulance from 5 to 7.
		at, home int
		aboard   bool
		own      pool.Interval // of the crew's owner, behind it
		crew     int           // free from then on
		van      int
	}{
		"on time":                      {at: 3, home: 5, crew: 5, van: 3},
		"bound elsewhere":              {at: 3, home: 5, aboard: true, crew: 8, van: 3},
		"late":                         {at: 6, home: 11, crew: 11, van: 7},
		"long after":                   {at: 9, home: 14, crew: 14, van: 9},
		"late and wanted":              {at: 6, home: 11, own: Need("", pool.Crew, 9, 12).Interval, crew: 12, van: 7},
		"bound elsewhere, home behind": {at: 7, home: 10, aboard: true, crew: 10, van: 7},
	} {
		h := NewHold()
		h.TransferID = ids.New("trf")
		made := must[pool.Hold](t)(s.Hold(ctx, h, []pool.Need{Need(sender, pool.Crew, 0, 8), Need(sender, pool.Ambulance, 5, 7)}, Now))
		must[pool.Hold](t)(s.UpdateHold(ctx, made.ID, func(h *pool.Hold) error { return h.Confirm(Now) }))
		var behind pool.Hold
		if !c.own.End.IsZero() {
			behind = NewHold()
			behind.Purpose, behind.Status, behind.ReferralID = pool.OwnUse, pool.Confirmed, ""
			behind = must[pool.Hold](t)(s.Hold(ctx, behind, []pool.Need{{Organisation: sender, Kind: pool.Crew, Interval: c.own}}, Now))
		}
		if err := s.Atomically(ctx, func(ctx context.Context) error {
			if err := s.GoHome(ctx, made.ID, pool.WayHome{Home: hour(c.home), Aboard: c.aboard}, hour(c.at)); err != nil {
				return err
			}
			held, err := s.HeldBy(ctx, h.TransferID, hour(c.at))
			if len(held) != 0 {
				return errors.New("the transfer holds something")
			}
			return err
		}); err != nil {
			t.Fatal(name, err)
		}
		for kind, from := range map[pool.Kind]int{pool.Crew: c.crew, pool.Ambulance: c.van} {
			for n := c.at; n < 16; n++ {
				i := Need("", kind, n, n+1).Interval
				want := 0
				if n >= from {
					want = 1
				}
				if got := must[[]int](t)(s.CountFree(ctx, []string{sender}, kind, i, hour(c.at))); got[0] != want {
					t.Errorf("%s: %s [%d,%d): %d free, want %d", name, kind, n, n+1, got[0], want)
				}
			}
		}
		team := must[pool.Resource](t)(s.Resource(ctx, made.Reservations[0].ResourceID, hour(c.at)))
		for i, r := range team.Reservations {
			if i > 0 && r.Overlaps(team.Reservations[i-1].Interval) {
				t.Errorf("%s: the crew is taken twice: %+v", name, team.Reservations)
			}
		}
		ended := must[pool.Hold](t)(s.GetHold(ctx, made.ID))
		if ended.Purpose != pool.Return || ended.Status != pool.Confirmed {
			t.Errorf("%s: %+v", name, ended)
		}
		for _, id := range []string{made.ID, behind.ID} {
			if id != "" {
				must[pool.Hold](t)(s.UpdateHold(ctx, id, func(h *pool.Hold) error { h.Release("示范"); return nil }))
			}
		}
	}
}
