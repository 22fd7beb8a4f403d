package settlement

import (
	"context"
	"slices"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// FeeLines returns the lines of a claim that stand, after the number given.
func (s *Service) FeeLines(ctx context.Context, claimID string, after int32, limit int) (lines []FeeLine, more bool, err error) {
	ctx, c, err := s.visibleClaim(ctx, claimID)
	if err != nil {
		return nil, false, err
	}
	all, err := s.store.Lines(ctx, c.ID)
	if err != nil {
		return nil, false, err
	}
	from, _ := slices.BinarySearchFunc(all, after+1, func(l FeeLine, n int32) int { return int(l.Number) - int(n) })
	all = all[from:]
	return all[:min(limit, len(all))], len(all) > limit, nil
}

// RecallFeeLines takes lines of an open claim back, those of the numbers given or all; they can be uploaded again. What
// was recalled is kept beside the claim.
func (s *Service) RecallFeeLines(ctx context.Context, claimID, etag string, numbers []int32) (*Claim, error) {
	return s.updateClaim(ctx, claimID, etag, ownClaim, func(ctx context.Context, c *Claim) error {
		if err := c.in(Open); err != nil {
			return err
		}
		have, err := s.store.Lines(ctx, claimID)
		if err != nil {
			return err
		}
		if len(numbers) == 0 {
			for _, l := range have {
				numbers = append(numbers, l.Number)
			}
		}
		rest, err := without(have, numbers)
		if err != nil {
			return err
		}
		b := newBill(rest)
		c.Total, c.LineCount = b.total, int32(len(rest))
		return s.store.RecallLines(ctx, claimID, c.Version, numbers)
	})
}

// without returns the lines that stay when some go: no line goes that is not there, and no charge without its refunds.
func without(have []FeeLine, numbers []int32) ([]FeeLine, error) {
	going := make(map[int32]bool, len(numbers))
	for _, n := range numbers {
		going[n] = true
	}
	var rest []FeeLine
	for _, l := range have {
		if going[l.Number] {
			delete(going, l.Number)
			continue
		}
		rest = append(rest, l)
	}
	if len(going) > 0 {
		return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "line_numbers",
			"The claim has no line of this number.", "该费用单没有此编号的明细。")
	}
	for _, l := range rest {
		if l.RefundOf != 0 && slices.Contains(numbers, l.RefundOf) {
			return nil, fault.New(fault.InvalidArgument, fault.RefundInvalid, "line_numbers",
				"A charge is recalled together with its refunds.", "撤销收费明细时须同时撤销其退费。")
		}
	}
	return rest, nil
}

// CancelDischarge takes a discharge back, and the case learns that its bill is open again.
func (s *Service) CancelDischarge(ctx context.Context, claimID, etag string) (*Claim, error) {
	who := access.From(ctx)
	return s.updateClaim(ctx, claimID, etag, ownClaim, func(ctx context.Context, c *Claim) error {
		if err := c.in(Discharged); err != nil {
			return err
		}
		c.Status, c.DischargeDate, c.Actor = Open, "", actorOf(who)
		return s.tell(ctx, c, "REOPENED", s.occasion(c), nil)
	})
}

// CancelAdmission takes an admission back, once no line stands; the case learns that it has no such bill.
func (s *Service) CancelAdmission(ctx context.Context, claimID, etag string) (*Claim, error) {
	who := access.From(ctx)
	return s.updateClaim(ctx, claimID, etag, ownClaim, func(ctx context.Context, c *Claim) error {
		if err := c.in(Open); err != nil {
			return err
		}
		if c.LineCount > 0 {
			return fault.New(fault.FailedPrecondition, fault.WrongState, "",
				"Fee lines stand: recall them first.", "仍有费用明细，请先撤销。").With("state", string(c.Status))
		}
		c.Status, c.Actor = Cancelled, actorOf(who)
		return s.tell(ctx, c, "CANCELLED", s.occasion(c), nil)
	})
}
