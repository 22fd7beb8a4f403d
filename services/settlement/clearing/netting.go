package clearing

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/ledger"
)

// netOrder is the record that nets and agreements wait for one another at.
const netOrder = "net"

func (s *Service) lockNational(ctx context.Context) error {
	if _, err := put(ctx, s, National, &window{ID: netOrder}); err != nil {
		return err
	}
	_, err := update(ctx, s, National, netOrder, "", func(context.Context, *window) error { return ErrUnchanged })
	return err
}

// NextNet tells which month was netted last, and the etag to net the next one with.
func (s *Service) NextNet(ctx context.Context) (last Month, etag string, err error) {
	w, err := get[window](ctx, s, National, netOrder)
	if fault.Is(err, fault.ReasonNotFound) {
		return "", "1", nil
	}
	if err != nil {
		return "", "", err
	}
	return w.Last, etagOf(w.Version), nil
}

// ComputeNet nets a month's confirmed tables over all provinces, with what is left of earlier months and with what
// disputes were decided (全国轧差清算). It waits for the month's tables until the national day; a table nobody confirmed until
// its last day counts as confirmed. Months are netted in order.
func (s *Service) ComputeNet(ctx context.Context, m Month, etag string) (*NetRun, error) {
	if err := s.national(ctx); err != nil {
		return nil, err
	}
	var run *NetRun
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		if err := s.lockNational(ctx); err != nil {
			return err
		}
		_, err := update(ctx, s, National, netOrder, etag, func(ctx context.Context, w *window) error {
			if m <= w.Last {
				return wrongState("NETTED").With("last", string(w.Last))
			}
			w.Last, w.At = m, s.clock.Now()
			var err error
			run, err = s.net(ctx, m)
			return err
		})
		return err
	})
	return run, err
}

