package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"testing"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/rpcclient"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/settlement/app"
)

// victimEnv makes this test binary a settlement instance, to be killed.
const victimEnv = "HUHANG_TEST_SETTLEMENT_VICTIM"

// victim is one instance as its process is told of it.
type victim struct {
	Name, Listen, DSN, Authority string
	Provinces                    []string
	// Others are the addresses of the rest of the line.
	Others map[string][]string
}

func TestMain(m *testing.M) {
	if text := os.Getenv(victimEnv); text != "" {
		if err := serveVictim(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveVictim serves until its input ends, or it is killed.
func serveVictim(text string) error {
	var v victim
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return err
	}
	authority, err := mtls.DevAuthority(v.Authority)
	if err != nil {
		return err
	}
	identity, err := authority.Service("settlement")
	if err != nil {
		return err
	}
	ctx, registry := context.Background(), discovery.NewStatic(v.Others)
	pool := rpcclient.New(rpcclient.Config{Identity: identity, Registry: registry})
	defer pool.Close()
	tel, err := telemetry.Start(ctx, telemetry.Config{Service: "settlement"})
	if err != nil {
		return err
	}
	a, err := app.New(ctx, app.Config{
		Instance: v.Name, Listen: v.Listen, Database: v.DSN, Provinces: v.Provinces, Sample: true,
		// One person has many stays of one day here, so that all bills meet in one row of counters: supervision only flags them.
		SupervisionRules: "testdata/flagging",
	},
		fleet.Deps{
			Clock: clock.System(), IDs: id.Random(), Registry: registry, Identity: identity, Peers: pool,
			Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Telemetry: tel,
		})
	if err != nil {
		return err
	}
	running, err := fleet.Start(ctx, a)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return running.Stop(fleet.StopLimit)
}

// start starts the victim and waits until it serves; kill ends it as a power cut would.
func (v victim) start(t *testing.T) (kill func()) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	process := exec.Command(os.Args[0])
	process.Env, process.Stderr = append(os.Environ(), victimEnv+"="+string(text)), os.Stderr
	in, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	if lines := bufio.NewScanner(out); !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("%s does not start", v.Name)
	}
	return func() {
		_ = process.Process.Kill()
		_ = in.Close()
		_ = process.Wait() // killed
	}
}

// freePort is a loopback port nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
