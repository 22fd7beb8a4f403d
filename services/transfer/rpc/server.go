// Package rpc is the transfer service's gRPC: proto to domain and back.
//
// Invariant: every mutation runs inside idempotency.Once; what has to be asked of other services is asked before, and
// its failure counts only if there is no first answer to give again.
package rpc

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/pool"
)

// Server implements the generated service.
type Server struct {
	transferv1.UnimplementedTransferServiceServer
	service *transfer.Service
	db      *sqldb.DB
}

// New returns the server over its use cases and the database they store in.
func New(service *transfer.Service, db *sqldb.DB) *Server { return &Server{service: service, db: db} }

// PlanItinerary answers the options between two cities.
func (s *Server) PlanItinerary(ctx context.Context, req *transferv1.PlanItineraryRequest) (*transferv1.PlanItineraryResponse, error) {
	notBefore, err := instant(req.GetNotBefore(), "not_before")
	if err != nil {
		return nil, err
	}
	plan, err := s.service.Plan(ctx, transfer.PlanQuery{
		OriginCity: req.GetOriginCity(), DestinationCity: req.GetDestinationCity(), NotBefore: notBefore,
		Fitness: fitnessFrom(req.GetFitness()), Within: time.Duration(req.GetWithinMinutes()) * time.Minute,
	})
	if err != nil {
		return nil, err
	}
	answer := &transferv1.PlanItineraryResponse{TimetableVersion: plan.TimetableVersion, RulesVersion: plan.RulesVersion}
	for _, option := range plan.Options {
		answer.Options = append(answer.Options, itineraryTo(option))
	}
	if f := plan.Faster; f != nil {
		answer.FasterRefused = &transferv1.FasterRefused{Itinerary: itineraryTo(f.Itinerary)}
		for _, text := range f.Against {
			answer.FasterRefused.AgainstZh = append(answer.FasterRefused.AgainstZh, text.Zh)
			answer.FasterRefused.AgainstEn = append(answer.FasterRefused.AgainstEn, text.En)
		}
	}
	for _, note := range plan.Notes {
		answer.NotesZh, answer.NotesEn = append(answer.NotesZh, note.Zh), append(answer.NotesEn, note.En)
	}
	for _, refusal := range plan.Refused {
		answer.Refused = append(answer.Refused, &transferv1.RefusedMode{
			Mode: modeTo(refusal.Mode), BecauseZh: refusal.Because.Zh, BecauseEn: refusal.Because.En,
		})
	}
	return answer, nil
}

// EstimateTravel answers the shortest time to each city.
func (s *Server) EstimateTravel(ctx context.Context, req *transferv1.EstimateTravelRequest) (*transferv1.EstimateTravelResponse, error) {
	var notBefore time.Time
	if req.GetNotBefore() != nil {
		var err error
		if notBefore, err = instant(req.GetNotBefore(), "not_before"); err != nil {
			return nil, err
		}
	}
	estimates, err := s.service.Estimate(ctx, req.GetOriginCity(), req.GetDestinationCities(), fitnessFrom(req.GetFitness()), notBefore)
	if err != nil {
		return nil, err
	}
	answer := &transferv1.EstimateTravelResponse{}
	for i, e := range estimates {
		one := &transferv1.TravelEstimate{City: req.GetDestinationCities()[i]}
		if e.Found {
			// A started minute counts: nobody arrives before the estimate by rounding.
			one.Minutes = proto.Int32(int32((e.Duration + time.Minute - 1) / time.Minute))
			one.Mode = modeTo(e.Mode)
		}
		answer.Estimates = append(answer.Estimates, one)
	}
	return answer, nil
}

// CreateTransfer plans the move of a booked case.
func (s *Server) CreateTransfer(ctx context.Context, req *transferv1.CreateTransferRequest) (*transferv1.CreateTransferResponse, error) {
	notBefore, err := instant(req.GetNotBefore(), "not_before")
	if err != nil {
		return nil, err
	}
	wanted := transfer.NewTransfer{
		ReferralID: req.GetReferralId(), PatientID: req.GetPatientId(), From: req.GetFromOrganisation(), To: req.GetToOrganisation(),
		OriginCity: req.GetOriginCity(), DestinationCity: req.GetDestinationCity(), NotBefore: notBefore,
		Fitness: fitnessFrom(req.GetFitness()), OptionKey: req.GetOptionKey(),
	}
	prepared := s.service.Prepare(ctx, wanted)
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.CreateTransferResponse, error) {
		t, err := s.service.CreateTransfer(ctx, wanted, prepared)
		return &transferv1.CreateTransferResponse{Transfer: transferTo(t)}, err
	})
}

// GetTransfer returns one transfer.
func (s *Server) GetTransfer(ctx context.Context, req *transferv1.GetTransferRequest) (*transferv1.GetTransferResponse, error) {
	t, err := s.service.GetTransfer(ctx, req.GetTransferId())
	if err != nil {
		return nil, err
	}
	return &transferv1.GetTransferResponse{Transfer: transferTo(t)}, nil
}

// ListTransfers returns a page.
func (s *Server) ListTransfers(ctx context.Context, req *transferv1.ListTransfersRequest) (*transferv1.ListTransfersResponse, error) {
	list, next, err := s.service.ListTransfers(ctx, statusFrom(req.GetStatus()), req.GetReferralId(), req.GetPageSize(), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	answer := &transferv1.ListTransfersResponse{NextPageToken: next}
	for _, t := range list {
		answer.Transfers = append(answer.Transfers, transferTo(t))
	}
	return answer, nil
}

// CheckFitness records a fitness check.
func (s *Server) CheckFitness(ctx context.Context, req *transferv1.CheckFitnessRequest) (*transferv1.CheckFitnessResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.CheckFitnessResponse, error) {
		t, err := s.service.CheckFitness(ctx, req.GetTransferId(), req.GetEtag(), fitnessFrom(req.GetFitness()), req.GetUnfit())
		return &transferv1.CheckFitnessResponse{Transfer: transferTo(t)}, err
	})
}

