package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
	"huhang.example/services/settlement/store"
)

const (
	shanghai, beijing = "310000", "110000"
	anhui, jiangxi    = "340000", "360000"
)

var operations = access.Caller{Subject: "o-1", Organisation: "OPS", Roles: []access.Role{access.Operations}}

func agency(province string) access.Caller {
	return access.Caller{Subject: "a-1", Organisation: "A-" + province, Province: province, Roles: []access.Role{access.Agency}}
}

func as(who access.Caller) context.Context { return access.With(context.Background(), who) }

// tb is what a test and a property's test have in common.
type tb interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// rig is two instances with a database each: where patients are treated, with the national center, and where they are
// insured.
type rig struct {
	t     tb
	test  testing.TB
	clock *clock.Fake
	db    map[string]*sqldb.DB
	use   map[string]*clearing.Service
	n     int
}

func eachRig(t *testing.T, jobs bool, test func(t *testing.T, r *rig)) {
	for engine, dsn := range map[string]func(testing.TB) string{sqldb.SQLite: sqldbtest.SQLite, sqldb.Postgres: sqldbtest.Postgres} {
		t.Run(engine, func(t *testing.T) { test(t, newRig(t, dsn, jobs)) })
	}
}

func newRig(t *testing.T, dsn func(testing.TB) string, jobs bool) *rig {
	t.Helper()
	r := &rig{t: t, test: t, clock: clock.NewFake(time.Date(2026, 11, 5, 2, 0, 0, 0, time.UTC)), db: map[string]*sqldb.DB{}, use: map[string]*clearing.Service{}}
	direct := clearing.Direct{Of: func(province string) *clearing.Service { return r.use[province] }}
	for _, provinces := range [][]string{{shanghai, beijing, clearing.National}, {anhui, jiangxi}} {
		db := sqldbtest.Open(t, dsn(t), store.Migrations(), sqldbtest.Clock(r.clock))
		use := clearing.New(store.NewBooks(db), direct, r.clock, ids, provinces, clearing.ChinaRules())
		for _, p := range provinces {
			r.db[p], r.use[p] = db, use
		}
		if jobs {
			w := sqldb.NewWorkers()
			sqldb.Handle(w, func(ctx context.Context, args store.ClearingArgs) error { return use.Do(ctx, args.Job) })
			must(t, db.StartJobs(t.Context(), w))
		}
	}
	return r
}

// done waits until every job of both instances is done.
func (r *rig) done() {
	for range 4 { // a job leaves jobs at the other instance
		sqldbtest.Idle(r.test, r.db[shanghai])
		sqldbtest.Idle(r.test, r.db[anhui])
	}
}

func (r *rig) books(province string) *store.Books { return store.NewBooks(r.db[province]) }

// entry is one side of a settlement.
func (r *rig) entry(side ledger.Side, treatment, insured, source, day string, amount money.Fen) ledger.Entry {
	r.t.Helper()
	h := ledger.Head{Kind: ledger.Settlement, Side: side, Source: source, Day: day}
	var p []ledger.Posting
	if side == ledger.Treatment {
		h.Province, h.Counterparty = treatment, insured
		p = []ledger.Posting{{Account: ledger.ReceivableFrom(treatment, insured), Debit: amount}, {Account: ledger.HospitalPayable(treatment, "C-SH-01"), Credit: amount}}
	} else {
		h.Province, h.Counterparty = insured, treatment
		p = []ledger.Posting{{Account: ledger.Fund(insured, "basic"), Debit: amount}, {Account: ledger.PayableTo(insured, treatment), Credit: amount}}
	}
	h.ID = ids.New("ent_" + h.Province)
	e, err := ledger.New(h, p...)
	must(r.t, err)
	return e
}

func (r *rig) post(e ledger.Entry) {
	r.t.Helper()
	must(r.t, r.books(e.Head().Province).Post(r.t.Context(), e, r.clock.Now()))
}

// settle posts a settlement on the sides named, or on both.
func (r *rig) settle(treatment, insured, day string, amount money.Fen, sides ...ledger.Side) (source string) {
	r.t.Helper()
	r.n++
	source = fmt.Sprintf("stl_%s_%04d", insured, r.n)
	if len(sides) == 0 {
		sides = []ledger.Side{ledger.Treatment, ledger.Insured}
	}
	for _, side := range sides {
		r.post(r.entry(side, treatment, insured, source, day, amount))
	}
	return source
}

