package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// findPgbench looks beside the newest server's programs, as tools/with-postgres does, and then in PATH.
func findPgbench() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		version := func(path string) int {
			n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // 0 sorts first
			return n
		}
		return slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }), nil
	}
	path, err := exec.LookPath("pgbench")
	if err != nil {
		return "", errors.New("pgbench is not here: it comes with the PostgreSQL server (Debian) or its contributed programs")
	}
	return path, nil
}

var (
	processed = regexp.MustCompile(`number of transactions actually processed: (\d+)`)
	failed    = regexp.MustCompile(`number of failed transactions: (\d+)`)
	tps       = regexp.MustCompile(`tps = ([0-9.]+)`)
)

// pgbench runs the script in prepared mode, which is also how the services send statements.
func (b *bed) pgbench(ctx context.Context, f *fleet, clients int) (transactions int64, perSecond float64, err error) {
	program, err := findPgbench()
	if err != nil {
		return 0, 0, err
	}
	run := b.number()
	file := b.kept("registration.sql")
	if err := os.WriteFile(file, []byte(f.script.text), 0o600); err != nil {
		return 0, 0, err
	}
	args := []string{
		"--no-vacuum", "--protocol=prepared", fmt.Sprintf("--client=%d", clients), fmt.Sprintf("--jobs=%d", min(clients, 2)),
		fmt.Sprintf("--time=%d", max(int(b.round/time.Second), 1)), "--file=" + file,
		// Runs count on from different numbers.
		fmt.Sprintf("--define=i=%d", run*10_000_000),
	}
	for _, variable := range f.script.variables {
		args = append(args, "--define="+variable)
	}
	text, err := exec.CommandContext(ctx, program, append(args, f.dsn)...).CombinedOutput()
	if err != nil {
		return 0, 0, fmt.Errorf("pgbench: %w: %s", err, text)
	}
	number := func(pattern *regexp.Regexp) (value float64) {
		found := pattern.FindSubmatch(text)
		if found == nil {
			err = fmt.Errorf("pgbench did not say its %s: %s", pattern, text)
			return 0
		}
		value, err = strconv.ParseFloat(string(found[1]), 64)
		return value
	}
	transactions, perSecond = int64(number(processed)), number(tps)
	if bad := number(failed); err == nil && bad != 0 {
		err = fmt.Errorf("pgbench: %.0f transactions failed", bad)
	}
	return transactions, perSecond, err
}
