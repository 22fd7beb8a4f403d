package app

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/pool"
)

// late reports the first leg late by so many minutes.
func (w *world) late(t *transferv1.Transfer, minutes int32) *transferv1.Transfer {
	w.t.Helper()
	got, err := w.moves.ReportLegTrouble(w.sender(), &transferv1.ReportLegTroubleRequest{
		RequestId: w.request(), TransferId: t.GetTransferId(), Etag: t.GetEtag(), LateMinutes: minutes,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return got.GetTransfer()
}

// An operating room that could not be moved behind a late arrival is not forgotten at the next look: somebody waits for it
// until it is moved.
func TestARoomThatCouldNotFollowIsNotForgotten(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		left := w.departed()
		arrive := left.GetItinerary().GetArriveTime().AsTime()
		need := func(from, to time.Duration) *transferv1.Need {
			return &transferv1.Need{Organisation: "C-BJ-01", Kind: rooms, StartTime: timestamppb.New(arrive.Add(from)), EndTime: timestamppb.New(arrive.Add(to))}
		}
		request := w.holdRequest(1, 2)
		bed, expert := need(5*time.Minute, 99*time.Hour), need(-time.Hour, -30*time.Minute)
		bed.Kind, expert.Kind = beds, transferv1.ResourceKind_RESOURCE_KIND_EXPERT_SLOT
		request.ReferralId, request.Needs = left.GetReferralId(), []*transferv1.Need{need(10*time.Minute, time.Hour), bed, expert}
		booked, err := w.server.HoldResources(w.service(), request)
		if err != nil {
			t.Fatal(err)
		}
		later := need(time.Hour, 9*time.Hour)
		own, err := w.pool.BookOwnUse(w.receiver(), &transferv1.BookOwnUseRequest{RequestId: w.request(), Reason: "示范：本院手术", Needs: []*transferv1.Need{later, later, later}})
		if err != nil {
			t.Fatal(err)
		}
		now := left
		for _, minutes := range []int32{60, 61, 62} {
			if now = w.late(now, minutes); now.GetAttentionCode() != "BOOKINGS" {
				t.Fatalf("%d minutes late, the room before the patient, and nobody waits: %v", minutes, now)
			}
		}
		if _, err := w.server.ReleaseHold(w.receiver(), &transferv1.ReleaseHoldRequest{RequestId: w.request(), HoldId: own.GetHold().GetHoldId(), Reason: "示范"}); err != nil {
			t.Fatal(err)
		}
		now = w.late(now, 63)
		moved, err := w.server.GetHold(w.receiver(), &transferv1.GetHoldRequest{HoldId: booked.GetHold().GetHoldId()})
		if err != nil || now.GetAttentionCode() != "" || moved.GetHold().GetReservations()[0].GetStartTime().AsTime().Before(now.GetItinerary().GetArriveTime().AsTime()) {
			t.Fatalf("%v, %v, %v", now, moved, err)
		}
		for i, stays := range map[int]*transferv1.Need{1: bed, 2: expert} { // a bed waits; what lies before the arrival is over
			if got := moved.GetHold().GetReservations()[i]; !proto.Equal(got.GetStartTime(), stays.GetStartTime()) || !proto.Equal(got.GetEndTime(), stays.GetEndTime()) {
				t.Errorf("the %v was moved: %v", stays.GetKind(), got)
			}
		}
	})
}

