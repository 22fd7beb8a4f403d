package referral

import (
	"context"
	"slices"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
)

// Ranking carries the match run into ChooseCenters.
type Ranking struct {
	run MatchRun
	err error
}

// PrepareChoose reads the case's match run if the caller may choose from it.
func (s *Service) PrepareChoose(ctx context.Context, referralID string) Ranking {
	ctx = telemetry.WithReferral(ctx, referralID)
	r, err := s.visible(ctx, referralID)
	if err != nil || !r.May(Choose, access.From(ctx)) {
		return Ranking{}
	}
	run, err := s.peers.MatchRun(ctx, r.MatchRunID)
	return Ranking{run, err}
}

// ChooseCenters records the patient's choice among the ranked centers; asking the first is a job. Faults NOT_RANKED,
// WRONG_STATE, STALE_VERSION, NOT_FOUND.
func (s *Service) ChooseCenters(ctx context.Context, referralID, etag string, centers []string, ranking Ranking) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		if _, err := r.pick(Choose, a); err != nil {
			return err
		}
		if ranking.err != nil {
			return ranking.err
		}
		if ranking.run.ID != r.MatchRunID {
			return fault.Stale(r.Etag())
		}
		if len(centers) == 0 {
			return fault.New(fault.InvalidArgument, fault.FieldInvalid, "center_ids", "Choose at least one center.", "请至少选择一个中心。")
		}
		for _, center := range centers {
			if !slices.Contains(ranking.run.Ranked, center) {
				return fault.New(fault.FailedPrecondition, fault.NotRanked, "center_ids",
					"A chosen center is not ranked in the case's match run.", "所选中心不在该病例的匹配结果中。").With("center_id", center)
			}
		}
		return r.apply(Choose, a, func() {
			r.choose(slices.Clone(centers))
		})
	})
}
