package rpc

import (
	"context"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	"huhang.example/services/internal/audit"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/matching"
)

// AcceptOffer commits the intent, asks for the units, commits the outcome, and then keeps the answer for retries. What a
// crash leaves undone in between, a job finishes; a retry with the same request id goes on from wherever that is.
func (s *Server) AcceptOffer(ctx context.Context, req *matchingv1.AcceptOfferRequest) (*matchingv1.AcceptOfferResponse, error) {
	begun, err := s.begin(ctx, req)
	if err != nil {
		return nil, err
	}
	ctx = telemetry.WithReferral(ctx, begun.ReferralID)
	held := matching.Held{HoldID: begun.HoldID}
	if begun.Status == matching.Accepting {
		if held, err = s.use.Hold(ctx, begun); err != nil {
			return nil, matching.UnderWay(err)
		}
		// Also when the caller has gone by now: the outcome is known and is to be kept.
		ended, err := s.use.FinishAccept(context.WithoutCancel(ctx), begun.ID, begun.Acceptance.Attempt, held)
		if err != nil {
			return nil, matching.UnderWay(err)
		}
		if err := ended.Accepted(held); err != nil {
			return nil, err
		}
	}
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*matchingv1.AcceptOfferResponse, error) {
		o, err := s.use.Offer(ctx, begun.ID)
		if err != nil {
			return nil, err
		}
		if err := o.Accepted(held); err != nil {
			return nil, err
		}
		return &matchingv1.AcceptOfferResponse{Offer: offerTo(o)}, nil
	})
}

// intent is the audit log's name for the first half of an acceptance.
const intent = "/huhang.matching.v1.MatchingService/AcceptOffer intent"

func (s *Server) begin(ctx context.Context, req *matchingv1.AcceptOfferRequest) (o *matching.Offer, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		o, err = s.use.BeginAccept(ctx, req.GetOfferId(), matching.Wish{
			RequestID: req.GetRequestId(), Etag: req.GetEtag(), Admission: instant(req.GetAdmissionTime()), Conditions: asked(req),
		})
		if err != nil || o.Status != matching.Accepting {
			return err
		}
		return audit.Append(ctx, tx, audit.Entry{Action: intent, Resource: o.ID, Outcome: audit.Done})
	})
	return o, err
}
