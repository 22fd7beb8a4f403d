package app_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/gateway/app"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

func TestAHospitalCallsAsItself(t *testing.T) {
	r := newRig(t)
	patients := r.patients()
	patients.get = func(ctx context.Context, q *patientv1.GetPatientRequest) (*patientv1.GetPatientResponse, error) {
		if err := errors.Join(grpc.SetHeader(ctx, metadata.Pairs("note", "head")), grpc.SetTrailer(ctx, metadata.Pairs("end", "tail"))); err != nil {
			return nil, err
		}
		answer := &patientv1.GetPatientResponse{Patient: &patientv1.Patient{PatientId: q.GetPatientId()}}
		// As a newer service would answer.
		answer.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, 999, protowire.BytesType), "new"))
		return answer, nil
	}
	client := patientv1.NewPatientServiceClient(r.hospital("H-HF-01"))
	forged, err := access.Encode(access.Caller{Subject: "u-9", Organisation: "OPS", Roles: []access.Role{access.Operations}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), access.MetadataKey, forged, "authorization", "Bearer "+r.issuer.token(nil), "kept", "no")
	var header, trailer metadata.MD
	answer, err := client.GetPatient(ctx, &patientv1.GetPatientRequest{PatientId: patientID}, grpc.Header(&header), grpc.Trailer(&trailer))
	if err != nil || answer.GetPatient().GetPatientId() != patientID {
		t.Fatalf("%v, %v", answer, err)
	}
	if !strings.Contains(string(answer.ProtoReflect().GetUnknown()), "new") {
		t.Error("a newer service's field was lost")
	}
	if len(header.Get("note")) != 1 || len(trailer.Get("end")) != 1 {
		t.Errorf("header %v, trailer %v", header, trailer)
	}
	call := patients.calls.last(t)
	if call.caller.Subject != "system" || call.caller.Organisation != "H-HF-01" || call.caller.Has(access.Operations) ||
		!call.caller.Has(access.Coordinator) || !call.caller.Has(access.Center) {
		t.Errorf("called by %+v", call.caller)
	}
	if len(call.metadata.Get("kept"))+len(call.metadata.Get("authorization")) != 0 {
		t.Errorf("metadata travelled on: %v", call.metadata)
	}
}

