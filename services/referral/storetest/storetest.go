// Package storetest is what every store of cases must keep to.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/referral"
)

// Run runs the suite; open gives each test a fresh store.
func Run(t *testing.T, open func(t *testing.T) referral.Store) {
	for name, test := range map[string]func(*testing.T, *kit){
		"OneLiveCase": oneLiveCase, "Absent": absent, "RefusedChangesNothing": refusedChangesNothing,
		"OneWinsPerVersion": oneWinsPerVersion, "FeedInOrder": feedInOrder, "FeedIsScoped": feedIsScoped,
		"Lists": lists, "ChangedSince": changedSince, "Worklists": worklists, "WaitsForItsParties": waitsForItsParties,
	} {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			ids := id.Sequence()
			test(t, &kit{store: store, ids: ids, service: referral.New(store, peers{}, clock.System(), ids)})
		})
	}
}

type kit struct {
	store   referral.Store
	ids     id.Source
	service *referral.Service
}

// peers answers for the patient service alone: a store's suite needs no more of the line.
type peers struct{ referral.Peers }

func (peers) Registered(ctx context.Context, patientID string) (referral.Registered, error) {
	return referral.Registered{PatientID: patientID, Organisation: access.From(ctx).Organisation}, nil
}

func as(ctx context.Context, organisation string, role access.Role) context.Context {
	return access.With(ctx, access.Caller{Subject: "s-1", Organisation: organisation, Roles: []access.Role{role}})
}

