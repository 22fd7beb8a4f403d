package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/money"
	"huhang.example/services/matching/directory/directorytest"
	"huhang.example/services/matching/ranking"
)

var ranked = figure{
	name: "ranking", title: "one patient before every center of a directory: in the engine, and over gRPC beside a bare grpc-go echo of as many bytes",
	how: `An invented directory in which each center has a program for each organ; everything about them is known. Ranking filters, scores and orders;
telling writes every term, reason and gap in two languages; the board is what is made once for a directory. One goroutine, every ranking checked to hold every center once. Over gRPC
it is RunMatch: mutual TLS, every interceptor, spans and metrics; patient, travel, beds and bills asked of stand-ins over mutual TLS that answer at once; the ranking
frozen, sealed and stored in PostgreSQL with its idempotency record. The echo has none of these. Each server in a process of its own, one connection each, in turns`,
	take: takeRanking,
}

// ranksAtOnce are timed together, for the clock is coarser than one.
const ranksAtOnce = 20

func takeRanking(ctx context.Context, b *bed) ([]table, error) {
	t := table{head: []string{"centers", "ranking median", "99 %", "telling median", "board median", "ranked", "excluded"}}
	at := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	for _, n := range []int{10, 188, 1000} {
		centers := directorytest.Many(n, at)
		weights := ranking.InForce(ranking.Embedded(), at)
		board := ranking.NewBoard(centers, "LIVER", weights)
		q := question(n, at)
		var last *ranking.Ranking
		ranks := b.timed(ranksAtOnce, func() { last = board.Rank(q) })
		var told ranking.Result
		tells := b.timed(1, func() { told = last.Result() })
		boards := b.timed(1, func() { board = ranking.NewBoard(centers, "LIVER", weights) })
		if len(told.Ranked)+len(told.Excluded) != n {
			return nil, errors.New("a center is missing from a ranking")
		}
		t.add(fmt.Sprint(n), microseconds(quantile(ranks, 0.5)), microseconds(quantile(ranks, 0.99)), microseconds(quantile(tells, 0.5)),
			microseconds(quantile(boards, 0.5)), fmt.Sprint(len(told.Ranked)), fmt.Sprint(len(told.Excluded)))
	}
	over, err := b.rankOverGRPC(ctx, 188)
	if err != nil {
		return nil, err
	}
	return []table{t, over}, nil
}

func (b *bed) rankOverGRPC(ctx context.Context, n int) (t table, err error) {
	rank, err := b.matching(ctx, n)
	if err != nil {
		return t, err
	}
	say, err := b.echo()
	if err != nil {
		return t, err
	}
	first, err := rank(ctx)
	if err != nil {
		return t, err
	}
	text := bytes.Repeat([]byte{'x'}, proto.Size(first))
	one := func(ctx context.Context, _ int) error {
		got, err := rank(ctx)
		if err == nil && len(got.GetRanked())+len(got.GetExcluded()) != n {
			err = errors.New("a center is missing from a match run")
		}
		return err
	}
	other := func(ctx context.Context, _ int) error {
		heard, err := say(ctx, text)
		if err == nil && !bytes.Equal(heard, text) {
			err = errors.New("the echo said something else")
		}
		return err
	}
	t.head = []string{"callers", "RunMatch /s", "echo /s", "RunMatch : echo", "RunMatch median", "99 %", "echo median", "99 %", "answer"}
	for _, callers := range []int{1, 8} {
		pair, err := b.inTurns(ctx, callers, one, other)
		if err != nil {
			return t, err
		}
		t.add(append(append([]string{fmt.Sprint(callers)}, pair...), fmt.Sprintf("%d KiB", len(text)>>10))...)
	}
	return t, nil
}

// timed repeats what for a round and returns how long one took, by groups of n.
func (b *bed) timed(n int, what func()) []time.Duration {
	system := clock.System()
	for range n {
		what() // warm
	}
	var waits []time.Duration
	for begun := system.Now(); system.Now().Sub(begun) < b.round/2; {
		from := system.Now()
		for range n {
			what()
		}
		waits = append(waits, system.Now().Sub(from)/time.Duration(n))
	}
	return waits
}

func question(n int, at time.Time) ranking.Question {
	no, yes, bmi := false, true, 23.9
	q := ranking.Question{
		At: at, Preferred: []string{"C-X007-01"}, Refused: []string{"C-X003-01"}, Patient: ranking.Patient{
			Age: 47, BMI: &bmi, ActiveInfection: &no, HIV: &no, Recorded: true, Infections: map[string]ranking.Infection{"HBV": {Positive: true}, "TB": {}},
			Tumour: &ranking.Tumour{Present: &yes, NodulesCm: []float64{3.4, 2.1}, VascularInvasion: &no, ExtrahepaticSpread: &no},
		},
	}
	for i := range n {
		door, beds, pays := int32(120+i*5%1500), int32(i%6), money.Fen(10_000_000+i%400*50_000)
		q.Found = append(q.Found, ranking.Found{DoorToDoor: &door, FreeBeds: &beds, SelfPay: &pays, DirectSettlement: i%3 == 0})
	}
	return q
}

func microseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f us", float64(d.Nanoseconds())/1000)
}
