package settlement

import (
	"context"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/split"
)

// fallBack ends the way of direct settlement: a manual claim with its papers complete remains. Where a message is out
// whose end is not known, the claim stays under way until that message is closed or undone.
func (s *Service) fallBack(ctx context.Context, c *Claim, reason fault.Reason) error {
	c.Status, c.ManualReason = Manual, string(reason)
	kind := "MANUAL"
	if c.Accepted != nil {
		kind = accepted
	}
	return s.tell(ctx, c, kind, s.occasion(c), nil)
}

// closedManual is fallBack where the insured province is known to have committed nothing and never will.
func (s *Service) closedManual(ctx context.Context, c *Claim, reason fault.Reason) error {
	c.MessageID, c.Input, c.UnderWay = "", nil, nil
	return s.fallBack(ctx, c, reason)
}

// withdrawing reports whether a manual claim still has a message at the insured province to be closed or undone.
func (c *Claim) withdrawing() bool { return c.Status == Manual && c.MessageID != "" }

// withdraw closes the message of a manual claim at the insured province. Had it been committed there, it is undone: the
// papers are out, and the patient has paid.
func (s *Service) withdraw(ctx context.Context, c *Claim) error {
	resolved, err := s.peers.ResolveMessage(ctx, c.MessageID, c.InsuredProvince)
	if err != nil {
		return err
	}
	if resolved.Committed && !resolved.Reversed {
		// The reversal's id follows from the message's: any number of attempts are one. Its day is the message's own, so that
		// the day's totals agree with this province's, which has neither.
		if err := s.peers.ReverseSplit(ctx, withdrawal(c.MessageID), c.MessageID, c.InsuredProvince, "fallen to a manual claim", c.Input.BusinessDay); err != nil {
			return err
		}
	}
	return s.during(ctx, c, Manual, func(_ context.Context, c *Claim) error {
		c.MessageID, c.Input, c.UnderWay = "", nil, nil
		return nil
	})
}

// withdrawal is the id of the reversal that withdraws a message.
func withdrawal(messageID string) string { return "wdr" + messageID[3:] }

// FallToManual ends the way of direct settlement on the center's or its agency's word: of a claim that is ready, or whose
// settlement has no outcome. Call Complete after the transaction.
func (s *Service) FallToManual(ctx context.Context, claimID, etag string) (*Claim, error) {
	who := access.From(ctx)
	return s.updateClaim(ctx, claimID, etag, mayReverse, func(ctx context.Context, c *Claim) error {
		c.Actor = actorOf(who)
		if c.Status == Settling {
			return s.fallBack(ctx, c, fault.ClaimUnderWay)
		}
		if !c.ready() {
			return c.in(Discharged, Settling)
		}
		return s.fallBack(ctx, c, fault.NoDirectSettlement)
	})
}

// ResumeDirect takes a manual claim back to direct settlement: what stood in the way may be gone. The insured province
// refuses it still if it took the manual claim meanwhile.
func (s *Service) ResumeDirect(ctx context.Context, claimID, etag string) (*Claim, error) {
	who := access.From(ctx)
	return s.updateClaim(ctx, claimID, etag, ownClaim, func(ctx context.Context, c *Claim) error {
		if err := c.in(Manual); err != nil {
			return err
		}
		if c.withdrawing() {
			return underWay(c)
		}
		if c.Accepted != nil || c.ManualReason == string(fault.ClaimManual) {
			return fault.New(fault.FailedPrecondition, fault.ClaimManual, "",
				"The insured province took the bill as a manual claim.", "参保地已受理该费用的手工报销。")
		}
		c.Status, c.ManualReason, c.Actor = c.unsettled(), "", actorOf(who)
		return s.tell(ctx, c, "DISCHARGED", s.occasion(c), nil)
	})
}

func underWay(c *Claim) error {
	f := fault.New(fault.FailedPrecondition, fault.ClaimUnderWay, "",
		"What became of the claim at the insured province is not known yet.", "该费用单在参保地的处理结果尚不明确。")
	if c.UnderWay != nil {
		f = f.With("since", c.UnderWay.Since.UTC().Format(time.RFC3339))
	}
	return f
}

