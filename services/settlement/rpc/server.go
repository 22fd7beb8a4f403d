// Package rpc speaks the settlement service's protos.
//
// Invariant: what a peer must be asked is asked before the call's transaction, what a peer must do is done after it; in
// between, the change and its idempotency record commit together.
package rpc

import (
	"context"
	"log/slog"
	"time"

	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/page"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/policy"
)

const (
	pageDefault = 50
	pageMost    = 200
	// patience is how long a call waits for the insured province before it leaves the rest to the job.
	patience = 8 * time.Second
)

// Server is what the line calls: all but InsuredPlaceService.
type Server struct {
	settlementv1.UnimplementedSettlementServiceServer
	settlementv1.UnimplementedClaimLifeServiceServer
	settlementv1.UnimplementedPreauthorisationServiceServer
	settlementv1.UnimplementedTreatmentPlaceServiceServer
	use *settlement.Service
	db  *sqldb.DB
	log *slog.Logger
}

// New returns the server of SettlementService, ClaimLifeService, PreauthorisationService and TreatmentPlaceService.
func New(use *settlement.Service, db *sqldb.DB, log *slog.Logger) *Server {
	return &Server{use: use, db: db, log: log}
}

// PutEntitlement records an entitlement.
func (s *Server) PutEntitlement(ctx context.Context, r *settlementv1.PutEntitlementRequest) (*settlementv1.PutEntitlementResponse, error) {
	coverage := Coverage(r.GetCoverage())
	coverage.Plans, coverage.Account = r.GetPlans(), fen(r.GetPersonalAccount())
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.PutEntitlementResponse, error) {
		e, err := s.use.PutEntitlement(ctx, settlement.Entitlement{
			PatientID: r.GetPatientId(), Province: r.GetProvince(), Coverage: coverage, ValidFrom: r.GetValidFrom(), ValidTo: r.GetValidTo(),
		}, r.GetEtag())
		if err != nil {
			return nil, err
		}
		return &settlementv1.PutEntitlementResponse{Entitlement: entitlementTo(e)}, nil
	})
}

// CheckEntitlement answers whether a person is entitled.
func (s *Server) CheckEntitlement(ctx context.Context, r *settlementv1.CheckEntitlementRequest) (*settlementv1.CheckEntitlementResponse, error) {
	entitled, e, err := s.use.CheckEntitlement(ctx, r.GetProvince(), r.GetPatientId(), r.GetDate())
	if err != nil {
		return nil, err
	}
	out := &settlementv1.CheckEntitlementResponse{Entitled: entitled}
	if e != nil {
		out.Entitlement = entitlementTo(*e)
	}
	return out, nil
}

// CreateFiling files a person.
func (s *Server) CreateFiling(ctx context.Context, r *settlementv1.CreateFilingRequest) (*settlementv1.CreateFilingResponse, error) {
	ask := settlement.FilingAsk{
		PatientID: r.GetPatientId(), ReferralID: r.GetReferralId(), Province: r.GetProvince(), TreatmentCity: r.GetTreatmentCity(),
		Type: policy.Filing(lower(filingPrefix, r.GetType().String())), ValidFrom: r.GetValidFrom(), OnBehalfOf: r.GetOnBehalfOf(),
		Documents: documentsFrom(r.GetDocuments()),
	}
	prepared := s.use.PrepareFiling(ctx, ask)
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.CreateFilingResponse, error) {
		f, err := s.use.CreateFiling(ctx, ask, prepared)
		if err != nil {
			return nil, err
		}
		return &settlementv1.CreateFilingResponse{Filing: filingTo(f)}, nil
	})
}

// GetFiling returns one filing.
func (s *Server) GetFiling(ctx context.Context, r *settlementv1.GetFilingRequest) (*settlementv1.GetFilingResponse, error) {
	f, err := s.use.GetFiling(ctx, r.GetFilingId())
	if err != nil {
		return nil, err
	}
	return &settlementv1.GetFilingResponse{Filing: filingTo(f)}, nil
}

// ListFilings lists filings.
func (s *Server) ListFilings(ctx context.Context, r *settlementv1.ListFilingsRequest) (*settlementv1.ListFilingsResponse, error) {
	filter := page.Filter("filings", r.GetProvince(), r.GetPatientId(), r.GetReferralId())
	cursor, err := page.Parse(filter, r.GetPageToken())
	if err != nil {
		return nil, err
	}
	q := settlement.FilingQuery{Province: r.GetProvince(), PatientID: r.GetPatientId(), ReferralID: r.GetReferralId()}
	all, next, err := s.use.ListFilings(ctx, q, cursor, page.Size(r.GetPageSize(), pageDefault, pageMost))
	if err != nil {
		return nil, err
	}
	out := &settlementv1.ListFilingsResponse{NextPageToken: page.Token(filter, next)}
	for _, f := range all {
		out.Filings = append(out.Filings, filingTo(f))
	}
	return out, nil
}

