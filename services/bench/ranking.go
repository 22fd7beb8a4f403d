package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/money"
	"huhang.example/services/matching/directory/directorytest"
	"huhang.example/services/matching/ranking"
)

var ranked = figure{
	name: "ranking", title: "one patient before every center of a directory, in the engine",
	how: `An invented directory in which each center has a program for each organ; everything about them is known. Ranking filters, scores and orders;
telling writes every term, reason and gap in two languages; the board is what is made once for a directory. One goroutine, every ranking checked to hold every center once`,
	take: takeRanking,
}

// ranksAtOnce are timed together, for the clock is coarser than one.
const ranksAtOnce = 20

func takeRanking(_ context.Context, b *bed) ([]table, error) {
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
	return []table{t}, nil
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
