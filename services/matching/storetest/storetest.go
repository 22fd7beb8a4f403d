// Package storetest is what every matching.Store must do.
package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/matching"
	"huhang.example/services/matching/directory"
	"huhang.example/services/matching/ranking"
)

var now = time.Date(2026, 11, 22, 4, 0, 0, 123456000, time.UTC)

var edit = matching.Edit{Action: "TEST", At: now, Organisation: "OPS", Subject: "staff-1"}

// Offer makes an open offer of the case to the center.
func Offer(ids id.Source, referralID, centerID string, expires time.Time) *matching.Offer {
	return &matching.Offer{
		ID: ids.New("off"), ReferralID: referralID, PatientID: "pat_1", CenterID: centerID, CenterCity: "310100", Referrer: "H-HF-01",
		Organ: "LIVER", Urgency: "URGENT", Status: matching.Open, CreatedAt: now, RemindAt: now, ExpiresAt: expires, Version: 1,
	}
}

// Run holds a store to the suite.
func Run(t *testing.T, store matching.Store) {
	k := &kit{Store: store, ids: id.Random()}
	t.Run("centers are seeded once", k.seeding)
	t.Run("centers page by code", k.centers)
	t.Run("an update of a center needs the version it saw", k.centerVersions)
	t.Run("every edit is remembered", k.history)
	t.Run("a run comes back as it was", k.runs)
	t.Run("the last run is the case's and the organ's", k.lastRun)
	t.Run("a version of the weights stays as it is", k.weights)
	t.Run("open offers are found by program", k.openOffers)
	t.Run("an offer comes back as it was", k.offers)
	t.Run("what is refused changes nothing", k.refused)
	t.Run("a center is asked once at a time", k.liveOnce)
	t.Run("one center takes the patient, whatever the race", k.bindingOnce)
	t.Run("offers page by their end", k.paging)
}

type kit struct {
	matching.Store
	ids id.Source
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, err error, reason fault.Reason) {
	t.Helper()
	if !fault.Is(err, reason) {
		t.Fatalf("%v, want %s", err, reason)
	}
}

func (k *kit) seeding(t *testing.T) {
	ctx := t.Context()
	must(t, k.Seed(ctx, directory.Sample().Centers(now), edit))
	changed, err := k.UpdateCenter(ctx, "C-SH-01", "1", edit, func(c *directory.Center) error {
		c.Program("LIVER").Capacity.FreePlaces = 9
		return nil
	})
	must(t, err)
	if changed.Etag() != "2" {
		t.Fatalf("version %s", changed.Etag())
	}
	must(t, k.Seed(ctx, directory.Sample().Centers(now.Add(time.Hour)), edit))
	c, err := k.Center(ctx, "C-SH-01")
	must(t, err)
	if !reflect.DeepEqual(c, changed) {
		t.Fatalf("seeded over a declared change: %+v", c)
	}
	_, err = k.Center(ctx, "C-XX-01")
	want(t, err, fault.ReasonNotFound)
}

func (k *kit) centers(t *testing.T) {
	ctx := t.Context()
	var got []string
	for after := ""; ; {
		page, err := k.Centers(ctx, matching.CenterFilter{}, after, 3)
		must(t, err)
		for _, c := range page {
			got = append(got, c.ID)
		}
		if len(page) < 3 {
			break
		}
		after = page[2].ID
	}
	if fmt.Sprint(got) != "[C-BJ-01 C-BJ-02 C-GZ-01 C-HZ-01 C-NJ-01 C-SH-01 C-SH-02 C-SJZ-01 C-SZ-01 C-TJ-01]" {
		t.Fatal(got)
	}
	csj, err := k.Centers(ctx, matching.CenterFilter{Line: "csj", Organ: "LUNG"}, "", 50)
	must(t, err)
	if len(csj) != 2 || csj[0].ID != "C-NJ-01" || csj[1].ID != "C-SH-02" {
		t.Fatalf("%d centers", len(csj))
	}
}

func (k *kit) centerVersions(t *testing.T) {
	ctx := t.Context()
	c, err := k.Center(ctx, "C-GZ-01")
	must(t, err)
	var won atomic.Int32
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			_, err := k.UpdateCenter(ctx, c.ID, c.Etag(), edit, func(c *directory.Center) error {
				c.Program("LIVER").Volume = int32(i)
				return nil
			})
			switch {
			case err == nil:
				won.Add(1)
			case !fault.Is(err, fault.StaleVersion):
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d updates of one version", won.Load())
	}
	before, err := k.Center(ctx, c.ID)
	must(t, err)
	broken := errors.New("no")
	if _, err := k.UpdateCenter(ctx, c.ID, before.Etag(), edit, func(c *directory.Center) error { c.NameZh = "x"; return broken }); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if after, err := k.Center(ctx, c.ID); err != nil || !reflect.DeepEqual(before, after) {
		t.Fatalf("%v %+v", err, after)
	}
	_, err = k.UpdateCenter(ctx, "C-XX-01", "1", edit, func(*directory.Center) error { return nil })
	want(t, err, fault.ReasonNotFound)
}

func (k *kit) runs(t *testing.T) {
	ctx := t.Context()
	bmi := 24.5
	r := &matching.Run{
		ID: k.ids.New("mat"), ReferralID: "ref_1", PatientID: "pat_1", Referrer: "H-HF-01", ClinicalVersion: 3, WeightsVersion: "w",
		Input:  ranking.Input{At: now, Organ: "LIVER", Patient: ranking.Patient{Age: 47, BMI: &bmi}},
		Result: ranking.Result{Ranked: []ranking.Ranked{{CenterID: "C-SH-01", Score: 7}}, Missing: []ranking.Gap{{Datum: "x", Remark: ranking.Remark{Zh: "缺", En: "missing"}}}},
	}
	must(t, k.InsertRun(ctx, r))
	got, err := k.Run(ctx, r.ID)
	must(t, err)
	if !reflect.DeepEqual(got, r) || !got.Ranked("C-SH-01") || got.Ranked("C-SH-02") {
		t.Fatalf("%+v", got)
	}
	_, err = k.Run(ctx, k.ids.New("mat"))
	want(t, err, fault.ReasonNotFound)
}

