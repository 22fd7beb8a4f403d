package app

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	placev1 "huhang.example/gen/huhang/place/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/transfer"
)

// byRail is a patient who goes from Hefei to Shanghai by train with a nurse's crew of no one: the train is what matters.
func (w *world) byRail() *transferv1.Transfer {
	w.t.Helper()
	w.peers.patient.RegisteredBy = "H-HF-01"
	ref, pat := w.opens("C-SH-01")
	made, err := w.server.CreateTransfer(w.as("H-HF-01", access.Coordinator), &transferv1.CreateTransferRequest{
		RequestId: w.request(), ReferralId: ref, PatientId: pat, FromOrganisation: "H-HF-01", ToOrganisation: "C-SH-01",
		OriginCity: "340100", DestinationCity: "310100", NotBefore: at(4), Fitness: &transferv1.FitnessToTravel{},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return made.GetTransfer()
}

// train is the first leg by timetable.
func train(t *transferv1.Transfer) (int, *transferv1.Leg) {
	for i, leg := range t.GetItinerary().GetLegs() {
		if leg.GetServiceNumber() != "" {
			return i, leg
		}
	}
	return -1, nil
}

func (w *world) disrupt(t *transferv1.Transfer, cancelled bool, delay int32) {
	w.t.Helper()
	_, leg := train(t)
	_, err := w.moves.ReportDisruption(w.as("OPS", access.Operations), &transferv1.ReportDisruptionRequest{
		RequestId: w.request(), ServiceNumber: leg.GetServiceNumber(), ServiceDay: leg.GetDepartTime().AsTime().In(begin.Location()).Format(time.DateOnly),
		Cancelled: cancelled, DelayMinutes: delay,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) get(id string) *transferv1.Transfer {
	w.t.Helper()
	got, err := w.server.GetTransfer(w.as("OPS", access.Operations), &transferv1.GetTransferRequest{TransferId: id})
	if err != nil {
		w.t.Fatal(err)
	}
	return got.GetTransfer()
}

func (w *world) changes(organisation string) []string {
	w.t.Helper()
	var kinds []string
	cursor := ""
	for {
		got, err := w.live.ListTransferChanges(w.as(organisation, access.Center), &transferv1.ListTransferChangesRequest{Cursor: cursor, PageSize: 2})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, c := range got.GetChanges() {
			kinds = append(kinds, c.GetKind())
		}
		if cursor = got.GetCursor(); !got.GetMore() {
			return kinds
		}
	}
}

func TestADelayIsTakenOverAndACancellationPlannedAround(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.startJobs()
		made := w.byRail()
		_, leg := train(made)
		w.disrupt(made, false, 20)
		sqldbtest.Eventually(t, "the delay is in the itinerary", func() bool {
			_, now := train(w.get(made.GetTransferId()))
			return now.GetDepartTime().AsTime().Equal(leg.GetDepartTime().AsTime().Add(20 * time.Minute))
		})
		w.disrupt(made, true, 0)
		sqldbtest.Eventually(t, "another way is taken", func() bool {
			now := w.get(made.GetTransferId())
			_, other := train(now)
			return other.GetServiceNumber() != leg.GetServiceNumber() || !other.GetDepartTime().AsTime().Before(leg.GetDepartTime().AsTime().Add(time.Hour))
		})
		sqldbtest.Idle(t, w.db)
		w.toldExactly(transfer.EventPlanned, transfer.EventDelayed, transfer.EventReplanned)
		for _, end := range []string{"H-HF-01", "C-SH-01"} {
			if got := strings.Join(w.changes(end), " "); got != "PLANNED DELAYED REPLANNED" {
				t.Errorf("%s follows %s", end, got)
			}
		}
		if got := w.changes("C-BJ-01"); len(got) != 0 {
			t.Errorf("a stranger follows %v", got)
		}
	})
}

func TestAPatientOnTheWayIsPlannedOnFromTheStation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.startJobs()
		made := w.byRail()
		sender := w.as("H-HF-01", access.Coordinator)
		w.clock.Set(made.GetItinerary().GetDepartTime().AsTime())
		checked, err := w.server.CheckFitness(sender, w.fitness(made, &transferv1.FitnessToTravel{}, false))
		if err != nil {
			t.Fatal(err)
		}
		left, err := w.server.Depart(sender, &transferv1.DepartRequest{RequestId: w.request(), TransferId: made.GetTransferId(), Etag: checked.GetTransfer().GetEtag()})
		if err != nil {
			t.Fatal(err)
		}
		i, leg := train(made)
		w.clock.Set(leg.GetDepartTime().AsTime().Add(-10 * time.Minute))
		w.disrupt(made, true, 0)
		var now *transferv1.Transfer
		sqldbtest.Eventually(t, "planned on", func() bool {
			now = w.get(made.GetTransferId())
			return now.GetEtag() != left.GetTransfer().GetEtag()
		})
		legs := now.GetItinerary().GetLegs()
		if now.GetAttentionCode() != "" || legs[0].GetMode() != made.GetItinerary().GetLegs()[0].GetMode() || legs[i].GetFromName() != leg.GetFromName() {
			t.Fatalf("%v", now)
		}
		for k := 1; k < len(legs); k++ {
			if !legs[k].GetDepartTime().AsTime().Equal(legs[k-1].GetArriveTime().AsTime()) || legs[k].GetFromName() != legs[k-1].GetToName() {
				t.Errorf("leg %d does not follow: %v after %v", k, legs[k], legs[k-1])
			}
		}
		live, err := w.live.GetTransferLive(sender, &transferv1.GetTransferLiveRequest{TransferId: made.GetTransferId()})
		if err != nil || live.GetCurrentLeg() < 1 || live.GetPosition() == nil || len(live.GetLegs()) != len(legs) {
			t.Fatalf("%v, %v", live, err)
		}
		picture, err := w.live.GetTransferPicture(sender, &transferv1.GetTransferPictureRequest{TransferId: made.GetTransferId()})
		if err != nil || picture.GetContentType() != "image/svg+xml" || !strings.Contains(string(picture.GetData()), "<title") {
			t.Fatalf("%v", err)
		}
	})
}

