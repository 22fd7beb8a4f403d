package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"

	"google.golang.org/grpc"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
	services "huhang.example/services/internal/fleet"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/rpcclient"
	"huhang.example/services/internal/rpcserver"
	"huhang.example/services/internal/telemetry"
	settlement "huhang.example/services/settlement/app"
)

const (
	settlesFrom = "310000" // treatment
	settlesTo   = "340000" // insured
	settler     = "C-SH-01"
)

// settling is the settlement service in a process of its own: one instance for both provinces, which meet over gRPC with
// mutual TLS all the same, and stand-ins for the services it asks.
type settling struct {
	*child
	dsn    string
	client settlementv1.SettlementServiceClient
	script *script
}

type settlingArguments struct{ Dir, Listen, DSN string }

// beSettling serves as the argument says, until its input ends.
func beSettling(ctx context.Context, argument string) error {
	var a settlingArguments
	if err := json.Unmarshal([]byte(argument), &a); err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	authority, err := mtls.DevAuthority(a.Dir)
	if err != nil {
		return err
	}
	registry := discovery.NewStatic(nil)
	var peers []services.Service
	for _, name := range []string{"patient", "referral"} {
		identity, err := authority.Service(name)
		if err != nil {
			return err
		}
		s := rpcserver.New(rpcserver.Config{Service: name, Instance: name + "-1", Listen: "127.0.0.1:0"}, rpcserver.Deps{Identity: identity, Registry: registry, Log: log})
		patientv1.RegisterPatientServiceServer(s.GRPC(), standIn{})
		referralv1.RegisterReferralServiceServer(s.GRPC(), standIn{})
		referralv1.RegisterCaseEventServiceServer(s.GRPC(), standIn{})
		peers = append(peers, s)
	}
	identity, err := authority.Service("settlement")
	if err != nil {
		return err
	}
	pool := rpcclient.New(rpcclient.Config{Identity: identity, Registry: registry})
	defer pool.Close()
	tel, err := telemetry.Start(ctx, telemetry.Config{Service: "settlement"})
	if err != nil {
		return err
	}
	app, err := settlement.New(ctx, settlement.Config{
		Instance: "settlement-1", Listen: a.Listen, Database: a.DSN, Provinces: []string{settlesFrom, settlesTo}, Sample: true,
	}, services.Deps{Clock: clock.System(), IDs: id.Random(), Registry: registry, Identity: identity, Peers: pool, Log: log, Telemetry: tel})
	if err != nil {
		return err
	}
	running, err := services.Start(ctx, append(peers, app)...)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return running.Stop(services.StopLimit)
}

// standIn answers for the patient and the referral service: the patient of a case has the case's letters.
type standIn struct {
	patientv1.UnimplementedPatientServiceServer
	referralv1.UnimplementedReferralServiceServer
	referralv1.UnimplementedCaseEventServiceServer
}

func (standIn) GetMatchingProfile(context.Context, *patientv1.GetMatchingProfileRequest) (*patientv1.GetMatchingProfileResponse, error) {
	return &patientv1.GetMatchingProfileResponse{
		Coverage: &patientv1.Coverage{Province: settlesTo, PoolingArea: "340100", Scheme: patientv1.Scheme_SCHEME_RESIDENT},
		Consents: []patientv1.Purpose{patientv1.Purpose_PURPOSE_SETTLEMENT}, RegisteredBy: "H-HF-01",
	}, nil
}

func (standIn) GetReferral(_ context.Context, r *referralv1.GetReferralRequest) (*referralv1.GetReferralResponse, error) {
	return &referralv1.GetReferralResponse{Referral: &referralv1.Referral{
		ReferralId: r.GetReferralId(), PatientId: "pat" + r.GetReferralId()[3:], ReferringOrganisation: "H-HF-01", CenterId: settler,
	}}, nil
}

func (standIn) RecordCaseEvent(context.Context, *referralv1.RecordCaseEventRequest) (*referralv1.RecordCaseEventResponse, error) {
	return &referralv1.RecordCaseEventResponse{}, nil
}

// settling starts one on its database, seen through address.
func (b *bed) settling(ctx context.Context, address string) (*settling, error) {
	listen, err := freePort()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(b.dir, "authority")
	argument, err := json.Marshal(settlingArguments{Dir: dir, Listen: listen, DSN: address})
	if err != nil {
		return nil, err
	}
	s := &settling{}
	if s.child, err = b.spawn("settlement", string(argument)); err != nil {
		return nil, err
	}
	authority, err := mtls.DevAuthority(dir)
	if err != nil {
		return nil, err
	}
	identity, err := authority.Service("gateway")
	if err != nil {
		return nil, err
	}
	pool := rpcclient.New(rpcclient.Config{Identity: identity, Registry: discovery.NewStatic(map[string][]string{"settlement/" + settlesFrom: {listen}})})
	b.later(func() error { pool.Close(); return nil })
	var connection grpc.ClientConnInterface
	if connection, err = pool.Conn("settlement", settlesFrom); err != nil {
		return nil, err
	}
	s.client = settlementv1.NewSettlementServiceClient(connection)
	return s, s.ready(ctx)
}
