package settlement

import (
	"context"
	"errors"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// UnderWay tells of a step whose outcome at the insured province is not known yet.
type UnderWay struct {
	Since time.Time `json:"since"`
	Tries int32     `json:"tries"`
	// Last is the last try, Reason why it was in vain, Next when the following one is due.
	Last   time.Time    `json:"last"`
	Reason fault.Reason `json:"reason,omitempty"`
	Next   time.Time    `json:"next"`
	// Told says that the case knows that it waits longer than declared.
	Told bool `json:"told,omitempty"`
	// Hits are the findings of supervision that held it before it was sent; HeldBy is the province whose agency may release
	// it, while that is what it waits for.
	Hits   []string `json:"hits,omitempty"`
	HeldBy string   `json:"held_by,omitempty"`
}

// begin marks the claim as waiting for its insured province, and makes a job see it through.
func (s *Service) begin(ctx context.Context, c *Claim) error {
	now := s.clock.Now()
	c.UnderWay = &UnderWay{Since: now, Next: now.Add(lookAfter)}
	return s.store.CompleteLater(ctx, c.ID, c.UnderWay.Next)
}

// ManualTime is when a claim without an outcome falls to a manual one; zero where it does not.
func (s *Service) ManualTime(c *Claim) time.Time {
	if c.Status != Settling || c.UnderWay == nil {
		return time.Time{}
	}
	return c.UnderWay.Since.Add(s.rules.Life.manualAfter())
}

// Complete sees a step through that was begun, if it is still under way: it asks the insured province under the message id
// of the intent. It may be called any number of times, at the same time. An error means that the outcome is not known
// yet: the claim then says why and when it is asked next, and once the declared time is over, it falls to a manual claim.
func (s *Service) Complete(ctx context.Context, claimID string) error {
	c, err := s.store.Claim(ctx, claimID)
	if err != nil {
		return err
	}
	if err = s.advance(ctx, c); err == nil {
		return nil
	}
	// The caller's patience may be at its end; that the try was in vain is written down all the same.
	return errors.Join(err, s.missed(context.WithoutCancel(ctx), c, err))
}

func (s *Service) advance(ctx context.Context, c *Claim) error {
	switch {
	case c.Status == Settling:
		return s.completeSettlement(ctx, c)
	case c.Status == Reversing:
		return s.completeReversal(ctx, c)
	case c.withdrawing():
		return s.withdraw(ctx, c)
	}
	return nil
}

// missed writes down a try in vain. A claim that has waited for its declared time falls to a manual claim here, with its
// message still to be closed at the insured province: until that is done nobody can pay it there.
func (s *Service) missed(ctx context.Context, at *Claim, cause error) error {
	reason, heldBy := fault.ReasonInternal, ""
	if f, ok := fault.As(cause); ok {
		reason = f.Reason
	}
	if f, ok := fault.As(cause); ok && f.Reason == fault.SupervisionHeld {
		heldBy = f.Meta["province"]
	}
	return s.during(ctx, at, at.Status, func(ctx context.Context, c *Claim) error {
		now := s.clock.Now()
		if c.UnderWay == nil {
			c.UnderWay = &UnderWay{Since: now}
		}
		w := c.UnderWay
		w.Tries++
		w.Last, w.Reason, w.HeldBy, w.Next = now, reason, heldBy, now.Add(s.rules.Life.pause(w.Tries))
		if c.Status == Settling && !now.Before(s.ManualTime(c)) {
			return s.fallBack(ctx, c, reason)
		}
		return s.tellStuck(ctx, c, now)
	})
}

// tellStuck tells the case, once, that a claim has waited longer than declared. The try before that is not put off beyond it.
// What ends the waiting is told as itself; a manual claim is known to the case already.
func (s *Service) tellStuck(ctx context.Context, c *Claim, now time.Time) error {
	w := c.UnderWay
	if w.Told || c.Status != Settling && c.Status != Reversing {
		return nil
	}
	stuck := w.Since.Add(s.rules.Life.stuckAfter())
	if now.Before(stuck) {
		if w.Next.After(stuck) {
			w.Next = stuck
		}
		return nil
	}
	w.Told = true
	return s.tell(ctx, c, "UNANSWERED", s.occasion(c), nil)
}

// NextTry is when a claim is to be looked after again, seen from now; false once nothing is under way.
func (s *Service) NextTry(ctx context.Context, claimID string) (time.Duration, bool, error) {
	c, err := s.store.Claim(ctx, claimID)
	if err != nil || c.UnderWay == nil {
		return 0, false, err
	}
	return max(c.UnderWay.Next.Sub(s.clock.Now()), time.Second), true, nil
}

// ListStuckClaims lists the claims of a treatment province that have no outcome for at least the time given, the oldest
// first; zero: the time of the rules.
func (s *Service) ListStuckClaims(ctx context.Context, province string, older time.Duration, cursor string, limit int) ([]*Claim, string, error) {
	if err := s.serves(province); err != nil {
		return nil, "", err
	}
	if who := access.From(ctx); !who.Has(access.Operations) {
		if err := ownProvince(who, province); err != nil {
			return nil, "", err
		}
	}
	if older == 0 {
		older = s.rules.Life.stuckAfter()
	}
	return s.store.UnderWay(ctx, province, s.clock.Now().Add(-older), cursor, limit)
}

// MayAskAgain refuses a caller who has no part in the claim. The asking itself is Complete, outside any transaction.
func (s *Service) MayAskAgain(ctx context.Context, claimID string) (*Claim, error) {
	_, c, err := s.visibleClaim(ctx, claimID)
	if err != nil {
		return nil, err
	}
	who := access.From(ctx)
	if who.Has(access.Operations) || who.Has(access.Agency) {
		return c, nil
	}
	return c, ownClaim(who, c)
}
