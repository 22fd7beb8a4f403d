package clearing_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/clock"
	"huhang.example/services/settlement/clearing"
)

func TestWindowOf(t *testing.T) {
	for _, test := range []struct {
		day          string
		closed, want clearing.Month
	}{
		{"2026-11-30", "", "2026-11"},
		{"2026-11-30", "2026-10", "2026-11"},
		{"2026-11-30", "2026-11", "2026-12"},
		{"2026-11-01", "2026-12", "2027-01"},
		{"2024-02-29", "2026-12", "2027-01"},
	} {
		if got := clearing.WindowOf(test.day, test.closed); got != test.want {
			t.Errorf("a settlement of %s with %q closed is in %s", test.day, test.closed, got)
		}
	}
}

func TestWindowOfIsOpenAndNotEarly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 800).Draw(t, "day")).Format(time.DateOnly)
		closed := clearing.Month("2026-01").Plus(rapid.IntRange(0, 30).Draw(t, "closed"))
		got := clearing.WindowOf(day, closed)
		if got <= closed || got < clearing.MonthOf(day) || got > max(clearing.MonthOf(day), closed.Next()) {
			t.Fatalf("%s with %s closed is in %s", day, closed, got)
		}
	})
}

func TestDeadlines(t *testing.T) {
	rules := clearing.Rules{DeclareBy: 20, NationalBy: 21, MostDelay: 2, TransferWithin: 10}
	for m, want := range map[clearing.Month][5]string{
		"2026-09": {"2026-09-30", "2026-10-20", "2026-10-21", "2026-12-21", "2027-03-31"},
		"2026-11": {"2026-11-30", "2026-12-20", "2026-12-21", "2027-02-21", "2027-03-31"},
		// The year's end cuts the delay short.
		"2026-12": {"2026-12-31", "2027-01-20", "2027-01-21", "2027-03-21", "2027-03-31"},
	} {
		d := rules.Of(m)
		for i, at := range []time.Time{d.Ends, d.Declare, d.National, d.Last, d.YearCloses} {
			if clock.Day(at) != want[i] || clock.Day(at.Add(time.Microsecond)) == want[i] {
				t.Errorf("%s: date %d is %s, not the end of %s", m, i, at, want[i])
			}
		}
	}
	rules.MostDelay = 3
	if d := rules.Of("2026-12"); clock.Day(d.Last) != "2027-03-31" {
		t.Errorf("the year is closed, and December goes on until %s", d.Last)
	}
	// Ten working days from Wednesday, with the National Day's week in between and 10 October worked.
	at := time.Date(2026, 9, 30, 2, 0, 0, 0, time.UTC)
	if by := rules.TransferBy(at); clock.Day(by) != "2026-10-20" {
		t.Errorf("a transfer of 30 September is due on %s", clock.Day(by))
	}
	for _, wrong := range []string{"", "2026", "2026-13", "2026-1", "26-01", "1999-12", "2200-01", "2026-01-01"} {
		if m, err := clearing.ParseMonth(wrong); err == nil {
			t.Errorf("%q is month %s", wrong, m)
		}
	}
}
