// Package storetest is the suite every transfer.Store must pass.
//
// Invariant: it uses nothing but the interface, so that all engines are held to the same.
package storetest

import (
	"context"
	"errors"
	"reflect"
	"strconv"
	"testing"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/pool"
)

// Now is when the suite plays.
var Now = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// Run runs the suite; open returns an empty store.
func Run(t *testing.T, open func(t *testing.T) transfer.Store) {
	for name, test := range map[string]func(*testing.T, transfer.Store){
		"transfer round trip":        roundTrip,
		"stale and absent transfers": staleAndAbsent,
		"one live transfer a case":   oneLive,
		"list":                       list,
		"all or nothing":             allOrNothing,
		"refused and going on":       tries,
		"intervals meet":             intervalsMeet,
		"expired holds do not block": expired,
		"confirm and release":        confirmAndRelease,
		"units":                      units,
		"rolled back as one":         rolledBack,
		"what owners say of units":   whatOwnersSay,
		"quotas":                     quotas,
		"reserves":                   reserves,
		"moves":                      moves,
		"overrides":                  overrides,
		"loans":                      loans,
		"the way home":               wayHome,
		"with who was refused":       fetched,
		"timetables":                 timetables,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

var ids = id.Random()

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func reason(t *testing.T, err error, want fault.Reason) fault.Fault {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Reason != want {
		t.Fatalf("got %v, want %s", err, want)
	}
	return *f
}

// Transfer is a whole one, for tests.
func Transfer(from, to string, depart time.Time) transfer.Transfer {
	leg := planner.Leg{
		Mode: planner.Rail, From: planner.Place{Name: "甲示范站", Lat: 30.25, Lon: 110.5}, To: planner.Place{Name: "乙示范站", Lat: 31, Lon: 111},
		Depart: depart, Arrive: depart.Add(time.Hour), Number: "SF101", Km: 101.5,
	}
	return transfer.Transfer{
		ID: ids.New("trf"), ReferralID: ids.New("ref"), PatientID: ids.New("pat"), From: from, To: to, Status: transfer.Planned,
		Itinerary: planner.Itinerary{
			Key: "rail-1", Legs: []planner.Leg{leg}, Depart: depart, Arrive: depart.Add(time.Hour), Changes: 0, Cost: 12345,
			Escort: planner.EscortNurse, Because: planner.Text{Zh: "可乘高铁", En: "may go by rail"},
		},
		RulesVersion: "r1", TimetableVersion: "t1", Fitness: planner.Fitness{Stretcher: true}, HoldID: ids.New("hld"),
	}
}

func roundTrip(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	made := must[transfer.Transfer](t)(s.Insert(ctx, Transfer("H-HF-01", "C-SH-01", Now)))
	changed := must[transfer.Transfer](t)(s.Update(ctx, made.ID, "1", func(tr *transfer.Transfer) error {
		tr.Status, tr.FitnessTime, tr.DepartedTime, tr.ArrivedTime = transfer.Arrived, Now, Now.Add(time.Microsecond), Now.Add(time.Hour)
		tr.HandOver = &transfer.HandOver{Items: transfer.Items, SignedBySender: "a", SignedByReceiver: "b", SignTime: Now, SenderSignTime: Now.Add(time.Second)}
		tr.Waiting = &transfer.HandOver{SignedBySender: "a", SenderSignTime: Now, Attested: true}
		tr.AbortCode, tr.OriginCity, tr.DestinationCity, tr.NotBefore, tr.Back = "UNFIT", "340100", "310100", Now, true
		tr.Tracks, tr.Rides = []transfer.Track{{Departed: Now, Arrived: Now.Add(time.Hour)}}, []transfer.Ride{{Leg: 1, Number: "SF101", Day: "20260302"}}
		tr.Troubles, tr.DoorTime = []transfer.Trouble{{Leg: 1, Lost: true, Late: time.Minute}}, Now
		tr.Comment, tr.DivertedTo, tr.DivertedToCity = "示范", "C-NJ-01", "320100"
		tr.DivertedBed, tr.DivertedHoldID = transfer.BedBooked, "hld_1"
		tr.Attention = &transfer.Attention{Code: transfer.AttentionNoWay, Since: Now, Detail: planner.Text{Zh: "无", En: "none"}}
		tr.Outside, tr.BookedFor = []string{"C-SH-01"}, Now
		return nil
	}))
	whole := reflect.ValueOf(changed)
	for i := range whole.NumField() {
		if whole.Field(i).IsZero() {
			t.Errorf("%s is not tried here", whole.Type().Field(i).Name)
		}
	}
	got := must[transfer.Transfer](t)(s.Get(ctx, made.ID))
	if changed.Version != 2 || !reflect.DeepEqual(got, changed) {
		t.Fatalf("read  %+v\nwrote %+v", got, changed)
	}
}

func staleAndAbsent(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	made := must[transfer.Transfer](t)(s.Insert(ctx, Transfer("H-HF-01", "C-SH-01", Now)))
	_, err := s.Get(ctx, ids.New("trf"))
	reason(t, err, fault.ReasonNotFound)
	_, err = s.Update(ctx, ids.New("trf"), "1", func(*transfer.Transfer) error { return nil })
	reason(t, err, fault.ReasonNotFound)
	for _, etag := range []string{"0", "2", "01", ""} {
		_, err = s.Update(ctx, made.ID, etag, func(tr *transfer.Transfer) error {
			tr.Status = transfer.Aborted
			return nil
		})
		if f := reason(t, err, fault.StaleVersion); f.Meta["current_etag"] != "1" {
			t.Errorf("current etag %q", f.Meta["current_etag"])
		}
	}
	refusal := errors.New("no")
	_, err = s.Update(ctx, made.ID, "1", func(tr *transfer.Transfer) error {
		tr.Status = transfer.Aborted
		return refusal
	})
	if !errors.Is(err, refusal) {
		t.Fatal(err)
	}
	if got := must[transfer.Transfer](t)(s.Get(ctx, made.ID)); !reflect.DeepEqual(got, made) {
		t.Fatalf("refused updates changed it to %+v", got)
	}
}

func oneLive(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	first := must[transfer.Transfer](t)(s.Insert(ctx, Transfer("H-HF-01", "C-SH-01", Now)))
	second := Transfer("H-HF-01", "C-SH-01", Now)
	second.ReferralID = first.ReferralID
	_, err := s.Insert(ctx, second)
	if f := reason(t, err, fault.WrongState); f.Meta["transfer_id"] != first.ID {
		t.Errorf("names %q", f.Meta["transfer_id"])
	}
	must[transfer.Transfer](t)(s.Update(ctx, first.ID, "1", func(tr *transfer.Transfer) error {
		tr.Status = transfer.Aborted
		return nil
	}))
	must[transfer.Transfer](t)(s.Insert(ctx, second))
}

func list(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	var made []transfer.Transfer
	for i, ends := range [][2]string{{"H-HF-01", "C-SH-01"}, {"H-NC-01", "C-SH-01"}, {"H-HF-01", "C-NJ-01"}, {"H-HF-01", "C-SH-01"}} {
		made = append(made, must[transfer.Transfer](t)(s.Insert(ctx, Transfer(ends[0], ends[1], Now.Add(time.Duration(10-i)*time.Hour)))))
	}
	must[transfer.Transfer](t)(s.Update(ctx, made[3].ID, "1", func(tr *transfer.Transfer) error {
		tr.Status, tr.DivertedTo = transfer.Aborted, "C-HZ-01"
		return nil
	}))
	for _, c := range []struct {
		filter transfer.ListFilter
		want   []int
	}{
		{transfer.ListFilter{}, []int{2, 1, 0, 3}},
		{transfer.ListFilter{Organisation: "C-SH-01"}, []int{1, 0, 3}},
		{transfer.ListFilter{Organisation: "H-HF-01"}, []int{2, 0, 3}},
		{transfer.ListFilter{Organisation: "C-HZ-01"}, []int{3}},
		{transfer.ListFilter{Organisation: "h-hf-01"}, nil},
		{transfer.ListFilter{Status: transfer.Aborted}, []int{3}},
		{transfer.ListFilter{ReferralID: made[1].ReferralID}, []int{1}},
	} {
		for limit := 1; limit <= 5; limit++ {
			var got []string
			after := ""
			for {
				page, next, err := s.List(ctx, c.filter, after, limit)
				if err != nil || len(page) > limit {
					t.Fatalf("%d rows, %v", len(page), err)
				}
				for _, tr := range page {
					got = append(got, tr.ID)
				}
				if after = next; next == "" {
					break
				}
			}
			var want []string
			for _, i := range c.want {
				want = append(want, made[i].ID)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%+v by %d: got %v, want %v", c.filter, limit, got, want)
			}
		}
	}
	_, _, err := s.List(ctx, transfer.ListFilter{}, "nonsense", 1)
	reason(t, err, fault.InvalidPageToken)
}

// AddUnits adds n units of a kind.
func AddUnits(t *testing.T, s transfer.Store, organisation string, kind pool.Kind, n int) []string {
	t.Helper()
	var out []string
	for i := range n {
		r := pool.Resource{ID: ids.New("res"), Organisation: organisation, Kind: kind, Label: string(kind) + strconv.Itoa(i)}
		if err := s.AddResource(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r.ID)
	}
	return out
}

// Need asks for a unit from and to some hours after Now.
func Need(organisation string, kind pool.Kind, from, to int) pool.Need {
	return pool.Need{Organisation: organisation, Kind: kind, Interval: pool.Interval{
		Start: Now.Add(time.Duration(from) * time.Hour), End: Now.Add(time.Duration(to) * time.Hour),
	}}
}

// NewHold is a hold of an hour.
func NewHold() pool.Hold {
	return pool.Hold{ID: ids.New("hld"), ReferralID: ids.New("ref"), Organisation: "C-SH-01", Status: pool.Held, Expire: Now.Add(time.Hour)}
}

func free(t *testing.T, s transfer.Store, kind pool.Kind, from, to int, at time.Time) int {
	t.Helper()
	n := must[[]int](t)(s.CountFree(t.Context(), []string{"C-NONE", "C-SH-01", "C-SH-01"}, kind, Need("", kind, from, to).Interval, at))
	if len(n) != 3 || n[0] != 0 || n[1] != n[2] {
		t.Fatalf("counts %v", n)
	}
	return n[1]
}

func allOrNothing(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	AddUnits(t, s, "C-SH-01", pool.Bed, 2)
	AddUnits(t, s, "C-SH-01", pool.OperatingRoom, 1)
	both := []pool.Need{Need("C-SH-01", pool.Bed, 1, 9), Need("C-SH-01", pool.OperatingRoom, 2, 4), Need("C-SH-01", pool.Bed, 1, 9)}
	first := must[pool.Hold](t)(s.Hold(ctx, NewHold(), both, Now))
	if len(first.Reservations) != 3 || first.Reservations[0].ResourceID == first.Reservations[2].ResourceID {
		t.Fatalf("%+v", first.Reservations)
	}
	if got := must[pool.Hold](t)(s.GetHold(ctx, first.ID)); !reflect.DeepEqual(got, first) {
		t.Fatalf("read  %+v\nwrote %+v", got, first)
	}
	h := NewHold()
	_, err := s.Hold(ctx, h, []pool.Need{Need("C-SH-01", pool.Bed, 9, 12), Need("C-SH-01", pool.OperatingRoom, 3, 5)}, Now)
	if f := reason(t, err, fault.ResourceTaken); f.Meta["kind"] != "OPERATING_ROOM" || f.Meta["organisation"] != "C-SH-01" {
		t.Errorf("names %v", f.Meta)
	}
	_, err = s.GetHold(ctx, h.ID)
	reason(t, err, fault.ReasonNotFound)
	if n := free(t, s, pool.Bed, 9, 12, Now); n != 2 {
		t.Errorf("%d beds free after a refused hold", n)
	}
	_, err = s.Hold(ctx, NewHold(), []pool.Need{Need("C-NONE", pool.Bed, 1, 2)}, Now)
	reason(t, err, fault.ResourceTaken)
}

func intervalsMeet(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	AddUnits(t, s, "C-SH-01", pool.Bed, 1)
	must[pool.Hold](t)(s.Hold(ctx, NewHold(), []pool.Need{Need("C-SH-01", pool.Bed, 4, 8)}, Now))
	for _, c := range []struct {
		from, to int
		taken    bool
	}{{1, 5, true}, {5, 6, true}, {7, 9, true}, {1, 20, true}, {1, 4, false}, {8, 9, false}} {
		if got := free(t, s, pool.Bed, c.from, c.to, Now) == 0; got != c.taken {
			t.Errorf("[%d,%d) counted as taken: %v", c.from, c.to, got)
		}
		_, err := s.Hold(ctx, NewHold(), []pool.Need{Need("C-SH-01", pool.Bed, c.from, c.to)}, Now)
		if (err != nil) != c.taken {
			t.Errorf("[%d,%d): %v", c.from, c.to, err)
		}
	}
}

func expired(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	AddUnits(t, s, "C-SH-01", pool.Bed, 1)
	need := []pool.Need{Need("C-SH-01", pool.Bed, 4, 8)}
	old := must[pool.Hold](t)(s.Hold(ctx, NewHold(), need, Now))
	_, err := s.Hold(ctx, NewHold(), need, Now.Add(time.Hour-time.Microsecond))
	reason(t, err, fault.ResourceTaken)
	later := Now.Add(time.Hour)
	if n := free(t, s, pool.Bed, 4, 8, later); n != 1 {
		t.Errorf("%d free after the expiry", n)
	}
	next := NewHold()
	next.Expire = later.Add(time.Hour)
	must[pool.Hold](t)(s.Hold(ctx, next, need, later))
	if got := must[pool.Hold](t)(s.GetHold(ctx, old.ID)); got.Status != pool.Expired {
		t.Errorf("the evicted hold is %s", got.Status)
	}
	// An instance whose clock is late must not confirm what was given to another.
	_, err = s.UpdateHold(ctx, old.ID, func(h *pool.Hold) error { return h.Confirm(Now) })
	reason(t, err, fault.HoldExpired)
}

func confirmAndRelease(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	AddUnits(t, s, "C-SH-01", pool.Bed, 1)
	need := []pool.Need{Need("C-SH-01", pool.Bed, 4, 8)}
	held := must[pool.Hold](t)(s.Hold(ctx, NewHold(), need, Now))
	set := func(status pool.Status) pool.Hold {
		t.Helper()
		return must[pool.Hold](t)(s.UpdateHold(ctx, held.ID, func(h *pool.Hold) error {
			h.Status, h.ReleaseReason = status, string(status)
			return nil
		}))
	}
	if got := set(pool.Confirmed); got.Version != 2 || !got.Reservations[0].Confirmed {
		t.Errorf("%+v", got)
	}
	if got := set(pool.Confirmed); got.Version != 2 {
		t.Errorf("confirming again made version %d", got.Version)
	}
	if n := free(t, s, pool.Bed, 4, 8, Now.Add(2*time.Hour)); n != 0 {
		t.Error("a booking expired")
	}
	if got := must[pool.Hold](t)(s.GetHold(ctx, held.ID)); !got.Reservations[0].Confirmed || got.Version != 2 {
		t.Errorf("%+v", got)
	}
	set(pool.Released)
	if got := must[pool.Hold](t)(s.GetHold(ctx, held.ID)); got.ReleaseReason != "RELEASED" || got.Reservations[0].Confirmed {
		t.Errorf("%+v", got)
	}
	must[pool.Hold](t)(s.Hold(ctx, NewHold(), need, Now))
	_, err := s.UpdateHold(ctx, ids.New("hld"), func(*pool.Hold) error { return nil })
	reason(t, err, fault.ReasonNotFound)
}

func units(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	beds := AddUnits(t, s, "C-SH-01", pool.Bed, 3)
	AddUnits(t, s, "C-SH-01", pool.Crew, 1)
	AddUnits(t, s, "C-NJ-01", pool.Bed, 1)
	twice := pool.Resource{ID: ids.New("res"), Organisation: "C-SH-01", Kind: pool.Bed, Label: "BED0"}
	if f := reason(t, s.AddResource(ctx, twice), fault.FieldInvalid); f.Field != "label" {
		t.Errorf("field %q", f.Field)
	}
	if err := s.EnsureResource(ctx, twice); err != nil {
		t.Fatal(err)
	}
	must[pool.Hold](t)(s.Hold(ctx, NewHold(), []pool.Need{Need("C-SH-01", pool.Bed, 6, 8)}, Now))
	must[pool.Hold](t)(s.Hold(ctx, NewHold(), []pool.Need{Need("C-SH-01", pool.Bed, 1, 2)}, Now))
	got := must[[]pool.Resource](t)(s.Resources(ctx, "C-SH-01", pool.Bed, "", 10, Now))
	if len(got) != 3 || got[0].ID != beds[0] || len(got[0].Reservations) != 2 || !got[0].Reservations[0].Start.Before(got[0].Reservations[1].Start) {
		t.Fatalf("%+v", got)
	}
	if got := must[[]pool.Resource](t)(s.Resources(ctx, "C-SH-01", pool.Bed, beds[0], 1, Now)); len(got) != 1 || got[0].ID != beds[1] {
		t.Fatalf("%+v", got)
	}
	if got := must[[]pool.Resource](t)(s.Resources(ctx, "", "", "", 10, Now.Add(2*time.Hour))); len(got) != 5 || len(got[0].Reservations) != 0 {
		t.Fatalf("%+v", got)
	}
}

func rolledBack(t *testing.T, s transfer.Store) {
	AddUnits(t, s, "C-SH-01", pool.Bed, 1)
	refusal := errors.New("no")
	tr := Transfer("H-HF-01", "C-SH-01", Now)
	err := s.Atomically(t.Context(), func(ctx context.Context) error {
		if _, err := s.Hold(ctx, NewHold(), []pool.Need{Need("C-SH-01", pool.Bed, 4, 8)}, Now); err != nil {
			return err
		}
		if _, err := s.Insert(ctx, tr); err != nil {
			return err
		}
		if err := s.Report(ctx, transfer.CaseEvent{RequestID: "evt-" + tr.ID, TransferID: tr.ID, Kind: transfer.EventPlanned}); err != nil {
			return err
		}
		return refusal
	})
	if !errors.Is(err, refusal) {
		t.Fatal(err)
	}
	if n := free(t, s, pool.Bed, 4, 8, Now); n != 1 {
		t.Error("the bed stayed held")
	}
	_, err = s.Get(t.Context(), tr.ID)
	reason(t, err, fault.ReasonNotFound)
}
