package rpc_test

import (
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/matching"
	"huhang.example/services/matching/rpc"
)

var asked = []string{"C-SH-01", "C-SH-02", "C-BJ-01", "C-GZ-01"}

// several offers one case to several centers at once.
func (r *rig) several(t *testing.T, urgency organv1.Urgency) []*matchingv1.Offer {
	t.Helper()
	run := r.match(t)
	var offers []*matchingv1.Offer
	for _, code := range asked {
		o := must[*matchingv1.CreateOfferResponse](t)(r.CreateOffer(service(t.Context()), r.proposal(t, run, code, urgency))).GetOffer()
		r.learned(t, o.GetOfferId(), "CREATED")
		offers = append(offers, o)
	}
	return offers
}

func (r *rig) reason(offerID string) string {
	r.line.mu.Lock()
	defer r.line.mu.Unlock()
	last := ""
	for _, e := range r.line.events {
		if e.OfferID == offerID {
			last = e.ReasonCode
		}
	}
	return last
}

// The first acceptance wins and withdraws the others in its own transaction; an acceptance that cannot have its bed leaves
// them as they were.
func TestFirstAcceptanceWithdrawsTheOthers(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		offers := r.several(t, emergency)
		if n := offers[0].GetAtOnce(); n != 3 {
			t.Fatalf("%d at once", n)
		}
		r.line.set(func() { r.line.taken = true })
		_, err := r.AcceptOffer(center(t.Context(), asked[0]), r.wish(offers[0]))
		want(t, err, fault.FailedPrecondition, fault.ResourceTaken, "")
		for _, o := range offers {
			if s := r.get(t, o.GetOfferId()).GetStatus(); s != open {
				t.Fatalf("%s after a refused acceptance", s)
			}
		}
		r.line.set(func() { r.line.taken = false })
		must[*matchingv1.AcceptOfferResponse](t)(r.AcceptOffer(center(t.Context(), asked[1]), r.wish(offers[1])))
		for n, o := range offers {
			if n == 1 {
				continue
			}
			got := r.get(t, o.GetOfferId()) // at once, before any job
			if got.GetStatus() != withdrawn || got.GetWithdrawCode() != matching.AnotherAccepted || got.GetDecideTime() == nil {
				t.Fatalf("%v", got)
			}
			r.learned(t, o.GetOfferId(), "CREATED", "WITHDRAWN")
			if r.reason(o.GetOfferId()) != matching.AnotherAccepted {
				t.Fatal("the case was not told why")
			}
			_, err := r.AcceptOffer(center(t.Context(), o.GetCenterId()), r.wish(got))
			want(t, err, fault.FailedPrecondition, fault.OfferDecided, "")
		}
		if len(r.line.live()) != 1 {
			t.Fatalf("holds %v", r.line.live())
		}
	})
}

// All centers accept at once, some answers are lost, jobs finish what was left: one is accepted, no other is open, one bed.
func TestParallelAcceptancesEndInOne(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for round := range 3 {
			before := len(r.line.live())
			offers := r.several(t, emergency)
			r.line.set(func() { r.line.lie = round })
			var won atomic.Int32
			var wait sync.WaitGroup
			for _, o := range offers {
				wish := r.wish(o)
				wait.Go(func() {
					_, err := r.AcceptOffer(center(t.Context(), o.GetCenterId()), wish)
					switch {
					case err == nil:
						won.Add(1)
					case !fault.Is(err, fault.WrongState) && !fault.Is(err, fault.PeerUnavailable) && !fault.Is(err, fault.OfferDecided):
						t.Error(err)
					}
				})
			}
			wait.Wait()
			sqldbtest.Eventually(t, "one is accepted, the others withdrawn", func() bool {
				r.clock.Advance(2 * time.Second)
				n := map[matchingv1.OfferStatus]int{}
				for _, o := range offers {
					n[r.get(t, o.GetOfferId()).GetStatus()]++
				}
				return n[accepted] == 1 && n[withdrawn] == len(offers)-1
			})
			if live := len(r.line.live()) - before; live != 1 || won.Load() > 1 {
				t.Fatalf("%d holds, %d winners", live, won.Load())
			}
		}
	})
}

