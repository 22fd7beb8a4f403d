package clearing

import (
	"context"
	"strconv"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/ledger"
)

// Confirming is what ConfirmTable is told by others beforehand.
type Confirming struct {
	held money.Fen
	err  error
}

// PrepareConfirm gives what waits its place, and asks the national center what disputes hold back.
func (s *Service) PrepareConfirm(ctx context.Context, province, treatment string, m Month) (c Confirming) {
	if c.err = s.acts(ctx, province); c.err != nil {
		return c
	}
	if c.err = s.SealBook(ctx, Book{province, ledger.Insured}); c.err != nil {
		return c
	}
	c.held, c.err = s.peers.Held(ctx, m, treatment, province)
	return c
}

// ConfirmTable lets an insured province agree to a table (清算确认): its own book has the same items and sums, but for what
// is disputed. What comes later is of the next month.
func (s *Service) ConfirmTable(ctx context.Context, province, treatment string, m Month, etag string, c Confirming) (*Table, error) {
	if c.err != nil {
		return nil, c.err
	}
	at := Book{province, ledger.Insured}
	var out *Table
	err := s.store.Atomically(ctx, func(ctx context.Context) (err error) {
		if _, err := s.store.Seal(ctx, at, batch); err != nil {
			return err
		}
		out, err = update(ctx, s, province, tableID(m, treatment, province), etag, func(ctx context.Context, t *Table) error {
			if t.Status != Declared {
				return wrongState(string(t.Status))
			}
			if last := s.rules.Of(m).Last; s.clock.Now().After(last) {
				return deadlinePassed("last", last)
			}
			own, err := s.sum(ctx, at, TotalQuery{Counterparty: treatment, Month: m})
			if err != nil {
				return err
			}
			if own.Clears != t.Total.Clears-c.held || c.held == 0 && own.Items != t.Total.Items {
				return differs(own, t.Total, c.held)
			}
			t.Status, t.Confirmed, t.ConfirmedBy = Confirmed, s.clock.Now(), by(ctx)
			return nil
		})
		if err != nil {
			return err
		}
		if err := s.store.Close(ctx, at, treatment, m); err != nil {
			return err
		}
		return s.store.Later(ctx, Job{Do: "confirm", Province: province, Other: treatment, Month: m})
	})
	return out, err
}

func (s *Service) sum(ctx context.Context, at Book, q TotalQuery) (t Total, err error) {
	rows, err := s.store.Totals(ctx, at, q)
	for _, r := range rows {
		t.Items, t.Clears = t.Items+r.Items, t.Clears+r.Clears
	}
	return t, err
}

func differs(own, declared Total, held money.Fen) *fault.Fault {
	return fault.New(fault.FailedPrecondition, fault.TotalsDiffer, "",
		"The declared totals are not those of the province's own book.", "申报总额与本省账簿不符。").
		With("own_items", strconv.FormatInt(own.Items, 10)).With("own_fen", strconv.FormatInt(int64(own.Clears), 10)).
		With("declared_items", strconv.FormatInt(declared.Items, 10)).With("declared_fen", strconv.FormatInt(int64(declared.Clears), 10)).
		With("held_fen", strconv.FormatInt(int64(held), 10))
}

// confirm tells the national center.
func (s *Service) confirm(ctx context.Context, province, treatment string, m Month) error {
	t, err := get[Table](ctx, s, province, tableID(m, treatment, province))
	if err != nil {
		return err
	}
	return s.peers.ConfirmTable(ctx, t)
}

// TakeConfirmation records at the national center that an insured province agreed; again changes nothing.
func (s *Service) TakeConfirmation(ctx context.Context, given *Table) error {
	if err := s.serves(National); err != nil {
		return err
	}
	_, err := update(ctx, s, National, tableID(given.Month, given.Treatment, given.Insured), "", func(_ context.Context, t *Table) error {
		if t.Status != Declared {
			return ErrUnchanged
		}
		t.Status, t.Confirmed, t.ConfirmedBy = Confirmed, given.Confirmed, given.ConfirmedBy
		return nil
	})
	return err
}

// ListTables returns the tables the national center has of a month: all of them to operations, its own to an agency.
func (s *Service) ListTables(ctx context.Context, m Month, after string, limit int) ([]*Table, string, error) {
	party, err := s.partyAtNational(ctx)
	if err != nil {
		return nil, "", err
	}
	return list[Table](ctx, s, Query{Holder: National, Month: m, Party: party, After: after, Limit: limit})
}
