package rpc_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	organv1 "huhang.example/gen/huhang/organ/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/referral"
	"huhang.example/services/referral/store"
)

const readerEnv = "HUHANG_TEST_READER"

// beReader follows the feed of its organisation and keeps each event with its cursor in a file, until it is killed or has seen
// the last one. What it keeps of an event is one line; a line that was cut off by its death it had not kept.
func beReader() int {
	file, as := os.Getenv(readerEnv+"_FILE"), access.Caller{Subject: "reader", Organisation: os.Getenv(readerEnv + "_ORGANISATION")}
	as.Roles = []access.Role{access.Coordinator}
	if as.Organisation == "OPS" {
		as.Roles = []access.Role{access.Operations}
	}
	kept, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 2
	}
	kept = kept[:bytes.LastIndexByte(kept, '\n')+1]
	cursor := ""
	if lines := bytes.Split(bytes.TrimSuffix(kept, []byte("\n")), []byte("\n")); len(kept) > 0 {
		cursor, _, _ = strings.Cut(string(lines[len(lines)-1]), " ")
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil || out.Truncate(int64(len(kept))) != nil {
		return 2
	}
	if _, err := out.Seek(0, io.SeekEnd); err != nil {
		return 2
	}
	conn, client, err := dial(os.Getenv(readerEnv))
	if err != nil {
		return 2
	}
	defer func() { _ = conn.Close() }()
	stream, err := client.FollowEvents(by(context.Background(), as), &referralv1.FollowEventsRequest{Cursor: cursor})
	last, _ := strconv.Atoi(os.Getenv(readerEnv + "_LAST"))
	for n := 1; err == nil; n++ {
		var got *referralv1.FollowEventsResponse
		if got, err = stream.Recv(); err == nil {
			if n == last && n%2 == 1 { // it dies with what it was given
				_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
			}
			e := got.GetEvent()
			_, err = fmt.Fprintf(out, "%s %s %d\n", e.GetCursor(), e.GetReferralId(), e.GetEntry().GetSequence())
			if n == last {
				_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
			}
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// feedCheck is what a reader has kept: of every case each event once, in order.
type feedCheck struct {
	next  map[string]int64
	total int
}

func (c *feedCheck) see(line string) error {
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return fmt.Errorf("line %q", line)
	}
	sequence, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil {
		return err
	}
	if want := c.next[fields[1]] + 1; sequence != want {
		return fmt.Errorf("case %s: event %d came where %d was due", fields[1], sequence, want)
	}
	c.next[fields[1]] = sequence
	c.total++
	return nil
}

func TestFeedCheckSeesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		lines string
		right bool
	}{
		{"a r1 1,b r1 2,c r2 1", true},
		{"a r1 1,b r1 3", false},        // lost
		{"a r1 1,b r1 1", false},        // doubled
		{"a r1 1,b r1 3,c r1 2", false}, // out of order
		{"a r1 2", false},
	} {
		check := feedCheck{next: map[string]int64{}}
		var err error
		for line := range strings.SplitSeq(c.lines, ",") {
			err = errors.Join(err, check.see(line))
		}
		if (err == nil) != c.right {
			t.Errorf("%s: %v", c.lines, err)
		}
	}
}

// reader is a process that is killed and started again until it has kept what there is.
type reader struct {
	organisation, file string
	want               int
	kills              int
	looked             int64
	lines              int
}

// kept counts the lines of the file, looking at what was added alone.
func (r *reader) kept() int {
	in, err := os.Open(r.file)
	if err != nil {
		return r.lines
	}
	defer func() { _ = in.Close() }()
	if _, err := in.Seek(r.looked, io.SeekStart); err != nil {
		return r.lines
	}
	added, _ := io.ReadAll(in)
	whole := int64(bytes.LastIndexByte(added, '\n') + 1)
	r.looked += whole
	r.lines += bytes.Count(added[:whole], []byte("\n"))
	return r.lines
}

