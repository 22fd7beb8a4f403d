package transfer

import (
	"context"
	"fmt"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/transfer/pool"
)

// Named is the case that a hold names, gathered before the transaction.
type Named struct {
	of  Case
	err error
}

// PrepareHold asks for the case as the caller may see it. A failure is kept for the hold, as that of a transfer is. Another
// service holds for cases that it knows.
func (s *Service) PrepareHold(ctx context.Context, referralID string) Named {
	if access.From(ctx).Has(access.Service) {
		return Named{}
	}
	of, err := s.peers.VisibleCase(ctx, referralID)
	return Named{of, err}
}

// goesOn refuses a case that the caller does not see, and a closed one: nothing is taken for it any more.
func (n Named) goesOn() error {
	if n.err == nil && n.of.Closed {
		return fault.New(fault.FailedPrecondition, fault.WrongState, "referral_id", "The case is closed.", "该病例已结案。").With("state", n.of.State)
	}
	return n.err
}

// HoldResources takes a unit for every need, or none. A center takes its own units only, for a case that it sees.
//
// Faults: NOT_FOUND and WRONG_STATE for the case, RIGHT_MISSING, TIME_INVALID and FIELD_INVALID naming the need, RESOURCE_TAKEN naming kind and organisation.
func (s *Service) HoldResources(ctx context.Context, referralID string, named Named, organisation string, needs []pool.Need, expire time.Time) (pool.Hold, error) {
	ctx = telemetry.WithReferral(ctx, referralID)
	if caller := access.From(ctx); !caller.Has(access.Service) {
		if caller.Organisation != organisation {
			return pool.Hold{}, rightMissing("organisation", "A center holds for itself only.", "移植中心只能为本院预占。")
		}
		for i, need := range needs {
			if need.Organisation != caller.Organisation {
				return pool.Hold{}, rightMissing(fmt.Sprintf("needs[%d].organisation", i),
					"A center holds its own units only.", "移植中心只能预占本院资源。")
			}
		}
	}
	now := s.clock.Now()
	if err := pool.CheckNeeds(needs, expire, now); err != nil {
		return pool.Hold{}, err
	}
	if err := named.goesOn(); err != nil {
		return pool.Hold{}, err
	}
	return s.store.Hold(ctx, pool.Hold{
		ID: s.ids.New("hld"), ReferralID: referralID, Organisation: organisation, Status: pool.Held, Expire: expire,
	}, needs, now)
}

// ownHold returns a hold that is the caller's organisation's; NOT_FOUND for others.
func (s *Service) ownHold(ctx context.Context, holdID string) (context.Context, error) {
	h, err := s.store.GetHold(ctx, holdID)
	if err != nil {
		return ctx, err
	}
	caller := access.From(ctx)
	if !caller.Has(access.Service) && (caller.Organisation == "" || caller.Organisation != h.Organisation) {
		return ctx, fault.NotFoundf("hold", holdID)
	}
	return telemetry.WithReferral(ctx, h.ReferralID), nil
}

// GetHold returns a hold to the organisation it is for, the owners of its units and those who run the line.
func (s *Service) GetHold(ctx context.Context, holdID string) (pool.Hold, error) {
	h, err := s.store.GetHold(ctx, holdID)
	if err != nil {
		return pool.Hold{}, err
	}
	organisations := []string{h.Organisation}
	for _, r := range h.Reservations {
		organisations = append(organisations, r.Organisation)
	}
	if !access.From(ctx).MaySee(organisations...) {
		return pool.Hold{}, fault.NotFoundf("hold", holdID)
	}
	return h, nil
}

// ConfirmHold turns a hold into bookings; confirming again changes nothing. HOLD_EXPIRED, WRONG_STATE after a release.
func (s *Service) ConfirmHold(ctx context.Context, holdID string) (pool.Hold, error) {
	var out pool.Hold
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		ctx, err := s.ownHold(ctx, holdID)
		if err != nil {
			return err
		}
		out, err = s.store.UpdateHold(ctx, holdID, func(h *pool.Hold) error { return h.Confirm(s.clock.Now()) })
		return err
	})
	return out, err
}

// ReleaseHold frees a hold or its bookings and tells the case; releasing what is free changes nothing. A crew belongs to
// its transfer and is freed by aborting that: WRONG_STATE.
func (s *Service) ReleaseHold(ctx context.Context, holdID, reason string) (pool.Hold, error) {
	var out pool.Hold
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		ctx, err := s.ownHold(ctx, holdID)
		if err != nil {
			return err
		}
		freed := false
		out, err = s.store.UpdateHold(ctx, holdID, func(h *pool.Hold) error {
			before := h.Status
			if h.TransferID != "" && h.Live(s.clock.Now()) {
				return fault.New(fault.FailedPrecondition, fault.WrongState, "hold_id",
					"The crew belongs to a transfer; abort that instead.", "该护送团队属于转运任务，请中止转运。").
					With("transfer_id", h.TransferID).With("state", string(before))
			}
			h.Release(reason)
			freed = h.Status != before
			return nil
		})
		if err != nil || !freed || out.Purpose != pool.Referral {
			return err
		}
		if err := s.lookAgain(ctx, out.ReferralID); err != nil {
			return err
		}
		return s.store.Report(ctx, HoldEvent(out, EventHoldReleased, s.clock.Now()))
	})
	return out, err
}

// lookAgain leaves a job for the case's transfer where its bookings could not follow: what was changed by hand may fit now.
func (s *Service) lookAgain(ctx context.Context, referralID string) error {
	if referralID == "" {
		return nil
	}
	list, _, err := s.store.List(ctx, ListFilter{ReferralID: referralID}, "", 1)
	if err != nil || len(list) == 0 || list[0].Status.Ended() || list[0].BookedFor.IsZero() {
		return err
	}
	return s.store.Revise(ctx, list[0])
}

// ExpireHold ends a hold whose time is over and tells the case. It returns how long there is still to wait, 0 when
// there is nothing left to do.
func (s *Service) ExpireHold(ctx context.Context, holdID string) (time.Duration, error) {
	var wait time.Duration
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		now, ended := s.clock.Now(), false
		wait = 0
		h, err := s.store.UpdateHold(ctx, holdID, func(h *pool.Hold) error {
			ended = h.ExpireAt(now)
			if h.Status == pool.Held {
				wait = h.Expire.Sub(now)
			}
			return nil
		})
		if err != nil || !ended && h.Status != pool.Expired {
			return err
		}
		if h.Purpose == pool.Transfer { // also where another patient took the crew before this job came
			return s.crewGone(telemetry.WithReferral(ctx, h.ReferralID), h)
		}
		if !ended || h.Purpose != pool.Referral {
			return nil
		}
		return s.store.Report(telemetry.WithReferral(ctx, h.ReferralID), HoldEvent(h, EventHoldExpired, now))
	})
	return wait, err
}

// Deliver tells the case of an event; the job of Report calls it until it succeeds.
func (s *Service) Deliver(ctx context.Context, event CaseEvent) error {
	return s.peers.RecordCaseEvent(telemetry.WithReferral(ctx, event.ReferralID), event)
}
