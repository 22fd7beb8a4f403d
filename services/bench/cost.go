package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// cost is the processor time of those who take part in a round: on one machine they share its cores.
type cost struct{ line, database, load time.Duration }

// tick is the kernel's unit of a process's time, for programs.
const tick = 10 * time.Millisecond

func (f *fleet) cost(ctx context.Context) (c cost, err error) {
	if c.line, err = f.cpu(); err != nil {
		return c, err
	}
	if c.load, err = ownCPU(); err != nil {
		return c, err
	}
	err = sql(ctx, f.dsn, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		if err != nil {
			return err
		}
		pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
		if err != nil {
			return err
		}
		for _, pid := range pids {
			used, err := timeOf(pid)
			if err != nil {
				return err
			}
			c.database += used
		}
		return nil
	})
	return c, err
}

// timeOf is what a process of this machine has used; 0 where it has ended, or the server is another machine's.
func timeOf(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, nil
	}
	// The second field is the program's name in brackets; user and system time are the 14th and 15th.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is of another form", pid)
	}
	var user, system int64
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		return 0, err
	}
	return time.Duration(user+system) * tick, nil
}

// since is what a call took of each, in milliseconds.
func (c cost) since(before cost, calls int64) string {
	each := func(after, before time.Duration) float64 {
		return float64((after - before).Microseconds()) / 1000 / float64(calls)
	}
	return fmt.Sprintf("%.2f + %.2f + %.2f ms", each(c.line, before.line), each(c.database, before.database), each(c.load, before.load))
}
