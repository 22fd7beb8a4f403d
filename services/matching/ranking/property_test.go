package ranking

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"huhang.example/services/internal/money"
	"huhang.example/services/matching/directory"
)

func drawInput(t *rapid.T) Input {
	flag := rapid.Ptr(rapid.Bool(), true)
	in := Input{At: at, Organ: "LIVER", Patient: Patient{
		Age: rapid.Int32Range(0, 90).Draw(t, "age"), BMI: rapid.Ptr(rapid.Float64Range(1, 120), true).Draw(t, "bmi"),
		PreviousTransplants: rapid.Int32Range(0, 1).Draw(t, "previous"), LivingDonorRoute: rapid.Bool().Draw(t, "living"),
		NeedsABOIncompat: rapid.Bool().Draw(t, "abo"), ActiveInfection: flag.Draw(t, "infection"), HIV: flag.Draw(t, "hiv"),
		Recorded: rapid.Bool().Draw(t, "recorded"), Infections: map[string]Infection{},
		Tumour: &Tumour{
			Present: flag.Draw(t, "hcc"), NodulesCm: rapid.SliceOfN(rapid.Float64Range(-1, 40), 0, 4).Draw(t, "nodules"),
			VascularInvasion: flag.Draw(t, "invasion"), Grade: rapid.Int32Range(0, 4).Draw(t, "grade"),
		},
	}}
	for _, name := range []string{"HBV", "TB"} {
		if rapid.Bool().Draw(t, name+" known") {
			in.Patient.Infections[name] = Infection{Positive: rapid.Bool().Draw(t, name), Treated: rapid.Bool().Draw(t, name+" treated")}
		}
	}
	for _, c := range directory.Sample().Centers(at) {
		if p := c.Program("LIVER"); p != nil {
			drawProgram(t, p)
		}
		found := Found{
			DirectSettlement: rapid.Bool().Draw(t, "direct"), DoorToDoor: rapid.Ptr(rapid.Int32Range(0, 3000), true).Draw(t, "door"),
			FreeBeds: rapid.Ptr(rapid.Int32Range(0, 8), true).Draw(t, "beds"),
		}
		found.NoWay = found.DoorToDoor == nil && rapid.Bool().Draw(t, "no way")
		if rapid.Bool().Draw(t, "billed") {
			found.SelfPay = ptr(money.Fen(rapid.Int64Range(0, 50_000_000).Draw(t, "pays")))
		}
		in.Candidates = append(in.Candidates, Candidate{Center: c, Found: found})
	}
	ids := []string{"C-BJ-01", "C-SH-01", "C-SH-02", "C-GZ-01", "C-XX-01"}
	in.Preferred = rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 0, 3, rapid.ID).Draw(t, "preferred")
	in.Refused = rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 0, 2, rapid.ID).Draw(t, "refused")
	return in
}

func drawProgram(t *rapid.T, p *directory.Program) {
	p.SurvivalTier, p.MedianWaitDays = rapid.Int32Range(0, 5).Draw(t, "tier"), rapid.Int32Range(0, 900).Draw(t, "wait")
	if p.Capacity != nil {
		p.Capacity.FreePlaces = rapid.Int32Range(0, 8).Draw(t, "places")
	}
	if rapid.IntRange(0, 3).Draw(t, "admissible") > 0 {
		p.Open, p.Licence = true, directory.Licence{ValidFrom: "2020-01-01", ValidTo: "2030-01-01"}
		p.Adults, p.Children, p.Criteria = true, true, directory.Criteria{
			Retransplant: true, ABOIncompatible: true, LivingDonor: true, HIV: true, HCCSet: "FUDAN", Infections: p.Criteria.Infections,
		}
	}
	p.Criteria.Infections = map[string]string{}
	for _, name := range []string{"ACTIVE", "HBV", "HIV"} {
		if policy := rapid.SampledFrom(append([]string{""}, directory.Policies...)).Draw(t, name+" policy"); policy != "" {
			p.Criteria.Infections[name] = policy
		}
	}
}

