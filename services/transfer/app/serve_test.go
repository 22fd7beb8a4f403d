package app_test

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
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
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/transfer/app"
)

// patients and cases play the two peers behind real servers, which check roles and fields.
type patients struct {
	patientv1.UnimplementedPatientServiceServer
}

func (patients) GetMatchingProfile(context.Context, *patientv1.GetMatchingProfileRequest) (*patientv1.GetMatchingProfileResponse, error) {
	return &patientv1.GetMatchingProfileResponse{RegisteredBy: "H-HF-01", Consents: []patientv1.Purpose{patientv1.Purpose_PURPOSE_TRANSFER}}, nil
}

type cases struct {
	referralv1.UnimplementedCaseEventServiceServer
	referralv1.UnimplementedReferralServiceServer
	mu   sync.Mutex
	told []*referralv1.RecordCaseEventRequest
}

func (c *cases) RecordCaseEvent(_ context.Context, req *referralv1.RecordCaseEventRequest) (*referralv1.RecordCaseEventResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = append(c.told, req)
	return &referralv1.RecordCaseEventResponse{}, nil
}

func (c *cases) GetReferral(_ context.Context, req *referralv1.GetReferralRequest) (*referralv1.GetReferralResponse, error) {
	return &referralv1.GetReferralResponse{Referral: &referralv1.Referral{
		ReferralId: req.GetReferralId(), PatientId: thePatient, CenterId: "C-SH-01", State: referralv1.State_STATE_BOOKED,
	}}, nil
}

const thePatient = "pat_00000000000000000000000001"

// The service as it is deployed: over mutual TLS a hospital's own system plans and creates a transfer, the consent comes
// from the patient service and the case hears of it; a bad field and a missing right are refused at the door.
func TestServedOverMutualTLS(t *testing.T) {
	authority, err := mtls.DevAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	registry := discovery.NewStatic(nil)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	watch, err := telemetry.Start(t.Context(), telemetry.Config{Service: "transfer"})
	if err != nil {
		t.Fatal(err)
	}
	identity := func(got mtls.Identity, err error) mtls.Identity {
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	pool := func(i mtls.Identity) *rpcclient.Pool {
		p := rpcclient.New(rpcclient.Config{Identity: i, Registry: registry})
		t.Cleanup(p.Close)
		return p
	}
	peer := func(name string) *rpcserver.Server {
		return rpcserver.New(rpcserver.Config{Service: name, Instance: name + "-1", Listen: "127.0.0.1:0"},
			rpcserver.Deps{Identity: identity(authority.Service(name)), Registry: registry, Log: log})
	}
	patient, referral, heard := peer("patient"), peer("referral"), &cases{}
	patientv1.RegisterPatientServiceServer(patient.GRPC(), patients{})
	referralv1.RegisterCaseEventServiceServer(referral.GRPC(), heard)
	referralv1.RegisterReferralServiceServer(referral.GRPC(), heard)
	own := identity(authority.Service("transfer"))
	a, err := app.New(t.Context(), app.Config{Instance: "transfer-1", Listen: "127.0.0.1:0", Database: sqldbtest.SQLite(t), Sample: true}, fleet.Deps{
		Clock: clock.System(), IDs: id.Random(), Registry: registry, Identity: own, Peers: pool(own), Log: log, Telemetry: watch,
	})
	if err != nil {
		t.Fatal(err)
	}
	running, err := fleet.Start(t.Context(), patient, referral, a)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := running.Stop(fleet.StopLimit); err != nil {
			t.Error(err)
		}
	}()
	client := func(i mtls.Identity) transferv1.TransferServiceClient {
		conn, err := pool(i).Conn("transfer", "000000")
		if err != nil {
			t.Fatal(err)
		}
		return transferv1.NewTransferServiceClient(conn)
	}
	hospital := client(identity(authority.Hospital("H-HF-01")))
	ctx := access.With(t.Context(), access.Caller{})
	notBefore := timestamppb.New(clock.System().Now().Add(time.Hour))
	plan, err := hospital.PlanItinerary(ctx, &transferv1.PlanItineraryRequest{OriginCity: "340100", DestinationCity: "310100", NotBefore: notBefore})
	if err != nil || len(plan.GetOptions()) == 0 {
		t.Fatalf("%v, %v", plan, err)
	}
	request := &transferv1.CreateTransferRequest{
		RequestId: id.Random().New("req"), ReferralId: id.Random().New("ref"), PatientId: thePatient,
		FromOrganisation: "H-HF-01", ToOrganisation: "C-SH-01", OriginCity: "340100", DestinationCity: "310100",
		NotBefore: notBefore, OptionKey: plan.GetOptions()[len(plan.GetOptions())-1].GetOptionKey(),
	}
	made, err := hospital.CreateTransfer(ctx, request)
	if err != nil || made.GetTransfer().GetItinerary().GetOptionKey() != request.GetOptionKey() {
		t.Fatalf("%v, %v", made, err)
	}
	sqldbtest.Eventually(t, "the case hears of it", func() bool {
		heard.mu.Lock()
		defer heard.mu.Unlock()
		return len(heard.told) == 1 && heard.told[0].GetTransfer().GetTransferId() == made.GetTransfer().GetTransferId()
	})
	request.PatientId = "somebody"
	if _, err := hospital.CreateTransfer(ctx, request); !fault.Is(err, fault.FieldInvalid) {
		t.Errorf("a bad field: %v", err)
	}
	if _, err := hospital.EstimateTravel(ctx, &transferv1.EstimateTravelRequest{OriginCity: "340100", DestinationCities: []string{"310100"}}); !fault.Is(err, fault.RightMissing) {
		t.Errorf("a right of services: %v", err)
	}
	matching := client(identity(authority.Service("matching")))
	got, err := matching.EstimateTravel(ctx, &transferv1.EstimateTravelRequest{OriginCity: "340100", DestinationCities: []string{"310100", "110100"}})
	if err != nil || len(got.GetEstimates()) != 2 || got.GetEstimates()[0].Minutes == nil {
		t.Errorf("%v, %v", got, err)
	}
}
