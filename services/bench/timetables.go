package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/place"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/timetable"
	"huhang.example/services/transfer/timetable/rail2016"
)

var timetables = figure{
	name: "timetables", title: "the national timetable of 2016, and one ten times as large: import, memory, journeys",
	how: `China's 3,814 high-speed and EMU trains of March 2016 as a GTFS zip; ten times as large every train runs ten times, thirteen minutes apart, over the same stations.
Questions go from the seats of all 333 prefectures to those of 31 provinces, at any minute of a day, a third of the patients on a stretcher; one goroutine, no request, no store, after each destination was asked
for once. A wait is counted in processor time of its thread, so that other programs' work does not count, and beside it by the clock. Every leg of every tenth answer is looked up in the timetable;
the first option arrives no earlier than the earliest arrival, and a question asked again gets the same answer. Rates count all questions, waits those with a way`,
	take: takeTimetables,
}

const (
	largest = 10
	asked   = 500 // questions a round
)

func takeTimetables(ctx context.Context, b *bed) ([]table, error) {
	imports := table{head: []string{"times as large", "trains", "connections", "zip", "imported in", "laid out in", "kept form", "heap held"}}
	answers := table{head: []string{"times as large", "question", "/s and core", "median", "99 %", "longest", "median by the clock", "99 % by the clock", "options", "none found"}}
	for _, copies := range []int{1, largest} {
		feed, err := packed(rail2016.Feed(copies))
		if err != nil {
			return nil, err
		}
		p, row, err := imported(feed)
		if err != nil {
			return nil, err
		}
		imports.add(append([]string{fmt.Sprint(copies)}, row...)...)
		list := questions(asked)
		warm := map[string]bool{}
		for _, q := range list { // the bounds of each destination
			if key := fmt.Sprint(q.Destination.Code, q.Fitness.Stretcher); !warm[key] {
				warm[key] = true
				p.Plan(q)
			}
		}
		for _, side := range []struct {
			name string
			ask  func(planner.Question) (first time.Time, legs []planner.Leg, options int)
		}{
			{"earliest arrival", func(q planner.Question) (time.Time, []planner.Leg, int) {
				one, found := p.Earliest(q)
				if !found {
					return time.Time{}, nil, 0
				}
				return one.Arrive, one.Legs, 1
			}},
			{"Pareto set, and why not faster", func(q planner.Question) (time.Time, []planner.Leg, int) {
				plan := p.Plan(q)
				if len(plan.Options) == 0 {
					return time.Time{}, nil, 0
				}
				return plan.Options[0].Arrive, plan.Options[0].Legs, len(plan.Options)
			}},
		} {
			stop, err := b.profileOf(fmt.Sprintf("timetables-%d-%s.prof", copies, strings.Fields(side.name)[0]))
			if err != nil {
				return nil, err
			}
			row, err := journeys(ctx, p, list, b.rounds, side.ask)
			if err := errors.Join(err, stop()); err != nil {
				return nil, fmt.Errorf("%s: %w", side.name, err)
			}
			answers.add(append([]string{fmt.Sprint(copies), side.name}, row...)...)
		}
	}
	return []table{imports, answers}, nil
}

// profileOf keeps a CPU profile where a folder for it was given.
func (b *bed) profileOf(name string) (stop func() error, err error) {
	if b.keep == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(b.kept(name))
	if err != nil {
		return nil, err
	}
	return func() error { pprof.StopCPUProfile(); return file.Close() }, pprof.StartCPUProfile(file)
}

