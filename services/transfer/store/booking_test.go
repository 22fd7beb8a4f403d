package store

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/transfer/pool"
)

const bookers = 64

var (
	now = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	ids = id.Random()
)

// contest lets 64 bookers want the same hours at the same time, rounds times, and returns the holds that were promised.
func contest(t *testing.T, s *Store, rounds int, needs func(round, booker int) []pool.Need, confirm bool) map[string]pool.Hold {
	t.Helper()
	promised := map[string]pool.Hold{}
	var mu sync.Mutex
	for round := range rounds {
		start := make(chan struct{})
		var wait sync.WaitGroup
		for booker := range bookers {
			wait.Go(func() {
				<-start
				h := pool.Hold{ID: ids.New("hld"), ReferralID: ids.New("ref"), Organisation: "C-SH-01", Status: pool.Held, Expire: now.Add(time.Hour)}
				h, err := s.Hold(context.Background(), h, needs(round, booker), now)
				if err == nil && confirm {
					h, err = s.UpdateHold(context.Background(), h.ID, func(h *pool.Hold) error { return h.Confirm(now) })
				}
				if err != nil {
					if !fault.Is(err, fault.ResourceTaken) {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				defer mu.Unlock()
				promised[h.ID] = h
			})
		}
		close(start)
		wait.Wait()
	}
	return promised
}

// overlaps looks at every pair of live reservations of every unit, straight in the table.
func overlaps(t *testing.T, db *sqldb.DB) (pairs, live int) {
	t.Helper()
	err := db.Read(t.Context(), func(ctx context.Context, q sqldb.Querier) error {
		err := q.QueryRow(ctx, `SELECT count(*) FROM reservation a JOIN reservation b ON a.resource_id = b.resource_id
			AND (a.hold_id < b.hold_id OR a.hold_id = b.hold_id AND a.position < b.position)
			AND a.start_at < b.end_at AND b.start_at < a.end_at WHERE a.live AND b.live`).Scan(&pairs)
		if err != nil {
			return err
		}
		return q.QueryRow(ctx, "SELECT count(*) FROM reservation WHERE live").Scan(&live)
	})
	if err != nil {
		t.Fatal(err)
	}
	return pairs, live
}

func bed(round, from, to int) pool.Need {
	day := now.AddDate(0, 0, round)
	return pool.Need{Organisation: "C-SH-01", Kind: pool.Bed, Interval: pool.Interval{
		Start: day.Add(time.Duration(from) * time.Hour), End: day.Add(time.Duration(to) * time.Hour),
	}}
}

func open(t *testing.T, test func(t *testing.T, db *sqldb.DB)) {
	sqldbtest.Each(t, Migrations, test, sqldbtest.With(func(c *sqldb.Config) { c.MaxConns = 16 }))
}

func addUnits(t *testing.T, s *Store, kind pool.Kind, n int) {
	t.Helper()
	for i := range n {
		r := pool.Resource{ID: ids.New("res"), Organisation: "C-SH-01", Kind: kind, Label: fmt.Sprint(i)}
		if err := s.AddResource(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOneBedIsNeverBookedTwice(t *testing.T) {
	const rounds = 12
	open(t, func(t *testing.T, db *sqldb.DB) {
		s := New(db)
		addUnits(t, s, pool.Bed, 1)
		promised := contest(t, s, rounds, func(round, _ int) []pool.Need { return []pool.Need{bed(round, 0, 24)} }, true)
		pairs, live := overlaps(t, db)
		if pairs != 0 || live != rounds || len(promised) != rounds {
			t.Fatalf("%d overlapping pairs, %d live, %d promised in %d rounds", pairs, live, len(promised), rounds)
		}
		kept(t, s, promised, pool.Confirmed)
	})
}

func TestSeveralUnitsAreTakenTogetherOrNotAtAll(t *testing.T) {
	const rounds = 8
	open(t, func(t *testing.T, db *sqldb.DB) {
		s := New(db)
		addUnits(t, s, pool.Bed, 3)
		addUnits(t, s, pool.OperatingRoom, 2)
		needs := func(round, booker int) []pool.Need {
			from := booker % 5
			room := bed(round, from, from+2)
			room.Kind = pool.OperatingRoom
			needs := []pool.Need{bed(round, from, from+6), room}
			if booker%3 == 0 {
				needs = append(needs, bed(round, from+1, from+3))
			}
			if booker%2 == 0 {
				needs[0], needs[1] = needs[1], needs[0]
			}
			return needs
		}
		promised := contest(t, s, rounds, needs, false)
		pairs, live := overlaps(t, db)
		want := 0
		for _, h := range promised {
			want += len(h.Reservations)
		}
		if pairs != 0 || live != want || len(promised) < rounds {
			t.Fatalf("%d overlapping pairs, %d live reservations, %d promised", pairs, live, want)
		}
		kept(t, s, promised, pool.Held)
	})
}

// kept checks that whatever was promised to a caller stands as it was promised.
func kept(t *testing.T, s *Store, promised map[string]pool.Hold, status pool.Status) {
	t.Helper()
	for id, h := range promised {
		got, err := s.GetHold(t.Context(), id)
		if err != nil || got.Status != status || len(got.Reservations) != len(h.Reservations) {
			t.Fatalf("promised %+v, kept %+v, %v", h, got, err)
		}
		for i, r := range got.Reservations {
			if !reflect.DeepEqual(r, h.Reservations[i]) {
				t.Fatalf("promised %+v, kept %+v", h.Reservations[i], r)
			}
		}
	}
}

// The control: without the locks the same contest books a bed twice, so the test above can fail. SQLite has one writer
// at a time and needs no lock; PostgreSQL does.
func TestWithoutTheLockABedIsBookedTwice(t *testing.T) {
	db := sqldbtest.Open(t, sqldbtest.Postgres(t), Migrations, sqldbtest.With(func(c *sqldb.Config) { c.MaxConns = 16 }))
	s := New(db)
	s.unlocked = true
	addUnits(t, s, pool.Bed, 1)
	for range 20 {
		contest(t, s, 3, func(round, _ int) []pool.Need { return []pool.Need{bed(round, 0, 24)} }, false)
		if pairs, _ := overlaps(t, db); pairs > 0 {
			return
		}
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM reservation")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("no double booking without the lock: the test for it proves nothing")
}
