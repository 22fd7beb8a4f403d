package rpc

import (
	"context"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/page"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/matching"
)

// Assignments implements matchingv1.AssignmentServiceServer.
type Assignments struct {
	matchingv1.UnimplementedAssignmentServiceServer
	use *matching.Service
	db  *sqldb.DB
}

// NewAssignments returns the server.
func NewAssignments(use *matching.Service, db *sqldb.DB) *Assignments {
	return &Assignments{use: use, db: db}
}

const (
	itemsDefault = 100
	itemsMax     = 500
)

// ProposeAssignment begins a proposal.
func (s *Assignments) ProposeAssignment(ctx context.Context, req *matchingv1.ProposeAssignmentRequest) (*matchingv1.ProposeAssignmentResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*matchingv1.ProposeAssignmentResponse, error) {
		a, err := s.use.ProposeAssignment(ctx, organFrom(req.GetOrgan()))
		if err != nil {
			return nil, err
		}
		return &matchingv1.ProposeAssignmentResponse{Assignment: assignmentTo(a)}, nil
	})
}

// GetAssignment returns a proposal with a page of its cases.
func (s *Assignments) GetAssignment(ctx context.Context, req *matchingv1.GetAssignmentRequest) (*matchingv1.GetAssignmentResponse, error) {
	filter := page.Filter("assignment", req.GetAssignmentId())
	after, err := page.Parse(filter, req.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := page.Size(req.GetPageSize(), itemsDefault, itemsMax)
	a, cases, err := s.use.Assignment(ctx, req.GetAssignmentId(), after, size+1)
	if err != nil {
		return nil, err
	}
	out := &matchingv1.GetAssignmentResponse{Assignment: assignmentTo(a)}
	if len(cases) > size {
		cases = cases[:size]
		out.NextPageToken = page.Token(filter, cases[size-1].Item.ReferralID)
	}
	for _, c := range cases {
		item := &matchingv1.AssignmentItem{
			ReferralId: c.Item.ReferralID, CenterId: c.Item.CenterID, Points: c.Item.Points, NextCenter: c.Item.Next, NextCost: c.Item.NextCost,
			WishedCenter: c.Item.Wished, WishedCost: c.Item.WishedCost, Needs: c.Item.Needs, BelowShare: c.Item.BelowShare,
			Because: &matchingv1.Remark{Zh: c.Item.Zh, En: c.Item.En}, Outcome: c.Outcome,
		}
		for _, t := range c.Item.Terms {
			item.Terms = append(item.Terms, &matchingv1.AssignmentTerm{Key: t.Key, Points: t.Points})
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// ConfirmAssignment has the proposed centers asked.
func (s *Assignments) ConfirmAssignment(ctx context.Context, req *matchingv1.ConfirmAssignmentRequest) (*matchingv1.ConfirmAssignmentResponse, error) {
	now := s.use.PrepareConfirm(ctx, req.GetAssignmentId())
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*matchingv1.ConfirmAssignmentResponse, error) {
		a, err := s.use.ConfirmAssignment(ctx, req.GetAssignmentId(), req.GetEtag(), now)
		if err != nil {
			return nil, err
		}
		return &matchingv1.ConfirmAssignmentResponse{Assignment: assignmentTo(a)}, nil
	})
}

func assignmentTo(a *matching.Assignment) *matchingv1.Assignment {
	return &matchingv1.Assignment{
		AssignmentId: a.ID, Status: matchingv1.AssignmentStatus(matchingv1.AssignmentStatus_value["ASSIGNMENT_STATUS_"+string(a.Status)]),
		Organ: organTo(a.Organ), CreateTime: timeTo(a.CreatedAt), Cases: a.Cases, Done: a.Done, Placed: a.Placed, RulesVersion: a.RulesVersion,
		Worth: a.Worth, Bound: a.Bound, CertificateSha256: a.Certificate, Failure: a.Failure, Etag: a.Etag(), Asked: a.Asked,
	}
}
