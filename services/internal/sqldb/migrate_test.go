package sqldb_test

import (
	"context"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

func files(texts ...string) fs.FS {
	names := []string{"0001_one.sql", "0002_two.sql", "0003_three.sql"}
	out := fstest.MapFS{}
	for i, text := range texts {
		out[names[i]] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

const (
	one = "CREATE TABLE one (id TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL);"
	two = "ALTER TABLE one ADD COLUMN flag BOOLEAN NOT NULL DEFAULT FALSE; CREATE INDEX one_by_n ON one (n);"
)

func open(t *testing.T, dsn string) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldb.Config{DSN: dsn, MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func TestMigrateAppliesOnceInOrder(t *testing.T) {
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		for _, set := range []fs.FS{files(one), files(one), files(one, two), files(one, two)} {
			if err := db.Migrate(t.Context(), set); err != nil {
				t.Fatal(err)
			}
		}
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO one (id, n, flag) VALUES ('a', 1, TRUE)")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestMigrateRefuses(t *testing.T) {
	tests := []struct {
		name         string
		first, then  fs.FS
		wantThenText string
	}{
		{"a changed migration", files(one), files(one + " "), "was changed"},
		{"a newer database", files(one, two), files(one), "newer binary"},
		{"a failing migration", files(one), files(one, "CREATE TABLE two (id TEXT); CREATE TABLE one (id TEXT);"), "0002_two"},
		{"a type with 32 bits", files(one), files(one, "CREATE TABLE two (n INTEGER)"), "INTEGER is not one of"},
		{"a gap", files(one), fstest.MapFS{"0002_two.sql": {Data: []byte(two)}}, "expected number 0001"},
		{"a name", files(one), fstest.MapFS{"1-one.sql": {Data: []byte(one)}}, "NNNN_name"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
				db := open(t, dsn)
				if err := db.Migrate(t.Context(), test.first); err != nil {
					t.Fatal(err)
				}
				err := db.Migrate(t.Context(), test.then)
				if err == nil || !strings.Contains(err.Error(), test.wantThenText) {
					t.Fatalf("err = %v", err)
				}
				// Nothing of the refused set stays.
				err = db.Read(t.Context(), func(ctx context.Context, q sqldb.Querier) error {
					_, err := q.Exec(ctx, "SELECT count(*) FROM two")
					return err
				})
				if err == nil {
					t.Fatal("half a migration was applied")
				}
			})
		})
	}
}

func TestMigrateByManyAtOnce(t *testing.T) {
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
		var wait sync.WaitGroup
		for range 4 {
			db := open(t, dsn)
			wait.Go(func() {
				if err := db.Migrate(t.Context(), files(one, two)); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
	})
}

func TestOpenRefuses(t *testing.T) {
	for _, dsn := range []string{"", "mysql://secret@x/y", "sqlite:", "/tmp/x.db"} {
		db, err := sqldb.Open(t.Context(), sqldb.Config{DSN: dsn})
		if err == nil {
			db.Close()
			t.Errorf("%q was opened", dsn)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
	if _, err := sqldb.Open(t.Context(), sqldb.Config{DSN: sqldbtest.SQLite(t), MaxConns: 1}); err == nil {
		t.Error("one connection was accepted")
	}
}
