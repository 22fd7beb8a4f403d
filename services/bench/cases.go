package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/etcd"
	"huhang.example/services/sampleline"
)

var wholeCases = figure{
	name: "cases", title: "whole cases on PostgreSQL, a process a service, driven over REST from registration to the bill",
	how: `Seven processes as an operator starts them (patient, transfer, matching, referral, settlement of the treatment and of the insured province, gateway), found through etcd, each service with its
own database; workers drive case after case over REST, some thirty calls a case and what the line's jobs do in between. Processor time is the kernel's, by process, and is divided by the cases that
reached their bill in the round; each bill's payers sum to its total. -huhang is the binary`,
	take: takeCases,
}

func takeCases(ctx context.Context, b *bed) ([]table, error) {
	f, err := b.wholeFleet(ctx)
	if err != nil {
		return nil, err
	}
	rates := table{head: []string{"workers", "cases /s", "a case, median", "99 %", "cores used by others"}}
	where := table{head: []string{"process", "processor time a case", "share"}}
	for _, workers := range []int{1, 8} {
		before, err := f.spent(ctx)
		if err != nil {
			return nil, err
		}
		system := clock.System()
		machine, err := machineTime()
		if err != nil {
			return nil, err
		}
		begun := system.Now()
		took, err := f.drive(ctx, workers, 4*b.round)
		if err != nil {
			return nil, err
		}
		wall := system.Now().Sub(begun)
		after, err := f.spent(ctx)
		if err != nil {
			return nil, err
		}
		all, err := machineTime()
		if err != nil {
			return nil, err
		}
		names, total := make([]string, 0, len(after)), time.Duration(0)
		for name := range after {
			names = append(names, name)
			total += after[name] - before[name]
		}
		rates.add(fmt.Sprint(workers), fmt.Sprintf("%.2f", float64(len(took))/wall.Seconds()), milliseconds(quantile(took, 0.5)), milliseconds(quantile(took, 0.99)),
			fmt.Sprintf("%.0f %%", 100*max(all-machine-total, 0).Seconds()/wall.Seconds()/float64(runtime.NumCPU())))
		if workers == 1 {
			continue
		}
		slices.SortFunc(names, func(a, c string) int { return int((after[c] - before[c]) - (after[a] - before[a])) })
		for _, name := range names {
			spent := after[name] - before[name]
			where.add(name, milliseconds(spent/time.Duration(len(took))), fmt.Sprintf("%.0f %%", 100*spent.Seconds()/total.Seconds()))
		}
		where.add("all", milliseconds(total/time.Duration(len(took))), "100 %")
	}
	return []table{rates, where}, nil
}

// processes are a whole line, a process a service.
type processes struct {
	b       *bed
	dir     string
	base    string
	dsn     string // of one of the databases: the server is what counts
	running map[string]*exec.Cmd
	serial  atomic.Int64
}

func (b *bed) wholeFleet(ctx context.Context) (*processes, error) {
	f := &processes{b: b, dir: filepath.Join(b.dir, "cases"), running: map[string]*exec.Cmd{}}
	server, err := etcd.Start(ctx, etcd.Config{Dir: filepath.Join(f.dir, "etcd")})
	if err != nil {
		return nil, err
	}
	b.later(func() error { server.Close(); return nil })
	if out, err := exec.CommandContext(ctx, b.huhang, "certs", "--dir", filepath.Join(f.dir, "certs")).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("certs: %w: %s", err, out)
	}
	b.later(f.stop)
	var ports [2]string
	for i := range ports {
		if ports[i], err = freePort(); err != nil {
			return nil, err
		}
	}
	keys := func(name string) string { return fmt.Sprintf("  keys: %q\n", filepath.Join(f.dir, "keys-"+name)) }
	for _, p := range []struct{ name, service, settings string }{
		{"patient", "patient", keys("patient")},
		{"transfer", "transfer", "  sample: true\n"},
		{"settlement of the treatment province", "settlement", "  sample: true\n  provinces: [\"110000\", \"310000\", \"440000\"]\n"},
		{"settlement of the insured province", "settlement", "  sample: true\n  provinces: [\"340000\"]\n"},
		{"matching", "matching", "  sample: true\n" + keys("matching")},
		{"referral", "referral", "  sample: true\n"},
	} {
		if f.dsn, err = b.database(ctx); err != nil {
			return nil, err
		}
		settings := fmt.Sprintf("  listen: 127.0.0.1:0\n  database: %q\n%s", f.dsn, p.settings)
		if err := f.serve(p.name, p.service, server.Endpoints(), settings); err != nil {
			return nil, err
		}
	}
	f.base = "http://" + ports[0]
	err = f.serve("gateway", "gateway", server.Endpoints(), fmt.Sprintf("  listen: %s\n  grpc_listen: 127.0.0.1:0\n  dev_issuer: true\n  state_dir: %q\n  rate_limit:\n    per_second: 100000\n    burst: 100000\n",
		ports[0], filepath.Join(f.dir, "gateway")))
	if err != nil {
		return nil, err
	}
	_, err = awaitReady(ctx, ports[0], make(chan struct{}))
	return f, err
}