// Depart records the departure.
func (s *Server) Depart(ctx context.Context, req *transferv1.DepartRequest) (*transferv1.DepartResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.DepartResponse, error) {
		t, err := s.service.Depart(ctx, req.GetTransferId(), req.GetEtag())
		return &transferv1.DepartResponse{Transfer: transferTo(t)}, err
	})
}

// HandOver records arrival and hand-over.
func (s *Server) HandOver(ctx context.Context, req *transferv1.HandOverRequest) (*transferv1.HandOverResponse, error) {
	record, err := handOverFrom(req.GetHandOver())
	if err != nil {
		return nil, err
	}
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.HandOverResponse, error) {
		t, err := s.service.HandOver(ctx, req.GetTransferId(), req.GetEtag(), record)
		return &transferv1.HandOverResponse{Transfer: transferTo(t)}, err
	})
}

// AbortTransfer ends a transfer.
func (s *Server) AbortTransfer(ctx context.Context, req *transferv1.AbortTransferRequest) (*transferv1.AbortTransferResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.AbortTransferResponse, error) {
		t, err := s.service.AbortTransfer(ctx, req.GetTransferId(), req.GetEtag(), req.GetCode())
		return &transferv1.AbortTransferResponse{Transfer: transferTo(t)}, err
	})
}

// ListResources returns a page of units.
func (s *Server) ListResources(ctx context.Context, req *transferv1.ListResourcesRequest) (*transferv1.ListResourcesResponse, error) {
	look, err := lookFrom(req)
	if err != nil {
		return nil, err
	}
	list, next, asOf, err := s.service.ListResources(ctx, req.GetOrganisation(), kindFrom(req.GetKind()), req.GetPageSize(), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	answer := &transferv1.ListResourcesResponse{NextPageToken: next, AsOf: timestamppb.New(asOf)}
	for _, r := range list {
		r.Closed = r.Calendar.ClosedTimes(look)
		answer.Resources = append(answer.Resources, resourceTo(r))
	}
	return answer, nil
}

// AddResource adds a unit.
func (s *Server) AddResource(ctx context.Context, req *transferv1.AddResourceRequest) (*transferv1.AddResourceResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.AddResourceResponse, error) {
		r, err := s.service.AddResource(ctx, kindFrom(req.GetKind()), req.GetLabel())
		return &transferv1.AddResourceResponse{Resource: resourceTo(r)}, err
	})
}

// CountFree counts free units.
func (s *Server) CountFree(ctx context.Context, req *transferv1.CountFreeRequest) (*transferv1.CountFreeResponse, error) {
	interval, err := intervalFrom(req.GetStartTime(), req.GetEndTime(), "")
	if err != nil {
		return nil, err
	}
	free, asOf, err := s.service.CountFree(ctx, req.GetOrganisations(), kindFrom(req.GetKind()), interval)
	if err != nil {
		return nil, err
	}
	answer := &transferv1.CountFreeResponse{AsOf: timestamppb.New(asOf)}
	for _, n := range free {
		answer.Free = append(answer.Free, int32(n))
	}
	return answer, nil
}

// HoldResources holds units, all or none.
func (s *Server) HoldResources(ctx context.Context, req *transferv1.HoldResourcesRequest) (*transferv1.HoldResourcesResponse, error) {
	expire, err := instant(req.GetExpireTime(), "expire_time")
	if err != nil {
		return nil, err
	}
	var needs []pool.Need
	for i, n := range req.GetNeeds() {
		interval, err := intervalFrom(n.GetStartTime(), n.GetEndTime(), fmt.Sprintf("needs[%d].", i))
		if err != nil {
			return nil, err
		}
		needs = append(needs, pool.Need{Organisation: n.GetOrganisation(), Kind: kindFrom(n.GetKind()), Interval: interval})
	}
	named := s.service.PrepareHold(ctx, req.GetReferralId())
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.HoldResourcesResponse, error) {
		h, err := s.service.HoldResources(ctx, req.GetReferralId(), named, req.GetOrganisation(), needs, expire)
		return &transferv1.HoldResourcesResponse{Hold: holdTo(h)}, err
	})
}

// GetHold returns one hold.
func (s *Server) GetHold(ctx context.Context, req *transferv1.GetHoldRequest) (*transferv1.GetHoldResponse, error) {
	h, err := s.service.GetHold(ctx, req.GetHoldId())
	if err != nil {
		return nil, err
	}
	return &transferv1.GetHoldResponse{Hold: holdTo(h)}, nil
}

// ConfirmHold confirms a hold.
func (s *Server) ConfirmHold(ctx context.Context, req *transferv1.ConfirmHoldRequest) (*transferv1.ConfirmHoldResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.ConfirmHoldResponse, error) {
		h, err := s.service.ConfirmHold(ctx, req.GetHoldId())
		return &transferv1.ConfirmHoldResponse{Hold: holdTo(h)}, err
	})
}

// ReleaseHold releases a hold.
func (s *Server) ReleaseHold(ctx context.Context, req *transferv1.ReleaseHoldRequest) (*transferv1.ReleaseHoldResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.ReleaseHoldResponse, error) {
		h, err := s.service.ReleaseHold(ctx, req.GetHoldId(), req.GetReason())
		return &transferv1.ReleaseHoldResponse{Hold: holdTo(h)}, err
	})
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func doorToDoor(from, to time.Time) *durationpb.Duration { return durationpb.New(to.Sub(from)) }
