//go:build soak

package rpc_test

import (
	"testing"

	"huhang.example/services/internal/sqldb/sqldbtest"
)

// Every way a case can give its bed back, on both engines, killed at every boundary.
func TestSoakSagaKilledAtEveryBoundary(t *testing.T) {
	for name, run := range map[string]func(*saga){"withdrawn": (*saga).withdrawn, "lost": (*saga).lost} {
		t.Run(name, func(t *testing.T) {
			sqldbtest.EachDSN(t, func(t *testing.T, dsn string) { killedAtEveryBoundary(t, dsn, run) })
		})
	}
}
