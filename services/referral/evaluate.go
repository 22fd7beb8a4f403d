package referral

import (
	"context"
	"strings"
	"time"

	"huhang.example/services/internal/fault"
)

// RecordEvaluation records the center's evaluation. Unsuitable frees the bed and gives the case to operations for a
// second opinion: it is not a declined offer. Faults COMMENT_REQUIRED, WRONG_STATE, STALE_VERSION, NOT_FOUND.
func (s *Service) RecordEvaluation(ctx context.Context, referralID, etag string, suitable bool, comment string) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		move := FindSuitable
		if !suitable {
			move = FindUnsuitable
		}
		if _, err := r.pick(move, a); err != nil {
			return err
		}
		a.Note = comment
		if suitable {
			return r.apply(move, a, nil)
		}
		if strings.TrimSpace(comment) == "" {
			return fault.New(fault.InvalidArgument, fault.CommentRequired, "comment",
				"Say why the patient is unsuitable.", "请说明不适合的原因。")
		}
		a.Reason = "UNSUITABLE"
		return r.apply(move, a, r.leaveCenter)
	})
}

// leaveCenter frees what the center held and makes it no party of the case any more.
func (r *Referral) leaveCenter() {
	r.release()
	// Another center may take the patient from here on.
	r.withdrawOpen()
	r.stopAsking()
	r.CenterID, r.CenterCity = "", ""
	r.OpenConditions, r.ConditionsDue = 0, time.Time{}
}
