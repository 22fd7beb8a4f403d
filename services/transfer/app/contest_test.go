package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/pool"
	"huhang.example/services/transfer/rpc"
	"huhang.example/services/transfer/store"
	"huhang.example/services/transfer/timetable"
)

// Sixty-four clients in four processes want one bed, hour after hour, while processes are killed with -9 and, on
// PostgreSQL, connections are cut at any byte, so that a commit's answer is lost. A client sends a call again under its
// key until it has an answer. What it was told goes through a pipe to a parent that is never killed, which holds the
// database to it at the end.
const (
	contestEnv = "HUHANG_TRANSFER_CONTEST" // dsn, first client, rounds and where each client goes on
	processes  = 4
	perProcess = 16
	theBed     = "C-SH-01"
)

// contestBase is when the bed is first wanted, within what a hold may ask for.
func contestBase() time.Time {
	return clock.System().Now().Truncate(24 * time.Hour).Add(48 * time.Hour)
}

// TestContestChild is a process of the contest, and nothing when it is run as a test.
func TestContestChild(t *testing.T) {
	orders := os.Getenv(contestEnv)
	if orders == "" {
		return
	}
	parts := strings.Split(orders, "\n")
	first, _ := strconv.Atoi(parts[1])
	rounds, _ := strconv.Atoi(parts[2])
	base, _ := strconv.ParseInt(parts[3], 10, 64)
	var db *sqldb.DB
	// The connection may be cut here too. Few connections: the server is others' as well.
	err := insist(t.Context(), rand.New(rand.NewPCG(1, uint64(first))), func() (err error) {
		db, err = sqldb.Open(t.Context(), sqldb.Config{DSN: parts[0], MaxConns: 5})
		return err
	})
	if err != nil {
		return
	}
	defer db.Close()
	service := transfer.New(store.New(db), nil, planner.New(timetable.Empty(), planner.CurrentRules()), clock.System(), id.Random())
	c := &contestant{server: rpc.New(service, db), base: time.UnixMicro(base)}
	var wait sync.WaitGroup
	for i := range perProcess {
		from, _ := strconv.Atoi(parts[4+i])
		wait.Go(func() { c.run(t.Context(), first+i, from, rounds) })
	}
	wait.Wait()
}

type contestant struct {
	server *rpc.Server
	base   time.Time
	out    sync.Mutex
}

func (c *contestant) say(format string, args ...any) {
	c.out.Lock()
	defer c.out.Unlock()
	fmt.Printf(format+"\n", args...)
}

// run books or is refused each hour once. Every eighth client lets its hold run out now and then.
func (c *contestant) run(ctx context.Context, client, from, rounds int) {
	ctx = access.With(ctx, access.Caller{Service: "contest-" + strconv.Itoa(client), Roles: []access.Role{access.Service}})
	random := rand.New(rand.NewPCG(uint64(client), uint64(from)))
	for round := from; round < rounds; round++ {
		start := c.base.Add(time.Duration(round) * time.Hour)
		lazy := client%8 == 0 && random.IntN(2) == 0
		key, expire := fmt.Sprintf("contest-%d-%d", client, round), c.base.Add(-time.Hour)
		if lazy {
			// Each time another key: a process begun anew at this round throws the same dice, and asks for another time.
			key, expire = fmt.Sprintf("lazy-%d-%d-%d-%d", client, round, os.Getpid(), random.Uint64()), clock.System().Now().Add(30*time.Millisecond)
		}
		var held *transferv1.HoldResourcesResponse
		err := insist(ctx, random, func() (err error) {
			held, err = c.server.HoldResources(ctx, &transferv1.HoldResourcesRequest{
				RequestId: "hold-" + key, ReferralId: fmt.Sprintf("ref_%026d", client), Organisation: theBed, ExpireTime: timestamppb.New(expire),
				Needs: []*transferv1.Need{{Organisation: theBed, Kind: transferv1.ResourceKind_RESOURCE_KIND_BED, StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(time.Hour))}},
			})
			return err
		})
		switch {
		case fault.Is(err, fault.ResourceTaken), fault.Is(err, fault.TimeInvalid): // a lazy client too slow to be served in time
			c.say("t %d %d", client, round)
			continue
		case err != nil:
			c.say("! %v", err)
			return
		}
		if lazy {
			_ = clock.System().Sleep(ctx, time.Duration(random.IntN(60))*time.Millisecond)
		}
		holdID := held.GetHold().GetHoldId()
		err = insist(ctx, random, func() error {
			_, err := c.server.ConfirmHold(ctx, &transferv1.ConfirmHoldRequest{RequestId: "conf-" + key, HoldId: holdID})
			return err
		})
		switch {
		case fault.Is(err, fault.HoldExpired):
			c.say("x %d %d", client, round)
		case err != nil:
			c.say("! %v", err)
			return
		default:
			c.say("c %d %d %s", client, round, holdID)
		}
	}
}

