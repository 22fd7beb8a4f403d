package store_test

import (
	"testing"

	"huhang.example/services/internal/sealing"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/matching/store"
	"huhang.example/services/matching/storetest"
)

func TestStore(t *testing.T) {
	sqldbtest.Each(t, store.Migrations(), func(t *testing.T, db *sqldb.DB) {
		cipher, err := sealing.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		storetest.Run(t, store.New(db, cipher))
	})
}
