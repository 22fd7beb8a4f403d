package app

import (
	"context"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/transfer"
)

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
			ref, _ := w.opens("C-BJ-01")
			_, err := w.pool.OverrideUnits(w.receiver(), &transferv1.OverrideUnitsRequest{
				RequestId: w.request(), ReferralId: ref, ExpireTime: at(72), Reason: "示范改派",
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
		own, err := w.ownUse("H-BD-01", crew, 2, 1, 30)
		if err != nil {
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
		if _, err := w.server.ReleaseHold(w.as("H-BD-01", access.Coordinator), &transferv1.ReleaseHoldRequest{RequestId: w.request(), HoldId: own.GetHoldId(), Reason: "示范"}); err != nil {
			t.Fatal(err)
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

// A loan has two sides, each with its own steps; nobody else sees it.
func TestALoanHasTwoSides(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		unit := w.firstUnit("C-BJ-01", beds)
		lender, borrower, stranger := w.receiver(), w.as("C-BJ-02", access.Center), w.as("C-TJ-01", access.Center)
		made, err := w.pool.LendUnit(lender, &transferv1.LendUnitRequest{RequestId: w.request(), ResourceId: unit.GetResourceId(), Borrower: "C-BJ-02", StartTime: at(2), EndTime: at(12)})
		if err != nil {
			t.Fatal(err)
		}
		loan := made.GetLoan()
		accept := func(by context.Context) error {
			got, err := w.pool.AcceptLoan(by, &transferv1.AcceptLoanRequest{RequestId: w.request(), LoanId: loan.GetLoanId(), Etag: loan.GetEtag()})
			if err == nil {
				loan = got.GetLoan()
			}
			return err
		}
		end := func(by context.Context) error {
			_, err := w.pool.EndLoan(by, &transferv1.EndLoanRequest{RequestId: w.request(), LoanId: loan.GetLoanId(), Etag: loan.GetEtag()})
			return err
		}
		before := w.snapshot()
		w.refused("the lender takes it for the borrower", before, accept(lender), fault.RightMissing)
		w.refused("a stranger takes it", before, accept(stranger), fault.ReasonNotFound)
		w.refused("a stranger ends it", before, end(stranger), fault.ReasonNotFound)
		if err := accept(borrower); err != nil {
			t.Fatal(err)
		}
		before = w.snapshot()
		w.refused("the lender takes back what was taken", before, end(lender), fault.RightMissing)
		// Whose it is for the time overrides nothing in it, and lends it no further.
		nobody := access.With(t.Context(), access.Caller{Organisation: "C-BJ-01", Roles: []access.Role{access.Center}})
		for name, c := range map[string]struct {
			by     context.Context
			unit   string
			reason fault.Reason
		}{
			"the borrower's word over the lender's unit": {borrower, unit.GetResourceId(), fault.ReasonNotFound},
			"the lender's over what is lent":             {lender, unit.GetResourceId(), fault.WrongState},
			"nobody's":                                   {nobody, w.firstUnit("C-BJ-01", rooms).GetResourceId(), fault.RightMissing},
		} {
			ref, _ := w.opens(access.From(c.by).Organisation)
			_, err := w.pool.OverrideUnits(c.by, &transferv1.OverrideUnitsRequest{
				RequestId: w.request(), ReferralId: ref, ExpireTime: at(72), Reason: "示范改派",
				Needs: []*transferv1.UnitNeed{{ResourceId: c.unit, StartTime: at(3), EndTime: at(4)}},
			})
			w.refused(name, before, err, c.reason)
		}
		_, err = w.pool.LendUnit(borrower, &transferv1.LendUnitRequest{RequestId: w.request(), ResourceId: unit.GetResourceId(), Borrower: "C-TJ-01", StartTime: at(3), EndTime: at(4)})
		w.refused("lent further", before, err, fault.ReasonNotFound)
		if err := end(borrower); err != nil {
			t.Fatal(err)
		}
	})
}

// An override displaces: whose bed is lost without another one hears of it; who is with a patient, or on the way home from
// one, is taken by nobody and moved by nobody.
func TestWhomAnOverrideDisplaces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.startJobs()
		override := func(by context.Context, unit string, from, to int) error {
			ref, _ := w.opens(access.From(by).Organisation)
			_, err := w.pool.OverrideUnits(by, &transferv1.OverrideUnitsRequest{
				RequestId: w.request(), ReferralId: ref, ExpireTime: at(72), Reason: "示范改派",
				Needs: []*transferv1.UnitNeed{{ResourceId: unit, StartTime: at(from), EndTime: at(to)}},
			})
			return err
		}
		if _, err := w.ownUse("C-BJ-01", beds, 5, 1, 40); err != nil {
			t.Fatal(err)
		}
		displaced := w.hold(1, 24)
		if err := override(w.receiver(), displaced.GetReservations()[0].GetResourceId(), 2, 6); err != nil {
			t.Fatal(err)
		}
		w.toldExactly(transfer.EventHoldReleased)
		left := w.departed()
		home := w.as("H-BD-01", access.Center)
		held, err := w.core.Held(w.service(), left.GetTransferId())
		if err != nil || len(held) != 1 {
			t.Fatalf("%v, %v", held, err)
		}
		refused := func(name string) {
			t.Helper()
			got, err := w.server.GetHold(home, &transferv1.GetHoldRequest{HoldId: held[0].ID})
			if err != nil {
				t.Fatal(err)
			}
			before := w.snapshot()
			for _, r := range got.GetHold().GetReservations() {
				w.refused(name, before, override(home, r.GetResourceId(), 5, 6), fault.WrongState)
			}
			_, err = w.pool.MoveHold(home, &transferv1.MoveHoldRequest{
				RequestId: w.request(), HoldId: held[0].ID, Etag: got.GetHold().GetEtag(),
				Needs: []*transferv1.Need{{Organisation: "H-BD-01", Kind: crew, StartTime: at(30), EndTime: at(31)}},
			})
			w.refused(name+", moved by hand", before, err, fault.WrongState)
		}
		refused("with a patient")
		w.clock.Advance(time.Hour)
		if _, err := w.server.AbortTransfer(w.sender(), &transferv1.AbortTransferRequest{RequestId: w.request(), TransferId: left.GetTransferId(), Etag: left.GetEtag(), Code: "CANCELLED"}); err != nil {
			t.Fatal(err)
		}
		refused("on the way home")
	})
}
