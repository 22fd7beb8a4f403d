package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"huhang.example/services/internal/clock"
)

// load asks in a closed loop: each of so many callers sends its next call when the last one is answered. It ends after a
// time or a number of calls, whichever is first; calls under way are waited for and count.
type load struct {
	callers int
	during  time.Duration
	most    int64
}

type outcome struct {
	calls int64
	took  time.Duration
	waits []time.Duration // of each call, in no order
}

func (o outcome) perSecond() float64 { return float64(o.calls) / o.took.Seconds() }

// run ends at the first error, which it returns.
func (l load) run(ctx context.Context, call func(ctx context.Context, caller int) error) (outcome, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	system := clock.System()
	waits := make([][]time.Duration, l.callers)
	var (
		taken   atomic.Int64
		callers sync.WaitGroup
	)
	began := system.Now()
	end := began.Add(l.during)
	for caller := range l.callers {
		callers.Go(func() {
			for before := system.Now(); before.Before(end) && ctx.Err() == nil && taken.Add(1) <= l.most; {
				if err := call(ctx, caller); err != nil {
					cancel(err)
					return
				}
				after := system.Now()
				waits[caller] = append(waits[caller], after.Sub(before))
				before = after
			}
		})
	}
	callers.Wait()
	if err := context.Cause(ctx); err != nil {
		return outcome{}, err
	}
	o := outcome{took: system.Now().Sub(began)}
	for _, w := range waits {
		o.waits = append(o.waits, w...)
	}
	o.calls = int64(len(o.waits))
	return o, nil
}
