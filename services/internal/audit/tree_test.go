package audit_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/audit"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

func appendEntries(t *testing.T, db *sqldb.DB, from, n int) {
	t.Helper()
	ctx := access.With(t.Context(), access.Caller{Subject: "li", Organisation: "C-BJ-01", Service: "gateway"})
	for i := from; i < from+n; {
		err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			for range min(60, from+n-i) {
				if err := audit.Append(ctx, tx, audit.Entry{Action: "/huhang.test/Do", Resource: fmt.Sprintf("pat_%d", i), Outcome: audit.Done, RequestHash: []byte{byte(i)}}); err != nil {
					return err
				}
				i++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func extended(t *testing.T, db *sqldb.DB) audit.Known {
	t.Helper()
	h, err := audit.Extend(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return audit.Known{Size: h.Size, Root: h.Root}
}

func verified(t *testing.T, db *sqldb.DB, known *audit.Known) audit.Verified {
	t.Helper()
	v, err := audit.Verify(t.Context(), db, known)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The first place where somebody laid hands on the log is found, whatever was done.
func TestTamperingIsFound(t *testing.T) {
	const size = 1203 // more than two batches
	node := func(leaf int64) string { return fmt.Sprint(tlog.StoredHashIndex(0, leaf)) }
	tests := map[string]struct {
		sql    []string
		damage audit.Damage
		leaf   int64
	}{
		"nothing (the control)":        {nil, "", 0},
		"who":                          {[]string{"UPDATE audit SET subject = 'wang' WHERE leaf = 7"}, audit.Altered, 7},
		"when":                         {[]string{"UPDATE audit SET at = at + 1 WHERE leaf = 7"}, audit.Altered, 7},
		"what":                         {[]string{"UPDATE audit SET action = '/huhang.test/Other' WHERE leaf = 7"}, audit.Altered, 7},
		"to whom":                      {[]string{"UPDATE audit SET resource = 'pat_8' WHERE leaf = 7"}, audit.Altered, 7},
		"how it ended":                 {[]string{"UPDATE audit SET outcome = 'denied' WHERE leaf = 7"}, audit.Altered, 7},
		"the last of all":              {[]string{"UPDATE audit SET trace_id = 'x' WHERE leaf = 1202"}, audit.Altered, 1202},
		"an entry is gone":             {[]string{"DELETE FROM audit WHERE leaf = 7"}, audit.Removed, 7},
		"the last is gone":             {[]string{"DELETE FROM audit WHERE leaf = 1202"}, audit.Removed, 1202},
		"an entry loses its leaf":      {[]string{"UPDATE audit SET leaf = -1 WHERE leaf = 7"}, audit.Removed, 7},
		"two change places":            {[]string{"UPDATE audit SET leaf = 9999 WHERE leaf = 7", "UPDATE audit SET leaf = 7 WHERE leaf = 8", "UPDATE audit SET leaf = 8 WHERE leaf = 9999"}, audit.Altered, 7},
		"one is put in behind":         {[]string{"UPDATE audit SET leaf = 1203 WHERE leaf = -1"}, audit.Added, 1203},
		"an entry and its leaf's hash": {[]string{"UPDATE audit SET subject = 'wang' WHERE leaf = 7", "UPDATE audit_node SET hash = (SELECT hash FROM audit_node WHERE node = " + node(8) + ") WHERE node = " + node(7)}, audit.Altered, 7},
		"a leaf's hash alone":          {[]string{"DELETE FROM audit_node WHERE node = " + node(7)}, audit.Altered, 7},
		"the root":                     {[]string{"UPDATE audit_head SET root = (SELECT hash FROM audit_node WHERE node = 0)"}, audit.Inside, 1203},
		"the head is gone":             {[]string{"DELETE FROM audit_head"}, audit.Added, 0},
		"the head goes back":           {[]string{"UPDATE audit_head SET size = 1202"}, audit.Inside, 1202},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			sqldbtest.Each(t, nil, func(t *testing.T, db *sqldb.DB) {
				appendEntries(t, db, 0, size)
				known := extended(t, db)
				appendEntries(t, db, size, 1)
				if known.Size != size {
					t.Fatalf("%d of %d have a leaf", known.Size, size)
				}
				for _, sql := range test.sql {
					err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
						n, err := tx.Exec(ctx, sql)
						if err == nil && n == 0 {
							err = fmt.Errorf("nothing changed by %s", sql)
						}
						return err
					})
					if err != nil {
						t.Fatal(err)
					}
				}
				v := verified(t, db, nil)
				if test.damage == "" {
					if v.Break != nil || v.Head.Size != size || v.Waiting != 1 || v.Oldest.IsZero() {
						t.Fatalf("a log as it was written: %+v, %v", v, v.Break)
					}
					return
				}
				if v.Break == nil || v.Break.Damage != test.damage || v.Break.Leaf != test.leaf {
					t.Fatalf("found %v", v.Break)
				}
			})
		})
	}
}

// Whoever rewrites the whole log makes it agree with itself, not with a head that was kept outside.
func TestAKnownHead(t *testing.T) {
	sqldbtest.Each(t, nil, func(t *testing.T, db *sqldb.DB) {
		empty := extended(t, db)
		var kept []audit.Known
		for i, n := range []int{1, 2, 61, 64, 500, 3} {
			appendEntries(t, db, i*1000, n)
			kept = append(kept, extended(t, db))
		}
		for _, k := range append(kept, empty) {
			if again, err := audit.ParseKnown(k.String()); err != nil || again != k {
				t.Fatalf("%s: %v, %v", k, again, err)
			}
			if v := verified(t, db, &k); v.Break != nil {
				t.Fatalf("known at %d: %v", k.Size, v.Break)
			}
		}
		last := kept[len(kept)-1]
		longer := audit.Known{Size: last.Size + 1, Root: last.Root}
		if v := verified(t, db, &longer); v.Break == nil || v.Break.Damage != audit.Cut {
			t.Errorf("a head of more than there is: %v", v.Break)
		}
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			for _, sql := range []string{
				"UPDATE audit SET subject = 'wang' WHERE leaf = 70", "UPDATE audit SET leaf = -1", "DELETE FROM audit_node",
				"UPDATE audit_head SET size = 0",
			} {
				if _, err := tx.Exec(ctx, sql); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if again := extended(t, db); again.Size != last.Size || again.Root == last.Root {
			t.Fatalf("rewritten to %s, was %s", again, last)
		}
		if v := verified(t, db, nil); v.Break != nil {
			t.Errorf("it does not agree with itself: %v", v.Break)
		}
		for _, k := range kept {
			v := verified(t, db, &k)
			if before := k.Size <= 70; before != (v.Break == nil) || !before && v.Break.Damage != audit.Rewritten {
				t.Errorf("known at %d: %v", k.Size, v.Break)
			}
		}
		for _, wrong := range []string{"", "5", "x:" + last.Root.String(), "-1:" + last.Root.String(), "5:abc"} {
			if _, err := audit.ParseKnown(wrong); err == nil {
				t.Errorf("%q is taken for a head", wrong)
			}
		}
	})
}

// While entries come and several give leaves, each entry gets one, and the log can be verified at any time.
func TestExtendBesideOthers(t *testing.T) {
	sqldbtest.Each(t, nil, func(t *testing.T, db *sqldb.DB) {
		var all sync.WaitGroup
		for w := range 3 {
			all.Go(func() { appendEntries(t, db, w*1000, 150) })
		}
		for range 2 {
			all.Go(func() {
				for range 15 {
					if _, err := audit.Extend(t.Context(), db); err != nil {
						t.Error(err)
					}
					if v, err := audit.Verify(t.Context(), db, nil); err != nil || v.Break != nil {
						t.Errorf("%v, %v", v.Break, err)
					}
				}
			})
		}
		all.Wait()
		if h := extended(t, db); h.Size != 450 {
			t.Errorf("%d leaves", h.Size)
		}
		if v := verified(t, db, nil); v.Break != nil || v.Waiting != 0 {
			t.Errorf("%+v, %v", v, v.Break)
		}
	})
}

// The form in which entries are hashed holds for every log ever written.
func TestFormOfTheLog(t *testing.T) {
	sqldbtest.Each(t, nil, func(t *testing.T, db *sqldb.DB) {
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			for i := range 3 {
				_, err := tx.Exec(ctx, `INSERT INTO audit (id, at, subject, organisation, service, action, resource, outcome, request_hash, trace_id)
					VALUES ($1, $2, '李', 'C-BJ-01', '', '/a/B', 'pat_1', 'done', $3, '0af7')`, fmt.Sprintf("aud_%d", i), clock.Micros(time.Date(2026, 11, 29, 1, 2, 3, 4000, time.UTC)), []byte{1, byte(i)})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		const golden = "3:4L25c6s+liJlCiWebuRsAlqZOnl68uScyr/AtygIVQs="
		if k := extended(t, db); k.String() != golden {
			t.Errorf("%s, was %s", k, golden)
		}
	})
}
