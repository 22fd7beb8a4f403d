package ranking

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/money"
	"huhang.example/services/matching/directory"
)

var (
	update = flag.Bool("update", false, "write the golden files")
	at     = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
)

// sample is the line's sample patient, a resident of 合肥, with what the peers would answer.
func sample() Input {
	in := Input{
		At: at, Organ: "LIVER", Preferred: []string{"C-SH-01"}, Refused: []string{"C-SZ-01"},
		Patient: Patient{
			Age: 47, BMI: ptr(23.9), ActiveInfection: ptr(false), HIV: ptr(false), Recorded: true,
			Tumour: &Tumour{Present: ptr(true), NodulesCm: []float64{3.4, 2.1}, VascularInvasion: ptr(false), ExtrahepaticSpread: ptr(false), AFP: ptr(86.0)},
		},
	}
	minutes := map[string]int32{"110100": 312, "310100": 185, "440100": 328, "440300": 402}
	pays := map[string]money.Fen{"11": 18_904_305, "31": 18_904_305, "44": 18_384_676}
	for i, c := range directory.Sample().Centers(at) {
		candidate := Candidate{Center: c, DirectSettlement: directory.Direct().At(c.City), FreeBeds: ptr(int32(i%4 + 1))}
		if m, ok := minutes[c.City]; ok {
			candidate.DoorToDoor = &m
		}
		if fen, ok := pays[c.City[:2]]; ok {
			candidate.SelfPay = &fen
		}
		in.Candidates = append(in.Candidates, candidate)
	}
	return in
}

func TestGolden(t *testing.T) {
	got, err := json.MarshalIndent(Rank(sample(), Current()), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/sample.json"
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
}

// Every reason is told, not only the first.
func TestEveryReason(t *testing.T) {
	in := sample()
	in.Patient = Patient{
		Age: 47, BMI: ptr(40.0), PreviousTransplants: 1, LivingDonorRoute: true, ActiveInfection: ptr(true), HIV: ptr(true), Recorded: true,
		Tumour: &Tumour{Present: ptr(true), NodulesCm: []float64{9.5}, VascularInvasion: ptr(true)},
	}
	center := directory.Sample().Centers(at)[0]
	center.Programs = []directory.Program{{
		Organ: "LIVER", Licence: directory.Licence{ValidFrom: "2020-01-01", ValidTo: "2020-12-31", Suspended: true}, Adults: false, Open: false,
		Criteria: directory.Criteria{MaxAge: ptr(int32(40)), MinAge: ptr(int32(50)), MaxBMI: ptr(30.0), HCCSet: "UCSF", CallInMinutes: 60},
	}}
	in.Candidates = []Candidate{{Center: center, DoorToDoor: ptr(int32(61))}}
	in.Refused = []string{center.ID}
	out := Rank(in, Current())
	if len(out.Ranked) != 0 || len(out.Excluded) != 1 {
		t.Fatalf("%+v", out)
	}
	var codes []string
	for _, r := range out.Excluded[0].Reasons {
		codes = append(codes, r.Code)
		if r.Because.Zh == "" || r.Because.En == "" {
			t.Errorf("%s says nothing", r.Code)
		}
	}
	want := []string{
		PatientRefuses, NotLicensed, LicenceSuspended, ProgramClosed, Age, Age, Age, BMI, Retransplant, LivingDonor, ActiveInfection, HIV, HCCBeyond, CallInWindow,
	}
	if !slices.Equal(codes, want) {
		t.Fatalf("%v\nwant %v", codes, want)
	}
}

// What is missing excludes nobody, and is named in both languages.
func TestMissing(t *testing.T) {
	in := sample()
	in.Refused, in.Patient = nil, Patient{Age: 47, Tumour: &Tumour{}}
	for i := range in.Candidates {
		c := &in.Candidates[i]
		c.DoorToDoor, c.FreeBeds, c.SelfPay = nil, nil, nil
		if p := c.Center.Program("LIVER"); p != nil {
			p.Licence, p.Open = directory.Licence{ValidFrom: "2020-01-01", ValidTo: "2030-01-01"}, true
			p.Criteria.MaxAge, p.Criteria.CallInMinutes = nil, 60
			p.SurvivalTier, p.MedianWaitDays, p.Capacity = 0, 0, nil
		}
	}
	in.Preferred = []string{"C-XX-01"}
	in.Refused = []string{"C-XX-02"}
	out := Rank(in, Current())
	if len(out.Ranked) != 9 || len(out.Excluded) != 1 {
		t.Fatalf("%d ranked, %d excluded", len(out.Ranked), len(out.Excluded))
	}
	for _, what := range []string{gapRecord, gapBMI, gapPrevious, gapInfection, gapHIV, gapHCC, gapCallIn, gapDoor, gapCapacity, gapWait, gapSurvival, gapSelfPay, gapPreferred, gapRefused} {
		text := gapTexts[what]
		if !slices.ContainsFunc(out.Missing, func(r Remark) bool { return strings.HasPrefix(r.En, text.En) && strings.HasPrefix(r.Zh, text.Zh) }) {
			t.Errorf("%s is not named", what)
		}
	}
	for _, what := range gapOrder {
		if text := gapTexts[what]; text.En == "" || text.Zh == "" {
			t.Errorf("%s has no words", what)
		}
	}
}

func TestMarks(t *testing.T) {
	out := Rank(sample(), Current())
	marked := map[string]string{}
	for _, r := range out.Ranked {
		for _, w := range r.Warnings {
			marked[r.CenterID] += w.En
		}
	}
	if !strings.Contains(marked["C-GZ-01"], "declared 72 hours ago") || marked["C-SH-01"] != "" {
		t.Errorf("stale capacity: %v", marked)
	}
	in := sample()
	in.Refused, in.Patient.Age = nil, 30
	for _, r := range Rank(in, Current()).Ranked {
		if r.CenterID == "C-SZ-01" && (len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].En, "Only 16")) {
			t.Errorf("small volume: %v", r.Warnings)
		}
	}
}

