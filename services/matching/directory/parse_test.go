package directory

import (
	"strings"
	"testing"
	"time"
)

var at = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

func TestSample(t *testing.T) {
	centers := Sample().Centers(at)
	if len(centers) != 10 {
		t.Fatalf("%d centers", len(centers))
	}
	for _, c := range centers {
		if !strings.Contains(c.NameZh, "示范") || !strings.Contains(c.NameEn, "Sample") {
			t.Errorf("%s is not plainly invented", c.ID)
		}
	}
	states := map[string]bool{}
	for _, c := range centers {
		p := c.Program("LIVER")
		switch {
		case p == nil:
			states["none"] = true
		case p.Licence.Suspended:
			states["suspended"] = true
		case !p.Licence.Dated("2026-11-22"):
			states["expired"] = true
		case !p.Open:
			states["closed"] = true
		case p.Criteria.HCCSet == "MILAN":
			states["milan"] = true
		case p.Criteria.MaxAge != nil && *p.Criteria.MaxAge < 47:
			states["aged"] = true
		}
	}
	if len(states) != 6 {
		t.Errorf("the sample shows only %v", states)
	}
}

func TestDirectSettlement(t *testing.T) {
	for city, want := range map[string]bool{"310100": true, "440300": true, "320100": false, "999999": false} {
		if Direct().At(city) != want {
			t.Errorf("%s: not %v", city, want)
		}
	}
}

func TestLicence(t *testing.T) {
	l := Licence{ValidFrom: "2024-01-01", ValidTo: "2026-11-22"}
	p := &Program{Open: true, Licence: l}
	midnight := time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC) // 23 November in Shanghai
	if !p.Takes(midnight.Add(-time.Microsecond)) {
		t.Error("the last day belongs to the licence")
	}
	if p.Takes(midnight) {
		t.Error("the licence ran out")
	}
	p.Licence.Suspended = true
	if p.Takes(at) || (*Program)(nil).Takes(at) {
		t.Error("suspended, and none")
	}
}

const one = `{"version":"1","centers":[{"center_id":"C-AA-01","name_zh":"示范","name_en":"Sample","line":"csj","city":"310100","programs":[` +
	`{"organ":"LIVER","licence":{"valid_from":"2024-01-01","valid_to":"2028-12-31","suspended":false},"adults":true,"children":false,"open":true,` +
	`"criteria":{"retransplant":true,"abo_incompatible":false,"living_donor":true,"hiv":false,"hcc_set":"UCSF"},"survival_tier":1,"volume":30,` +
	`"median_wait_days":60,"free":{"places":2,"hours_old":3}}]}]}`

func TestParse(t *testing.T) {
	f, err := Parse([]byte(one))
	if err != nil {
		t.Fatal(err)
	}
	c := f.Centers(at)[0].Program("LIVER").Capacity
	if c.FreePlaces != 2 || !c.AsOf.Equal(at.Add(-3*time.Hour)) || c.DeclaredBy != "C-AA-01" {
		t.Fatalf("%+v", c)
	}
	for _, test := range []struct{ old, new, want string }{
		{`"version":"1"`, `"version":""`, "version"},
		{`"organ"`, `"donor":1,"organ"`, "unknown field"},
		{`C-AA-01`, `H-AA-01`, "center_id"},
		{`"示范"`, `""`, "name_zh"},
		{`"csj"`, `"xyz"`, "line"},
		{`310100`, `999999`, "city"},
		{`LIVER`, `TAIL`, "organ"},
		{`2024-01-01`, `2024-02-30`, "no day"},
		{`2028-12-31`, `2023-12-31`, "ends before"},
		{`UCSF`, `MELBOURNE`, "hcc_set"},
		{`"survival_tier":1`, `"survival_tier":6`, "survival_tier"},
		{`"volume":30`, `"volume":-1`, "volume"},
		{`"hiv":false`, `"hiv":false,"min_age":70,"max_age":60`, "ages"},
		{`"hiv":false`, `"hiv":false,"max_bmi":5`, "max_bmi"},
		{`"places":2`, `"places":2000`, "free"},
		{`"places":2`, `"places":99999999999`, "places"},
		{`]}]}`, `]}]}{}`, "more than one"},
		{`{"organ":"LIVER"`, `{"organ":"LIVER","capacity":{"free_places":1}`, "capacity"},
	} {
		_, err := Parse([]byte(strings.Replace(one, test.old, test.new, 1)))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s -> %s: %v", test.old, test.new, err)
		}
	}
	twice := strings.Replace(one, `"centers":[`, `"centers":[{"center_id":"C-AA-01","name_zh":"示范","name_en":"Sample","line":"csj","city":"310100","programs":[]},`, 1)
	if _, err := Parse([]byte(twice)); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a center twice: %v", err)
	}
}

// Whatever is read is either refused or keeps every bound.
func FuzzParse(f *testing.F) {
	f.Add([]byte(one))
	f.Add(sampleJSON)
	f.Add([]byte(`{"version":"1","centers":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, c := range file.Centers(at) {
			if seen[c.ID] || !centerID.MatchString(c.ID) || !known(Lines, c.Line) {
				t.Fatalf("%+v", c)
			}
			seen[c.ID] = true
			organs := map[string]bool{}
			for _, p := range c.Programs {
				if organs[p.Organ] || p.Licence.Check() != nil || p.SurvivalTier < 0 || p.SurvivalTier > 5 {
					t.Fatalf("%+v", p)
				}
				organs[p.Organ] = true
				if p.Capacity != nil && (p.Capacity.FreePlaces < 0 || p.Capacity.FreePlaces > 1000 || p.Capacity.AsOf.After(at)) {
					t.Fatalf("%+v", p.Capacity)
				}
			}
		}
	})
}
