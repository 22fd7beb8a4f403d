package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"huhang.example/services/internal/clock"
)

func main() {
	if len(os.Args) == 3 && children[os.Args[1]] != nil {
		exit(beChild(os.Args[1], os.Args[2]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, os.Stdout, os.Args[1:]))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// figure is one measurement, taken by its name.
type figure struct {
	name, title string
	// how says in a sentence or two how it is taken.
	how  string
	take func(ctx context.Context, b *bed) ([]table, error)
}

// figures is where a new figure is added.
var figures = []figure{
	registrations,
	reads,
	profiled,
	settlements,
	cleared,
	start,
	memory,
	assignment,
	ranked,
	traced,
	splits,
	duplicates,
	timetables,
	holds,
	worklists,
	wholeCases,
}

func run(ctx context.Context, out io.Writer, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	s := defaultSettings
	flags.StringVar(&s.huhang, "huhang", s.huhang, "the binary whose start and memory are measured")
	flags.DurationVar(&s.round, "round", s.round, "how long one side of a comparison runs before it is the other's turn")
	flags.IntVar(&s.rounds, "rounds", s.rounds, "how often each side has its turn")
	flags.Int64Var(&s.patients, "patients", s.patients, "how many people the duplicate look-up is taken among at the most; 10000000 takes some minutes and 6 GB")
	flags.Int64Var(&s.cleared, "cleared", s.cleared, "how many settlements the month has that is cleared between 31 provinces; 1000000 takes some minutes and 3 GB")
	flags.StringVar(&s.engine, "engine", s.engine, "the one engine (sqlite, postgres) the duplicate look-up is taken on; empty: both")
	flags.Int64Var(&s.cases, "cases", s.cases, "how many open cases the worklists are read among; 1000000 takes some minutes and 4 GB")
	flags.StringVar(&s.keep, "keep", s.keep, "a folder that keeps the CPU profile and pgbench's script; empty: neither is kept")
	flags.Usage = func() {
		_, _ = fmt.Fprintf(flags.Output(), "bench [flags] [figure...]\n\n")
		for _, f := range figures {
			_, _ = fmt.Fprintf(flags.Output(), "  %-14s %s\n", f.name, f.title)
		}
		_, _ = fmt.Fprintln(flags.Output())
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	wanted, err := choose(flags.Args())
	if err != nil {
		return err
	}
	b, err := newBed(ctx, s)
	if err != nil {
		return err
	}
	err = take(ctx, out, b, wanted)
	if closing := b.close(); err == nil {
		err = closing
	}
	return err
}

func choose(names []string) ([]figure, error) {
	if len(names) == 0 {
		return figures, nil
	}
	var wanted []figure
	for _, name := range names {
		found := false
		for _, f := range figures {
			if f.name == name {
				wanted, found = append(wanted, f), true
			}
		}
		if !found {
			var known []string
			for _, f := range figures {
				known = append(known, f.name)
			}
			return nil, fmt.Errorf("%q is no figure; there are %s", name, strings.Join(known, ", "))
		}
	}
	return wanted, nil
}

func take(ctx context.Context, out io.Writer, b *bed, wanted []figure) error {
	system := clock.System()
	started := system.Now()
	facts, err := machine(ctx, b)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "The machine, %s\n\n", started.Format(time.DateOnly))
	facts.write(out)
	for _, f := range wanted {
		begun := system.Now()
		tables, err := f.take(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		_, _ = fmt.Fprintf(out, "\n%s: %s\n(%s)\n", f.name, f.title, f.how)
		for _, t := range tables {
			_, _ = fmt.Fprintln(out)
			t.write(out)
		}
		_, _ = fmt.Fprintf(out, "\ntaken in %.0f s\n", system.Now().Sub(begun).Seconds())
	}
	_, _ = fmt.Fprintf(out, "\nload of the machine: %s at the end; all figures in %.0f s\n", loadAverage(), system.Now().Sub(started).Seconds())
	return nil
}
