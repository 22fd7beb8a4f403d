package line_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"huhang.example/services/internal/config"
	"huhang.example/services/line"
)

// The config files that come with the line are settings it takes.
func TestDeployedConfig(t *testing.T) {
	files, err := filepath.Glob("../../deploy/config/*.yaml")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		c, err := config.Load[line.Config](file, "HUHANG_CONFIG_TEST")
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		if strings.HasPrefix(filepath.Base(file), "gateway") {
			if err := c.Gateway.Validate(); err != nil {
				t.Errorf("%s: %v", filepath.Base(file), err)
			}
		}
	}
}

func TestConfigIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"an unknown key":  "etcd: {endpoints: [\"127.0.0.1:2379\"]}\nidentity: {dir: certs}\nnonsense: 1\n",
		"no etcd":         "identity: {dir: certs}\n",
		"no certificates": "etcd: {endpoints: [\"127.0.0.1:2379\"]}\n",
		"a log level":     "etcd: {endpoints: [\"127.0.0.1:2379\"]}\nidentity: {dir: certs}\nlog: loud\n",
	} {
		file := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.Load[line.Config](file, "HUHANG_CONFIG_TEST"); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if err := line.CheckNames([]string{"patient", "donor"}); err == nil {
		t.Error("a service of no name was accepted")
	}
}

// Every service of the composed fleet has its config, and every variable there is one that the settings know.
func TestComposedFleet(t *testing.T) {
	body, err := os.ReadFile("../../deploy/compose/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var fleet struct {
		Services map[string]struct {
			Command     []string
			Environment map[string]string
		}
	}
	if err := yaml.Unmarshal(body, &fleet); err != nil {
		t.Fatal(err)
	}
	left := slices.Clone(line.Names)
	for name, s := range fleet.Services {
		if len(s.Command) == 0 || s.Command[0] != "serve" {
			continue
		}
		if len(s.Command) != 4 || s.Command[2] != "--config" || line.CheckNames(s.Command[1:2]) != nil {
			t.Errorf("%s: %v", name, s.Command)
			continue
		}
		left = slices.DeleteFunc(left, func(n string) bool { return n == s.Command[1] })
		file := filepath.Join("../../deploy/config", filepath.Base(s.Command[3]))
		as, err := config.Load[line.Config](file, "HUHANG")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for variable, value := range s.Environment {
			t.Run(name+"/"+variable, func(t *testing.T) {
				t.Setenv(variable, os.Expand(value, func(string) string { return "clamd:tcp:clamd:3310" }))
				set, err := config.Load[line.Config](file, "HUHANG")
				if err != nil || reflect.DeepEqual(as, set) {
					t.Errorf("it sets nothing: %v", err)
				}
			})
		}
	}
	if len(left) > 0 {
		t.Errorf("%v are missing", left)
	}
}
