package rpc

import (
	"context"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	moneyv1 "huhang.example/gen/huhang/money/v1"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/matching"
	"huhang.example/services/matching/ranking"
)

// RunMatch ranks and freezes. A retry gathers again for nothing, and gets the first run whatever became of the patient.
func (s *Server) RunMatch(ctx context.Context, req *matchingv1.RunMatchRequest) (*matchingv1.RunMatchResponse, error) {
	ctx = telemetry.WithReferral(ctx, req.GetReferralId())
	run, gone := s.use.Match(ctx, matching.Ask{
		ReferralID: req.GetReferralId(), PatientID: req.GetPatientId(), Organ: organFrom(req.GetOrgan()), Referrer: req.GetReferringOrganisation(),
		Preferred: req.GetPreferredCenters(), Refused: req.GetRefusedCenters(), NeedsABOIncompat: req.GetNeedsAboIncompatible(),
	})
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*matchingv1.RunMatchResponse, error) {
		if gone != nil {
			return nil, gone
		}
		if err := s.use.KeepRun(ctx, run); err != nil {
			return nil, err
		}
		return &matchingv1.RunMatchResponse{MatchRun: runTo(run)}, nil
	}, idempotency.Sealed(s.cipher))
}

// GetMatchRun returns a frozen run.
func (s *Server) GetMatchRun(ctx context.Context, req *matchingv1.GetMatchRunRequest) (*matchingv1.GetMatchRunResponse, error) {
	run, err := s.use.Run(ctx, req.GetMatchRunId())
	if err != nil {
		return nil, err
	}
	return &matchingv1.GetMatchRunResponse{MatchRun: runTo(run)}, nil
}

// CheckMatchRun tells whether a run's inputs still hold.
func (s *Server) CheckMatchRun(ctx context.Context, req *matchingv1.CheckMatchRunRequest) (*matchingv1.CheckMatchRunResponse, error) {
	checked, err := s.use.CheckRun(ctx, req.GetMatchRunId())
	if err != nil {
		return nil, err
	}
	res := &matchingv1.CheckMatchRunResponse{
		Standing:        matchingv1.MatchRunStanding(matchingv1.MatchRunStanding_value["MATCH_RUN_STANDING_"+checked.Standing]),
		ClinicalVersion: checked.ClinicalVersion,
	}
	for _, c := range checked.Changes {
		res.Changes = append(res.Changes, &matchingv1.InputChange{Input: c.Input, CenterId: c.CenterID, Because: remarkTo(c.Because)})
	}
	return res, nil
}

// ExplainCenter tells why a center stands where it stands.
func (s *Server) ExplainCenter(ctx context.Context, req *matchingv1.ExplainCenterRequest) (*matchingv1.ExplainCenterResponse, error) {
	e, err := s.use.Explain(ctx, req.GetMatchRunId(), req.GetCenterId())
	if err != nil {
		return nil, err
	}
	res := &matchingv1.ExplainCenterResponse{
		NotInDirectory: e.Ranked == nil && e.Excluded == nil, Gaps: gapsTo(e.Gaps), Summary: remarkTo(e.Summary),
	}
	if e.Ranked != nil {
		res.Ranked = rankedTo(e.Place, e.Ranked)
	}
	if e.Excluded != nil {
		res.Excluded = excludedTo(e.Excluded)
	}
	for _, l := range e.Behind {
		res.Behind = append(res.Behind, &matchingv1.TermGap{Term: l.Key, Points: l.Points, FirstPoints: l.First})
	}
	return res, nil
}

func remarkTo(r ranking.Remark) *matchingv1.Remark { return &matchingv1.Remark{Zh: r.Zh, En: r.En} }

func remarksTo(rs []ranking.Remark) []*matchingv1.Remark {
	out := make([]*matchingv1.Remark, 0, len(rs))
	for _, r := range rs {
		out = append(out, remarkTo(r))
	}
	return out
}

func gapsTo(gaps []ranking.Gap) []*matchingv1.Gap {
	out := make([]*matchingv1.Gap, 0, len(gaps))
	for _, g := range gaps {
		out = append(out, &matchingv1.Gap{Datum: g.Datum, ExclusionCode: g.Code, Term: g.Term, CenterIds: g.Centers, Because: remarkTo(g.Remark)})
	}
	return out
}

func runTo(r *matching.Run) *matchingv1.MatchRun {
	out := &matchingv1.MatchRun{
		MatchRunId: r.ID, ReferralId: r.ReferralID, Organ: organTo(r.Input.Organ), RunTime: timeTo(r.Input.At), WeightsVersion: r.WeightsVersion,
		ClinicalVersion: r.ClinicalVersion, Gaps: gapsTo(r.Result.Missing), Hints: remarksTo(r.Result.Hints), PreviousMatchRunId: r.PreviousID,
	}
	for _, g := range r.Result.Missing {
		out.Missing = append(out.Missing, remarkTo(g.Remark))
	}
	for i := range r.Result.Ranked {
		out.Ranked = append(out.Ranked, rankedTo(i+1, &r.Result.Ranked[i]))
	}
	for i := range r.Result.Excluded {
		out.Excluded = append(out.Excluded, excludedTo(&r.Result.Excluded[i]))
	}
	for _, d := range r.Changes {
		out.Changes = append(out.Changes, &matchingv1.MatchChange{
			CenterId: d.CenterID, Kind: matchingv1.MatchChangeKind(matchingv1.MatchChangeKind_value["MATCH_CHANGE_KIND_"+d.Kind]), Because: remarksTo(d.Because),
		})
	}
	return out
}

func rankedTo(place int, c *ranking.Ranked) *matchingv1.RankedCenter {
	out := &matchingv1.RankedCenter{
		CenterId: c.CenterID, NameZh: c.NameZh, NameEn: c.NameEn, Rank: int32(place), Score: c.Score, DoorToDoorMinutes: c.DoorToDoor,
		Warnings: remarksTo(c.Warnings), ScoreAtMost: c.ScoreAtMost, RankAtBest: c.RankAtBest,
	}
	if c.SelfPay != nil {
		out.EstimatedSelfPay = &moneyv1.Money{Fen: int64(*c.SelfPay)}
	}
	for _, t := range c.Terms {
		out.Terms = append(out.Terms, &matchingv1.Term{Key: t.Key, Weight: t.Weight, Value: t.Value, Points: t.Points, Because: remarkTo(t.Because), Unknown: t.Unknown})
	}
	return out
}

func excludedTo(c *ranking.Excluded) *matchingv1.ExcludedCenter {
	out := &matchingv1.ExcludedCenter{CenterId: c.CenterID, NameZh: c.NameZh, NameEn: c.NameEn}
	for _, r := range c.Reasons {
		out.Reasons = append(out.Reasons, &matchingv1.Exclusion{Code: r.Code, Because: remarkTo(r.Because), Change: remarkTo(r.Change)})
	}
	return out
}