// Every center once; points sum to the score; the same input in any order gives the same ranking.
func TestTotalAndDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		out := Rank(in, current())
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
			if i > 0 {
				before, now := sum(out.Ranked[i-1]), sum(r)
				if before < now || before == now && out.Ranked[i-1].CenterID > r.CenterID {
					t.Fatal("out of order")
				}
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
		in.Refused = rapid.Permutation(in.Refused).Draw(t, "order of refusals")
		if again := Rank(in, current()); !reflect.DeepEqual(again, out) {
			t.Fatal("another order of the same centers ranks otherwise")
		}
	})
}

func sum(r Ranked) (exact int64) {
	for _, t := range r.Terms {
		exact += int64(t.Weight) * int64(t.Value)
	}
	return exact
}

// A center ranked passes every filter by itself, and one excluded is excluded by itself: no center's standing hangs on who
// else is there, and a board asked many times answers as one made anew.
func TestFiltersAndScoresAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		in.Preferred, in.Refused = slices.DeleteFunc(in.Preferred, outside), slices.DeleteFunc(in.Refused, outside)
		all := Rank(in, current())
		for _, c := range in.Candidates {
			alone := in
			alone.Candidates = []Candidate{c}
			got := Rank(alone, current())
			i := slices.IndexFunc(all.Ranked, func(r Ranked) bool { return r.CenterID == c.Center.ID })
			if (i >= 0) != (len(got.Ranked) == 1) {
				t.Fatalf("%s: ranked among all %v, alone %v", c.Center.ID, i >= 0, len(got.Ranked) == 1)
			}
			if i >= 0 {
				got.Ranked[0].RankAtBest = all.Ranked[i].RankAtBest // a place is among others
			}
			if i >= 0 && !reflect.DeepEqual(all.Ranked[i], got.Ranked[0]) {
				t.Fatalf("%s scores otherwise alone", c.Center.ID)
			}
			if i < 0 {
				j := slices.IndexFunc(all.Excluded, func(e Excluded) bool { return e.CenterID == c.Center.ID })
				if !reflect.DeepEqual(all.Excluded[j], got.Excluded[0]) {
					t.Fatalf("%s is excluded otherwise alone", c.Center.ID)
				}
				continue
			}
			p := c.Center.Program(in.Organ)
			if !p.Takes(in.At) || slices.Contains(in.Refused, c.Center.ID) {
				t.Fatalf("%s is ranked", c.Center.ID)
			}
		}
	})
}

func outside(id string) bool { return id == "C-XX-01" }

// A datum that is missing excludes nobody: with it unknown, whoever was ranked still is.
func TestMissingExcludesNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		before := Rank(in, current())
		switch rapid.IntRange(0, 5).Draw(t, "forgotten") {
		case 0:
			in.Patient.BMI = nil
		case 1:
			in.Patient.Tumour = nil
		case 2:
			in.Patient.ActiveInfection, in.Patient.HIV, in.Patient.Infections = nil, nil, nil
		case 3:
			in.Patient.Tumour.VascularInvasion = nil
		case 4:
			in.Patient.Recorded = false
		case 5:
			for i := range in.Candidates {
				in.Candidates[i].DoorToDoor, in.Candidates[i].NoWay, in.Candidates[i].SelfPay, in.Candidates[i].FreeBeds = nil, false, nil, nil
			}
		}
		after := Rank(in, current())
		for _, r := range before.Ranked {
			if !slices.ContainsFunc(after.Ranked, func(a Ranked) bool { return a.CenterID == r.CenterID }) {
				t.Fatalf("%s fell out for want of a datum", r.CenterID)
			}
		}
	})
}

