package patient

import (
	"testing"

	"huhang.example/services/internal/fault"
)

// A merge carries a death where one is recorded of exactly one of the records, and only to who names that one.
func TestAMergeNamesTheDeathItCarries(t *testing.T) {
	at := func(record string, closed, death bool) LiveCase {
		return LiveCase{PatientID: record, Organ: "LIVER", Closed: closed, Death: death}
	}
	for _, c := range []struct {
		what    string
		cases   []LiveCase
		deathOf string
		goOn    string
	}{
		{"no case at all", nil, "", ""},
		{"both live", []LiveCase{at("keep", false, false), at("under", true, false)}, "", ""},
		{"both died", []LiveCase{at("keep", true, true), at("under", true, true)}, "", ""},
		{"the merged one died", []LiveCase{at("under", true, false), at("under", true, true), at("keep", false, false), at("keep", false, false), at("keep", true, false)}, "under", "2"},
		{"the survivor died", []LiveCase{at("keep", true, true), at("under", false, false)}, "keep", "1"},
		{"one died, of the other nothing is known", []LiveCase{at("keep", true, true)}, "keep", "0"},
	} {
		for _, named := range []string{"", "keep", "under"} {
			f, refused := fault.As(confirmed(c.cases, "keep", "under", named))
			switch {
			case named == c.deathOf:
				if refused {
					t.Errorf("%s, named %q: %v", c.what, named, f)
				}
			case !refused || f.Code != fault.FailedPrecondition || f.Field != "carries_death_of":
				t.Errorf("%s, named %q: %v", c.what, named, f)
			case c.deathOf == "" && (f.Reason != fault.MergeRefused || f.Meta["why"] != "NO_DEATH"),
				c.deathOf != "" && (f.Reason != fault.DeathUnconfirmed || f.Meta["carries_death_of"] != c.deathOf || f.Meta["live_cases"] != c.goOn):
				t.Errorf("%s, named %q: %v %v", c.what, named, f, f.Meta)
			}
		}
	}
}
