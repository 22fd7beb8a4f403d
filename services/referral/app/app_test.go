package app_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/grpc"

	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/rpcclient"
	"huhang.example/services/internal/rpcserver"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/referral/app"
)

// patients plays the patient service behind a real server.
type patients struct {
	patientv1.UnimplementedPatientServiceServer
}

func (patients) GetPatient(ctx context.Context, req *patientv1.GetPatientRequest) (*patientv1.GetPatientResponse, error) {
	return &patientv1.GetPatientResponse{Patient: &patientv1.Patient{PatientId: req.GetPatientId(), RegisteredBy: access.From(ctx).Organisation}}, nil
}

// The service over mutual TLS: the person behind a gateway's call reaches the patient service, bad input is refused by
// field, and an open feed gets what happens after it was opened and ends when its client leaves.
func TestServedOverMutualTLS(t *testing.T) {
	authority, err := mtls.DevAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	registry := discovery.NewStatic(nil)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	identity := func(name string) mtls.Identity {
		got, err := authority.Service(name)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	pool := func(name string) *rpcclient.Pool {
		p := rpcclient.New(rpcclient.Config{Identity: identity(name), Registry: registry})
		t.Cleanup(p.Close)
		return p
	}
	peer := rpcserver.New(rpcserver.Config{Service: "patient", Instance: "p1", Listen: "127.0.0.1:0"},
		rpcserver.Deps{Identity: identity("patient"), Registry: registry, Log: log})
	patientv1.RegisterPatientServiceServer(peer.GRPC(), patients{})
	a, err := app.New(t.Context(), app.Config{Instance: "r1", Listen: "127.0.0.1:0", Database: sqldbtest.SQLite(t)}, fleet.Deps{
		Clock: clock.System(), IDs: id.Random(), Registry: registry, Identity: identity("referral"), Peers: pool("referral"), Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	running, err := fleet.Start(t.Context(), peer, a)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := running.Stop(fleet.StopLimit); err != nil {
			t.Error(err)
		}
	}()
	conn, err := pool("gateway").Conn("referral", "000000")
	if err != nil {
		t.Fatal(err)
	}
	client := referralv1.NewReferralServiceClient(conn)
	ctx, cancel := context.WithTimeout(access.With(t.Context(), access.Caller{
		Subject: "li", Organisation: "H-HF-01", Roles: []access.Role{access.Coordinator},
	}), 20*time.Second)
	defer cancel()

	_, err = client.CreateReferral(ctx, &referralv1.CreateReferralRequest{RequestId: "request-0000000000", PatientId: "no patient"})
	if f, _ := fault.As(err); !fault.Is(err, fault.FieldInvalid) || f.Code != fault.InvalidArgument {
		t.Fatalf("bad input: %v", err)
	}
	feedCtx, leave := context.WithCancel(ctx)
	stream, err := client.FollowEvents(feedCtx, &referralv1.FollowEventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	made, err := client.CreateReferral(ctx, &referralv1.CreateReferralRequest{
		RequestId: "request-0000000001", PatientId: "pat_00000000000000000000000001", Organ: organv1.Organ_ORGAN_LIVER, Urgency: organv1.Urgency_URGENCY_URGENT,
	})
	if err != nil {
		t.Fatal(err)
	}
	event := receive(t, stream)
	if event.GetReferralId() != made.GetReferral().GetReferralId() || event.GetEntry().GetKind() != "CREATED" || event.GetEntry().GetActorOrganisation() != "H-HF-01" {
		t.Fatalf("%v", event)
	}
	leave()
	if _, err := stream.Recv(); !fault.Is(err, fault.ReasonCanceled) {
		t.Fatalf("after leaving: %v", err)
	}
	rest, err := client.FollowEvents(ctx, &referralv1.FollowEventsRequest{Cursor: event.GetCursor(), UntilNow: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rest.Recv(); !errors.Is(err, io.EOF) {
		t.Fatalf("resumed at the end: %v", err)
	}
	// A person is no service.
	_, err = referralv1.NewCaseEventServiceClient(conn).RecordCaseEvent(ctx, &referralv1.RecordCaseEventRequest{})
	if !fault.Is(err, fault.RightMissing) {
		t.Fatalf("an event told by a person: %v", err)
	}
}

func receive(t *testing.T, stream grpc.ServerStreamingClient[referralv1.FollowEventsResponse]) *referralv1.Event {
	t.Helper()
	got, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return got.GetEvent()
}
