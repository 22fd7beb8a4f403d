package clearing

import (
	"cmp"
	"context"
	"slices"
	"time"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/ledger"
)

// Statement is a province's month in clearing (清算对账单), as it is now.
type Statement struct {
	Province  string
	Month     Month
	Made      time.Time
	Declared  bool
	Deadlines Deadlines
	// Lines by side, then province.
	Lines []StatementLine
	// Net is the month's net position, once it was netted; Computed is when.
	Net      money.Fen
	Computed time.Time
	// Transfers are those of the month's net.
	Transfers []*Transfer
	// Books are the ends of the province's books.
	Books []BookEnd
}

// BookEnd is a book and its last place.
type BookEnd struct {
	Side ledger.Side
	Head ledger.Chain
}

// StatementLine is what there is between two provinces, from the claims' point of view: what the insured province owes.
type StatementLine struct {
	Side  ledger.Side
	Other string
	// Before is what earlier windows have left, Window the month's, Taken what the month's net took of both.
	Before money.Fen
	Window Total
	Taken  money.Fen
	// Shared and Waived are the parts of Taken that were not to be paid.
	Shared, Waived money.Fen
	// After is Before + Window - Taken. Later is what later windows have added and later nets taken. Together they are
	// Ledger, the balance of the account between the two.
	After, Later, Ledger money.Fen
	// Table is the month's table, if there is one.
	Table *Table
}

// Agrees reports whether the line's sums are the ledger's balance.
func (l StatementLine) Agrees() bool { return l.After+l.Later == l.Ledger }

// PrepareStatement gives what waits its place, so that windows and ledger tell the same.
func (s *Service) PrepareStatement(ctx context.Context, province string) error {
	if err := s.reads(ctx, province); err != nil {
		return err
	}
	for _, side := range []ledger.Side{ledger.Treatment, ledger.Insured} {
		if err := s.SealBook(ctx, Book{province, side}); err != nil {
			return err
		}
	}
	return nil
}

// GetStatement returns a month's statement, of one moment.
func (s *Service) GetStatement(ctx context.Context, province string, m Month) (*Statement, error) {
	if err := s.reads(ctx, province); err != nil {
		return nil, err
	}
	out := &Statement{Province: province, Month: m, Made: s.clock.Now(), Deadlines: s.rules.Of(m)}
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		out.Lines, out.Books, out.Net, out.Computed = nil, nil, 0, time.Time{}
		runs, _, err := list[NetRun](ctx, s, Query{Holder: province})
		if err != nil {
			return err
		}
		balances, err := s.store.Balances(ctx, province)
		if err != nil {
			return err
		}
		for _, side := range []ledger.Side{ledger.Treatment, ledger.Insured} {
			at := Book{province, side}
			// What was posted since PrepareStatement.
			if _, err := s.store.Seal(ctx, at, batch); err != nil {
				return err
			}
			if err := s.lines(ctx, out, at, runs, balances); err != nil {
				return err
			}
			head, err := s.store.Head(ctx, at)
			if err != nil {
				return err
			}
			out.Books = append(out.Books, BookEnd{side, head})
		}
		closed, err := s.store.Closed(ctx, Book{province, ledger.Treatment}, "")
		if err != nil {
			return err
		}
		out.Declared = m <= closed
		for _, r := range runs {
			if r.Month == m {
				out.Computed = r.Computed
				for _, p := range r.Positions {
					out.Net += p.Amount
				}
			}
		}
		out.Transfers, _, err = list[Transfer](ctx, s, Query{Holder: province, Month: m})
		return err
	})
	return out, err
}

func (s *Service) lines(ctx context.Context, out *Statement, at Book, runs []*NetRun, balances []ledger.Balance) error {
	lines := map[string]*StatementLine{}
	line := func(other string) *StatementLine {
		if lines[other] == nil {
			lines[other] = &StatementLine{Side: at.Side, Other: other}
		}
		return lines[other]
	}
	rows, err := s.store.Totals(ctx, at, TotalQuery{})
	if err != nil {
		return err
	}
	for _, r := range rows {
		l := line(r.Counterparty)
		switch {
		case r.Month < out.Month:
			l.Before += r.Clears
		case r.Month == out.Month:
			l.Window = Total{l.Window.Items + r.Items, l.Window.Clears + r.Clears}
		default:
			l.Later += r.Clears
		}
	}
	for _, run := range runs {
		for _, n := range run.Lines {
			other := n.Insured
			if at.Side == ledger.Insured {
				other = n.Treatment
			}
			if n.Treatment != at.Province && at.Side == ledger.Treatment || n.Insured != at.Province && at.Side == ledger.Insured {
				continue
			}
			l := line(other)
			switch {
			case run.Month < out.Month:
				l.Before -= n.Claim()
			case run.Month == out.Month:
				l.Taken, l.Shared, l.Waived = l.Taken+n.Claim(), l.Shared+n.Shared, l.Waived+n.Waived
			default:
				l.Later -= n.Claim()
			}
		}
	}
	q := Query{Holder: at.Province, Month: out.Month, A: at.Province}
	if at.Side == ledger.Insured {
		q.A, q.B = "", at.Province
	}
	tables, _, err := list[Table](ctx, s, q)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if at.Side == ledger.Insured {
			line(t.Treatment).Table = t
		} else {
			line(t.Insured).Table = t
		}
	}
	for _, l := range lines {
		l.After = l.Before + l.Window.Clears - l.Taken
		account := ledger.PayableTo(at.Province, l.Other)
		l.Ledger = outstanding(balances, account)
		if at.Side == ledger.Treatment {
			l.Ledger = -outstanding(balances, ledger.ReceivableFrom(at.Province, l.Other))
		}
		out.Lines = append(out.Lines, *l)
	}
	slices.SortStableFunc(out.Lines, func(a, b StatementLine) int {
		// Treatment first: it comes after insured in the alphabet.
		return cmp.Or(cmp.Compare(b.Side, a.Side), cmp.Compare(a.Other, b.Other))
	})
	return nil
}
