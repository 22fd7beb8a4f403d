package line_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

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
