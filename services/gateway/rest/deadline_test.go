package rest

import (
	"net/http"
	"testing"
	"time"

	"huhang.example/services/internal/fault"
)

func TestDeadline(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"2S": 2 * time.Second, "50m": 50 * time.Millisecond, "1M": time.Minute, "2M": time.Minute, "99999999H": time.Minute,
		"99999999n": 99999999 * time.Nanosecond, "0S": 0, "S": 0, "1": 0, "-1S": 0, "1s": 0, "123456789S": 0, "1 S": 0, "+1S": 0, "": 0,
	} {
		got, err := deadline(http.Header{timeoutHeader: {text}})
		if want == 0 && !fault.Is(err, fault.FieldInvalid) || want != 0 && (err != nil || got != want) {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	if got, err := deadline(http.Header{}); err != nil || got != defaultDeadline {
		t.Errorf("none: %s, %v", got, err)
	}
}

func FuzzDeadline(f *testing.F) {
	f.Add("15S")
	f.Add("99999999H")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := deadline(http.Header{timeoutHeader: {text}})
		if err == nil && (got <= 0 || got > maxDeadline) {
			t.Fatalf("%q gives %s", text, got)
		}
	})
}
