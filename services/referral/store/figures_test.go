package store_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/referral"
	"huhang.example/services/referral/figures"
	"huhang.example/services/referral/store"
)

var (
	start  = time.Date(2026, 10, 20, 2, 0, 0, 0, time.UTC)
	states = []referral.State{referral.Screening, referral.Matched, referral.Offered, referral.Accepted, referral.Booked, referral.Arrived, referral.Exhausted, referral.Closed}
	kinds  = []string{"SCREENING", "OVERDUE", "OFFER_CREATED", "OFFER_ACCEPTED", "OFFER_DECLINED", "TRANSFER_PLANNED", "TRANSFER_ARRIVED", "CLAIM_SETTLED", "CLAIM_REVERSED"}
)

// step changes a case as it likes: this is about counting, not about what may happen.
func step(r *rand.Rand, c *referral.Referral) {
	hours := time.Duration(r.IntN(1500)) * time.Hour
	c.State = states[r.IntN(len(states))]
	c.ClockSuspended = []string{"", "", "waits"}[r.IntN(3)]
	self := money.Fen(r.IntN(1000))
	center := r.IntN(2)
	c.Remark(kinds[r.IntN(len(kinds))], referral.Act{
		At: start.Add(2000 * time.Hour), Occurred: start.Add(hours), Record: fmt.Sprintf("rec_%d", r.IntN(3)), Arrive: start.Add(hours + time.Hour),
		Center: []string{"C-SH-01", "C-GZ-01"}[center], City: []string{"310100", "440100"}[center], Cause: []string{"NO_BED", "AGE"}[r.IntN(2)],
		Bill: &referral.Bill{Total: 1000, SelfPay: self, Shares: []referral.BillShare{{Payer: "basic", Amount: 1000 - self}, {Payer: "cash", Amount: self}}},
	})
}

// Whatever happens to the cases, however often and by however many the feed is folded, what the database sums is what a
// plain count over all timelines gives.
func TestFiguresAreASumOverTimelines(t *testing.T) {
	for engine, dsn := range map[string]func(testing.TB) string{sqldb.SQLite: sqldbtest.SQLite, sqldb.Postgres: sqldbtest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			db := sqldbtest.Open(t, dsn(t), store.Migrations)
			cases, kept := store.New(db), store.NewFigures(db)
			lines := figures.SampleLines()
			seen := &watcher{}
			service := figures.New(kept, nil, clock.System(), lines, seen)
			ctx, r := t.Context(), rand.New(rand.NewPCG(7, uint64(len(engine))))
			for i := range 12 {
				c := &referral.Referral{
					ID: fmt.Sprintf("ref_%02d", i), PatientID: fmt.Sprintf("pat_%d", i), Organ: []string{"LIVER", "KIDNEY"}[i%2], State: referral.Draft,
					Referrer: []string{"H-HF-01", "H-NC-01"}[i%3%2], InsuredProvince: []string{"340000", "360000", ""}[i%3],
				}
				c.Remark("CREATED", referral.Act{At: start.Add(2000 * time.Hour), Occurred: start})
				if err := cases.Create(ctx, c); err != nil {
					t.Fatal(err)
				}
			}
			for range 40 {
				if _, err := cases.Update(ctx, fmt.Sprintf("ref_%02d", r.IntN(12)), "", func(c *referral.Referral) error {
					for range 1 + r.IntN(4) {
						step(r, c)
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				if r.IntN(5) == 0 {
					together(t, service)
				}
			}
			for range 3 { // of several at once one goes on, and the others leave it to that one
				together(t, service)
			}
			if n, _, err := kept.Behind(ctx); err != nil || n != 0 {
				t.Fatalf("%d behind, %v", n, err)
			}
			for _, q := range []figures.Query{
				{From: "2026-10", To: "2026-12"},
				{From: "2026-11", To: "2026-11", By: []figures.Group{figures.ByMonth}},
				{From: "2026-10", To: "2026-12", By: []figures.Group{figures.ByLine, figures.ByProvinces, figures.ByCenter, figures.ByMonth}},
				{From: "2026-10", To: "2026-12", By: []figures.Group{figures.ByCenter}, Own: "C-SH-01"},
				{From: "2026-10", To: "2026-12", Own: "H-HF-01"},
				{From: "2026-10", To: "2026-12", Line: "cross", Organ: "LIVER", Insured: "340000", Treatment: "440000", Center: "C-GZ-01"},
			} {
				got, err := kept.Sum(ctx, q, 1000)
				if err != nil {
					t.Fatal(err)
				}
				sortRows(got)
				if want := count(t, cases, q, lines); !reflect.DeepEqual(got, want) {
					t.Fatalf("%+v:\ngot  %+v\nwant %+v", q, got, want)
				}
			}
			before := seen.total()
			// Rules of another version make everything anew, and come to the same; what had ended is not told again.
			for more := true; more; {
				var err error
				if _, more, err = kept.Advance(ctx, "other", 7, func(r *referral.Referral, entries []referral.Entry) []figures.Fact {
					return figures.Fold(r, entries, lines)
				}); err != nil {
					t.Fatal(err)
				}
			}
			q := figures.Query{From: "2026-10", To: "2026-12", By: []figures.Group{figures.ByLine}}
			got, err := kept.Sum(ctx, q, 1000)
			sortRows(got)
			if want := count(t, cases, q, lines); err != nil || !reflect.DeepEqual(got, want) || seen.total() != before {
				t.Fatalf("anew: %+v, %v", got, err)
			}
			centers, err := kept.Centers(ctx)
			if err != nil || centers["C-SH-01"] != "310000" {
				t.Fatalf("%v %v", centers, err)
			}
			standing, err := kept.OpenCases(ctx, start)
			if err != nil || len(standing) == 0 {
				t.Fatalf("%v %v", standing, err)
			}
		})
	}
}

// watcher counts what it is told.
type watcher struct {
	mu sync.Mutex
	n  int
}

func (w *watcher) Ended(_ context.Context, facts []figures.Fact) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n += len(facts)
}

