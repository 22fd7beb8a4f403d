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
	"huhang.example/services/matching/directory"
)

// Server implements matchingv1.MatchingServiceServer.
type Server struct {
	matchingv1.UnimplementedMatchingServiceServer
	use *matching.Service
	db  *sqldb.DB
}

// New returns the server.
func New(use *matching.Service, db *sqldb.DB) *Server { return &Server{use: use, db: db} }

const (
	pageDefault = 50
	pageMax     = 200
)

// ListCenters returns a page of centers.
func (s *Server) ListCenters(ctx context.Context, req *matchingv1.ListCentersRequest) (*matchingv1.ListCentersResponse, error) {
	f := matching.CenterFilter{Line: req.GetLine(), Organ: organFrom(req.GetOrgan())}
	filter := page.Filter("centers", f.Line, f.Organ)
	after, err := page.Parse(filter, req.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := page.Size(req.GetPageSize(), pageDefault, pageMax)
	centers, err := s.use.Centers(ctx, f, after, size+1)
	if err != nil {
		return nil, err
	}
	res := &matchingv1.ListCentersResponse{}
	if len(centers) > size {
		centers = centers[:size]
		res.NextPageToken = page.Token(filter, centers[size-1].ID)
	}
	for _, c := range centers {
		res.Centers = append(res.Centers, centerTo(c))
	}
	return res, nil
}

// GetCenter returns one center.
func (s *Server) GetCenter(ctx context.Context, req *matchingv1.GetCenterRequest) (*matchingv1.GetCenterResponse, error) {
	c, err := s.use.Center(ctx, req.GetCenterId())
	if err != nil {
		return nil, err
	}
	return &matchingv1.GetCenterResponse{Center: centerTo(c)}, nil
}

// DeclareCapacity states capacity.
func (s *Server) DeclareCapacity(ctx context.Context, req *matchingv1.DeclareCapacityRequest) (*matchingv1.DeclareCapacityResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*matchingv1.DeclareCapacityResponse, error) {
		c, err := s.use.DeclareCapacity(ctx, req.GetCenterId(), req.GetEtag(), organFrom(req.GetOrgan()), req.GetFreePlaces())
		if err != nil {
			return nil, err
		}
		return &matchingv1.DeclareCapacityResponse{Center: centerTo(c)}, nil
	})
}

// SetLicence records a licence.
func (s *Server) SetLicence(ctx context.Context, req *matchingv1.SetLicenceRequest) (*matchingv1.SetLicenceResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*matchingv1.SetLicenceResponse, error) {
		l := req.GetLicence()
		c, err := s.use.SetLicence(ctx, req.GetCenterId(), req.GetEtag(), organFrom(req.GetOrgan()), directory.Licence{
			ValidFrom: l.GetValidFrom(), ValidTo: l.GetValidTo(), Suspended: l.GetSuspended(),
		})
		if err != nil {
			return nil, err
		}
		return &matchingv1.SetLicenceResponse{Center: centerTo(c)}, nil
	})
}

// RunMatch ranks and freezes. A retry gathers again for nothing, and gets the first run whatever became of the patient.
func (s *Server) RunMatch(ctx context.Context, req *matchingv1.RunMatchRequest) (*matchingv1.RunMatchResponse, error) {
	ctx = telemetry.WithReferral(ctx, req.GetReferralId())
	run, gone := s.use.Match(ctx, matching.Ask{
		ReferralID: req.GetReferralId(), PatientID: req.GetPatientId(), Organ: organFrom(req.GetOrgan()), Referrer: req.GetReferringOrganisation(),
		Preferred: req.GetPreferredCenters(), Refused: req.GetRefusedCenters(),
	})
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*matchingv1.RunMatchResponse, error) {
		if gone != nil {
			return nil, gone
		}
		if err := s.use.KeepRun(ctx, run); err != nil {
			return nil, err
		}
		return &matchingv1.RunMatchResponse{MatchRun: runTo(run)}, nil
	})
}

// GetMatchRun returns a frozen run.
func (s *Server) GetMatchRun(ctx context.Context, req *matchingv1.GetMatchRunRequest) (*matchingv1.GetMatchRunResponse, error) {
	run, err := s.use.Run(ctx, req.GetMatchRunId())
	if err != nil {
		return nil, err
	}
	return &matchingv1.GetMatchRunResponse{MatchRun: runTo(run)}, nil
}

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
