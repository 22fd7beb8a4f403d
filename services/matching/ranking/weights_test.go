package ranking

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParseWeights(t *testing.T) {
	text := string(weightsJSON)
	if _, err := ParseWeights([]byte(text)); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][3]string{
		{`"capacity": 2000`, `"capacity": 2001`, "terms"},
		{`"capacity": 2000,`, ``, "terms.capacity"},
		{`"capacity"`, `"luck"`, "terms.capacity"},
		{`"terms": {`, `"terms": {"luck": 0,`, "terms.luck"},
		{`"wait": 1500`, `"wait": -1500`, "terms.wait"},
		{`"wait": 1500`, `"wait": 20000`, "terms.wait"},
		{`"places_full": 5`, `"places_full": 0`, "scales.places_full"},
		{`"door_zero_minutes": 1440`, `"door_zero_minutes": 120`, "scales.door_zero_minutes"},
		{`"preference_step": 2000`, `"preference_step": 10001`, "scales.preference_step"},
		{`"version": "SAMPLE-2026.1"`, `"version": ""`, "version"},
		{`2024-01-01`, `2024-02-30`, "effective_from"},
	} {
		_, err := ParseWeights([]byte(strings.Replace(text, change[0], change[1], 1)))
		var bad *Bad
		if !errors.As(err, &bad) || bad.Field != change[2] {
			t.Errorf("%s: %v", change[1], err)
		}
	}
	for _, text := range []string{`[]`, `[null]`, `{}`, text + text, strings.Replace(text, `"scales"`, `"other"`, 1), strings.TrimSuffix(strings.TrimSpace(text), "]") + "," + strings.TrimPrefix(strings.TrimSpace(text), "[")} {
		if _, err := ParseWeights([]byte(text)); err == nil {
			t.Errorf("%.40s passed", text)
		}
	}
}

func TestInForce(t *testing.T) {
	version := func(name, day string) *Weights { return &Weights{Version: name, EffectiveFrom: day} }
	versions := []*Weights{version("b", "2026-06-01"), version("later", "2026-11-23"), version("a", "2026-01-01"), version("c", "2026-06-01")}
	midnight := time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC) // 23 November in Shanghai
	for _, test := range []struct {
		at   time.Time
		want string
	}{
		{midnight.Add(-time.Microsecond), "c"}, {midnight, "later"}, {time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), "a"}, {time.Date(2025, 12, 31, 15, 0, 0, 0, time.UTC), ""},
	} {
		got := ""
		if w := InForce(versions, test.at); w != nil {
			got = w.Version
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.at, got, test.want)
		}
	}
}
