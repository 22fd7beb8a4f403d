package referral

import (
	"context"
	"strconv"
	"strings"
)

// RunMatch is the job that ranks the centers for a case that passed the desk.
func (s *Service) RunMatch(ctx context.Context, j Job) error {
	r, err := s.visible(ctx, j.ReferralID)
	if err != nil || !r.Matching || r.Runs != j.Number {
		return err
	}
	run, err := s.peers.RunMatch(ctx, key("match", r.ID, strconv.Itoa(j.Number)), MatchAsk{
		ReferralID: r.ID, PatientID: r.PatientID, Organ: r.Organ, Referrer: r.Referrer, Preferred: r.Preferred, Refused: r.Refused,
	})
	if f, no := refused(err); no {
		return s.matchRefused(ctx, j, string(f.Reason))
	}
	if err != nil {
		return err
	}
	_, err = s.update(ctx, j.ReferralID, "", func(r *Referral, a Act) error {
		if !r.Matching || r.Runs != j.Number {
			return nil
		}
		move := MatchRanked
		if len(run.Ranked) == 0 {
			move = MatchEmpty
			a.Note = strings.Join(run.Reasons, ", ")
		}
		a.Record = run.ID
		return r.apply(move, a, func() { r.Matching, r.MatchRunID = false, run.ID })
	})
	return err
}

// matchRefused gives the case back to the desk.
func (s *Service) matchRefused(ctx context.Context, j Job, reason string) error {
	_, err := s.update(ctx, j.ReferralID, "", func(r *Referral, a Act) error {
		if !r.Matching || r.Runs != j.Number {
			return nil
		}
		a.Reason = reason
		return r.apply(MatchRefused, a, func() { r.Matching = false })
	})
	return err
}
