// Package rpc serves matching.Service over gRPC: proto to domain and back, each mutation once.
//
// Invariant: no peer is asked inside idempotency.Once.
package rpc

import (
	"context"
	"strconv"
	"strings"
	"time"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/page"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/matching"
)

// Server implements matchingv1.MatchingServiceServer and matchingv1.DirectoryServiceServer.
type Server struct {
	matchingv1.UnimplementedMatchingServiceServer
	matchingv1.UnimplementedDirectoryServiceServer
	use *matching.Service
	db  *sqldb.DB
	// cipher seals the stored answers that hold what is sealed elsewhere.
	cipher idempotency.Cipher
}

// New returns the server.
func New(use *matching.Service, db *sqldb.DB, cipher idempotency.Cipher) *Server {
	return &Server{use: use, db: db, cipher: cipher}
}

const (
	pageDefault = 50
	pageMax     = 200
)

// CreateOffer asks a center.
func (s *Server) CreateOffer(ctx context.Context, req *matchingv1.CreateOfferRequest) (*matchingv1.CreateOfferResponse, error) {
	ctx = telemetry.WithReferral(ctx, req.GetReferralId())
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*matchingv1.CreateOfferResponse, error) {
		o, err := s.use.CreateOffer(ctx, matching.Proposal{
			ReferralID: req.GetReferralId(), PatientID: req.GetPatientId(), MatchRunID: req.GetMatchRunId(), CenterID: req.GetCenterId(),
			Referrer: req.GetReferringOrganisation(), Organ: organFrom(req.GetOrgan()), Urgency: urgencyFrom(req.GetUrgency()),
		})
		if err != nil {
			return nil, err
		}
		return &matchingv1.CreateOfferResponse{Offer: offerTo(o)}, nil
	})
}

// GetOffer returns one offer.
func (s *Server) GetOffer(ctx context.Context, req *matchingv1.GetOfferRequest) (*matchingv1.GetOfferResponse, error) {
	o, err := s.use.Offer(ctx, req.GetOfferId())
	if err != nil {
		return nil, err
	}
	return &matchingv1.GetOfferResponse{Offer: offerTo(o)}, nil
}

// ListOffers returns a page of offers.
func (s *Server) ListOffers(ctx context.Context, req *matchingv1.ListOffersRequest) (*matchingv1.ListOffersResponse, error) {
	f := matching.OfferFilter{Status: statusFrom(req.GetStatus()), ReferralID: req.GetReferralId()}
	filter := page.Filter("offers", string(f.Status), f.ReferralID)
	cursor, err := page.Parse(filter, req.GetPageToken())
	if err != nil {
		return nil, err
	}
	after, err := placeIn(cursor)
	if err != nil {
		return nil, err
	}
	size := page.Size(req.GetPageSize(), pageDefault, pageMax)
	offers, err := s.use.Offers(ctx, f, after, size+1)
	if err != nil {
		return nil, err
	}
	res := &matchingv1.ListOffersResponse{}
	if len(offers) > size {
		offers = offers[:size]
		last := offers[size-1]
		res.NextPageToken = page.Token(filter, strconv.FormatInt(clock.Micros(last.ExpiresAt), 10)+" "+last.ID)
	}
	for _, o := range offers {
		res.Offers = append(res.Offers, offerTo(o))
	}
	return res, nil
}

func placeIn(cursor string) (*matching.Offer, error) {
	if cursor == "" {
		return nil, nil
	}
	micros, id, _ := strings.Cut(cursor, " ")
	n, err := strconv.ParseInt(micros, 10, 64)
	if err != nil {
		return nil, fault.New(fault.InvalidArgument, fault.InvalidPageToken, "page_token", "The page token is damaged.", "翻页标记已损坏。")
	}
	return &matching.Offer{ID: id, ExpiresAt: clock.FromMicros(n)}, nil
}

// DeclineOffer declines.
func (s *Server) DeclineOffer(ctx context.Context, req *matchingv1.DeclineOfferRequest) (*matchingv1.DeclineOfferResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*matchingv1.DeclineOfferResponse, error) {
		o, err := s.use.Decline(ctx, req.GetOfferId(), req.GetEtag(), req.GetCode(), req.GetComment())
		if err != nil {
			return nil, err
		}
		return &matchingv1.DeclineOfferResponse{Offer: offerTo(o)}, nil
	})
}

// WithdrawOffer withdraws.
func (s *Server) WithdrawOffer(ctx context.Context, req *matchingv1.WithdrawOfferRequest) (*matchingv1.WithdrawOfferResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*matchingv1.WithdrawOfferResponse, error) {
		o, err := s.use.Withdraw(ctx, req.GetOfferId(), req.GetReason())
		if err != nil {
			return nil, err
		}
		return &matchingv1.WithdrawOfferResponse{Offer: offerTo(o)}, nil
	})
}

func instant(t interface {
	IsValid() bool
	AsTime() time.Time
},
) time.Time {
	if !t.IsValid() {
		return time.Time{}
	}
	return t.AsTime().Truncate(time.Microsecond)
}
