package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/line"
	"huhang.example/services/sampleline"
)

type devOptions struct {
	state, http, grpc, ops, log, otlp string
	until, webhook                    string
	noSample                          bool
	// between stands between the sample case and the line, in tests; nil: nothing does.
	between  func(http.RoundTripper) http.RoundTripper
	patience time.Duration
}

// samplePatience is how long each call of the sample case is sent again while a service is away.
const samplePatience = 30 * time.Second

func devCommand() *cobra.Command {
	o := devOptions{patience: samplePatience}
	c := &cobra.Command{
		Use: "dev", Short: "run the whole line in this process and drive one sample case over it", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return dev(c.Context(), c.OutOrStdout(), o) },
	}
	f := c.Flags()
	f.StringVar(&o.state, "state", ".state", "folder of databases, keys and etcd's data")
	f.StringVar(&o.http, "http", "127.0.0.1:8080", "address of the REST API")
	f.StringVar(&o.grpc, "grpc", "127.0.0.1:8443", "address of the gateway for partner hospitals (gRPC, mutual TLS)")
	f.StringVar(&o.ops, "ops", "127.0.0.1:9464", "address of health and metrics")
	f.StringVar(&o.log, "log", "warn", "log level on stderr: debug, info, warn, error; everything from info on also goes to huhang.log in the state folder")
	f.StringVar(&o.otlp, "otlp", "", "host:port of an OTLP/gRPC collector for traces; empty: none")
	f.StringVar(&o.until, "until", "", "end the sample case after this step, such as offered; empty: at its bill")
	f.StringVar(&o.webhook, "webhook", "", "tell this address, such as http://127.0.0.1:9000/hook, what happens to the sample hospital's cases; prints the secret")
	f.BoolVar(&o.noSample, "no-sample", false, "drive no sample case; a new state folder starts empty, one that has the sample centers keeps them")
	return c
}

func dev(ctx context.Context, out io.Writer, o devOptions) error {
	system := clock.System()
	started := system.Now()
	if o.until != "" && !slices.Contains(sampleline.Steps(), o.until) {
		return fmt.Errorf("--until: no step is called %q; there are %s", o.until, strings.Join(sampleline.Steps(), ", "))
	}
	state, err := filepath.Abs(o.state)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(state, 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(state, "huhang.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	level, err := logLevel(o.log)
	if err != nil {
		return err
	}
	running, err := line.StartDev(ctx, line.Dev{
		State: state, HTTP: o.http, GRPC: o.grpc, Ops: o.ops, Sample: !o.noSample, Handler: twoLogs(os.Stderr, level, file),
		Trace: line.Telemetry{OTLPEndpoint: o.otlp, OTLPInsecure: true},
	})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "huhang: the line serves after %d ms: embedded etcd, SQLite in %s, six services and a second settlement instance\n\n",
		system.Now().Sub(started).Milliseconds(), o.state)
	if err := writePartners(running, filepath.Join(state, "partners")); err != nil {
		return errors.Join(err, running.Stop(fleet.StopLimit))
	}
	base := "http://" + running.Gateway.HTTPAddr()
	client := &sampleline.Client{Base: base, HTTP: &http.Client{Timeout: 20 * time.Second}, Patience: o.patience, Clock: system}
	if o.between != nil {
		client.HTTP.Transport = o.between(http.DefaultTransport)
	}
	if o.webhook != "" {
		err := subscribe(ctx, out, client, o.webhook)
		tell(ctx, out, "there is no webhook for "+o.webhook, err)
	}
	switch {
	case !o.noSample:
		err := driveSample(ctx, out, client, state, o.until)
		tell(ctx, out, "the sample case stopped", err)
	case running.Sample:
		_, _ = fmt.Fprintln(out, "the sample line, which this folder was started with before; no case is driven")
	}
	if ctx.Err() == nil {
		_, _ = fmt.Fprintf(out, `
  REST API          %[1]s/v1/...          OpenAPI  %[1]s/openapi.json
  read and try      %[1]s/docs
  partner hospitals %[2]s (gRPC, mutual TLS)
  health, metrics   http://%[3]s/readyz  http://%[3]s/metrics
  log               %[4]s
Ctrl-C stops the line; its state stays and serves again at the next start.
`, base, running.Gateway.GRPCAddr(), running.OpsAddr(), filepath.Join(o.state, "huhang.log"))
		<-ctx.Done()
	}
	stopping := system.Now()
	err = running.Stop(fleet.StopLimit)
	_, _ = fmt.Fprintf(out, "huhang: stopped in %d ms\n", system.Now().Sub(stopping).Milliseconds())
	return err
}

// tell says plainly what did not work; the line serves all the same.
func tell(ctx context.Context, out io.Writer, what string, err error) {
	if err != nil && ctx.Err() == nil {
		_, _ = fmt.Fprintf(out, "\n%s: %v\nthe line goes on serving; the log may say more\n", what, err)
	}
}

func driveSample(ctx context.Context, out io.Writer, client *sampleline.Client, state, until string) error {
	system := client.Clock
	serial, key, err := nextCase(state, system)
	if err != nil {
		return err
	}
	started := system.Now()
	driver := &sampleline.Driver{Client: client, Clock: system, Out: out, Key: key, Serial: serial, Until: until}
	_, _ = fmt.Fprintln(out, "One case through the REST API: a resident of 合肥 on 低保 who needs a liver, treated in 上海 (示范; every person and institution is invented)")
	result, err := driver.Run(ctx)
	if again := client.Repeated.Load(); again > 0 {
		_, _ = fmt.Fprintf(out, "\n%d calls were sent again under their request_id, because a service was away\n", again)
	}
	if err != nil {
		return err
	}
	if result.Statement != nil {
		sampleline.PrintStatement(out, result.Statement)
	}
	_, _ = fmt.Fprintf(out, "\ncase %s  trace %s  driven in %d ms\n", result.ReferralID, result.TraceID, system.Now().Sub(started).Milliseconds())
	return nil
}

// writePartners leaves the certificates of the sample hospitals whose own systems may call the gateway.
func writePartners(running *line.Running, dir string) error {
	for _, code := range []string{"H-HF-01", "C-SH-01", "C-SH-02"} {
		identity, err := running.Authority.Hospital(code)
		if err != nil {
			return err
		}
		if err := running.Authority.WritePEM(dir, identity); err != nil {
			return err
		}
	}
	return nil
}

// nextCase counts the sample cases of a state folder: every start drives a new invented patient.
func nextCase(state string, system clock.Clock) (serial int, key string, err error) {
	path := filepath.Join(state, "sample-cases")
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, "", err
	}
	if len(b) > 0 {
		if _, err := fmt.Sscanf(string(b), "%d", &serial); err != nil {
			return 0, "", fmt.Errorf("%s: %w", path, err)
		}
	}
	if serial > 998 {
		return 0, "", errors.New("999 sample cases were driven in this state folder; start with --no-sample or another --state")
	}
	err = os.WriteFile(path, fmt.Appendf(nil, "%d\n", serial+1), 0o600)
	return serial, fmt.Sprintf("%d-%03d", system.Now().Unix(), serial), err
}
