package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/referral"
)

func feedIsScoped(t *testing.T, k *kit) {
	mine := k.open(t, "H-HF-01", "pat_1", "LIVER", "ROUTINE")
	k.open(t, "H-NC-01", "pat_2", "LIVER", "ROUTINE")
	read := func(organisation string, role access.Role, cursor string) (cases []string, last string) {
		err := k.service.FollowEvents(as(t.Context(), organisation, role), cursor, false, true, begun, func(at string, e referral.Event) error {
			cases, last = append(cases, e.ReferralID), at
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return cases, last
	}
	all, end := read("OPS", access.Operations, "")
	own, _ := read("H-HF-01", access.Coordinator, "")
	none, _ := read("C-SH-01", access.Center, "")
	if len(all) != 2 || len(own) != 1 || own[0] != mine.ID || len(none) != 0 {
		t.Fatalf("all %v, own %v, none %v", all, own, none)
	}
	if rest, _ := read("OPS", access.Operations, end); len(rest) != 0 {
		t.Fatalf("after the end: %v", rest)
	}
	if err := k.service.FollowEvents(as(t.Context(), "OPS", access.Operations), "", true, true, begun, func(string, referral.Event) error {
		return errors.New("something before now")
	}); err != nil {
		t.Fatalf("from now: %v", err)
	}
	for _, cursor := range []string{"x", "AAAA", end + "A"} {
		err := k.service.FollowEvents(as(t.Context(), "OPS", access.Operations), cursor, false, true, begun, nil)
		if f, _ := fault.As(err); !fault.Is(err, fault.InvalidPageToken) || f.Field != "cursor" {
			t.Fatalf("cursor %q: %v", cursor, err)
		}
	}
}

func lists(t *testing.T, k *kit) {
	var want []string
	for i := range 7 {
		want = append([]string{k.open(t, "H-HF-01", fmt.Sprintf("pat_%d", i), "LIVER", "ROUTINE").ID}, want...)
	}
	k.open(t, "H-NC-01", "pat_x", "LIVER", "ROUTINE")
	ctx := as(t.Context(), "H-HF-01", access.Coordinator)
	var got []string
	token := ""
	for {
		list, next, err := k.service.ListReferrals(ctx, referral.Filter{}, token, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			got = append(got, r.ID)
		}
		if token = next; token == "" {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	_, next, err := k.service.ListReferrals(ctx, referral.Filter{}, "", 3)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.service.ListReferrals(ctx, referral.Filter{State: referral.Draft}, next, 3); !fault.Is(err, fault.InvalidPageToken) {
		t.Fatalf("a token of another filter: %v", err)
	}
	if list, _, err := k.service.ListReferrals(as(t.Context(), "C-SH-01", access.Center), referral.Filter{}, "", 3); err != nil || len(list) != 0 {
		t.Fatalf("a stranger sees %d, %v", len(list), err)
	}
	if list, _, err := k.service.ListReferrals(ctx, referral.Filter{PatientID: "pat_3"}, "", 3); err != nil || len(list) != 1 {
		t.Fatalf("of one patient: %d, %v", len(list), err)
	}
}

// A poller that hands back the last update time it saw gets every change, oldest first, and none twice.
func changedSince(t *testing.T, k *kit) {
	ctx := as(t.Context(), "H-HF-01", access.Coordinator)
	first := k.open(t, "H-HF-01", "pat_1", "LIVER", "ROUTINE")
	second := k.open(t, "H-HF-01", "pat_2", "LIVER", "ROUTINE")
	poll := func(since time.Time) (ids []string, last time.Time) {
		last = since
		token := ""
		for {
			list, next, err := k.service.ListReferrals(ctx, referral.Filter{ChangedSince: since}, token, 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range list {
				ids, last = append(ids, r.ID), r.UpdateTime
			}
			if token = next; token == "" {
				return ids, last
			}
		}
	}
	ids, last := poll(time.Unix(1, 0))
	if fmt.Sprint(ids) != fmt.Sprint([]string{first.ID, second.ID}) {
		t.Fatalf("%v", ids)
	}
	if ids, _ := poll(last); len(ids) != 0 {
		t.Fatalf("nothing changed, yet %v", ids)
	}
	if _, err := k.service.CloseReferral(ctx, first.ID, first.Etag(), referral.Withdrawn, ""); err != nil {
		t.Fatal(err)
	}
	if ids, _ := poll(last); fmt.Sprint(ids) != fmt.Sprint([]string{first.ID}) {
		t.Fatalf("%v", ids)
	}
}

// Worklists put first what expires first, and what has no clock last.
func worklists(t *testing.T, k *kit) {
	desk := as(t.Context(), "OPS", access.Operations)
	at := time.Unix(1_790_000_000, 0).UTC()
	var want []string
	for i, hours := range []int{5, 1, 9, 0, 1} {
		r := k.open(t, "H-HF-01", fmt.Sprintf("pat_%d", i), "LIVER", "ROUTINE")
		_, err := k.store.Update(desk, r.ID, "", func(r *referral.Referral) error {
			r.State = referral.Screening
			if hours > 0 {
				r.Deadline = at.Add(time.Duration(hours) * time.Hour)
			}
			r.Remark("SCREENING", referral.Act{At: at})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, r.ID)
	}
	want = []string{want[1], want[4], want[0], want[2], want[3]}
	var got []string
	token := ""
	for {
		list, next, err := k.service.ListWorklist(desk, "FOR_REVIEW", token, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			got = append(got, r.ID)
		}
		if token = next; token == "" {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if list, _, err := k.service.ListWorklist(as(t.Context(), "H-HF-01", access.Coordinator), "FOR_REVIEW", "", 0); err != nil || len(list) != 0 {
		t.Fatalf("the desk's list for a referrer: %d, %v", len(list), err)
	}
	if list, _, err := k.service.ListWorklist(as(t.Context(), "H-NC-01", access.Coordinator), "OVERDUE", "", 0); err != nil || len(list) != 0 {
		t.Fatalf("a stranger's overdue: %d, %v", len(list), err)
	}
	if list, _, err := k.service.ListWorklist(as(t.Context(), "H-HF-01", access.Coordinator), "OVERDUE", "", 0); err != nil || len(list) != 4 {
		t.Fatalf("overdue: %d, %v", len(list), err)
	}
	if _, _, err := k.service.ListWorklist(desk, "NOTHING", "", 0); !fault.Is(err, fault.FieldInvalid) {
		t.Fatalf("%v", err)
	}
}

// begun is a follower that needs no word before the first event.
func begun() error { return nil }

// In every state a case waits for those who have part in it, and for a center that was asked while its offer is open.
func waitsForItsParties(t *testing.T, k *kit) {
	const x = "X-1"
	center, local, offers := map[string]bool{}, map[string]bool{}, map[string]bool{}
	at := time.Unix(1_790_000_000, 0).UTC()
	for i, state := range []referral.State{
		referral.Draft, referral.Submitted, referral.Screening, referral.Returned, referral.Consultation, referral.Matched, referral.Offered, referral.Accepted, referral.Booked,
		referral.TransferPlanned, referral.InTransit, referral.Arrived, referral.Evaluating, referral.Listed, referral.Suspended, referral.Operated, referral.Rehabilitation,
		referral.BackReferred, referral.FollowUp, referral.Exhausted,
	} {
		for n, part := range []func(r *referral.Referral){
			func(r *referral.Referral) { r.CenterID = x; center[r.ID] = true },
			func(r *referral.Referral) { r.LocalHospital = x; local[r.ID] = true },
			func(r *referral.Referral) {
				r.Asking, r.OfferID = x, "off_1"
				if state == referral.Offered {
					center[r.ID], offers[r.ID] = true, true
				}
			},
			func(r *referral.Referral) {
				r.CenterID, r.LocalHospital, r.Asking, r.OfferID = "X-2", "X-3", "X-4", "off_2"
			},
		} {
			r := k.open(t, "H-HF-01", fmt.Sprintf("pat_%d_%d", i, n), "LIVER", "ROUTINE")
			_, err := k.store.Update(as(t.Context(), "OPS", access.Operations), r.ID, "", func(r *referral.Referral) error {
				r.State, r.Deadline = state, at
				part(r)
				r.Remark("SCREENING", referral.Act{At: at})
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, w := range []struct {
		list string
		role access.Role
		want map[string]bool
	}{{"OVERDUE", access.Center, center}, {"OVERDUE", access.Coordinator, local}, {"OFFERS_TO_ANSWER", access.Center, offers}, {"OFFERS_TO_ANSWER", access.Coordinator, nil}} {
		list, _, err := k.service.ListWorklist(as(t.Context(), x, w.role), w.list, "", 200)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, r := range list {
			got[r.ID] = true
		}
		if len(list) != len(got) || len(got) != len(w.want) {
			t.Errorf("%s of a %s: %d cases, %d of them different, want %d", w.list, w.role, len(list), len(got), len(w.want))
		}
		for id := range w.want {
			if !got[id] {
				t.Errorf("%s of a %s lacks a case", w.list, w.role)
			}
		}
	}
}
