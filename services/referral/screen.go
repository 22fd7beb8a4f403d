package referral

import (
	"context"
	"strings"

	"huhang.example/services/internal/fault"
)

// Decision is the desk's (审核结论): one of the three screening moves.
type Decision = Move

// ScreenReferral records the desk's decision. PASS starts the ranking as a job. Faults COMMENT_REQUIRED, WRONG_STATE,
// STALE_VERSION, NOT_FOUND.
func (s *Service) ScreenReferral(ctx context.Context, referralID, etag string, decision Decision, comment string) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		if _, err := r.pick(decision, a); err != nil {
			return err
		}
		if decision != ScreenPass && strings.TrimSpace(comment) == "" {
			return fault.New(fault.InvalidArgument, fault.CommentRequired, "comment",
				"Say what is missing, or why the case is not indicated.", "请说明需补充的内容或不适合的原因。")
		}
		a.Note = comment
		switch decision {
		case ScreenPass:
			return r.apply(decision, a, r.startRanking)
		case ScreenNotIndicated:
			a.Reason = string(NotIndicated)
			return r.apply(decision, a, func() { r.end(NotIndicated, a.At) })
		}
		return r.apply(decision, a, nil)
	})
}

// stopAsking forgets the present choice of centers; offers out are undone by whoever calls it.
func (r *Referral) stopAsking() {
	r.Chosen, r.Asking, r.OfferID, r.Beside = nil, "", "", nil
}