// run kills by the clock, and lets each process kill itself at one of the next events: a fast machine has read all of them
// before the clock says anything.
func (r *reader) run(ctx context.Context, address string, most time.Duration) error {
	for {
		p := exec.CommandContext(ctx, os.Args[0])
		var said bytes.Buffer
		p.Stderr = &said
		p.Env = append(os.Environ(), readerEnv+"="+address, readerEnv+"_FILE="+r.file, readerEnv+"_ORGANISATION="+r.organisation,
			fmt.Sprintf("%s_LAST=%d", readerEnv, 1+rand.N(r.want/8)))
		if err := p.Start(); err != nil {
			return err
		}
		ended := make(chan struct{})
		go func() {
			_ = p.Wait()
			close(ended)
		}()
		life, cancel := context.WithTimeout(ctx, most/2+rand.N(most))
		// It dies at a random moment, but not before it has kept something: a slow machine may take long to start it.
		for had := r.kept(); ctx.Err() == nil && r.kept() < r.want && (life.Err() == nil || r.lines == had); {
			select {
			case <-ended:
				cancel()
				had = -1
			default:
				_ = clock.System().Sleep(ctx, 5*time.Millisecond)
			}
		}
		cancel()
		_ = p.Process.Kill()
		<-ended
		if status, is := p.ProcessState.Sys().(syscall.WaitStatus); !is || status.Signal() != syscall.SIGKILL {
			return fmt.Errorf("the reader ended by itself: %s", said.String())
		}
		r.kills++
		if r.kept() >= r.want || ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// followed has so many events written by several processes' worth of writers while readers are killed at random, and holds
// what each reader kept to the feed's promise.
func followed(t *testing.T, engine string, events, readers int, life time.Duration) {
	dsn, handles := sqldbtest.SQLite(t), 1
	if engine == sqldb.Postgres {
		dsn, handles = sqldbtest.Postgres(t), 3
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
	defer cancel()
	var services []*referral.Service
	var dbs []*sqldb.DB
	var stores []*store.Store
	for range handles {
		db := sqldbtest.Open(t, dsn, store.Migrations)
		dbs, stores = append(dbs, db), append(stores, store.New(db))
		services = append(services, referral.New(stores[len(stores)-1], &played{calls: map[string]int{}, fail: map[string]error{}}, clock.System(), id.Random()))
	}
	// The feed is served by another handle than those that write, where there are several: as by another instance.
	address, err := listen(services[handles-1], dbs[handles-1], nil)
	if err != nil {
		t.Fatal(err)
	}
	const perCase, hospitals = 40, 2
	cases := (events + perCase - 1) / perCase
	var all []*reader
	var reading, writing sync.WaitGroup
	for i := range readers {
		r := &reader{organisation: "OPS", file: filepath.Join(t.TempDir(), fmt.Sprint("kept-", i)), want: cases * perCase}
		if i%2 == 1 { // every second reads as one of the hospitals
			r.organisation, r.want = "H-A-1", (cases+1)/hospitals*perCase
		}
		all = append(all, r)
		reading.Go(func() {
			if err := r.run(ctx, address, life); err != nil {
				t.Errorf("%s: %v", r.organisation, err)
				cancel()
			}
		})
	}
	begun := clock.System().Now()
	work := make(chan int)
	for w := range 2 * handles {
		service := services[w%handles]
		st := stores[w%handles]
		writing.Go(func() {
			for n := range work {
				if err := writeCase(ctx, service, st, fmt.Sprintf("H-%c-1", 'A'+n%hospitals), n, perCase); err != nil {
					t.Errorf("case %d: %v", n, err)
					cancel()
				}
			}
		})
	}
	for n := range cases {
		work <- n
	}
	close(work)
	writing.Wait()
	wrote := clock.System().Now().Sub(begun)
	reading.Wait()
	kills := 0
	for _, r := range all {
		kills += r.kills
		check := feedCheck{next: map[string]int64{}}
		file, err := os.Open(r.file)
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if err := check.see(lines.Text()); err != nil {
				t.Fatalf("%s: %v", r.organisation, err)
			}
		}
		_ = file.Close()
		if check.total != r.want {
			t.Errorf("%s kept %d events of %d", r.organisation, check.total, r.want)
		}
	}
	if kills <= readers {
		t.Errorf("%d readers were killed %d times: nothing was shown", readers, kills)
	}
	t.Logf("%d events of %d cases in %s; %d readers, killed %d times", cases*perCase, cases, wrote.Round(time.Millisecond), readers, kills)
}

// writeCase writes one case's events: its opening, and the rest in changes of different lengths.
func writeCase(ctx context.Context, service *referral.Service, st *store.Store, organisation string, n, events int) error {
	ctx = access.With(ctx, access.Caller{Subject: "w", Organisation: organisation, Roles: []access.Role{access.Coordinator}})
	r, err := service.CreateReferral(ctx, referral.Opening{PatientID: fmt.Sprintf("pat_%026d", n), Organ: organv1.Organ_ORGAN_LIVER.String()[6:], Urgency: "ROUTINE"},
		referral.Registrar{Registered: referral.Registered{PatientID: fmt.Sprintf("pat_%026d", n), Organisation: organisation}})
	for left := events - 1; err == nil && left > 0; {
		k := min(left, 1+(n+left)%6)
		left -= k
		_, err = st.Update(ctx, r.ID, "", func(r *referral.Referral) error {
			for range k {
				r.Remark("NEEDS_ATTENTION", referral.Act{At: start})
			}
			return nil
		})
		service.Committed()
	}
	return err
}

// A short run of the soak's.
func TestFeedWithKilledReaders(t *testing.T) {
	for _, engine := range []string{sqldb.SQLite, sqldb.Postgres} {
		t.Run(engine, func(t *testing.T) { followed(t, engine, 1200, 2, 500*time.Millisecond) })
	}
}