func TestRefusedPassThrough(t *testing.T) {
	r := newRig(t, func(c *app.Config) { c.RateLimit.PerSecond, c.RateLimit.Burst = 0.001, 8 })
	referrals := r.referrals()
	hospital, service := r.hospital("H-HF-01"), r.dial(r.service("referral"))
	submit := "/huhang.referral.v1.ReferralService/SubmitReferral"
	tests := []struct {
		name    string
		from    *grpc.ClientConn
		method  string
		request proto.Message
		options []grpc.CallOption
		code    codes.Code
		reason  fault.Reason
	}{
		{"a method between services", hospital, "/huhang.referral.v1.CaseEventService/RecordCaseEvent", &referralv1.RecordCaseEventRequest{}, nil, codes.PermissionDenied, fault.RightMissing},
		{"a service", service, submit, &referralv1.SubmitReferralRequest{}, nil, codes.PermissionDenied, fault.RightMissing},
		{"no such method", hospital, "/huhang.referral.v1.ReferralService/Nothing", &emptypb.Empty{}, nil, codes.Unimplemented, fault.ReasonNotFound},
		{"no such service", hospital, "/grpc.channelz.v1.Channelz/GetServers", &emptypb.Empty{}, nil, codes.Unimplemented, fault.ReasonNotFound},
		{"for operations alone", hospital, "/huhang.referral.v1.ReferralService/ScreenReferral", &referralv1.ScreenReferralRequest{}, nil, codes.PermissionDenied, fault.RightMissing},
		{"out of bounds", hospital, submit, &referralv1.SubmitReferralRequest{RequestId: "x"}, nil, codes.InvalidArgument, fault.FieldInvalid},
		{"oversized", hospital, submit, &referralv1.SubmitReferralRequest{RequestId: strings.Repeat("x", 1<<20+1)}, nil, codes.ResourceExhausted, fault.BodyTooLarge},
		{"not the message", hospital, submit, &emptypb.Empty{}, []grpc.CallOption{grpc.ForceCodec(broken{})}, codes.InvalidArgument, fault.BodyMalformed},
		{"not protobuf", hospital, submit, &emptypb.Empty{}, []grpc.CallOption{grpc.ForceCodec(other{})}, codes.InvalidArgument, fault.BodyMalformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.from.Invoke(t.Context(), test.method, test.request, &emptypb.Empty{}, test.options...)
			f, ok := fault.As(fault.FromStatus(err))
			if status.Code(err) != test.code || !ok || f.Reason != test.reason || f.Zh == "" {
				t.Fatalf("got %v", err)
			}
		})
	}
	if len(referrals.calls.list()) != 0 {
		t.Error("a handler ran")
	}
	client := referralv1.NewReferralServiceClient(hospital)
	var last error
	for range 12 {
		_, last = client.SubmitReferral(t.Context(), &referralv1.SubmitReferralRequest{ReferralId: referralID, RequestId: "0123456789abcdef", Etag: "1"})
		if fault.Is(fault.FromStatus(last), fault.RateLimited) {
			break
		}
		// The service's own refusal, detail for detail.
		s := status.Convert(last)
		var info *errdetails.ErrorInfo
		languages := 0
		for _, d := range s.Details() {
			switch d := d.(type) {
			case *errdetails.ErrorInfo:
				info = d
			case *errdetails.LocalizedMessage:
				languages++
			}
		}
		if s.Code() != codes.Aborted || info.GetReason() != "STALE_VERSION" || info.GetMetadata()["current_etag"] != "7" || languages != 2 {
			t.Fatalf("got %v", last)
		}
	}
	if f, ok := fault.As(fault.FromStatus(last)); !ok || f.Reason != fault.RateLimited || f.Meta["retry_after_seconds"] == "" {
		t.Fatalf("without a limit: %v", last)
	}
	if _, err := referralv1.NewReferralServiceClient(r.hospital("H-NC-01")).SubmitReferral(t.Context(),
		&referralv1.SubmitReferralRequest{ReferralId: referralID, RequestId: "0123456789abcdef", Etag: "1"}); status.Code(err) != codes.Aborted {
		t.Fatalf("another hospital: %v", err)
	}
}

// broken sends bytes that are no message; other sends another encoding.
type broken struct{}

func (broken) Marshal(any) ([]byte, error) { return []byte{0xff, 0xff}, nil }
func (broken) Unmarshal([]byte, any) error { return nil }
func (broken) Name() string                { return "proto" }

type other struct{ broken }

func (other) Marshal(any) ([]byte, error) { return []byte("{}"), nil }
func (other) Name() string                { return "json" }

