package rpc_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/matching"
)

const (
	routine   = organv1.Urgency_URGENCY_ROUTINE
	urgent    = organv1.Urgency_URGENCY_URGENT
	emergency = organv1.Urgency_URGENCY_EMERGENCY
	open      = matchingv1.OfferStatus_OFFER_STATUS_OPEN
	accepting = matchingv1.OfferStatus_OFFER_STATUS_ACCEPTING
	accepted  = matchingv1.OfferStatus_OFFER_STATUS_ACCEPTED
	declined  = matchingv1.OfferStatus_OFFER_STATUS_DECLINED
	expired   = matchingv1.OfferStatus_OFFER_STATUS_EXPIRED
	withdrawn = matchingv1.OfferStatus_OFFER_STATUS_WITHDRAWN
)

func TestOfferClocks(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for urgency, end := range map[organv1.Urgency]time.Time{
			emergency: start.Add(2 * time.Hour),
			urgent:    start.Add(24 * time.Hour),
			// A Sunday: the five working days begin with Monday's first moment in Shanghai.
			routine: time.Date(2026, 11, 29, 16, 0, 0, 0, time.UTC),
		} {
			if o := r.offer(t, urgency); !o.GetExpireTime().AsTime().Equal(end) {
				t.Errorf("%s ends %s, want %s", urgency, o.GetExpireTime().AsTime(), end)
			}
		}
	})
}

func TestReminderAndExpiry(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.line.deaf = 1 // told twice, recorded once; two answers lost would both be waited out by a clock that stands
		o := r.offer(t, urgent)
		r.learned(t, o.GetOfferId(), "CREATED")
		r.clock.Advance(12 * time.Hour)
		r.learned(t, o.GetOfferId(), "CREATED", "REMINDED")
		reminded := r.get(t, o.GetOfferId())
		if reminded.GetRemindTime() == nil || reminded.GetEtag() != o.GetEtag() {
			t.Fatalf("a reminder changes nothing anybody decides by: %v", reminded)
		}
		r.clock.Advance(12*time.Hour - time.Microsecond)
		sqldbtest.Idle(t, r.db)
		if s := r.get(t, o.GetOfferId()).GetStatus(); s != open {
			t.Fatalf("%s before its end", s)
		}
		r.clock.Advance(time.Microsecond)
		r.await(t, o.GetOfferId(), expired)
		r.learned(t, o.GetOfferId(), "CREATED", "REMINDED", "EXPIRED")
		_, err := r.AcceptOffer(center(t.Context(), "C-SH-01"), r.wish(o))
		want(t, err, fault.FailedPrecondition, fault.OfferExpired, "")
		_, err = r.DeclineOffer(center(t.Context(), "C-SH-01"), &matchingv1.DeclineOfferRequest{RequestId: r.rid(), OfferId: o.GetOfferId(), Etag: o.GetEtag(), Code: "NO_BED"})
		want(t, err, fault.FailedPrecondition, fault.OfferExpired, "")
	})
}

func TestAccept(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		o := r.offer(t, urgent)
		req := r.wish(o)
		got := must[*matchingv1.AcceptOfferResponse](t)(r.AcceptOffer(center(t.Context(), "C-SH-01"), req)).GetOffer()
		if got.GetStatus() != accepted || got.GetHoldId() == "" || !got.GetAdmissionTime().AsTime().Equal(req.GetAdmissionTime().AsTime()) || len(got.GetConditions()) != 1 {
			t.Fatalf("%v", got)
		}
		again := must[*matchingv1.AcceptOfferResponse](t)(r.AcceptOffer(center(t.Context(), "C-SH-01"), req)).GetOffer()
		if again.String() != got.String() {
			t.Fatalf("a retry got another answer: %v", again)
		}
		r.learned(t, o.GetOfferId(), "CREATED", "ACCEPTED")
		r.line.set(func() {
			e := r.line.events[1]
			if e.CenterCity != "310100" || e.HoldID != got.GetHoldId() || !e.Admission.Equal(req.GetAdmissionTime().AsTime()) || e.Organisation != "C-SH-01" || e.Subject != "staff-1" {
				t.Errorf("the case was told %+v", e)
			}
			ask := r.line.asked["hold-"+o.GetOfferId()+"-1"]
			admission := req.GetAdmissionTime().AsTime()
			if !ask.BedFrom.Equal(admission) || !ask.BedTo.Equal(admission.AddDate(0, 0, 21)) || !ask.TheatreFrom.Equal(admission.AddDate(0, 0, 1)) ||
				!ask.Until.Equal(admission.AddDate(0, 0, 2)) || !ask.Expires.Equal(start.AddDate(0, 0, 3)) {
				t.Errorf("asked for %+v", ask)
			}
		})
		other := proto.CloneOf(req)
		other.Conditions = nil
		_, err := r.AcceptOffer(center(t.Context(), "C-SH-01"), other)
		want(t, err, fault.InvalidArgument, fault.RequestIDReused, "request_id")
		_, err = r.AcceptOffer(center(t.Context(), "C-SH-01"), r.wish(got))
		if meta := want(t, err, fault.FailedPrecondition, fault.OfferDecided, ""); meta["status"] != "ACCEPTED" {
			t.Fatalf("%v", meta)
		}
		// The clock does not come to what was decided; what the acceptance still waits for has its own day.
		r.clock.Advance(48 * time.Hour)
		sqldbtest.Idle(t, r.db)
		r.learned(t, o.GetOfferId(), "CREATED", "ACCEPTED", "CONDITION_LAPSED")
		if len(r.line.live()) != 1 {
			t.Fatalf("holds %v", r.line.live())
		}
	})
}

