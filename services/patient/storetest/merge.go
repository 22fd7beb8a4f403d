package storetest

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/patient"
)

func runAccess(t *testing.T, store patient.Store, ids id.Source) {
	ctx := t.Context()
	t.Run("access ends with the case that gave it, and comes back", func(t *testing.T) {
		p := Person(ids, 20)
		if err := store.Insert(ctx, p); err != nil {
			t.Fatal(err)
		}
		first, second := ids.New("ref"), ids.New("ref")
		sees := func(want bool) {
			t.Helper()
			if got, err := store.MaySee(ctx, p.ID, "C-BJ-01"); err != nil || got != want {
				t.Errorf("sees: %v %v", got, err)
			}
		}
		revoke := func(referral string, until time.Time, want bool) {
			t.Helper()
			got, err := store.Revoke(ctx, p.ID, "C-BJ-01", referral, "OFFER_DECLINED", until, now.Add(time.Hour))
			if err != nil || got != want {
				t.Errorf("revoked: %v %v", got, err)
			}
		}
		for _, referral := range []string{first, second} {
			if err := store.Grant(ctx, p.ID, "C-BJ-01", referral, now); err != nil {
				t.Fatal(err)
			}
		}
		revoke(first, now, true)
		sees(true) // the second case's grant holds
		revoke(second, now.Add(-time.Microsecond), false)
		sees(true) // it was granted later than what is revoked
		revoke(second, now, true)
		sees(false)
		revoke(second, now, false)
		if err := store.Grant(ctx, p.ID, "C-BJ-01", second, now.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		revoke(second, now, false)
		sees(true)
		grants, err := store.Grants(ctx, p.ID, 10)
		if err != nil || len(grants) != 2 || grants[0].ReferralID != second || !grants[0].RevokedAt.IsZero() || grants[1].Reason != "OFFER_DECLINED" {
			t.Errorf("%+v %v", grants, err)
		}
		if _, err := store.Revoke(ctx, ids.New("pat"), "C-BJ-01", first, "X", now, now); !fault.Is(err, fault.ReasonNotFound) {
			t.Errorf("an absent patient: %v", err)
		}
	})
}

func merge(ctx context.Context, store patient.Store, ids id.Source, survivor, merged *patient.Patient) (*patient.Merge, error) {
	m := &patient.Merge{ID: ids.New("mrg"), Survivor: survivor.ID, Merged: merged.ID, At: now, By: "OPS", Subject: "li", Reason: "one person"}
	_, err := store.Merge(ctx, m, survivor.Etag(), merged.Etag(), func(keep, under *patient.Patient) error {
		if keep.ID != survivor.ID || under.ID != merged.ID || keep.ID == under.ID {
			return fault.New(fault.FailedPrecondition, fault.MergeRefused, "", "no", "否")
		}
		return nil
	})
	return m, err
}

func unmerge(ctx context.Context, store patient.Store, m *patient.Merge) error {
	_, err := store.Unmerge(ctx, m.ID, func(m *patient.Merge, _, _ *patient.Patient) error {
		if !m.EndedAt.IsZero() {
			return fault.New(fault.FailedPrecondition, fault.MergeRefused, "", "no", "否")
		}
		m.EndedAt, m.EndedBy, m.EndReason = now.Add(time.Hour), "OPS", "two persons"
		return nil
	})
	return err
}

func runMerge(t *testing.T, store patient.Store, ids id.Source) {
	ctx := t.Context()
	get := func(t rapid.TB, id string) *patient.Patient {
		t.Helper()
		p, err := store.Get(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	t.Run("a merged id is answered with its survivor, whatever it is used for", func(t *testing.T) {
		keep, under := Person(ids, 30), Person(ids, 31)
		under.RegisteredBy = "H-NC-01"
		for _, p := range []*patient.Patient{keep, under} {
			if err := store.Insert(ctx, p); err != nil {
				t.Fatal(err)
			}
		}
		if err := store.Grant(ctx, under.ID, "C-GZ-01", ids.New("ref"), now); err != nil {
			t.Fatal(err)
		}
		if _, err := merge(ctx, store, ids, keep, &patient.Patient{ID: under.ID, Version: 9}); !fault.Is(err, fault.StaleVersion) {
			t.Errorf("a stale etag: %v", err)
		}
		m, err := merge(ctx, store, ids, keep, under)
		if err != nil {
			t.Fatal(err)
		}
		if got := get(t, under.ID); got.ID != keep.ID || !reflect.DeepEqual(got.MergedIDs, []string{under.ID}) {
			t.Errorf("got %+v", got)
		}
		if found, err := store.FindNumber(ctx, under.Identity.Number); err != nil || get(t, found).ID != keep.ID {
			t.Errorf("by the merged number: %q %v", found, err)
		}
		for _, organisation := range []string{"H-HF-01", "H-NC-01", "C-GZ-01"} {
			if see, err := store.MaySee(ctx, keep.ID, organisation); err != nil || !see {
				t.Errorf("%s: %v %v", organisation, see, err)
			}
			list, err := store.List(ctx, organisation, "", 200)
			if err != nil || !contains(list, keep.ID) || contains(list, under.ID) {
				t.Errorf("%s lists %d, %v", organisation, len(list), err)
			}
		}
		if _, err := store.Update(ctx, under.ID, get(t, keep.ID).Etag(), func(p *patient.Patient) error { p.ResidenceCity = "310100"; return nil }); err != nil {
			t.Fatal(err)
		}
		if get(t, keep.ID).ResidenceCity != "310100" {
			t.Error("an update under the merged id missed the survivor")
		}
		if err := unmerge(ctx, store, m); err != nil {
			t.Fatal(err)
		}
		if err := unmerge(ctx, store, m); !fault.Is(err, fault.MergeRefused) {
			t.Errorf("twice: %v", err)
		}
		if see, err := store.MaySee(ctx, keep.ID, "C-GZ-01"); err != nil || see {
			t.Errorf("after: %v %v", see, err)
		}
		merges, err := store.Merges(ctx, under.ID, 10)
		if err != nil || len(merges) != 1 || merges[0].By != "OPS" || merges[0].EndReason != "two persons" || merges[0].EndedAt.IsZero() {
			t.Errorf("history: %+v %v", merges, err)
		}
	})
	t.Run("of two merges at the same time one waits and sees the other", func(t *testing.T) {
		a, b := Person(ids, 40), Person(ids, 41)
		for _, p := range []*patient.Patient{a, b} {
			if err := store.Insert(ctx, p); err != nil {
				t.Fatal(err)
			}
		}
		var done atomic.Int32
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				x, y := a, b
				if i%2 == 1 {
					x, y = b, a
				}
				_, err := merge(ctx, store, ids, x, y)
				switch {
				case err == nil:
					done.Add(1)
				case !fault.Is(err, fault.StaleVersion) && !fault.Is(err, fault.MergeRefused):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if done.Load() != 1 || get(t, a.ID).ID != get(t, b.ID).ID {
			t.Errorf("%d merges; %s and %s", done.Load(), get(t, a.ID).ID, get(t, b.ID).ID)
		}
	})
	number := 50
	t.Run("undoing every merge, in any order, restores every record", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			var people []*patient.Patient
			for range rapid.IntRange(2, 5).Draw(t, "records") {
				p := Person(ids, number)
				p.ResidenceCity = []string{"340100", "310100"}[number%2]
				p.Identity.Name = fmt.Sprintf("示范患者%d", number)
				number++
				if err := store.Insert(ctx, p); err != nil {
					t.Fatal(err)
				}
				people = append(people, get(t, p.ID))
			}
			var open []*patient.Merge
			pick := rapid.IntRange(0, len(people)-1)
			for range rapid.IntRange(1, 8).Draw(t, "steps") {
				if len(open) > 0 && rapid.Bool().Draw(t, "undo") {
					i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
					if err := unmerge(ctx, store, open[i]); err != nil {
						t.Fatal(err)
					}
					open = append(open[:i], open[i+1:]...)
				} else {
					m, err := merge(ctx, store, ids, get(t, people[pick.Draw(t, "into")].ID), get(t, people[pick.Draw(t, "from")].ID))
					if err == nil {
						open = append(open, m)
					} else if !fault.Is(err, fault.MergeRefused) {
						t.Fatal(err)
					}
				}
				checkRoots(t, get, people, open)
			}
			for len(open) > 0 {
				i := rapid.IntRange(0, len(open)-1).Draw(t, "last")
				if err := unmerge(ctx, store, open[i]); err != nil {
					t.Fatal(err)
				}
				open = append(open[:i], open[i+1:]...)
			}
			for _, before := range people {
				after := get(t, before.ID)
				after.Version = before.Version
				if !reflect.DeepEqual(after, before) {
					t.Fatalf("%+v became %+v", before, after)
				}
			}
		})
	})
}

// checkRoots compares what every id is answered with to what the open merges say.
func checkRoots(t *rapid.T, get func(rapid.TB, string) *patient.Patient, people []*patient.Patient, open []*patient.Merge) {
	parent := map[string]string{}
	for _, m := range open {
		parent[m.Merged] = m.Survivor
	}
	for _, p := range people {
		want := p.ID
		for parent[want] != "" {
			want = parent[want]
		}
		if got := get(t, p.ID); got.ID != want {
			t.Fatalf("%s is answered with %s, want %s", p.ID, got.ID, want)
		}
	}
}

func contains(list []*patient.Patient, id string) bool {
	for _, p := range list {
		if p.ID == id {
			return true
		}
	}
	return false
}
