package storetest

import (
	"reflect"
	"testing"
	"time"

	"huhang.example/services/matching"
	"huhang.example/services/matching/directory"
	"huhang.example/services/matching/ranking"
)

func (k *kit) history(t *testing.T) {
	ctx := t.Context()
	before, err := k.Revision(ctx)
	must(t, err)
	c, err := k.Center(ctx, "C-HZ-01")
	must(t, err)
	for range 3 {
		c, err = k.UpdateCenter(ctx, c.ID, c.Etag(), edit, func(c *directory.Center) error { c.Program("LIVER").Volume++; return nil })
		must(t, err)
	}
	if after, err := k.Revision(ctx); err != nil || after != before+3 {
		t.Fatalf("revision %d after %d, %v", after, before, err)
	}
	changes, err := k.CenterChanges(ctx, c.ID, 4, 2)
	must(t, err)
	want := directory.Change{Organ: "LIVER", Column: "volume", Before: "281", After: "282"}
	if len(changes) != 2 || changes[0].Version != 3 || changes[1].Version != 2 || changes[0].Edit != edit || !reflect.DeepEqual(changes[0].Fields, []directory.Change{want}) {
		t.Fatalf("%+v", changes)
	}
}

func (k *kit) lastRun(t *testing.T) {
	ctx := t.Context()
	if r, err := k.LastRun(ctx, "ref_last", "LIVER"); r != nil || err != nil {
		t.Fatalf("%v %v", r, err)
	}
	var last string
	for i, organ := range []string{"LIVER", "LIVER", "HEART"} {
		r := &matching.Run{ID: k.ids.New("mat"), ReferralID: "ref_last", Input: ranking.Input{At: now.Add(time.Duration(i) * time.Minute), Organ: organ}}
		must(t, k.InsertRun(ctx, r))
		if organ == "LIVER" {
			last = r.ID
		}
	}
	if r, err := k.LastRun(ctx, "ref_last", "LIVER"); err != nil || r.ID != last {
		t.Fatalf("%v %v", r, err)
	}
}

func (k *kit) weights(t *testing.T) {
	ctx := t.Context()
	w := *ranking.Embedded()[0]
	w.Version, w.EffectiveFrom = "later", "2030-01-01"
	for _, version := range []*ranking.Weights{&w, ranking.Embedded()[0]} {
		added, err := k.AddWeights(ctx, version)
		must(t, err)
		if again, err := k.AddWeights(ctx, version); !added || again || err != nil {
			t.Fatalf("%v %v %v", added, again, err)
		}
	}
	all, err := k.Weights(ctx)
	must(t, err)
	if len(all) != 2 || !reflect.DeepEqual(all[0], ranking.Embedded()[0]) || !reflect.DeepEqual(all[1], &w) {
		t.Fatalf("%+v", all)
	}
}

func (k *kit) openOffers(t *testing.T) {
	ctx := t.Context()
	o := Offer(k.ids, "ref_open", "C-NJ-01", now)
	must(t, k.InsertOffer(ctx, o))
	for organ, n := range map[string]int{"LIVER": 1, "HEART": 0} {
		if got, err := k.OpenOffersOf(ctx, "C-NJ-01", organ); err != nil || countOf(got, o.ID) != n {
			t.Fatalf("%s: %d, %v", organ, countOf(got, o.ID), err)
		}
	}
	_, err := k.UpdateOffer(ctx, o.ID, func(o *matching.Offer) error { o.Status = matching.Withdrawn; return nil })
	must(t, err)
	if got, err := k.OpenOffersOf(ctx, "C-NJ-01", "LIVER"); err != nil || countOf(got, o.ID) != 0 {
		t.Fatalf("%v", err)
	}
}

func countOf(offers []*matching.Offer, id string) (n int) {
	for _, o := range offers {
		if o.ID == id {
			n++
		}
	}
	return n
}
