package settlement

import (
	"context"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
)

// Acceptance is what a claim keeps of its manual claim's acceptance (手工报销受理).
type Acceptance struct {
	By    Actor     `json:"by"`
	Time  time.Time `json:"time"`
	Total money.Fen `json:"total"`
}

// TellTreatment is the job that tells the treatment province that a bill was taken as a manual claim. Faults: those of
// ManualAccepted there.
func (s *Service) TellTreatment(ctx context.Context, m ManualClaim) error {
	return s.peers.ManualAccepted(ctx, provinceOf(m.ClaimID), m)
}

// ManualAccepted keeps, at the treatment province, that the insured province's agency took the bill as a manual claim, and tells
// the case. A claim that waits to be settled is a manual one from now on; one whose step is under way becomes it by the insured
// province's answer to that, and is told then. Again it changes nothing. Faults PROVINCE_NOT_SERVED, NOT_FOUND, FIELD_INVALID.
func (s *Service) ManualAccepted(ctx context.Context, m ManualClaim) (*Claim, error) {
	if err := s.serves(provinceOf(m.ClaimID)); err != nil {
		return nil, err
	}
	return s.store.UpdateClaim(ctx, m.ClaimID, "", func(ctx context.Context, c *Claim) error {
		if c.InsuredProvince != m.Province || c.PatientID != m.PatientID {
			return fault.New(fault.InvalidArgument, fault.FieldInvalid, "claim_id",
				"The claim is of another person or another insured province.", "该费用单属于其他患者或其他参保地。")
		}
		if c.Accepted != nil {
			return ErrUnchanged
		}
		c.Accepted = &Acceptance{By: m.By, Time: m.Time, Total: m.Total}
		switch {
		case c.Status == Manual:
			return s.tell(ctx, c, accepted, s.occasion(c), nil)
		case c.ready():
			return s.closedManual(ctx, c, fault.ClaimManual)
		}
		return nil
	})
}
