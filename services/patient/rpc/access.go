package rpc

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/telemetry"
)

// GrantAccess lets an organisation see a patient because of a case.
func (s *Server) GrantAccess(ctx context.Context, req *patientv1.GrantAccessRequest) (*patientv1.GrantAccessResponse, error) {
	ctx = telemetry.WithReferral(ctx, req.GetReferralId())
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*patientv1.GrantAccessResponse, error) {
		return &patientv1.GrantAccessResponse{}, s.use.Grant(ctx, req.GetPatientId(), req.GetOrganisation(), req.GetReferralId())
	})
}

// RevokeAccess ends what a case gave an organisation.
func (s *Server) RevokeAccess(ctx context.Context, req *patientv1.RevokeAccessRequest) (*patientv1.RevokeAccessResponse, error) {
	ctx = telemetry.WithReferral(ctx, req.GetReferralId())
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*patientv1.RevokeAccessResponse, error) {
		var until time.Time
		if req.GetGrantedUntil() != nil {
			until = req.GetGrantedUntil().AsTime()
		}
		revoked, err := s.use.Revoke(ctx, req.GetPatientId(), req.GetOrganisation(), req.GetReferralId(), req.GetReason(), until)
		return &patientv1.RevokeAccessResponse{Revoked: revoked}, err
	})
}

// ListAccess tells who may see a patient because of a case.
func (s *Server) ListAccess(ctx context.Context, req *patientv1.ListAccessRequest) (*patientv1.ListAccessResponse, error) {
	grants, err := s.use.Grants(ctx, req.GetPatientId())
	if err != nil {
		return nil, err
	}
	res := &patientv1.ListAccessResponse{}
	for _, g := range grants {
		res.Grants = append(res.Grants, &patientv1.AccessGrant{
			Organisation: g.Organisation, ReferralId: g.ReferralID, GrantTime: timestamppb.New(g.At), RevokeTime: stamp(g.RevokedAt), Reason: g.Reason,
		})
	}
	return res, nil
}

// FindPatients looks people up for the case service.
func (s *Server) FindPatients(ctx context.Context, req *patientv1.FindPatientsRequest) (*patientv1.FindPatientsResponse, error) {
	views, err := s.use.Find(ctx, req.GetText(), req.GetOrganisation())
	if err != nil {
		return nil, err
	}
	res := &patientv1.FindPatientsResponse{}
	for _, v := range views {
		res.Patients = append(res.Patients, &patientv1.FoundPatient{PatientId: v.ID, MergedIds: v.MergedIDs, NameMasked: v.Name})
	}
	return res, nil
}

// stamp is a time on the wire; the zero time is unset.
func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
