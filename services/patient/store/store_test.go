package store_test

import (
	"bytes"
	"context"
	"testing"

	"huhang.example/services/internal/id"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/patient/sealing"
	"huhang.example/services/patient/store"
	"huhang.example/services/patient/storetest"
)

func sealer(t *testing.T) *sealing.Sealer {
	t.Helper()
	s, err := sealing.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	sqldbtest.Each(t, store.Migrations(), func(t *testing.T, db *sqldb.DB) { storetest.Run(t, store.New(db, sealer(t))) })
}

// Nothing that names a person is in the tables, and one key's rows do not open with another's.
func TestIdentityIsSealed(t *testing.T) {
	sqldbtest.Each(t, store.Migrations(), func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		p := storetest.Person(id.Random(), 7)
		if err := store.New(db, sealer(t)).Insert(ctx, p); err != nil {
			t.Fatal(err)
		}
		err := db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
			var sealed, index []byte
			var doc string
			if err := q.QueryRow(ctx, "SELECT sealed, doc FROM patient").Scan(&sealed, &doc); err != nil {
				return err
			}
			if err := q.QueryRow(ctx, "SELECT value FROM patient_index WHERE kind = 'number'").Scan(&index); err != nil {
				return err
			}
			for _, secret := range []string{p.Identity.Name, string(p.Identity.Number), p.Identity.Phone} {
				if bytes.Contains(sealed, []byte(secret)) || bytes.Contains([]byte(doc), []byte(secret)) || bytes.Contains(index, []byte(secret)) {
					t.Errorf("%d bytes of identity are stored in the clear", len(secret))
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.New(db, sealer(t)).Get(ctx, p.ID); err == nil {
			t.Error("another key opened the record")
		}
	})
}
