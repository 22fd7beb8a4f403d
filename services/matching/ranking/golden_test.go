package ranking

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// Whole match runs, as they are told: a change of any word, figure or order shows.
func TestGolden(t *testing.T) {
	for name, in := range map[string]Input{
		"sample":       sample(),
		"child_kidney": childKidney(),
		"heart_far":    heartFar(),
		"liver_bare":   {At: at, Organ: "LIVER", Patient: Patient{Age: 55}, Candidates: sample().Candidates},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.MarshalIndent(Rank(in, current()), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			file := "testdata/" + name + ".json"
			if *update {
				if err := os.WriteFile(file, append(got, '\n'), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != strings.TrimSpace(string(want)) {
				t.Fatalf("the ranking changed (go test -update writes it anew):\n%s", got)
			}
		})
	}
}

func childKidney() Input {
	in := sample()
	in.Organ, in.Refused, in.Preferred = "KIDNEY", nil, []string{"C-GZ-01", "C-SH-02"}
	in.Patient = Patient{
		Age: 9, BMI: ptr(15.2), Recorded: true, NeedsABOIncompat: true, LivingDonorRoute: true, ActiveInfection: ptr(false), HIV: ptr(false),
		Infections: map[string]Infection{"HBV": {}, "HCV": {Positive: true}, "TB": {}, "EBV": {Positive: true}},
	}
	return in
}

// heartFar: the peers answered for some cities only, and one has no way.
func heartFar() Input {
	in := sample()
	in.Organ, in.Patient = "HEART", Patient{Age: 61, BMI: ptr(27.5), PreviousTransplants: 1, Recorded: true, ActiveInfection: ptr(true), HIV: ptr(false), Infections: map[string]Infection{"HBV": {}, "HCV": {}, "TB": {}}}
	for i := range in.Candidates {
		c := &in.Candidates[i]
		switch c.Center.City {
		case "310100":
			c.DoorToDoor = ptr(int32(240))
		case "330100":
			c.DoorToDoor, c.NoWay = nil, true
		}
	}
	return in
}
