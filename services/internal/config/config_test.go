package config_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"huhang.example/services/internal/config"
	"huhang.example/services/internal/money"
)

type settings struct {
	Listen    string         `yaml:"listen"`
	Sample    bool           `yaml:"sample"`
	Share     float64        `yaml:"share"`
	Retries   uint8          `yaml:"retries"`
	Timeout   time.Duration  `yaml:"timeout"`
	Rounding  money.Rounding `yaml:"rounding"`
	Provinces []string       `yaml:"provinces"`
	Telemetry *endpoint      `yaml:"telemetry"`
	Peer      endpoint       `yaml:"peer-service"`
	Common    `yaml:",inline"`
	Labels    map[string]string `yaml:"labels"`
	Untagged  string
	Hidden    string `yaml:"-"`
	Next      *settings
	Peers     []netip.Addr
}

type Common struct {
	Instance string `yaml:"instance"`
}

type endpoint struct {
	Address string `yaml:"address"`
	Port    int    `yaml:"port"`
}

func (s *settings) SetDefaults() { s.Listen, s.Timeout = "127.0.0.1:0", time.Second }

func (s settings) Validate() error {
	if s.Retries > 5 {
		return errors.New("retries: at most 5")
	}
	return nil
}

func file(t *testing.T, body string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "huhang.yaml")
	if err := os.WriteFile(name, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

const full = `
listen: 127.0.0.1:7001
sample: true
share: 0.5
retries: 3
timeout: 1m30s
rounding: HALF_EVEN
provinces: ["360000", "130000"]
telemetry: {address: collector, port: 4317}
peer-service: {address: peer}
instance: settlement-1
labels: {zone: a}
untagged: x
`

func TestFile(t *testing.T) {
	got, err := config.Load[settings](file(t, full), "HUHANG_CFGTEST")
	want := settings{
		Listen: "127.0.0.1:7001", Sample: true, Share: 0.5, Retries: 3, Timeout: 90 * time.Second,
		Rounding: money.HalfEven, Provinces: []string{"360000", "130000"},
		Telemetry: &endpoint{"collector", 4317}, Peer: endpoint{Address: "peer"}, Common: Common{"settlement-1"},
		Labels: map[string]string{"zone": "a"}, Untagged: "x",
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestDefaultsStandWhereTheFileIsSilent(t *testing.T) {
	for name, body := range map[string]string{"empty": "", "comments": "# nothing\n", "other keys": "sample: true\n"} {
		got, err := config.Load[settings](file(t, body), "HUHANG_CFGTEST")
		if err != nil || got.Listen != "127.0.0.1:0" || got.Timeout != time.Second || got.Telemetry != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestEnvironmentWins(t *testing.T) {
	for name, value := range map[string]string{
		"LISTEN": "127.0.0.1:9", "SAMPLE": "false", "SHARE": "0.25", "RETRIES": "1", "TIMEOUT": "5s", "ROUNDING": "UP",
		"PROVINCES": " 340000, 450000,", "TELEMETRY_PORT": "1", "PEER_SERVICE_ADDRESS": "other", "INSTANCE": "",
		"UNTAGGED": "y", "HIDDEN": "no", "LABELS": "no", "NEXT_LISTEN": "no",
	} {
		t.Setenv("HUHANG_CFGTEST_"+name, value)
	}
	got, err := config.Load[settings](file(t, full), "huhang-cfgtest")
	want := settings{
		Listen: "127.0.0.1:9", Share: 0.25, Retries: 1, Timeout: 5 * time.Second, Rounding: money.Up,
		Provinces: []string{"340000", "450000"}, Telemetry: &endpoint{"collector", 1}, Peer: endpoint{Address: "other"},
		Labels: map[string]string{"zone": "a"}, Untagged: "y",
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestEnvironmentAloneMakesAbsentSections(t *testing.T) {
	t.Setenv("HUHANG_CFGTEST_TELEMETRY_ADDRESS", "collector")
	got, err := config.Load[settings]("", "HUHANG_CFGTEST")
	if err != nil || got.Telemetry == nil || got.Telemetry.Address != "collector" {
		t.Fatalf("%+v, %v", got, err)
	}
	if without, err := config.Load[settings]("", ""); err != nil || without.Telemetry != nil {
		t.Fatalf("no prefix, yet %+v, %v", without, err)
	}
}

func TestErrorsNameThePlaceAndNotTheValue(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"unknown key", "sample: true\nlisten: a\nlitsen: secret\n", `huhang.yaml:3: unknown key "litsen"`},
		{"unknown key below", "peer-service:\n  adrress: secret\n", `huhang.yaml:2: unknown key "adrress"`},
		{"wrong type", "listen: a\nretries: secret\n", "huhang.yaml:2: "},
		{"number as duration", "timeout: 30\n", "huhang.yaml:1: "},
		{"bad duration", "timeout: 5secret\n", "huhang.yaml:1: "},
		{"bad name", "\nrounding: SECRET\n", "huhang.yaml:2: INVALID_ARGUMENT CODE_UNKNOWN"},
		{"bad name below", "sample: true\nnext:\n  next:\n    rounding: SECRET\n", "huhang.yaml:4: "},
		{"bad address", "peers:\n- 127.0.0.1\n- secret.1\n", "huhang.yaml:3: "},
		{"unknown anchor", "sample: true\nlisten: *secret\n", "huhang.yaml:2: "},
		{"repeated key", "listen: a\nlisten: secret\n", "huhang.yaml:2: "},
		{"out of range", "retries: 300\n", "huhang.yaml:1: "},
		{"not YAML", "a: b: secret\n", "huhang.yaml:1: "},
		{"two mistakes", "a: 1\nb: 2\n", `huhang.yaml:1: unknown key "a"; `},
		{"two documents", "sample: true\n---\nlisten: secret\n", "more than one document"},
		{"a list", "- secret\n", "huhang.yaml:1: "},
		{"failed check", "retries: 6\n", "huhang.yaml: retries: at most 5"},
		{"too large", "# " + strings.Repeat("x", 1<<20), "larger than"},
	} {
		_, err := config.Load[settings](file(t, test.body), "HUHANG_CFGTEST")
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		} else if strings.Contains(strings.ToLower(err.Error()), "secret") {
			t.Errorf("%s: the value is repeated: %v", test.name, err)
		}
	}
}

func TestWrongVariablesAreNamed(t *testing.T) {
	for name, value := range map[string]string{
		"SAMPLE": "secret", "RETRIES": "256", "TIMEOUT": "30", "SHARE": "", "ROUNDING": "SECRET", "PEER_SERVICE_PORT": "x",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("HUHANG_CFGTEST_"+name, value)
			_, err := config.Load[settings]("", "HUHANG_CFGTEST")
			if err == nil || !strings.Contains(err.Error(), "HUHANG_CFGTEST_"+name) || strings.Contains(strings.ToLower(err.Error()), "secret") {
				t.Fatal(err)
			}
		})
	}
}

func TestTwoSettingsOfOneNameAreRefused(t *testing.T) {
	type ambiguous struct {
		AB string                      `yaml:"a_b"`
		A  struct{ B string }          `yaml:"a"`
		C  struct{ D struct{ E int } } `yaml:"c"`
	}
	t.Setenv("HUHANG_CFGTEST_A_B", "x")
	if _, err := config.Load[ambiguous]("", "HUHANG_CFGTEST"); err == nil || !strings.Contains(err.Error(), "HUHANG_CFGTEST_A_B") {
		t.Fatal(err)
	}
}

func TestMissingFile(t *testing.T) {
	if _, err := config.Load[settings](filepath.Join(t.TempDir(), "none.yaml"), ""); !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
}

type pointerChecked struct{ A string }

func (p *pointerChecked) Validate() error { return errors.New("checked " + p.A) }

func TestValidateByPointer(t *testing.T) {
	if _, err := config.Load[pointerChecked](file(t, "a: x\n"), ""); err == nil || !strings.Contains(err.Error(), "checked x") {
		t.Fatal(err)
	}
}
