package settlement

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/settlement/ledger"
)

// ReverseSettlement writes down the intent to undo a settlement whole. Call Complete after the transaction.
func (s *Service) ReverseSettlement(ctx context.Context, claimID, etag, reason string) (*Claim, error) {
	who := access.From(ctx)
	return s.updateClaim(ctx, claimID, "", mayReverse, func(ctx context.Context, c *Claim) error {
		if c.Status != Settled {
			return wrongState(string(c.Status))
		}
		if err := c.seen(etag); err != nil {
			return err
		}
		c.Status, c.ReversalID, c.ReversalReason, c.Actor = Reversing, s.ids.New("rev_"+c.Province), reason, actorOf(who)
		c.ReversalDay = s.today()
		return s.begin(ctx, c)
	})
}

// mayReverse lets the center of the claim and the treatment province's agency, which watches it, undo a settlement.
func mayReverse(who access.Caller, c *Claim) error {
	if who.Has(access.Agency) && who.Province == c.Province {
		return nil
	}
	return ownClaim(who, c)
}

func (s *Service) completeReversal(ctx context.Context, c *Claim) error {
	if err := s.peers.ReverseSplit(ctx, c.ReversalID, c.MessageID, c.InsuredProvince, c.ReversalReason, c.ReversalDay); err != nil {
		return err
	}
	return s.during(ctx, c, Reversing, func(ctx context.Context, c *Claim) error {
		undone := c.SettlementID
		if err := s.store.MarkReversed(ctx, undone); err != nil {
			return err
		}
		if err := s.postReversal(ctx, c.Province, ledger.Treatment, undone, c.ReversalDay); err != nil {
			return err
		}
		c.Status, c.SettlementID, c.MessageID, c.Input = c.unsettled(), "", "", nil
		c.ReversalID, c.ReversalReason, c.ReversalDay, c.UnderWay = "", "", "", nil
		return s.tell(ctx, c, "REVERSED", undone, nil)
	})
}

// postReversal posts the mirrored entry of a settlement; a bill that moved no money has none.
func (s *Service) postReversal(ctx context.Context, province string, side ledger.Side, settlementID, day string) error {
	entry, err := s.store.Entry(ctx, province, side, ledger.Settlement, settlementID)
	if fault.Is(err, fault.ReasonNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	mirrored, err := entry.Reverse(s.ids.New("ent_"+province), day)
	if err != nil {
		return err
	}
	return s.store.Post(ctx, mirrored, s.clock.Now())
}
