package ranking

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCompare(t *testing.T) {
	before := Rank(sample(), current())
	if d := Compare(&before, &before); d != nil {
		t.Fatalf("nothing changed: %+v", d)
	}
	in := sample()
	in.Refused = []string{"C-SH-02"}
	for i := range in.Candidates {
		switch c := &in.Candidates[i]; c.Center.ID {
		case "C-HZ-01":
			c.Center.Program("LIVER").Open = true
		case "C-SH-01":
			c.Center.Program("LIVER").MedianWaitDays = 600
		case "C-NJ-01":
			c.Center.Program("LIVER").Licence.Suspended = true
		case "C-TJ-01":
			c.Center.ID = "C-TJ-09"
			c.Center.Program("LIVER").Licence.Suspended = false
		}
	}
	after := Rank(in, current())
	got := map[string]Delta{}
	for _, d := range Compare(&before, &after) {
		got[d.CenterID] = d
	}
	for _, test := range []struct{ id, kind, because string }{
		{"C-HZ-01", New, "No longer so: The program takes no referrals now."},
		{"C-SH-02", Gone, "The patient refuses this center."},
		{"C-SH-01", Changed, "wait: 1375 to 250 points (Median wait 600 days)"},
		{"C-NJ-01", Changed, "Now: The licence for this organ is suspended."},
		{"C-TJ-09", New, "It was not in the directory before."},
	} {
		d := got[test.id]
		if d.Kind != test.kind || !slices.ContainsFunc(d.Because, func(r Remark) bool { return r.En == test.because && r.Zh != "" }) {
			t.Errorf("%s: %+v", test.id, d)
		}
	}
	if _, told := got["C-SJZ-01"]; told {
		t.Error("it did not change")
	}
	back := map[string]string{}
	for _, d := range Compare(&after, &before) {
		back[d.CenterID] = d.Kind
	}
	if back["C-HZ-01"] != Gone || back["C-SH-02"] != New || back["C-TJ-09"] != Gone {
		t.Errorf("%v", back)
	}
}

// New, gone and the rest are told apart by who is ranked, whatever changed.
func TestCompareIsComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := Rank(drawInput(t), current()), Rank(drawInput(t), current())
		kinds := map[string]string{}
		for _, d := range Compare(&before, &after) {
			if len(d.Because) == 0 || kinds[d.CenterID] != "" {
				t.Fatalf("%+v", d)
			}
			kinds[d.CenterID] = d.Kind
		}
		was, is := standingsOf(&before), standingsOf(&after)
		for id := range was.place {
			if (is.ranked[id] == nil) != (kinds[id] == Gone) {
				t.Fatalf("%s: %q", id, kinds[id])
			}
			if r := is.ranked[id]; r != nil && (r.Score != was.ranked[id].Score || is.place[id] != was.place[id]) != (kinds[id] == Changed) && kinds[id] == "" {
				t.Fatalf("%s moved and is not named", id)
			}
		}
		for id := range is.place {
			if (was.ranked[id] == nil) != (kinds[id] == New) {
				t.Fatalf("%s: %q", id, kinds[id])
			}
		}
	})
}

func TestExplain(t *testing.T) {
	out := Rank(sample(), current())
	first := Explain(&out, "C-SH-01")
	if first.Place != 1 || len(first.Behind) != 0 || first.Summary.En != "Place 1 of 4 with 7570 points." {
		t.Errorf("%+v", first)
	}
	second := Explain(&out, "C-SH-02")
	if second.Place != 2 || len(second.Behind) != 3 || second.Behind[0] != (Loss{TermPreference, 0, 1000}) || !strings.Contains(second.Summary.En, "1131 points behind the first, most of it in preference (0 against 1000)") {
		t.Errorf("%+v", second)
	}
	refused := Explain(&out, "C-SZ-01")
	if refused.Excluded == nil || len(refused.Excluded.Reasons) != 2 || !strings.HasPrefix(refused.Summary.En, "Not ranked: The patient refuses this center; ") {
		t.Errorf("%+v", refused)
	}
	stranger := Explain(&out, "C-XX-01")
	if stranger.Ranked != nil || stranger.Excluded != nil || !strings.Contains(stranger.Summary.Zh, "核对代码") {
		t.Errorf("%+v", stranger)
	}
	in := sample()
	in.Patient.HIV = nil
	out = Rank(in, current())
	if e := Explain(&out, "C-SH-01"); len(e.Gaps) != 1 || e.Gaps[0].Datum != "hiv_positive" {
		t.Errorf("%+v", e.Gaps)
	}
}