// CancelFiling ends a filing.
func (s *Server) CancelFiling(ctx context.Context, r *settlementv1.CancelFilingRequest) (*settlementv1.CancelFilingResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.CancelFilingResponse, error) {
		f, err := s.use.CancelFiling(ctx, r.GetFilingId(), r.GetEtag())
		if err != nil {
			return nil, err
		}
		return &settlementv1.CancelFilingResponse{Filing: filingTo(f)}, nil
	})
}

// OpenClaim admits a patient.
func (s *Server) OpenClaim(ctx context.Context, r *settlementv1.OpenClaimRequest) (*settlementv1.OpenClaimResponse, error) {
	ask := settlement.ClaimAsk{
		ReferralID: r.GetReferralId(), PatientID: r.GetPatientId(), CenterID: r.GetCenterId(), Province: r.GetProvince(),
		TreatmentCity: r.GetTreatmentCity(), InsuredProvince: r.GetInsuredProvince(), Organ: Organ(r.GetOrgan()), AdmissionDate: r.GetAdmissionDate(),
		Kind: kindFrom(r.GetKind()), Emergency: r.GetEmergency(),
	}
	prepared := s.use.PrepareClaim(ctx, ask)
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.OpenClaimResponse, error) {
		c, err := s.use.OpenClaim(ctx, ask, prepared)
		if err != nil {
			return nil, err
		}
		return &settlementv1.OpenClaimResponse{Claim: s.claimTo(c)}, nil
	})
}

// AddFeeLines adds fee lines.
func (s *Server) AddFeeLines(ctx context.Context, r *settlementv1.AddFeeLinesRequest) (*settlementv1.AddFeeLinesResponse, error) {
	lines, err := linesFrom(r.GetLines())
	if err != nil {
		return nil, err
	}
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.AddFeeLinesResponse, error) {
		c, err := s.use.AddFeeLines(ctx, r.GetClaimId(), lines)
		if err != nil {
			return nil, err
		}
		return &settlementv1.AddFeeLinesResponse{Claim: s.claimTo(c)}, nil
	})
}

// GetClaim returns one claim.
func (s *Server) GetClaim(ctx context.Context, r *settlementv1.GetClaimRequest) (*settlementv1.GetClaimResponse, error) {
	c, err := s.use.GetClaim(ctx, r.GetClaimId())
	if err != nil {
		return nil, err
	}
	return &settlementv1.GetClaimResponse{Claim: s.claimTo(c)}, nil
}

// ListClaims lists claims.
func (s *Server) ListClaims(ctx context.Context, r *settlementv1.ListClaimsRequest) (*settlementv1.ListClaimsResponse, error) {
	q := settlement.ClaimQuery{Province: r.GetProvince(), ReferralID: r.GetReferralId()}
	if r.GetStatus() != 0 {
		q.Status = settlement.ClaimStatus(r.GetStatus().String()[len(cStatusPrefix):])
	}
	filter := page.Filter("claims", q.Province, q.ReferralID, string(q.Status))
	cursor, err := page.Parse(filter, r.GetPageToken())
	if err != nil {
		return nil, err
	}
	all, next, err := s.use.ListClaims(ctx, q, cursor, page.Size(r.GetPageSize(), pageDefault, pageMost))
	if err != nil {
		return nil, err
	}
	out := &settlementv1.ListClaimsResponse{NextPageToken: page.Token(filter, next)}
	for _, c := range all {
		out.Claims = append(out.Claims, s.claimTo(c))
	}
	return out, nil
}

// PreSettle answers the split as it would be now.
func (s *Server) PreSettle(ctx context.Context, r *settlementv1.PreSettleRequest) (*settlementv1.PreSettleResponse, error) {
	a, err := s.use.PreSettle(ctx, r.GetClaimId())
	if err != nil {
		return nil, err
	}
	return &settlementv1.PreSettleResponse{Split: SplitTo(a)}, nil
}

// DischargeClaim records the discharge.
func (s *Server) DischargeClaim(ctx context.Context, r *settlementv1.DischargeClaimRequest) (*settlementv1.DischargeClaimResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.DischargeClaimResponse, error) {
		c, err := s.use.DischargeClaim(ctx, r.GetClaimId(), r.GetEtag(), r.GetDischargeDate())
		if err != nil {
			return nil, err
		}
		return &settlementv1.DischargeClaimResponse{Claim: s.claimTo(c)}, nil
	})
}
