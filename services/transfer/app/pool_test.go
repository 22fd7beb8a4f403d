package app

import (
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/transfer"
)

const (
	beds  = transferv1.ResourceKind_RESOURCE_KIND_BED
	rooms = transferv1.ResourceKind_RESOURCE_KIND_OPERATING_ROOM
)

func TestParallelDuplicatesHoldOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		request := w.holdRequest(1, 24)
		answers := make([]*transferv1.HoldResourcesResponse, 64)
		var wait sync.WaitGroup
		for i := range answers {
			wait.Go(func() {
				var err error
				if answers[i], err = w.server.HoldResources(w.service(), proto.Clone(request).(*transferv1.HoldResourcesRequest)); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		for _, a := range answers {
			if !proto.Equal(a, answers[0]) {
				t.Fatalf("%v and %v", a, answers[0])
			}
		}
		if b, r := w.free("C-BJ-01", beds, 1, 24), w.free("C-BJ-01", rooms, 2, 3); b != 5 || r != 2 {
			t.Fatalf("%d beds and %d rooms free", b, r)
		}
	})
}

func TestAHoldExpiresByItselfAndTellsTheCase(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.startJobs()
		expiring, booked := w.hold(100, 200), w.hold(100, 200)
		if _, err := w.server.ConfirmHold(w.receiver(), &transferv1.ConfirmHoldRequest{RequestId: w.request(), HoldId: booked.GetHoldId()}); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(72 * time.Hour)
		w.toldExactly(transfer.EventHoldExpired)
		sqldbtest.Idle(t, w.db)
		for id, want := range map[string]transferv1.HoldStatus{
			expiring.GetHoldId(): transferv1.HoldStatus_HOLD_STATUS_EXPIRED, booked.GetHoldId(): transferv1.HoldStatus_HOLD_STATUS_CONFIRMED,
		} {
			got, err := w.server.GetHold(w.receiver(), &transferv1.GetHoldRequest{HoldId: id})
			if err != nil || got.GetHold().GetStatus() != want {
				t.Errorf("%v, want %v: %v", got.GetHold().GetStatus(), want, err)
			}
		}
		if n := w.free("C-BJ-01", beds, 100, 200); n != 5 {
			t.Errorf("%d beds free", n)
		}
	})
}

func TestConfirmAfterTheTimeIsRefusedThoughNothingHasSwept(t *testing.T) {
	each(t, func(t *testing.T, w *world) { // no jobs run here
		h := w.hold(100, 200)
		w.clock.Advance(72 * time.Hour)
		before := w.snapshot()
		_, err := w.server.ConfirmHold(w.service(), &transferv1.ConfirmHoldRequest{RequestId: w.request(), HoldId: h.GetHoldId()})
		w.refused("late", before, err, fault.HoldExpired)
		// The same for a hold confirmed by the center on time, however often.
		h = func() *transferv1.Hold {
			r := w.holdRequest(100, 200)
			r.ExpireTime = at(80)
			got, err := w.server.HoldResources(w.service(), r)
			if err != nil {
				t.Fatal(err)
			}
			return got.GetHold()
		}()
		for range 2 {
			if _, err := w.server.ConfirmHold(w.service(), &transferv1.ConfirmHoldRequest{RequestId: w.request(), HoldId: h.GetHoldId()}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestReleaseFreesAndTells(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.startJobs()
		h := w.hold(1, 24)
		release := func() *transferv1.ReleaseHoldRequest {
			return &transferv1.ReleaseHoldRequest{RequestId: w.request(), HoldId: h.GetHoldId(), Reason: "示范"}
		}
		_, err := w.server.ReleaseHold(w.as("C-BJ-02", access.Center), release())
		if !fault.Is(err, fault.ReasonNotFound) {
			t.Fatalf("foreign: %v", err)
		}
		for range 2 {
			got, err := w.server.ReleaseHold(w.receiver(), release())
			if err != nil || got.GetHold().GetStatus() != transferv1.HoldStatus_HOLD_STATUS_RELEASED {
				t.Fatal(err)
			}
		}
		w.toldExactly(transfer.EventHoldReleased)
		before := w.snapshot()
		_, err = w.server.ConfirmHold(w.receiver(), &transferv1.ConfirmHoldRequest{RequestId: w.request(), HoldId: h.GetHoldId()})
		w.refused("released", before, err, fault.WrongState)
		if n := w.free("C-BJ-01", beds, 1, 24); n != 6 {
			t.Errorf("%d beds free", n)
		}
	})
}

func TestACrewIsFreedByItsTransferOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		made := w.create()
		before := w.snapshot()
		_, err := w.server.ReleaseHold(w.as("H-BD-01", access.Center), &transferv1.ReleaseHoldRequest{
			RequestId: w.request(), HoldId: made.GetHoldId(), Reason: "示范",
		})
		w.refused("crew", before, err, fault.WrongState)
	})
}

func TestHoldRefusalsChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		before := w.snapshot()
		center := w.receiver()
		for name, c := range map[string]struct {
			change func(*transferv1.HoldResourcesRequest)
			reason fault.Reason
			field  string
		}{
			"past":           {func(r *transferv1.HoldResourcesRequest) { r.Needs[1].StartTime = at(-1) }, fault.TimeInvalid, "needs[1].start_time"},
			"no length":      {func(r *transferv1.HoldResourcesRequest) { r.Needs[0].EndTime = r.Needs[0].StartTime }, fault.TimeInvalid, "needs[0].end_time"},
			"backwards":      {func(r *transferv1.HoldResourcesRequest) { r.Needs[0].EndTime = at(0) }, fault.TimeInvalid, "needs[0].end_time"},
			"too long":       {func(r *transferv1.HoldResourcesRequest) { r.Needs[0].EndTime = at(24 * 400) }, fault.TimeInvalid, "needs[0].end_time"},
			"expired":        {func(r *transferv1.HoldResourcesRequest) { r.ExpireTime = at(0) }, fault.TimeInvalid, "expire_time"},
			"held too long":  {func(r *transferv1.HoldResourcesRequest) { r.ExpireTime = at(24 * 31) }, fault.TimeInvalid, "expire_time"},
			"for another":    {func(r *transferv1.HoldResourcesRequest) { r.Organisation = "C-SH-01" }, fault.RightMissing, "organisation"},
			"another's unit": {func(r *transferv1.HoldResourcesRequest) { r.Needs[1].Organisation = "C-SH-01" }, fault.RightMissing, "needs[1].organisation"},
			"absurd time":    {func(r *transferv1.HoldResourcesRequest) { r.Needs[0].EndTime.Seconds = 1 << 40 }, fault.FieldInvalid, "needs[0].end_time"},
			"nothing of the kind": {func(r *transferv1.HoldResourcesRequest) {
				r.Needs[1].Kind = transferv1.ResourceKind_RESOURCE_KIND_TEST_SLOT
			}, fault.ResourceTaken, ""},
		} {
			request := w.holdRequest(1, 24)
			c.change(request)
			_, err := w.server.HoldResources(center, request)
			if f := w.refused(name, before, err, c.reason); f.Field != c.field {
				t.Errorf("%s: field %q", name, f.Field)
			}
		}
	})
}

