package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
	"huhang.example/services/settlement/store"
)

var cleared = figure{
	name: "clearing", title: "a month of settlements cleared between 31 provinces, and how long somebody who settles waits meanwhile; postings a second",
	how: `all provinces and the national center in this process on one PostgreSQL. The month's entries, two a settlement, are copied into the books' tail day by day, and every one gets its
place in its book (chain, checkpoint, window), 40,000 at a time; the line gives places every ten seconds. Then every province declares its month, every table goes over the national center to its insured province and is confirmed against that one's own book, and
the whole is netted. Somebody commits 20 splits a second, before and during, in a province that is cleared; the processor
time, of this process and PostgreSQL, has that in it. A month of 930 settlements was cleared before. An entry posted by itself is a transaction of three statements`,
	take: takeCleared,
}

// clearedMonth is the month that is measured. One of a settlement for each pair of provinces is cleared before it, so that
// the database knows its tables as it does in a line that has run for a while: the plans of statements prepared on empty
// tables are not those of tables in use.
const (
	clearedMonth = clearing.Month("2026-11")
	monthBefore  = clearing.Month("2026-10")
	pairs        = 31 * 30
)

// mainland are the provinces that are cleared between.
var mainland = []string{
	"110000", "120000", "130000", "140000", "150000", "210000", "220000", "230000", "310000", "320000", "330000", "340000", "350000", "360000", "370000", "410000",
	"420000", "430000", "440000", "450000", "460000", "500000", "510000", "520000", "530000", "540000", "610000", "620000", "630000", "640000", "650000",
}

// provinces are all of them over one database.
type provinces struct {
	dsn   string
	db    *sqldb.DB
	store *store.Store
	use   *clearing.Service
	split *settlement.Service
	ids   id.Source
	clock *clock.Fake
	month clearing.Month
	made  atomic.Int64
	// phases are the clearing's, in order.
	phases []phase
}

func takeCleared(ctx context.Context, b *bed) ([]table, error) {
	p, err := b.provinces(ctx)
	if err != nil {
		return nil, err
	}
	posted := table{head: []string{"callers", "entries posted /s", "postings /s", "median", "99 %"}}
	for _, callers := range []int{1, 8} {
		got, err := load{callers: callers, during: b.round, most: b.most}.run(ctx, p.post)
		if err != nil {
			return nil, err
		}
		posted.add(fmt.Sprint(callers), fmt.Sprintf("%.0f", got.perSecond()), fmt.Sprintf("%.0f", 3*got.perSecond()), milliseconds(quantile(got.waits, 0.5)), milliseconds(quantile(got.waits, 0.99)))
	}
	system := clock.System()
	if err := p.monthBefore(ctx); err != nil {
		return nil, fmt.Errorf("the month before: %w", err)
	}
	before, err := p.settling(ctx, system, b.round)
	if err != nil {
		return nil, err
	}
	if err := p.fill(ctx, b.cleared); err != nil {
		return nil, fmt.Errorf("the month's entries: %w", err)
	}
	// Somebody settles until all is cleared.
	meanwhile, stop := context.WithCancel(ctx)
	defer stop()
	type ended struct {
		waits []time.Duration
		err   error
	}
	settling := make(chan ended, 1)
	go func() {
		waits, err := p.settling(meanwhile, system, time.Hour)
		settling <- ended{waits, err}
	}()
	err = p.clear(ctx, b.cleared)
	stop()
	during := <-settling
	if err != nil {
		return nil, err
	}
	if during.err != nil {
		return nil, during.err
	}
	memory, err := statusOf(os.Getpid())
	if err != nil {
		return nil, err
	}
	t := table{head: []string{"settlements", "step", "took", "processor time", "most memory"}}
	var took, cpu time.Duration
	for i, x := range p.phases {
		t.add(fmt.Sprint(b.cleared), x.name, tenths(x.took), tenths(x.cpu), "")
		if i > 0 {
			took, cpu = took+x.took, cpu+x.cpu
		}
	}
	t.add(fmt.Sprint(b.cleared), "the month's end together", tenths(took), tenths(cpu), fmt.Sprintf("%d MiB", memory["VmHWM"]/1024))
	waits := table{head: []string{"a split committed", "calls", "median", "99 %", "longest"}}
	row := func(when string, w []time.Duration) {
		waits.add(when, fmt.Sprint(len(w)), milliseconds(quantile(w, 0.5)), milliseconds(quantile(w, 0.99)), milliseconds(quantile(w, 1)))
	}
	row("before", before)
	row("while the month is cleared", during.waits)
	ratio := func(q float64) string {
		return fmt.Sprintf("%.2f", float64(quantile(during.waits, q))/float64(max(1, quantile(before, q))))
	}
	waits.add("ratio", "", ratio(0.5), ratio(0.99), ratio(1))
	return []table{posted, t, waits}, nil
}

