package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/sampleline"
)

var registrations = figure{
	name: "registrations", title: "registrations per second through the REST gateway, beside pgbench with the same SQL",
	how: `POST /v1/patients over HTTP -> gateway -> gRPC with mutual TLS -> patient service -> PostgreSQL; gateway and service in one process, the load
in another. pgbench runs the statements noted of two real registrations, prepared, on the same tables of the same server. Both in a closed loop, in
turns; values are the median of the rounds (least to greatest), the ratio is taken round by round`,
	take: takeRegistrations,
}

func takeRegistrations(ctx context.Context, b *bed) ([]table, error) {
	f, err := b.line(ctx)
	if err != nil {
		return nil, err
	}
	t := table{head: []string{"callers", "REST /s", "pgbench /s", "REST : pgbench", "REST median", "REST 99 %"}}
	spent := table{head: []string{"callers", "side", "line", "PostgreSQL", "load", "all others' share of the cores"}}
	for _, callers := range []int{1, 8} {
		sessions, err := signIn(ctx, f.base, callers)
		if err != nil {
			return nil, err
		}
		if _, _, err := b.registerRound(ctx, f, sessions, b.round/4); err != nil { // warm
			return nil, err
		}
		var rest, bare series
		var restCost, bareCost costs
		var waits []time.Duration
		for range b.rounds {
			got, took, err := b.registerRound(ctx, f, sessions, b.round)
			if err != nil {
				return nil, err
			}
			rest, waits = append(rest, got.perSecond()), append(waits, got.waits...)
			restCost.add(took, got.calls)
			transactions, perSecond, took, err := b.pgbenchRound(ctx, f, callers)
			if err != nil {
				return nil, err
			}
			bare = append(bare, perSecond)
			bareCost.add(took, transactions)
		}
		t.add(fmt.Sprint(callers), rest.spread("%.0f"), bare.spread("%.0f"), rest.over(bare).spread("%.2f"),
			milliseconds(quantile(waits, 0.5)), milliseconds(quantile(waits, 0.99)))
		for _, side := range []struct {
			name string
			costs
		}{{"REST", restCost}, {"pgbench", bareCost}} {
			spent.add(fmt.Sprint(callers), side.name, fmt.Sprintf("%.2f ms", side.line.median()), fmt.Sprintf("%.2f ms", side.database.median()),
				fmt.Sprintf("%.2f ms", side.load.median()), side.others.spread("%.0f")+" %")
		}
	}
	transaction := table{head: []string{"", "the transaction, as noted"}}
	for i, text := range f.script.statements {
		transaction.add(fmt.Sprint(i+1), text)
	}
	return []table{t, spent, transaction}, nil
}

// registerRound registers for a while, and then compares what was answered with what is stored.
func (b *bed) registerRound(ctx context.Context, f *fleet, sessions []*sampleline.Session, during time.Duration) (outcome, cost, error) {
	before, err := count(ctx, f.dsn)
	if err != nil {
		return outcome{}, cost{}, err
	}
	var mu sync.Mutex
	var made []registered
	var got outcome
	spent, err := f.meter(ctx, func() (err error) {
		got, err = load{callers: len(sessions), during: during, most: b.most}.run(ctx, func(ctx context.Context, caller int) error {
			r, err := register(ctx, sessions[caller])
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			made = append(made, r)
			return nil
		})
		return err
	})
	if err != nil {
		return outcome{}, cost{}, err
	}
	after, err := count(ctx, f.dsn)
	if err != nil {
		return outcome{}, cost{}, err
	}
	if err := after.grewBy(before, got.calls); err != nil {
		return outcome{}, cost{}, err
	}
	if err := distinct(made); err != nil {
		return outcome{}, cost{}, err
	}
	if err := repeated(ctx, sessions[0]); err != nil {
		return outcome{}, cost{}, err
	}
	f.registered = made
	return got, spent, nil
}

func (b *bed) pgbenchRound(ctx context.Context, f *fleet, clients int) (transactions int64, perSecond float64, spent cost, err error) {
	before, err := count(ctx, f.dsn)
	if err != nil {
		return 0, 0, cost{}, err
	}
	spent, err = f.meter(ctx, func() (err error) {
		transactions, perSecond, err = b.pgbench(ctx, f, clients)
		return err
	})
	if err != nil {
		return 0, 0, cost{}, err
	}
	after, err := count(ctx, f.dsn)
	if err != nil {
		return 0, 0, cost{}, err
	}
	return transactions, perSecond, spent, after.grewBy(before, transactions)
}

// stored counts what registrations leave behind.
type stored struct{ patients, indexed, answers, audited int64 }

func count(ctx context.Context, dsn string) (s stored, err error) {
	err = sql(ctx, dsn, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT (SELECT count(*) FROM patient), (SELECT count(*) FROM patient_index),
			(SELECT count(*) FROM idempotency WHERE length(answer) > 0), (SELECT count(*) FROM audit WHERE outcome = 'done')`).
			Scan(&s.patients, &s.indexed, &s.answers, &s.audited)
	})
	return s, err
}

func (s stored) grewBy(before stored, n int64) error {
	want := stored{before.patients + n, before.indexed + 2*n, before.answers + n, before.audited + n}
	if s != want {
		return fmt.Errorf("after %d registrations on top of %+v there are %+v", n, before, s)
	}
	return nil
}

func distinct(made []registered) error {
	ids := make([]string, 0, len(made))
	for _, r := range made {
		ids = append(ids, r.id)
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != len(made) {
		return fmt.Errorf("%d registrations were answered with fewer ids", len(made))
	}
	return nil
}

// repeated sends a registration twice and wants the first answer again.
func repeated(ctx context.Context, session *sampleline.Session) error {
	request := person(people.Add(1))
	var answers [2]registered
	for i := range answers {
		var err error
		if answers[i], err = send(ctx, session, request); err != nil {
			return err
		}
	}
	if answers[0] != answers[1] {
		return fmt.Errorf("a repeated %T was answered with another patient", (*patientv1.RegisterPatientRequest)(nil))
	}
	return nil
}