// What is not known counts 0, and how far it could lift a center is neither less nor more than the truth: whatever it turns
// out to be, score and place stay within, and at its best they are reached.
func TestUnknownTermsAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		before := Rank(in, current())
		if len(before.Ranked) == 0 {
			return
		}
		i := rapid.IntRange(0, len(before.Ranked)-1).Draw(t, "center")
		was := before.Ranked[i]
		unknown := map[string]bool{}
		for _, term := range was.Terms {
			unknown[term.Key] = term.Unknown
			if term.Unknown && term.Value != 0 {
				t.Fatalf("%s is not known and counts %d", term.Key, term.Value)
			}
		}
		best := rapid.Bool().Draw(t, "best")
		// The directory is shared between draws: what is filled in is a copy's.
		c := &in.Candidates[slices.IndexFunc(in.Candidates, func(c Candidate) bool { return c.Center.ID == was.CenterID })]
		center := *c.Center
		center.Programs = slices.Clone(center.Programs)
		c.Center = &center
		p := center.Program(in.Organ)
		s := current().Scales
		fill := func(key string, good, bad func()) {
			switch {
			case !unknown[key]:
			case best || rapid.Bool().Draw(t, key):
				good()
			default:
				bad()
			}
		}
		fill(TermDoor, func() { c.DoorToDoor = ptr(int32(0)) }, func() { c.DoorToDoor = ptr(min(s.DoorZeroMinutes, max(p.Criteria.CallInMinutes, 1))) })
		fill(TermSelfPay, func() { c.SelfPay = ptr(money.Fen(0)) }, func() { c.SelfPay = ptr(money.Fen(s.SelfPayZeroFen)) })
		fill(TermSurvival, func() { p.SurvivalTier = 1 }, func() { p.SurvivalTier = 5 })
		fill(TermCapacity, func() {
			p.Capacity, c.FreeBeds = &directory.Capacity{FreePlaces: s.PlacesFull, AsOf: in.At, DeclaredBy: center.ID}, nil
		}, func() { p.Capacity = &directory.Capacity{AsOf: in.At, DeclaredBy: center.ID} })
		// A median wait of no days is how "not known" is written, so that its best is a day.
		fill(TermWait, func() { p.MedianWaitDays = 1 }, func() { p.MedianWaitDays = s.WaitZeroDays })
		after := Rank(in, current())
		j := slices.IndexFunc(after.Ranked, func(r Ranked) bool { return r.CenterID == was.CenterID })
		if j < 0 {
			t.Fatal("it fell out")
		}
		now := after.Ranked[j]
		if now.Score < was.Score || now.Score > was.ScoreAtMost || j+1 < int(was.RankAtBest) || was.RankAtBest > int32(i+1) {
			t.Fatalf("%d of %d..%d points, place %d of %d..%d", now.Score, was.Score, was.ScoreAtMost, j+1, was.RankAtBest, i+1)
		}
		if day := current().Terms[TermWait] / s.WaitZeroDays; best && now.Score < was.ScoreAtMost-day-1 {
			t.Fatalf("at its best %d points, %d were told", now.Score, was.ScoreAtMost)
		}
	})
}

// Raising a term's weight never lowers a center that leads in that term.
func TestWeightsAreMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		w := *current()
		w.Terms = map[string]int32{}
		for _, key := range Keys {
			w.Terms[key] = rapid.Int32Range(0, 5000).Draw(t, key)
		}
		key := rapid.SampledFrom(Keys).Draw(t, "raised")
		before := Rank(in, &w)
		heavier := w
		heavier.Terms = maps.Clone(w.Terms)
		heavier.Terms[key] += rapid.Int32Range(1, 5000).Draw(t, "by")
		after := Rank(in, &heavier)
		value := func(r Ranked) int32 {
			return r.Terms[slices.IndexFunc(r.Terms, func(t Term) bool { return t.Key == key })].Value
		}
		best := int32(-1)
		for _, r := range before.Ranked {
			best = max(best, value(r))
		}
		for i, r := range before.Ranked {
			if now := slices.IndexFunc(after.Ranked, func(a Ranked) bool { return a.CenterID == r.CenterID }); value(r) == best && now > i {
				t.Fatalf("%s leads in %s and fell from %d to %d", r.CenterID, key, i, now)
			}
		}
	})
}
