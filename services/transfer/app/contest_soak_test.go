//go:build soak

package app

import (
	"os"
	"testing"
	"time"

	"huhang.example/services/internal/sqldb/sqldbtest"
)

// The whole contest: ten thousand hours of one bed, or as many as HUHANG_SOAK leaves time for.
func TestSoakOneBed(t *testing.T) {
	during := 24 * time.Hour
	if text := os.Getenv("HUHANG_SOAK"); text != "" {
		var err error
		if during, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) { contest(t, dsn, 10_000, 4*time.Second, during) })
}
