package referral

import (
	"context"
	"fmt"
	"slices"
	"time"

	"huhang.example/services/internal/fault"
)

// Attention is a step that failed again and again.
type Attention struct {
	Do, Record, Reason string
	Since              time.Time
}

// maxAttention bounds what is shown of one case.
const maxAttention = 20

// attend shows the step on the case until it is done; settle takes it away again.
func (r *Referral) attend(t Attention) {
	r.settleStep(t.Do, t.Record)
	if len(r.Attention) < maxAttention {
		r.Attention = append(r.Attention, t)
	}
}

func (r *Referral) settleStep(do, record string) bool {
	before := len(r.Attention)
	r.Attention = slices.DeleteFunc(r.Attention, func(t Attention) bool { return t.Do == do && t.Record == record })
	return len(r.Attention) != before
}

// JobDone is told of a job that succeeded after it had needed attention: it needs none any more.
func (s *Service) JobDone(ctx context.Context, j Job) error {
	_, err := s.update(ctx, j.ReferralID, "", func(r *Referral, a Act) error {
		if r.settleStep(j.Do, j.Record) {
			a.Record, a.Note = j.Record, j.Do
			r.note("ATTENDED", a)
		}
		return nil
	})
	return err
}

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
		if last && (j.Do == JobMatch || j.Do == JobAsk) {
			// People decide below; nothing waits for the step any more.
			r.settleStep(j.Do, j.Record)
		} else {
			r.attend(Attention{j.Do, j.Record, reason, a.At})
		}
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
