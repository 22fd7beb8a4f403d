package store_test

import (
	"testing"

	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/store"
	"huhang.example/services/settlement/storetest"
)

func TestStore(t *testing.T) {
	for engine, dsn := range map[string]func(testing.TB) string{sqldb.SQLite: sqldbtest.SQLite, sqldb.Postgres: sqldbtest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) settlement.Store {
				return store.New(sqldbtest.Open(t, dsn(t), store.Migrations()))
			})
		})
	}
}
