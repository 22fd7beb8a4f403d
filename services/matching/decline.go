package matching

import (
	"context"
	"strings"
	"time"

	"huhang.example/services/internal/access"
)

// Decline declines an open offer. Faults: NOT_FOUND, CODE_UNKNOWN, COMMENT_REQUIRED, OFFER_EXPIRED, OFFER_DECIDED,
// WRONG_STATE while it is being accepted, STALE_VERSION.
func (s *Service) Decline(ctx context.Context, offerID, etag, code, comment string) (*Offer, error) {
	caller := access.From(ctx)
	comment = strings.TrimSpace(comment)
	return s.answer(ctx, offerID, etag, func(o *Offer, at time.Time) error {
		rules := s.rules.inForce(at)
		if err := rules.declines(code, comment, at); err != nil {
			return err
		}
		o.DeclineCode, o.Comment, o.RulesVersion = code, comment, rules.Version
		o.decide(Declined, at, caller)
		o.tell("DECLINED", at, caller.Organisation, caller.Subject)
		return nil
	})
}
