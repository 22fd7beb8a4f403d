package rpc

import (
	"context"

	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/policy"
)

// EstimateBill estimates the bill.
func (s *Server) EstimateBill(ctx context.Context, r *settlementv1.EstimateBillRequest) (*settlementv1.EstimateBillResponse, error) {
	ask := settlement.EstimateAsk{
		Province: r.GetProvince(), Coverage: Coverage(r.GetCoverage()), Provinces: r.GetTreatmentProvinces(), Organ: Organ(r.GetOrgan()), PatientID: r.GetPatientId(),
	}
	if r.GetFilingType() != settlementv1.FilingType_FILING_TYPE_UNSPECIFIED {
		ask.Filing = policy.Filing(lower(filingPrefix, r.GetFilingType().String()))
	}
	for _, c := range r.GetCenters() {
		ask.Centers = append(ask.Centers, settlement.Place{Province: c.GetProvince(), Center: c.GetCenterId()})
	}
	all, err := s.use.EstimateBill(ctx, ask)
	if err != nil {
		return nil, err
	}
	out := new(settlementv1.EstimateBillResponse)
	for _, e := range all {
		one := &settlementv1.Estimate{
			Province: e.Province, DirectSettlement: e.DirectSettlement, Split: SplitTo(settlement.Answer{Split: e.Split}), AssumptionZh: e.Zh, AssumptionEn: e.En,
			CenterId: e.Center, HospitalLevel: int32(e.Level), TypicalVersion: e.TypicalVersion,
			FilingType: settlementv1.FilingType(number(settlementv1.FilingType_value, filingPrefix, string(e.Filing))),
		}
		for _, u := range e.Unknowns {
			one.Unknowns = append(one.Unknowns, &settlementv1.EstimateUnknown{Code: u.Code, Zh: u.Zh, En: u.En})
		}
		out.Estimates = append(out.Estimates, one)
	}
	return out, nil
}

// DiffPolicies compares two versions of a policy.
func (s *Server) DiffPolicies(ctx context.Context, r *settlementv1.DiffPoliciesRequest) (*settlementv1.DiffPoliciesResponse, error) {
	all, err := s.use.DiffPolicies(ctx, r.GetProvince(), r.GetBefore(), r.GetAfter())
	if err != nil {
		return nil, err
	}
	out := new(settlementv1.DiffPoliciesResponse)
	for _, c := range all[:min(len(all), 10_000)] {
		out.Changes = append(out.Changes, &settlementv1.PolicyChange{Zh: c.Zh, En: c.En, LineBefore: int32(c.OldLine), LineAfter: int32(c.NewLine)})
	}
	return out, nil
}
