package app

import (
	"testing"
	"time"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

// A feed that tells times rather than delays moves the itinerary like one that tells delays; of a stop where the trip does
// not call it is refused whole.
func TestARealtimeFeedByTimes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.startJobs()
		made := w.byRail()
		_, leg := train(made)
		of := func(call *gtfs.TripUpdate_StopTimeUpdate) []byte {
			text, err := proto.Marshal(&gtfs.FeedMessage{
				Header: &gtfs.FeedHeader{GtfsRealtimeVersion: proto.String("2.0")},
				Entity: []*gtfs.FeedEntity{{Id: proto.String("示范-1"), TripUpdate: &gtfs.TripUpdate{
					Trip:           &gtfs.TripDescriptor{TripId: proto.String(leg.GetTripId()), StartDate: proto.String(leg.GetServiceDay())},
					StopTimeUpdate: []*gtfs.TripUpdate_StopTimeUpdate{call},
				}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		feed := func(stop string, event *gtfs.TripUpdate_StopTimeEvent) []byte {
			return of(&gtfs.TripUpdate_StopTimeUpdate{StopId: proto.String(stop), Departure: event})
		}
		late := &gtfs.TripUpdate_StopTimeEvent{Time: proto.Int64(leg.GetDepartTime().AsTime().Add(7 * time.Minute).Unix())}
		ops, before := w.as("OPS", access.Operations), w.snapshot()
		_, err := w.moves.ImportRealtime(ops, &transferv1.ImportRealtimeRequest{RequestId: w.request(), Feed: feed("nowhere", late)})
		f := w.refused("a stop where it does not call", before, err, fault.FeedInvalid)
		if f.Meta["entity"] != "示范-1" || f.Meta["field"] != "stop_time_update[0].stop_id" {
			t.Errorf("%+v", f)
		}
		_, err = w.moves.ImportRealtime(ops, &transferv1.ImportRealtimeRequest{RequestId: w.request(), Feed: feed(leg.GetFromStopId(), &gtfs.TripUpdate_StopTimeEvent{Time: proto.Int64(1)})})
		w.refused("fifty years early", before, err, fault.FeedInvalid)
		_, err = w.moves.ImportRealtime(ops, &transferv1.ImportRealtimeRequest{RequestId: w.request(), Feed: of(&gtfs.TripUpdate_StopTimeUpdate{StopSequence: proto.Uint32(77), Departure: late})})
		if f := w.refused("a number that no call has", before, err, fault.FeedInvalid); f.Meta["field"] != "stop_time_update[0].stop_sequence" {
			t.Errorf("%+v", f)
		}
		got, err := w.moves.ImportRealtime(ops, &transferv1.ImportRealtimeRequest{RequestId: w.request(), Feed: feed(leg.GetFromStopId(), late)})
		if err != nil || got.GetRuns() != 1 || got.GetTransfers() != 1 {
			t.Fatalf("%v, %v", got, err)
		}
		sqldbtest.Eventually(t, "seven minutes are in the itinerary", func() bool {
			_, now := train(w.get(made.GetTransferId()))
			return now.GetDepartTime().AsTime().Equal(leg.GetDepartTime().AsTime().Add(7*time.Minute)) &&
				now.GetArriveTime().AsTime().Equal(leg.GetArriveTime().AsTime().Add(7*time.Minute))
		})
		// The first call by its number alone: an hour late altogether.
		hour := &gtfs.TripUpdate_StopTimeEvent{Delay: proto.Int32(3600)}
		got, err = w.moves.ImportRealtime(ops, &transferv1.ImportRealtimeRequest{RequestId: w.request(), Feed: of(&gtfs.TripUpdate_StopTimeUpdate{StopSequence: proto.Uint32(1), Departure: hour})})
		if err != nil || got.GetRuns() != 1 || got.GetTransfers() != 1 {
			t.Fatalf("%v, %v", got, err)
		}
		sqldbtest.Eventually(t, "the hour is in the itinerary", func() bool {
			_, now := train(w.get(made.GetTransferId()))
			return now.GetDepartTime().AsTime().Equal(leg.GetDepartTime().AsTime().Add(time.Hour))
		})
	})
}

// A center is ranked by the way that runs: with every train of the next days cancelled it is no longer as near.
func TestAnEstimateKnowsOfCancelledTrains(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ask := func() int32 {
			got, err := w.server.EstimateTravel(w.as("matching", access.Service), &transferv1.EstimateTravelRequest{OriginCity: "340100", DestinationCities: []string{"310100"}, NotBefore: at(4)})
			if err != nil || got.GetEstimates()[0].Minutes == nil {
				t.Fatalf("%v, %v", got, err)
			}
			return got.GetEstimates()[0].GetMinutes()
		}
		before := ask()
		var gone []*gtfs.FeedEntity
		for day := range 5 {
			for _, trip := range []string{"SF101", "SF102", "SF103", "SF104", "SF105"} {
				start := begin.AddDate(0, 0, day).Format("20060102")
				gone = append(gone, &gtfs.FeedEntity{Id: proto.String(trip + start), TripUpdate: &gtfs.TripUpdate{Trip: &gtfs.TripDescriptor{
					TripId: proto.String(trip), StartDate: proto.String(start), ScheduleRelationship: gtfs.TripDescriptor_CANCELED.Enum(),
				}}})
			}
		}
		feed, err := proto.Marshal(&gtfs.FeedMessage{Header: &gtfs.FeedHeader{GtfsRealtimeVersion: proto.String("2.0")}, Entity: gone})
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.moves.ImportRealtime(w.as("OPS", access.Operations), &transferv1.ImportRealtimeRequest{RequestId: w.request(), Feed: feed})
		if err != nil || got.GetRuns() != 25 {
			t.Fatalf("%v, %v", got, err)
		}
		if after := ask(); after <= before {
			t.Errorf("%d minutes before, %d with no train on the line", before, after)
		}
	})
}

// What PlanItinerary shows is what CreateTransfer makes: both plan around what is reported, and a key means one way.
func TestAKeyOfACancelledTrainIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.peers.patient.RegisteredBy = "H-HF-01"
		sender := w.as("H-HF-01", access.Coordinator)
		ask := &transferv1.PlanItineraryRequest{OriginCity: "340100", DestinationCity: "310100", NotBefore: at(4), Fitness: &transferv1.FitnessToTravel{}}
		plan, err := w.server.PlanItinerary(sender, ask)
		if err != nil {
			t.Fatal(err)
		}
		chosen := plan.GetOptions()[0]
		w.disrupt(&transferv1.Transfer{Itinerary: chosen}, true, 0)
		again, err := w.server.PlanItinerary(sender, ask)
		if err != nil || len(again.GetOptions()) == 0 {
			t.Fatalf("%v, %v", again, err)
		}
		for _, o := range again.GetOptions() {
			if o.GetOptionKey() == chosen.GetOptionKey() {
				t.Errorf("the cancelled train is offered again: %v", o)
			}
		}
		before := w.snapshot()
		ref, pat := w.opens("C-SH-01")
		create := &transferv1.CreateTransferRequest{
			RequestId: w.request(), ReferralId: ref, PatientId: pat, FromOrganisation: "H-HF-01", ToOrganisation: "C-SH-01",
			OriginCity: "340100", DestinationCity: "310100", NotBefore: at(4), Fitness: &transferv1.FitnessToTravel{}, OptionKey: chosen.GetOptionKey(),
		}
		_, err = w.server.CreateTransfer(sender, create)
		w.refused("what was cancelled meanwhile", before, err, fault.NoItinerary)
		create.RequestId, create.OptionKey = w.request(), again.GetOptions()[0].GetOptionKey()
		made, err := w.server.CreateTransfer(sender, create)
		if err != nil || made.GetTransfer().GetItinerary().GetOptionKey() != create.GetOptionKey() {
			t.Errorf("%v, %v", made, err)
		}
	})
}
