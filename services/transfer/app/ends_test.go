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
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/transfer"
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
		request.ReferralId, request.Needs = left.GetReferralId(), []*transferv1.Need{need(10*time.Minute, time.Hour)}
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
		made := w.create()
		w.clock.Advance(17 * time.Hour)
		if _, err := w.ownUse("H-BD-01", crew, 2, 4, 40); !fault.Is(err, fault.TimeInvalid) {
			t.Fatal(err)
		}
		if _, err := w.ownUse("H-BD-01", crew, 2, 17, 18); err != nil {
			t.Fatal(err)
		}
		hold, err := w.core.GetHold(w.service(), made.GetHoldId())
		if err != nil || !slices.Contains([]string{"HELD", "EXPIRED"}, string(hold.Status)) {
			t.Fatalf("%v, %v", hold, err)
		}
		w.startJobs()
		sqldbtest.Eventually(t, "a person is called", func() bool { return w.get(made.GetTransferId()).GetAttentionCode() == "BOOKINGS" })
		sqldbtest.Idle(t, w.db)
		w.toldExactly(transfer.EventPlanned, transfer.EventAttention)
	})
}

// What an owner is answered about a unit shows what stands on it: a bed out of service may have somebody coming.
func TestAReportShowsWhatStandsOnTheUnit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		held := w.hold(1, 24)
		id := held.GetReservations()[0].GetResourceId()
		got, err := w.pool.ReportResource(w.receiver(), &transferv1.ReportResourceRequest{RequestId: w.request(), ResourceId: id, Etag: "1", OutOfService: true})
		if err != nil || len(got.GetResource().GetReservations()) != 1 || got.GetResource().GetReservations()[0].GetHoldId() != held.GetHoldId() {
			t.Fatalf("%v, %v", got, err)
		}
		closed := &transferv1.UnitCalendar{Closures: []*transferv1.Closure{{StartTime: at(2), EndTime: at(3), Reason: "示范维护"}}}
		set, err := w.pool.SetResourceCalendar(w.receiver(), &transferv1.SetResourceCalendarRequest{RequestId: w.request(), ResourceId: id, Etag: "2", Calendar: closed})
		if err != nil || len(set.GetResource().GetReservations()) != 1 {
			t.Fatalf("%v, %v", set, err)
		}
		// Nobody's word opens what is closed or without staff.
		override := func(from, to int) error {
			_, err := w.pool.OverrideUnits(w.receiver(), &transferv1.OverrideUnitsRequest{
				RequestId: w.request(), ReferralId: w.ids.New("ref"), ExpireTime: at(72), Reason: "示范改派",
				Needs: []*transferv1.UnitNeed{{ResourceId: id, StartTime: at(from), EndTime: at(to)}},
			})
			return err
		}
		before := w.snapshot()
		w.refused("out of service", before, override(10, 12), fault.WrongState)
		if _, err := w.pool.ReportResource(w.receiver(), &transferv1.ReportResourceRequest{RequestId: w.request(), ResourceId: id, Etag: "3"}); err != nil {
			t.Fatal(err)
		}
		before = w.snapshot()
		w.refused("closed", before, override(2, 4), fault.WrongState)
		if err := override(10, 12); err != nil {
			t.Fatal(err)
		}
	})
}

// What the center has on loan is its own while it lasts: a borrowed operating room follows a late arrival, and a crew on
// loan stays with its patient.
func TestWhatIsOnLoanFollowsItsPatient(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		lend := func(unit *transferv1.Resource, borrower string, role access.Role) {
			made, err := w.pool.LendUnit(w.as(unit.GetOrganisation(), role), &transferv1.LendUnitRequest{
				RequestId: w.request(), ResourceId: unit.GetResourceId(), Borrower: borrower, StartTime: at(0), EndTime: at(100),
			})
			if err == nil {
				_, err = w.pool.AcceptLoan(w.as(borrower, role), &transferv1.AcceptLoanRequest{RequestId: w.request(), LoanId: made.GetLoan().GetLoanId(), Etag: made.GetLoan().GetEtag()})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		room, team := w.firstUnit("C-BJ-02", rooms), w.firstUnit("H-HF-01", crew)
		lend(room, "C-BJ-01", access.Center)
		lend(team, "H-BD-01", access.Coordinator)
		// The hospital's own crews and the center's own rooms are taken, so that what is on loan is what there is.
		if _, err := w.ownUse("H-BD-01", crew, 2, 1, 30); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ownUse("C-BJ-01", rooms, 3, 1, 30); err != nil {
			t.Fatal(err)
		}
		left := w.departed()
		with := func() string {
			held, err := w.core.Held(w.service(), left.GetTransferId())
			if err != nil || len(held) != 1 {
				t.Fatal(err)
			}
			for _, r := range held[0].Reservations {
				if r.Kind == "CREW" {
					return r.ResourceID
				}
			}
			return ""
		}
		if got := with(); got != team.GetResourceId() {
			t.Fatalf("goes with %s", got)
		}
		arrive := left.GetItinerary().GetArriveTime().AsTime()
		request := w.holdRequest(1, 2)
		request.ReferralId = left.GetReferralId()
		request.Needs = []*transferv1.Need{{Organisation: "C-BJ-01", Kind: rooms, StartTime: timestamppb.New(arrive.Add(10 * time.Minute)), EndTime: timestamppb.New(arrive.Add(time.Hour))}}
		booked, err := w.server.HoldResources(w.service(), request)
		if err != nil || booked.GetHold().GetReservations()[0].GetResourceId() != room.GetResourceId() || booked.GetHold().GetReservations()[0].GetOrganisation() != "C-BJ-02" {
			t.Fatalf("%v, %v", booked, err)
		}
		w.clock.Advance(time.Hour)
		now := w.late(left, 90)
		moved, err := w.server.GetHold(w.receiver(), &transferv1.GetHoldRequest{HoldId: booked.GetHold().GetHoldId()})
		if err != nil || now.GetAttentionCode() != "" || moved.GetHold().GetReservations()[0].GetStartTime().AsTime().Before(now.GetItinerary().GetArriveTime().AsTime()) {
			t.Errorf("%v, %v, %v", now, moved, err)
		}
		if got := with(); got != team.GetResourceId() {
			t.Errorf("goes on with %s", got)
		}
	})
}
