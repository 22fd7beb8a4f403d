package app_test

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/rpcclient"
	"huhang.example/services/internal/rpcserver"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/settlement/rpc"
	"huhang.example/services/settlement/store"
)

// TestKilledWhileSettling is a short run of what TestSoakKilled does for long.
func TestKilledWhileSettling(t *testing.T) {
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) { killedWhileSettling(t, dsn, 3, time.Minute) })
}

// killing is two instances that are killed in turns while bills are settled over them.
type killing struct {
	t       *testing.T
	o       *others
	here    settlementv1.SettlementServiceClient
	far     settlementv1.SettlementServiceClient
	life    settlementv1.ClaimLifeServiceClient
	mu      sync.Mutex
	opened  []string
	settled map[string]string // by claim: what a caller was told
}

func killedWhileSettling(t *testing.T, dsn string, kills int, limit time.Duration) {
	farDSN := sqldbtest.SQLite(t)
	if dsn[:6] != "sqlite" {
		farDSN = sqldbtest.Postgres(t)
	}
	k := &killing{t: t, o: &others{patient: ids.New("pat"), told: map[string]*referralv1.ClaimEvent{}}, settled: map[string]string{}}
	victims := k.wire(dsn, farDSN)
	stop := make([]func(), len(victims))
	for i, v := range victims {
		stop[i] = v.start(t)
	}
	defer func() {
		for _, kill := range stop {
			kill()
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	working, done := context.WithCancel(ctx)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for working.Err() == nil {
				k.bill(ctx)
			}
		})
	}
	for n := range kills {
		_ = clock.System().Sleep(ctx, time.Duration(200+rand.IntN(600))*time.Millisecond)
		if ctx.Err() != nil {
			break
		}
		at := (n + rand.IntN(2)) % len(victims)
		stop[at]()
		stop[at] = victims[at].start(t)
	}
	done()
	all.Wait()
	k.check(dsn, farDSN)
}

