package rpc

import (
	"context"

	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/clearing"
)

// ListNationalTables lists tables.
func (s *Clearing) ListNationalTables(ctx context.Context, r *settlementv1.ListNationalTablesRequest) (*settlementv1.ListNationalTablesResponse, error) {
	m, err := clearing.ParseMonth(r.GetMonth())
	if err != nil {
		return nil, err
	}
	all, next, err := paged(r.GetPageSize(), r.GetPageToken(), TableTo, func(after string, limit int) ([]*clearing.Table, string, error) {
		return s.use.ListTables(ctx, m, after, limit)
	}, "tables", r.GetMonth())
	return &settlementv1.ListNationalTablesResponse{Tables: all, NextPageToken: next}, err
}

// ComputeNet nets a month.
func (s *Clearing) ComputeNet(ctx context.Context, r *settlementv1.ComputeNetRequest) (*settlementv1.ComputeNetResponse, error) {
	m, err := clearing.ParseMonth(r.GetMonth())
	if err != nil {
		return nil, err
	}
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.ComputeNetResponse, error) {
		if _, err := s.use.ComputeNet(ctx, m, r.GetEtag()); err != nil {
			return nil, err
		}
		run, transfers, err := s.use.GetNet(ctx, m)
		if err != nil {
			return nil, err
		}
		return &settlementv1.ComputeNetResponse{Net: NetTo(run), Remittances: TransfersTo(transfers)}, nil
	})
}

// GetNet returns a month's net.
func (s *Clearing) GetNet(ctx context.Context, r *settlementv1.GetNetRequest) (*settlementv1.GetNetResponse, error) {
	m, err := clearing.ParseMonth(r.GetMonth())
	if err != nil {
		return nil, err
	}
	run, transfers, err := s.use.GetNet(ctx, m)
	if err != nil && !fault.Is(err, fault.ReasonNotFound) {
		return nil, err
	}
	last, etag, err := s.use.NextNet(ctx)
	if err != nil {
		return nil, err
	}
	return &settlementv1.GetNetResponse{Net: NetTo(run), Remittances: TransfersTo(transfers), LastMonth: string(last), Etag: etag}, nil
}

// PutAgreement records an agreement.
func (s *Clearing) PutAgreement(ctx context.Context, r *settlementv1.PutAgreementRequest) (*settlementv1.PutAgreementResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.PutAgreementResponse, error) {
		a, err := s.use.PutAgreement(ctx, clearing.Agreement{
			Treatment: r.GetTreatmentProvince(), Insured: r.GetInsuredProvince(), Share: money.BasisPoints(r.GetShareBasisPoints()),
			From: clearing.Month(r.GetFromMonth()), To: clearing.Month(r.GetToMonth()), Title: r.GetTitle(),
		})
		if err != nil {
			return nil, err
		}
		return &settlementv1.PutAgreementResponse{Agreement: agreementTo(a)}, nil
	})
}

// ListAgreements lists agreements.
func (s *Clearing) ListAgreements(ctx context.Context, r *settlementv1.ListAgreementsRequest) (*settlementv1.ListAgreementsResponse, error) {
	all, next, err := paged(r.GetPageSize(), r.GetPageToken(), agreementTo, func(after string, limit int) ([]*clearing.Signed, string, error) {
		return s.use.ListAgreements(ctx, after, limit)
	}, "agreements")
	return &settlementv1.ListAgreementsResponse{Agreements: all, NextPageToken: next}, err
}

// OpenDispute objects to an amount.
func (s *Clearing) OpenDispute(ctx context.Context, r *settlementv1.OpenDisputeRequest) (*settlementv1.OpenDisputeResponse, error) {
	m, err := clearing.ParseMonth(r.GetMonth())
	if err != nil {
		return nil, err
	}
	if !positive(fen(r.GetAmount())) {
		return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "amount", "What is disputed is a positive amount.", "争议金额须为正数。")
	}
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.OpenDisputeResponse, error) {
		d, err := s.use.OpenDispute(ctx, clearing.DisputeAsk{
			Month: m, Treatment: r.GetTreatmentProvince(), SettlementID: r.GetSettlementId(), Amount: fen(r.GetAmount()), Reason: r.GetReason(),
		})
		if err != nil {
			return nil, err
		}
		return &settlementv1.OpenDisputeResponse{Dispute: disputeTo(d)}, nil
	})
}

// AnswerDispute answers.
func (s *Clearing) AnswerDispute(ctx context.Context, r *settlementv1.AnswerDisputeRequest) (*settlementv1.AnswerDisputeResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.AnswerDisputeResponse, error) {
		d, err := s.use.AnswerDispute(ctx, r.GetDisputeId(), r.GetEtag(), r.GetAnswer())
		if err != nil {
			return nil, err
		}
		return &settlementv1.AnswerDisputeResponse{Dispute: disputeTo(d)}, nil
	})
}

// DecideDispute decides.
func (s *Clearing) DecideDispute(ctx context.Context, r *settlementv1.DecideDisputeRequest) (*settlementv1.DecideDisputeResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.DecideDisputeResponse, error) {
		d, err := s.use.DecideDispute(ctx, r.GetDisputeId(), r.GetEtag(), r.GetUpheld(), r.GetDecision())
		if err != nil {
			return nil, err
		}
		return &settlementv1.DecideDisputeResponse{Dispute: disputeTo(d)}, nil
	})
}

// WithdrawDispute withdraws.
func (s *Clearing) WithdrawDispute(ctx context.Context, r *settlementv1.WithdrawDisputeRequest) (*settlementv1.WithdrawDisputeResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.WithdrawDisputeResponse, error) {
		d, err := s.use.WithdrawDispute(ctx, r.GetDisputeId(), r.GetEtag())
		if err != nil {
			return nil, err
		}
		return &settlementv1.WithdrawDisputeResponse{Dispute: disputeTo(d)}, nil
	})
}

// ListDisputes lists disputes.
func (s *Clearing) ListDisputes(ctx context.Context, r *settlementv1.ListDisputesRequest) (*settlementv1.ListDisputesResponse, error) {
	status := clearing.DisputeStatus(code(disputePrefix, r.GetStatus().String()))
	all, next, err := paged(r.GetPageSize(), r.GetPageToken(), disputeTo, func(after string, limit int) ([]*clearing.Dispute, string, error) {
		return s.use.ListDisputes(ctx, clearing.Month(r.GetMonth()), status, after, limit)
	}, "disputes", r.GetMonth(), string(status))
	return &settlementv1.ListDisputesResponse{Disputes: all, NextPageToken: next}, err
}
