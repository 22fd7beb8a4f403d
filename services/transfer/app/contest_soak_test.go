//go:build soak

package app

import (
	"testing"
	"time"

	"huhang.example/services/internal/sqldb/sqldbtest"
)

// The whole contest: ten thousand hours of one bed.
func TestSoakOneBed(t *testing.T) {
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) { contest(t, dsn, 10_000, 4*time.Second) })
}
