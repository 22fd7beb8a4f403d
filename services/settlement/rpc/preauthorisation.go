package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/settlement"
)

func preauthorisationTo(p *settlement.Preauthorisation) *settlementv1.Preauthorisation {
	return &settlementv1.Preauthorisation{
		PreauthorisationId: p.ID, PatientId: p.PatientID, ReferralId: p.ReferralID, Province: p.Province,
		TreatmentProvince: p.TreatmentProvince, TreatmentCity: p.TreatmentCity, CenterId: p.CenterID, AdmissionDate: p.AdmissionDate,
		Status:   settlementv1.PreauthorisationStatus(number(settlementv1.PreauthorisationStatus_value, preauthPrefix, string(p.Status))),
		Reserved: countersTo(p.Year, p.Reserved), Split: SplitTo(p.Answer), AssumptionZh: p.Zh, AssumptionEn: p.En,
		ExpireTime: timestamppb.New(p.Expires), RequestedBy: p.RequestedBy, Etag: p.Etag(),
	}
}

// CreatePreauthorisation reserves caps for a planned stay.
func (s *Server) CreatePreauthorisation(ctx context.Context, r *settlementv1.CreatePreauthorisationRequest) (*settlementv1.CreatePreauthorisationResponse, error) {
	ask := settlement.PreauthorisationAsk{
		Province: r.GetProvince(), PatientID: r.GetPatientId(), ReferralID: r.GetReferralId(), TreatmentCity: r.GetTreatmentCity(),
		Organ: Organ(r.GetOrgan()), AdmissionDate: r.GetAdmissionDate(), Total: fen(r.GetExpectedTotal()),
	}
	prepared := s.use.PreparePreauthorisation(ctx, ask)
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.CreatePreauthorisationResponse, error) {
		p, err := s.use.Preauthorise(ctx, ask, prepared)
		if err != nil {
			return nil, err
		}
		return &settlementv1.CreatePreauthorisationResponse{Preauthorisation: preauthorisationTo(p)}, nil
	})
}

// GetPreauthorisation returns one.
func (s *Server) GetPreauthorisation(ctx context.Context, r *settlementv1.GetPreauthorisationRequest) (*settlementv1.GetPreauthorisationResponse, error) {
	p, err := s.use.GetPreauthorisation(ctx, r.GetPreauthorisationId())
	if err != nil {
		return nil, err
	}
	return &settlementv1.GetPreauthorisationResponse{Preauthorisation: preauthorisationTo(p)}, nil
}

// CancelPreauthorisation frees what is reserved.
func (s *Server) CancelPreauthorisation(ctx context.Context, r *settlementv1.CancelPreauthorisationRequest) (*settlementv1.CancelPreauthorisationResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.CancelPreauthorisationResponse, error) {
		p, err := s.use.CancelPreauthorisation(ctx, r.GetPreauthorisationId(), r.GetEtag())
		if err != nil {
			return nil, err
		}
		return &settlementv1.CancelPreauthorisationResponse{Preauthorisation: preauthorisationTo(p)}, nil
	})
}
