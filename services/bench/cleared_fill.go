package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/ledger"
	"huhang.example/services/settlement/store"
)

// entry is one side of a settlement.
func (p *provinces) entry(side ledger.Side, treatment, insured, source, day string, amount money.Fen) (ledger.Entry, error) {
	h := ledger.Head{Side: side, Kind: ledger.Settlement, Source: source, Day: day}
	if side == ledger.Treatment {
		h.ID, h.Province, h.Counterparty = p.ids.New("ent_"+treatment), treatment, insured
		return ledger.New(h, ledger.Posting{Account: ledger.ReceivableFrom(treatment, insured), Debit: amount},
			ledger.Posting{Account: ledger.PatientCash(treatment, settler), Debit: amount / 2},
			ledger.Posting{Account: ledger.HospitalPayable(treatment, settler), Credit: amount + amount/2})
	}
	h.ID, h.Province, h.Counterparty = p.ids.New("ent_"+insured), insured, treatment
	return ledger.New(h, ledger.Posting{Account: ledger.Fund(insured, "basic"), Debit: amount}, ledger.Posting{Account: ledger.PayableTo(insured, treatment), Credit: amount})
}

// fill copies a month's entries into the tails of both provinces' books, day after day, and lets them be given their places
// some thousand at a time: the line does so every ten seconds.
func (p *provinces) fill(ctx context.Context, settlements int64) error {
	const atOnce = 20_000
	return sql(ctx, p.dsn, func(conn *pgx.Conn) error {
		for from := int64(0); from < settlements; from += atOnce {
			var entries, postings, tail [][]any
			for i := from; i < min(from+atOnce, settlements); i++ {
				treatment, insured := mainland[i%31], mainland[(i+1+i/31%30)%31]
				day, at := fmt.Sprintf("%s-%02d", p.month, 1+i*30/settlements), time.Date(2026, 11, int(1+i*30/settlements), 3, 0, 0, 0, time.UTC)
				for _, side := range []ledger.Side{ledger.Treatment, ledger.Insured} {
					e, err := p.entry(side, treatment, insured, fmt.Sprintf("stl_%s_%s_%012d", insured, p.month, i), day, money.Fen(100+i%1_000_000))
					if err != nil {
						return err
					}
					h := e.Head()
					entries = append(entries, []any{h.ID, h.Province, string(side), string(h.Kind), h.Source, h.Counterparty, h.Day, clock.Micros(at)})
					for n, x := range e.Postings() {
						postings = append(postings, []any{h.ID, int64(n + 1), h.Province, x.Account, int64(x.Debit), int64(x.Credit)})
					}
					row, err := store.TailRow(e, at)
					if err != nil {
						return err
					}
					tail = append(tail, row)
				}
			}
			for _, c := range []struct {
				table   string
				columns []string
				rows    [][]any
			}{
				{"ledger_entry", []string{"entry_id", "province", "side", "kind", "source", "counterparty", "day", "posted_at"}, entries},
				{"posting", []string{"entry_id", "position", "province", "account", "debit", "credit"}, postings},
				{"ledger_tail", store.TailColumns, tail},
			} {
				if _, err := conn.CopyFrom(ctx, pgx.Identifier{c.table}, c.columns, pgx.CopyFromRows(c.rows)); err != nil {
					return err
				}
			}
			if from == 0 {
				if err := analyze(ctx, p.dsn); err != nil {
					return err
				}
			}
			if err := p.phase(ctx, "places given, day by day", func() error { return p.use.SealAll(ctx) }); err != nil {
				return err
			}
		}
		return analyze(ctx, p.dsn)
	})
}
