package referral

import (
	"context"
	"fmt"

	"huhang.example/services/internal/fault"
)

// JobFailed is told of a job that failed repeatedly: the timeline says so, once for each job. last says that it will not be run
// again: then what waits for it goes back to people.
func (s *Service) JobFailed(ctx context.Context, j Job, cause error, last bool) error {
	reason := string(fault.ReasonInternal)
	if f, ok := fault.As(cause); ok {
		reason = string(f.Reason)
	}
	about := fmt.Sprint(j.Do, j.Number, j.Record, j.Organisation)
	_, err := s.update(ctx, j.ReferralID, "", func(r *Referral, a Act) error {
		kind := "NEEDS_ATTENTION"
		if last {
			kind += "-LAST"
		}
		if r.saw(about, kind) {
			return nil
		}
		r.see(about, kind)
		a.Reason, a.Record, a.Note = reason, j.Record, j.Do
		r.note("NEEDS_ATTENTION", a)
		return nil
	})
	if err != nil || !last {
		return err
	}
	switch j.Do {
	case JobMatch:
		return s.matchRefused(ctx, j, reason)
	case JobAsk:
		return s.abandonAsking(ctx, j, reason)
	}
	return nil
}
