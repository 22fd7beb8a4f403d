package rpc

import (
	"context"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/page"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/split"
)

const (
	linesDefault = 200
	linesMost    = 1000
)

func kindFrom(k settlementv1.ClaimKind) settlement.ClaimKind {
	if k == settlementv1.ClaimKind_CLAIM_KIND_OUTPATIENT {
		return settlement.Outpatient
	}
	return settlement.Inpatient
}

func documentsFrom(in []settlementv1.FilingDocument) (out []settlement.FilingDocument) {
	for _, d := range in {
		out = append(out, settlement.FilingDocument(lower(paperPrefix, d.String())))
	}
	return out
}

func documentsTo(in []settlement.FilingDocument) (out []settlementv1.FilingDocument) {
	for _, d := range in {
		out = append(out, settlementv1.FilingDocument(number(settlementv1.FilingDocument_value, paperPrefix, string(d))))
	}
	return out
}

func underWayTo(w *settlement.UnderWay, manual time.Time) *settlementv1.UnderWay {
	if w == nil {
		return nil
	}
	out := &settlementv1.UnderWay{
		Since: timestamppb.New(w.Since), Tries: w.Tries, Reason: string(w.Reason), HeldByProvince: w.HeldBy, NextTime: timestamppb.New(w.Next),
	}
	if !w.Last.IsZero() {
		out.LastTime = timestamppb.New(w.Last)
	}
	if !manual.IsZero() {
		out.ManualTime = timestamppb.New(manual)
	}
	return out
}

func lineTo(l settlement.FeeLine) *settlementv1.FeeLine {
	return &settlementv1.FeeLine{
		LineNumber: l.Number, ItemCode: l.Item, ItemName: l.Name, Price: Yuan(l.Price), QuantityMilli: l.QuantityMilli,
		Amount: Yuan(l.Amount), ServiceDate: l.ServiceDate, RefundOf: l.RefundOf,
	}
}

// ListFeeLines lists the lines of a claim.
func (s *Server) ListFeeLines(ctx context.Context, r *settlementv1.ListFeeLinesRequest) (*settlementv1.ListFeeLinesResponse, error) {
	filter := page.Filter("lines", r.GetClaimId())
	cursor, err := page.Parse(filter, r.GetPageToken())
	if err != nil {
		return nil, err
	}
	after, _ := strconv.ParseInt(cursor, 10, 32) // empty on the first page; a token is ours
	lines, more, err := s.use.FeeLines(ctx, r.GetClaimId(), int32(after), page.Size(r.GetPageSize(), linesDefault, linesMost))
	if err != nil {
		return nil, err
	}
	out := new(settlementv1.ListFeeLinesResponse)
	for _, l := range lines {
		out.Lines = append(out.Lines, lineTo(l))
	}
	if more {
		out.NextPageToken = page.Token(filter, strconv.Itoa(int(lines[len(lines)-1].Number)))
	}
	return out, nil
}

// RecallFeeLines takes lines back.
func (s *Server) RecallFeeLines(ctx context.Context, r *settlementv1.RecallFeeLinesRequest) (*settlementv1.RecallFeeLinesResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.RecallFeeLinesResponse, error) {
		c, err := s.use.RecallFeeLines(ctx, r.GetClaimId(), r.GetEtag(), r.GetLineNumbers())
		if err != nil {
			return nil, err
		}
		return &settlementv1.RecallFeeLinesResponse{Claim: s.claimTo(c)}, nil
	})
}

// CancelDischarge takes the discharge back.
func (s *Server) CancelDischarge(ctx context.Context, r *settlementv1.CancelDischargeRequest) (*settlementv1.CancelDischargeResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.CancelDischargeResponse, error) {
		c, err := s.use.CancelDischarge(ctx, r.GetClaimId(), r.GetEtag())
		if err != nil {
			return nil, err
		}
		return &settlementv1.CancelDischargeResponse{Claim: s.claimTo(c)}, nil
	})
}

// CancelAdmission takes the admission back.
func (s *Server) CancelAdmission(ctx context.Context, r *settlementv1.CancelAdmissionRequest) (*settlementv1.CancelAdmissionResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.CancelAdmissionResponse, error) {
		c, err := s.use.CancelAdmission(ctx, r.GetClaimId(), r.GetEtag())
		if err != nil {
			return nil, err
		}
		return &settlementv1.CancelAdmissionResponse{Claim: s.claimTo(c)}, nil
	})
}

