//go:build soak

package app_test

import (
	"os"
	"testing"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

// A million random operations on each engine, or as many as HUHANG_SOAK gives time for.
func TestSoakModel(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("HUHANG_SOAK"))
	if err != nil {
		t.Fatalf("HUHANG_SOAK is how long, such as 3m: %v", err)
	}
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
		started := clock.System().Now()
		seed := uint64(started.UnixNano())
		t.Logf("%s, seed %d", length, seed)
		done := newWorld(t, dsn, 40, seed).run(t, 4, 1_000_000, length)
		t.Logf("%.0f operations a second", float64(done)/clock.System().Now().Sub(started).Seconds())
	})
}

// A million random operations on the messages, counters and books of each engine, or as many as HUHANG_SOAK gives time for.
func TestSoakBooks(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("HUHANG_SOAK"))
	if err != nil {
		t.Fatalf("HUHANG_SOAK is how long, such as 3m: %v", err)
	}
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
		started := clock.System().Now()
		seed := uint64(started.UnixNano())
		t.Logf("%s, seed %d", length, seed)
		done := newBookkeeping(t, dsn, 200, seed).run(1_000_000, length)
		t.Logf("%.0f operations a second", float64(done)/clock.System().Now().Sub(started).Seconds())
	})
}

// Bills are settled for as long as HUHANG_SOAK says while one instance after another is killed.
func TestSoakKilled(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("HUHANG_SOAK"))
	if err != nil {
		t.Fatalf("HUHANG_SOAK is how long, such as 3m: %v", err)
	}
	// About a kill a second, with the starts.
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) { killedWhileSettling(t, dsn, int(length.Seconds()), length+time.Minute) })
}
