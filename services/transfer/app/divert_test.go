package app

import (
	"slices"
	"testing"
	"time"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/transfer"
)

func (w *world) divert(t *transferv1.Transfer, organisation string) *transferv1.Transfer {
	w.t.Helper()
	got, err := w.moves.DivertTransfer(w.sender(), &transferv1.DivertTransferRequest{
		RequestId: w.request(), TransferId: t.GetTransferId(), Etag: t.GetEtag(), ToOrganisation: organisation, City: "130100", Comment: "示范：就近收治",
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return got.GetTransfer()
}

// event is the last of a kind that the case was told of.
func (w *world) event(kind string) (e transfer.CaseEvent) {
	w.t.Helper()
	sqldbtest.Eventually(w.t, kind, func() bool {
		w.peers.mu.Lock()
		defer w.peers.mu.Unlock()
		i := slices.IndexFunc(w.peers.events, func(one transfer.CaseEvent) bool { return one.Kind == kind })
		if i >= 0 {
			e = w.peers.events[i]
		}
		return i >= 0
	})
	return e
}

// Where a diverted patient is taken a bed is booked with it, for a day; that hospital may do with it as it likes.
func TestABedIsBookedWhereAPatientIsDiverted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.startJobs()
		left := w.departed()
		before := w.free("C-SJZ-01", beds, 5, 6)
		ended := w.divert(left, "C-SJZ-01")
		if ended.GetDivertedBed() != transfer.BedBooked {
			t.Fatalf("%v", ended)
		}
		nearby := w.as("C-SJZ-01", access.Center)
		hold, err := w.server.GetHold(nearby, &transferv1.GetHoldRequest{HoldId: ended.GetDivertedHoldId()})
		if err != nil {
			t.Fatal(err)
		}
		h, now := hold.GetHold(), w.clock.Now()
		if r := h.GetReservations()[0]; h.GetStatus() != transferv1.HoldStatus_HOLD_STATUS_CONFIRMED || h.GetReferralId() != left.GetReferralId() || r.GetKind() != beds ||
			!r.GetStartTime().AsTime().Equal(now) || !r.GetEndTime().AsTime().Equal(now.Add(24*time.Hour)) {
			t.Errorf("%v", h)
		}
		if n := w.free("C-SJZ-01", beds, 5, 6); n != before-1 {
			t.Errorf("%d of %d beds are free", n, before)
		}
		if held, err := w.core.Held(w.service(), left.GetTransferId()); err != nil || len(held) != 0 {
			t.Errorf("the transfer holds %v, %v", held, err)
		}
		if e := w.event(transfer.EventAborted); e.Told != "C-SJZ-01" || e.ReasonCode != "DIVERTED" {
			t.Errorf("%+v", e)
		}
		if _, err := w.server.ReleaseHold(nearby, &transferv1.ReleaseHoldRequest{RequestId: w.request(), HoldId: ended.GetDivertedHoldId(), Reason: "示范：已入院"}); err != nil {
			t.Fatal(err)
		}
		if n := w.free("C-SJZ-01", beds, 5, 6); n != before {
			t.Errorf("%d of %d beds are free", n, before)
		}
	})
}

// A patient is diverted where no bed is to be had all the same: that hospital is told, and the answer says why there is none.
func TestAPatientIsDivertedWithoutABed(t *testing.T) {
	for want, c := range map[string]struct {
		organisation string
		before       func(w *world) error
	}{
		transfer.BedNotInPool: {"H-XT-09", nil},
		transfer.BedNoneFree: {"C-SJZ-01", func(w *world) error {
			_, err := w.ownUse("C-SJZ-01", beds, 6, 5, 20) // not yet when the patient comes
			return err
		}},
		transfer.BedQuotaUsed: {"C-SJZ-01", func(w *world) error {
			day := func(n int) string { return begin.AddDate(0, 0, n).Format(time.DateOnly) }
			center := w.as("C-SJZ-01", access.Center)
			if _, err := w.pool.SetQuota(center, &transferv1.SetQuotaRequest{RequestId: w.request(), Kind: beds, FromDay: day(0), ToDay: day(30), MostReferred: 1}); err != nil {
				return err
			}
			request := w.holdRequest(100, 200)
			request.Organisation, request.Needs = "C-SJZ-01", request.GetNeeds()[:1]
			request.Needs[0].Organisation = "C-SJZ-01"
			_, err := w.server.HoldResources(w.service(), request)
			return err
		}},
		"": {"", nil},
	} {
		t.Run(want, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.startJobs()
				if c.before != nil {
					if err := c.before(w); err != nil {
						t.Fatal(err)
					}
				}
				ended := w.divert(w.departed(), c.organisation)
				if ended.GetDivertedBed() != want || ended.GetDivertedHoldId() != "" || ended.GetAbortCode() != "DIVERTED" {
					t.Errorf("%v", ended)
				}
				if e := w.event(transfer.EventAborted); e.Told != c.organisation {
					t.Errorf("%+v", e)
				}
			})
		})
	}
}

// Whose own use gives way to an override is told who ordered it and whether other units were found; who overrides what is
// another patient's tells that patient's case as before.
func TestWhoLosesAnOwnUseIsTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.startJobs()
		own, err := w.ownUse("C-BJ-01", beds, 5, 1, 40)
		if err != nil {
			t.Fatal(err)
		}
		other, err := w.ownUse("C-BJ-01", rooms, 1, 1, 40)
		if err != nil {
			t.Fatal(err)
		}
		reservations := append(own.GetReservations()[:2], other.GetReservations()[0])
		request := &transferv1.OverrideUnitsRequest{RequestId: w.request(), ExpireTime: at(72), Reason: "示范改派"}
		for _, r := range reservations {
			request.Needs = append(request.Needs, &transferv1.UnitNeed{ResourceId: r.GetResourceId(), StartTime: at(2), EndTime: at(6)})
		}
		request.ReferralId, _ = w.opens("C-BJ-01")
		if _, err := w.pool.OverrideUnits(w.as("OPS", access.Operations), request); err != nil {
			t.Fatal(err)
		}
		w.toldExactly(transfer.EventHoldOverridden, transfer.EventHoldOverridden)
		for _, e := range w.peers.events {
			want := map[string]string{own.GetHoldId(): "RELEASED", other.GetHoldId(): "MOVED"}[e.HoldID] // five of six beds; one of three rooms
			if e.ReasonCode != want || e.Told != "C-BJ-01" || e.ReferralID != request.GetReferralId() || e.Organisation != "OPS" || e.Subject != "示范工号-1" ||
				len(e.RequestID) > 64 {
				t.Errorf("want %s, told %+v", want, e)
			}
		}
	})
}
