package transfer

import (
	"context"
	"time"

	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/pool"
)

// step changes one transfer of the caller's end and whatever after does, in one transaction.
func (s *Service) step(
	ctx context.Context, transferID, etag string, end func(Transfer) string,
	change func(*Transfer) error, after func(ctx context.Context, t *Transfer) error,
) (Transfer, error) {
	var out Transfer
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		ctx, seen, err := s.visible(ctx, transferID)
		if err != nil {
			return err
		}
		if err := mustBe(ctx, end(seen)); err != nil {
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

func sender(t Transfer) string   { return t.From }
func receiver(t Transfer) string { return t.To }

// CheckFitness records the state before leaving; unfit, or a way that is not for that state, aborts the transfer and
// frees its crew. A state that needs an escort which the plan did not have takes a crew now: RESOURCE_TAKEN.
func (s *Service) CheckFitness(ctx context.Context, transferID, etag string, f planner.Fitness, unfit bool) (Transfer, error) {
	return s.step(ctx, transferID, etag, sender, func(t *Transfer) error {
		return t.CheckFitness(s.planner.Rules(), f, unfit, s.clock.Now())
	}, func(ctx context.Context, t *Transfer) error {
		switch {
		case t.Status == Aborted:
			if err := s.freeCrew(ctx, *t); err != nil {
				return err
			}
			return s.report(ctx, *t, EventAborted, time.Time{})
		case t.Itinerary.Escort.NeedsCrew() && t.HoldID == "":
			hold, err := s.holdCrew(ctx, *t)
			t.HoldID = hold.ID
			return err
		}
		return nil
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
		// Late or early, the way takes as long as it was planned to.
		arrive := t.Itinerary.Arrive
		if late := t.DepartedTime.Sub(t.Itinerary.Depart); late > 0 {
			arrive = arrive.Add(late)
		}
		return s.report(ctx, *t, EventDeparted, arrive)
	})
}

// HandOver records arrival at the ward.
func (s *Service) HandOver(ctx context.Context, transferID, etag string, h HandOver) (Transfer, error) {
	return s.step(ctx, transferID, etag, receiver, func(t *Transfer) error {
		return t.Complete(h, s.clock.Now())
	}, func(ctx context.Context, t *Transfer) error {
		return s.report(ctx, *t, EventArrived, t.ArrivedTime)
	})
}

// AbortTransfer ends a transfer and frees its crew.
func (s *Service) AbortTransfer(ctx context.Context, transferID, etag, code string) (Transfer, error) {
	return s.step(ctx, transferID, etag, sender, func(t *Transfer) error {
		return t.Abort(code)
	}, func(ctx context.Context, t *Transfer) error {
		if err := s.freeCrew(ctx, *t); err != nil {
			return err
		}
		return s.report(ctx, *t, EventAborted, time.Time{})
	})
}
