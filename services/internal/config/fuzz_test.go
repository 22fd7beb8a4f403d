package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

type fuzzed struct {
	Listen  string        `yaml:"listen"`
	Count   int32         `yaml:"count"`
	Wait    time.Duration `yaml:"wait"`
	On      bool          `yaml:"on"`
	Section *struct {
		Names []string `yaml:"names"`
	} `yaml:"section"`
}

// Whatever the file and a variable hold: no panic, every error names its place, and what was accepted reads the same
// when written out.
func FuzzParse(f *testing.F) {
	for _, body := range []string{
		"", "listen: a\nwait: 5s\n", "section: {names: [a, b]}", "a: &x [*x]", "count: 0x7fffffff", "on: yes", "<<: {on: true}",
		"---\n---\n", "? - listen", "listen: !!binary AA==",
	} {
		f.Add([]byte(body), "1h")
	}
	f.Fuzz(func(t *testing.T, body []byte, wait string) {
		env := func(name string) (string, bool) { return wait, name == "P_WAIT" && wait != "" }
		got, err := parse[fuzzed]("some.yaml", body, "p", env)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "config: some.yaml") && !strings.HasPrefix(err.Error(), "config: P_WAIT") {
				t.Fatal(err)
			}
			return
		}
		written, err := yaml.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parse[fuzzed]("again.yaml", written, "", nil)
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if !reflect.DeepEqual(normal(got), normal(again)) {
			t.Fatalf("%+v was written as\n%s", got, written)
		}
	})
}

// normal takes an absent list for an empty one: YAML cannot tell them apart.
func normal(s fuzzed) fuzzed {
	if s.Section != nil && len(s.Section.Names) == 0 {
		section := *s.Section
		section.Names = nil
		s.Section = &section
	}
	return s
}
