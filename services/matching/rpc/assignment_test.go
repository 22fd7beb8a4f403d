package rpc_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/matching"
	"huhang.example/services/matching/rpc"
)

// wait puts so many ranked cases on the list of those that nobody is asked for.
func (r *rig) wait(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		run := r.match(t)
		urgency := "ROUTINE"
		if i%4 == 0 {
			urgency = "URGENT"
		}
		w := matching.Waiting{ReferralID: run.GetReferralId(), MatchRunID: run.GetMatchRunId(), Urgency: urgency, CreatedAt: r.clock.Now().Add(-time.Duration(i) * 24 * time.Hour)}
		r.line.set(func() { r.line.waiting = append(r.line.waiting, w) })
	}
}

func ops(ctx context.Context) context.Context { return as(ctx, "OPS", access.Operations) }

func (r *rig) proposed(t *testing.T, s *rpc.Assignments) *matchingv1.GetAssignmentResponse {
	t.Helper()
	begun := must[*matchingv1.ProposeAssignmentResponse](t)(s.ProposeAssignment(ops(t.Context()), &matchingv1.ProposeAssignmentRequest{RequestId: r.rid()})).GetAssignment()
	if begun.GetStatus() != matchingv1.AssignmentStatus_ASSIGNMENT_STATUS_RUNNING {
		t.Fatalf("%v", begun)
	}
	var got *matchingv1.GetAssignmentResponse
	sqldbtest.Eventually(t, "it is worked out", func() bool {
		got = must[*matchingv1.GetAssignmentResponse](t)(s.GetAssignment(ops(t.Context()), &matchingv1.GetAssignmentRequest{AssignmentId: begun.GetAssignmentId(), PageSize: 500}))
		return got.GetAssignment().GetStatus() != matchingv1.AssignmentStatus_ASSIGNMENT_STATUS_RUNNING
	})
	return got
}

func (r *rig) confirm(s *rpc.Assignments, ctx context.Context, a *matchingv1.Assignment) (*matchingv1.ConfirmAssignmentRequest, *matchingv1.ConfirmAssignmentResponse, error) {
	req := &matchingv1.ConfirmAssignmentRequest{RequestId: r.rid(), AssignmentId: a.GetAssignmentId(), Etag: a.GetEtag()}
	res, err := s.ConfirmAssignment(ops(ctx), req)
	return req, res, err
}

