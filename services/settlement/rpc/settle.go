package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/settlement"
)

// SettleClaim settles. The intent commits first and once; then the insured province is asked, here within the caller's
// patience, else by the job. A repeated call answers what has become of the intent by then.
func (s *Server) SettleClaim(ctx context.Context, r *settlementv1.SettleClaimRequest) (*settlementv1.SettleClaimResponse, error) {
	_, err := idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.SettleClaimResponse, error) {
		c, err := s.use.SettleClaim(ctx, r.GetClaimId(), r.GetEtag())
		if err != nil {
			return nil, err
		}
		return &settlementv1.SettleClaimResponse{Claim: s.claimTo(c)}, nil
	})
	if err != nil {
		return nil, err
	}
	s.complete(ctx, r.GetClaimId())
	c, err := s.use.GetClaim(ctx, r.GetClaimId())
	if err != nil {
		return nil, err
	}
	out := &settlementv1.SettleClaimResponse{Claim: s.claimTo(c)}
	if c.Status == settlement.Settled {
		statement, err := s.use.GetStatement(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		out.Statement = statementTo(statement)
	}
	return out, nil
}

// ReverseSettlement undoes a settlement, in the same way.
func (s *Server) ReverseSettlement(ctx context.Context, r *settlementv1.ReverseSettlementRequest) (*settlementv1.ReverseSettlementResponse, error) {
	_, err := idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.ReverseSettlementResponse, error) {
		c, err := s.use.ReverseSettlement(ctx, r.GetClaimId(), r.GetEtag(), r.GetReason())
		if err != nil {
			return nil, err
		}
		return &settlementv1.ReverseSettlementResponse{Claim: s.claimTo(c)}, nil
	})
	if err != nil {
		return nil, err
	}
	s.complete(ctx, r.GetClaimId())
	c, err := s.use.GetClaim(ctx, r.GetClaimId())
	if err != nil {
		return nil, err
	}
	return &settlementv1.ReverseSettlementResponse{Claim: s.claimTo(c)}, nil
}

// complete tries now what the job will do anyway.
func (s *Server) complete(ctx context.Context, claimID string) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.use.Complete(ctx, claimID); err != nil {
		s.log.WarnContext(ctx, "left to the job", slog.String("claim_id", claimID), slog.Any("error", err))
	}
}

// GetStatement returns the one bill.
func (s *Server) GetStatement(ctx context.Context, r *settlementv1.GetStatementRequest) (*settlementv1.GetStatementResponse, error) {
	statement, err := s.use.GetStatement(ctx, r.GetClaimId())
	if err != nil {
		return nil, err
	}
	return &settlementv1.GetStatementResponse{Statement: statementTo(statement)}, nil
}

// ListPolicies lists policy documents.
func (s *Server) ListPolicies(ctx context.Context, r *settlementv1.ListPoliciesRequest) (*settlementv1.ListPoliciesResponse, error) {
	all, err := s.use.ListPolicies(ctx, r.GetProvince())
	if err != nil {
		return nil, err
	}
	out := new(settlementv1.ListPoliciesResponse)
	for _, p := range all[:min(len(all), 1000)] {
		out.Policies = append(out.Policies, &settlementv1.PolicyInfo{
			Province: p.Province, Version: p.Version, ValidFrom: string(p.ValidFrom), ValidTo: string(p.ValidTo), Standing: p.Standing, TitleZh: p.TitleZh, Digest: p.Digest,
		})
	}
	return out, nil
}

// GetCounters returns year counters.
func (s *Server) GetCounters(ctx context.Context, r *settlementv1.GetCountersRequest) (*settlementv1.GetCountersResponse, error) {
	year := fmt.Sprintf("%04d", r.GetYear())
	if r.GetYear() == 0 {
		year = s.use.ThisYear()
	}
	c, err := s.use.GetCounters(ctx, r.GetProvince(), r.GetPatientId(), year)
	if err != nil {
		return nil, err
	}
	out := &settlementv1.Counters{Deductible: Yuan(c.Deductible), Basic: Yuan(c.Basic), SecondLayer: Yuan(c.SecondLayer), Assistance: Yuan(c.Assistance)}
	if _, err := fmt.Sscan(year, &out.Year); err != nil {
		return nil, err
	}
	return &settlementv1.GetCountersResponse{Counters: out}, nil
}

// GetTrialBalance sums the ledger of a province.
func (s *Server) GetTrialBalance(ctx context.Context, r *settlementv1.GetTrialBalanceRequest) (*settlementv1.GetTrialBalanceResponse, error) {
	balances, difference, err := s.use.TrialBalance(ctx, r.GetProvince())
	if err != nil {
		return nil, err
	}
	out := &settlementv1.GetTrialBalanceResponse{Difference: Yuan(difference)}
	for _, b := range balances {
		out.Accounts = append(out.Accounts, &settlementv1.AccountBalance{Account: b.Account, Debit: Yuan(b.Debit), Credit: Yuan(b.Credit)})
	}
	return out, nil
}

// Insured is InsuredPlaceService. Its message ids are its idempotency keys.
type Insured struct {
	settlementv1.UnimplementedInsuredPlaceServiceServer
	use *settlement.Service
}

// NewInsured returns the server of InsuredPlaceService.
func NewInsured(use *settlement.Service) *Insured { return &Insured{use: use} }

// QuoteSplit computes the split as of now.
func (s *Insured) QuoteSplit(ctx context.Context, r *settlementv1.QuoteSplitRequest) (*settlementv1.QuoteSplitResponse, error) {
	a, err := s.use.QuoteSplit(ctx, inputFrom(r.GetInput()))
	if err != nil {
		return nil, err
	}
	return &settlementv1.QuoteSplitResponse{Split: SplitTo(a)}, nil
}

// CommitSplit commits a split.
func (s *Insured) CommitSplit(ctx context.Context, r *settlementv1.CommitSplitRequest) (*settlementv1.CommitSplitResponse, error) {
	a, err := s.use.CommitSplit(ctx, r.GetMessageId(), inputFrom(r.GetInput()))
	if err != nil {
		return nil, err
	}
	return &settlementv1.CommitSplitResponse{SettlementId: a.SettlementID, Split: SplitTo(a)}, nil
}

// ResolveMessage tells what became of a message.
func (s *Insured) ResolveMessage(ctx context.Context, r *settlementv1.ResolveMessageRequest) (*settlementv1.ResolveMessageResponse, error) {
	m, err := s.use.ResolveMessage(ctx, r.GetMessageId(), r.GetProvince())
	if err != nil {
		return nil, err
	}
	out := &settlementv1.ResolveMessageResponse{Committed: m.Committed, Reversed: m.Reversed}
	if m.Committed {
		out.SettlementId, out.Split = m.Answer.SettlementID, SplitTo(m.Answer)
	}
	return out, nil
}

// ReverseSplit undoes a committed split.
func (s *Insured) ReverseSplit(ctx context.Context, r *settlementv1.ReverseSplitRequest) (*settlementv1.ReverseSplitResponse, error) {
	if r.GetMessageId() == r.GetOriginalMessageId() {
		return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "message_id",
			"A reversal has a message id of its own.", "冲正须使用新的报文编号。").Cause(errors.New("same message id"))
	}
	if err := s.use.ReverseSplit(ctx, r.GetMessageId(), r.GetOriginalMessageId(), r.GetProvince(), r.GetReason(), r.GetBusinessDay()); err != nil {
		return nil, err
	}
	return new(settlementv1.ReverseSplitResponse), nil
}
