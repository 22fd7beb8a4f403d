package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"huhang.example/services/internal/clock"
)

// cost is the processor time of those who take part in a round. They share the cores of one machine, so that it tells
// where a rate comes from; and what others took, which a rate has to be read with.
type cost struct{ line, database, load, machine, wall time.Duration }

// meter adds up what is spent while do runs.
func (f *fleet) meter(ctx context.Context, do func() error) (cost, error) {
	before, err := f.spent(ctx)
	if err != nil {
		return cost{}, err
	}
	system := clock.System()
	began := system.Now()
	if err := do(); err != nil {
		return cost{}, err
	}
	wall := system.Now().Sub(began)
	after, err := f.spent(ctx)
	return cost{
		line: after.line - before.line, database: after.database - before.database, load: after.load - before.load,
		machine: after.machine - before.machine, wall: wall,
	}, err
}

// costs are those of the rounds of one side, with the number of calls of each.
type costs struct{ line, database, load, others series }

func (s *costs) add(c cost, calls int64) {
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(calls) }
	s.line, s.database, s.load = append(s.line, each(c.line)), append(s.database, each(c.database)), append(s.load, each(c.load))
	rest := max(c.machine-c.line-c.database-c.load, 0)
	s.others = append(s.others, 100*rest.Seconds()/c.wall.Seconds()/float64(runtime.NumCPU()))
}

// The kernel's unit of processor time, for programs.
const tick = 10 * time.Millisecond

func (f *fleet) spent(ctx context.Context) (c cost, err error) {
	if c.line, err = f.cpu(); err != nil {
		return c, err
	}
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} { // pgbench is a child that has ended
		used, err := usage(who)
		if err != nil {
			return c, err
		}
		c.load += used
	}
	if c.machine, err = machineTime(); err != nil {
		return c, err
	}
	err = sql(ctx, f.dsn, func(conn *pgx.Conn) error {
		var backend int
		if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
			return err
		}
		c.database, err = serverTime(backend)
		return err
	})
	return c, err
}

// usage is the processor time of this process or of its children that have ended.
func usage(who int) (time.Duration, error) {
	var used syscall.Rusage
	if err := syscall.Getrusage(who, &used); err != nil {
		return 0, err
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), nil
}

// machineTime is what all processes have used since the machine started; 0 where the kernel does not say.
func machineTime() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, nil
	}
	var user, nice, system, idle, wait, interrupt, soft int64
	if _, err := fmt.Sscanf(string(text), "cpu %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &wait, &interrupt, &soft); err != nil {
		return 0, fmt.Errorf("/proc/stat: %w", err)
	}
	return time.Duration(user+nice+system+interrupt+soft) * tick, nil
}

// serverTime is what a PostgreSQL server's processes have used, those that have ended included; 0 where it is another
// machine's.
func serverTime(backend int) (time.Duration, error) {
	own, err := processOf(fmt.Sprint(backend))
	if err != nil || own.parent == 0 {
		return 0, err
	}
	server, err := processOf(fmt.Sprint(own.parent))
	if err != nil {
		return 0, err
	}
	total := server.own + server.ended
	all, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	for _, entry := range all {
		if entry.Name()[0] < '0' || entry.Name()[0] > '9' {
			continue
		}
		p, err := processOf(entry.Name())
		if err != nil {
			return 0, err
		}
		if p.parent == own.parent {
			total += p.own
		}
	}
	return total, nil
}

type process struct {
	parent int
	// own time, and that of children that have ended.
	own, ended time.Duration
}

// processOf reads what the kernel tells of a process; nothing of one that is not there.
func processOf(pid string) (p process, err error) {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return p, nil
	}
	// The second field is the program's name in brackets, and may hold anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 15 {
		return p, fmt.Errorf("/proc/%s/stat is of another form", pid)
	}
	var user, system, endedUser, endedSystem int64
	if _, err := fmt.Sscan(fields[1]+" "+strings.Join(fields[11:15], " "), &p.parent, &user, &system, &endedUser, &endedSystem); err != nil {
		return p, fmt.Errorf("/proc/%s/stat: %w", pid, err)
	}
	p.own, p.ended = time.Duration(user+system)*tick, time.Duration(endedUser+endedSystem)*tick
	return p, nil
}
