package clock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/clock"
)

var start = time.Date(2026, 3, 1, 15, 59, 59, 0, time.UTC)

func TestSystemTellsWholeMicrosecondsInUTC(t *testing.T) {
	now := clock.System().Now()
	if now.Location() != time.UTC || now.Nanosecond()%1000 != 0 {
		t.Fatalf("Now() = %v", now)
	}
	if back := clock.FromMicros(clock.Micros(now)); !back.Equal(now) || back != now {
		t.Fatalf("%v came back from storage as %v", now, back)
	}
}

func TestSystemSleepAndTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.System()
		before := c.Now()
		if err := c.Sleep(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		if got := c.Now().Sub(before); got != time.Minute {
			t.Fatalf("slept %v", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Sleep under a deadline = %v", err)
		}
		timer := c.NewTimer(time.Second)
		if !timer.Stop() || timer.Stop() {
			t.Fatal("a timer is stopped once")
		}
		<-c.NewTimer(-1).C()
	})
}

func TestSleepOfACanceledContextReturnsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []clock.Clock{clock.System(), clock.NewFake(start)} {
		if err := c.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("%T: %v", c, err)
		}
		if err := c.Sleep(t.Context(), 0); err != nil {
			t.Errorf("%T: %v", c, err)
		}
	}
}

func TestFakeFiresWhatIsDueAndOnlyThat(t *testing.T) {
	c := clock.NewFake(start)
	early, late, now := c.NewTimer(time.Second), c.NewTimer(time.Minute), c.NewTimer(0)
	if got := <-now.C(); !got.Equal(start) {
		t.Fatalf("a timer of no duration fired with %v", got)
	}
	c.Advance(time.Second)
	if got := <-early.C(); !got.Equal(start.Add(time.Second)) {
		t.Fatalf("fired with %v", got)
	}
	select {
	case <-late.C():
		t.Fatal("fired too early")
	default:
	}
	if early.Stop() {
		t.Fatal("a fired timer cannot be stopped")
	}
	if !late.Stop() {
		t.Fatal("a pending timer can")
	}
	c.Advance(time.Hour)
	select {
	case <-late.C():
		t.Fatal("a stopped timer fired")
	default:
	}
}

func TestFakeSetBackwardsKeepsTimers(t *testing.T) {
	c := clock.NewFake(start)
	timer := c.NewTimer(time.Second)
	c.Set(start.Add(-time.Hour))
	if !c.Now().Equal(start.Add(-time.Hour)) {
		t.Fatal(c.Now())
	}
	c.Set(start.Add(time.Second))
	<-timer.C()
}

func TestFakeSleepersWakeTogether(t *testing.T) {
	c := clock.NewFake(start)
	const n = 10
	done := make(chan error, n)
	for range n {
		go func() { done <- c.Sleep(t.Context(), time.Minute) }()
	}
	if err := c.AwaitTimers(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Minute)
	for range n {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.AwaitTimers(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Fatalf("AwaitTimers with none pending = %v", err)
	}
}

func TestFakeSleepLeavesNoTimerBehind(t *testing.T) {
	c := clock.NewFake(start)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- c.Sleep(ctx, time.Minute) }()
	if err := c.AwaitTimers(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := c.AwaitTimers(ctx, 1); err == nil {
		t.Fatal("the canceled sleeper is still waiting")
	}
}

func TestDaysAndYearsAreThoseOfShanghai(t *testing.T) {
	for _, test := range []struct {
		at   string
		day  string
		year int
	}{
		{"2026-03-01T15:59:59Z", "2026-03-01", 2026},
		{"2026-03-01T16:00:00Z", "2026-03-02", 2026},
		{"2026-12-31T16:00:00Z", "2027-01-01", 2027},
		{"2024-02-28T16:00:00Z", "2024-02-29", 2024},
		// Summer time: midnight of this birthday was at 15:00 UTC.
		{"1988-07-01T15:00:00Z", "1988-07-02", 1988},
	} {
		at, err := time.Parse(time.RFC3339, test.at)
		if err != nil {
			t.Fatal(err)
		}
		if day, year := clock.Day(at), clock.Year(at); day != test.day || year != test.year {
			t.Errorf("%s: day %s, year %d", test.at, day, year)
		}
	}
}

func TestMicrosKeepsTheZeroTime(t *testing.T) {
	if clock.Micros(time.Time{}) != 0 || !clock.FromMicros(0).IsZero() {
		t.Fatal("the zero time does not survive storage")
	}
}

func TestMicrosRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.Int64Range(-1<<55, 1<<55).Draw(t, "us")
		if back := clock.Micros(clock.FromMicros(us)); back != us {
			t.Fatalf("%d came back as %d", us, back)
		}
	})
}