// monthBefore clears a month of few settlements.
func (p *provinces) monthBefore(ctx context.Context) error {
	p.month = monthBefore
	if err := p.fill(ctx, pairs); err != nil {
		return err
	}
	p.clock.Set(time.Date(2026, 11, 10, 2, 0, 0, 0, time.UTC))
	if err := p.clear(ctx, pairs); err != nil {
		return err
	}
	p.clock.Set(time.Date(2026, 12, 10, 2, 0, 0, 0, time.UTC))
	p.month, p.phases = clearedMonth, nil
	return nil
}

// settlesEvery is how often somebody settles while a month is cleared.
const settlesEvery = 50 * time.Millisecond

// settling commits splits one after the other, and tells how long each took.
func (p *provinces) settling(ctx context.Context, system clock.Clock, during time.Duration) (waits []time.Duration, err error) {
	for end := system.Now().Add(during); ctx.Err() == nil && system.Now().Before(end); {
		began := system.Now()
		if err := p.settle(context.WithoutCancel(ctx), 0); err != nil {
			return nil, err
		}
		took := system.Now().Sub(began)
		waits = append(waits, took)
		if system.Sleep(ctx, settlesEvery-took) != nil {
			break
		}
	}
	return waits, nil
}

func tenths(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func (b *bed) provinces(ctx context.Context) (*provinces, error) {
	dsn, err := b.database(ctx)
	if err != nil {
		return nil, err
	}
	book, err := policy.Sample()
	if err != nil {
		return nil, err
	}
	p := &provinces{dsn: dsn, ids: id.Random(), clock: clock.NewFake(time.Date(2026, 12, 10, 2, 0, 0, 0, time.UTC))}
	if p.db, err = sqldb.Open(ctx, sqldb.Config{DSN: dsn, MaxConns: 12, Clock: p.clock, Service: "settlement"}); err != nil {
		return nil, err
	}
	b.later(func() error { p.db.Close(); return nil })
	if err := p.db.Migrate(ctx, store.Migrations()); err != nil {
		return nil, err
	}
	p.store = store.New(p.db)
	p.use = clearing.New(store.NewBooks(p.db), clearing.Direct{Of: func(string) *clearing.Service { return p.use }}, p.clock, p.ids,
		append([]string{clearing.National}, mainland...), clearing.ChinaRules())
	p.split = settlement.New(p.store, nil, p.clock, p.ids, settlement.Rules{Provinces: mainland, Book: book})
	for i := range settledPeople {
		e := settlement.Entitlement{
			PatientID: clearedPatient(i), Province: settlesTo, ValidFrom: "2020-01-01",
			Coverage: settlement.Coverage{Province: settlesTo, PoolingArea: "340100", Scheme: policy.Resident},
		}
		if _, err := p.split.PutEntitlement(asAgency(ctx, settlesTo), e, ""); err != nil {
			return nil, err
		}
	}
	return p, nil
}

const settledPeople = 200

func clearedPatient(i int) string { return fmt.Sprintf("pat_%026d", i) }

func asAgency(ctx context.Context, province string) context.Context {
	return access.With(ctx, access.Caller{Subject: "bench", Organisation: "A-" + province, Province: province, Roles: []access.Role{access.Agency}})
}

func asOperations(ctx context.Context) context.Context {
	return access.With(ctx, access.Caller{Subject: "bench", Organisation: "OPS", Roles: []access.Role{access.Operations}})
}

// settle commits the split of one bill of this month.
func (p *provinces) settle(ctx context.Context, _ int) error {
	in := settlement.SplitInput{
		PatientID: clearedPatient(int(p.made.Add(1) % settledPeople)), InsuredProvince: settlesTo, TreatmentProvince: settlesFrom, TreatmentCity: "310100", CenterID: settler,
		ClaimID: p.ids.New("clm_" + settlesFrom), ReferralID: p.ids.New("ref"), AdmissionDate: "2026-12-01", DischargeDate: "2026-12-09", BusinessDay: "2026-12-10",
		Totals: split.Totals{Total: 110_000, OutOfCatalogue: 10_000, InScope: 100_000, CatalogueVersion: "bench", HospitalLevel: 3},
	}
	_, err := p.split.CommitSplit(access.With(ctx, access.Caller{Service: "settlement", Roles: []access.Role{access.Service}}), p.ids.New("msg_"+settlesFrom), in)
	return err
}

// post adds one entry of this month to a treatment province's book.
func (p *provinces) post(ctx context.Context, caller int) error {
	e, err := p.entry(ledger.Treatment, mainland[caller], mainland[30], p.ids.New("stl_"+mainland[30]), "2026-12-10", 100)
	if err != nil {
		return err
	}
	return p.store.Post(ctx, e, p.clock.Now())
}

// phase is a part of the clearing, by the clock and by the processor time of this process and PostgreSQL together, which
// other programs' work does not lengthen.
type phase struct {
	name      string
	took, cpu time.Duration
}

func (p *provinces) phase(ctx context.Context, name string, do func() error) error {
	system := clock.System()
	before, err := p.spent(ctx)
	if err != nil {
		return err
	}
	began := system.Now()
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	after, err := p.spent(ctx)
	if n := len(p.phases); n > 0 && p.phases[n-1].name == name {
		p.phases[n-1].took += system.Now().Sub(began)
		p.phases[n-1].cpu += after - before
		return err
	}
	p.phases = append(p.phases, phase{name, system.Now().Sub(began), after - before})
	return err
}

func (p *provinces) spent(ctx context.Context) (used time.Duration, err error) {
	own, err := usage(syscall.RUSAGE_SELF)
	if err != nil {
		return 0, err
	}
	err = sql(ctx, p.dsn, func(conn *pgx.Conn) error {
		var backend int
		if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
			return err
		}
		used, err = serverTime(backend)
		return err
	})
	return own + used, err
}