func TestParseWeights(t *testing.T) {
	text := string(weightsJSON)
	for _, change := range [][2]string{
		{`"capacity": 2000`, `"capacity": 2001`},
		{`"capacity": 2000,`, ``},
		{`"capacity"`, `"luck"`},
		{`"wait": 1500`, `"wait": -1500`},
		{`"places_full": 5`, `"places_full": 0`},
		{`"version": "SAMPLE-2026.1"`, `"version": ""`},
		{`"scales"`, `"other"`},
	} {
		if _, err := ParseWeights([]byte(strings.Replace(text, change[0], change[1], 1))); err == nil {
			t.Errorf("%v passed", change)
		}
	}
}

func drawInput(t *rapid.T) Input {
	in := Input{At: at, Organ: "LIVER", Patient: Patient{
		Age: rapid.Int32Range(0, 90).Draw(t, "age"), BMI: rapid.Ptr(rapid.Float64Range(10, 60), true).Draw(t, "bmi"),
		PreviousTransplants: rapid.Int32Range(0, 1).Draw(t, "previous"), LivingDonorRoute: rapid.Bool().Draw(t, "living"),
		ActiveInfection: rapid.Ptr(rapid.Just(false), true).Draw(t, "infection"), HIV: rapid.Ptr(rapid.Bool(), true).Draw(t, "hiv"),
		Recorded: rapid.Bool().Draw(t, "recorded"),
		Tumour: &Tumour{
			Present: rapid.Ptr(rapid.Bool(), true).Draw(t, "hcc"), NodulesCm: rapid.SliceOfN(rapid.Float64Range(0.1, 12), 0, 4).Draw(t, "nodules"),
			VascularInvasion: rapid.Ptr(rapid.Bool(), true).Draw(t, "invasion"),
		},
	}}
	for _, c := range directory.Sample().Centers(at) {
		if p := c.Program("LIVER"); p != nil {
			p.SurvivalTier, p.MedianWaitDays = rapid.Int32Range(0, 5).Draw(t, "tier"), rapid.Int32Range(0, 900).Draw(t, "wait")
			if p.Capacity != nil {
				p.Capacity.FreePlaces = rapid.Int32Range(0, 8).Draw(t, "places")
			}
			if rapid.Bool().Draw(t, "admissible") {
				p.Open, p.Licence = true, directory.Licence{ValidFrom: "2020-01-01", ValidTo: "2030-01-01"}
			}
		}
		candidate := Candidate{
			Center: c, DirectSettlement: rapid.Bool().Draw(t, "direct"), DoorToDoor: rapid.Ptr(rapid.Int32Range(0, 3000), true).Draw(t, "door"),
			FreeBeds: rapid.Ptr(rapid.Int32Range(0, 8), true).Draw(t, "beds"),
		}
		if rapid.Bool().Draw(t, "billed") {
			candidate.SelfPay = ptr(money.Fen(rapid.Int64Range(0, 50_000_000).Draw(t, "pays")))
		}
		in.Candidates = append(in.Candidates, candidate)
	}
	ids := []string{"C-BJ-01", "C-SH-01", "C-SH-02", "C-GZ-01", "C-XX-01"}
	in.Preferred = rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 0, 3, rapid.ID).Draw(t, "preferred")
	in.Refused = rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 0, 2, rapid.ID).Draw(t, "refused")
	return in
}

