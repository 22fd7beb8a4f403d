//go:build soak

package e2e

import (
	"context"
	"os"
	"testing"
	"time"

	"huhang.example/services/internal/clock"
)

// Case after case by eight workers, for as long as HUHANG_SOAK says, while one process after another is killed and started again.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("HUHANG_SOAK"))
	if err != nil {
		t.Fatalf("HUHANG_SOAK is how long, such as 3m: %v", err)
	}
	seed := uint64(clock.System().Now().UnixNano())
	t.Logf("%s, seed %d", length, seed)
	s := newStorm(t, seed)
	s.run(8, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, length)
		defer cancel()
		for ctx.Err() == nil {
			_ = clock.System().Sleep(ctx, time.Duration(2000+s.random.IntN(3000))*time.Millisecond)
			s.wreckOnce(ctx, victims[s.random.IntN(len(victims))])
		}
	})
	s.check(true)
}
