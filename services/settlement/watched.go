package settlement

import (
	"context"

	"huhang.example/services/internal/access"
)

// Watch is supervision, asked before money moves. Each method joins the transaction its context carries.
type Watch interface {
	// Settling looks at a claim about to be sent, at its treatment province, and returns the findings that hold it.
	Settling(ctx context.Context, c *Claim, lines []FeeLine) ([]string, error)
	// Standing returns what stands against a claim that findings held: faults SUPERVISION_HELD, SUPERVISION_CONFIRMED.
	Standing(ctx context.Context, hits []string) error
	// Committing looks at a bill at its insured province before it is committed; held is as Standing's answer.
	Committing(ctx context.Context, in SplitInput) (held, err error)
	// Committed is told what was committed.
	Committed(ctx context.Context, m *Message, in SplitInput) error
	// TookManual is told of a manual claim.
	TookManual(ctx context.Context, m ManualClaim) error
}

// unwatched finds nothing.
type unwatched struct{}

func (unwatched) Settling(context.Context, *Claim, []FeeLine) ([]string, error) { return nil, nil }
func (unwatched) Standing(context.Context, []string) error                      { return nil }
func (unwatched) Committing(context.Context, SplitInput) (held, err error)      { return nil, nil }
func (unwatched) Committed(context.Context, *Message, SplitInput) error         { return nil }
func (unwatched) TookManual(context.Context, ManualClaim) error                 { return nil }

// supervise asks supervision about a claim whose intent is being written down. It is asked once an intent: what was sent is
// never held afterwards.
func (s *Service) supervise(ctx context.Context, c *Claim) error {
	lines, err := s.store.Lines(ctx, c.ID)
	if err != nil {
		return err
	}
	c.UnderWay.Hits, err = s.rules.Watch.Settling(ctx, c, lines)
	return err
}

// unheld returns what still stands against sending a claim.
func (s *Service) unheld(ctx context.Context, c *Claim) error {
	if c.UnderWay == nil || len(c.UnderWay.Hits) == 0 {
		return nil
	}
	return s.rules.Watch.Standing(ctx, c.UnderWay.Hits)
}

// RecordStayFacts records what supervision goes by, while the claim is not sent yet.
func (s *Service) RecordStayFacts(ctx context.Context, claimID, etag string, f StayFacts) (*Claim, error) {
	who := access.From(ctx)
	return s.updateClaim(ctx, claimID, etag, ownClaim, func(_ context.Context, c *Claim) error {
		if err := c.in(Open, Discharged); err != nil {
			return err
		}
		c.Facts, c.Actor = f, actorOf(who)
		return nil
	})
}
