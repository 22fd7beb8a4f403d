package rpc

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/referral"
)

// GetReferral returns a case with the caller's actions.
func (s *Server) GetReferral(ctx context.Context, req *referralv1.GetReferralRequest) (*referralv1.GetReferralResponse, error) {
	r, err := s.service.GetReferral(ctx, req.GetReferralId())
	if err != nil {
		return nil, err
	}
	return &referralv1.GetReferralResponse{Referral: caseOut(r, access.From(ctx))}, nil
}

// ListReferrals lists the caller's cases.
func (s *Server) ListReferrals(ctx context.Context, req *referralv1.ListReferralsRequest) (*referralv1.ListReferralsResponse, error) {
	list, next, err := s.service.ListReferrals(ctx, referral.Filter{
		State: stateIn(req.GetState()), PatientID: req.GetPatientId(), ChangedSince: instant(req.GetChangedSince()),
	}, req.GetPageToken(), req.GetPageSize())
	if err != nil {
		return nil, err
	}
	return &referralv1.ListReferralsResponse{Referrals: casesOut(list, access.From(ctx)), NextPageToken: next}, nil
}

// ListTimeline lists a case's entries.
func (s *Server) ListTimeline(ctx context.Context, req *referralv1.ListTimelineRequest) (*referralv1.ListTimelineResponse, error) {
	entries, next, err := s.service.ListTimeline(ctx, req.GetReferralId(), req.GetPageToken(), req.GetPageSize())
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListTimelineResponse{NextPageToken: next}
	for _, e := range entries {
		out.Entries = append(out.Entries, entryOut(e))
	}
	return out, nil
}

// ListWorklist lists what waits for the caller.
func (s *Server) ListWorklist(ctx context.Context, req *referralv1.ListWorklistRequest) (*referralv1.ListWorklistResponse, error) {
	kind := strings.TrimPrefix(req.GetKind().String(), "WORKLIST_KIND_")
	list, next, err := s.service.ListWorklist(ctx, kind, req.GetPageToken(), req.GetPageSize())
	if err != nil {
		return nil, err
	}
	return &referralv1.ListWorklistResponse{Referrals: casesOut(list, access.From(ctx)), NextPageToken: next}, nil
}

// GetTrace shows every span of a case.
func (s *Server) GetTrace(ctx context.Context, req *referralv1.GetTraceRequest) (*referralv1.GetTraceResponse, error) {
	p, err := s.service.GetTrace(ctx, req.GetReferralId(), req.GetTraceId(), req.GetPageToken(), req.GetPageSize())
	if err != nil {
		return nil, err
	}
	return traceOut(req.GetReferralId(), p), nil
}

// FollowEvents streams the feed; its header tells that it follows, before there is an event.
func (s *Server) FollowEvents(req *referralv1.FollowEventsRequest, stream grpc.ServerStreamingServer[referralv1.FollowEventsResponse]) error {
	begun := func() error { return stream.SendHeader(metadata.MD{}) }
	return s.service.FollowEvents(stream.Context(), req.GetCursor(), req.GetFromNow(), req.GetUntilNow(), begun, func(cursor string, e referral.Event) error {
		return stream.Send(&referralv1.FollowEventsResponse{Event: &referralv1.Event{
			Cursor: cursor, ReferralId: e.ReferralID, Entry: entryOut(e.Entry),
		}})
	})
}
