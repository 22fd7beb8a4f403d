package sampleline_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/clock"
	"huhang.example/services/sampleline"
)

// A patient client sends the same again while a service is away, and takes every other answer as one.
func TestPatience(t *testing.T) {
	for _, c := range []struct {
		name     string
		patience time.Duration
		answers  []int // 0: the connection breaks
		sent     int
		status   int
	}{
		{"answered", time.Minute, []int{200}, 1, 0},
		{"away, too slow, broken, then answered", time.Minute, []int{503, 504, 0, 200}, 4, 0},
		{"too often, then answered", time.Minute, []int{429, 200}, 2, 0},
		{"too often, and to wait for longer than patience", 10 * time.Millisecond, []int{429}, 1, 429},
		{"refused", time.Minute, []int{409}, 1, 409},
		{"broken on their side", time.Minute, []int{500}, 1, 500},
		{"away, and no patience", 0, []int{503}, 1, 503},
		{"away for longer than patience", time.Millisecond, []int{503}, 1, 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			var bodies []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/dev/issuer/token" {
					_, _ = w.Write([]byte(`{"access_token": "t"}`))
					return
				}
				body, _ := io.ReadAll(r.Body)
				bodies = append(bodies, string(body))
				switch status := c.answers[min(len(bodies), len(c.answers))-1]; status {
				case 0:
					panic(http.ErrAbortHandler)
				default:
					w.Header().Set("Retry-After", "1")
					w.WriteHeader(status)
					_, _ = w.Write([]byte(`{}`))
				}
			}))
			defer server.Close()
			client := &sampleline.Client{Base: server.URL, HTTP: server.Client(), Patience: c.patience, Clock: clock.System()}
			s, err := client.As(t.Context(), sampleline.Person{Role: "center"})
			if err != nil {
				t.Fatal(err)
			}
			err = s.Do(t.Context(), http.MethodPost, "/v1/referrals/x:book", &referralv1.BookAdmissionRequest{RequestId: "patience-00000001"}, nil)
			status := 0
			if refused := (*sampleline.Refused)(nil); errors.As(err, &refused) {
				status = refused.HTTPStatus
			} else if err != nil {
				t.Fatal(err)
			}
			if status != c.status || len(bodies) != c.sent || int(client.Repeated.Load()) != c.sent-1 {
				t.Errorf("HTTP %d after %d calls, %d of them again; want HTTP %d after %d", status, len(bodies), client.Repeated.Load(), c.status, c.sent)
			}
			if len(slices.Compact(bodies)) != 1 {
				t.Errorf("the bodies differ: %q", bodies)
			}
		})
	}
}