func (r *rig) reverse(treatment, insured, source, day string) {
	r.t.Helper()
	for side, province := range map[ledger.Side]string{ledger.Treatment: treatment, ledger.Insured: insured} {
		e, err := store.New(r.db[province]).Entry(r.t.Context(), province, side, ledger.Settlement, source)
		must(r.t, err)
		back, err := e.Reverse(ids.New("ent_"+province), day)
		must(r.t, err)
		r.post(back)
	}
}

func (r *rig) declare(province string, m clearing.Month) *clearing.Window {
	r.t.Helper()
	ctx := as(agency(province))
	must(r.t, r.use[province].PrepareDeclare(ctx, province))
	w, err := r.use[province].DeclareWindow(ctx, province, m, "1")
	must(r.t, err)
	return w
}

func (r *rig) table(holder string, m clearing.Month, treatment, insured string) *clearing.Table {
	r.t.Helper()
	w, err := r.use[holder].GetWindow(as(operations), holder, m)
	must(r.t, err)
	for _, t := range append(w.Given, w.Got...) {
		if t.Treatment == treatment && t.Insured == insured {
			return t
		}
	}
	return nil
}

func (r *rig) confirm(insured, treatment string, m clearing.Month) (*clearing.Table, error) {
	ctx := as(agency(insured))
	return r.use[insured].ConfirmTable(ctx, insured, treatment, m, "1", r.use[insured].PrepareConfirm(ctx, insured, treatment, m))
}

func (r *rig) confirmed(insured, treatment string, m clearing.Month) {
	r.t.Helper()
	if _, err := r.confirm(insured, treatment, m); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) net(m clearing.Month) *clearing.NetRun {
	r.t.Helper()
	_, etag, err := r.use[clearing.National].NextNet(as(operations))
	must(r.t, err)
	run, err := r.use[clearing.National].ComputeNet(as(operations), m, etag)
	must(r.t, err)
	return run
}

func (r *rig) balance(province, account string) money.Fen {
	r.t.Helper()
	all, err := r.books(province).Balances(r.t.Context(), province)
	must(r.t, err)
	if d := ledger.Difference(all); d != 0 {
		r.t.Fatalf("the trial balance of %s is %s", province, d)
	}
	for _, b := range all {
		if b.Account == account {
			return b.Debit - b.Credit
		}
	}
	return 0
}

// agrees checks that a statement's sums are the ledger's balances, and that all books are as they were written.
func (r *rig) agrees(m clearing.Month) {
	r.t.Helper()
	for _, province := range []string{shanghai, beijing, anhui, jiangxi} {
		s, err := r.use[province].GetStatement(as(agency(province)), province, m)
		must(r.t, err)
		for _, l := range s.Lines {
			if !l.Agrees() {
				r.t.Fatalf("%s, %s with %s: after %s and later %s, but the ledger has %s", province, l.Side, l.Other, l.After, l.Later, l.Ledger)
			}
		}
		for _, side := range []ledger.Side{ledger.Treatment, ledger.Insured} {
			v, err := r.books(province).Verify(r.t.Context(), clearing.Book{Province: province, Side: side}, ledger.Chain{}, 10_000)
			if must(r.t, err); v.Break != nil || !v.Complete {
				r.t.Fatalf("%s %s: %+v", province, side, v.Break)
			}
		}
	}
}

// dump is everything clearing and the books hold of both instances, in a fixed order.
func (r *rig) dump() string {
	r.t.Helper()
	var all []string
	for _, db := range []*sqldb.DB{r.db[shanghai], r.db[anhui]} {
		must(r.t, db.Read(r.t.Context(), func(ctx context.Context, q sqldb.Querier) error {
			for _, sql := range []string{
				"SELECT kind || ' ' || holder || ' ' || record_id || ' ' || status || ' ' || CAST(version AS TEXT) || ' ' || doc FROM clearing_record",
				"SELECT entry_id || ' ' || kind || ' ' || source FROM ledger_entry",
				"SELECT province || ' ' || side || ' ' || counterparty || ' ' || month FROM clearing_closed",
				"SELECT source || ' ' || kind || ' ' || side || ' ' || month FROM clearing_item",
			} {
				rows, err := q.Query(ctx, sql)
				if err != nil {
					return err
				}
				for rows.Next() {
					var line string
					if err := rows.Scan(&line); err != nil {
						return err
					}
					all = append(all, line)
				}
				rows.Close()
				if err := rows.Err(); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