// A page of the calendar tells what a unit is taken for, until when it is held, and when it is closed.
func TestAListSpellsTheCalendarOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		h := w.hold(20, 30)
		unit := w.firstUnit("C-BJ-01", beds)
		list := func(from, to int) (*transferv1.Resource, error) {
			got, err := w.server.ListResources(w.receiver(), &transferv1.ListResourcesRequest{Kind: beds, StartTime: at(from), EndTime: at(to)})
			for _, r := range got.GetResources() {
				if r.GetResourceId() == h.GetReservations()[0].GetResourceId() {
					return r, err
				}
			}
			return unit, err
		}
		held, err := list(0, 48)
		if err != nil || len(held.GetReservations()) != 1 || len(held.GetClosed()) != 0 {
			t.Fatalf("%v, %v", held, err)
		}
		if v := held.GetReservations()[0]; !v.GetExpireTime().AsTime().Equal(h.GetExpireTime().AsTime()) || v.GetPurpose() != transferv1.HoldPurpose_HOLD_PURPOSE_REFERRAL {
			t.Errorf("held: %v", v)
		}
		if _, err := w.pool.SetResourceCalendar(w.receiver(), &transferv1.SetResourceCalendarRequest{
			RequestId: w.request(), ResourceId: held.GetResourceId(), Etag: held.GetEtag(), Calendar: &transferv1.UnitCalendar{
				WorkingDays: []*transferv1.DayWindow{{FromMinute: 0, ToMinute: 1440}}, DaysOff: []*transferv1.DayWindow{{FromMinute: 0, ToMinute: 1440}},
				Closures: []*transferv1.Closure{{StartTime: at(40), EndTime: at(60), Reason: "示范：检修"}},
			},
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.server.ConfirmHold(w.receiver(), &transferv1.ConfirmHoldRequest{RequestId: w.request(), HoldId: h.GetHoldId()}); err != nil {
			t.Fatal(err)
		}
		held, err = list(0, 48)
		if err != nil || len(held.GetClosed()) != 1 || held.GetReservations()[0].GetExpireTime() != nil {
			t.Fatalf("%v, %v", held, err)
		}
		if c := held.GetClosed()[0]; c.GetReason() != "示范：检修" || !c.GetStartTime().AsTime().Equal(at(40).AsTime()) || !c.GetEndTime().AsTime().Equal(at(48).AsTime()) {
			t.Errorf("closed: %v", c)
		}
		before := w.snapshot()
		_, err = list(0, 32*24)
		w.refused("too long", before, err, fault.TimeInvalid)
		_, err = list(1, 1)
		w.refused("no length", before, err, fault.TimeInvalid)
	})
}

func TestResourcesAreSeenByTheirOwner(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		list := func(org string, role access.Role, owner string) (int, error) {
			n, token := 0, ""
			for {
				got, err := w.server.ListResources(w.as(org, role), &transferv1.ListResourcesRequest{Organisation: owner, PageSize: 4, PageToken: token})
				if err != nil {
					return 0, err
				}
				n += len(got.GetResources())
				if token = got.GetNextPageToken(); token == "" {
					return n, nil
				}
			}
		}
		for _, c := range []struct {
			org   string
			role  access.Role
			owner string
			n     int
		}{{"C-BJ-01", access.Center, "", 11}, {"C-BJ-01", access.Center, "C-BJ-01", 11}, {"H-BD-01", access.Coordinator, "", 4}, {"OPS", access.Operations, "", 126}, {"OPS", access.Operations, "C-SH-02", 11}} {
			if n, err := list(c.org, c.role, c.owner); n != c.n || err != nil {
				t.Errorf("%s asks for %q: %d units, %v", c.org, c.owner, n, err)
			}
		}
		if _, err := list("C-BJ-01", access.Center, "C-SH-01"); !fault.Is(err, fault.ReasonNotFound) {
			t.Errorf("foreign: %v", err)
		}
		add := func() error {
			_, err := w.server.AddResource(w.receiver(), &transferv1.AddResourceRequest{RequestId: w.request(), Kind: beds, Label: "示范床位 7"})
			return err
		}
		if err := add(); err != nil {
			t.Fatal(err)
		}
		before := w.snapshot()
		w.refused("label twice", before, add(), fault.FieldInvalid)
		if n := w.free("C-BJ-01", beds, 1, 2); n != 7 {
			t.Errorf("%d beds", n)
		}
	})
}
