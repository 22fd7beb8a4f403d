package storetest

import (
	"context"
	"testing"

	"huhang.example/services/internal/fault"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/pool"
)

// A hold that is refused takes nothing and stops nothing: what else the transaction does commits.
func tries(t *testing.T, s transfer.Store) {
	AddUnits(t, s, "C-SH-01", pool.Bed, 1)
	need := []pool.Need{Need("C-SH-01", pool.Bed, 1, 9)}
	var first, second pool.Hold
	var refused *fault.Fault
	other := Transfer("H-HF-01", "C-SH-01", Now)
	err := s.Atomically(t.Context(), func(ctx context.Context) (err error) {
		if first, refused, err = s.TryHold(ctx, NewHold(), need, Now); err != nil || refused != nil {
			t.Fatalf("%v, %v", refused, err)
		}
		if second, refused, err = s.TryHold(ctx, NewHold(), need, Now); err != nil {
			return err
		}
		_, err = s.Insert(ctx, other)
		return err
	})
	if err != nil || refused == nil || refused.Reason != fault.ResourceTaken || second.ID != "" {
		t.Fatalf("%v, %v, %+v", err, refused, second)
	}
	must[transfer.Transfer](t)(s.Get(t.Context(), other.ID))
	if got := must[pool.Hold](t)(s.GetHold(t.Context(), first.ID)); len(got.Reservations) != 1 {
		t.Errorf("%+v", got)
	}
	if n := free(t, s, pool.Bed, 1, 9, Now); n != 0 {
		t.Errorf("%d beds free", n)
	}
}
