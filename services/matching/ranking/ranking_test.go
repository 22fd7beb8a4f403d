package ranking

import (
	"slices"
	"strings"
	"testing"
	"time"

	"huhang.example/services/internal/money"
	"huhang.example/services/matching/directory"
)

var at = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

func current() *Weights { return InForce(Embedded(), at) }

// sample is the line's sample patient, a resident of 合肥, with what the peers would answer.
func sample() Input {
	in := Input{
		At: at, Organ: "LIVER", Preferred: []string{"C-SH-01"}, Refused: []string{"C-SZ-01"},
		Patient: Patient{
			Age: 47, BMI: ptr(23.9), ActiveInfection: ptr(false), HIV: ptr(false), Recorded: true,
			Infections: map[string]Infection{"HBV": {Positive: true}, "HCV": {}, "TB": {}},
			Tumour:     &Tumour{Present: ptr(true), NodulesCm: []float64{3.4, 2.1}, VascularInvasion: ptr(false), ExtrahepaticSpread: ptr(false), AFP: ptr(86.0)},
		},
	}
	minutes := map[string]int32{"110100": 312, "310100": 185, "440100": 328, "440300": 402}
	pays := map[string]money.Fen{"11": 18_904_305, "31": 18_904_305, "44": 18_384_676}
	for i, c := range directory.Sample().Centers(at) {
		candidate := Candidate{Center: c, Found: Found{DirectSettlement: directory.Direct().At(c.City), FreeBeds: ptr(int32(i%4 + 1))}}
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

// one is a center whose only program is changed as wanted, over the sample's patient.
func one(change func(in *Input, p *directory.Program)) Input {
	in := sample()
	in.Refused, in.Preferred = nil, nil
	center := directory.Sample().Centers(at)[4]
	center.Programs = []directory.Program{*center.Program("LIVER")}
	in.Candidates = []Candidate{{Center: center, Found: Found{DoorToDoor: ptr(int32(185)), FreeBeds: ptr(int32(3)), SelfPay: ptr(money.Fen(18_904_305))}}}
	change(&in, &center.Programs[0])
	return in
}

// Every reason is told, not only the first, and each says what would have to change.
func TestEveryReason(t *testing.T) {
	in := one(func(in *Input, p *directory.Program) {
		in.Patient = Patient{
			Age: 47, BMI: ptr(40.0), PreviousTransplants: 1, LivingDonorRoute: true, NeedsABOIncompat: true, ActiveInfection: ptr(true), HIV: ptr(true), Recorded: true,
			Infections: map[string]Infection{"TB": {Positive: true, Treated: true}},
			Tumour:     &Tumour{Present: ptr(true), NodulesCm: []float64{9.5}, VascularInvasion: ptr(true)},
		}
		*p = directory.Program{
			Organ: "LIVER", Licence: directory.Licence{ValidFrom: "2020-01-01", ValidTo: "2020-12-31", Suspended: true, Revoked: true},
			Criteria: directory.Criteria{
				MaxAge: ptr(int32(40)), MinAge: ptr(int32(50)), MaxBMI: ptr(30.0), HCCSet: "UCSF", CallInMinutes: 60,
				Infections: map[string]string{"ACTIVE": directory.Excludes, "TB": directory.Excludes},
			},
		}
		in.Refused = []string{in.Candidates[0].Center.ID}
	})
	out := Rank(in, current())
	if len(out.Ranked) != 0 || len(out.Excluded) != 1 {
		t.Fatalf("%+v", out)
	}
	var codes []string
	for _, r := range out.Excluded[0].Reasons {
		codes = append(codes, r.Code)
		if r.Because.Zh == "" || r.Because.En == "" || r.Change.Zh == "" || r.Change.En == "" {
			t.Errorf("%s says nothing, or not what would have to change", r.Code)
		}
	}
	want := []string{
		PatientRefuses, NotLicensed, LicenceSuspended, LicenceRevoked, ProgramClosed, Age, Age, Age, BMI, Retransplant, ABOIncompatible, LivingDonor, ActiveInfection, HIV,
		InfectionPolicy, HCCBeyond, CallInWindow,
	}
	if !slices.Equal(codes, want) {
		t.Fatalf("%v\nwant %v", codes, want)
	}
}

// One filter at a time, at its edge on both sides.
func TestFilterEdges(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(in *Input, p *directory.Program)
		want   string
	}{
		{"nothing", func(*Input, *directory.Program) {}, ""},
		{"the licence's last day", func(_ *Input, p *directory.Program) { p.Licence.ValidTo = "2026-11-22" }, ""},
		{"the day after", func(_ *Input, p *directory.Program) { p.Licence.ValidTo = "2026-11-21" }, NotLicensed},
		{"the licence's first day", func(_ *Input, p *directory.Program) { p.Licence.ValidFrom = "2026-11-22" }, ""},
		{"the day before", func(_ *Input, p *directory.Program) { p.Licence.ValidFrom = "2026-11-23" }, NotLicensed},
		{"suspended", func(_ *Input, p *directory.Program) { p.Licence.Suspended = true }, LicenceSuspended},
		{"revoked", func(_ *Input, p *directory.Program) { p.Licence.Revoked = true }, LicenceRevoked},
		{"closed", func(_ *Input, p *directory.Program) { p.Open = false }, ProgramClosed},
		{"18 is an adult", func(in *Input, p *directory.Program) { in.Patient.Age, p.Children = 18, false }, ""},
		{"17 is not", func(in *Input, p *directory.Program) { in.Patient.Age, p.Children = 17, false }, Age},
		{"17 where children are taken", func(in *Input, p *directory.Program) { in.Patient.Age, p.Children, p.Adults = 17, true, false }, ""},
		{"18 where only children are", func(in *Input, p *directory.Program) { in.Patient.Age, p.Adults = 18, false }, Age},
		{"the youngest age", func(_ *Input, p *directory.Program) { p.Criteria.MinAge = ptr(int32(47)) }, ""},
		{"below", func(_ *Input, p *directory.Program) { p.Criteria.MinAge = ptr(int32(48)) }, Age},
		{"the oldest age", func(_ *Input, p *directory.Program) { p.Criteria.MaxAge = ptr(int32(47)) }, ""},
		{"above", func(_ *Input, p *directory.Program) { p.Criteria.MaxAge = ptr(int32(46)) }, Age},
		{"the highest BMI", func(_ *Input, p *directory.Program) { p.Criteria.MaxBMI = ptr(23.9) }, ""},
		{"above it", func(_ *Input, p *directory.Program) { p.Criteria.MaxBMI = ptr(23.89) }, BMI},
		{"a retransplant where they are taken", func(in *Input, p *directory.Program) {
			in.Patient.PreviousTransplants, p.Criteria.Retransplant = 1, true
		}, ""},
		{"where not", func(in *Input, p *directory.Program) {
			in.Patient.PreviousTransplants, p.Criteria.Retransplant = 1, false
		}, Retransplant},
		{"a first transplant there", func(_ *Input, p *directory.Program) { p.Criteria.Retransplant = false }, ""},
		{"across ABO where it is done", func(in *Input, p *directory.Program) {
			in.Patient.NeedsABOIncompat, p.Criteria.ABOIncompatible = true, true
		}, ""},
		{"where it is not", func(in *Input, p *directory.Program) {
			in.Patient.NeedsABOIncompat, p.Criteria.ABOIncompatible = true, false
		}, ABOIncompatible},
		{"who would accept it is no reason", func(in *Input, p *directory.Program) {
			in.Patient.AcceptsABOIncompat, p.Criteria.ABOIncompatible = true, false
		}, ""},
		{"the living route where it is gone", func(in *Input, p *directory.Program) {
			in.Patient.LivingDonorRoute, p.Criteria.LivingDonor = true, true
		}, ""},
		{"where not gone", func(in *Input, p *directory.Program) {
			in.Patient.LivingDonorRoute, p.Criteria.LivingDonor = true, false
		}, LivingDonor},
		{"an active infection that is treated first", func(in *Input, _ *directory.Program) { in.Patient.ActiveInfection = ptr(true) }, ""},
		{"that excludes", func(in *Input, p *directory.Program) {
			in.Patient.ActiveInfection = ptr(true)
			p.Criteria.Infections = map[string]string{"ACTIVE": directory.Excludes}
		}, ActiveInfection},
		{"of which nothing is said", func(in *Input, p *directory.Program) {
			in.Patient.ActiveInfection, p.Criteria.Infections = ptr(true), nil
		}, ""},
		{"HIV by the field", func(in *Input, _ *directory.Program) { in.Patient.HIV = ptr(true) }, HIV},
		{"HIV accepted by the field", func(in *Input, p *directory.Program) { in.Patient.HIV, p.Criteria.HIV = ptr(true), true }, ""},
		{"HIV by the policy, which goes first", func(in *Input, p *directory.Program) {
			in.Patient.HIV, p.Criteria.HIV = ptr(true), true
			p.Criteria.Infections = map[string]string{"HIV": directory.Excludes}
		}, HIV},
		{"hepatitis B excluded", func(_ *Input, p *directory.Program) {
			p.Criteria.Infections = map[string]string{"HBV": directory.Excludes}
		}, InfectionPolicy},
		{"HCC where none is taken", func(_ *Input, p *directory.Program) { p.Criteria.HCCSet = "" }, HCCBeyond},
		{"HCC beyond Milan", func(_ *Input, p *directory.Program) { p.Criteria.HCCSet = "MILAN" }, HCCBeyond},
		{"no HCC where none is taken", func(in *Input, p *directory.Program) {
			in.Patient.Tumour, p.Criteria.HCCSet = &Tumour{Present: new(bool)}, ""
		}, ""},
		{"the call-in window", func(_ *Input, p *directory.Program) { p.Criteria.CallInMinutes = 185 }, ""},
		{"missed by a minute", func(_ *Input, p *directory.Program) { p.Criteria.CallInMinutes = 184 }, CallInWindow},
		{"no way within it", func(in *Input, p *directory.Program) {
			in.Candidates[0].DoorToDoor, in.Candidates[0].NoWay, p.Criteria.CallInMinutes = nil, true, 9000
		}, CallInWindow},
		{"no way and no window", func(in *Input, p *directory.Program) { in.Candidates[0].DoorToDoor, in.Candidates[0].NoWay = nil, true }, ""},
		{"refused", func(in *Input, _ *directory.Program) { in.Refused = []string{"C-SH-01"} }, PatientRefuses},
		{"no program", func(in *Input, p *directory.Program) { p.Organ = "HEART" }, NoProgram},
	} {
		out := Rank(one(test.change), current())
		got := ""
		if len(out.Excluded) == 1 && len(out.Excluded[0].Reasons) == 1 {
			got = out.Excluded[0].Reasons[0].Code
		} else if len(out.Ranked) != 1 {
			t.Fatalf("%s: %+v", test.name, out)
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestMarks(t *testing.T) {
	warned := func(in Input) string {
		var all strings.Builder
		for _, r := range Rank(in, current()).Ranked {
			for _, w := range r.Warnings {
				if w.Zh == "" {
					t.Errorf("%s: no Chinese", w.En)
				}
				all.WriteString(w.En + "\n")
			}
		}
		return all.String()
	}
	for _, test := range []struct {
		name   string
		change func(in *Input, p *directory.Program)
		want   string
	}{
		{"nothing", func(*Input, *directory.Program) {}, ""},
		{"48 hours old", func(_ *Input, p *directory.Program) { p.Capacity.AsOf = at.Add(-48 * time.Hour) }, ""},
		{"stale", func(_ *Input, p *directory.Program) { p.Capacity.AsOf = at.Add(-49 * time.Hour) }, "declared 49 hours ago"},
		{"20 a year", func(_ *Input, p *directory.Program) { p.Volume = 20 }, ""},
		{"a small volume", func(_ *Input, p *directory.Program) { p.Volume = 19 }, "Only 19"},
		{"no way", func(in *Input, p *directory.Program) { in.Candidates[0].DoorToDoor, in.Candidates[0].NoWay = nil, true }, "medical transfer"},
		{"treated first", func(in *Input, _ *directory.Program) { in.Patient.ActiveInfection = ptr(true) }, "wants an active infection treated first"},
		{"treated already", func(in *Input, _ *directory.Program) {
			in.Patient.Infections = map[string]Infection{"HBV": {}, "HCV": {Positive: true, Treated: true}, "TB": {}}
		}, ""},
		{"nothing stated", func(in *Input, p *directory.Program) { p.Criteria.Infections = nil }, "has not said how it takes patients with hepatitis B"},
		{"ABO", func(in *Input, p *directory.Program) {
			in.Patient.AcceptsABOIncompat, p.Criteria.ABOIncompatible = true, false
		}, "ABO-incompatible"},
		{"all unknown", func(in *Input, p *directory.Program) {
			in.Candidates[0].DoorToDoor, in.Candidates[0].SelfPay, p.SurvivalTier, p.MedianWaitDays, p.Capacity = nil, nil, 0, 0, nil
		}, "not known and count 0: 5; with them the score could be as much as"},
		{"spread", func(in *Input, _ *directory.Program) { in.Patient.Tumour.ExtrahepaticSpread = ptr(true) }, "spread outside"},
	} {
		got := warned(one(test.change))
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// The sum is exact: weights and values whose products, cut to points one by one, would lose the order.
func TestExactSums(t *testing.T) {
	two := func() Input {
		in := one(func(in *Input, p *directory.Program) { p.Capacity, p.MedianWaitDays, p.SurvivalTier = nil, 0, 0 })
		other := *in.Candidates[0].Center
		other.ID, other.Programs = "C-AA-01", slices.Clone(other.Programs)
		in.Candidates = append(in.Candidates, Candidate{Center: &other, Found: in.Candidates[0].Found})
		return in
	}
	w := *current()
	w.Terms = map[string]int32{TermCapacity: 0, TermWait: 5000, TermSurvival: 0, TermDoor: 4000, TermDirect: 0, TermSelfPay: 1000, TermPreference: 0}
	in := two()
	in.Candidates[0].DoorToDoor, in.Candidates[1].DoorToDoor = ptr(int32(500)), ptr(int32(500))
	in.Candidates[0].SelfPay, in.Candidates[1].SelfPay = ptr(money.Fen(3_000)), ptr(money.Fen(6_000))
	out := Rank(in, &w)
	if len(out.Ranked) != 2 || out.Ranked[0].CenterID != "C-SH-01" || out.Ranked[0].Score != 3848 || out.Ranked[1].Score != 3848 {
		t.Fatalf("the scores alone are equal, the sums are not: %+v", out.Ranked)
	}
	// 7121 x 4000 + 9999 x 1000, and 7121 x 4000 + 9998 x 1000.
	board := NewBoard([]*directory.Center{in.Candidates[0].Center, in.Candidates[1].Center}, "LIVER", &w)
	ranking := board.Rank(Question{At: at, Patient: in.Patient, Found: []Found{in.Candidates[1].Found, in.Candidates[0].Found}})
	for i, want := range []int64{38_483_000, 38_482_000} {
		if ranking.ranked[i].exact != want {
			t.Errorf("%d: %d, want %d", i, ranking.ranked[i].exact, want)
		}
	}
	// 2848.4 and 999.9 are 3848.3: the larger remainder gets the point that cutting lost.
	points := map[string]int32{}
	for _, term := range out.Ranked[0].Terms {
		points[term.Key] = term.Points
	}
	if points[TermDoor] != 2848 || points[TermSelfPay] != 1000 {
		t.Errorf("%v", points)
	}
}

// Equal in every term: the lower code comes first, whatever order they came in.
func TestTies(t *testing.T) {
	in := one(func(*Input, *directory.Program) {})
	var want []string
	for _, id := range []string{"C-ZZ-01", "C-AA-02", "C-MM-01", "C-AA-01"} {
		c := *in.Candidates[0].Center
		c.ID = id
		in.Candidates = append(in.Candidates, Candidate{Center: &c, Found: in.Candidates[0].Found})
	}
	in.Candidates = in.Candidates[1:]
	for _, r := range Rank(in, current()).Ranked {
		want = append(want, r.CenterID)
	}
	if !slices.Equal(want, []string{"C-AA-01", "C-AA-02", "C-MM-01", "C-ZZ-01"}) {
		t.Fatal(want)
	}
}

func ptr[T any](v T) *T { return &v }
