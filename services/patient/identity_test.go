package patient_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/fault"
	"huhang.example/services/patient"
)

var today = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

func TestIdentityNumber(t *testing.T) {
	n, err := patient.ParseIdentityNumber("11010519491231002x", today) // the standard's own example
	if err != nil {
		t.Fatal(err)
	}
	if n.BirthDate() != "1949-12-31" || n.Sex() != patient.Female || n.Masked() != "110*************2X" {
		t.Errorf("got %s %s %s", n.BirthDate(), n.Sex(), n.Masked())
	}
	for _, bad := range []string{
		"", "110105194912310021", "11010519491231002", "1101051949123100200", "91010519491231002X", "110105194913310020",
		"11010519491231O02X", "110105209912310024", "中文字符中文",
	} {
		if _, err := patient.ParseIdentityNumber(bad, today); !fault.Is(err, fault.IdentityNumberInvalid) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

// One wrong digit, or two neighbours exchanged, is always noticed: that is what the check digit is for.
func TestIdentityNumberNoticesTypingErrors(t *testing.T) {
	const good = "11010519491231002X"
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(good)
		i := rapid.IntRange(0, 16).Draw(t, "position")
		if rapid.Bool().Draw(t, "exchange") && i < 16 {
			b[i], b[i+1] = b[i+1], b[i]
		} else {
			b[i] = byte(rapid.IntRange('0', '9').Draw(t, "digit"))
		}
		if string(b) == good {
			return
		}
		if _, err := patient.ParseIdentityNumber(string(b), today); err == nil {
			t.Fatalf("%s was taken for a valid number", b)
		}
	})
}

func TestAge(t *testing.T) {
	for _, c := range []struct {
		born, day string
		age       int
	}{
		{"1979-03-12", "2026-11-22", 47},
		{"2008-11-22", "2026-11-22", 18},
		{"2008-11-23", "2026-11-22", 17},
		{"2008-02-29", "2026-02-28", 17},
		{"2008-02-29", "2026-03-01", 18},
		{"1988-07-01", "2026-07-01", 38},
		{"bad", "2026-07-01", 0},
	} {
		day, err := time.Parse(time.RFC3339, c.day+"T00:00:00+08:00")
		if err != nil {
			t.Fatal(err)
		}
		if got := patient.AgeOn(c.born, day); got != c.age {
			t.Errorf("born %s on %s: %d, want %d", c.born, c.day, got, c.age)
		}
	}
}

func FuzzIdentityNumber(f *testing.F) {
	f.Add("11010519491231002X")
	f.Add("11010519491231002")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := patient.ParseIdentityNumber(s, today)
		if err != nil {
			return
		}
		if _, err := time.Parse(time.DateOnly, n.BirthDate()); err != nil || len(n.Masked()) != 18 {
			t.Errorf("%q was accepted", s)
		}
	})
}