// What a person has moved by hand behind a late arrival is looked at again: nobody waits for it any more.
func TestARoomMovedByHandEndsTheAttention(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.startJobs()
		left := w.departed()
		arrive := left.GetItinerary().GetArriveTime().AsTime()
		need := func(from, to time.Duration) *transferv1.Need {
			return &transferv1.Need{Organisation: "C-BJ-01", Kind: rooms, StartTime: timestamppb.New(arrive.Add(from)), EndTime: timestamppb.New(arrive.Add(to))}
		}
		request := w.holdRequest(1, 2)
		request.ReferralId, request.Needs = left.GetReferralId(), []*transferv1.Need{need(10*time.Minute, time.Hour)}
		booked, err := w.server.HoldResources(w.service(), request)
		if err != nil {
			t.Fatal(err)
		}
		later := need(time.Hour, 9*time.Hour)
		if _, err := w.pool.BookOwnUse(w.receiver(), &transferv1.BookOwnUseRequest{RequestId: w.request(), Reason: "示范：本院手术", Needs: []*transferv1.Need{later, later, later}}); err != nil {
			t.Fatal(err)
		}
		if now := w.late(left, 60); now.GetAttentionCode() != "BOOKINGS" {
			t.Fatalf("%v", now)
		}
		if _, err := w.pool.MoveHold(w.receiver(), &transferv1.MoveHoldRequest{
			RequestId: w.request(), HoldId: booked.GetHold().GetHoldId(), Etag: booked.GetHold().GetEtag(), Needs: []*transferv1.Need{need(9*time.Hour, 10*time.Hour)},
		}); err != nil {
			t.Fatal(err)
		}
		sqldbtest.Eventually(t, "nobody waits", func() bool { return w.get(left.GetTransferId()).GetAttentionCode() == "" })
	})
}

// A patient at the door is there, whatever a feed says afterwards of the train they came by.
func TestAtTheDoorNothingIsPlannedAgain(t *testing.T) {
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
		w.clock.Set(made.GetItinerary().GetArriveTime().AsTime())
		door, err := w.moves.ArriveAtDoor(sender, &transferv1.ArriveAtDoorRequest{RequestId: w.request(), TransferId: made.GetTransferId(), Etag: left.GetTransfer().GetEtag()})
		if err != nil {
			t.Fatal(err)
		}
		w.disrupt(made, true, 0)
		sqldbtest.Idle(t, w.db)
		if now := w.get(made.GetTransferId()); now.GetEtag() != door.GetTransfer().GetEtag() {
			t.Errorf("planned again at the door: %v", now)
		}
		before := w.snapshot()
		_, err = w.moves.ReplanTransfer(sender, &transferv1.ReplanTransferRequest{RequestId: w.request(), TransferId: made.GetTransferId(), Etag: door.GetTransfer().GetEtag()})
		w.refused("planned by hand", before, err, fault.WrongState)
		_, err = w.moves.PlanOnward(sender, &transferv1.PlanOnwardRequest{TransferId: made.GetTransferId()})
		w.refused("ways on", before, err, fault.WrongState)
	})
}

// Who waits for a person and comes to the door waits no more, and both ends can tell from what they follow.
func TestTheDoorEndsAnAttention(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		left := w.departed()
		if _, err := w.ownUse("H-BD-01", crew, 2, 12, 14); err != nil {
			t.Fatal(err)
		}
		now := w.late(left, 180)
		if _, err := w.moves.ArriveAtDoor(w.receiver(), &transferv1.ArriveAtDoorRequest{RequestId: w.request(), TransferId: left.GetTransferId(), Etag: now.GetEtag()}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(w.changes("C-BJ-01"), " "); !strings.HasSuffix(got, "ATTENTION LEG RESOLVED AT_DOOR") && !strings.HasSuffix(got, "LEG ATTENTION RESOLVED AT_DOOR") {
			t.Errorf("followed: %s", got)
		}
	})
}