// insist asks until there is an answer: a refusal of the pool, or none.
func insist(ctx context.Context, random *rand.Rand, ask func() error) error {
	for {
		err := ask()
		for _, reason := range []fault.Reason{fault.ResourceTaken, fault.HoldExpired, fault.TimeInvalid, fault.RequestIDReused, fault.WrongState} {
			if err == nil || fault.Is(err, reason) {
				return err
			}
		}
		if stop := clock.System().Sleep(ctx, time.Duration(1+random.IntN(20))*time.Millisecond); stop != nil {
			return stop
		}
	}
}

// contestParent runs the processes and remembers what they were told.
type contestParent struct {
	t        *testing.T
	mu       sync.Mutex
	next     [processes * perProcess]int
	promised map[string]int // hold by round
	taken    int
	expired  int
	kills    int
	end      time.Time
}

// contest ends after the rounds, or a while, whichever is first.
func contest(t *testing.T, dsn string, rounds int, every, during time.Duration) {
	db := sqldbtest.Open(t, dsn, store.Migrations)
	kept := store.New(db)
	if err := kept.AddResource(t.Context(), pool.Resource{ID: id.Random().New("res"), Organisation: theBed, Kind: pool.Bed, Label: "示范床位"}); err != nil {
		t.Fatal(err)
	}
	p := &contestParent{t: t, promised: map[string]int{}}
	through, cuts := dsn, &atomic.Int64{}
	if strings.HasPrefix(dsn, "postgres") {
		through, cuts = cutter(t, dsn)
	}
	base := contestBase()
	p.end = clock.System().Now().Add(during)
	var wait sync.WaitGroup
	for n := range processes {
		wait.Go(func() {
			for p.process(n, through, rounds, base, every) {
			}
		})
	}
	wait.Wait()
	rounds = slices.Min(p.next[:]) // that everybody has asked for
	p.check(db, rounds, base)
	t.Logf("%d rounds: %d bookings promised, %d refusals, %d holds run out, %d kills, %d connections cut",
		rounds, len(p.promised), p.taken, p.expired, p.kills, cuts.Load())
	if p.kills == 0 {
		t.Error("nothing was killed")
	}
}

// process runs one until it is killed, and reports whether it has to go on.
func (p *contestParent) process(n int, dsn string, rounds int, base time.Time, every time.Duration) bool {
	orders := []string{dsn, strconv.Itoa(n * perProcess), strconv.Itoa(rounds), strconv.FormatInt(base.UnixMicro(), 10)}
	p.mu.Lock()
	left := false
	for _, from := range p.next[n*perProcess : (n+1)*perProcess] {
		orders, left = append(orders, strconv.Itoa(from)), left || from < rounds
	}
	p.mu.Unlock()
	if !left || p.t.Failed() || clock.System().Now().After(p.end) {
		return false
	}
	self, err := os.Executable()
	if err != nil {
		p.t.Error(err)
		return false
	}
	child := exec.CommandContext(p.t.Context(), self, "-test.run=^TestContestChild$")
	child.Env = append(os.Environ(), contestEnv+"="+strings.Join(orders, "\n"))
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		p.t.Error(err)
		return false
	}
	ended, begun := make(chan struct{}), make(chan struct{})
	go func() {
		// Nobody is killed before saying something: the contest goes on however slow the machine is.
		select {
		case <-ended:
			return
		case <-begun:
		}
		select {
		case <-ended:
		case <-clock.System().NewTimer(every/2 + rand.N(every)).C():
			p.mu.Lock()
			p.kills++
			p.mu.Unlock()
			_ = child.Process.Kill()
		}
	}()
	lines, once := bufio.NewScanner(out), sync.Once{}
	for lines.Scan() {
		if p.hear(lines.Text()) {
			once.Do(func() { close(begun) })
		}
	}
	close(ended)
	_ = child.Wait()
	return true
}

