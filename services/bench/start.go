package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"huhang.example/services/internal/clock"
)

var start = figure{
	name: "start", title: "`huhang dev --no-sample` from its exec to the first 200 of /readyz",
	how: `the binary itself: embedded etcd, SQLite files, six services and a second settlement instance, REST and gRPC. A fresh state has an authority, keys and
six databases to make. /readyz is asked every 2 ms; the files are in the system's cache; median of the starts (least to greatest)`,
	take: takeStart,
}

func takeStart(ctx context.Context, b *bed) ([]table, error) {
	existing := filepath.Join(b.dir, "state-existing")
	t := table{head: []string{"state", "ready after", "starts"}}
	for _, c := range []struct {
		name  string
		state func(i int) string
	}{
		{"fresh", func(i int) string { return filepath.Join(b.dir, fmt.Sprintf("state-%d", i)) }},
		{"existing", func(int) string { return existing }},
	} {
		var took series
		for i := range b.starts + 1 {
			d, err := b.dev(ctx, c.state(i), "--no-sample")
			if err != nil {
				return nil, err
			}
			if err := d.stop(); err != nil {
				return nil, err
			}
			if i > 0 { // the first fills the system's cache, and makes the state that is then an existing one
				took = append(took, float64(d.ready.Milliseconds()))
			}
		}
		t.add(c.name, took.spread("%.0f")+" ms", fmt.Sprint(len(took)))
	}
	return []table{t}, nil
}

// dev is a `huhang dev` that is ready.
type dev struct {
	command *exec.Cmd
	log     string
	base    string
	ready   time.Duration
	ended   chan struct{}
	err     error // once ended
}

// dev starts the measured binary on free ports and waits until it is ready.
func (b *bed) dev(ctx context.Context, state string, flags ...string) (*dev, error) {
	var ports [2]string
	for i := range ports {
		var err error
		if ports[i], err = freePort(); err != nil {
			return nil, err
		}
	}
	d := &dev{ended: make(chan struct{}), log: filepath.Join(b.dir, fmt.Sprintf("dev-%d.log", b.number())), base: "http://" + ports[1]}
	log, err := os.Create(d.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	d.command = exec.Command(b.huhang, append([]string{
		"dev", "--state", state, "--ops", ports[0], "--http", ports[1], "--grpc", "127.0.0.1:0",
	}, flags...)...)
	d.command.Stdout, d.command.Stderr = log, log
	system := clock.System()
	begun := system.Now()
	if err := d.command.Start(); err != nil {
		return nil, fmt.Errorf("%w: build it first, or name it with -huhang", err)
	}
	go func() {
		defer close(d.ended)
		d.err = d.command.Wait()
	}()
	at, err := awaitReady(ctx, ports[0], d.ended)
	if err != nil {
		return nil, errors.Join(d.why(err), d.stop())
	}
	d.ready = at.Sub(begun)
	return d, nil
}

func (d *dev) stop() error {
	_ = d.command.Process.Signal(syscall.SIGTERM) // it may have ended
	limit := clock.System().NewTimer(endLimit)
	defer limit.Stop()
	select {
	case <-d.ended:
		if d.err != nil {
			return d.why(d.err)
		}
		return nil
	case <-limit.C():
		_ = d.command.Process.Kill()
		<-d.ended
		return d.why(fmt.Errorf("huhang dev did not end within %s", endLimit))
	}
}

func (d *dev) why(err error) error { return (&child{log: d.log}).why(err) }