// The hospital that a diverted patient is taken to sees who comes, and is told; no other is.
func TestWhereADivertedPatientIsTakenIsTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		left := w.departed()
		nearby := w.as("C-SJZ-01", access.Center)
		_, err := w.server.GetTransfer(nearby, &transferv1.GetTransferRequest{TransferId: left.GetTransferId()})
		if !fault.Is(err, fault.ReasonNotFound) {
			t.Fatalf("before: %v", err)
		}
		ended, err := w.moves.DivertTransfer(w.sender(), &transferv1.DivertTransferRequest{
			RequestId: w.request(), TransferId: left.GetTransferId(), Etag: left.GetEtag(), ToOrganisation: "C-SJZ-01", City: "130100", Comment: "示范：就近收治",
		})
		if err != nil {
			t.Fatal(err)
		}
		live, err := w.live.GetTransferLive(nearby, &transferv1.GetTransferLiveRequest{TransferId: left.GetTransferId()})
		if err != nil || live.GetTransfer().GetDivertedTo() != "C-SJZ-01" || live.GetTransfer().GetComment() != "示范：就近收治" {
			t.Errorf("%v, %v", live, err)
		}
		list, err := w.server.ListTransfers(nearby, &transferv1.ListTransfersRequest{})
		if err != nil || len(list.GetTransfers()) != 1 || list.GetTransfers()[0].GetTransferId() != left.GetTransferId() {
			t.Errorf("%v, %v", list, err)
		}
		if got := w.changes("C-SJZ-01"); !slices.Equal(got, []string{"DIVERTED"}) {
			t.Errorf("the hospital that takes the patient follows %v", got)
		}
		for _, end := range []string{"H-BD-01", "C-BJ-01"} {
			if got := w.changes(end); got[len(got)-1] != "ABORTED" || slices.Contains(got, "DIVERTED") {
				t.Errorf("%s follows %v", end, got)
			}
		}
		if got := w.changes("C-BJ-02"); len(got) != 0 {
			t.Errorf("a stranger follows %v", got)
		}
		// It sees, and changes nothing.
		before := w.snapshot()
		_, err = w.server.HandOver(nearby, w.handOver(ended.GetTransfer()))
		w.refused("handed over elsewhere", before, err, fault.RightMissing)
	})
}

// A crew whose time ran out and that another patient took before anything swept it is missed all the same.
func TestACrewTakenByOthersBeforeTheSweepIsMissed(t *testing.T) {
	each(t, func(t *testing.T, w *world) { // no jobs run yet
		w.peers.patient.RegisteredBy = "H-HF-01"
		ref, pat := w.opens("C-GZ-01")
		got, err := w.server.CreateTransfer(w.as("H-HF-01", access.Coordinator), &transferv1.CreateTransferRequest{
			RequestId: w.request(), ReferralId: ref, PatientId: pat, FromOrganisation: "H-HF-01", ToOrganisation: "C-GZ-01",
			OriginCity: "340100", DestinationCity: "440100", NotBefore: at(4), Fitness: &transferv1.FitnessToTravel{Spo2: 92},
		})
		if err != nil {
			t.Fatal(err)
		}
		made := got.GetTransfer()
		before, err := w.core.GetHold(w.service(), made.GetHoldId())
		if err != nil {
			t.Fatal(err)
		}
		w.clock.Set(before.Expire)
		hours := int(w.clock.Now().Sub(begin)/time.Hour) + 1
		if _, err := w.ownUse("H-HF-01", crew, 2, hours, hours+1); err != nil {
			t.Fatal(err)
		}
		if hold, err := w.core.GetHold(w.service(), made.GetHoldId()); err != nil || hold.Status != pool.Expired {
			t.Fatalf("the crew's hold was not in the way: %+v, %v", hold, err)
		}
		w.startJobs()
		sqldbtest.Eventually(t, "a person is called", func() bool { return w.get(made.GetTransferId()).GetAttentionCode() == "BOOKINGS" })
		sqldbtest.Idle(t, w.db)
		w.toldExactly(transfer.EventPlanned, transfer.EventAttention)
	})
}

