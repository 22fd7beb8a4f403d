package matching

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/matching/assign"
)

// StillWaiting is what a confirmation compares with; it carries its error into the call.
type StillWaiting struct {
	runs map[string]string
	err  error
}

// PrepareConfirm asks which cases wait now, outside the call's transaction.
func (s *Service) PrepareConfirm(ctx context.Context, id string) StillWaiting {
	a, err := s.store.Assignment(ctx, id)
	if err != nil || a.Status != Proposed {
		return StillWaiting{}
	}
	waiting, err := s.waitingCases(ctx, a.Organ)
	runs := make(map[string]string, len(waiting))
	for _, w := range waiting {
		runs[w.ReferralID] = w.MatchRunID
	}
	return StillWaiting{runs, err}
}

// ConfirmAssignment has the proposed centers asked, by a job for each case. Faults: NOT_FOUND, STALE_VERSION, WRONG_STATE
// unless it is proposed, PROPOSAL_STALE when a case or a capacity changed.
func (s *Service) ConfirmAssignment(ctx context.Context, id, etag string, now StillWaiting) (*Assignment, error) {
	var out *Assignment
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		return s.store.UpdateAssignment(ctx, id, func(a *Assignment) error {
			out = a
			return s.confirm(ctx, a, etag, now)
		})
	})
	return out, err
}

func (s *Service) confirm(ctx context.Context, a *Assignment, etag string, now StillWaiting) error {
	caller := access.From(ctx)
	switch {
	case etag != a.Etag():
		return fault.Stale(a.Etag())
	case a.Status != Proposed:
		return fault.New(fault.FailedPrecondition, fault.WrongState, "", "The proposal cannot be confirmed now.", "该建议当前不能确认。").With("state", string(a.Status))
	case now.err != nil:
		return now.err
	}
	ask, err := s.capacities(ctx, a.Organ, s.clock.Now())
	if err != nil {
		return err
	}
	if err := a.sameCapacities(ask); err != nil {
		return err
	}
	a.Status, a.ConfirmedBy = Confirmed, Actor{caller.Organisation, caller.Subject}
	return s.store.EachPlaced(ctx, a.ID, func(c *AssignedCase) error {
		if now.runs[c.Item.ReferralID] != c.MatchRunID {
			return staleProposal(c.Item.ReferralID)
		}
		c.Outcome = Pending
		return nil
	})
}

func (a *Assignment) sameCapacities(ask assign.Ask) error {
	free := map[string]int32{}
	for _, p := range ask.Places {
		free[p.CenterID+" "+p.Organ] = p.Free
	}
	for _, key := range slices.Sorted(maps.Keys(a.Free)) {
		if n, there := free[key]; !there || n != a.Free[key] {
			return staleProposal(key)
		}
	}
	for _, center := range slices.Sorted(maps.Keys(a.Quotas)) {
		if n, there := ask.Quotas[center]; !there || n != a.Quotas[center] {
			return staleProposal(center)
		}
	}
	return nil
}

func staleProposal(changed string) error {
	return fault.New(fault.FailedPrecondition, fault.ProposalStale, "",
		"A case or a capacity has changed since the proposal was made.", "建议生成后病例或接收能力已有变化。").With("changed", changed)
}

// AskAssigned is the job that has one confirmed case ask its center. A case that moved on meanwhile keeps its way: the
// outcome says why.
func (s *Service) AskAssigned(ctx context.Context, j Job) error {
	a, err := s.store.Assignment(ctx, j.AssignmentID)
	if err != nil {
		return ended(err)
	}
	c, err := s.store.AssignedCase(ctx, a.ID, j.ReferralID)
	if err != nil || c.Outcome != Pending {
		return ended(err)
	}
	call, cancel := context.WithTimeout(about(ctx, j.ReferralID), callTime)
	defer cancel()
	outcome := WasAsked
	err = s.peers.Assign(call, fmt.Sprintf("asg-%s-%s", a.ID[4:], j.ReferralID[len(j.ReferralID)-26:]), AssignAsk{
		AssignmentID: a.ID, ReferralID: j.ReferralID, MatchRunID: c.MatchRunID, CenterID: c.Item.CenterID, By: a.ConfirmedBy,
	})
	if f, ok := fault.As(err); ok && (lasting(err) || f.Reason == fault.StaleVersion) {
		outcome = string(f.Reason)
	} else if err != nil {
		return err
	}
	return s.store.SettleAssigned(ctx, a.ID, j.ReferralID, outcome)
}
