package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/clock"
)

var settlements = figure{
	name: "settlements", title: "bills settled per second through gRPC, beside pgbench with the same SQL; the wait at 200 settlements offered a second",
	how: `a bill is OpenClaim, AddFeeLines (one line), DischargeClaim and SettleClaim over gRPC with mutual TLS; treatment and insured province are one process
on one database, and meet over gRPC with mutual TLS. pgbench runs the statements noted of two real bills, prepared, without those of the job queue, of which a bill writes
five rows. At the offered rate SettleClaim alone is called at equal distances whatever was answered before; a wait counts from the moment the call was due`,
	take: takeSettlements,
}

const (
	offered      = 200 // settlements a second
	offeredTimes = 5   // seconds
)

func takeSettlements(ctx context.Context, b *bed) ([]table, error) {
	dsn, err := b.database(ctx)
	if err != nil {
		return nil, err
	}
	noted, err := b.observeBill(ctx, dsn)
	if err != nil {
		return nil, fmt.Errorf("the SQL of a bill: %w", err)
	}
	s, err := b.settling(ctx, dsn)
	if err != nil {
		return nil, err
	}
	b.later(s.stop)
	s.dsn, s.script = dsn, noted
	rates := table{head: []string{"callers", "bills /s", "pgbench /s", "gRPC : pgbench", "line's processor time a bill"}}
	for _, callers := range []int{1, 8} {
		if _, _, err := s.round(ctx, load{callers: callers, during: b.round / 4, most: b.most}); err != nil { // warm
			return nil, err
		}
		if err := analyze(ctx, dsn); err != nil {
			return nil, err
		}
		var line, bare, spent series
		for range b.rounds {
			got, cpu, err := s.round(ctx, load{callers: callers, during: b.round, most: b.most})
			if err != nil {
				return nil, err
			}
			line, spent = append(line, got.perSecond()), append(spent, float64(cpu.Microseconds())/1000/float64(got.calls))
			_, perSecond, err := b.pgbench(ctx, &fleet{dsn: dsn, script: noted}, callers)
			if err != nil {
				return nil, err
			}
			bare = append(bare, perSecond)
		}
		rates.add(fmt.Sprint(callers), line.spread("%.0f"), bare.spread("%.0f"), line.over(bare).spread("%.2f"), spent.spread("%.2f")+" ms")
	}
	open := table{head: []string{"offered /s", "settled", "in", "median", "99 %", "longest", "left to the job"}}
	waits, took, left, err := s.offer(ctx)
	if err != nil {
		return nil, err
	}
	open.add(fmt.Sprint(offered), fmt.Sprint(len(waits)), fmt.Sprintf("%.1f s", took.Seconds()), milliseconds(quantile(waits, 0.5)),
		milliseconds(quantile(waits, 0.99)), milliseconds(quantile(waits, 1)), fmt.Sprint(left))
	spent, err := s.profile(ctx, b)
	return []table{rates, open, spent}, err
}

// profile says where the instance spends a bill, both provinces together, under 8 callers.
func (s *settling) profile(ctx context.Context, b *bed) (table, error) {
	file := b.kept("settlements.prof")
	if _, err := s.ask(askProfile, file); err != nil {
		return table{}, err
	}
	got, _, err := s.round(ctx, load{callers: 8, during: b.round, most: b.most})
	if err != nil {
		return table{}, err
	}
	if _, err := s.ask(askEnd); err != nil {
		return table{}, err
	}
	p, err := readProfile(file)
	if err != nil {
		return table{}, err
	}
	return parts(p, "a bill", got.calls)
}

// round settles bills for a while, and then compares what was answered with what is stored.
func (s *settling) round(ctx context.Context, l load) (outcome, time.Duration, error) {
	before, err := countSettled(ctx, s.dsn)
	if err != nil {
		return outcome{}, 0, err
	}
	used, err := s.cpu()
	if err != nil {
		return outcome{}, 0, err
	}
	got, err := l.run(ctx, func(ctx context.Context, _ int) error { return s.bill(ctx) })
	if err != nil {
		return outcome{}, 0, s.why(err)
	}
	since, err := s.cpu()
	if err != nil {
		return outcome{}, 0, err
	}
	after, err := countSettled(ctx, s.dsn)
	if err != nil {
		return outcome{}, 0, err
	}
	return got, since - used, after.grewBy(before, got.calls)
}

// offer makes claims ready and then settles them at equal distances, each in its time whatever became of the others.
func (s *settling) offer(ctx context.Context) (waits []time.Duration, took time.Duration, left int, err error) {
	ready := make(chan *settlementv1.Claim, offered*offeredTimes)
	_, err = load{callers: 8, during: time.Minute, most: int64(cap(ready))}.run(ctx, func(ctx context.Context, _ int) error {
		c, err := s.discharged(ctx)
		if err == nil {
			ready <- c
		}
		return err
	})
	close(ready)
	if err != nil {
		return nil, 0, 0, s.why(err)
	}
	system := clock.System()
	var (
		all sync.WaitGroup
		mu  sync.Mutex
		bad error
	)
	began := system.Now()
	due := began
	for c := range ready {
		if err := system.Sleep(ctx, due.Sub(system.Now())); err != nil {
			return nil, 0, 0, err
		}
		at := due
		all.Go(func() {
			err := s.settle(ctx, c)
			mu.Lock()
			defer mu.Unlock()
			waits = append(waits, system.Now().Sub(at))
			if err != nil {
				left, bad = left+1, err
			}
		})
		due = due.Add(time.Second / offered)
	}
	all.Wait()
	took = system.Now().Sub(began)
	if left > len(waits)/2 {
		return nil, 0, 0, s.why(bad)
	}
	return waits, took, left, nil
}