func TestNoUnitIsFree(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		o := r.offer(t, urgent)
		r.line.set(func() { r.line.taken = true })
		_, err := r.AcceptOffer(center(t.Context(), "C-SH-01"), r.wish(o))
		meta := want(t, err, fault.FailedPrecondition, fault.ResourceTaken, "")
		now := r.get(t, o.GetOfferId())
		if now.GetStatus() != open || meta["kind"] != "BED" || meta["current_etag"] != now.GetEtag() || now.GetAdmissionTime() != nil {
			t.Fatalf("%v %v", now, meta)
		}
		r.clock.Advance(time.Minute) // the completion job finds nothing to do
		sqldbtest.Idle(t, r.db)
		r.line.set(func() { r.line.taken = false })
		if len(r.line.live()) != 0 {
			t.Fatal("held for nobody")
		}
		got := must[*matchingv1.AcceptOfferResponse](t)(r.AcceptOffer(center(t.Context(), "C-SH-01"), r.wish(now))).GetOffer()
		if got.GetStatus() != accepted || len(r.line.live()) != 1 {
			t.Fatalf("%v %v", got, r.line.live())
		}
	})
}

// The peer held the units and its answer was lost: the job finds the same hold again.
func TestAnswerLostBetweenIntentAndHold(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		o := r.offer(t, urgent)
		r.line.set(func() { r.line.lie = 2 })
		req := r.wish(o)
		_, err := r.AcceptOffer(center(t.Context(), "C-SH-01"), req)
		meta := want(t, err, fault.Unavailable, fault.PeerUnavailable, "")
		if s := r.get(t, o.GetOfferId()).GetStatus(); s != accepting || meta["status"] != "ACCEPTING" {
			t.Fatalf("%s %v", s, meta)
		}
		// While it is not known, nobody else decides: not the center, not a retry side by side, not the clock.
		_, err = r.DeclineOffer(center(t.Context(), "C-SH-01"), &matchingv1.DeclineOfferRequest{RequestId: r.rid(), OfferId: o.GetOfferId(), Etag: "2", Code: "NO_BED"})
		want(t, err, fault.FailedPrecondition, fault.WrongState, "")
		_, err = r.AcceptOffer(center(t.Context(), "C-SH-01"), req)
		want(t, err, fault.Unavailable, fault.PeerUnavailable, "")
		if r.line.lie != 1 {
			t.Fatal("two actors asked for the units of one attempt")
		}
		r.clock.Advance(10 * time.Second)
		sqldbtest.Eventually(t, "the job tries", func() bool { r.line.mu.Lock(); defer r.line.mu.Unlock(); return r.line.lie == 0 })
		sqldbtest.Eventually(t, "the job finishes", func() bool {
			r.clock.Advance(5 * time.Second)
			return r.get(t, o.GetOfferId()).GetStatus() == accepted
		})
		r.learned(t, o.GetOfferId(), "CREATED", "ACCEPTED")
		got := must[*matchingv1.AcceptOfferResponse](t)(r.AcceptOffer(center(t.Context(), "C-SH-01"), req)).GetOffer()
		if live := r.line.live(); len(live) != 1 || live[0] != got.GetHoldId() {
			t.Fatalf("holds %v, the offer's %s", live, got.GetHoldId())
		}
	})
}

