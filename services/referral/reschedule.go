package referral

import (
	"context"
	"strings"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
)

// Moved carries what became of the hold into RescheduleAdmission.
type Moved struct {
	holdID string
	err    error
}

// farthest is how far ahead an admission may be booked.
const farthest = 180 * day

// PrepareReschedule moves the case's bed and operating room if the caller may and has seen the present version. As with
// booking, the units move before the case: the call repeated finds them moved.
func (s *Service) PrepareReschedule(ctx context.Context, referralID, etag string, to time.Time, comment string) Moved {
	ctx = telemetry.WithReferral(ctx, referralID)
	r, err := s.visible(ctx, referralID)
	if err != nil || r.Etag() != etag || !r.May(Reschedule, access.From(ctx)) || s.tooFar(to) != nil || strings.TrimSpace(comment) == "" {
		return Moved{}
	}
	return Moved{r.HoldID, s.peers.MoveAdmission(ctx, key("move", r.HoldID, etag, to.UTC().Format("20060102150405")), r.HoldID, to)}
}

func (s *Service) tooFar(to time.Time) error {
	now := s.clock.Now()
	if to.After(now) && to.Before(now.Add(farthest)) {
		return nil
	}
	return fault.New(fault.InvalidArgument, fault.TimeInvalid, "admission_time",
		"An admission lies in the future, at most 180 days ahead.", "入院时间须晚于现在，且不超过180天。")
}

// RescheduleAdmission books another day (改约); a planned move is ended, for it would come on the wrong one. Faults TIME_INVALID,
// COMMENT_REQUIRED, RESOURCE_TAKEN, WRONG_STATE, STALE_VERSION, NOT_FOUND.
func (s *Service) RescheduleAdmission(ctx context.Context, referralID, etag string, to time.Time, comment string, moved Moved) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		if _, err := r.pick(Reschedule, a); err != nil {
			return err
		}
		if strings.TrimSpace(comment) == "" {
			return fault.New(fault.InvalidArgument, fault.CommentRequired, "comment", "Say why.", "请说明理由。")
		}
		if err := s.tooFar(to); err != nil {
			return err
		}
		if moved.err != nil {
			return moved.err
		}
		if moved.holdID != r.HoldID {
			return fault.Stale(r.Etag())
		}
		a.Record, a.Ends, a.Note = r.HoldID, to, to.In(clock.Shanghai).Format(time.DateTime)+" "+comment
		return r.apply(Reschedule, a, func() {
			r.Admission = to
			if r.TransferID != "" {
				r.enqueue(Job{Do: JobAbort, Record: r.TransferID})
				r.TransferID = ""
			}
		})
	})
}
