package referral

import "testing"

// A death is recorded where one of the person's cases was closed with it itself.
func TestDeathOf(t *testing.T) {
	own := &Referral{ID: "own", State: Closed, CloseReason: Died}
	with := &Referral{ID: "with", State: Closed, CloseReason: Died, DiedWith: "own"}
	over, live := &Referral{ID: "over", State: Closed, CloseReason: Withdrawn}, &Referral{ID: "live", State: Matched}
	for _, c := range []struct {
		what  string
		cases []*Referral
		want  *Referral
	}{
		{"no case", nil, nil},
		{"cases that go on or ended otherwise", []*Referral{over, live}, nil},
		{"the case of the death among others", []*Referral{live, with, own, over}, own},
		{"closed with a death of a case that is not the person's, or lives again", []*Referral{with, over}, nil},
	} {
		if got := deathOf(c.cases); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}
