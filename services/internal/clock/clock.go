// Package clock is the only place that reads the machine's time.
//
// Invariant: every time it hands out is UTC and a whole number of microseconds, the resolution of storage, so that a
// time read back equals the time written. Days and years are those of Asia/Shanghai, the legal time of the line.
package clock

import (
	"context"
	"time"
)

// Clock tells the time and waits.
type Clock interface {
	// Now returns the present time in UTC, in whole microseconds.
	Now() time.Time
	// NewTimer returns a timer that fires once, at once if d is not positive.
	NewTimer(d time.Duration) Timer
	// Sleep waits for d or until ctx is done, and returns ctx's error in the latter case.
	Sleep(ctx context.Context, d time.Duration) error
}

// Skew is how far the clocks of two of the line's parties may be apart: what one tells of its now is no other's past or
// future for less.
const Skew = 5 * time.Minute

// Ahead returns the base's clock, so far ahead of it or, less than nothing, behind.
func Ahead(base Clock, by time.Duration) Clock { return ahead{base, by} }

type ahead struct {
	Clock
	by time.Duration
}

func (a ahead) Now() time.Time { return a.Clock.Now().Add(a.by) }

// Timer fires once on C.
type Timer interface {
	C() <-chan time.Time
	// Stop reports whether it kept the timer from firing.
	Stop() bool
}

// System returns the machine's clock.
func System() Clock { return system{} }

type system struct{}

func (system) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func (system) NewTimer(d time.Duration) Timer { return systemTimer{time.NewTimer(d)} }

func (c system) Sleep(ctx context.Context, d time.Duration) error { return sleep(ctx, c, d) }

type systemTimer struct{ timer *time.Timer }

func (t systemTimer) C() <-chan time.Time { return t.timer.C }
func (t systemTimer) Stop() bool          { return t.timer.Stop() }

func sleep(ctx context.Context, c Clock, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	timer := c.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
