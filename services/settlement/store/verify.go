package store

import (
	"context"
	"slices"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
)

// Verify follows a book's chain from the place after from over at most limit entries. from is the beginning, or where an
// earlier call ended.
func (b *Books) Verify(ctx context.Context, at clearing.Book, from ledger.Chain, limit int) (v clearing.Verified, err error) {
	err = b.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		v = clearing.Verified{Chain: from}
		if err := headOf(ctx, q, at, &v.Head); err != nil {
			return err
		}
		links, err := linksOf(ctx, q, at, from.Seq, limit)
		if err != nil {
			return err
		}
		for _, l := range links {
			if v.Chain, v.Break = v.Chain.Check(l); v.Break != nil {
				return nil
			}
		}
		if len(links) == limit {
			return nil
		}
		v.Complete = true
		if v.Chain != v.Head {
			v.Break = &ledger.Break{Seq: v.Chain.Seq + 1, Damage: ledger.Cut}
			return nil
		}
		v.Break, err = b.beside(ctx, q, at, v.Head.Seq)
		return err
	})
	return v, err
}

func headOf(ctx context.Context, q sqldb.Querier, at clearing.Book, head *ledger.Chain) error {
	err := q.QueryRow(ctx, "SELECT seq, hash FROM ledger_book WHERE province = $1 AND side = $2", at.Province, string(at.Side)).Scan(&head.Seq, &head.Hash)
	return notFound(err, nil)
}

// linksOf reads places with what stands there now, whatever was done to it.
func linksOf(ctx context.Context, q sqldb.Querier, at clearing.Book, after int64, limit int) (links []ledger.Link, err error) {
	var heads []ledger.Head
	var postings [][]ledger.Posting
	err = each(ctx, q, `SELECT l.seq, l.hash, l.entry_id, e.entry_id IS NOT NULL, coalesce(e.province, ''), coalesce(e.side, ''), coalesce(e.kind, ''),
			coalesce(e.source, ''), coalesce(e.counterparty, ''), coalesce(e.day, ''), coalesce(e.posted_at, 0),
			coalesce(p.account, ''), coalesce(p.debit, 0), coalesce(p.credit, 0)
		FROM (SELECT seq, hash, entry_id FROM ledger_link WHERE province = $1 AND side = $2 AND seq > $3 ORDER BY seq LIMIT $4) l
		LEFT JOIN ledger_entry e ON e.entry_id = l.entry_id LEFT JOIN posting p ON p.entry_id = l.entry_id ORDER BY l.seq, p.position`,
		[]any{at.Province, string(at.Side), after, limit}, func(rows sqldb.Rows) error {
			var l ledger.Link
			var h ledger.Head
			var p ledger.Posting
			var posted int64
			err := rows.Scan(&l.Chain.Seq, &l.Chain.Hash, &l.EntryID, &l.Found, &h.Province, &h.Side, &h.Kind, &h.Source, &h.Counterparty, &h.Day, &posted,
				&p.Account, &p.Debit, &p.Credit)
			if err != nil {
				return err
			}
			h.ID, l.At = l.EntryID, clock.FromMicros(posted)
			if n := len(links); n == 0 || links[n-1].Chain.Seq != l.Chain.Seq {
				links, heads, postings = append(links, l), append(heads, h), append(postings, nil)
			}
			if p != (ledger.Posting{}) {
				postings[len(links)-1] = append(postings[len(links)-1], p)
			}
			return nil
		})
	for i := range links {
		var made error
		links[i].Entry, made = ledger.New(heads[i], postings[i]...)
		links[i].Malformed = made != nil
	}
	return links, err
}

// beside looks for what is in the book's tables but not in its chain, and for checkpoints that are not their postings' sum.
func (b *Books) beside(ctx context.Context, q sqldb.Querier, at clearing.Book, seq int64) (*ledger.Break, error) {
	var entries, tail int64
	if err := q.QueryRow(ctx, "SELECT count(*) FROM ledger_entry WHERE province = $1 AND side = $2", at.Province, string(at.Side)).Scan(&entries); err != nil {
		return nil, err
	}
	if err := q.QueryRow(ctx, "SELECT count(*) FROM ledger_tail WHERE province = $1 AND side = $2", at.Province, string(at.Side)).Scan(&tail); err != nil {
		return nil, err
	}
	if entries != seq+tail {
		return &ledger.Break{Seq: seq + 1, Damage: ledger.Unchained}, nil
	}
	kept, err := balances(ctx, q, `SELECT account, debit, credit FROM ledger_balance WHERE province = $1 AND side = $2`, at.Province, string(at.Side))
	if err != nil {
		return nil, err
	}
	counted, err := balances(ctx, q, `SELECT p.account, p.debit, p.credit FROM ledger_link l JOIN posting p ON p.entry_id = l.entry_id
		WHERE l.province = $1 AND l.side = $2`, at.Province, string(at.Side))
	if err != nil || slices.Equal(kept, counted) {
		return nil, err
	}
	return &ledger.Break{Seq: seq, Damage: ledger.Balances}, nil
}