func (w *watcher) total() int { w.mu.Lock(); defer w.mu.Unlock(); return w.n }

func together(t *testing.T, s *figures.Service) {
	t.Helper()
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			if err := s.Advance(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

func sortRows(rows []figures.Row) {
	slices.SortFunc(rows, func(a, b figures.Row) int {
		return cmp.Compare(fmt.Sprint(a.Kind, a.Name, a.Reason, a.Key, a.Open > 0), fmt.Sprint(b.Kind, b.Name, b.Reason, b.Key, b.Open > 0))
	})
}

// count answers a query in the plainest way.
func count(t *testing.T, cases *store.Store, q figures.Query, lines *figures.Lines) []figures.Row {
	t.Helper()
	type group struct {
		row      figures.Row
		measures []int64
		cases    map[string]bool
	}
	groups := map[string]*group{}
	for i := range 12 {
		c, err := cases.Get(t.Context(), fmt.Sprintf("ref_%02d", i))
		if err != nil {
			t.Fatal(err)
		}
		entries, err := cases.Timeline(t.Context(), c.ID, 0, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range figures.Fold(c, entries, lines) {
			in := f.Month == "" || f.Month >= q.From && f.Month <= q.To
			in = in && (q.Line == "" || q.Line == f.Line) && (q.Insured == "" || q.Insured == f.Insured) && (q.Treatment == "" || q.Treatment == f.Treatment)
			in = in && (q.Center == "" || q.Center == f.Center) && (q.Organ == "" || q.Organ == c.Organ) && (q.Own == "" || q.Own == f.Center || q.Own == c.Referrer)
			if !in {
				continue
			}
			row := figures.Row{Kind: f.Kind, Name: f.Name, Reason: f.Reason}
			if q.TellsApart(figures.ByMonth) {
				row.Month = f.Month
			}
			if q.TellsApart(figures.ByLine) {
				row.Line = f.Line
			}
			if q.TellsApart(figures.ByProvinces) {
				row.Insured, row.Treatment = f.Insured, f.Treatment
			}
			if q.TellsApart(figures.ByCenter) {
				row.Center = f.Center
			}
			id := fmt.Sprint(row, f.Ended.IsZero())
			g := groups[id]
			if g == nil {
				g = &group{row: row, cases: map[string]bool{}}
				groups[id] = g
			}
			g.cases[c.ID] = true
			g.row.Total += f.Total
			g.row.Paused += f.Paused
			if f.Late {
				g.row.Late++
			}
			if f.Ended.IsZero() {
				g.row.Open++
			} else {
				g.row.Count++
				g.measures = append(g.measures, f.Measure)
			}
		}
	}
	var rows []figures.Row
	for _, g := range groups {
		g.row.Cases = int64(len(g.cases))
		if n := len(g.measures); n > 0 {
			slices.Sort(g.measures)
			var sum int64
			for _, m := range g.measures {
				sum += m
			}
			g.row.Spread = figures.Spread{Median: g.measures[(n+1)/2-1], P90: g.measures[(9*n+9)/10-1], Mean: sum / int64(n)}
		}
		rows = append(rows, g.row)
	}
	sortRows(rows)
	return rows
}