func (k *kit) open(t *testing.T, organisation, patient, organ, urgency string) *referral.Referral {
	t.Helper()
	ctx := as(t.Context(), organisation, access.Coordinator)
	r, err := k.service.CreateReferral(ctx, referral.Opening{PatientID: patient, Organ: organ, Urgency: urgency}, k.service.PrepareCreate(ctx, patient))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func oneLiveCase(t *testing.T, k *kit) {
	first := k.open(t, "H-HF-01", "pat_1", "LIVER", "ROUTINE")
	k.open(t, "H-HF-01", "pat_1", "KIDNEY", "ROUTINE")
	k.open(t, "H-HF-01", "pat_2", "LIVER", "ROUTINE")
	ctx := as(t.Context(), "H-HF-01", access.Coordinator)
	again := func(ctx context.Context) error {
		_, err := k.service.CreateReferral(ctx, referral.Opening{PatientID: "pat_1", Organ: "LIVER", Urgency: "URGENT"}, k.service.PrepareCreate(ctx, "pat_1"))
		return err
	}
	err := again(ctx)
	if f, _ := fault.As(err); !fault.Is(err, fault.LiveCaseExists) || f.Meta["referral_id"] != first.ID {
		t.Fatalf("second live case: %v", err)
	}
	// Who may not see the case learns that there is one, not which.
	err = again(as(t.Context(), "H-NC-01", access.Coordinator))
	if f, _ := fault.As(err); !fault.Is(err, fault.LiveCaseExists) || f.Meta["referral_id"] != "" {
		t.Fatalf("second live case by a stranger: %v", err)
	}
	if _, err := k.service.CloseReferral(ctx, first.ID, first.Etag(), referral.Withdrawn, ""); err != nil {
		t.Fatal(err)
	}
	if err := again(ctx); err != nil {
		t.Fatalf("after closing: %v", err)
	}
	// Many at once: one case comes of it.
	var won atomic.Int32
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			_, err := k.service.CreateReferral(ctx, referral.Opening{PatientID: "pat_9", Organ: "HEART", Urgency: "URGENT"}, k.service.PrepareCreate(ctx, "pat_9"))
			switch {
			case err == nil:
				won.Add(1)
			case !fault.Is(err, fault.LiveCaseExists):
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d live cases", won.Load())
	}
}

func absent(t *testing.T, k *kit) {
	r := k.open(t, "H-HF-01", "pat_1", "LIVER", "ROUTINE")
	stranger := as(t.Context(), "H-NC-01", access.Coordinator)
	_, foreign := k.service.GetReferral(stranger, r.ID)
	_, missing := k.service.GetReferral(stranger, "ref_00000000000000000000000000")
	for _, err := range []error{foreign, missing} {
		if !fault.Is(err, fault.ReasonNotFound) {
			t.Fatalf("%v", err)
		}
	}
	_, foreign = k.service.CloseReferral(stranger, r.ID, "77", referral.Withdrawn, "")
	_, missing = k.service.CloseReferral(stranger, "ref_00000000000000000000000000", "77", referral.Withdrawn, "")
	if !fault.Is(foreign, fault.ReasonNotFound) || !fault.Is(missing, fault.ReasonNotFound) {
		t.Fatalf("%v, %v", foreign, missing)
	}
}

func refusedChangesNothing(t *testing.T, k *kit) {
	r := k.open(t, "H-HF-01", "pat_1", "LIVER", "ROUTINE")
	ctx := as(t.Context(), "H-HF-01", access.Coordinator)
	refusals := map[fault.Reason]error{}
	_, refusals[fault.StaleVersion] = k.service.CloseReferral(ctx, r.ID, "7", referral.Withdrawn, "")
	_, refusals[fault.WrongState] = k.service.AcceptBackReferral(ctx, r.ID, r.Etag())
	_, refusals[fault.FieldInvalid] = k.service.CloseReferral(ctx, r.ID, r.Etag(), referral.Lapsed, "")
	for reason, err := range refusals {
		if !fault.Is(err, reason) {
			t.Errorf("want %s, got %v", reason, err)
		}
	}
	got, err := k.store.Get(ctx, r.ID)
	if err != nil || got.Version != 1 || got.State != referral.Draft || got.Length != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if head, err := k.store.Head(ctx); err != nil || head != 1 {
		t.Fatalf("head %d, %v", head, err)
	}
}

// 32 callers move one case at once: for each version exactly one wins, the others learn which is current, and the
// timeline has no gap.
func oneWinsPerVersion(t *testing.T, k *kit) {
	const callers, rounds = 32, 4
	r := k.open(t, "H-HF-01", "pat_1", "LIVER", "ROUTINE")
	ctx := as(t.Context(), "H-HF-01", access.Coordinator)
	for round := range rounds {
		version := int64(round + 1)
		var won atomic.Int32
		var wait sync.WaitGroup
		for range callers {
			wait.Go(func() {
				_, err := k.store.Update(ctx, r.ID, strconv.FormatInt(version, 10), func(r *referral.Referral) error {
					r.Remark("NEEDS_ATTENTION", referral.Act{At: time.Unix(1_790_000_000, 0)})
					return nil
				})
				f, _ := fault.As(err)
				switch {
				case err == nil:
					won.Add(1)
				case !fault.Is(err, fault.StaleVersion) || f.Meta["current_etag"] != strconv.FormatInt(version+1, 10):
					t.Errorf("version %d: %v", version, err)
				}
			})
		}
		wait.Wait()
		if won.Load() != 1 {
			t.Fatalf("version %d was changed %d times", version, won.Load())
		}
	}
	entries, err := k.store.Timeline(ctx, r.ID, 0, 100)
	if err != nil || len(entries) != rounds+1 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for i, e := range entries {
		if e.Sequence != int64(i+1) || i > 0 && !e.Recorded.After(entries[i-1].Recorded) {
			t.Fatalf("entry %d: %+v", i, e)
		}
	}
}

// While many cases are written, readers follow: each sees every event once, in order.
func feedInOrder(t *testing.T, k *kit) {
	// Changes are short and long by turns: without the shared row a short one would overtake a long one's positions.
	const writers, each, readers, long = 8, 6, 3, 30
	ctx, cancel := context.WithTimeout(as(t.Context(), "OPS", access.Operations), 60*time.Second)
	defer cancel()
	var writing, reading sync.WaitGroup
	total := writers * (1 + each/2*(1+long))
	for range readers {
		reading.Go(func() {
			count, last := 0, int64(0)
			perCase := map[string]int64{}
			cursor := ""
			// A reader that loses its stream in the middle resumes from the last cursor.
			for count < total {
				seen := 0
				err := k.service.FollowEvents(ctx, cursor, false, false, begun, func(at string, e referral.Event) error {
					if e.Position != last+1 || e.Entry.Sequence != perCase[e.ReferralID]+1 {
						return fmt.Errorf("after %d came %d, %s/%d", last, e.Position, e.ReferralID, e.Entry.Sequence)
					}
					last, cursor = e.Position, at
					perCase[e.ReferralID]++
					count++
					if seen++; seen == 97 || count == total {
						return errEnough
					}
					return nil
				})
				if !errors.Is(err, errEnough) {
					t.Errorf("reader: %v", err)
					return
				}
			}
		})
	}
	for w := range writers {
		writing.Go(func() {
			caller := as(ctx, "H-HF-01", access.Coordinator)
			patient := fmt.Sprintf("pat_%d", w)
			r, err := k.service.CreateReferral(caller, referral.Opening{PatientID: patient, Organ: "LIVER", Urgency: "ROUTINE"}, k.service.PrepareCreate(caller, patient))
			for change := range each {
				if err != nil {
					break
				}
				entries := 1
				if (change+w)%2 == 0 {
					entries = long
				}
				r, err = k.store.Update(caller, r.ID, "", func(r *referral.Referral) error {
					for range entries {
						r.Remark("NEEDS_ATTENTION", referral.Act{At: time.Unix(1_790_000_000, 0)})
					}
					return nil
				})
				k.service.Committed()
			}
			if err != nil {
				t.Error(err)
				cancel()
			}
		})
	}
	writing.Wait()
	reading.Wait()
	if head, err := k.store.Head(ctx); err != nil || head != int64(total) {
		t.Fatalf("head %d, %v", head, err)
	}
}

var errEnough = errors.New("enough")
