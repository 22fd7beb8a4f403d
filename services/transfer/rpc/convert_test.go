package rpc

import (
	"testing"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/pool"
)

// Names are matched by text: every one of the domain must be in the proto, and the other way round.
func TestNamesMatchTheProto(t *testing.T) {
	for _, m := range append([]planner.Mode{planner.Transfer}, planner.Modes...) {
		if modeTo(m) == 0 {
			t.Errorf("mode %s", m)
		}
	}
	if len(transferv1.Mode_name) != len(planner.Modes)+2 {
		t.Error("the proto has other modes")
	}
	for _, k := range []pool.Kind{pool.Bed, pool.OperatingRoom, pool.ExpertSlot, pool.TestSlot, pool.Ambulance, pool.Crew} {
		if kindTo(k) == 0 || kindFrom(kindTo(k)) != k {
			t.Errorf("kind %s", k)
		}
	}
	for _, s := range []transfer.Status{transfer.Planned, transfer.Ready, transfer.InTransit, transfer.Arrived, transfer.Aborted} {
		if got := transferTo(transfer.Transfer{Status: s}).GetStatus(); got == 0 || statusFrom(got) != s {
			t.Errorf("status %s", s)
		}
	}
	for _, s := range []pool.Status{pool.Held, pool.Confirmed, pool.Released, pool.Expired} {
		if holdTo(pool.Hold{Status: s}).GetStatus() == 0 {
			t.Errorf("hold status %s", s)
		}
	}
	for _, item := range transfer.Items {
		if transferv1.HandOverItem_value[itemPrefix+string(item)] == 0 {
			t.Errorf("item %s", item)
		}
	}
	if len(transferv1.HandOverItem_name) != len(transfer.Items)+1 {
		t.Error("the proto has other items")
	}
	for grade, want := range map[planner.Escort]transferv1.Escort{
		planner.EscortNone: transferv1.Escort_ESCORT_NONE, planner.EscortNurse: transferv1.Escort_ESCORT_NURSE, planner.EscortICU: transferv1.Escort_ESCORT_ICU,
	} {
		if transferv1.Escort(grade) != want {
			t.Errorf("escort %d", grade)
		}
	}
}