// Every way a transfer can end leaves nothing held, and both sides know.
func TestEveryEndFreesWhatWasHeld(t *testing.T) {
	type ending func(w *world, t *transferv1.Transfer) error
	abort := func(code string) ending {
		return func(w *world, t *transferv1.Transfer) error {
			_, err := w.server.AbortTransfer(w.sender(), &transferv1.AbortTransferRequest{RequestId: w.request(), TransferId: t.GetTransferId(), Etag: t.GetEtag(), Code: code})
			return err
		}
	}
	for name, c := range map[string]struct {
		left bool
		end  ending
		// aboard: the patient is still with crew and vehicle, who knows for how long.
		aboard bool
	}{
		"cancelled": {false, abort("CANCELLED"), false}, "turned back": {true, abort("CANCELLED"), false},
		"no show": {false, func(w *world, t *transferv1.Transfer) error {
			w.clock.Set(t.GetItinerary().GetDepartTime().AsTime())
			return abort("NO_SHOW")(w, t)
		}, false},
		"unfit": {false, func(w *world, t *transferv1.Transfer) error {
			_, err := w.server.CheckFitness(w.sender(), w.fitness(t, &transferv1.FitnessToTravel{Oxygen: true}, true))
			return err
		}, false},
		"refused": {true, func(w *world, t *transferv1.Transfer) error {
			_, err := w.moves.RefuseAtDoor(w.receiver(), &transferv1.RefuseAtDoorRequest{
				RequestId: w.request(), TransferId: t.GetTransferId(), Etag: t.GetEtag(), Code: transferv1.RefusalCode_REFUSAL_CODE_NO_BED, Comment: "示范：无床",
			})
			return err
		}, true},
		"diverted": {true, func(w *world, t *transferv1.Transfer) error {
			_, err := w.moves.DivertTransfer(w.sender(), &transferv1.DivertTransferRequest{
				RequestId: w.request(), TransferId: t.GetTransferId(), Etag: t.GetEtag(), ToOrganisation: "C-SJZ-01", City: "130100", Comment: "示范：就近收治",
			})
			return err
		}, true},
		"handed over": {true, func(w *world, t *transferv1.Transfer) error {
			door, err := w.moves.ArriveAtDoor(w.receiver(), &transferv1.ArriveAtDoorRequest{RequestId: w.request(), TransferId: t.GetTransferId(), Etag: t.GetEtag()})
			if err != nil {
				return err
			}
			_, err = w.server.HandOver(w.receiver(), w.handOver(door.GetTransfer()))
			return err
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				var made *transferv1.Transfer
				if c.left {
					made = w.departed()
					w.clock.Advance(time.Hour)
				} else {
					made = w.create()
				}
				if held, err := w.core.Held(w.service(), made.GetTransferId()); err != nil || len(held) != 1 || len(held[0].Reservations) != 2 {
					t.Fatalf("crew and ambulance: %v, %v", held, err)
				}
				if err := c.end(w, made); err != nil {
					t.Fatal(err)
				}
				if held, err := w.core.Held(w.service(), made.GetTransferId()); err != nil || len(held) != 0 {
					t.Errorf("still held: %+v, %v", held, err)
				}
				at := int(w.clock.Now().Sub(begin) / time.Hour)
				want := 2
				if c.left {
					want = 1 // on their way home for as long as they were away
				}
				if n := w.crews(at, at+1); n != want {
					t.Errorf("%d crews free at the end, want %d", n, want)
				}
				want = 2
				if c.aboard {
					want = 1
				}
				if n := w.crews(at+2, at+3); n != want {
					t.Errorf("%d crews free when all could be home, want %d", n, want)
				}
				if n := w.crews(at+6, at+7); n != 2 {
					t.Errorf("%d crews free after the time they were held for", n)
				}
				changes := w.changes("C-BJ-01")
				if last := changes[len(changes)-1]; last != "ABORTED" && last != "ARRIVED" {
					t.Errorf("the other side heard %v", changes)
				}
			})
		})
	}
}

func TestMovesRefuseAndChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		planned := w.create()
		before := w.snapshot()
		leg := func(t *transferv1.Transfer, n int32, step transferv1.LegStep, hours int) *transferv1.RecordLegRequest {
			return &transferv1.RecordLegRequest{RequestId: w.request(), TransferId: t.GetTransferId(), Etag: t.GetEtag(), Leg: n, Step: step, Time: at(hours)}
		}
		const went, came = transferv1.LegStep_LEG_STEP_DEPARTED, transferv1.LegStep_LEG_STEP_ARRIVED
		_, err := w.moves.RecordLeg(w.sender(), leg(planned, 0, went, 0))
		w.refused("not left", before, err, fault.WrongState)
		_, err = w.moves.ReportPosition(w.sender(), &transferv1.ReportPositionRequest{RequestId: w.request(), TransferId: planned.GetTransferId(), Point: &placev1.Point{Latitude: 39, Longitude: 116}})
		w.refused("no way yet", before, err, fault.WrongState)
		_, err = w.moves.RefuseAtDoor(w.receiver(), &transferv1.RefuseAtDoorRequest{RequestId: w.request(), TransferId: planned.GetTransferId(), Etag: planned.GetEtag(), Code: 1, Comment: "示范"})
		w.refused("no door yet", before, err, fault.WrongState)
		ops := w.as("OPS", access.Operations)
		disruption := func(number, day string, cancelled bool, delay int32) error {
			_, err := w.moves.ReportDisruption(ops, &transferv1.ReportDisruptionRequest{RequestId: w.request(), ServiceNumber: number, ServiceDay: day, Cancelled: cancelled, DelayMinutes: delay})
			return err
		}
		w.refused("no such train", before, disruption("SF999", "2026-03-02", true, 0), fault.CodeUnknown)
		w.refused("long past", before, disruption("SF101", "2026-02-02", true, 0), fault.TimeInvalid)
		w.refused("cancelled and late", before, disruption("SF101", "2026-03-02", true, 5), fault.FieldInvalid)
		_, err = w.moves.ImportRealtime(ops, &transferv1.ImportRealtimeRequest{RequestId: w.request(), Feed: []byte("nonsense")})
		w.refused("no feed", before, err, fault.FeedInvalid)
		_, err = w.live.ListTransferChanges(w.sender(), &transferv1.ListTransferChangesRequest{Cursor: "7"})
		w.refused("no cursor of ours", before, err, fault.InvalidPageToken)

		left := w.departed()
		before = w.snapshot()
		for name, c := range map[string]struct {
			request *transferv1.RecordLegRequest
			reason  fault.Reason
		}{
			"no such leg":    {leg(left, 9, went, 4), fault.FieldInvalid},
			"in the future":  {leg(left, 0, came, 9), fault.TimeInvalid},
			"before leaving": {leg(left, 0, came, 3), fault.TimeInvalid},
		} {
			_, err := w.moves.RecordLeg(w.sender(), c.request)
			w.refused(name, before, err, c.reason)
		}
		_, err = w.moves.RecordLeg(w.as("C-BJ-02", access.Center), leg(left, 0, came, 4))
		w.refused("foreign", before, err, fault.ReasonNotFound)
		_, err = w.moves.ReportPosition(w.sender(), &transferv1.ReportPositionRequest{RequestId: w.request(), TransferId: left.GetTransferId(), Point: &placev1.Point{Latitude: 139}})
		w.refused("off the earth", before, err, fault.FieldInvalid)
		_, err = w.moves.ReportPosition(w.sender(), &transferv1.ReportPositionRequest{RequestId: w.request(), TransferId: left.GetTransferId(), Point: &placev1.Point{}, Time: timestamppb.New(begin)})
		w.refused("before leaving", before, err, fault.TimeInvalid)
		_, err = w.moves.DivertTransfer(w.sender(), &transferv1.DivertTransferRequest{RequestId: w.request(), TransferId: left.GetTransferId(), Etag: left.GetEtag(), ToOrganisation: "C-BJ-01", City: "110100", Comment: "示范说明"})
		w.refused("where it leads anyway", before, err, fault.FieldInvalid)
		_, err = w.moves.DivertTransfer(w.sender(), &transferv1.DivertTransferRequest{RequestId: w.request(), TransferId: left.GetTransferId(), Etag: left.GetEtag(), City: "999999", Comment: "示范说明"})
		w.refused("no such city", before, err, fault.CodeUnknown)
		_, err = w.moves.ReplanTransfer(w.sender(), &transferv1.ReplanTransferRequest{RequestId: w.request(), TransferId: left.GetTransferId(), Etag: left.GetEtag(), OptionKey: "rail-7"})
		w.refused("no such option", before, err, fault.NoItinerary)
		_, err = w.moves.ReplanTransfer(w.sender(), &transferv1.ReplanTransferRequest{RequestId: w.request(), TransferId: left.GetTransferId(), Etag: left.GetEtag(), FromPoint: &placev1.Point{Latitude: 39, Longitude: 116}})
		w.refused("a place without a name", before, err, fault.FieldInvalid)
		_, err = w.moves.ReportLegTrouble(w.sender(), &transferv1.ReportLegTroubleRequest{RequestId: w.request(), TransferId: left.GetTransferId(), Etag: left.GetEtag()})
		w.refused("no trouble", before, err, fault.FieldInvalid)
		_, err = w.moves.ArriveAtDoor(w.sender(), &transferv1.ArriveAtDoorRequest{RequestId: w.request(), TransferId: left.GetTransferId(), Etag: "1"})
		w.refused("stale", before, err, fault.StaleVersion)
	})
}