// The crew that is with the patient goes on with them, though another one is free and would do.
func TestTheSameCrewGoesOn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		own, err := w.ownUse("H-BD-01", crew, 1, 4, 30)
		if err != nil {
			t.Fatal(err)
		}
		left := w.departed()
		with := func() map[pool.Kind]string {
			held, err := w.core.Held(w.service(), left.GetTransferId())
			if err != nil || len(held) != 1 {
				t.Fatalf("%v, %v", held, err)
			}
			out := map[pool.Kind]string{}
			for _, r := range held[0].Reservations {
				out[r.Kind] = r.ResourceID
			}
			return out
		}
		before := with()
		if before[pool.Crew] == own.GetReservations()[0].GetResourceId() {
			t.Fatal("one crew for two")
		}
		if _, err := w.server.ReleaseHold(w.as("H-BD-01", access.Coordinator), &transferv1.ReleaseHoldRequest{RequestId: w.request(), HoldId: own.GetHoldId(), Reason: "示范"}); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Hour)
		w.late(left, 60)
		if after := with(); !maps.Equal(before, after) {
			t.Errorf("left with %v, goes on with %v", before, after)
		}
	})
}

// What ends, ends once, and nothing ends that cannot: each from every state in which it is refused.
func TestEndsThatAreNone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		abort := func(t *transferv1.Transfer, code string) error {
			_, err := w.server.AbortTransfer(w.sender(), &transferv1.AbortTransferRequest{RequestId: w.request(), TransferId: t.GetTransferId(), Etag: t.GetEtag(), Code: code})
			return err
		}
		divert := func(t *transferv1.Transfer) error {
			_, err := w.moves.DivertTransfer(w.sender(), &transferv1.DivertTransferRequest{RequestId: w.request(), TransferId: t.GetTransferId(), Etag: t.GetEtag(), City: "130100", Comment: "示范：就近收治"})
			return err
		}
		refuse := func(t *transferv1.Transfer) error {
			_, err := w.moves.RefuseAtDoor(w.receiver(), &transferv1.RefuseAtDoorRequest{RequestId: w.request(), TransferId: t.GetTransferId(), Etag: t.GetEtag(), Code: 1, Comment: "示范：无床"})
			return err
		}
		arrive := func(t *transferv1.Transfer) (*transferv1.Transfer, error) {
			got, err := w.moves.ArriveAtDoor(w.receiver(), &transferv1.ArriveAtDoorRequest{RequestId: w.request(), TransferId: t.GetTransferId(), Etag: t.GetEtag()})
			return got.GetTransfer(), err
		}
		planned := w.create()
		before := w.snapshot()
		w.refused("diverted before leaving", before, divert(planned), fault.WrongState)
		_, err := arrive(planned)
		w.refused("at the door before leaving", before, err, fault.WrongState)
		w.refused("no such end", before, abort(planned, "TIRED"), fault.CodeUnknown)
		if err := abort(planned, "CANCELLED"); err != nil {
			t.Fatal(err)
		}
		left := w.departed()
		before = w.snapshot()
		w.refused("did not show up, but left", before, abort(left, "NO_SHOW"), fault.WrongState)
		door, err := arrive(left)
		if err != nil {
			t.Fatal(err)
		}
		before = w.snapshot()
		_, err = arrive(door)
		w.refused("at the door twice", before, err, fault.WrongState)
		over, err := w.server.HandOver(w.receiver(), w.handOver(door))
		if err != nil {
			t.Fatal(err)
		}
		ended := over.GetTransfer()
		before = w.snapshot()
		for name, err := range map[string]error{
			"cancelled": abort(ended, "CANCELLED"), "unfit": abort(ended, "UNFIT"), "refused": refuse(ended), "diverted": divert(ended),
			"handed over": func() error { _, err := w.server.HandOver(w.receiver(), w.handOver(ended)); return err }(),
			"checked": func() error {
				_, err := w.server.CheckFitness(w.sender(), w.fitness(ended, &transferv1.FitnessToTravel{}, true))
				return err
			}(),
		} {
			w.refused(name+" after the end", before, err, fault.WrongState)
		}
	})
}
