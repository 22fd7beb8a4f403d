package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/etcd"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/sampleline"
)

// processes are the line as an operator runs it: a process a service, found through etcd, over PostgreSQL.
type processes struct {
	t         *testing.T
	dir       string
	binary    string
	endpoints []string
	mu        sync.Mutex
	running   map[string]*process
	services  map[string]string // of each name its service, to serve it again
	databases map[string]string
	base      string
	// named lets services be dialled by another name than they listen on, as from one container to another. Their ports are
	// fixed then: who is killed may not get its own again.
	named bool
	// treating is set of the treatment province's settlement besides what serveLine gives it.
	treating string
}

type process struct {
	cmd  *exec.Cmd
	logs *buffer
	done chan error
}

// newFleet starts etcd and makes certificates. Whoever calls it defers stopAll: the processes end before their databases.
func newFleet(t *testing.T) *processes {
	t.Helper()
	f := &processes{t: t, dir: t.TempDir(), running: map[string]*process{}, services: map[string]string{}, databases: map[string]string{}}
	f.binary = filepath.Join(f.dir, "huhang")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", f.binary, "huhang.example/services/cmd/huhang").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	server, err := etcd.Start(t.Context(), etcd.Config{Dir: filepath.Join(f.dir, "etcd")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	f.endpoints = server.Endpoints()
	if out, err := exec.CommandContext(t.Context(), f.binary, "certs", "--dir", filepath.Join(f.dir, "certs")).CombinedOutput(); err != nil {
		t.Fatalf("certs: %v\n%s", err, out)
	}
	return f
}

// serve starts one process with one service.
func (f *processes) serve(name, service, settings string) {
	f.t.Helper()
	switch {
	case service == "gateway":
	case f.named:
		address := freeAddress(f.t)
		settings += fmt.Sprintf("  listen: %s\n  advertise: %s\n", address, strings.Replace(address, "127.0.0.1", advertised, 1))
	default:
		settings += "  listen: 127.0.0.1:0\n"
	}
	file := filepath.Join(f.dir, name+".yaml")
	text := fmt.Sprintf("etcd:\n  endpoints: [%q]\nidentity:\n  dir: %q\nlog: info\n%s:\n  instance: %s\n%s",
		strings.Join(f.endpoints, `","`), filepath.Join(f.dir, "certs"), service, name, settings)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	f.services[name] = service
	f.again(name)
}

// again starts a process as it was started first.
func (f *processes) again(name string) {
	f.t.Helper()
	service, file := f.services[name], filepath.Join(f.dir, name+".yaml")
	p := &process{cmd: exec.Command(f.binary, "serve", service, "--config", file), logs: &buffer{}, done: make(chan error, 1)}
	p.cmd.Stderr, p.cmd.Stdout = p.logs, p.logs
	if err := p.cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	f.mu.Lock()
	f.running[name] = p
	f.mu.Unlock()
}

// kill ends a process as a power cut would.
func (f *processes) kill(name string) {
	p := f.running[name]
	if err := p.cmd.Process.Kill(); err != nil {
		f.t.Fatal(err)
	}
	if err := <-p.done; err == nil {
		f.t.Errorf("%s ended as if it had been asked to", name)
	}
	delete(f.running, name)
}

// stopAll asks every process to end, and each must within its limit.
func (f *processes) stopAll() {
	for name, p := range f.running {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			f.t.Errorf("%s: %v", name, err)
		}
	}
	limit := time.After(15 * time.Second)
	for name, p := range f.running {
		select {
		case err := <-p.done:
			if err != nil {
				f.t.Errorf("%s ended with %v", name, err)
			}
		case <-limit:
			f.t.Errorf("%s did not stop", name)
			_ = p.cmd.Process.Kill()
		}
		if f.t.Failed() {
			f.t.Logf("---- %s\n%s", name, tail(p.logs.String(), 4000))
		}
	}
	f.running = map[string]*process{}
}

func tail(s string, n int) string {
	if len(s) > n {
		return s[len(s)-n:]
	}
	return s
}

