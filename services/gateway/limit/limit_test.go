package limit_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"huhang.example/services/gateway/limit"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
)

func TestRateAndBurst(t *testing.T) {
	fake := clock.NewFake(time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC))
	l := limit.New(limit.Config{PerSecond: 0.5, Burst: 3}, fake)
	taken := func(key string, tries int) (n int) {
		for range tries {
			if l.Take(key) == nil {
				n++
			}
		}
		return n
	}
	if n := taken("a", 10); n != 3 {
		t.Fatalf("burst %d", n)
	}
	f, ok := fault.As(l.Take("a"))
	if !ok || f.Reason != fault.RateLimited || f.Meta[limit.RetryAfter] != "2" {
		t.Fatalf("got %v", f)
	}
	if n := taken("b", 10); n != 3 {
		t.Fatalf("another caller %d", n)
	}
	// Being refused costs nothing.
	fake.Advance(2 * time.Second)
	if n := taken("a", 10); n != 1 {
		t.Fatalf("after two seconds %d", n)
	}
	fake.Advance(time.Hour)
	if n := taken("a", 10); n != 3 {
		t.Fatalf("after an hour %d", n)
	}
}

func TestStreamsAreCounted(t *testing.T) {
	l := limit.New(limit.Config{}, clock.NewFake(time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC)))
	var releases []func()
	for {
		release, err := l.TakeStream("a")
		if err != nil {
			break
		}
		releases = append(releases, release)
	}
	if len(releases) != 16 {
		t.Fatalf("%d streams", len(releases))
	}
	if err := l.Take("a"); err != nil {
		t.Fatalf("a call beside streams: %v", err)
	}
	releases[0]()
	releases[0]()
	if _, err := l.TakeStream("a"); err != nil {
		t.Fatalf("after one ended: %v", err)
	}
	if _, err := l.TakeStream("a"); err == nil {
		t.Fatal("one end counted twice")
	}
}

func TestManyCallers(t *testing.T) {
	l := limit.New(limit.Config{PerSecond: 0.001, Burst: 1}, clock.NewFake(time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC)))
	if l.Take("kept") != nil {
		t.Fatal("the first call")
	}
	for i := range 30_000 {
		_ = l.Take(fmt.Sprint(i))
		if i%1000 == 0 && l.Take("kept") == nil {
			t.Fatal("a caller in use was forgotten")
		}
	}
}

func TestLimitsThatAreRefused(t *testing.T) {
	for _, c := range []limit.Config{{PerSecond: -1}, {Burst: -1}, {PerSecond: math.NaN()}, {PerSecond: math.Inf(1)}} {
		if c.Validate() == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
