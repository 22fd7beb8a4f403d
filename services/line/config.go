package line

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	gateway "huhang.example/services/gateway/app"
	matching "huhang.example/services/matching/app"
	patient "huhang.example/services/patient/app"
	referral "huhang.example/services/referral/app"
	settlement "huhang.example/services/settlement/app"
	transfer "huhang.example/services/transfer/app"
)

// Config is the file behind `huhang serve`. Only the services named on the command line are read.
type Config struct {
	Etcd      Etcd      `yaml:"etcd"`
	Identity  Identity  `yaml:"identity"`
	Telemetry Telemetry `yaml:"telemetry"`
	// Ops is where health, readiness and metrics are served; empty: nowhere.
	Ops string `yaml:"ops"`
	Log string `yaml:"log"` // debug, info, warn, error; default info

	Patient    patient.Config    `yaml:"patient"`
	Matching   matching.Config   `yaml:"matching"`
	Transfer   transfer.Config   `yaml:"transfer"`
	Settlement settlement.Config `yaml:"settlement"`
	Referral   referral.Config   `yaml:"referral"`
	Gateway    gateway.Config    `yaml:"gateway"`
}

// Etcd says where discovery is.
type Etcd struct {
	Endpoints []string      `yaml:"endpoints"`
	TTL       time.Duration `yaml:"ttl"`
	// CacheDir keeps the last known instances, so that a process can start while etcd is away.
	CacheDir string `yaml:"cache_dir"`
}

// Identity is the folder with <kind>-<name>.crt, .key and ca.crt, as `huhang certs` writes them.
type Identity struct {
	Dir string `yaml:"dir"`
}

// Telemetry says where spans go.
type Telemetry struct {
	OTLPEndpoint string  `yaml:"otlp_endpoint"`
	OTLPInsecure bool    `yaml:"otlp_insecure"`
	SampleRatio  float64 `yaml:"sample_ratio"`
}

// Names are the services a process can run, in the order they start.
var Names = []string{"patient", "transfer", "settlement", "matching", "referral", "gateway"}

// Validate checks what no service checks for itself.
func (c Config) Validate() error {
	if len(c.Etcd.Endpoints) == 0 {
		return errors.New("etcd.endpoints: at least one host:port")
	}
	if c.Identity.Dir == "" {
		return errors.New("identity.dir: the folder with this process's certificates")
	}
	if c.Log != "" && !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log) {
		return fmt.Errorf("log: one of debug, info, warn, error")
	}
	return nil
}

// CheckNames refuses names that are not services.
func CheckNames(names []string) error {
	for _, n := range names {
		if !slices.Contains(Names, n) {
			return fmt.Errorf("%q is no service; there are %s", n, strings.Join(Names, ", "))
		}
	}
	return nil
}
