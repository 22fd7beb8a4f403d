package rpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/referral"
	"huhang.example/services/referral/store"
)

const sagaEnv = "HUHANG_TEST_SAGA"

// doomed is where a process dies: at each boundary it comes to for the first time in the case's life. The boundaries it died
// at stand in a file.
type doomed struct {
	mu   sync.Mutex
	file string
	seen string
}

func (d *doomed) at(boundary string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if strings.Contains(d.seen, "\n"+boundary+"\n") {
		return
	}
	out, err := os.OpenFile(d.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = out.WriteString(boundary + "\n")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	self, _ := os.FindProcess(os.Getpid())
	_ = self.Kill() // no deferred call, no goodbye
	select {}
}

// at tells which step is at work: a job, or a call.
func step(ctx context.Context) string {
	if j, ok := sqldb.JobFrom(ctx); ok {
		return j.Kind
	}
	if m, ok := grpc.Method(ctx); ok {
		return m[strings.LastIndexByte(m, '/')+1:]
	}
	return "?"
}

// brittle is a store whose process dies before a change, and after a job's was committed.
type brittle struct {
	referral.Store
	d  *doomed
	db *sqldb.DB
	// forgotten is the control: what gives a bed back is no job of the change, but done after its commit by whoever is still
	// there.
	forgotten *forgotten
}

type forgotten struct {
	mu      sync.Mutex
	jobs    []referral.Job
	release func(ctx context.Context, j referral.Job) error
}

func (b brittle) Update(ctx context.Context, referralID, etag string, change func(*referral.Referral) error) (*referral.Referral, error) {
	b.d.at(step(ctx) + " before its change")
	update := b.Store.Update
	if b.forgotten != nil {
		update = b.forgetful
	}
	r, err := update(ctx, referralID, etag, change)
	if _, job := sqldb.JobFrom(ctx); job && err == nil {
		b.d.at(step(ctx) + " after its change was committed")
		b.remember(ctx)
	}
	return r, err
}

func (b brittle) forgetful(ctx context.Context, referralID, etag string, change func(*referral.Referral) error) (r *referral.Referral, err error) {
	err = b.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if r, err = b.Store.Update(ctx, referralID, etag, change); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, "SELECT args FROM river_job WHERE kind = 'referral_release' AND state = 'available'")
		if err != nil {
			return err
		}
		for rows.Next() {
			var text []byte
			var j referral.Job
			if err := rows.Scan(&text); err != nil {
				return err
			}
			if err := json.Unmarshal(text, &j); err != nil {
				return err
			}
			b.forgotten.mu.Lock()
			b.forgotten.jobs = append(b.forgotten.jobs, j)
			b.forgotten.mu.Unlock()
		}
		rows.Close()
		_, err = tx.Exec(ctx, "DELETE FROM river_job WHERE kind = 'referral_release' AND state = 'available'")
		return err
	})
	return r, err
}

func (b brittle) remember(ctx context.Context) {
	if b.forgotten == nil {
		return
	}
	b.forgotten.mu.Lock()
	jobs := b.forgotten.jobs
	b.forgotten.jobs = nil
	b.forgotten.mu.Unlock()
	for _, j := range jobs {
		_ = b.forgotten.release(ctx, j)
	}
}

// beSaga serves a referral service over the database until it dies at a boundary.
func beSaga() int {
	ctx := context.Background()
	env := func(name string) string { return os.Getenv(sagaEnv + "_" + name) }
	seen, _ := os.ReadFile(env("FILE"))
	d := &doomed{file: env("FILE"), seen: "\n" + string(seen)}
	db, err := sqldb.Open(ctx, sqldb.Config{DSN: os.Getenv(sagaEnv), MaxConns: 4, PollInterval: 20 * time.Millisecond, Service: "referral", Instance: "referral-1"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	client := &http.Client{Timeout: 10 * time.Second}
	peers := worldPeers{now: clock.System().Now, centers: []string{"C-SH-01", "C-NJ-01"}, ask: func(ctx context.Context, q asked) (said, error) {
		where := step(ctx) + ": " + q.Call
		d.at(where + " before it was asked")
		body, _ := json.Marshal(q)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, env("WORLD"), bytes.NewReader(body))
		if err != nil {
			return said{}, err
		}
		res, err := client.Do(req)
		if err != nil {
			return said{}, err
		}
		defer func() { _ = res.Body.Close() }()
		var a struct {
			Said   said
			Reason string
		}
		if err := json.NewDecoder(res.Body).Decode(&a); err != nil {
			return said{}, err
		}
		d.at(where + " done, its answer lost")
		if a.Reason != "" {
			return said{}, fault.New(fault.FailedPrecondition, fault.Reason(a.Reason), "", a.Reason, a.Reason)
		}
		return a.Said, nil
	}}
	st := brittle{Store: store.New(db), d: d, db: db}
	if env("CONTROL") != "" {
		st.forgotten = &forgotten{}
	}
	service := referral.New(st, peers, clock.System(), id.Random())
	if st.forgotten != nil {
		st.forgotten.release = service.Release
	}
	address, err := listen(service, db, func(method string) {
		d.at(method[strings.LastIndexByte(method, '/')+1:] + " committed, its answer lost")
		st.remember(ctx)
	})
	if err == nil {
		err = db.StartJobs(ctx, store.Workers(service))
	}
	if err == nil {
		err = os.WriteFile(env("FILE")+".address.new", []byte(address), 0o600)
	}
	if err == nil {
		err = os.Rename(env("FILE")+".address.new", env("FILE")+".address")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	select {}
}

// killedAtEveryBoundary runs a case over a process that is killed (-9) at each boundary of each of its steps, once each.
func killedAtEveryBoundary(t *testing.T, dsn string, run func(*saga)) []string {
	t.Helper()
	s := newSaga(t, dsn, false)
	run(s)
	if left := s.ends(time.Minute); len(left) > 0 {
		t.Errorf("%s; it died at %v", strings.Join(left, ", "), s.died())
	}
	died := s.died()
	t.Logf("killed %d times, at: %s", len(died), strings.Join(died, "; "))
	return died
}

func TestSagaKilledAtEveryBoundary(t *testing.T) {
	died := killedAtEveryBoundary(t, sqldbtest.Postgres(t), (*saga).withdrawn)
	for _, boundary := range []string{
		"referral_match: match done, its answer lost", "referral_match after its change was committed", "referral_ask: grant before it was asked",
		"referral_ask: offer done, its answer lost", "referral_file: file done, its answer lost", "BookAdmission: confirm done, its answer lost",
		"BookAdmission committed, its answer lost", "referral_release: release before it was asked", "referral_release: release done, its answer lost",
		"referral_withdraw: withdraw done, its answer lost", "referral_abort: abort done, its answer lost", "referral_revoke: revoke before it was asked",
		"CloseReferral before its change", "CloseReferral committed, its answer lost", "RecordCourse committed, its answer lost",
	} {
		if !slices.Contains(died, boundary) {
			t.Errorf("it never died at %q", boundary)
		}
	}
}

// The control: where the bed is released by whoever is still there after the commit, the same kills leave it held for nobody.
func TestForgetfulSagaHoldsABedForNobody(t *testing.T) {
	s := newSaga(t, sqldbtest.Postgres(t), true)
	s.lost()
	if left := s.ends(2 * time.Second); !slices.ContainsFunc(left, func(l string) bool { return strings.HasPrefix(l, "hold ") }) {
		t.Errorf("nothing was held for nobody: %v", left)
	}
}
