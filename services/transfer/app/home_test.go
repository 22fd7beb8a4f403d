package app

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// onAStretcher leaves Hefei by train for Shanghai, where the center's ambulance waits at the station.
func (w *world) onAStretcher() *transferv1.Transfer {
	w.t.Helper()
	const ambulances = transferv1.ResourceKind_RESOURCE_KIND_AMBULANCE
	if _, err := w.server.AddResource(w.as("C-SH-01", access.Center), &transferv1.AddResourceRequest{RequestId: w.request(), Kind: ambulances, Label: "示范救护车"}); err != nil {
		w.t.Fatal(err)
	}
	w.peers.patient.RegisteredBy = "H-HF-01"
	ref, pat := w.opens("C-SH-01")
	sender, lies := w.as("H-HF-01", access.Coordinator), &transferv1.FitnessToTravel{Stretcher: true}
	plan, err := w.server.PlanItinerary(sender, &transferv1.PlanItineraryRequest{OriginCity: "340100", DestinationCity: "310100", NotBefore: at(4), Fitness: lies})
	if err != nil {
		w.t.Fatal(err)
	}
	i := slices.IndexFunc(plan.GetOptions(), func(o *transferv1.Itinerary) bool { return strings.HasPrefix(o.GetOptionKey(), "rail-") })
	if i < 0 {
		w.t.Fatalf("no train: %v", plan)
	}
	made, err := w.server.CreateTransfer(sender, &transferv1.CreateTransferRequest{
		RequestId: w.request(), ReferralId: ref, PatientId: pat, FromOrganisation: "H-HF-01", ToOrganisation: "C-SH-01",
		OriginCity: "340100", DestinationCity: "310100", NotBefore: at(4), Fitness: lies, OptionKey: plan.GetOptions()[i].GetOptionKey(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.clock.Set(made.GetTransfer().GetItinerary().GetDepartTime().AsTime())
	checked, err := w.server.CheckFitness(sender, w.fitness(made.GetTransfer(), lies, false))
	if err != nil {
		w.t.Fatal(err)
	}
	left, err := w.server.Depart(sender, &transferv1.DepartRequest{RequestId: w.request(), TransferId: made.GetTransfer().GetTransferId(), Etag: checked.GetTransfer().GetEtag()})
	if err != nil {
		w.t.Fatal(err)
	}
	return left.GetTransfer()
}

// A patient refused at the door lies in the center's ambulance still: it is busy until the center says that it is free.
func TestTheReceiversAmbulanceStaysWithWhoWasRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		left := w.onAStretcher()
		const ambulances = transferv1.ResourceKind_RESOURCE_KIND_AMBULANCE
		center := w.as("C-SH-01", access.Center)
		w.clock.Set(left.GetItinerary().GetArriveTime().AsTime().Add(time.Minute))
		now := w.get(left.GetTransferId())
		if _, err := w.moves.RefuseAtDoor(center, &transferv1.RefuseAtDoorRequest{
			RequestId: w.request(), TransferId: left.GetTransferId(), Etag: now.GetEtag(), Code: transferv1.RefusalCode_REFUSAL_CODE_NO_BED, Comment: "示范：无床",
		}); err != nil {
			t.Fatal(err)
		}
		free := func() int32 {
			got, err := w.server.CountFree(w.service(), &transferv1.CountFreeRequest{
				Organisations: []string{"C-SH-01"}, Kind: ambulances, StartTime: timestamppb.New(w.clock.Now()), EndTime: timestamppb.New(w.clock.Now().Add(time.Hour)),
			})
			if err != nil {
				t.Fatal(err)
			}
			return got.GetFree()[0]
		}
		if n := free(); n != 0 {
			t.Fatalf("%d ambulances free with the patient in it", n)
		}
		unit := w.firstUnit("C-SH-01", ambulances)
		hold := unit.GetReservations()[0].GetHoldId()
		_, err := w.server.ReleaseHold(w.as("H-HF-01", access.Coordinator), &transferv1.ReleaseHoldRequest{RequestId: w.request(), HoldId: hold, Reason: "示范"})
		if !fault.Is(err, fault.ReasonNotFound) {
			t.Errorf("the sender frees the center's ambulance: %v", err)
		}
		if _, err := w.server.ReleaseHold(center, &transferv1.ReleaseHoldRequest{RequestId: w.request(), HoldId: hold, Reason: "示范：已回"}); err != nil {
			t.Fatal(err)
		}
		if n := free(); n != 1 {
			t.Errorf("%d ambulances free when it is back", n)
		}
	})
}
