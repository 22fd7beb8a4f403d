//go:build soak

package rpc_test

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"huhang.example/services/internal/clock"
)

// Case after case, on both engines, for as long as HUHANG_SOAK says.
func TestSoakOffersAreLinearizable(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("HUHANG_SOAK"))
	if err != nil {
		t.Fatalf("HUHANG_SOAK is how long, such as 3m: %v", err)
	}
	seed := uint64(clock.System().Now().UnixNano())
	t.Logf("%s, seed %d", length, seed)
	each(t, func(t *testing.T, r *rig) {
		end := clock.System().Now().Add(length / 2)
		n := uint64(0)
		var kept []string
		for clock.System().Now().Before(end) && !t.Failed() {
			n++
			kept = r.storm(t, rand.New(rand.NewPCG(seed, n)), kept)
		}
		t.Logf("%d cases", n)
	})
}
