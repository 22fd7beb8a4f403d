package rpc

import (
	"context"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/referral"
	"huhang.example/services/referral/exchange"
)

// fhirType is the media type of FHIR as JSON.
const fhirType = "application/fhir+json"

type exchangeServer struct {
	referralv1.UnimplementedExchangeServiceServer
	use   *exchange.Service
	cases *referral.Service
	db    *sqldb.DB
}

// RegisterExchange adds ExchangeService to a server.
func RegisterExchange(to grpc.ServiceRegistrar, use *exchange.Service, cases *referral.Service, db *sqldb.DB) {
	referralv1.RegisterExchangeServiceServer(to, &exchangeServer{use: use, cases: cases, db: db})
}

// ExportFhir gives a case out.
func (s *exchangeServer) ExportFhir(ctx context.Context, req *referralv1.ExportFhirRequest) (*httpbody.HttpBody, error) {
	text, err := s.use.Export(ctx, req.GetReferralId())
	if err != nil {
		return nil, err
	}
	return &httpbody.HttpBody{ContentType: fhirType, Data: text}, nil
}

// ImportFhir takes a draft in.
func (s *exchangeServer) ImportFhir(ctx context.Context, req *referralv1.ImportFhirRequest) (*referralv1.ImportFhirResponse, error) {
	// Looked for first: an import that is done must not find its own case in the way, nor another Bundle under its key do anything.
	done, known, err := idempotency.Recall[*referralv1.ImportFhirResponse](ctx, s.db, req)
	if known || err != nil {
		return done, err
	}
	caller := access.From(ctx)
	defer s.cases.Committed()
	prepared := s.use.Prepare(ctx, req.GetRequestId(), req.GetBundle().GetData())
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*referralv1.ImportFhirResponse, error) {
		r, err := s.use.Draft(ctx, prepared)
		if err != nil {
			return nil, err
		}
		return &referralv1.ImportFhirResponse{
			Referral: caseOut(r, caller), PatientRegistered: prepared.Registered, ClinicalRecorded: prepared.Recorded, NotTaken: prepared.NotTaken,
		}, nil
	})
}