func (f *processes) serve(name, service string, endpoints []string, settings string) error {
	file := filepath.Join(f.dir, strings.ReplaceAll(name, " ", "-"))
	text := fmt.Sprintf("etcd:\n  endpoints: [%q]\nidentity:\n  dir: %q\nlog: warn\n%s:\n  instance: %s\n%s",
		strings.Join(endpoints, `","`), filepath.Join(f.dir, "certs"), service, filepath.Base(file), settings)
	if err := os.WriteFile(file+".yaml", []byte(text), 0o600); err != nil {
		return err
	}
	log, err := os.Create(file + ".log")
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	command := exec.Command(f.b.huhang, "serve", service, "--config", file+".yaml")
	command.Stdout, command.Stderr = log, log
	f.running[name] = command
	return command.Start()
}

func (f *processes) stop() error {
	for _, c := range f.running {
		_ = c.Process.Signal(syscall.SIGTERM) // it may have ended
	}
	for _, c := range f.running {
		kill := time.AfterFunc(endLimit, func() { _ = c.Process.Kill() })
		_ = c.Wait()
		kill.Stop()
	}
	return nil
}

// spent is the processor time of each process, of PostgreSQL and of the load.
func (f *processes) spent(ctx context.Context) (map[string]time.Duration, error) {
	spent := map[string]time.Duration{}
	for name, c := range f.running {
		p, err := processOf(fmt.Sprint(c.Process.Pid))
		if err != nil {
			return nil, err
		}
		spent[name] = p.own
	}
	load, err := usage(syscall.RUSAGE_SELF)
	if err != nil {
		return nil, err
	}
	spent["load and etcd"] = load
	err = sql(ctx, f.dsn, func(conn *pgx.Conn) error {
		var backend int
		if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
			return err
		}
		spent["PostgreSQL"], err = serverTime(backend)
		return err
	})
	return spent, err
}

// drive runs whole cases by so many workers for a time, and returns how long each took.
func (f *processes) drive(ctx context.Context, workers int, during time.Duration) ([]time.Duration, error) {
	client := &sampleline.Client{Base: f.base, HTTP: &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: workers}}}
	system := clock.System()
	end := system.Now().Add(during)
	var mu sync.Mutex
	var took []time.Duration
	var failed []error
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for system.Now().Before(end) {
				serial := int(f.serial.Add(1))
				err := f.makeRoom(ctx, client, serial)
				begun := system.Now()
				if err == nil {
					d := &sampleline.Driver{Client: client, Clock: system, Out: io.Discard, Key: fmt.Sprintf("bench-case-%08d", serial), Serial: serial}
					var got *sampleline.Result
					if got, err = d.Run(ctx); err == nil && !paid(got) {
						err = errors.New("the payers do not sum to the bill")
					}
				}
				mu.Lock()
				if err != nil {
					failed = append(failed, fmt.Errorf("case %d: %w", serial, err))
				} else {
					took = append(took, system.Now().Sub(begun))
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	all.Wait()
	if len(took) == 0 {
		failed = append(failed, errors.New("no case reached its bill"))
	}
	return took, errors.Join(failed...)
}

// paid: every case ends with a bill, whose payers sum to it.
func paid(r *sampleline.Result) bool {
	sum := int64(0)
	for _, s := range r.Statement.GetSplit().GetShares() {
		sum += s.GetAmount().GetFen()
	}
	return sum > 0 && sum == r.Statement.GetSplit().GetTotal().GetFen()
}

// makeRoom adds a bed and an operating room where the case may go: the sample line has few.
func (f *processes) makeRoom(ctx context.Context, client *sampleline.Client, serial int) error {
	for _, center := range []string{"C-SH-01", "C-SH-02"} {
		staff, err := client.As(ctx, sampleline.Person{Subject: "center-sh-9", Organisation: center, Role: "center"})
		if err != nil {
			return err
		}
		for _, kind := range []transferv1.ResourceKind{transferv1.ResourceKind_RESOURCE_KIND_BED, transferv1.ResourceKind_RESOURCE_KIND_OPERATING_ROOM} {
			if err := staff.Do(ctx, http.MethodPost, "/v1/resources", &transferv1.AddResourceRequest{
				RequestId: fmt.Sprintf("bench-room-%s-%d-%d", center, kind, serial), Kind: kind, Label: fmt.Sprintf("示范 %d", serial),
			}, nil); err != nil {
				return err
			}
		}
	}
	return nil
}
