package clearing

import (
	"cmp"
	"context"
	"slices"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/settlement/ledger"
)

// Window is one month of a treatment province's book.
type Window struct {
	Province  string
	Month     Month
	Declared  bool
	Version   int64
	Total     Total
	Deadlines Deadlines
	// Given are the tables it declared, Got those that others declared to it.
	Given, Got []*Table
}

// GetWindow returns a month's window as it is now.
func (s *Service) GetWindow(ctx context.Context, province string, m Month) (*Window, error) {
	if err := s.reads(ctx, province); err != nil {
		return nil, err
	}
	return s.window(ctx, province, m)
}

func (s *Service) window(ctx context.Context, province string, m Month) (*Window, error) {
	at := Book{province, ledger.Treatment}
	w := &Window{Province: province, Month: m, Version: 1, Deadlines: s.rules.Of(m)}
	closed, err := s.store.Closed(ctx, at, "")
	if err != nil {
		return nil, err
	}
	w.Declared = m <= closed
	if kept, err := get[window](ctx, s, province, string(m)); err == nil {
		w.Version = kept.Version
	} else if !fault.Is(err, fault.ReasonNotFound) {
		return nil, err
	}
	rows, err := s.store.Totals(ctx, at, TotalQuery{Month: m})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		w.Total.Items, w.Total.Clears = w.Total.Items+r.Items, w.Total.Clears+r.Clears
	}
	if w.Given, _, err = list[Table](ctx, s, Query{Holder: province, Month: m, A: province}); err != nil {
		return nil, err
	}
	w.Got, _, err = list[Table](ctx, s, Query{Holder: province, Month: m, B: province})
	return w, err
}

// PrepareDeclare gives what waits its place, in small steps and outside the call's transaction: settlements go on between
// them, and what they add meanwhile is not waited for.
func (s *Service) PrepareDeclare(ctx context.Context, province string) error {
	if err := s.mayDeclare(ctx, province); err != nil {
		return err
	}
	return s.SealBook(ctx, Book{province, ledger.Treatment})
}

func (s *Service) mayDeclare(ctx context.Context, province string) error {
	if err := s.serves(province); err != nil {
		return err
	}
	if access.From(ctx).Has(access.Operations) {
		return nil
	}
	return s.acts(ctx, province)
}

// DeclareWindow closes a treatment province's month and makes its tables, one for each insured province (月度清算申报).
// After the month's last day only operations, who run the national center, may still declare it.
func (s *Service) DeclareWindow(ctx context.Context, province string, m Month, etag string) (*Window, error) {
	if err := s.mayDeclare(ctx, province); err != nil {
		return nil, err
	}
	dates, now := s.rules.Of(m), s.clock.Now()
	if !now.After(dates.Ends) {
		return nil, notYet("The month is not over yet.", "该月尚未结束。").With("ends", rfc(dates.Ends))
	}
	if now.After(dates.Last) && !access.From(ctx).Has(access.Operations) {
		return nil, deadlinePassed("last", dates.Last)
	}
	at := Book{province, ledger.Treatment}
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		// Locks the book: no place and no window is given to anybody until this ends. Who settles only adds to the tail.
		for range 2 {
			if _, err := s.store.Seal(ctx, at, batch); err != nil {
				return err
			}
		}
		if err := s.mayClose(ctx, at, m, etag); err != nil {
			return err
		}
		if err := s.store.Close(ctx, at, "", m); err != nil {
			return err
		}
		if _, err := put(ctx, s, province, &window{ID: string(m), Status: string(Declared), At: now}); err != nil {
			return err
		}
		if _, err := update(ctx, s, province, string(m), "", func(context.Context, *window) error { return nil }); err != nil {
			return err
		}
		return s.declare(ctx, at, m, now)
	})
	if err != nil {
		return nil, err
	}
	return s.window(ctx, province, m)
}