// The process died right after the intent was committed.
func TestCrashAfterTheIntent(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		o := r.offer(t, emergency)
		r.clock.Advance(2*time.Hour - time.Second)
		r.learned(t, o.GetOfferId(), "CREATED", "REMINDED")
		ctx := center(t.Context(), "C-SH-01")
		if _, err := r.use.BeginAccept(ctx, o.GetOfferId(), matching.Wish{RequestID: r.rid(), Etag: o.GetEtag(), Admission: r.clock.Now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		// The clock runs out meanwhile; the center was in time.
		r.clock.Advance(time.Minute)
		r.await(t, o.GetOfferId(), accepted)
		r.learned(t, o.GetOfferId(), "CREATED", "REMINDED", "ACCEPTED")
		if len(r.line.live()) != 1 {
			t.Fatalf("holds %v", r.line.live())
		}
	})
}

// The same, but nothing is free: the offer is open again, and its clock has run out.
func TestCrashAfterTheIntentAndNothingFree(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		o := r.offer(t, emergency)
		r.clock.Advance(2*time.Hour - time.Second)
		r.learned(t, o.GetOfferId(), "CREATED", "REMINDED")
		r.line.set(func() { r.line.taken = true })
		ctx := center(t.Context(), "C-SH-01")
		if _, err := r.use.BeginAccept(ctx, o.GetOfferId(), matching.Wish{RequestID: r.rid(), Etag: o.GetEtag(), Admission: r.clock.Now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		r.clock.Advance(time.Minute)
		r.await(t, o.GetOfferId(), expired)
		r.learned(t, o.GetOfferId(), "CREATED", "REMINDED", "EXPIRED")
		if len(r.line.live()) != 0 {
			t.Fatalf("holds %v", r.line.live())
		}
	})
}

func TestWithdraw(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		ctx := service(t.Context())
		withdraw := func(o *matchingv1.Offer) (*matchingv1.WithdrawOfferResponse, error) {
			return r.WithdrawOffer(ctx, &matchingv1.WithdrawOfferRequest{RequestId: r.rid(), OfferId: o.GetOfferId(), Reason: "the case was closed"})
		}
		o := r.offer(t, urgent)
		if got := must[*matchingv1.WithdrawOfferResponse](t)(withdraw(o)).GetOffer(); got.GetStatus() != withdrawn {
			t.Fatalf("%v", got)
		}
		must[*matchingv1.WithdrawOfferResponse](t)(withdraw(o))
		r.learned(t, o.GetOfferId(), "CREATED", "WITHDRAWN")

		o = r.offer(t, urgent)
		held := must[*matchingv1.AcceptOfferResponse](t)(r.AcceptOffer(center(t.Context(), "C-SH-01"), r.wish(o))).GetOffer().GetHoldId()
		must[*matchingv1.WithdrawOfferResponse](t)(withdraw(o))
		sqldbtest.Eventually(t, "the hold is released", func() bool { r.line.mu.Lock(); defer r.line.mu.Unlock(); return r.line.released[held] })
		r.learned(t, o.GetOfferId(), "CREATED", "ACCEPTED", "WITHDRAWN")

		// In the middle of an acceptance whose answer was lost: what was held is found and released.
		o = r.offer(t, urgent)
		r.line.set(func() { r.line.lie = 1 })
		_, err := r.AcceptOffer(center(t.Context(), "C-SH-01"), r.wish(o))
		want(t, err, fault.Unavailable, fault.PeerUnavailable, "")
		must[*matchingv1.WithdrawOfferResponse](t)(withdraw(o))
		if len(r.line.live()) != 1 {
			t.Fatal("nothing was held")
		}
		r.clock.Advance(10 * time.Second)
		sqldbtest.Eventually(t, "the hold is released", func() bool { return len(r.line.live()) == 0 })
		r.learned(t, o.GetOfferId(), "CREATED", "WITHDRAWN")

		o = r.offer(t, urgent)
		must[*matchingv1.DeclineOfferResponse](t)(r.DeclineOffer(center(t.Context(), "C-SH-01"), &matchingv1.DeclineOfferRequest{
			RequestId: r.rid(), OfferId: o.GetOfferId(), Etag: o.GetEtag(), Code: "NO_BED",
		}))
		r.learned(t, o.GetOfferId(), "CREATED", "DECLINED")
		_, err = withdraw(o)
		want(t, err, fault.FailedPrecondition, fault.OfferDecided, "")
	})
}
