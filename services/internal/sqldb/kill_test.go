package sqldb_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

// victimEnv makes this test binary the process that is killed.
const victimEnv = "HUHANG_TEST_KILL_DSN"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(victimEnv); dsn != "" {
		victim(dsn, os.Getenv(victimEnv+"_ROUND"))
		return
	}
	os.Exit(m.Run())
}

// victim writes rows with a job each and tells every commit, until it is killed.
func victim(dsn, round string) {
	ctx := context.Background()
	db, err := sqldb.Open(ctx, sqldb.Config{DSN: dsn, MaxConns: 4})
	for i := 0; err == nil; i++ {
		id := fmt.Sprintf("%s-%d", round, i)
		err = db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			if err := insert(ctx, tx, id, 1); err != nil {
				return err
			}
			return tx.Enqueue(ctx, mark{id})
		})
		if err == nil {
			fmt.Println(id)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	const rounds = 4
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
		sqldbtest.Open(t, dsn, migrations).Close()
		var acknowledged []string
		for round := range rounds {
			process := exec.CommandContext(t.Context(), os.Args[0])
			process.Env = append(os.Environ(), victimEnv+"="+dsn, fmt.Sprintf("%s_ROUND=r%d", victimEnv, round))
			process.Stderr = os.Stderr
			out, err := process.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := process.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			for n := 0; lines.Scan(); n++ {
				acknowledged = append(acknowledged, lines.Text())
				if n == 20+round*7 {
					if err := process.Process.Kill(); err != nil {
						t.Fatal(err)
					}
				}
			}
			_ = process.Wait() // killed
		}
		if len(acknowledged) < rounds*20 {
			t.Fatalf("only %d commits", len(acknowledged))
		}

		db := sqldbtest.Open(t, dsn, migrations)
		var s seen
		start(t, db, func(_ context.Context, args mark) error { s.add(args.Name); return nil })
		sqldbtest.Idle(t, db)
		stored := count(t, db)
		for _, id := range acknowledged {
			if s.times(id) == 0 {
				t.Errorf("%s was acknowledged, its job never ran", id)
			}
		}
		// A row without its job, or the other way round, would make these differ.
		if stored < len(acknowledged) || stored != s.total() {
			t.Errorf("%d acknowledged, %d rows, %d jobs", len(acknowledged), stored, s.total())
		}
	})
}

func BenchmarkWriteAndEnqueue(b *testing.B) {
	for _, engine := range []struct {
		name string
		dsn  func(testing.TB) string
	}{{"sqlite", sqldbtest.SQLite}, {"postgres", sqldbtest.Postgres}} {
		b.Run(engine.name, func(b *testing.B) {
			db := sqldbtest.Open(b, engine.dsn(b), migrations, sqldbtest.With(func(conf *sqldb.Config) { conf.MaxConns = 16 }))
			b.SetParallelism(8)
			b.ResetTimer()
			next := make(chan int, 1)
			next <- 0
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := <-next
					next <- i + 1
					err := db.Write(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
						if err := insert(ctx, tx, fmt.Sprint(i), 1); err != nil {
							return err
						}
						return tx.Enqueue(ctx, mark{"b"})
					})
					if err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