// ManualPapers is a manual claim, complete (手工报销).
type ManualPapers struct {
	Claim   *Claim
	Papers  []Paper
	Payable bool
	// Totals is nil where no catalogue of the treatment province holds for the center.
	Totals  *split.Totals
	Version string
}

// GetManualPapers returns what a manual claim consists of; fault WRONG_STATE while the claim is none.
func (s *Service) GetManualPapers(ctx context.Context, claimID string) (ManualPapers, error) {
	ctx, c, err := s.visibleClaim(ctx, claimID)
	if err != nil {
		return ManualPapers{}, err
	}
	if err := c.in(Manual); err != nil {
		return ManualPapers{}, err
	}
	out := ManualPapers{Claim: c, Papers: s.rules.Life.Papers, Payable: !c.withdrawing(), Version: s.rules.Life.Version}
	in, err := s.splitInput(ctx, c)
	switch {
	case err == nil:
		out.Totals = &in.Totals
	case !fault.Is(err, fault.NoDirectSettlement) && !fault.Is(err, fault.DatumMissing):
		return ManualPapers{}, err
	}
	return out, nil
}

// ManualClaim is a bill that the insured province took for manual payment.
type ManualClaim struct {
	ClaimID   string    `json:"-"`
	Province  string    `json:"-"`
	PatientID string    `json:"patient_id"`
	Total     money.Fen `json:"total"`
	By        Actor     `json:"by"`
	Time      time.Time `json:"time"`
}

// AcceptManualClaim takes a bill for manual payment, at the insured province. One row a claim decides between the two
// ways: a bill that is settled directly is not taken, and one that was taken is never settled directly. A job tells the
// treatment province.
func (s *Service) AcceptManualClaim(ctx context.Context, m ManualClaim) (ManualClaim, error) {
	if err := s.serves(m.Province); err != nil {
		return ManualClaim{}, err
	}
	who := access.From(ctx)
	if err := ownProvince(who, m.Province); err != nil {
		return ManualClaim{}, err
	}
	if m.Total <= 0 || m.Total > maxTotal {
		return ManualClaim{}, fault.New(fault.InvalidArgument, fault.FieldInvalid, "total",
			"A bill's total is positive.", "费用总额须为正数。")
	}
	if _, err := s.store.Entitlement(ctx, m.Province, m.PatientID); fault.Is(err, fault.ReasonNotFound) && !s.rules.RecogniseDeclared {
		return ManualClaim{}, notEntitled()
	} else if err != nil && !fault.Is(err, fault.ReasonNotFound) {
		return ManualClaim{}, err
	}
	m.By, m.Time = actorOf(who), s.clock.Now()
	var out ManualClaim
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		had, err := s.store.LockWay(ctx, m.ClaimID)
		if err != nil {
			return err
		}
		if had != nil {
			out = *had
			if had.Province != m.Province || had.PatientID != m.PatientID || had.Total != m.Total {
				return fault.New(fault.AlreadyExists, fault.ClaimManual, "",
					"The bill was taken as a manual claim with other contents.", "该费用已按其他内容受理手工报销。")
			}
			return s.store.TellTreatment(ctx, out) // who asks again may do so because nobody heard of it
		}
		if other, err := s.store.CommittedFor(ctx, m.ClaimID); err == nil {
			return fault.New(fault.FailedPrecondition, fault.AlreadySettled, "",
				"The claim was settled already.", "该费用单已结算。").With("settlement_id", other.Answer.SettlementID)
		} else if !fault.Is(err, fault.ReasonNotFound) {
			return err
		}
		out = m
		if err := s.store.TakeManual(ctx, m); err != nil {
			return err
		}
		if err := s.store.TellTreatment(ctx, m); err != nil {
			return err
		}
		return s.rules.Watch.TookManual(ctx, m)
	})
	return out, err
}
