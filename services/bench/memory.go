package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"huhang.example/services/internal/clock"
)

var memory = figure{
	name: "memory", title: "memory of `huhang dev` at rest",
	how: `resident memory as the kernel counts it (VmRSS), when /readyz first says yes and when it has moved by less than 1 % for five seconds, at most 15 s;
anonymous is the part that is not the binary's own pages. With the sample line, after the sample case was driven to its bill`,
	take: takeMemory,
}

func takeMemory(ctx context.Context, b *bed) ([]table, error) {
	t := table{head: []string{"line", "resident when ready", "resident at rest", "of it anonymous", "threads"}}
	for _, c := range []struct {
		name  string
		flags []string
	}{
		{"empty (--no-sample)", []string{"--no-sample"}},
		{"with the sample line and case", nil},
	} {
		d, err := b.dev(ctx, filepath.Join(b.dir, fmt.Sprintf("state-rest-%d", b.number())), c.flags...)
		if err != nil {
			return nil, err
		}
		row, err := rest(ctx, d, len(c.flags) == 0, b.settle)
		if err := errors.Join(err, d.stop()); err != nil {
			return nil, err
		}
		t.add(append([]string{c.name}, row...)...)
	}
	return []table{t}, nil
}

const (
	look   = time.Second
	steady = 5
	driven = 30 * time.Second
)

func rest(ctx context.Context, d *dev, sample bool, settle time.Duration) ([]string, error) {
	first, err := d.status()
	if err != nil {
		return nil, err
	}
	if sample {
		if err := d.awaitCase(ctx); err != nil {
			return nil, err
		}
	}
	system := clock.System()
	last, err := d.status()
	if err != nil {
		return nil, err
	}
	end := system.Now().Add(settle)
	for quiet := 0; quiet < steady && system.Now().Before(end); {
		if err := system.Sleep(ctx, look); err != nil {
			return nil, err
		}
		now, err := d.status()
		if err != nil {
			return nil, err
		}
		if moved := now["VmRSS"] - last["VmRSS"]; moved*100 < last["VmRSS"] && -moved*100 < last["VmRSS"] {
			quiet++
		} else {
			quiet = 0
		}
		last = now
	}
	mebibytes := func(kib int64) string { return fmt.Sprintf("%d MiB", kib/1024) }
	return []string{mebibytes(first["VmRSS"]), mebibytes(last["VmRSS"]), mebibytes(last["RssAnon"]), fmt.Sprint(last["Threads"])}, nil
}

func (d *dev) status() (map[string]int64, error) { return statusOf(d.command.Process.Pid) }

// statusOf is what the kernel says of a process, in KiB where it is memory.
func statusOf(pid int) (map[string]int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil, err
	}
	values := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		var n int64
		name, rest, _ := strings.Cut(line, ":")
		if _, err := fmt.Sscan(rest, &n); err == nil {
			values[name] = n
		}
	}
	if values["VmRSS"] == 0 {
		return nil, errors.New("the kernel does not say how much memory it has")
	}
	return values, nil
}

// awaitCase waits until the sample case is at its bill.
func (d *dev) awaitCase(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, driven)
	defer cancel()
	for {
		said, err := os.ReadFile(d.log)
		switch {
		case err != nil:
			return err
		case strings.Contains(string(said), "Ctrl-C stops"):
			return nil
		case strings.Contains(string(said), "the sample case stopped"):
			return d.why(errors.New("the sample case stopped"))
		}
		select {
		case <-d.ended:
			return d.why(errors.New("it ended in the sample case"))
		default:
		}
		if err := clock.System().Sleep(ctx, 20*time.Millisecond); err != nil {
			return d.why(err)
		}
	}
}
