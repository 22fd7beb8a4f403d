package transfer

import (
	"context"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/pool"
)

// step changes one transfer of the caller's end and whatever after does, in one transaction.
func (s *Service) step(
	ctx context.Context, transferID, etag string, by func(Transfer) end,
	change func(*Transfer) error, after func(ctx context.Context, t *Transfer) error,
) (Transfer, error) {
	var out Transfer
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		ctx, seen, err := s.visible(ctx, transferID)
		if err != nil {
			return err
		}
		if err := mustBe(ctx, by(seen)); err != nil {
			return err
		}
		out, err = s.store.Update(ctx, transferID, etag, func(t *Transfer) error {
			if err := change(t); err != nil {
				return err
			}
			return after(ctx, t)
		})
		return err
	})
	if err != nil {
		return Transfer{}, err
	}
	return out, nil
}

// end is one end of a transfer, and whose steps there they are; without a role of whoever has a right to the call.
type end struct {
	organisation string
	role         access.Role
}

// The way back is the center's to send and the local hospital's to receive.
func sender(t Transfer) end {
	if t.Back {
		return end{t.From, access.Center}
	}
	return end{t.From, access.Coordinator}
}

func receiver(t Transfer) end {
	if t.Back {
		return end{t.To, access.Coordinator}
	}
	return end{t.To, access.Center}
}

// either end may do it: the caller's own, if it is one of the two.
func either(ctx context.Context) func(Transfer) end {
	return func(t Transfer) end {
		if access.From(ctx).Organisation == t.To {
			return end{organisation: t.To}
		}
		return end{organisation: t.From}
	}
}

// CheckFitness records the state before leaving; unfit, or a way that is not for that state, aborts the transfer and
// frees its crew. A state that needs an escort which the plan did not have takes a crew now: RESOURCE_TAKEN.
func (s *Service) CheckFitness(ctx context.Context, transferID, etag string, f planner.Fitness, unfit bool) (Transfer, error) {
	return s.step(ctx, transferID, etag, sender, func(t *Transfer) error {
		return t.CheckFitness(s.planner.Rules(), f, unfit, s.clock.Now())
	}, func(ctx context.Context, t *Transfer) error {
		if t.Status == Aborted {
			return s.finish(ctx, *t, EventAborted, time.Time{})
		}
		live, err := s.store.HeldBy(ctx, t.ID, s.clock.Now())
		if err != nil {
			return err
		}
		// A hold that has expired is not taken again behind anybody's back: the departure says so.
		if t.Itinerary.Escort.NeedsCrew() && (t.HoldID == "" || len(live) > 0) {
			missing, err := s.bookFrom(ctx, t, t.Itinerary, t.Itinerary.Arrive) // the crew alone
			if err != nil {
				return err
			}
			if missing != nil {
				return pool.Taken(*missing)
			}
		}
		return s.note(ctx, *t, changeChecked, "")
	})
}

// Depart records the departure and books the crew for good. Besides the transfer's own refusals: HOLD_EXPIRED when the
// patient leaves so late that the crew was given back.
func (s *Service) Depart(ctx context.Context, transferID, etag string) (Transfer, error) {
	return s.step(ctx, transferID, etag, sender, func(t *Transfer) error {
		return t.Depart(s.clock.Now())
	}, func(ctx context.Context, t *Transfer) error {
		if t.HoldID != "" {
			if _, err := s.store.UpdateHold(ctx, t.HoldID, func(h *pool.Hold) error { return h.Confirm(s.clock.Now()) }); err != nil {
				return err
			}
		}
		// Who leaves late may miss a train; who leaves early waits.
		t.Tracks = []Track{{Departed: t.DepartedTime}}
		if err := s.report(ctx, *t, EventDeparted, later(t.Itinerary.Arrive, t.Itinerary.Arrive.Add(t.DepartedTime.Sub(t.Itinerary.Depart)))); err != nil {
			return err
		}
		_, err := s.revise(ctx, t)
		return err
	})
}

// SignHandOver records the sending side's signature: the caller's own, or whom a hospital's own system names.
func (s *Service) SignHandOver(ctx context.Context, transferID, etag, named string, at time.Time) (Transfer, error) {
	return s.step(ctx, transferID, etag, sender, func(t *Transfer) error {
		if err := ofTheEnd(ctx, sender(*t)); err != nil {
			return err
		}
		by, self := named, person(ctx)
		if self != "" && named != "" && named != self {
			return fault.New(fault.InvalidArgument, fault.FieldInvalid, "signed_by",
				"A person signs as themselves; leave it empty.", "须由本人签字，请留空。")
		}
		if by == "" {
			by = self
		}
		return t.Sign(by, at, s.clock.Now())
	}, func(ctx context.Context, t *Transfer) error {
		if t.Status == Arrived {
			return s.finish(ctx, *t, EventArrived, t.ArrivedTime)
		}
		return s.signed(ctx, t, signedSender)
	})
}

// HandOver records arrival at the ward by the receiving side's signature: at once where the sending side has signed or h
// says who did there, else when it signs.
func (s *Service) HandOver(ctx context.Context, transferID, etag string, h HandOver) (Transfer, error) {
	atDoor := false
	return s.step(ctx, transferID, etag, receiver, func(t *Transfer) error {
		if err := ofTheEnd(ctx, receiver(*t)); err != nil {
			return err
		}
		atDoor = !t.DoorTime.IsZero()
		return t.Receive(h, person(ctx), s.clock.Now())
	}, func(ctx context.Context, t *Transfer) error {
		if t.Status == Arrived {
			return s.finish(ctx, *t, EventArrived, t.ArrivedTime)
		}
		if err := s.signed(ctx, t, signedReceiver); err != nil || atDoor {
			return err
		}
		return s.atDoor(ctx, t)
	})
}

// signed tells the case and both ends that one side has signed.
func (s *Service) signed(ctx context.Context, t *Transfer, side string) error {
	if err := s.note(ctx, *t, EventSigned, side); err != nil {
		return err
	}
	return s.tell(ctx, *t, EventSigned, time.Time{})
}

// ofTheEnd refuses everybody else, also those who run the line: they sign for nobody.
func ofTheEnd(ctx context.Context, of end) error {
	if access.From(ctx).Organisation == of.organisation {
		return nil
	}
	return rightMissing("", "Each side signs the hand-over itself.", "交接须由双方各自签字。")
}

// person is who calls; empty for a hospital's own system.
func person(ctx context.Context) string {
	if subject := access.From(ctx).Subject; subject != access.OwnSystem {
		return subject
	}
	return ""
}

// AbortTransfer ends a transfer and frees its crew.
func (s *Service) AbortTransfer(ctx context.Context, transferID, etag, code string) (Transfer, error) {
	return s.step(ctx, transferID, etag, sender, func(t *Transfer) error {
		return t.Abort(code, s.clock.Now())
	}, func(ctx context.Context, t *Transfer) error {
		return s.finish(ctx, *t, EventAborted, time.Time{})
	})
}

// finish frees what an ended transfer held and tells both ends and the case.
func (s *Service) finish(ctx context.Context, t Transfer, kind string, arrive time.Time) error {
	if err := s.release(ctx, t); err != nil {
		return err
	}
	return s.report(ctx, t, kind, arrive)
}
