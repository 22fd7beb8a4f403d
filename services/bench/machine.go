package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5"
)

// databaseSettings are those that move the figures.
var databaseSettings = []string{
	"server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_level", "shared_buffers", "max_wal_size", "autovacuum",
}

func machine(ctx context.Context, b *bed) (table, error) {
	t := table{head: []string{"what", "value"}}
	t.add("cores", fmt.Sprint(runtime.NumCPU()))
	var total int64
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		_, _ = fmt.Sscanf(string(text), "MemTotal: %d kB", &total)
	}
	t.add("memory", fmt.Sprintf("%.0f GiB", float64(total)/(1<<20)))
	t.add("system", runtime.GOOS+"/"+runtime.GOARCH)
	t.add("Go", runtime.Version())
	t.add("load before", loadAverage())
	err := sql(ctx, b.postgres, func(conn *pgx.Conn) error {
		for _, name := range databaseSettings {
			var value string
			if err := conn.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value); err != nil {
				return err
			}
			t.add("PostgreSQL "+name, value)
		}
		return nil
	})
	return t, err
}

// loadAverage is the machine's load of the last minute, told because a figure taken on a busy machine is none.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	minute, _, _ := strings.Cut(string(text), " ")
	return minute
}