func (s *Service) net(ctx context.Context, m Month) (*NetRun, error) {
	tables, err := s.ripe(ctx, m)
	if err != nil {
		return nil, err
	}
	signed, _, err := list[Signed](ctx, s, Query{Holder: National})
	if err != nil {
		return nil, err
	}
	agreements := make([]Agreement, len(signed))
	for i, a := range signed {
		agreements[i] = a.Agreement
	}
	run := &NetRun{Month: m, Computed: s.clock.Now(), By: by(ctx)}
	for _, t := range tables {
		disputes, err := s.disputesOf(ctx, t)
		if err != nil {
			return nil, err
		}
		if err := run.add(agreements, t, t.Total.Clears-held(disputes), ""); err != nil {
			return nil, err
		}
		_, err = update(ctx, s, National, tableID(t.Month, t.Treatment, t.Insured), "", func(_ context.Context, t *Table) error {
			t.Status, t.NettedIn = Netted, m
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if err := s.decided(ctx, run, agreements); err != nil {
		return nil, err
	}
	return run, s.order(ctx, run)
}

// ripe returns the tables to be netted, or says what is waited for.
func (s *Service) ripe(ctx context.Context, m Month) ([]*Table, error) {
	now := s.clock.Now()
	if dates := s.rules.Of(m); !now.After(dates.Ends) {
		return nil, notYet("The month is not over yet.", "该月尚未结束。").With("ends", rfc(dates.Ends))
	}
	var ripe []*Table
	missing := 0
	for _, status := range []TableStatus{Confirmed, Declared} {
		all, _, err := list[Table](ctx, s, Query{Holder: National, Status: string(status), Max: string(m)})
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			switch {
			case t.Status == Confirmed || now.After(s.rules.Of(t.Month).Last):
				ripe = append(ripe, t)
			case t.Month == m:
				missing++
			}
		}
	}
	if by := s.rules.Of(m).National; !now.After(by) && (missing > 0 || len(ripe) == 0) {
		return nil, notYet("Not every table of the month is confirmed.", "该月申报表尚未全部确认。").
			With("missing", strconv.Itoa(missing)).With("national_by", rfc(by))
	}
	slices.SortFunc(ripe, func(a, b *Table) int {
		return cmp.Compare(tableID(a.Month, a.Treatment, a.Insured), tableID(b.Month, b.Treatment, b.Insured))
	})
	return ripe, nil
}

func (run *NetRun) add(agreements []Agreement, t *Table, amount money.Fen, dispute string) error {
	shared, err := Shared(agreements, t.Treatment, t.Insured, t.Month, amount)
	run.Lines = append(run.Lines, Line{
		Treatment: t.Treatment, Insured: t.Insured, Month: t.Month, Cleared: amount - shared, Shared: shared, Dispute: dispute,
	})
	return err
}

// decided adds what disputes came to, of tables that were netted without them.
func (s *Service) decided(ctx context.Context, run *NetRun, agreements []Agreement) error {
	for _, status := range []DisputeStatus{Rejected, Upheld} {
		all, _, err := list[Dispute](ctx, s, Query{Holder: National, Status: string(status), Max: string(run.Month)})
		if err != nil {
			return err
		}
		for _, d := range all {
			if d.NettedIn != "" {
				continue
			}
			t, err := get[Table](ctx, s, National, tableID(d.Month, d.Treatment, d.Insured))
			if err != nil {
				return err
			}
			if t.Status != Netted {
				continue
			}
			if status == Upheld {
				run.Lines = append(run.Lines, Line{Treatment: d.Treatment, Insured: d.Insured, Month: d.Month, Waived: d.Amount, Dispute: d.ID})
			} else if err := run.add(agreements, t, d.Amount, d.ID); err != nil {
				return err
			}
			_, err = update(ctx, s, National, d.ID, "", func(_ context.Context, d *Dispute) error {
				d.NettedIn = run.Month
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// order makes positions and transfers, and leaves it to jobs to tell the provinces.
func (s *Service) order(ctx context.Context, run *NetRun) error {
	debts := make([]Debt, len(run.Lines))
	provinces := map[string]bool{}
	for i, l := range run.Lines {
		debts[i] = Debt{Debtor: l.Insured, Creditor: l.Treatment, Amount: l.Cleared}
		provinces[l.Insured], provinces[l.Treatment] = true, true
	}
	var err error
	if run.Positions, err = Net(debts); err != nil {
		return err
	}
	for _, r := range Remit(run.Positions) {
		t := &Transfer{
			ID: s.ids.New("rmt"), Month: run.Month, Payer: r.Payer, Payee: r.Payee, Status: Due, Amount: r.Amount, DueBy: s.rules.TransferBy(run.Computed),
		}
		if _, err := put(ctx, s, National, t); err != nil {
			return err
		}
	}
	if _, err := put(ctx, s, National, run); err != nil {
		return err
	}
	for province := range provinces {
		if err := s.store.Later(ctx, Job{Do: "publish", Province: province, Month: run.Month}); err != nil {
			return err
		}
	}
	return nil
}

// GetNet returns a month's net: all of it to operations, its own part to an agency.
func (s *Service) GetNet(ctx context.Context, m Month) (*NetRun, []*Transfer, error) {
	party, err := s.partyAtNational(ctx)
	if err != nil {
		return nil, nil, err
	}
	run, err := get[NetRun](ctx, s, National, string(m))
	if err != nil {
		return nil, nil, err
	}
	transfers, _, err := list[Transfer](ctx, s, Query{Holder: National, Month: m, Party: party})
	return run.of(party), transfers, err
}

// of is a province's part of a net; all of it for "".
func (run *NetRun) of(province string) *NetRun {
	if province == "" {
		return run
	}
	part := *run
	part.Lines, part.Positions = nil, nil
	for _, l := range run.Lines {
		if l.Treatment == province || l.Insured == province {
			part.Lines = append(part.Lines, l)
		}
	}
	for _, p := range run.Positions {
		if p.Province == province {
			part.Positions = append(part.Positions, p)
		}
	}
	return &part
}

// publish hands a province its part of a net.
func (s *Service) publish(ctx context.Context, province string, m Month) error {
	run, err := get[NetRun](ctx, s, National, string(m))
	if err != nil {
		return err
	}
	transfers, _, err := list[Transfer](ctx, s, Query{Holder: National, Month: m, Party: province})
	if err != nil {
		return err
	}
	return s.peers.ReceiveNet(ctx, province, run.of(province), transfers)
}

// ReceiveNet books a province's part of a net, once: claims and debts become one position.
func (s *Service) ReceiveNet(ctx context.Context, province string, run *NetRun, transfers []*Transfer) error {
	if err := s.serves(province); err != nil {
		return err
	}
	return s.store.Atomically(ctx, func(ctx context.Context) error {
		isNew, err := put(ctx, s, province, run)
		if err != nil || !isNew {
			return err
		}
		for _, side := range []ledger.Side{ledger.Insured, ledger.Treatment} {
			if err := s.book(ctx, Book{province, side}, run); err != nil {
				return err
			}
		}
		for _, l := range run.Lines {
			if l.Dispute != "" {
				continue
			}
			_, err := update(ctx, s, province, tableID(l.Month, l.Treatment, l.Insured), "", func(_ context.Context, t *Table) error {
				t.Status, t.NettedIn = Netted, run.Month
				return nil
			})
			if err != nil && !fault.Is(err, fault.ReasonNotFound) {
				return err
			}
			if l.Insured == province {
				// Also where it never confirmed: what comes later is of a later month.
				if err := s.store.Close(ctx, Book{province, ledger.Insured}, l.Treatment, l.Month); err != nil {
					return err
				}
			}
		}
		for _, t := range transfers {
			t.Status = Due
			if _, err := put(ctx, s, province, t); err != nil {
				return err
			}
		}
		return nil
	})
}

// book posts a net's lines in one of a province's books.
func (s *Service) book(ctx context.Context, at Book, run *NetRun) error {
	var postings []ledger.Posting
	post := func(account string, debit money.Fen) {
		p := ledger.Posting{Account: account, Debit: max(debit, 0), Credit: max(-debit, 0)}
		postings = append(postings, p)
	}
	for _, l := range run.Lines {
		switch {
		case at.Side == ledger.Treatment && l.Treatment == at.Province:
			post(ledger.Position(at.Province, string(run.Month)), l.Cleared)
			post(ledger.RiskShare(at.Province, l.Insured), l.Shared)
			post(ledger.Waived(at.Province, l.Insured), l.Waived)
			post(ledger.ReceivableFrom(at.Province, l.Insured), -l.Claim())
		case at.Side == ledger.Insured && l.Insured == at.Province:
			post(ledger.PayableTo(at.Province, l.Treatment), l.Claim())
			post(ledger.Position(at.Province, string(run.Month)), -l.Cleared)
			post(ledger.RiskShare(at.Province, l.Treatment), -l.Shared)
			post(ledger.Waived(at.Province, l.Treatment), -l.Waived)
		}
	}
	if len(postings) == 0 {
		return nil
	}
	head := ledger.Head{
		ID: s.ids.New("ent_" + at.Province), Province: at.Province, Side: at.Side, Kind: ledger.Netting, Source: "net_" + string(run.Month), Day: s.today(),
	}
	e, err := ledger.New(head, postings...)
	if err != nil {
		return err
	}
	return s.store.Post(ctx, e, s.clock.Now())
}