// Every center once; points sum to the score; the same input in any order gives the same ranking.
func TestTotalAndDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		out := Rank(in, Current())
		count := map[string]int{}
		for i, r := range out.Ranked {
			count[r.CenterID]++
			var points int32
			for _, term := range r.Terms {
				points += term.Points
				if term.Value < 0 || term.Value > whole || term.Points < 0 || term.Points > term.Weight || term.Because.Zh == "" || term.Because.En == "" {
					t.Fatalf("%+v", term)
				}
			}
			if points != r.Score || r.Score > whole || len(r.Terms) != len(Keys) {
				t.Fatalf("%s: score %d of points %d", r.CenterID, r.Score, points)
			}
			if i > 0 && (out.Ranked[i-1].Score < r.Score || out.Ranked[i-1].exact == r.exact && out.Ranked[i-1].CenterID > r.CenterID) {
				t.Fatal("out of order")
			}
		}
		for _, e := range out.Excluded {
			count[e.CenterID]++
			if len(e.Reasons) == 0 {
				t.Fatalf("%s is excluded without a reason", e.CenterID)
			}
		}
		for _, c := range in.Candidates {
			if count[c.Center.ID] != 1 {
				t.Fatalf("%s is there %d times", c.Center.ID, count[c.Center.ID])
			}
		}
		if len(count) != len(in.Candidates) {
			t.Fatal("a center nobody asked for")
		}
		in.Candidates = rapid.Permutation(in.Candidates).Draw(t, "order")
		if again := Rank(in, Current()); !reflect.DeepEqual(again, out) {
			t.Fatal("another order of the same centers ranks otherwise")
		}
	})
}

// Raising a term's weight never lowers a center that leads in that term.
func TestWeightsAreMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		w := *Current()
		w.Terms = map[string]int32{}
		for _, key := range Keys {
			w.Terms[key] = rapid.Int32Range(0, 5000).Draw(t, key)
		}
		key := rapid.SampledFrom(Keys).Draw(t, "raised")
		before := Rank(in, &w)
		heavier := w
		heavier.Terms = map[string]int32{}
		for k, v := range w.Terms {
			heavier.Terms[k] = v
		}
		heavier.Terms[key] += rapid.Int32Range(1, 5000).Draw(t, "by")
		after := Rank(in, &heavier)
		value := func(r Ranked) int32 {
			return r.Terms[slices.IndexFunc(r.Terms, func(t Term) bool { return t.Key == key })].Value
		}
		place := func(rs []Ranked, id string) int {
			return slices.IndexFunc(rs, func(r Ranked) bool { return r.CenterID == id })
		}
		best := int32(-1)
		for _, r := range before.Ranked {
			best = max(best, value(r))
		}
		for i, r := range before.Ranked {
			if value(r) == best && place(after.Ranked, r.CenterID) > i {
				t.Fatalf("%s leads in %s and fell from %d to %d", r.CenterID, key, i, place(after.Ranked, r.CenterID))
			}
		}
	})
}