// A suspended licence takes back the program's open offers at once, and no other's; what was accepted stays.
func TestSuspensionWithdrawsOpenOffers(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		first, second := r.several(t, urgent), r.offer(t, urgent)
		kept := r.offer(t, urgent)
		must[*matchingv1.AcceptOfferResponse](t)(r.AcceptOffer(center(t.Context(), "C-SH-01"), r.wish(kept)))
		must[*matchingv1.SetLicenceResponse](t)(r.SetLicence(as(t.Context(), "OPS", access.Operations), &matchingv1.SetLicenceRequest{
			RequestId: r.rid(), CenterId: "C-SH-01", Etag: "1", Organ: liver, Licence: &matchingv1.Licence{ValidFrom: "2024-01-01", ValidTo: "2028-12-31", Suspended: true},
		}))
		for _, o := range []*matchingv1.Offer{first[0], second} {
			if got := r.await(t, o.GetOfferId(), withdrawn); got.GetWithdrawCode() != matching.LicenceSuspended {
				t.Fatalf("%v", got)
			}
			r.learned(t, o.GetOfferId(), "CREATED", "WITHDRAWN")
		}
		if s := r.get(t, kept.GetOfferId()).GetStatus(); s != accepted {
			t.Fatal(s)
		}
		for _, o := range first[1:] {
			if s := r.get(t, o.GetOfferId()).GetStatus(); s != open {
				t.Fatalf("%s of %s", s, o.GetCenterId())
			}
		}
	})
}

func TestConditions(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		o := r.offer(t, urgent)
		offers := rpc.NewOffers(r.use, r.db)
		due := func(after time.Duration) *matchingv1.AcceptOfferRequest {
			w := r.wish(o)
			w.ConditionsBy = []*matchingv1.ConditionAsked{{Text: "示范：补充化验", DueTime: timestamppb.New(r.clock.Now().Add(after))}}
			return w
		}
		for _, bad := range []time.Duration{-time.Second, 13 * time.Hour} {
			before := r.everything(t)
			_, err := r.AcceptOffer(center(t.Context(), "C-SH-01"), due(bad))
			want(t, err, fault.InvalidArgument, fault.TimeInvalid, "conditional[1].due_time")
			if r.everything(t) != before {
				t.Fatal("something changed")
			}
		}
		got := must[*matchingv1.AcceptOfferResponse](t)(r.AcceptOffer(center(t.Context(), "C-SH-01"), due(2*time.Hour))).GetOffer()
		list := got.GetAcceptanceConditions()
		if len(list) != 2 || !list[0].GetDueTime().AsTime().Equal(got.GetAdmissionTime().AsTime()) || list[1].GetStatus() != "DUE" {
			t.Fatalf("%v", list)
		}
		fulfil := func(by string, etag string, number int32) (*matchingv1.FulfilConditionResponse, error) {
			return offers.FulfilCondition(center(t.Context(), by), &matchingv1.FulfilConditionRequest{RequestId: r.rid(), OfferId: o.GetOfferId(), Etag: etag, Number: number})
		}
		before := r.everything(t)
		_, err := fulfil("C-SH-02", got.GetEtag(), 1)
		want(t, err, fault.NotFound, fault.ReasonNotFound, "")
		_, err = fulfil("C-SH-01", "1", 1)
		want(t, err, fault.Aborted, fault.StaleVersion, "etag")
		_, err = fulfil("C-SH-01", got.GetEtag(), 3)
		want(t, err, fault.InvalidArgument, fault.CodeUnknown, "number")
		if r.everything(t) != before {
			t.Fatal("a refusal changed something")
		}
		now := must[*matchingv1.FulfilConditionResponse](t)(fulfil("C-SH-01", got.GetEtag(), 1)).GetOffer()
		if now.GetAcceptanceConditions()[0].GetStatus() != "FULFILLED" {
			t.Fatalf("%v", now)
		}
		r.clock.Advance(2 * time.Hour)
		sqldbtest.Eventually(t, "the second lapses", func() bool {
			list := r.get(t, o.GetOfferId()).GetAcceptanceConditions()
			return list[0].GetStatus() == "FULFILLED" && list[1].GetStatus() == "LAPSED"
		})
		now = must[*matchingv1.FulfilConditionResponse](t)(fulfil("C-SH-01", r.get(t, o.GetOfferId()).GetEtag(), 2)).GetOffer()
		if c := now.GetAcceptanceConditions()[1]; c.GetStatus() != "FULFILLED" || c.GetSettleTime() == nil {
			t.Fatalf("%v", c)
		}
	})
}

