// Package limit keeps one caller from taking everybody's share (限流).
//
// Invariant: over any time a caller is let through at most burst + rate x time calls, and holds at most so many streams
// at once; the memory for it is bounded however many callers come.
package limit

import (
	"container/list"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
)

// Config says how much one caller may ask. The zero value of each means its default.
type Config struct {
	PerSecond float64 `yaml:"per_second"` // default 50
	Burst     int     `yaml:"burst"`      // default 100
}

const (
	defaultPerSecond = 50
	defaultBurst     = 100
	maxCallers       = 10_000
	maxStreams       = 16 // at once, a caller
)

// Validate says what is wrong with the limits.
func (c Config) Validate() error {
	if c.PerSecond < 0 || math.IsNaN(c.PerSecond) || math.IsInf(c.PerSecond, 0) || c.Burst < 0 {
		return fmt.Errorf("rate_limit: per_second and burst are positive")
	}
	return nil
}

// Limiter counts calls by caller.
type Limiter struct {
	config Config
	clock  clock.Clock

	mu      sync.Mutex
	callers map[string]*list.Element
	recent  *list.List // of *bucket, the longest unused last
}

type bucket struct {
	key     string
	tokens  *rate.Limiter
	streams int
}

// New returns a limiter.
func New(c Config, clk clock.Clock) *Limiter {
	if c.PerSecond == 0 {
		c.PerSecond = defaultPerSecond
	}
	if c.Burst == 0 {
		c.Burst = defaultBurst
	}
	return &Limiter{config: c, clock: clk, callers: map[string]*list.Element{}, recent: list.New()}
}

// Take counts one call, or answers RATE_LIMITED with the seconds to wait in its metadata.
func (l *Limiter) Take(key string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.take(l.bucket(key))
}

// TakeStream counts one call that stays open until release.
func (l *Limiter) TakeStream(key string) (release func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(key)
	if b.streams >= maxStreams {
		return nil, limited(time.Second)
	}
	if err := l.take(b); err != nil {
		return nil, err
	}
	b.streams++
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		b.streams--
	}), nil
}

func (l *Limiter) take(b *bucket) error {
	now := l.clock.Now()
	reserved := b.tokens.ReserveN(now, 1)
	wait := reserved.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	reserved.CancelAt(now)
	return limited(wait)
}

func (l *Limiter) bucket(key string) *bucket {
	if e, ok := l.callers[key]; ok {
		l.recent.MoveToFront(e)
		return e.Value.(*bucket)
	}
	if l.recent.Len() >= maxCallers {
		last := l.recent.Back()
		delete(l.callers, last.Value.(*bucket).key)
		l.recent.Remove(last)
	}
	b := &bucket{key: key, tokens: rate.NewLimiter(rate.Limit(l.config.PerSecond), l.config.Burst)}
	l.callers[key] = l.recent.PushFront(b)
	return b
}

// RetryAfter is the metadata key of the seconds to wait.
const RetryAfter = "retry_after_seconds"

func limited(wait time.Duration) *fault.Fault {
	seconds := max(int(math.Ceil(wait.Seconds())), 1)
	return fault.New(fault.ResourceExhausted, fault.RateLimited, "",
		"Too many calls at once.", "请求过于频繁。").With(RetryAfter, fmt.Sprint(seconds))
}