// awaitReady waits until the gateway finds every service serving.
func (f *processes) awaitReady(base string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 60*time.Second)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", nil)
		if err != nil {
			f.t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if err := clock.System().Sleep(ctx, 50*time.Millisecond); err != nil {
			f.t.Fatalf("the fleet is not ready: %v\n%s", err, tail(f.running["gateway-1"].logs.String(), 4000))
		}
	}
}

const advertised = "localhost"

// advertise holds every instance to the address it was told to give out.
func (f *processes) advertise() {
	f.t.Helper()
	registry, err := discovery.NewEtcd(discovery.Config{Endpoints: f.endpoints})
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = registry.Close() }()
	seen := 0
	for service, province := range map[string]string{"patient": discovery.AllProvinces, "matching": discovery.AllProvinces, "transfer": discovery.AllProvinces, "referral": discovery.AllProvinces, "settlement": "340000"} {
		instances, err := registry.List(f.t.Context(), service, province)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, i := range instances {
			seen++
			if !strings.HasPrefix(i.Addr, advertised+":") {
				f.t.Errorf("%s is found at %s", i.ID, i.Addr)
			}
		}
	}
	if seen != 6 {
		f.t.Errorf("%d instances are found", seen)
	}
}

// freeAddress finds a loopback address nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// serveLine starts the whole line: two replicas of matching, two settlement instances of different provinces.
func (f *processes) serveLine(gateway string) {
	f.t.Helper()
	database := func(name string) string {
		f.databases[name] = sqldbtest.Postgres(f.t)
		return fmt.Sprintf("  database: %q\n", f.databases[name])
	}
	// Both replicas share a database, and so the keys it is sealed with.
	matching := database("matching") + fmt.Sprintf("  keys: %q\n  sample: true\n", filepath.Join(f.dir, "keys-matching"))
	f.serve("patient-1", "patient", database("patient")+fmt.Sprintf("  keys: %q\n", filepath.Join(f.dir, "keys")))
	f.serve("transfer-1", "transfer", database("transfer")+"  sample: true\n")
	f.serve("settlement-treatment", "settlement", database("treatment")+"  sample: true\n  provinces: [\"110000\", \"310000\", \"440000\"]\n"+f.treating)
	f.serve("settlement-insured", "settlement", database("insured")+"  sample: true\n  provinces: [\"340000\"]\n")
	f.serve("matching-1", "matching", matching)
	f.serve("matching-2", "matching", matching)
	f.serve("referral-1", "referral", database("referral")+"  sample: true\n")
	address := freeAddress(f.t)
	f.serve("gateway-1", "gateway", fmt.Sprintf("  listen: %s\n  grpc_listen: 127.0.0.1:0\n  dev_issuer: true\n  state_dir: %q\n%s", address, filepath.Join(f.dir, "gateway"), gateway))
	f.t.Cleanup(f.stopAll) // before the databases go, whose cleanups stand before this one
	f.base = "http://" + address
	f.awaitReady(f.base)
}

// The case runs over eight processes and an etcd on PostgreSQL. Then one replica is killed, and the next cases run as if nothing
// had been; and the one instance of an insured province, whose answer a case then waits for.
func TestFleet(t *testing.T) {
	f := newFleet(t)
	f.named, f.treating = true, f.impatient()
	f.serveLine("")
	f.advertise()
	drive := func(key string, serial int) error {
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		driver := &sampleline.Driver{
			Client: &sampleline.Client{Base: f.base, HTTP: &http.Client{Timeout: 20 * time.Second}}, Clock: clock.System(), Out: t.Output(), Key: key, Serial: serial,
		}
		result, err := driver.Run(ctx)
		if err == nil {
			paysOnce(t, result.Statement)
		}
		return err
	}
	if err := drive("fleet-00000001", 21); err != nil {
		t.Fatal(err)
	}
	// The second case is under way while the replica dies.
	second := make(chan error, 1)
	go func() { second <- drive("fleet-00000002", 22) }()
	f.kill("matching-2")
	if err := <-second; err != nil {
		t.Errorf("the case that was under way: %v", err)
	}
	if err := drive("fleet-00000003", 23); err != nil {
		t.Errorf("the case after: %v", err)
	}
	f.unanswered("fleet-00000004", 24)
}
