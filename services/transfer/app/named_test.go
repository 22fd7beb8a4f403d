package app

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// What a center or operations take, they take for a case that they see and that goes on; another service knows its cases.
func TestAHoldNamesACase(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		unit := w.firstUnit("C-BJ-01", beds)
		ops := w.as("OPS", access.Operations)
		hold := func(ref string) error {
			request := w.holdRequest(1, 24)
			request.ReferralId = ref
			_, err := w.server.HoldResources(w.receiver(), request)
			return err
		}
		override := func(ref string) error {
			_, err := w.pool.OverrideUnits(ops, &transferv1.OverrideUnitsRequest{
				RequestId: w.request(), ReferralId: ref, ExpireTime: at(72), Reason: "示范改派", Needs: []*transferv1.UnitNeed{{ResourceId: unit.GetResourceId(), StartTime: at(2), EndTime: at(4)}},
			})
			return err
		}
		foreign, _ := w.opens("C-SH-01")
		closed, _ := w.opens("C-BJ-01")
		over := w.peers.cases[closed]
		over.Closed = true
		w.peers.cases[closed] = over
		before := w.snapshot()
		for _, take := range []func(string) error{hold, override} {
			w.refused("no case", before, take(w.ids.New("ref")), fault.ReasonNotFound)
			if f := w.refused("a closed case", before, take(closed), fault.WrongState); f.Field != "referral_id" {
				t.Errorf("%+v", f)
			}
		}
		w.refused("another center's", before, hold(foreign), fault.ReasonNotFound)
		if err := override(foreign); err != nil {
			t.Errorf("operations see every case: %v", err)
		}
		request := w.holdRequest(30, 40)
		first, err := w.server.HoldResources(w.receiver(), request)
		if err != nil {
			t.Fatal(err)
		}
		w.peers.err = errors.New("away")
		if again, err := w.server.HoldResources(w.receiver(), request); err != nil || !proto.Equal(again, first) {
			t.Errorf("a retry while the case is away got %v, %v", again, err)
		}
		if err := hold(foreign); err == nil {
			t.Error("held for a case that nobody could be asked for")
		}
		w.hold(50, 60) // another service's
	})
}