// wire serves the patients and the cases, and says where the victims are.
func (k *killing) wire(dsn, farDSN string) []victim {
	t, dir := k.t, k.t.TempDir()
	authority, err := mtls.DevAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	identity := func(name string) mtls.Identity {
		got, err := authority.Service(name)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	own := discovery.NewStatic(nil)
	others := map[string][]string{}
	for _, name := range []string{"patient", "referral"} {
		listen := freePort(t)
		s := rpcserver.New(rpcserver.Config{Service: name, Instance: name + "-1", Listen: listen},
			rpcserver.Deps{Identity: identity(name), Registry: own, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		patientv1.RegisterPatientServiceServer(s.GRPC(), k.o)
		referralv1.RegisterReferralServiceServer(s.GRPC(), k.o)
		referralv1.RegisterCaseEventServiceServer(s.GRPC(), k.o)
		running, err := fleet.Start(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = running.Stop(fleet.StopLimit) })
		others[name] = []string{listen}
	}
	here, far := freePort(t), freePort(t)
	pool := rpcclient.New(rpcclient.Config{Identity: identity("gateway"), Registry: discovery.NewStatic(map[string][]string{
		"settlement/310000": {here}, "settlement/340000": {far},
	})})
	t.Cleanup(pool.Close)
	connection := func(province string) grpc.ClientConnInterface {
		c, err := pool.Conn("settlement", province)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	k.here, k.far = settlementv1.NewSettlementServiceClient(connection("310000")), settlementv1.NewSettlementServiceClient(connection("340000"))
	k.life = settlementv1.NewClaimLifeServiceClient(connection("310000"))
	with := func(target, addr string) map[string][]string {
		return map[string][]string{"patient": others["patient"], "referral": others["referral"], target: {addr}}
	}
	return []victim{
		{Name: "here", Listen: here, DSN: dsn, Authority: dir, Provinces: []string{"310000"}, Others: with("settlement/340000", far)},
		{Name: "far", Listen: far, DSN: farDSN, Authority: dir, Provinces: []string{"340000"}, Others: with("settlement/310000", here)},
	}
}

// insist sends one call, with the same key, until it is answered.
func insist[Req, Resp any](ctx context.Context, call func(context.Context, *Req, ...grpc.CallOption) (*Resp, error), request *Req) (*Resp, error) {
	for {
		answer, err := call(ctx, request)
		f, ok := fault.As(fault.FromStatus(err))
		if err == nil || ctx.Err() != nil || ok && f.Code != fault.Unavailable && f.Code != fault.DeadlineExceeded {
			return answer, err
		}
		if err := clock.System().Sleep(ctx, 20*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// bill takes one stay from its admission to its settlement.
func (k *killing) bill(ctx context.Context) {
	ctx = access.With(ctx, center)
	today, key := clock.Day(clock.System().Now()), func() string { return ids.New("req") }
	opened, err := insist(ctx, k.here.OpenClaim, &settlementv1.OpenClaimRequest{
		RequestId: key(), ReferralId: ids.New("ref"), PatientId: k.o.patient, CenterId: "C-SH-01", Province: "310000", TreatmentCity: "310100",
		InsuredProvince: "340000", Organ: organv1.Organ_ORGAN_LIVER, AdmissionDate: today,
	})
	if err != nil {
		k.t.Errorf("open: %v", err)
		return
	}
	claim := opened.GetClaim().GetClaimId()
	k.mu.Lock()
	k.opened = append(k.opened, claim)
	k.mu.Unlock()
	added, err := insist(ctx, k.here.AddFeeLines, &settlementv1.AddFeeLinesRequest{RequestId: key(), ClaimId: claim, Lines: []*settlementv1.FeeLine{{
		LineNumber: 1, ItemCode: "S-CONS", ItemName: "示范", Price: rpc.Yuan(100_000), QuantityMilli: 1000, Amount: rpc.Yuan(100_000), ServiceDate: today,
	}}})
	if err != nil {
		k.t.Errorf("lines: %v", err)
		return
	}
	left, err := insist(ctx, k.here.DischargeClaim, &settlementv1.DischargeClaimRequest{RequestId: key(), ClaimId: claim, Etag: added.GetClaim().GetEtag(), DischargeDate: today})
	if err != nil {
		k.t.Errorf("discharge: %v", err)
		return
	}
	settled, err := insist(ctx, k.here.SettleClaim, &settlementv1.SettleClaimRequest{RequestId: key(), ClaimId: claim, Etag: left.GetClaim().GetEtag()})
	if err != nil {
		k.t.Errorf("settle: %v", err)
		return
	}
	if id := settled.GetStatement().GetSettlementId(); id != "" {
		k.mu.Lock()
		k.settled[claim] = id
		k.mu.Unlock()
	}
}

// check waits for every bill's end: each is settled once, as its caller was told, and both provinces' books agree.
func (k *killing) check(dsn, farDSN string) {
	t := k.t
	ctx := as(t, operations)
	asked := 0
	for _, claim := range k.opened {
		var got *settlementv1.GetClaimResponse
		sqldbtest.Eventually(t, "every bill is settled", func() (ok bool) {
			var err error
			if got, err = k.here.GetClaim(ctx, &settlementv1.GetClaimRequest{ClaimId: claim}); err != nil {
				return false
			}
			c := got.GetClaim()
			if c.GetStatus() == settlementv1.ClaimStatus_CLAIM_STATUS_SETTLING {
				// Its job comes, in up to ten minutes after many tries in vain; whoever sees it on the worklist need not wait.
				if c.GetUnderWay() == nil {
					t.Errorf("%s is in limbo: %v", claim, c)
				}
				asked++
				_, _ = k.life.AskAgain(ctx, &settlementv1.AskAgainRequest{RequestId: ids.New("req"), ClaimId: claim}) // looked at again
			}
			return c.GetStatus() == settlementv1.ClaimStatus_CLAIM_STATUS_SETTLED
		})
		if told := k.settled[claim]; told != "" && told != got.GetClaim().GetSettlementId() {
			t.Errorf("%s was acknowledged as %s and is %s", claim, told, got.GetClaim().GetSettlementId())
		}
	}
	p := &pair{t: t}
	for _, side := range []struct{ dsn, what string }{
		{dsn, "settlement"}, {farDSN, "message WHERE kind = 'COMMIT' AND status = 'COMMITTED'"}, {dsn, "ledger_entry"}, {farDSN, "ledger_entry"},
	} {
		if n := p.count(sqldbtest.Open(t, side.dsn, store.Migrations()), side.what); n != len(k.opened) {
			t.Errorf("%d rows of %s for %d bills", n, side.what, len(k.opened))
		}
	}
	var owed [2]int64
	for i, at := range []struct {
		use      settlementv1.SettlementServiceClient
		province string
	}{{k.here, "310000"}, {k.far, "340000"}} {
		books, err := at.use.GetTrialBalance(ctx, &settlementv1.GetTrialBalanceRequest{Province: at.province})
		if err != nil || books.GetDifference().GetFen() != 0 {
			t.Fatalf("%v, %v", books, err)
		}
		for _, b := range books.GetAccounts() {
			if b.GetAccount() == "receivable:310000:340000" || b.GetAccount() == "payable:340000:310000" {
				owed[i] = b.GetDebit().GetFen() - b.GetCredit().GetFen()
			}
		}
	}
	year, err := k.far.GetCounters(as(t, agency("340000")), &settlementv1.GetCountersRequest{PatientId: k.o.patient, Province: "340000"})
	if c := year.GetCounters(); err != nil || owed[0] != -owed[1] || owed[0] == 0 || c.GetBasic().GetFen()+c.GetSecondLayer().GetFen() != owed[0] {
		t.Fatalf("owed %d and %d, the year %v, %v", owed[0], owed[1], year, err)
	}
	t.Logf("%d bills, %d acknowledged as settled to their caller; asked again %d times at the end", len(k.opened), len(k.settled), asked)
}
