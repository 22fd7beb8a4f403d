package referral

import (
	"context"
	"strings"
	"time"

	"huhang.example/services/internal/fault"
)

// RecordCourse records a turn of the course (病程变化): PatientDecline, NoShow, SuspendListing, Delist,
// AbortSurgery, Complicate or DeclineBack. Faults COMMENT_REQUIRED, RIGHT_MISSING, WRONG_STATE, STALE_VERSION, NOT_FOUND.
func (s *Service) RecordCourse(ctx context.Context, referralID, etag string, step Move, comment string) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		if _, err := r.pick(step, a); err != nil {
			return err
		}
		if strings.TrimSpace(comment) == "" {
			return fault.New(fault.InvalidArgument, fault.CommentRequired, "comment", "Say why.", "请说明理由。")
		}
		a.Note, a.Reason = comment, string(step)
		return r.apply(step, a, func() { r.turn(step) })
	})
}

// turn does what a turn brings with it.
func (r *Referral) turn(step Move) {
	switch step {
	case NoShow:
		if r.TransferID != "" {
			r.enqueue(Job{Do: JobAbort, Record: r.TransferID})
		}
		r.leaveCenter()
		r.HoldConfirmed, r.Admission, r.FilingWaits = false, time.Time{}, false
	case PatientDecline:
		r.stopAsking()
	case Delist:
		r.leaveCenter()
	case AbortSurgery:
		if r.State == Operated {
			// It was recorded, and stays on the timeline; there was no transplant.
			r.Surgery = nil
		}
	case DeclineBack:
		r.LocalHospital = ""
	}
}