func TestAStreamPassesThrough(t *testing.T) {
	r := newRig(t)
	referrals := r.referrals()
	ended := make(chan error, 1)
	more := make(chan struct{})
	referrals.follow = func(q *referralv1.FollowEventsRequest, stream grpc.ServerStreamingServer[referralv1.FollowEventsResponse]) error {
		for range 3 {
			if err := stream.Send(&referralv1.FollowEventsResponse{}); err != nil {
				return err
			}
		}
		switch q.GetCursor() {
		case "end":
			stream.SetTrailer(metadata.Pairs("end", "tail"))
			return nil
		case "fail":
			return fault.New(fault.OutOfRange, fault.InvalidPageToken, "cursor", "Resume from a cursor of this list.", "请使用本列表的游标。")
		}
		close(more)
		<-stream.Context().Done()
		ended <- stream.Context().Err()
		return stream.Context().Err()
	}
	client := referralv1.NewReferralServiceClient(r.hospital("H-HF-01"))
	follow := func(ctx context.Context, cursor string) (grpc.ServerStreamingClient[referralv1.FollowEventsResponse], error) {
		stream, err := client.FollowEvents(ctx, &referralv1.FollowEventsRequest{Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := stream.Recv(); err != nil {
				t.Fatal(err)
			}
		}
		return stream, nil
	}
	stream, _ := follow(t.Context(), "end")
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) || len(stream.Trailer().Get("end")) != 1 {
		t.Fatalf("end: %v, trailer %v", err, stream.Trailer())
	}
	stream, _ = follow(t.Context(), "fail")
	if _, err := stream.Recv(); !fault.Is(fault.FromStatus(err), fault.InvalidPageToken) {
		t.Fatalf("fail: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stream, _ = follow(ctx, "wait")
	<-more
	cancel()
	if _, err := stream.Recv(); status.Code(err) != codes.Canceled {
		t.Fatalf("cancelled: %v", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("the service was told %v", err)
	}
}

func TestStoppingEndsStreams(t *testing.T) {
	r := newRig(t)
	referrals := r.referrals()
	referrals.follow = func(_ *referralv1.FollowEventsRequest, stream grpc.ServerStreamingServer[referralv1.FollowEventsResponse]) error {
		if err := stream.Send(&referralv1.FollowEventsResponse{}); err != nil {
			return err
		}
		<-stream.Context().Done()
		return stream.Context().Err()
	}
	stream, err := referralv1.NewReferralServiceClient(r.hospital("H-HF-01")).FollowEvents(t.Context(), &referralv1.FollowEventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	lines := r.lines("/v1/events:follow", r.issuer.token(nil))
	if first := <-lines; !strings.Contains(first, `"result"`) {
		t.Fatalf("REST: %s", first)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := r.app.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); !fault.Is(fault.FromStatus(err), fault.PeerUnavailable) {
		t.Fatalf("gRPC: %v", err)
	}
	if last := <-lines; !strings.Contains(last, `"error"`) || !strings.Contains(last, "PEER_UNAVAILABLE") {
		t.Fatalf("REST: %s", last)
	}
}

func TestStreamOverREST(t *testing.T) {
	r := newRig(t)
	referrals := r.referrals()
	referrals.follow = func(q *referralv1.FollowEventsRequest, stream grpc.ServerStreamingServer[referralv1.FollowEventsResponse]) error {
		if q.GetCursor() == "bad" {
			return fault.New(fault.InvalidArgument, fault.InvalidPageToken, "cursor", "Resume from a cursor of this list.", "请使用本列表的游标。")
		}
		for range 2 {
			if err := stream.Send(&referralv1.FollowEventsResponse{Event: &referralv1.Event{}}); err != nil {
				return err
			}
		}
		return nil
	}
	got := r.send("GET", "/v1/events:follow?untilNow=true", r.issuer.token(nil), "")
	if got.code != 200 || got.header.Get("Content-Type") != "application/x-ndjson" || strings.Count(got.body, "\n") != 2 {
		t.Fatalf("%d %v %s", got.code, got.header, got.body)
	}
	// A refusal before the first event is a refusal like any other.
	for token, want := range map[string]int{r.issuer.token(nil): 400, r.issuer.token(claims{"huhang_roles": []string{"agency"}}): 403} {
		got := r.send("GET", "/v1/events:follow?cursor=bad", token, "")
		if got.code != want || got.reason == "" || got.zh == "" {
			t.Fatalf("%d %s", got.code, got.body)
		}
	}
}

// Who follows knows at once that the line listens, long before there is an event; a stream that then ends says why.
func TestStreamBeginsBeforeItsFirstEvent(t *testing.T) {
	r := newRig(t)
	end := make(chan struct{})
	r.referrals().follow = func(_ *referralv1.FollowEventsRequest, stream grpc.ServerStreamingServer[referralv1.FollowEventsResponse]) error {
		if err := stream.SendHeader(metadata.MD{}); err != nil {
			return err
		}
		<-end
		return fault.New(fault.Unavailable, fault.PeerUnavailable, "", "The service goes down.", "服务即将停止。")
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.base+"/v1/events:follow?fromNow=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+r.issuer.token(nil))
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("%d %v", answer.StatusCode, answer.Header)
	}
	close(end)
	if rest, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(rest), "PEER_UNAVAILABLE") {
		t.Errorf("%s %v", rest, err)
	}
}

func TestHealthAndReflection(t *testing.T) {
	r := newRig(t)
	hospital := r.hospital("H-HF-01")
	answer, err := healthv1.NewHealthClient(hospital).Check(t.Context(), &healthv1.HealthCheckRequest{})
	if err != nil || answer.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Fatalf("%v, %v", answer, err)
	}
	stream, err := reflectionv1.NewServerReflectionClient(hospital).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	listed, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	text := listed.String()
	if !strings.Contains(text, "huhang.patient.v1.PatientService") || strings.Contains(text, "CaseEventService") || strings.Contains(text, "InsuredPlaceService") {
		t.Fatalf("listed: %s", text)
	}
}
