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
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
	services "huhang.example/services/internal/fleet"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/rpcclient"
	"huhang.example/services/internal/rpcserver"
	"huhang.example/services/internal/telemetry"
)

// instanceArguments are what an instance of one service is started with.
type instanceArguments struct{ Dir, Listen, DSN string }

// beInstance serves one service in a process of its own, with stand-ins for those it asks, until its input ends.
func beInstance(name string, open func(context.Context, instanceArguments, services.Deps) (services.Service, error)) func(context.Context, string) error {
	return func(ctx context.Context, argument string) error {
		var a instanceArguments
		if err := json.Unmarshal([]byte(argument), &a); err != nil {
			return err
		}
		log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
		authority, err := mtls.DevAuthority(a.Dir)
		if err != nil {
			return err
		}
		registry := discovery.NewStatic(nil)
		var all []services.Service
		for _, asked := range []string{"patient", "referral", "transfer", "settlement"} {
			if asked == name {
				continue
			}
			identity, err := authority.Service(asked)
			if err != nil {
				return err
			}
			c := rpcserver.Config{Service: asked, Instance: asked + "-1", Listen: "127.0.0.1:0"}
			if asked == "settlement" { // an agency's, and every agency is its province's
				c.Provinces = []string{settlesTo}
			}
			s := rpcserver.New(c, rpcserver.Deps{Identity: identity, Registry: registry, Log: log})
			patientv1.RegisterPatientServiceServer(s.GRPC(), standIn{})
			referralv1.RegisterReferralServiceServer(s.GRPC(), standIn{})
			referralv1.RegisterCaseEventServiceServer(s.GRPC(), standIn{})
			transferv1.RegisterTransferServiceServer(s.GRPC(), standIn{})
			settlementv1.RegisterSettlementServiceServer(s.GRPC(), standIn{})
			all = append(all, s)
		}
		identity, err := authority.Service(name)
		if err != nil {
			return err
		}
		pool := rpcclient.New(rpcclient.Config{Identity: identity, Registry: registry})
		defer pool.Close()
		tel, err := telemetry.Start(ctx, telemetry.Config{Service: name})
		if err != nil {
			return err
		}
		app, err := open(ctx, a, services.Deps{
			Clock: clock.System(), IDs: id.Random(), Registry: registry, Identity: identity, Peers: pool, Log: log, Telemetry: tel,
		})
		if err != nil {
			return err
		}
		running, err := services.Start(ctx, append(all, app)...)
		if err != nil {
			return err
		}
		<-ctx.Done()
		return running.Stop(services.StopLimit)
	}
}

// instance starts one on its database, seen through address, and connects to it as another service.
func (b *bed) instance(name, province, as, address string) (*child, grpc.ClientConnInterface, error) {
	listen, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	dir := filepath.Join(b.dir, "authority")
	argument, err := json.Marshal(instanceArguments{Dir: dir, Listen: listen, DSN: address})
	if err != nil {
		return nil, nil, err
	}
	c, err := b.spawn(name, string(argument))
	if err != nil {
		return nil, nil, err
	}
	authority, err := mtls.DevAuthority(dir)
	if err != nil {
		return nil, nil, err
	}
	identity, err := authority.Service(as)
	if err != nil {
		return nil, nil, err
	}
	pool := rpcclient.New(rpcclient.Config{Identity: identity, Registry: discovery.NewStatic(map[string][]string{name + "/" + province: {listen}})})
	b.later(func() error { pool.Close(); return nil })
	connection, err := pool.Conn(name, province)
	return c, connection, err
}
