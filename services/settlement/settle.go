package settlement

import (
	"context"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// lookAfter is how long the call that made an intent has to finish it before the job does.
const lookAfter = 5 * time.Second

// SettleClaim writes down the intent: the claim is SETTLING under a message id, and a job will see it through. Where there
// is no direct settlement, the claim falls back to MANUAL. Call Complete after the transaction.
func (s *Service) SettleClaim(ctx context.Context, claimID, etag string) (*Claim, error) {
	who := access.From(ctx)
	return s.updateClaim(ctx, claimID, etag, ownClaim, func(ctx context.Context, c *Claim) error {
		if !c.ready() {
			return c.in(Discharged)
		}
		c.Actor = actorOf(who)
		in, err := s.splitInput(ctx, c)
		if fault.Is(err, fault.NoDirectSettlement) {
			return s.fallBack(ctx, c, fault.NoDirectSettlement)
		}
		if err != nil {
			return err
		}
		in.BusinessDay = s.today()
		c.Status, c.MessageID, c.Input = Settling, s.ids.New("msg_"+c.Province), &in
		if err := s.begin(ctx, c); err != nil {
			return err
		}
		return s.supervise(ctx, c)
	})
}

func (s *Service) completeSettlement(ctx context.Context, c *Claim) error {
	if err := s.unheld(ctx, c); err != nil {
		// Nothing was sent while it was held.
		if reason, final := refusedForGood(err); final {
			return s.during(ctx, c, Settling, func(ctx context.Context, c *Claim) error { return s.closedManual(ctx, c, reason) })
		}
		return err
	}
	a, err := s.peers.CommitSplit(ctx, c.MessageID, *c.Input)
	if closed(err) {
		// Closed by an attempt of ours that ended before it could say why: nothing was or will be committed under this id.
		// A quote has the same reasons.
		reason := fault.NoDirectSettlement
		if _, err := s.peers.QuoteSplit(ctx, *c.Input); err != nil {
			refused, final := refusedForGood(err)
			if !final {
				return err
			}
			reason = refused
		}
		return s.during(ctx, c, Settling, func(ctx context.Context, c *Claim) error { return s.closedManual(ctx, c, reason) })
	}
	if reason, final := refusedForGood(err); final {
		// A commit of the same message may still be under way: close it before giving up, or find that it took place.
		resolved, err := s.peers.ResolveMessage(ctx, c.MessageID, c.InsuredProvince)
		if err != nil {
			return err
		}
		if !resolved.Committed {
			return s.during(ctx, c, Settling, func(ctx context.Context, c *Claim) error { return s.closedManual(ctx, c, reason) })
		}
		a = resolved.Answer
	} else if err != nil {
		return err
	}
	if err := a.accept(*c.Input); err != nil {
		return err
	}
	return s.during(ctx, c, Settling, func(ctx context.Context, c *Claim) error { return s.settled(ctx, c, a) })
}

// refusedForGood tells the refusals of the insured province that asking again cannot change.
func refusedForGood(err error) (fault.Reason, bool) {
	for _, reason := range []fault.Reason{fault.NoPolicy, fault.NotEntitled, fault.ClaimManual, fault.SupervisionConfirmed} {
		if fault.Is(err, reason) {
			return reason, true
		}
	}
	return "", false
}

func closed(err error) bool {
	f, ok := fault.As(err)
	return ok && f.Reason == fault.WrongState && f.Meta["state"] == string(MessageClosed)
}

// accept refuses an answer that is not one to what was asked.
func (a Answer) accept(in SplitInput) error {
	if err := a.Split.Check(); err != nil {
		return err
	}
	if a.SettlementID == "" || a.Split.Total != in.Totals.Total || a.Split.InScope != in.Totals.InScope {
		return fault.New(fault.Internal, fault.ReasonInternal, "",
			"The insured province's answer does not fit the bill.", "参保地的答复与费用单不符。")
	}
	return nil
}

// during changes a claim only if it is still at the same step with the same messages.
func (s *Service) during(ctx context.Context, at *Claim, status ClaimStatus, change func(ctx context.Context, c *Claim) error) error {
	_, err := s.store.UpdateClaim(ctx, at.ID, "", func(ctx context.Context, c *Claim) error {
		if c.Status != status || c.MessageID != at.MessageID || c.ReversalID != at.ReversalID {
			return ErrUnchanged
		}
		return change(ctx, c)
	})
	return err
}

func (s *Service) settled(ctx context.Context, c *Claim, a Answer) error {
	entry, err := treatmentEntry(s.ids.New("ent_"+c.Province), c, a)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	if err := s.store.Post(ctx, entry, now); err != nil {
		return err
	}
	if err := s.store.CreateSettlement(ctx, &Settlement{ID: a.SettlementID, ClaimID: c.ID, MessageID: c.MessageID, Time: now, Answer: a}); err != nil {
		return err
	}
	c.Status, c.SettlementID, c.LastSettlementID, c.UnderWay = Settled, a.SettlementID, a.SettlementID, nil
	return s.tell(ctx, c, "SETTLED", a.SettlementID, &a)
}
