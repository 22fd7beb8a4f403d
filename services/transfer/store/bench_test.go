package store

import (
	"context"
	"strconv"
	"testing"
	"time"

	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/transfer/pool"
)

// BenchmarkHold takes a bed and an operating room of one of ten centers, each time at another hour.
func BenchmarkHold(b *testing.B) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": sqldbtest.SQLite, "postgres": sqldbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			db := sqldbtest.Open(b, dsn(b), Migrations, sqldbtest.With(func(c *sqldb.Config) { c.MaxConns = 8 }))
			s := New(db)
			for c := range 10 {
				for i := range 9 {
					kind := pool.Bed
					if i >= 6 {
						kind = pool.OperatingRoom
					}
					r := pool.Resource{ID: ids.New("res"), Organisation: "C-" + strconv.Itoa(c), Kind: kind, Label: strconv.Itoa(i)}
					if err := s.AddResource(b.Context(), r); err != nil {
						b.Fatal(err)
					}
				}
			}
			n := 0
			for b.Loop() {
				start := now.Add(time.Duration(n*37%16_000) * time.Hour)
				need := func(kind pool.Kind) pool.Need {
					return pool.Need{Organisation: "C-" + strconv.Itoa(n%10), Kind: kind, Interval: pool.Interval{Start: start, End: start.Add(time.Hour)}}
				}
				h := pool.Hold{ID: ids.New("hld"), ReferralID: ids.New("ref"), Organisation: "C-0", Status: pool.Held, Expire: now.Add(time.Hour)}
				if _, err := s.Hold(context.Background(), h, []pool.Need{need(pool.Bed), need(pool.OperatingRoom)}, now); err != nil {
					b.Fatal(err)
				}
				n++
			}
		})
	}
}
