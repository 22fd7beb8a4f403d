package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	moneyv1 "huhang.example/gen/huhang/money/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/id"
)

var bills = id.Random()

func asSettler(ctx context.Context) context.Context {
	return access.With(ctx, access.Caller{Subject: "bench", Organisation: settler, Roles: []access.Role{access.Center}})
}

// ready waits until the instance answers.
func (s *settling) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	for {
		_, err := s.client.ListClaims(asSettler(ctx), &settlementv1.ListClaimsRequest{Province: settlesFrom, PageSize: 1})
		if err == nil {
			return nil
		}
		if failed := clock.System().Sleep(ctx, 20*time.Millisecond); failed != nil {
			return s.why(err)
		}
	}
}

// discharged is a claim of one line that is ready to be settled.
func (s *settling) discharged(ctx context.Context) (claim *settlementv1.Claim, err error) {
	ctx = asSettler(ctx)
	today, referral := clock.Day(clock.System().Now()), bills.New("ref")
	opened, err := s.client.OpenClaim(ctx, &settlementv1.OpenClaimRequest{
		RequestId: bills.New("req"), ReferralId: referral, PatientId: "pat" + referral[3:], CenterId: settler, Province: settlesFrom, TreatmentCity: "310100",
		InsuredProvince: settlesTo, Organ: organv1.Organ_ORGAN_LIVER, AdmissionDate: today,
	})
	if err != nil {
		return nil, err
	}
	fen := &moneyv1.Money{Fen: 10_000_000}
	claimID := opened.GetClaim().GetClaimId()
	added, err := s.client.AddFeeLines(ctx, &settlementv1.AddFeeLinesRequest{RequestId: bills.New("req"), ClaimId: claimID, Lines: []*settlementv1.FeeLine{
		{LineNumber: 1, ItemCode: "S-OP-LIVER", ItemName: "示范", Price: fen, QuantityMilli: 1000, Amount: fen, ServiceDate: today},
	}})
	if err != nil {
		return nil, err
	}
	left, err := s.client.DischargeClaim(ctx, &settlementv1.DischargeClaimRequest{
		RequestId: bills.New("req"), ClaimId: claimID, Etag: added.GetClaim().GetEtag(), DischargeDate: today,
	})
	return left.GetClaim(), err
}

// settle settles a claim; one that is left to the job is an error here.
func (s *settling) settle(ctx context.Context, c *settlementv1.Claim) error {
	got, err := s.client.SettleClaim(asSettler(ctx), &settlementv1.SettleClaimRequest{RequestId: bills.New("req"), ClaimId: c.GetClaimId(), Etag: c.GetEtag()})
	if err != nil {
		return err
	}
	if got.GetClaim().GetStatus() != settlementv1.ClaimStatus_CLAIM_STATUS_SETTLED {
		return fmt.Errorf("%s is %s", c.GetClaimId(), got.GetClaim().GetStatus())
	}
	return nil
}

// bill is a whole stay: admission, a line, discharge, settlement.
func (s *settling) bill(ctx context.Context) error {
	c, err := s.discharged(ctx)
	if err != nil {
		return err
	}
	return s.settle(ctx, c)
}

// settled counts what bills leave behind on both sides.
type settledRows struct{ claims, settlements, messages, entries int64 }

func countSettled(ctx context.Context, dsn string) (s settledRows, err error) {
	err = sql(ctx, dsn, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT (SELECT count(*) FROM claim), (SELECT count(*) FROM settlement WHERE NOT reversed),
			(SELECT count(*) FROM message WHERE status = 'COMMITTED'), (SELECT count(*) FROM ledger_entry)`).
			Scan(&s.claims, &s.settlements, &s.messages, &s.entries)
	})
	return s, err
}

func (s settledRows) grewBy(before settledRows, n int64) error {
	want := settledRows{before.claims + n, before.settlements + n, before.messages + n, before.entries + 2*n}
	if s != want {
		return fmt.Errorf("after %d bills on top of %+v there are %+v", n, before, s)
	}
	return nil
}

// observeBill notes the SQL of two bills, without what belongs to their jobs, as a script for pgbench.
func (b *bed) observeBill(ctx context.Context, dsn string) (made *script, err error) {
	address, err := url.Parse(dsn)
	if err != nil {
		return nil, err
	}
	o, err := newObserver(address.Host)
	if err != nil {
		return nil, err
	}
	defer func() { _ = o.listener.Close() }()
	address.Host = o.listener.Addr().String()
	s, err := b.settling(ctx, address.String())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	var both [2][]statement
	for i := range both {
		o.takeAll(nil)
		if err := s.bill(ctx); err != nil {
			return nil, err
		}
		both[i] = o.takeAll(ofBill)
	}
	err = sql(ctx, dsn, func(conn *pgx.Conn) error {
		made, err = newScript(both[0], both[1], 1, nil, func(text string) ([]uint32, error) {
			described, err := conn.Prepare(ctx, "", text)
			if err != nil {
				return nil, err
			}
			return described.ParamOIDs, nil
		})
		return err
	})
	return made, err
}

// ofBill reports whether a transaction is one of a bill's: those of jobs and of the books' sealer are not.
func ofBill(transaction []statement) bool {
	return slices.ContainsFunc(transaction, func(s statement) bool {
		for _, does := range []string{"INSERT INTO idempotency", "INSERT INTO message", "INSERT INTO settlement"} {
			if strings.HasPrefix(s.sql, does) {
				return true
			}
		}
		return false
	})
}

// ofMutation reports whether a transaction keeps a request id: that of a caller, not of a job.
func ofMutation(transaction []statement) bool {
	return slices.ContainsFunc(transaction, func(s statement) bool { return strings.HasPrefix(s.sql, "INSERT INTO idempotency") })
}

// takeAll returns the statements of the transactions that are wanted, in order, without those of the job queue, and
// forgets everything noted.
func (o *observer) takeAll(wanted func([]statement) bool) (all []statement) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, transaction := range o.transactions {
		if wanted == nil || !wanted(transaction) {
			continue
		}
		for _, s := range transaction {
			if !strings.Contains(s.sql, "river_") && !strings.Contains(s.sql, "pg_notify") {
				all = append(all, s)
			}
		}
	}
	o.transactions = nil
	return all
}
