//go:build soak

package rpc_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"huhang.example/services/internal/sqldb"
)

// A hundred thousand events, readers killed at random all the while; HUHANG_SOAK_EVENTS takes another number.
func TestSoakFeedWithKilledReaders(t *testing.T) {
	events := 100_000
	if text := os.Getenv("HUHANG_SOAK_EVENTS"); text != "" {
		var err error
		if events, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, engine := range []string{sqldb.SQLite, sqldb.Postgres} {
		t.Run(engine, func(t *testing.T) { followed(t, engine, events, 4, 4*time.Second) })
	}
}
