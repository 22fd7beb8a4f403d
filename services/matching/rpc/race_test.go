package rpc_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/matching"
)

// 32 callers accept, decline, expire and withdraw one offer at its last moment: one of them decides it, and a bed is held
// if and only if the patient has the place.
func TestOneDecision(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for round := range 4 {
			o := r.offer(t, emergency)
			r.learned(t, o.GetOfferId(), "CREATED")
			// Expire looks at the clock too: half of the rounds are run when it has just run out.
			if round%2 == 0 {
				r.clock.Advance(2*time.Hour - time.Microsecond)
			}
			before := len(r.line.live())
			var acceptances, decisions atomic.Int32
			var wait sync.WaitGroup
			begin := make(chan struct{})
			for i := range 32 {
				rid := r.rid()
				wish := r.wish(o)
				wait.Go(func() {
					<-begin
					var err error
					switch i % 4 {
					case 0:
						if _, err = r.AcceptOffer(center(t.Context(), "C-SH-01"), wish); err == nil {
							acceptances.Add(1)
						}
					case 1:
						if _, err = r.DeclineOffer(center(t.Context(), "C-SH-01"), &matchingv1.DeclineOfferRequest{
							RequestId: rid, OfferId: o.GetOfferId(), Etag: o.GetEtag(), Code: "NO_BED",
						}); err == nil {
							decisions.Add(1)
						}
					case 2:
						if i == 2 {
							r.clock.Advance(time.Microsecond)
						}
						if err = r.use.Expire(t.Context(), matching.Job{Do: matching.JobExpire, OfferID: o.GetOfferId()}); err != nil {
							if _, later := err.(matching.Later); later { //nolint:errorlint // a value of its own, never wrapped
								err = nil
							}
						}
					case 3:
						if round < 2 { // withdrawing ends an acceptance too: two rounds go without
							_, err = r.WithdrawOffer(service(t.Context()), &matchingv1.WithdrawOfferRequest{RequestId: rid, OfferId: o.GetOfferId(), Reason: "closed"})
						}
					}
					for _, reason := range []fault.Reason{fault.OfferDecided, fault.OfferExpired, fault.WrongState, fault.StaleVersion} {
						if fault.Is(err, reason) {
							err = nil
						}
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			close(begin)
			wait.Wait()
			sqldbtest.Idle(t, r.db)
			end := r.get(t, o.GetOfferId())
			sqldbtest.Eventually(t, "every hold has its patient", func() bool {
				live := len(r.line.live()) - before
				return live == 1 && end.GetStatus() == accepted || live == 0 && end.GetStatus() != accepted
			})
			if n := acceptances.Load() + decisions.Load(); n > 1 {
				t.Fatalf("%d decisions by the center", n)
			}
			if s := end.GetStatus(); s == open || s == accepting {
				t.Fatalf("%s after all", s)
			}
			// The case hears of one ending; an acceptance may be followed by its withdrawal, nothing else by anything.
			sqldbtest.Eventually(t, "the case is told", func() bool {
				kinds := r.line.kinds(o.GetOfferId())
				return len(kinds) > 0 && kinds[len(kinds)-1] == end.GetStatus().String()[len("OFFER_STATUS_"):]
			})
			var endings []string
			for _, k := range r.line.kinds(o.GetOfferId()) {
				if k != "CREATED" && k != "REMINDED" {
					endings = append(endings, k)
				}
			}
			if len(endings) != 1 && (len(endings) != 2 || endings[0] != "ACCEPTED" || endings[1] != "WITHDRAWN") {
				t.Fatalf("the case heard %v", endings)
			}
		}
	})
}

// Several centers accept the same patient at once: one takes the patient, and only there is anything held.
func TestTwoCentersNeverHoldOnePatient(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		run := r.match(t)
		var offers []*matchingv1.Offer
		for _, code := range []string{"C-SH-01", "C-SH-02", "C-BJ-01", "C-GZ-01"} {
			offers = append(offers, must[*matchingv1.CreateOfferResponse](t)(r.CreateOffer(service(t.Context()), r.proposal(t, run, code, urgent))).GetOffer())
		}
		var won atomic.Int32
		var wait sync.WaitGroup
		for _, o := range offers {
			wish := r.wish(o)
			wait.Go(func() {
				_, err := r.AcceptOffer(center(t.Context(), o.GetCenterId()), wish)
				switch {
				case err == nil:
					won.Add(1)
				case !fault.Is(err, fault.WrongState) && !fault.Is(err, fault.OfferDecided): // being taken, or taken
					t.Error(err)
				}
			})
		}
		wait.Wait()
		sqldbtest.Idle(t, r.db)
		if won.Load() != 1 || len(r.line.live()) != 1 {
			t.Fatalf("%d centers, holds %v", won.Load(), r.line.live())
		}
	})
}

// One wish sent many times at once is one attempt.
func TestOneWishManyTimes(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		o := r.offer(t, urgent)
		wish := r.wish(o)
		var wait sync.WaitGroup
		for range 16 {
			wait.Go(func() {
				if _, err := r.AcceptOffer(center(t.Context(), "C-SH-01"), wish); err != nil && !fault.Is(err, fault.PeerUnavailable) {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		r.await(t, o.GetOfferId(), accepted)
		if len(r.line.live()) != 1 || len(r.line.asked) != 1 {
			t.Fatalf("holds %v of %d attempts", r.line.live(), len(r.line.asked))
		}
	})
}
