package store_test

import (
	"testing"

	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/store"
	"huhang.example/services/transfer/storetest"
)

func TestStore(t *testing.T) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": sqldbtest.SQLite, "postgres": sqldbtest.Postgres} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) transfer.Store {
				return store.New(sqldbtest.Open(t, dsn(t), store.Migrations))
			})
		})
	}
}