func TestProof(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		o := r.offer(t, urgent)
		offers := rpc.NewOffers(r.use, r.db)
		r.learned(t, o.GetOfferId(), "CREATED")
		read := func() *matchingv1.OfferProof {
			return must[*matchingv1.GetOfferProofResponse](t)(offers.GetOfferProof(as(t.Context(), "H-HF-01", access.Coordinator), &matchingv1.GetOfferProofRequest{OfferId: o.GetOfferId()})).GetProof()
		}
		sqldbtest.Eventually(t, "it is delivered", func() bool { return read().GetDeliverTime() != nil })
		if p := read(); p.GetOpenTime() != nil || len(p.GetDecisions()) != 0 {
			t.Fatalf("%v", p)
		}
		r.clock.Advance(time.Minute)
		must[*matchingv1.ListOffersResponse](t)(r.ListOffers(center(t.Context(), "C-SH-01"), &matchingv1.ListOffersRequest{}))
		opened := r.clock.Now()
		r.clock.Advance(time.Minute)
		must[*matchingv1.GetOfferResponse](t)(r.GetOffer(center(t.Context(), "C-SH-01"), &matchingv1.GetOfferRequest{OfferId: o.GetOfferId()}))
		got := must[*matchingv1.AcceptOfferResponse](t)(r.AcceptOffer(center(t.Context(), "C-SH-01"), r.wish(o))).GetOffer()
		must[*matchingv1.WithdrawOfferResponse](t)(r.WithdrawOffer(service(t.Context()), &matchingv1.WithdrawOfferRequest{RequestId: r.rid(), OfferId: o.GetOfferId(), Reason: "closed"}))
		p := read()
		if !p.GetOpenTime().AsTime().Equal(opened) || p.GetOpenedBy() != "staff-1" {
			t.Fatalf("opened %s by %s", p.GetOpenTime().AsTime(), p.GetOpenedBy())
		}
		proof := matching.Proof{Shown: p.GetShown(), ShownHash: p.GetShownSha256()}
		for _, d := range p.GetDecisions() {
			proof.Decisions = append(proof.Decisions, matching.Decision{Number: d.GetNumber(), Record: d.GetRecord(), Hash: d.GetSha256()})
		}
		if err := proof.Verify(); err != nil || len(proof.Decisions) != 2 {
			t.Fatalf("%v %v", err, p)
		}
		var first struct {
			Status, Subject, Organisation string
			Hold                          string `json:"hold_id"`
			Shown                         string `json:"shown_sha256"`
		}
		if err := json.Unmarshal(p.GetDecisions()[0].GetRecord(), &first); err != nil {
			t.Fatal(err)
		}
		if first.Status != "ACCEPTED" || first.Subject != "staff-1" || first.Hold != got.GetHoldId() || first.Shown != p.GetShownSha256() {
			t.Fatalf("%+v", first)
		}
		if !strings.Contains(string(p.GetShown()), `"nodules_cm":[3.4,2.1]`) && !strings.Contains(string(p.GetShown()), "3.4") {
			t.Fatalf("%s", p.GetShown())
		}
		_, err := offers.GetOfferProof(center(t.Context(), "C-SH-02"), &matchingv1.GetOfferProofRequest{OfferId: o.GetOfferId()})
		want(t, err, fault.NotFound, fault.ReasonNotFound, "")
	})
}
