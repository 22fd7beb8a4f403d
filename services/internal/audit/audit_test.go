package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/audit"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

func TestAppendAndList(t *testing.T) {
	sqldbtest.Each(t, nil, func(t *testing.T, db *sqldb.DB) {
		ctx := access.With(t.Context(), access.Caller{Subject: "li", Organisation: "C-BJ-01", Service: "gateway"})
		err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			for i := range 50 {
				entry := audit.Entry{Action: "/huhang.test/Do", Resource: fmt.Sprintf("pat_%d", i%2), Outcome: audit.Done, RequestHash: []byte{byte(i)}}
				if err := audit.Append(ctx, tx, entry); err != nil {
					return err
				}
			}
			return audit.Append(ctx, tx, audit.Entry{Action: "/huhang.test/Other", Outcome: audit.Denied})
		})
		if err != nil {
			t.Fatal(err)
		}
		list := func(filter audit.Filter) []audit.Record {
			t.Helper()
			var records []audit.Record
			err := db.Read(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
				records, err = audit.List(ctx, q, filter)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return records
		}
		ones := list(audit.Filter{Resource: "pat_1"})
		if len(ones) != 25 || ones[0].RequestHash[0] != 49 || ones[24].RequestHash[0] != 1 {
			t.Fatalf("not the newest first: %d entries", len(ones))
		}
		if got := ones[0]; got.Subject != "li" || got.Organisation != "C-BJ-01" || got.Service != "gateway" || got.Outcome != audit.Done {
			t.Fatalf("entry = %+v", got)
		}
		if len(list(audit.Filter{Limit: 7})) != 7 || len(list(audit.Filter{})) != 51 {
			t.Fatal("limit")
		}
		if denied := list(audit.Filter{Action: "/huhang.test/Other"}); len(denied) != 1 || denied[0].Outcome != audit.Denied {
			t.Fatalf("denied = %+v", denied)
		}
	})
}

func TestAppendRefuses(t *testing.T) {
	db := sqldbtest.Open(t, sqldbtest.SQLite(t), nil)
	for _, entry := range []audit.Entry{
		{Outcome: audit.Done},
		{Action: "/a/B"},
		{Action: "/a/B", Outcome: audit.Done, Resource: strings.Repeat("x", 1000)},
	} {
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return audit.Append(ctx, tx, entry) })
		if err == nil {
			t.Errorf("%+v was accepted", entry)
		}
	}
}

func TestOnDenied(t *testing.T) {
	sqldbtest.Each(t, nil, func(t *testing.T, db *sqldb.DB) {
		var log bytes.Buffer
		denied := audit.OnDenied(db, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, hangUp := context.WithCancel(t.Context())
		hangUp()
		denied(ctx, access.Caller{Subject: "li", Organisation: "C-BJ-01"}, "/huhang.test/Do")
		var records []audit.Record
		err := db.Read(t.Context(), func(ctx context.Context, q sqldb.Querier) (err error) {
			records, err = audit.List(ctx, q, audit.Filter{})
			return err
		})
		if err != nil || len(records) != 1 || records[0].Outcome != audit.Denied || records[0].Organisation != "C-BJ-01" || log.Len() != 0 {
			t.Fatalf("records %+v, %v, log %s", records, err, log.String())
		}
		db.Close()
		denied(t.Context(), access.Caller{Subject: "li"}, "/huhang.test/Do")
		if !strings.Contains(log.String(), "not in the audit") {
			t.Fatal("a missing entry was not logged")
		}
	})
}
