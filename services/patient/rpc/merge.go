package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/patient"
)

// Merges implements patientv1.MergeServiceServer.
type Merges struct {
	patientv1.UnimplementedMergeServiceServer
	*Server
}

// MergePatients keeps one record under another. The referral service is asked before the transaction, and again on a
// retry, whose answer is then the first one's.
func (s Merges) MergePatients(ctx context.Context, req *patientv1.MergePatientsRequest) (*patientv1.MergePatientsResponse, error) {
	cases := s.use.PrepareMerge(ctx, req.GetPatientId(), req.GetMergedId())
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*patientv1.MergePatientsResponse, error) {
		m, v, err := s.use.MergePatients(ctx, req.GetPatientId(), req.GetEtag(), req.GetMergedId(), req.GetMergedEtag(), req.GetReason(), req.GetCarriesDeathOf(), cases)
		if err != nil {
			return nil, err
		}
		return &patientv1.MergePatientsResponse{Merge: mergeTo(m), Patient: patientTo(v)}, nil
	}, idempotency.Sealed(s.cipher))
}

// UnmergePatients separates two records.
func (s Merges) UnmergePatients(ctx context.Context, req *patientv1.UnmergePatientsRequest) (*patientv1.UnmergePatientsResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*patientv1.UnmergePatientsResponse, error) {
		m, err := s.use.Unmerge(ctx, req.GetPatientId(), req.GetMergeId(), req.GetReason())
		if err != nil {
			return nil, err
		}
		return &patientv1.UnmergePatientsResponse{Merge: mergeTo(m)}, nil
	})
}

// ListMerges returns the merges of a record.
func (s Merges) ListMerges(ctx context.Context, req *patientv1.ListMergesRequest) (*patientv1.ListMergesResponse, error) {
	merges, err := s.use.Merges(ctx, req.GetPatientId())
	if err != nil {
		return nil, err
	}
	res := &patientv1.ListMergesResponse{}
	for _, m := range merges {
		res.Merges = append(res.Merges, mergeTo(m))
	}
	return res, nil
}

func mergeTo(m *patient.Merge) *patientv1.Merge {
	return &patientv1.Merge{
		MergeId: m.ID, SurvivorId: m.Survivor, MergedId: m.Merged, MergeTime: timestamppb.New(m.At), MergedBy: m.By, Reason: m.Reason,
		UnmergeTime: stamp(m.EndedAt), UnmergedBy: m.EndedBy, UnmergeReason: m.EndReason, CarriesDeathOf: m.CarriesDeathOf,
	}
}
