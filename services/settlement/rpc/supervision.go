package rpc

import (
	"context"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/page"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/supervision"
)

const (
	rulePrefix  = "SUPERVISION_RULE_"
	statPrefix  = "SUPERVISION_STATE_"
	watchPrefix = "SUPERVISION_SIDE_"
)

// Supervision is SupervisionService.
type Supervision struct {
	settlementv1.UnimplementedSupervisionServiceServer
	watch  *supervision.Service
	claims *settlement.Service
	db     *sqldb.DB
}

// NewSupervision returns the server of SupervisionService.
func NewSupervision(watch *supervision.Service, claims *settlement.Service, db *sqldb.DB) *Supervision {
	return &Supervision{watch: watch, claims: claims, db: db}
}

func timeTo(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func ruleTo(r supervision.Rule) settlementv1.SupervisionRule {
	return settlementv1.SupervisionRule(number(settlementv1.SupervisionRule_value, rulePrefix, string(r)))
}

func hitTo(h *supervision.Hit) *settlementv1.SupervisionHit {
	out := &settlementv1.SupervisionHit{
		HitId: h.ID, Province: h.Province, Side: settlementv1.SupervisionSide(number(settlementv1.SupervisionSide_value, watchPrefix, string(h.Side))),
		Rule: ruleTo(h.Rule), RulesVersion: h.RulesVersion, ClaimId: h.ClaimID, RelatedClaimId: h.Related, PatientId: h.PatientID, Period: h.Period,
		Holds: h.Holds, State: settlementv1.SupervisionState(number(settlementv1.SupervisionState_value, statPrefix, string(h.State))),
		DueTime: timeTo(h.Due), CreateTime: timeTo(h.Created), DecidedBy: h.DecidedBy, DecideTime: timeTo(h.Decided), Comment: h.Comment, Etag: h.Etag(),
	}
	for _, e := range h.Evidence {
		out.Evidence = append(out.Evidence, &settlementv1.Evidence{Name: e.Name, Value: e.Value})
	}
	return out
}

// ListSupervisionHits lists an agency's worklist.
func (s *Supervision) ListSupervisionHits(ctx context.Context, r *settlementv1.ListSupervisionHitsRequest) (*settlementv1.ListSupervisionHitsResponse, error) {
	q := supervision.Query{Province: r.GetProvince(), Holding: r.GetHolding()}
	if r.GetState() != 0 {
		q.State = supervision.State(r.GetState().String()[len(statPrefix):])
	}
	if r.GetRule() != 0 {
		q.Rule = supervision.Rule(r.GetRule().String()[len(rulePrefix):])
	}
	filter := page.Filter("supervision", q.Province, string(q.State), string(q.Rule), strconv.FormatBool(q.Holding))
	cursor, err := page.Parse(filter, r.GetPageToken())
	if err != nil {
		return nil, err
	}
	all, next, err := s.watch.List(ctx, q, cursor, page.Size(r.GetPageSize(), pageDefault, pageMost))
	if err != nil {
		return nil, err
	}
	out := &settlementv1.ListSupervisionHitsResponse{NextPageToken: page.Token(filter, next)}
	for _, h := range all {
		out.Hits = append(out.Hits, hitTo(h))
	}
	return out, nil
}

// GetSupervisionHit returns one finding.
func (s *Supervision) GetSupervisionHit(ctx context.Context, r *settlementv1.GetSupervisionHitRequest) (*settlementv1.GetSupervisionHitResponse, error) {
	h, err := s.watch.Get(ctx, r.GetHitId())
	if err != nil {
		return nil, err
	}
	return &settlementv1.GetSupervisionHitResponse{Hit: hitTo(h)}, nil
}

// ReleaseSupervisionHit dismisses a finding.
func (s *Supervision) ReleaseSupervisionHit(ctx context.Context, r *settlementv1.ReleaseSupervisionHitRequest) (*settlementv1.ReleaseSupervisionHitResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.ReleaseSupervisionHitResponse, error) {
		h, err := s.watch.Decide(ctx, r.GetHitId(), r.GetEtag(), supervision.Dismissed, r.GetComment())
		if err != nil {
			return nil, err
		}
		return &settlementv1.ReleaseSupervisionHitResponse{Hit: hitTo(h)}, nil
	})
}

// ConfirmSupervisionHit confirms a finding.
func (s *Supervision) ConfirmSupervisionHit(ctx context.Context, r *settlementv1.ConfirmSupervisionHitRequest) (*settlementv1.ConfirmSupervisionHitResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.ConfirmSupervisionHitResponse, error) {
		h, err := s.watch.Decide(ctx, r.GetHitId(), r.GetEtag(), supervision.Confirmed, r.GetComment())
		if err != nil {
			return nil, err
		}
		return &settlementv1.ConfirmSupervisionHitResponse{Hit: hitTo(h)}, nil
	})
}

// ListSupervisionRules tells which rules are in force.
func (s *Supervision) ListSupervisionRules(_ context.Context, r *settlementv1.ListSupervisionRulesRequest) (*settlementv1.ListSupervisionRulesResponse, error) {
	rules, err := s.watch.RulesNow(r.GetProvince())
	if err != nil {
		return nil, err
	}
	out := &settlementv1.ListSupervisionRulesResponse{
		Version: rules.Version, Standing: rules.Standing, ValidFrom: string(rules.ValidFrom), Digest: rules.Digest,
	}
	for _, rule := range supervision.All() {
		out.Rules = append(out.Rules, &settlementv1.SupervisionRuleInfo{Rule: ruleTo(rule), Holds: rules.Action(rule) == supervision.Hold})
	}
	return out, nil
}

// PutContact records a person's numbers.
func (s *Supervision) PutContact(ctx context.Context, r *settlementv1.PutContactRequest) (*settlementv1.PutContactResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.PutContactResponse, error) {
		etag, err := s.watch.PutContact(ctx, r.GetProvince(), r.GetPatientId(), r.GetPhone(), r.GetIdentityNumber(), r.GetEtag())
		if err != nil {
			return nil, err
		}
		return &settlementv1.PutContactResponse{Etag: etag}, nil
	})
}

// RecordStayFacts describes a stay.
func (s *Supervision) RecordStayFacts(ctx context.Context, r *settlementv1.RecordStayFactsRequest) (*settlementv1.RecordStayFactsResponse, error) {
	digest, err := s.watch.Digest("identity_number", r.GetIdentityNumber())
	if err != nil {
		return nil, err
	}
	facts := settlement.StayFacts{Diagnosis: r.GetDiagnosisCode(), Planned: r.GetPlannedFollowUp(), Identity: digest}
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.RecordStayFactsResponse, error) {
		c, err := s.claims.RecordStayFacts(ctx, r.GetClaimId(), r.GetEtag(), facts)
		if err != nil {
			return nil, err
		}
		return &settlementv1.RecordStayFactsResponse{ClaimId: c.ID, Etag: c.Etag()}, nil
	})
}
