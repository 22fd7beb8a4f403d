package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/settlement"
)

// RecordManualAcceptance keeps that the insured province's agency took a bill as a manual claim.
func (s *Server) RecordManualAcceptance(ctx context.Context, r *settlementv1.RecordManualAcceptanceRequest) (*settlementv1.RecordManualAcceptanceResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.RecordManualAcceptanceResponse, error) {
		c, err := s.use.ManualAccepted(ctx, settlement.ManualClaim{
			ClaimID: r.GetClaimId(), Province: r.GetInsuredProvince(), PatientID: r.GetPatientId(), Total: fen(r.GetTotal()),
			By: settlement.Actor{Organisation: r.GetOrganisation(), Subject: r.GetSubject()}, Time: r.GetAcceptTime().AsTime(),
		})
		if err != nil {
			return nil, err
		}
		return &settlementv1.RecordManualAcceptanceResponse{Status: s.claimTo(c).GetStatus()}, nil
	})
}

func acceptanceTo(a *settlement.Acceptance) *settlementv1.ManualAcceptance {
	if a == nil {
		return nil
	}
	return &settlementv1.ManualAcceptance{AcceptTime: timestamppb.New(a.Time), Organisation: a.By.Organisation, Total: Yuan(a.Total)}
}
