package app

import (
	"testing"
	"time"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

const crew = transferv1.ResourceKind_RESOURCE_KIND_CREW

func (w *world) firstUnit(organisation string, kind transferv1.ResourceKind) *transferv1.Resource {
	w.t.Helper()
	got, err := w.server.ListResources(w.as("OPS", access.Operations), &transferv1.ListResourcesRequest{Organisation: organisation, Kind: kind})
	if err != nil || len(got.GetResources()) == 0 {
		w.t.Fatal(err)
	}
	return got.GetResources()[0]
}

func (w *world) ownUse(ctxOrganisation string, kind transferv1.ResourceKind, n, from, to int) (*transferv1.Hold, error) {
	request := &transferv1.BookOwnUseRequest{RequestId: w.request(), Reason: "示范：本院自用"}
	for range n {
		request.Needs = append(request.Needs, &transferv1.Need{Organisation: ctxOrganisation, Kind: kind, StartTime: at(from), EndTime: at(to)})
	}
	got, err := w.pool.BookOwnUse(w.as(ctxOrganisation, access.Center), request)
	return got.GetHold(), err
}

func TestPoolRefusalsChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		unit, foreign := w.firstUnit("C-BJ-01", beds), w.firstUnit("C-BJ-02", beds)
		center := w.receiver()
		day := func(n int) string { return begin.AddDate(0, 0, n).Format(time.DateOnly) }
		set := func(change func(*transferv1.SetQuotaRequest)) error {
			r := &transferv1.SetQuotaRequest{RequestId: w.request(), Kind: beds, FromDay: day(0), ToDay: day(30), ReservedShareBp: 5_000}
			change(r)
			_, err := w.pool.SetQuota(center, r)
			return err
		}
		calendar := func(id, etag string, c *transferv1.UnitCalendar) error {
			_, err := w.pool.SetResourceCalendar(center, &transferv1.SetResourceCalendarRequest{RequestId: w.request(), ResourceId: id, Etag: etag, Calendar: c})
			return err
		}
		lend := func(id, borrower string, from, to int) error {
			_, err := w.pool.LendUnit(center, &transferv1.LendUnitRequest{RequestId: w.request(), ResourceId: id, Borrower: borrower, StartTime: at(from), EndTime: at(to)})
			return err
		}
		override := func(ctxRole access.Role, organisation, id string, from, to int) error {
			ref, _ := w.opens(organisation)
			_, err := w.pool.OverrideUnits(w.as(organisation, ctxRole), &transferv1.OverrideUnitsRequest{
				RequestId: w.request(), ReferralId: ref, ExpireTime: at(72), Reason: "示范改派",
				Needs: []*transferv1.UnitNeed{{ResourceId: id, StartTime: at(from), EndTime: at(to)}},
			})
			return err
		}
		bad := &transferv1.UnitCalendar{WorkingDays: []*transferv1.DayWindow{{FromMinute: 600, ToMinute: 300}}}
		closed := &transferv1.UnitCalendar{Closures: []*transferv1.Closure{{StartTime: at(5), EndTime: at(5), Reason: "示范"}}}
		held := w.hold(100, 200)
		before := w.snapshot()
		for name, c := range map[string]struct {
			err    error
			reason fault.Reason
			field  string
		}{
			"a window backwards":        {calendar(unit.GetResourceId(), unit.GetEtag(), bad), fault.TimeInvalid, "calendar.working_days[0].to_minute"},
			"a closure of no length":    {calendar(unit.GetResourceId(), unit.GetEtag(), closed), fault.TimeInvalid, "calendar.closures[0].end_time"},
			"a calendar of others":      {calendar(foreign.GetResourceId(), foreign.GetEtag(), nil), fault.ReasonNotFound, ""},
			"a stale calendar":          {calendar(unit.GetResourceId(), "9", nil), fault.StaleVersion, "etag"},
			"a quota of the past":       {set(func(r *transferv1.SetQuotaRequest) { r.FromDay = day(-1) }), fault.TimeInvalid, "from_day"},
			"a quota backwards":         {set(func(r *transferv1.SetQuotaRequest) { r.FromDay = day(31) }), fault.TimeInvalid, "to_day"},
			"a day that is none":        {set(func(r *transferv1.SetQuotaRequest) { r.ToDay = "2026-02-30" }), fault.TimeInvalid, "to_day"},
			"count and share":           {set(func(r *transferv1.SetQuotaRequest) { r.ReservedUnits = 1 }), fault.FieldInvalid, "reserved_share_bp"},
			"a loan to oneself":         {lend(unit.GetResourceId(), "C-BJ-01", 1, 2), fault.FieldInvalid, "borrower"},
			"a loan of no length":       {lend(unit.GetResourceId(), "C-BJ-02", 2, 2), fault.TimeInvalid, "end_time"},
			"a loan of the past":        {lend(unit.GetResourceId(), "C-BJ-02", -2, 2), fault.TimeInvalid, "start_time"},
			"a loan of others' unit":    {lend(foreign.GetResourceId(), "C-TJ-01", 1, 2), fault.ReasonNotFound, ""},
			"an override of others":     {override(access.Center, "C-BJ-01", foreign.GetResourceId(), 1, 2), fault.ReasonNotFound, ""},
			"an override of the past":   {override(access.Center, "C-BJ-01", unit.GetResourceId(), -3, 2), fault.TimeInvalid, "needs[0].start_time"},
			"an override of an instant": {override(access.Center, "C-BJ-01", unit.GetResourceId(), 3, 3), fault.TimeInvalid, "needs[0].end_time"},
			"own use of others' units": {func() error {
				_, err := w.pool.BookOwnUse(center, &transferv1.BookOwnUseRequest{RequestId: w.request(), Reason: "示范", Needs: []*transferv1.Need{
					{Organisation: "C-BJ-02", Kind: beds, StartTime: at(1), EndTime: at(2)},
				}})
				return err
			}(), fault.RightMissing, "needs[0].organisation"},
			"a stale move": {func() error {
				_, err := w.pool.MoveHold(center, &transferv1.MoveHoldRequest{RequestId: w.request(), HoldId: held.GetHoldId(), Etag: "7", Needs: []*transferv1.Need{
					{Organisation: "C-BJ-01", Kind: beds, StartTime: at(101), EndTime: at(102)},
				}})
				return err
			}(), fault.StaleVersion, "etag"},
			"a move of others' hold": {func() error {
				_, err := w.pool.MoveHold(w.as("C-BJ-02", access.Center), &transferv1.MoveHoldRequest{RequestId: w.request(), HoldId: held.GetHoldId(), Etag: held.GetEtag(), Needs: []*transferv1.Need{
					{Organisation: "C-BJ-02", Kind: beds, StartTime: at(101), EndTime: at(102)},
				}})
				return err
			}(), fault.ReasonNotFound, ""},
		} {
			if f := w.refused(name, before, c.err, c.reason); f.Field != c.field {
				t.Errorf("%s: field %q", name, f.Field)
			}
		}
		if err := set(func(*transferv1.SetQuotaRequest) {}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ownUse("C-BJ-01", beds, 3, 1, 9); err != nil {
			t.Fatal(err)
		}
		before = w.snapshot()
		_, err := w.ownUse("C-BJ-01", beds, 1, 1, 9)
		w.refused("what is reserved", before, err, fault.QuotaReserved)
		got, err := w.pool.GetCapacity(w.as("H-BD-01", access.Coordinator), &transferv1.GetCapacityRequest{Organisation: "C-BJ-01", Kind: beds, StartTime: at(1), EndTime: at(9)})
		if err != nil || got.GetUnits() != 6 || got.GetFree() != 3 || got.GetTaken() != 3 || got.GetOwnUseLeft() != 0 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// The crew is late and wanted elsewhere: the times are true, the bookings wait for a person, and go on when there is room.
func TestBookingsThatCannotFollowWaitForAPerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.startJobs()
		left := w.departed()
		own, err := w.ownUse("H-BD-01", crew, 1, 12, 14)
		if err != nil {
			t.Fatal(err)
		}
		second, err := w.ownUse("H-BD-01", crew, 1, 12, 14)
		if err != nil {
			t.Fatal(err)
		}
		late := func(etag string, minutes int32) *transferv1.Transfer {
			got, err := w.moves.ReportLegTrouble(w.sender(), &transferv1.ReportLegTroubleRequest{
				RequestId: w.request(), TransferId: left.GetTransferId(), Etag: etag, LateMinutes: minutes,
			})
			if err != nil {
				t.Fatal(err)
			}
			return got.GetTransfer()
		}
		now := late(left.GetEtag(), 180)
		if now.GetAttentionCode() != "BOOKINGS" || !now.GetItinerary().GetArriveTime().AsTime().Equal(left.GetItinerary().GetArriveTime().AsTime().Add(3*time.Hour)) {
			t.Fatalf("%v", now)
		}
		for _, h := range []*transferv1.Hold{own, second} {
			if _, err := w.server.ReleaseHold(w.as("H-BD-01", access.Center), &transferv1.ReleaseHoldRequest{RequestId: w.request(), HoldId: h.GetHoldId(), Reason: "示范"}); err != nil {
				t.Fatal(err)
			}
		}
		if now = late(now.GetEtag(), 181); now.GetAttentionCode() != "" {
			t.Fatalf("%v", now)
		}
		held, err := w.core.Held(w.service(), left.GetTransferId())
		if err != nil || len(held) != 1 || !held[0].Reservations[0].End.After(begin.Add(13*time.Hour)) {
			t.Fatalf("%+v, %v", held, err)
		}
		w.toldExactly("PLANNED", "DEPARTED", "ATTENTION", "DELAYED")
	})
}
