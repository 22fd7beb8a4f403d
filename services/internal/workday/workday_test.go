package workday

import (
	"testing"
	"time"

	"huhang.example/services/internal/clock"
)

func shanghai(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", text, clock.Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWorkingDays(t *testing.T) {
	tests := []struct {
		name, from string
		days       int
		want       string
	}{
		{"a plain Tuesday", "2026-11-24 10:30", 1, "2026-11-25 10:30"},
		{"over the weekend", "2026-11-27 10:30", 1, "2026-11-30 10:30"},
		{"begins on a Sunday: with Monday", "2026-11-22 23:00", 1, "2026-11-24 00:00"},
		{"over the national holidays, and Saturday 10 October is worked", "2026-09-30 16:00", 2, "2026-10-09 16:00"},
		{"Saturday worked in exchange counts", "2026-10-09 16:00", 1, "2026-10-10 16:00"},
		{"before the Spring Festival", "2026-02-14 09:00", 1, "2026-02-24 09:00"},
		{"a worked Saturday is no day off", "2026-02-14 23:59", 0, "2026-02-14 23:59"},
		{"into a year not yet announced: weekends only", "2026-12-31 12:00", 1, "2027-01-01 12:00"},
		{"five of them", "2026-11-23 08:00", 5, "2026-11-30 08:00"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, want := China().Add(shanghai(t, test.from), test.days), shanghai(t, test.want); !got.Equal(want) {
				t.Fatalf("%s, want %s", got.In(clock.Shanghai), want)
			}
		})
	}
	if !China().Knows(2026) || China().Knows(2027) {
		t.Fatal("2026 is announced, 2027 is not loaded")
	}
}

// The day is Shanghai's, whatever zone the time comes in.
func TestWorkingDayIsShanghais(t *testing.T) {
	fridayNightUTC := time.Date(2026, 11, 27, 17, 0, 0, 0, time.UTC) // Saturday 01:00 in Shanghai
	if China().Working(fridayNightUTC) {
		t.Fatal("Saturday in Shanghai counted as a working day")
	}
}