// ListStuckClaims lists claims without an outcome.
func (s *Server) ListStuckClaims(ctx context.Context, r *settlementv1.ListStuckClaimsRequest) (*settlementv1.ListStuckClaimsResponse, error) {
	filter := page.Filter("stuck", r.GetProvince(), strconv.Itoa(int(r.GetOlderThanSeconds())))
	cursor, err := page.Parse(filter, r.GetPageToken())
	if err != nil {
		return nil, err
	}
	older := time.Duration(r.GetOlderThanSeconds()) * time.Second
	all, next, err := s.use.ListStuckClaims(ctx, r.GetProvince(), older, cursor, page.Size(r.GetPageSize(), pageDefault, pageMost))
	if err != nil {
		return nil, err
	}
	out := &settlementv1.ListStuckClaimsResponse{NextPageToken: page.Token(filter, next)}
	for _, c := range all {
		out.Claims = append(out.Claims, s.claimTo(c))
	}
	return out, nil
}

// AskAgain asks the insured province now. It changes nothing by itself, so its key only keeps the first answer.
func (s *Server) AskAgain(ctx context.Context, r *settlementv1.AskAgainRequest) (*settlementv1.AskAgainResponse, error) {
	if _, err := s.use.MayAskAgain(ctx, r.GetClaimId()); err != nil {
		return nil, err
	}
	s.complete(ctx, r.GetClaimId())
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.AskAgainResponse, error) {
		c, err := s.use.GetClaim(ctx, r.GetClaimId())
		if err != nil {
			return nil, err
		}
		return &settlementv1.AskAgainResponse{Claim: s.claimTo(c)}, nil
	})
}

// FallToManual ends direct settlement.
func (s *Server) FallToManual(ctx context.Context, r *settlementv1.FallToManualRequest) (*settlementv1.FallToManualResponse, error) {
	_, err := idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.FallToManualResponse, error) {
		c, err := s.use.FallToManual(ctx, r.GetClaimId(), r.GetEtag())
		if err != nil {
			return nil, err
		}
		return &settlementv1.FallToManualResponse{Claim: s.claimTo(c)}, nil
	})
	if err != nil {
		return nil, err
	}
	s.complete(ctx, r.GetClaimId())
	c, err := s.use.GetClaim(ctx, r.GetClaimId())
	if err != nil {
		return nil, err
	}
	return &settlementv1.FallToManualResponse{Claim: s.claimTo(c)}, nil
}

// ResumeDirect takes a manual claim back.
func (s *Server) ResumeDirect(ctx context.Context, r *settlementv1.ResumeDirectRequest) (*settlementv1.ResumeDirectResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.ResumeDirectResponse, error) {
		c, err := s.use.ResumeDirect(ctx, r.GetClaimId(), r.GetEtag())
		if err != nil {
			return nil, err
		}
		return &settlementv1.ResumeDirectResponse{Claim: s.claimTo(c)}, nil
	})
}

// GetManualPapers returns what a manual claim consists of.
func (s *Server) GetManualPapers(ctx context.Context, r *settlementv1.GetManualPapersRequest) (*settlementv1.GetManualPapersResponse, error) {
	m, err := s.use.GetManualPapers(ctx, r.GetClaimId())
	if err != nil {
		return nil, err
	}
	out := &settlementv1.GetManualPapersResponse{Claim: s.claimTo(m.Claim), Payable: m.Payable, RulesVersion: m.Version}
	for _, p := range m.Papers {
		out.Papers = append(out.Papers, &settlementv1.ManualPaper{Code: p.Code, NameZh: p.Zh, NameEn: p.En, From: p.From})
	}
	if m.Totals != nil {
		out.Totals = totalsTo(*m.Totals)
	}
	return out, nil
}

// AcceptManualClaim takes a bill for manual payment.
func (s *Server) AcceptManualClaim(ctx context.Context, r *settlementv1.AcceptManualClaimRequest) (*settlementv1.AcceptManualClaimResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.AcceptManualClaimResponse, error) {
		m, err := s.use.AcceptManualClaim(ctx, settlement.ManualClaim{
			ClaimID: r.GetClaimId(), Province: r.GetProvince(), PatientID: r.GetPatientId(), Total: fen(r.GetTotal()),
		})
		if err != nil {
			return nil, err
		}
		return &settlementv1.AcceptManualClaimResponse{ClaimId: m.ClaimID, AcceptTime: timestamppb.New(m.Time), Total: Yuan(m.Total)}, nil
	})
}

func countersTo(year string, c split.Counters) *settlementv1.Counters {
	n, _ := strconv.ParseInt(strings.TrimSpace(year), 10, 32) // a year of ours
	return &settlementv1.Counters{
		Year: int32(n), Deductible: Yuan(c.Deductible), Basic: Yuan(c.Basic), SecondLayer: Yuan(c.SecondLayer), Assistance: Yuan(c.Assistance),
	}
}
