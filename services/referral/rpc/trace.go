package rpc

import (
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/referral"
)

func traceOut(referralID string, p referral.TracePage) *referralv1.GetTraceResponse {
	out := &referralv1.GetTraceResponse{
		ReferralId: referralID, TotalSpans: int32(p.Total), FailedSpans: int32(p.Failed), Truncated: p.Truncated, NextPageToken: p.Next,
	}
	for _, t := range p.Traces {
		out.Traces = append(out.Traces, &referralv1.TraceSummary{
			TraceId: t.ID, Name: t.Name, Service: t.Service, StartTime: timestamppb.New(t.Start), Duration: durationpb.New(t.Duration),
			Spans: int32(t.Spans), Failed: int32(t.Failed), TimelineSequences: t.Sequences,
		})
	}
	for _, s := range p.Spans {
		out.Spans = append(out.Spans, &referralv1.TraceSpan{
			TraceId: s.TraceID, SpanId: s.ID, ParentSpanId: s.ParentID, Depth: int32(s.Depth), Service: s.Service, Instance: s.Instance,
			Province: s.Province, Name: s.Name, Kind: s.Kind, StartTime: timestamppb.New(s.Start), Duration: durationpb.New(s.Duration),
			SelfTime: durationpb.New(s.Self), Failed: s.Failed, Failure: s.Failure, SlowRank: int32(s.SlowRank), JobAttempt: int32(s.JobAttempt),
		})
	}
	return out
}
