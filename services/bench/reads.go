package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/rpcclient"
	"huhang.example/services/internal/telemetry"
)

var reads = figure{
	name: "reads", title: "patients read per second over gRPC, beside a bare grpc-go echo of as many bytes",
	how: `GetPatient for a coordinator through the services' own client: mutual TLS, every interceptor, spans and metrics on both sides, rights, validation,
one row of PostgreSQL, its identity opened. The echo has none of these. Each server in a process of its own, both clients in this one, one connection each;
both in a closed loop, in turns; every answer is compared`,
	take: takeReads,
}

func takeReads(ctx context.Context, b *bed) ([]table, error) {
	f, err := b.line(ctx)
	if err != nil {
		return nil, err
	}
	people, err := b.people(ctx, f)
	if err != nil {
		return nil, err
	}
	get, err := b.reader(ctx, f)
	if err != nil {
		return nil, err
	}
	say, err := b.echo()
	if err != nil {
		return nil, err
	}
	first, err := get(ctx, people[0].id)
	if err != nil {
		return nil, err
	}
	text := bytes.Repeat([]byte{'x'}, proto.Size(first))
	var turn atomic.Int64
	read := func(ctx context.Context, _ int) error {
		who := people[int(turn.Add(1))%len(people)]
		got, err := get(ctx, who.id)
		if err != nil {
			return err
		}
		return who.same(got.GetPatient())
	}
	echo := func(ctx context.Context, _ int) error {
		heard, err := say(ctx, text)
		if err == nil && !bytes.Equal(heard, text) {
			err = errors.New("the echo said something else")
		}
		return err
	}
	t := table{head: []string{"callers", "GetPatient /s", "echo /s", "GetPatient : echo", "GetPatient median", "99 %", "echo median", "99 %"}}
	for _, callers := range []int{1, 16} {
		pair, err := b.inTurns(ctx, callers, read, echo)
		if err != nil {
			return nil, err
		}
		t.add(append([]string{fmt.Sprint(callers)}, pair...)...)
	}
	return []table{t}, nil
}

// inTurns runs two sides in turns and tells both rates, their ratio, and each one's median and 99 %.
func (b *bed) inTurns(ctx context.Context, callers int, one, other func(ctx context.Context, caller int) error) ([]string, error) {
	var rate, otherRate series
	var waits, otherWaits []time.Duration
	for round := range b.rounds + 1 {
		l := load{callers: callers, during: b.round / 2, most: b.most}
		a, err := l.run(ctx, one)
		if err != nil {
			return nil, err
		}
		z, err := l.run(ctx, other)
		if err != nil {
			return nil, err
		}
		if round == 0 {
			continue // warm
		}
		rate, otherRate = append(rate, a.perSecond()), append(otherRate, z.perSecond())
		waits, otherWaits = append(waits, a.waits...), append(otherWaits, z.waits...)
	}
	return []string{
		rate.spread("%.0f"), otherRate.spread("%.0f"), rate.over(otherRate).spread("%.3f"),
		milliseconds(quantile(waits, 0.5)), milliseconds(quantile(waits, 0.99)),
		milliseconds(quantile(otherWaits, 0.5)), milliseconds(quantile(otherWaits, 0.99)),
	}, nil
}

const readPeople = 500

// people registers whom to read.
func (b *bed) people(ctx context.Context, f *fleet) ([]registered, error) {
	if len(f.registered) >= readPeople {
		return f.registered[:readPeople], nil
	}
	sessions, err := signIn(ctx, f.base, 1)
	if err != nil {
		return nil, err
	}
	for len(f.registered) < readPeople {
		r, err := register(ctx, sessions[0])
		if err != nil {
			return nil, err
		}
		f.registered = append(f.registered, r)
	}
	return f.registered, nil
}

// reader is what the gateway is to the patient service.
func (b *bed) reader(ctx context.Context, f *fleet) (func(ctx context.Context, id string) (*patientv1.GetPatientResponse, error), error) {
	observed, err := telemetry.Start(ctx, telemetry.Config{Service: "gateway", Instance: "bench"})
	if err != nil {
		return nil, err
	}
	pool := rpcclient.New(rpcclient.Config{Identity: f.gateway, Registry: f.registry, Telemetry: observed})
	b.later(func() error {
		pool.Close()
		return observed.Shutdown(context.Background())
	})
	connection, err := pool.Conn("patient", "")
	if err != nil {
		return nil, err
	}
	client := patientv1.NewPatientServiceClient(connection)
	coordinator := access.Caller{Subject: "staff-1", Organisation: hospital, Roles: []access.Role{access.Coordinator}}
	return func(ctx context.Context, id string) (*patientv1.GetPatientResponse, error) {
		return client.GetPatient(access.With(ctx, coordinator), &patientv1.GetPatientRequest{PatientId: id})
	}, nil
}