// hear reports whether the line told of a round.
func (p *contestParent) hear(line string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	var client, round int
	var kind, hold string
	if n, _ := fmt.Sscanf(line, "%s %d %d %s", &kind, &client, &round, &hold); n < 3 {
		if strings.HasPrefix(line, "!") {
			p.t.Error(line)
		}
		return false // the test framework's own words
	}
	switch kind {
	case "c":
		if hold == "" {
			return false // cut short by the kill: not heard
		}
		p.promised[hold] = round
	case "t":
		p.taken++
	case "x":
		p.expired++
	default:
		return false
	}
	p.next[client] = round + 1
	return true
}

// check is exact: each promise stands as it was given, and no two live reservations of the bed overlap.
func (p *contestParent) check(db *sqldb.DB, rounds int, base time.Time) {
	kept := store.New(db)
	seen := map[int]string{}
	for hold, round := range p.promised {
		h, err := kept.GetHold(context.Background(), hold)
		start := base.Add(time.Duration(round) * time.Hour)
		if err != nil || h.Status != pool.Confirmed || len(h.Reservations) != 1 || !h.Reservations[0].Start.Equal(start) || !h.Reservations[0].Confirmed {
			p.t.Errorf("promised %s for round %d, kept %+v, %v", hold, round, h, err)
		}
		if other, twice := seen[round]; twice {
			p.t.Errorf("round %d was promised to %s and %s", round, hold, other)
		}
		seen[round] = hold
	}
	if len(seen) < rounds*8/10 {
		p.t.Errorf("only %d of %d rounds were booked", len(seen), rounds)
	}
	var pairs, broken int64
	err := db.Read(context.Background(), func(ctx context.Context, q sqldb.Querier) error {
		// By start, each with the one before: with none overlapping its neighbour, none overlaps any.
		err := q.QueryRow(ctx, `SELECT count(*) FROM (SELECT start_at, max(end_at) OVER (PARTITION BY resource_id ORDER BY start_at, hold_id
			ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM reservation WHERE live) v WHERE v.before > v.start_at`).Scan(&pairs)
		if err != nil {
			return err
		}
		return q.QueryRow(ctx, `SELECT count(*) FROM reservation v JOIN hold h ON h.hold_id = v.hold_id
			WHERE v.confirmed <> (h.status = 'CONFIRMED') OR v.live <> (h.status IN ('HELD', 'CONFIRMED'))`).Scan(&broken)
	})
	if err != nil || pairs != 0 || broken != 0 {
		p.t.Errorf("%d overlapping reservations, %d that are not as their hold says, %v", pairs, broken, err)
	}
}

// cutter stands before PostgreSQL and cuts connections at any byte, also after a commit was sent and before its answer.
func cutter(t *testing.T, dsn string) (through string, cuts *atomic.Int64) {
	address, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	cuts = &atomic.Int64{}
	target := address.Host
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = in.Close() }()
				out, err := net.Dial("tcp", target)
				if err != nil {
					return
				}
				defer func() { _ = out.Close() }()
				go func() {
					// A killed client's transaction must not stay open at the server, with its locks.
					_, _ = io.Copy(out, in)
					_, _ = in.Close(), out.Close()
				}()
				// Answers are cut, so that what was asked has been done.
				if n := int64(20_000 + rand.N(200_000)); n > 0 {
					_, err = io.CopyN(in, out, n)
				}
				if err == nil {
					cuts.Add(1)
				}
			}()
		}
	}()
	address.Host = listener.Addr().String()
	return address.String(), cuts
}

func TestOneBedUnderKillsAndCuts(t *testing.T) {
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) { contest(t, dsn, 40, 600*time.Millisecond, time.Hour) })
}