func TestAssignmentIsProposedConfirmedAndAskedOnce(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		s := rpc.NewAssignments(r.use, r.db)
		r.wait(t, 20)
		got := r.proposed(t, s)
		a := got.GetAssignment()
		if a.GetStatus() != matchingv1.AssignmentStatus_ASSIGNMENT_STATUS_PROPOSED || a.GetCases() != 20 || a.GetDone() != 20 || a.GetWorth() == "" ||
			a.GetWorth() != a.GetBound() || len(a.GetCertificateSha256()) != 64 || a.GetRulesVersion() == "" {
			t.Fatalf("%v", a)
		}
		placed, byCenter := map[string]string{}, map[string]int32{}
		for _, item := range got.GetItems() {
			if item.GetBecause().GetZh() == "" || item.GetOutcome() != "" {
				t.Fatalf("%v", item)
			}
			if item.GetCenterId() != "" {
				placed[item.GetReferralId()] = item.GetCenterId()
				byCenter[item.GetCenterId()]++
			}
		}
		if len(got.GetItems()) != 20 || len(placed) != int(a.GetPlaced()) || len(placed) == 0 || len(placed) == 20 {
			t.Fatalf("%d placed of %d", len(placed), len(got.GetItems()))
		}
		for center, n := range byCenter {
			c := must[*matchingv1.GetCenterResponse](t)(r.GetCenter(ops(t.Context()), &matchingv1.GetCenterRequest{CenterId: center})).GetCenter()
			for _, p := range c.GetPrograms() {
				if p.GetOrgan() == liver && n > p.GetCapacity().GetFreePlaces() {
					t.Fatalf("%s gets %d cases for %d places", center, n, p.GetCapacity().GetFreePlaces())
				}
			}
		}
		// Pages hold each case once.
		first := must[*matchingv1.GetAssignmentResponse](t)(s.GetAssignment(ops(t.Context()), &matchingv1.GetAssignmentRequest{AssignmentId: a.GetAssignmentId(), PageSize: 13}))
		rest := must[*matchingv1.GetAssignmentResponse](t)(s.GetAssignment(ops(t.Context()), &matchingv1.GetAssignmentRequest{AssignmentId: a.GetAssignmentId(), PageSize: 13, PageToken: first.GetNextPageToken()}))
		if len(first.GetItems()) != 13 || len(rest.GetItems()) != 7 || rest.GetNextPageToken() != "" {
			t.Fatalf("%d and %d", len(first.GetItems()), len(rest.GetItems()))
		}
		var moved string
		for id := range placed {
			moved = id
			break
		}
		r.line.set(func() { r.line.deaf, r.line.moved = 2, moved })
		req, res, err := r.confirm(s, t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		again := must[*matchingv1.ConfirmAssignmentResponse](t)(s.ConfirmAssignment(ops(t.Context()), req))
		if !proto.Equal(res, again) || res.GetAssignment().GetStatus() != matchingv1.AssignmentStatus_ASSIGNMENT_STATUS_CONFIRMED {
			t.Fatalf("%v %v", res, again)
		}
		sqldbtest.Eventually(t, "all were asked but the one that moved on", func() bool {
			r.clock.Advance(time.Second)
			got = must[*matchingv1.GetAssignmentResponse](t)(s.GetAssignment(ops(t.Context()), &matchingv1.GetAssignmentRequest{AssignmentId: a.GetAssignmentId(), PageSize: 500}))
			for _, item := range got.GetItems() {
				if item.GetOutcome() == matching.Pending {
					return false
				}
			}
			return true
		})
		for _, item := range got.GetItems() {
			want := ""
			switch {
			case item.GetReferralId() == moved:
				want = "WRONG_STATE"
			case item.GetCenterId() != "":
				want = matching.WasAsked
			}
			if item.GetOutcome() != want {
				t.Errorf("%s: %q, want %q", item.GetReferralId(), item.GetOutcome(), want)
			}
		}
		if int(got.GetAssignment().GetAsked()) != len(placed)-1 || len(r.line.assigned) != len(placed)-1 {
			t.Fatalf("%d asked, %d calls, %d placed", got.GetAssignment().GetAsked(), len(r.line.assigned), len(placed))
		}
		// A job that runs again counts nothing twice, and changes no outcome.
		for _, item := range got.GetItems() {
			if err := r.store.SettleAssigned(t.Context(), a.GetAssignmentId(), item.GetReferralId(), matching.WasAsked); err != nil {
				t.Fatal(err)
			}
		}
		now := must[*matchingv1.GetAssignmentResponse](t)(s.GetAssignment(ops(t.Context()), &matchingv1.GetAssignmentRequest{AssignmentId: a.GetAssignmentId(), PageSize: 500}))
		if !proto.Equal(now, got) {
			t.Fatalf("%v", now.GetAssignment())
		}
		for _, ask := range r.line.assigned {
			if ask.CenterID != placed[ask.ReferralID] || ask.By.Organisation != "OPS" || ask.By.Subject != "staff-1" {
				t.Errorf("%+v", ask)
			}
		}
		_, _, err = r.confirm(s, t.Context(), got.GetAssignment())
		want(t, err, fault.FailedPrecondition, fault.WrongState, "")
	})
}

func TestStaleProposalsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		s := rpc.NewAssignments(r.use, r.db)
		r.wait(t, 6)
		refused := func(name string, a *matchingv1.Assignment, reason fault.Reason) {
			t.Helper()
			before := r.everything(t)
			_, _, err := r.confirm(s, t.Context(), a)
			if !fault.Is(err, reason) {
				t.Fatalf("%s: %v", name, err)
			}
			if r.everything(t) != before || len(r.line.assigned) != 0 {
				t.Fatalf("%s changed something", name)
			}
		}
		got := r.proposed(t, s)
		a := got.GetAssignment()
		old := proto.CloneOf(a)
		old.Etag = "1"
		refused("another version", old, fault.StaleVersion)
		absent := proto.CloneOf(a)
		absent.AssignmentId = r.ids.New("asg")
		refused("an absent proposal", absent, fault.ReasonNotFound)
		r.line.set(func() { r.line.down = true })
		refused("nobody tells who waits", a, fault.PeerUnavailable)
		r.line.set(func() { r.line.down = false })

		var placed *matchingv1.AssignmentItem
		for _, item := range got.GetItems() {
			if item.GetCenterId() != "" {
				placed = item
			}
		}
		kept := r.line.waiting
		for name, change := range map[string]func(w *matching.Waiting){
			"a case was ranked anew": func(w *matching.Waiting) { w.MatchRunID = r.ids.New("mat") },
			"a case waits no more":   func(w *matching.Waiting) { w.ReferralID = r.ids.New("ref") },
		} {
			now := append([]matching.Waiting(nil), kept...)
			for i := range now {
				if now[i].ReferralID == placed.GetReferralId() {
					change(&now[i])
				}
			}
			r.line.set(func() { r.line.waiting = now })
			refused(name, a, fault.ProposalStale)
		}
		r.line.set(func() { r.line.waiting = kept })

		// A center declares another capacity: the proposal rests on what it no longer has.
		c := must[*matchingv1.GetCenterResponse](t)(r.GetCenter(ops(t.Context()), &matchingv1.GetCenterRequest{CenterId: placed.GetCenterId()})).GetCenter()
		must[*matchingv1.DeclareCapacityResponse](t)(r.DeclareCapacity(center(t.Context(), placed.GetCenterId()), &matchingv1.DeclareCapacityRequest{
			RequestId: r.rid(), CenterId: placed.GetCenterId(), Etag: c.GetEtag(), Organ: liver, FreePlaces: 9,
		}))
		refused("a capacity changed", a, fault.ProposalStale)

		// A new proposal knows it, until an offer takes a place.
		got = r.proposed(t, s)
		a = got.GetAssignment()
		for _, item := range got.GetItems() {
			if item.GetCenterId() != "" {
				placed = item
			}
		}
		must[*matchingv1.CreateOfferResponse](t)(r.CreateOffer(service(t.Context()), r.proposal(t, r.match(t), placed.GetCenterId(), urgent)))
		sqldbtest.Idle(t, r.db)
		refused("an offer took a place", a, fault.ProposalStale)
		a = r.proposed(t, s).GetAssignment()
		if _, _, err := r.confirm(s, t.Context(), a); err != nil {
			t.Fatal(err)
		}
	})
}

// Nobody waits: the proposal is empty, and proved all the same.
func TestNobodyWaits(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		a := r.proposed(t, rpc.NewAssignments(r.use, r.db)).GetAssignment()
		if a.GetCases() != 0 || a.GetWorth() != "0" || a.GetBound() != "0" || a.GetStatus() != matchingv1.AssignmentStatus_ASSIGNMENT_STATUS_PROPOSED {
			t.Fatalf("%v", a)
		}
	})
}

// A center that had an offer of the case by the same ranking is not proposed again.
func TestWhoAnsweredIsNotProposedAgain(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		s := rpc.NewAssignments(r.use, r.db)
		r.wait(t, 1)
		first := r.proposed(t, s).GetItems()[0].GetCenterId()
		run := must[*matchingv1.GetMatchRunResponse](t)(r.GetMatchRun(ops(t.Context()), &matchingv1.GetMatchRunRequest{MatchRunId: r.line.waiting[0].MatchRunID})).GetMatchRun()
		o := must[*matchingv1.CreateOfferResponse](t)(r.CreateOffer(service(t.Context()), r.proposal(t, run, first, urgent))).GetOffer()
		must[*matchingv1.DeclineOfferResponse](t)(r.DeclineOffer(center(t.Context(), first), &matchingv1.DeclineOfferRequest{
			RequestId: r.rid(), OfferId: o.GetOfferId(), Etag: o.GetEtag(), Code: "NO_BED",
		}))
		if second := r.proposed(t, s).GetItems()[0].GetCenterId(); second == "" || second == first {
			t.Fatalf("%q after %s declined", second, first)
		}
	})
}
