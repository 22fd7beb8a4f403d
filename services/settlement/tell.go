package settlement

import (
	"context"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/split"
)

// Event is what became of a claim, for the case.
type Event struct {
	// Key is the event's own: the case records it once.
	Key        string `json:"key"`
	ReferralID string `json:"referral_id"`
	ClaimID    string `json:"claim_id"`
	// Number is the claim's version after it: a claim's events are told in this order. Zero on events written before there
	// was an order.
	Number int64     `json:"number,omitempty"`
	Kind   string    `json:"kind"`
	At     time.Time `json:"at"`
	Actor  Actor     `json:"actor"`
	Total  money.Fen `json:"total"`
	// Of the stay: its days and its center.
	Admitted   string `json:"admitted,omitempty"`
	Discharged string `json:"discharged,omitempty"`
	CenterID   string `json:"center_id,omitempty"`
	// Reason is why it waits, or became a manual claim.
	Reason string `json:"reason,omitempty"`
	// SelfPay is what the patient pays, once settled.
	SelfPay *money.Fen `json:"self_pay,omitempty"`
	// Shares are who pays how much, once settled.
	Shares []split.Share `json:"shares,omitempty"`
}

// accepted is the event of a manual claim that its agency took.
const accepted = "MANUAL_ACCEPTED"

// occasion keys an event that can happen to a claim more than once.
func (s *Service) occasion(c *Claim) string { return c.ID + "-" + c.Etag() }

// tell owes the case an event. record makes the event's key: a claim can be settled more than once. The case's bill is that
// of its stay: an outpatient's later visits are not told.
func (s *Service) tell(ctx context.Context, c *Claim, kind, record string, a *Answer) error {
	if c.Kind == Outpatient {
		return nil
	}
	e := Event{
		Key: "evt-" + record + "-" + kind, ReferralID: c.ReferralID, ClaimID: c.ID, Number: c.Version + 1, Kind: kind, At: s.clock.Now(),
		Actor: c.Actor, Total: c.Total, Admitted: c.AdmissionDate, Discharged: c.DischargeDate, CenterID: c.CenterID,
	}
	if a != nil {
		selfPay := a.Split.Total - a.Split.Funds()
		e.SelfPay, e.Shares = &selfPay, a.Split.Shares
	}
	switch kind {
	case "OPENED":
		e.Number = c.Version // it is stored already
	case "MANUAL":
		e.Reason = c.ManualReason
	case accepted:
		e.Reason, e.Actor, e.Total = c.ManualReason, c.Accepted.By, c.Accepted.Total
	case "UNANSWERED":
		// The line itself found it out.
		e.Reason, e.Actor = string(c.UnderWay.Reason), Actor{}
	}
	return s.store.TellCase(ctx, e)
}

// TellCase is the job of an event. Jobs run side by side and are tried again, in any order; so whichever runs first tells
// what is owed of the claim before its own event as well. What the case cannot take holds up nothing behind it, but while
// the case is away nothing is told.
func (s *Service) TellCase(ctx context.Context, e Event) error {
	if e.Number == 0 {
		return s.peers.Tell(ctx, e)
	}
	owed, err := s.store.Untold(ctx, e.ClaimID, e.Number)
	if err != nil {
		return err
	}
	for _, o := range owed {
		err := s.peers.Tell(ctx, o)
		own := o.Number == e.Number
		switch {
		case err == nil || own && NeverTaken(err):
			if lost := s.store.Told(ctx, o.ClaimID, o.Number); lost != nil {
				return lost
			}
			if own {
				return err
			}
		case own || away(err):
			return err
		}
	}
	return nil // a job of a later event told it
}

// NeverTaken reports whether the case will refuse an event however often it is told.
func NeverTaken(err error) bool {
	f, ok := fault.As(err)
	return ok && (f.Code == fault.NotFound || f.Code == fault.InvalidArgument)
}

// away reports whether an error is no answer of the case, or asks to come again.
func away(err error) bool {
	f, ok := fault.As(err)
	return !ok || f.Code == fault.Unavailable || f.Code == fault.DeadlineExceeded || f.Code == fault.Aborted || f.Code == fault.ResourceExhausted
}