// clear declares, compares, confirms and nets the month.
func (p *provinces) clear(ctx context.Context, settlements int64) error {
	var tables int
	var items int64
	err := p.phase(ctx, "declared, compared, confirmed", func() error {
		for _, treatment := range mainland {
			w, err := p.declare(ctx, treatment)
			if err != nil {
				return err
			}
			tables, items = tables+len(w.Given), items+w.Total.Items
		}
		return nil
	})
	if err != nil {
		return err
	}
	var run *clearing.NetRun
	err = p.phase(ctx, "netted", func() error {
		_, etag, err := p.use.NextNet(asOperations(ctx))
		if err != nil {
			return err
		}
		run, err = p.use.ComputeNet(asOperations(ctx), p.month, etag)
		return err
	})
	if err != nil {
		return err
	}
	var sum money.Fen
	for _, x := range run.Positions {
		sum += x.Amount
	}
	if want := min(settlements, 31*30); sum != 0 || items != settlements || int64(tables) != want || len(run.Lines) != tables {
		return fmt.Errorf("%d settlements in %d tables (%d netted), positions sum to %s", items, tables, len(run.Lines), sum)
	}
	return nil
}

// declare closes a province's month and has each of its tables confirmed.
func (p *provinces) declare(ctx context.Context, treatment string) (*clearing.Window, error) {
	as := asAgency(ctx, treatment)
	if err := p.use.PrepareDeclare(as, treatment); err != nil {
		return nil, err
	}
	w, err := p.use.DeclareWindow(as, treatment, p.month, "1")
	if err != nil {
		return nil, fmt.Errorf("%s declares: %w", treatment, err)
	}
	if err := p.use.Do(ctx, clearing.Job{Do: "submit", Province: treatment, Month: p.month}); err != nil {
		return nil, err
	}
	for _, given := range w.Given {
		if err := p.confirm(ctx, treatment, given.Insured); err != nil {
			return nil, fmt.Errorf("%s confirms %s: %w", given.Insured, treatment, err)
		}
	}
	return w, nil
}

// confirm brings a table to its insured province, which compares it with its own book and confirms.
func (p *provinces) confirm(ctx context.Context, treatment, insured string) error {
	if err := p.use.Do(ctx, clearing.Job{Do: "forward", Province: treatment, Other: insured, Month: p.month}); err != nil {
		return err
	}
	as := asAgency(ctx, insured)
	if _, err := p.use.ConfirmTable(as, insured, treatment, p.month, "1", p.use.PrepareConfirm(as, insured, treatment, p.month)); err != nil {
		return err
	}
	return p.use.Do(ctx, clearing.Job{Do: "confirm", Province: insured, Other: treatment, Month: p.month})
}