func (k *kit) offers(t *testing.T) {
	ctx := t.Context()
	o := Offer(k.ids, "ref_a", "C-SH-01", now.Add(time.Hour))
	must(t, k.InsertOffer(ctx, o))
	got, err := k.Offer(ctx, o.ID)
	must(t, err)
	if !reflect.DeepEqual(got, o) {
		t.Fatalf("%+v\n%+v", got, o)
	}
	if same, err := k.UpdateOffer(ctx, o.ID, func(*matching.Offer) error { return nil }); err != nil || same.Version != 1 {
		t.Fatalf("no change: %v, version %d", err, same.Version)
	}
	changed, err := k.UpdateOffer(ctx, o.ID, func(o *matching.Offer) error { o.Comment = "示范"; return nil })
	must(t, err)
	if got, err = k.Offer(ctx, o.ID); err != nil || got.Version != 2 || !reflect.DeepEqual(got, changed) {
		t.Fatalf("%v %+v", err, got)
	}
	_, err = k.Offer(ctx, k.ids.New("off"))
	want(t, err, fault.ReasonNotFound)
	_, err = k.UpdateOffer(ctx, k.ids.New("off"), func(*matching.Offer) error { return nil })
	want(t, err, fault.ReasonNotFound)
}

func (k *kit) refused(t *testing.T) {
	ctx := t.Context()
	o := Offer(k.ids, "ref_b", "C-SH-01", now.Add(time.Hour))
	must(t, k.InsertOffer(ctx, o))
	broken := errors.New("no")
	_, err := k.UpdateOffer(ctx, o.ID, func(o *matching.Offer) error { o.Status = matching.Accepted; return broken })
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if got, err := k.Offer(ctx, o.ID); err != nil || !reflect.DeepEqual(got, o) {
		t.Fatalf("%v %+v", err, got)
	}
}

func (k *kit) liveOnce(t *testing.T) {
	ctx := t.Context()
	var won atomic.Int32
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			switch err := k.InsertOffer(ctx, Offer(k.ids, "ref_c", "C-SH-01", now)); {
			case err == nil:
				won.Add(1)
			case !fault.Is(err, fault.WrongState):
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d live offers", won.Load())
	}
	must(t, k.InsertOffer(ctx, Offer(k.ids, "ref_c", "C-SH-02", now)))
	must(t, k.InsertOffer(ctx, Offer(k.ids, "ref_d", "C-SH-01", now)))
}

func (k *kit) bindingOnce(t *testing.T) {
	ctx := t.Context()
	var offers []*matching.Offer
	for _, center := range []string{"C-SH-01", "C-SH-02", "C-BJ-01", "C-BJ-02", "C-GZ-01", "C-SZ-01", "C-NJ-01", "C-HZ-01"} {
		o := Offer(k.ids, "ref_e", center, now)
		must(t, k.InsertOffer(ctx, o))
		offers = append(offers, o)
	}
	var won atomic.Int32
	var wait sync.WaitGroup
	for _, o := range offers {
		wait.Go(func() {
			_, err := k.UpdateOffer(ctx, o.ID, func(o *matching.Offer) error { o.Status = matching.Accepting; return nil })
			switch {
			case err == nil:
				won.Add(1)
			case !fault.Is(err, fault.WrongState):
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d centers take the patient", won.Load())
	}
	want(t, k.InsertOffer(ctx, Offer(k.ids, "ref_e", "C-TJ-01", now)), fault.WrongState)
}

func (k *kit) paging(t *testing.T) {
	ctx := t.Context()
	var want []string
	for i := range 7 {
		o := Offer(k.ids, fmt.Sprintf("ref_p%d", i), "C-TJ-01", now.Add(time.Duration(7-i/2)*time.Minute))
		o.Referrer = "H-PG-01"
		must(t, k.InsertOffer(ctx, o))
		want = append(want, o.ID)
	}
	// Later numbers end earlier, two at a time.
	order := []string{want[6], want[4], want[5], want[2], want[3], want[0], want[1]}
	for _, organisation := range []string{"H-PG-01", "C-TJ-01"} {
		var got []string
		var after *matching.Offer
		for {
			page, err := k.Offers(ctx, matching.OfferFilter{Organisation: organisation, Status: matching.Open}, after, 2)
			must(t, err)
			for _, o := range page {
				got = append(got, o.ID)
			}
			if len(page) < 2 {
				break
			}
			after = page[1]
		}
		if !reflect.DeepEqual(got, order) {
			t.Fatalf("%s: %v, want %v", organisation, got, order)
		}
	}
	for name, f := range map[string]matching.OfferFilter{
		"a stranger": {Organisation: "H-NC-01"}, "nobody": {}, "another status": {All: true, Status: matching.Declined},
		"another case": {Organisation: "H-PG-01", ReferralID: "ref_zz"},
	} {
		if page, err := k.Offers(ctx, f, nil, 10); err != nil || len(page) != 0 {
			t.Errorf("%s sees %d offers, %v", name, len(page), err)
		}
	}
	if page, err := k.Offers(ctx, matching.OfferFilter{All: true, ReferralID: "ref_p3"}, nil, 10); err != nil || len(page) != 1 {
		t.Errorf("operations: %d, %v", len(page), err)
	}
}
