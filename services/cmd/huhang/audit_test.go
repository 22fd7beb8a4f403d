package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"huhang.example/services/internal/audit"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

func TestAuditVerify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "patient.db")
	db := sqldbtest.Open(t, "sqlite:"+path, nil)
	write := func(do func(ctx context.Context, tx *sqldb.Tx) error) {
		t.Helper()
		if err := db.Write(t.Context(), do); err != nil {
			t.Fatal(err)
		}
	}
	add := func(ctx context.Context, tx *sqldb.Tx) error {
		return audit.Append(ctx, tx, audit.Entry{Action: "/huhang.test/Do", Outcome: audit.Done})
	}
	write(add)
	head, err := audit.Extend(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	write(add)
	known := audit.Known{Size: head.Size, Root: head.Root}.String()
	run := func(args ...string) (string, error) {
		var out bytes.Buffer
		c := auditCommand()
		c.SetOut(&out)
		c.SetErr(&out)
		c.SetArgs(append([]string{"verify"}, args...))
		c.SilenceUsage = true
		err := c.ExecuteContext(t.Context())
		return out.String(), err
	}
	told, err := run(path, "--known", known)
	if err != nil || !strings.Contains(told, "1 entries as they were written, head "+known) || !strings.Contains(told, "1 newer ones") {
		t.Fatalf("%s, %v", told, err)
	}
	absent := filepath.Join(t.TempDir(), "none.db")
	other := filepath.Join(t.TempDir(), "spans.db")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if told, err := run(other); !errors.Is(err, audit.ErrNone) {
		t.Errorf("no database of a service: %s, %v", told, err)
	}
	for name, args := range map[string][]string{
		"no such file": {absent}, "a folder": {filepath.Dir(path)}, "no head": {path, "--known", "7"}, "one head for two": {path, path, "--known", known}, "another head": {path, "--known", "1:" + strings.Repeat("A", 43) + "="},
		"none named": {},
	} {
		if told, err := run(args...); err == nil {
			t.Errorf("%s: %s", name, told)
		}
	}
	if _, err := os.Stat(absent); err == nil {
		t.Error("a database was made by looking for it")
	}
	write(func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE audit SET outcome = 'denied'")
		return err
	})
	if told, err := run(path, path); err == nil || !strings.Contains(err.Error(), "ALTERED at leaf 0 aud_") {
		t.Errorf("an altered entry: %s, %v", told, err)
	}
	for _, d := range []string{"postgres://u:secret@h/d", "postgres://h/d?user=u&password=secret", "postgres://u:se@cret@h/d"} {
		if shown := withoutPassword(d); shown != "postgres://h/d" {
			t.Errorf("shown as %s", shown)
		}
	}
}