// mayClose refuses a month that was declared, or that would leave an earlier one behind.
func (s *Service) mayClose(ctx context.Context, at Book, m Month, etag string) error {
	closed, err := s.store.Closed(ctx, at, "")
	if err != nil {
		return err
	}
	if m <= closed {
		return wrongState(string(Declared))
	}
	if etag != "1" {
		return fault.Stale("1")
	}
	rows, err := s.store.Totals(ctx, at, TotalQuery{})
	if err != nil {
		return err
	}
	if first := earliest(rows, closed); first != "" && first < m {
		return notYet("An earlier month is not declared yet.", "更早的月份尚未申报。").With("declare_first", string(first))
	}
	return nil
}

// declare makes the tables of a closed month.
func (s *Service) declare(ctx context.Context, at Book, m Month, now time.Time) error {
	rows, err := s.store.Totals(ctx, at, TotalQuery{Month: m})
	if err != nil {
		return err
	}
	head, err := s.store.Head(ctx, at)
	if err != nil {
		return err
	}
	sums := map[string]Total{}
	for _, r := range rows {
		t := sums[r.Counterparty]
		sums[r.Counterparty] = Total{t.Items + r.Items, t.Clears + r.Clears}
	}
	for insured, total := range sums {
		t := &Table{
			Month: m, Treatment: at.Province, Insured: insured, Status: Declared, Total: total, Head: head,
			Declared: now, DeclaredBy: by(ctx), Late: now.After(s.rules.Of(m).Declare),
		}
		if _, err := put(ctx, s, at.Province, t); err != nil {
			return err
		}
	}
	if len(sums) == 0 {
		return nil
	}
	return s.store.Later(ctx, Job{Do: "submit", Province: at.Province, Month: m})
}

// submit hands a month's tables to the national center.
func (s *Service) submit(ctx context.Context, province string, m Month) error {
	tables, _, err := list[Table](ctx, s, Query{Holder: province, Month: m, A: province})
	if err != nil {
		return err
	}
	return s.peers.SubmitTables(ctx, tables)
}

// ReceiveTables takes declared tables in at the national center, once each, and passes them on.
func (s *Service) ReceiveTables(ctx context.Context, tables []*Table) error {
	if err := s.serves(National); err != nil {
		return err
	}
	slices.SortFunc(tables, func(a, b *Table) int {
		return cmp.Compare(tableID(a.Month, a.Treatment, a.Insured), tableID(b.Month, b.Treatment, b.Insured))
	})
	return s.store.Atomically(ctx, func(ctx context.Context) error {
		for _, t := range tables {
			t.Status = Declared
			isNew, err := s.keep(ctx, National, t)
			if err != nil {
				return err
			}
			if isNew {
				if err := s.store.Later(ctx, Job{Do: "forward", Province: t.Treatment, Other: t.Insured, Month: t.Month}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// keep stores a copy of a table; the same again is nothing new, another of its name is refused.
func (s *Service) keep(ctx context.Context, holder string, t *Table) (bool, error) {
	isNew, err := put(ctx, s, holder, t)
	if err != nil || isNew {
		return isNew, err
	}
	kept, err := get[Table](ctx, s, holder, tableID(t.Month, t.Treatment, t.Insured))
	if err == nil && (kept.Total != t.Total || kept.Head != t.Head) {
		return false, fault.New(fault.AlreadyExists, fault.MessageIDReused, "month",
			"The month was declared before with other sums.", "该月已以不同金额申报。")
	}
	return false, err
}

func (s *Service) forward(ctx context.Context, m Month, treatment, insured string) error {
	t, err := get[Table](ctx, s, National, tableID(m, treatment, insured))
	if err != nil {
		return err
	}
	return s.peers.ReceiveTable(ctx, t)
}

// ReceiveTable takes a table in at its insured province, and has it compared.
func (s *Service) ReceiveTable(ctx context.Context, t *Table) error {
	if err := s.serves(t.Insured); err != nil {
		return err
	}
	return s.store.Atomically(ctx, func(ctx context.Context) error {
		t.Status = Declared
		// A province may be on both sides of one instance, and of itself: its own copy is there then.
		isNew, err := s.keep(ctx, t.Insured, t)
		if err != nil || !isNew {
			return err
		}
		return s.store.Later(ctx, Job{Do: "compare", Province: t.Insured, Other: t.Treatment, Month: t.Month})
	})
}
