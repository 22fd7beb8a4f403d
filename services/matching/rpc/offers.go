package rpc

import (
	"context"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/matching"
)

// Offers implements matchingv1.OfferServiceServer.
type Offers struct {
	matchingv1.UnimplementedOfferServiceServer
	use *matching.Service
	db  *sqldb.DB
}

// NewOffers returns the server.
func NewOffers(use *matching.Service, db *sqldb.DB) *Offers { return &Offers{use: use, db: db} }

// FulfilCondition records that a condition is fulfilled.
func (s *Offers) FulfilCondition(ctx context.Context, req *matchingv1.FulfilConditionRequest) (*matchingv1.FulfilConditionResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*matchingv1.FulfilConditionResponse, error) {
		o, err := s.use.FulfilCondition(ctx, req.GetOfferId(), req.GetEtag(), req.GetNumber())
		if err != nil {
			return nil, err
		}
		return &matchingv1.FulfilConditionResponse{Offer: offerTo(o)}, nil
	})
}

// GetOfferProof returns an offer's proof.
func (s *Offers) GetOfferProof(ctx context.Context, req *matchingv1.GetOfferProofRequest) (*matchingv1.GetOfferProofResponse, error) {
	p, err := s.use.Proof(ctx, req.GetOfferId())
	if err != nil {
		return nil, err
	}
	out := &matchingv1.OfferProof{
		OfferId: p.OfferID, Shown: p.Shown, ShownSha256: p.ShownHash, DeliverTime: timeTo(p.Delivered), OpenTime: timeTo(p.Opened), OpenedBy: p.OpenedBy,
	}
	for _, d := range p.Decisions {
		out.Decisions = append(out.Decisions, &matchingv1.OfferDecision{Number: d.Number, Record: d.Record, Sha256: d.Hash})
	}
	return &matchingv1.GetOfferProofResponse{Proof: out}, nil
}

// asked are the conditions of a wish: those without a day first.
func asked(req *matchingv1.AcceptOfferRequest) []matching.Asked {
	var out []matching.Asked
	for _, text := range req.GetConditions() {
		out = append(out, matching.Asked{Text: text})
	}
	for _, c := range req.GetConditionsBy() {
		out = append(out, matching.Asked{Text: c.GetText(), Due: instant(c.GetDueTime())})
	}
	return out
}
