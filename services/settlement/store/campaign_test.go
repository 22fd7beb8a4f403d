package store_test

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
)

// Whatever is settled, reversed, late, declared, confirmed and netted in whatever order: every settlement is in exactly one
// window on both sides, a statement's sums are the ledger's balances, and all positions together are nothing.
func TestClearingUnderAnyHistory(t *testing.T) {
	checks := flag.Lookup("rapid.checks")
	given := checks.Value.String()
	must(t, checks.Value.Set("6"))
	defer func() { must(t, checks.Value.Set(given)) }()
	eachRig(t, false, func(t *testing.T, r *rig) { rapid.Check(t, campaign(r, 8)) })
}

// campaign plays steps on one pair of instances; histories follow one another in time, a year each.
func campaign(r *rig, steps int) func(*rapid.T) {
	year := 2030
	return func(rt *rapid.T) {
		year++
		c := &player{T: rt, r: r, year: year, month: 1}
		r.t = rt
		c.turn()
		for range rapid.IntRange(2, steps).Draw(rt, "steps") {
			c.step()
		}
		c.finish()
	}
}

type player struct {
	*rapid.T
	r           *rig
	year, month int
	live        []deal
	late        []ledger.Entry
}

type deal struct {
	treatment, insured, source string
}

func (c *player) m() clearing.Month {
	return clearing.Month(fmt.Sprintf("%d-01", c.year)).Plus(c.month - 1)
}

func dayOf(m clearing.Month, day int) time.Time {
	t, _ := time.ParseInLocation("2006-01-02", fmt.Sprintf("%s-%02d", m, day), clock.Shanghai)
	return t
}

// turn moves time to the tenth of the month after.
func (c *player) turn() { c.r.clock.Set(dayOf(c.m().Next(), 10)) }

func (c *player) step() {
	t, i := rapid.SampledFrom([]string{shanghai, beijing}).Draw(c.T, "treatment"), rapid.SampledFrom([]string{anhui, jiangxi}).Draw(c.T, "insured")
	day := string(c.m()) + "-1" + rapid.SampledFrom([]string{"0", "5", "9"}).Draw(c.T, "day")
	switch rapid.SampledFrom([]string{"settle", "settle", "reverse", "late", "month"}).Draw(c.T, "step") {
	case "settle":
		source := c.r.settle(t, i, day, money.Fen(rapid.Int64Range(0, 1e6).Draw(c.T, "amount")))
		c.live = append(c.live, deal{t, i, source})
	case "reverse":
		if len(c.live) > 0 {
			d := c.live[0]
			c.live = c.live[1:]
			c.r.reverse(d.treatment, d.insured, d.source, day)
		}
	case "late": // the insured province has committed, the treatment province learns of it a month later
		c.r.n++
		source := c.r.settle(t, i, day, 77, ledger.Insured)
		c.late = append(c.late, c.r.entry(ledger.Treatment, t, i, source, day, 77))
	case "month":
		c.monthEnd()
	}
}

// monthEnd declares, compares, confirms and nets; then come those that were late.
func (c *player) monthEnd() {
	for _, t := range []string{shanghai, beijing} {
		c.r.declare(t, c.m())
		must(c, c.r.use[t].Do(c.Context(), clearing.Job{Do: "submit", Province: t, Month: c.m()}))
	}
	for _, e := range c.late {
		c.r.post(e)
	}
	c.late = nil
	for _, t := range []string{shanghai, beijing} {
		w, err := c.r.use[t].GetWindow(as(operations), t, c.m())
		must(c, err)
		for _, table := range w.Given {
			must(c, c.r.use[clearing.National].Do(c.Context(), clearing.Job{Do: "forward", Province: t, Other: table.Insured, Month: c.m()}))
			c.agree(t, table.Insured)
		}
	}
	_, etag, err := c.r.use[clearing.National].NextNet(as(operations))
	must(c, err)
	c.r.clock.Set(dayOf(c.m().Next(), 22))
	run, err := c.r.use[clearing.National].ComputeNet(as(operations), c.m(), etag)
	must(c, err)
	var sum money.Fen
	for _, p := range run.Positions {
		sum += p.Amount
	}
	if sum != 0 {
		c.Fatalf("positions sum to %s", sum)
	}
	for _, p := range []string{shanghai, beijing, anhui, jiangxi} {
		for range 2 { // again changes nothing
			must(c, c.r.use[clearing.National].Do(c.Context(), clearing.Job{Do: "publish", Province: p, Month: c.m()}))
		}
	}
	c.month++
	c.turn()
}

// agree compares every day of the table, which sends what is late to the window the treatment province has it in, and
// confirms.
func (c *player) agree(treatment, insured string) {
	at := clearing.Book{Province: insured, Side: ledger.Insured}
	must(c, c.r.use[insured].SealBook(c.Context(), at))
	own, err := c.r.books(insured).Totals(c.Context(), at, clearing.TotalQuery{Counterparty: treatment, Month: c.m()})
	must(c, err)
	theirs, err := c.r.books(treatment).Totals(c.Context(), clearing.Book{Province: treatment, Side: ledger.Treatment}, clearing.TotalQuery{Counterparty: insured, Month: c.m()})
	must(c, err)
	for _, row := range append(own, theirs...) {
		_, err := c.r.use[insured].Reconcile(as(agency(insured)), c.r.use[insured].Compare(as(agency(insured)), at, treatment, row.Day, true))
		must(c, err)
	}
	if _, err := c.r.confirm(insured, treatment, c.m()); err != nil {
		c.Fatalf("%s does not confirm %s of %s: %v", insured, c.m(), treatment, err)
	}
	must(c, c.r.use[insured].Do(c.Context(), clearing.Job{Do: "confirm", Province: insured, Other: treatment, Month: c.m()}))
}

func (c *player) finish() {
	// Two months: what was late in the last one is of the next.
	c.monthEnd()
	c.monthEnd()
	c.r.agrees(c.m())
	for _, t := range []string{shanghai, beijing} {
		for _, i := range []string{anhui, jiangxi} {
			if here, there := c.r.balance(t, ledger.ReceivableFrom(t, i)), c.r.balance(i, ledger.PayableTo(i, t)); here != 0 || there != 0 {
				c.Fatalf("after all was netted %s claims %s, %s owes %s", t, here, i, -there)
			}
		}
	}
	for _, db := range []*sqldb.DB{c.r.db[shanghai], c.r.db[anhui]} {
		must(c, db.Read(c.Context(), func(ctx context.Context, q sqldb.Querier) error {
			var entries, items int64
			if err := q.QueryRow(ctx, "SELECT count(*) FROM ledger_entry WHERE kind IN ('settlement', 'reversal')").Scan(&entries); err != nil {
				return err
			}
			err := q.QueryRow(ctx, "SELECT count(*) FROM clearing_item").Scan(&items)
			if entries != items {
				c.Fatalf("%d settlements and reversals, %d in windows", entries, items)
			}
			return err
		}))
	}
	_, err := c.r.use[shanghai].GetWindow(as(agency(beijing)), shanghai, c.m())
	if !fault.Is(err, fault.RightMissing) {
		c.Fatal(err)
	}
}
