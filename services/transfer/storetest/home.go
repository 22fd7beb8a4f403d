package storetest

import (
	"testing"
	"time"

	"huhang.example/services/transfer"
	"huhang.example/services/transfer/pool"
)

// The receiver's ambulance, with a patient who is taken elsewhere, is the receiver's own hold, alone or beside the sender's
// crew; nobody has it until it is home or released, and who has it before keeps it.
func fetched(t *testing.T, s transfer.Store) {
	ctx := t.Context()
	const sender, receiver = "H-HF-01", "C-SH-01"
	AddUnits(t, s, sender, pool.Crew, 1)
	van := AddUnits(t, s, receiver, pool.Ambulance, 1)[0]
	hour := func(n int) time.Time { return Now.Add(time.Duration(n) * time.Hour) }
	for name, c := range map[string]struct {
		crew  bool
		at    int
		way   pool.WayHome
		own   pool.Interval // of the receiver, behind it
		until int           // at is free
	}{
		"handed over":                        {crew: true, at: 6, way: pool.WayHome{Home: hour(12), Arrived: true}, until: 6},
		"refused":                            {crew: true, at: 7, way: pool.WayHome{Home: hour(14), Aboard: true, AtDoor: true}, until: 14},
		"refused, and nobody came with them": {at: 8, way: pool.WayHome{Home: hour(16), Aboard: true, AtDoor: true}, until: 16},
		"refused, and wanted":                {crew: true, at: 7, way: pool.WayHome{Home: hour(14), Aboard: true, AtDoor: true}, own: Need("", pool.Ambulance, 10, 11).Interval, until: 10},
		"diverted before it left":            {crew: true, at: 4, way: pool.WayHome{Home: hour(8), Aboard: true}, until: 4},
	} {
		h := NewHold()
		h.TransferID, h.Organisation = ids.New("trf"), sender
		needs := []pool.Need{Need(receiver, pool.Ambulance, 5, 7)}
		if c.crew {
			needs = append(needs, Need(sender, pool.Crew, 0, 9))
		}
		made := must[pool.Hold](t)(s.Hold(ctx, h, needs, Now))
		must[pool.Hold](t)(s.UpdateHold(ctx, made.ID, func(h *pool.Hold) error { return h.Confirm(Now) }))
		after := []string{made.ID}
		if !c.own.End.IsZero() {
			own := NewHold()
			own.Purpose, own.Status = pool.OwnUse, pool.Confirmed
			after = append(after, must[pool.Hold](t)(s.Hold(ctx, own, []pool.Need{{Organisation: receiver, Kind: pool.Ambulance, Interval: c.own}}, Now)).ID)
		}
		c.way.Receiver, c.way.ReceiverHold = receiver, ids.New("hld")
		if err := s.GoHome(ctx, made.ID, c.way, hour(c.at)); err != nil {
			t.Fatal(name, err)
		}
		if held := must[[]pool.Hold](t)(s.HeldBy(ctx, h.TransferID, hour(c.at))); len(held) != 0 {
			t.Errorf("%s: the transfer holds %+v", name, held)
		}
		var stays []pool.Reservation
		for _, r := range must[pool.Resource](t)(s.Resource(ctx, van, hour(c.at))).Reservations {
			if r.HoldID == c.way.ReceiverHold {
				stays = append(stays, r)
			}
		}
		if c.until == c.at {
			if len(stays) != 0 {
				t.Errorf("%s: %+v", name, stays)
			}
		} else if len(stays) != 1 || !stays[0].End.Equal(hour(c.until)) || stays[0].Purpose != pool.Return || !stays[0].Confirmed {
			t.Errorf("%s: %+v, want until %d", name, stays, c.until)
		} else {
			own := must[pool.Hold](t)(s.GetHold(ctx, c.way.ReceiverHold))
			if own.Organisation != receiver || own.Status != pool.Confirmed || own.TransferID != "" {
				t.Errorf("%s: %+v", name, own)
			}
			after = append(after, own.ID)
		}
		want := pool.Released // nothing is left in it
		if c.crew {
			want = pool.Confirmed
		}
		if sent := must[pool.Hold](t)(s.GetHold(ctx, made.ID)); sent.Status != want {
			t.Errorf("%s: the sender's hold is %s", name, sent.Status)
		}
		for _, id := range after {
			must[pool.Hold](t)(s.UpdateHold(ctx, id, func(h *pool.Hold) error { h.Release("示范"); return nil }))
		}
		if n := must[[]int](t)(s.CountFree(ctx, []string{receiver}, pool.Ambulance, Need("", pool.Ambulance, c.at, 20).Interval, hour(c.at)))[0]; n != 1 {
			t.Errorf("%s: %d free after the release", name, n)
		}
	}
}
