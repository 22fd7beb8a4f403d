package settlement

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/settlement/split"
)

// AddFeeLines adds lines to an open claim, all or none.
func (s *Service) AddFeeLines(ctx context.Context, claimID string, added []FeeLine) (*Claim, error) {
	return s.updateClaim(ctx, claimID, "", ownClaim, func(ctx context.Context, c *Claim) error {
		if err := c.in(Open); err != nil {
			return err
		}
		have, err := s.store.Lines(ctx, claimID)
		if err != nil {
			return err
		}
		b, latest := newBill(have), s.latestDay()
		for i, l := range added {
			if err := b.add(i, l, c, latest); err != nil {
				return err
			}
		}
		c.Total, c.LineCount = b.total, int32(len(b.byNumber))
		return s.store.AddLines(ctx, claimID, added)
	})
}

// DischargeClaim records the discharge; no line may follow.
func (s *Service) DischargeClaim(ctx context.Context, claimID, etag, day string) (*Claim, error) {
	who := access.From(ctx)
	return s.updateClaim(ctx, claimID, etag, ownClaim, func(ctx context.Context, c *Claim) error {
		if err := c.in(Open); err != nil {
			return err
		}
		if c.Kind == Outpatient {
			return wrongState(string(c.Kind))
		}
		if err := checkDay("discharge_date", day); err != nil {
			return err
		}
		if day < c.AdmissionDate || day > s.latestDay() {
			return timeInvalid("discharge_date", "The discharge lies before the admission or in the future.", "出院日早于入院日或在未来。")
		}
		have, err := s.store.Lines(ctx, claimID)
		if err != nil {
			return err
		}
		for _, l := range have {
			if l.ServiceDate > day {
				return timeInvalid("discharge_date", "A fee line is dated after the discharge.", "有明细的服务日期晚于出院日。")
			}
		}
		c.Status, c.DischargeDate, c.Actor = Discharged, day, actorOf(who)
		return s.tell(ctx, c, "DISCHARGED", s.occasion(c), nil)
	})
}

// GetClaim returns a claim the caller may see.
func (s *Service) GetClaim(ctx context.Context, claimID string) (*Claim, error) {
	_, c, err := s.visibleClaim(ctx, claimID)
	return c, err
}

// ListClaims lists the claims of a treatment province that the caller may see, newest first.
func (s *Service) ListClaims(ctx context.Context, q ClaimQuery, cursor string, limit int) ([]*Claim, string, error) {
	if err := s.serves(q.Province); err != nil {
		return nil, "", err
	}
	q.Scope = scope(access.From(ctx))
	return s.store.ListClaims(ctx, q, cursor, limit)
}

// PreSettle answers the split as it would be now, and changes nothing.
func (s *Service) PreSettle(ctx context.Context, claimID string) (Answer, error) {
	ctx, c, err := s.visibleClaim(ctx, claimID)
	if err != nil {
		return Answer{}, err
	}
	if err := ownClaim(access.From(ctx), c); err != nil {
		return Answer{}, err
	}
	if err := c.in(Open, Discharged); err != nil {
		return Answer{}, err
	}
	in, err := s.splitInput(ctx, c)
	if err != nil {
		return Answer{}, err
	}
	return s.peers.QuoteSplit(ctx, in)
}

// splitInput sums the claim by the catalogue in force on the day of discharge, or today before it. Faults:
// NO_DIRECT_SETTLEMENT where there is none, or where the center is not designated in it; DATUM_MISSING without lines.
func (s *Service) splitInput(ctx context.Context, c *Claim) (SplitInput, error) {
	day := c.DischargeDate
	if day == "" {
		day = s.today()
	}
	catalogue, ok := s.rules.Book.Catalogue(c.Province, day)
	if !ok {
		return SplitInput{}, noDirectSettlement()
	}
	level, ok := catalogue.Level(c.CenterID)
	if !ok {
		return SplitInput{}, noDirectSettlement()
	}
	have, err := s.store.Lines(ctx, c.ID)
	if err != nil {
		return SplitInput{}, err
	}
	if len(have) == 0 {
		return SplitInput{}, fault.New(fault.FailedPrecondition, fault.DatumMissing, "",
			"The claim has no fee lines.", "该费用单没有明细。").With("missing", "fee_lines")
	}
	totals, err := split.Add(lines(have), catalogue, level)
	if err != nil {
		return SplitInput{}, err
	}
	var facts *StayFacts
	if c.Facts != (StayFacts{}) {
		recorded := c.Facts
		facts = &recorded
	}
	return SplitInput{
		Facts: facts, PatientID: c.PatientID, InsuredProvince: c.InsuredProvince, TreatmentProvince: c.Province, TreatmentCity: c.TreatmentCity,
		CenterID: c.CenterID, ClaimID: c.ID, ReferralID: c.ReferralID, AdmissionDate: c.AdmissionDate, DischargeDate: day, Totals: totals,
		Kind: c.asked(), Emergency: c.Emergency,
	}, nil
}

func noDirectSettlement() error {
	return fault.New(fault.FailedPrecondition, fault.NoDirectSettlement, "",
		"No catalogue of the treatment province is in force for this center on that day.", "就医地当日没有适用于该中心的有效医保目录。")
}