func packed(feed fs.FS) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	if err := w.AddFS(feed); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// imported reads the feed as an upload is read, checks that what is kept of it is the same again, and lays it out.
func imported(feed []byte) (*planner.Planner, []string, error) {
	system := clock.System()
	began := system.Now()
	table, err := timetable.ReadZip(bytes.NewReader(feed), int64(len(feed)), timetable.Limits{})
	if err != nil {
		return nil, nil, err
	}
	kept := table.Encode()
	read := system.Now()
	again, err := timetable.Decode(kept)
	if err != nil {
		return nil, nil, err
	}
	if len(again.Connections) != len(table.Connections) || again.Version != table.Version {
		return nil, nil, errors.New("what is kept is not what was read")
	}
	before := heap()
	decoded := system.Now()
	p := planner.New(again, planner.CurrentRules())
	laid := system.Now()
	held := heap() - before
	row := []string{
		fmt.Sprint(len(again.Trips)), fmt.Sprint(len(again.Connections)), megabytes(int64(len(feed))), fmt.Sprintf("%.2f s", read.Sub(began).Seconds()),
		fmt.Sprintf("%.2f s", laid.Sub(decoded).Seconds()), megabytes(int64(len(kept))), megabytes(held),
	}
	runtime.KeepAlive(p)
	return p, row, nil
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// questions are the same in every run.
func questions(n int) []planner.Question {
	random, cities := rand.New(rand.NewPCG(2016, 3)), place.All()
	var seats []place.Info
	for _, c := range cities {
		if strings.HasSuffix(c.Code, "0100") {
			seats = append(seats, c)
		}
	}
	midnight := time.Date(2016, 3, 15, 0, 0, 0, 0, clock.Shanghai)
	out := make([]planner.Question, n)
	for i := range out {
		out[i] = planner.Question{
			Origin: cities[random.IntN(len(cities))], Destination: seats[random.IntN(len(seats))],
			NotBefore: midnight.Add(time.Duration(random.IntN(1440)) * time.Minute), Fitness: planner.Fitness{Stretcher: random.IntN(3) == 0},
		}
	}
	return out
}

func journeys(ctx context.Context, p *planner.Planner, list []planner.Question, rounds int, ask func(planner.Question) (time.Time, []planner.Leg, int)) ([]string, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	system := clock.System()
	var (
		spent, clocked []time.Duration
		rates          series
		options, none  int
	)
	first := make([]time.Time, len(list))
	for round := range rounds {
		total := time.Duration(0)
		for i, q := range list {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			before, began := threadTime(), system.Now()
			at, legs, n := ask(q)
			took, used := system.Now().Sub(began), threadTime()-before
			total, options = total+used, options+n
			if n > 0 { // that there is no way is soon known
				spent, clocked = append(spent, used), append(clocked, took)
			} else {
				none++
			}
			if round > 0 {
				if !at.Equal(first[i]) {
					return nil, fmt.Errorf("question %d was answered %v and then %v", i, first[i], at)
				}
				continue
			}
			first[i] = at
			if i%10 == 0 {
				if err := runs(p, q, at, legs); err != nil {
					return nil, fmt.Errorf("question %d: %w", i, err)
				}
			}
		}
		rates = append(rates, float64(len(list))/total.Seconds())
	}
	micros := func(waits []time.Duration, share float64) string {
		return fmt.Sprintf("%d µs", quantile(waits, share).Microseconds())
	}
	answered := rounds*len(list) - none
	return []string{
		rates.spread("%.0f"), micros(spent, 0.5), micros(spent, 0.99), micros(spent, 1), micros(clocked, 0.5), micros(clocked, 0.99),
		fmt.Sprintf("%.1f", float64(options)/float64(max(answered, 1))), fmt.Sprintf("%.0f %%", 100*float64(none)/float64(rounds*len(list))),
	}, nil
}

// runs looks the legs up in the timetable, by its own plain search over all connections.
func runs(p *planner.Planner, q planner.Question, at time.Time, legs []planner.Leg) error {
	earliest, found := p.Earliest(q)
	if len(legs) > 0 && (!found || at.Before(earliest.Arrive)) {
		return fmt.Errorf("arrives %v, before the earliest arrival %v", at, earliest.Arrive)
	}
	for _, leg := range legs {
		if leg.Number == "" {
			continue
		}
		for i := range p.Table().Trips {
			if p.Table().Trips[i].ID != leg.Run.TripID {
				continue
			}
			if err := called(p.Table(), int32(i), leg); err != nil {
				return err
			}
		}
	}
	return nil
}

func called(t *timetable.Timetable, trip int32, leg planner.Leg) error {
	midnight, err := time.ParseInLocation("20060102", leg.Run.ServiceDay, clock.Shanghai)
	if err != nil {
		return err
	}
	left, came := false, false
	for _, c := range t.Connections {
		if c.Trip != trip {
			continue
		}
		left = left || t.Stops[c.From].ID == leg.FromStop && midnight.Add(time.Duration(c.Depart)*time.Second).Equal(leg.Depart)
		came = came || t.Stops[c.To].ID == leg.ToStop && midnight.Add(time.Duration(c.Arrive)*time.Second).Equal(leg.Arrive)
	}
	if !left || !came {
		return fmt.Errorf("the timetable has no such ride: %+v", leg)
	}
	return nil
}

// threadTime is the processor time of the calling thread so far, to the nanosecond.
func threadTime() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		return 0
	}
	return time.Duration(now.Nano())
}
