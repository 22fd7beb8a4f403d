package clearing

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"huhang.example/services/internal/money"
)

// Prepayment is money an insured province paid ahead (预付金拨付).
type Prepayment struct {
	ID        string    `json:"-"`
	Insured   string    `json:"-"`
	Treatment string    `json:"-"`
	Month     Month     `json:"-"`
	Version   int64     `json:"-"`
	Amount    money.Fen `json:"amount"`
	TopUp     bool      `json:"top_up,omitempty"`
	Reference string    `json:"reference"`
	Paid      time.Time `json:"paid"`
	PaidBy    string    `json:"paid_by"`
}

// Signed is an agreement as it is kept.
type Signed struct {
	ID      string `json:"-"`
	Version int64  `json:"-"`
	Agreement
}

// window is what is kept of a declared month, and of the order of nets.
type window struct {
	ID      string    `json:"-"`
	Status  string    `json:"-"`
	Version int64     `json:"-"`
	Last    Month     `json:"last,omitempty"`
	At      time.Time `json:"at"`
}

// reconciled is the outcome of comparing one day with one province.
type reconciled struct {
	ID      string `json:"-"`
	Version int64  `json:"-"`
	Status  string `json:"-"`
	Reconciliation
}

// document is what a record can hold: head says what of it is looked up, restore takes that back.
type document interface {
	head() Record
	restore(r Record)
}

func (t *Table) head() Record {
	return Record{Kind: tableKind, ID: tableID(t.Month, t.Treatment, t.Insured), Month: t.Month, A: t.Treatment, B: t.Insured, Status: string(t.Status), Version: t.Version}
}

func (t *Table) restore(r Record) {
	t.Month, t.Treatment, t.Insured, t.Status, t.Version = r.Month, r.A, r.B, TableStatus(r.Status), r.Version
}

func (d *Dispute) head() Record {
	return Record{Kind: disputeKind, ID: d.ID, Month: d.Month, A: d.Treatment, B: d.Insured, Status: string(d.Status), Version: d.Version}
}

func (d *Dispute) restore(r Record) {
	d.ID, d.Month, d.Treatment, d.Insured, d.Status, d.Version = r.ID, r.Month, r.A, r.B, DisputeStatus(r.Status), r.Version
}

func (t *Transfer) head() Record {
	return Record{Kind: transferKind, ID: t.ID, Month: t.Month, A: t.Payer, B: t.Payee, Status: string(t.Status), Version: t.Version}
}

func (t *Transfer) restore(r Record) {
	t.ID, t.Month, t.Payer, t.Payee, t.Status, t.Version = r.ID, r.Month, r.A, r.B, TransferStatus(r.Status), r.Version
}

func (t *Task) head() Record {
	return Record{Kind: taskKind, ID: t.ID, Month: t.Month, A: t.Province, B: t.Counterparty, Status: string(t.Status), Version: t.Version}
}

func (t *Task) restore(r Record) {
	t.ID, t.Month, t.Province, t.Counterparty, t.Status, t.Version = r.ID, r.Month, r.A, r.B, TaskStatus(r.Status), r.Version
}

func (n *NetRun) head() Record {
	return Record{Kind: netKind, ID: string(n.Month), Month: n.Month, Version: n.Version}
}
func (n *NetRun) restore(r Record) { n.Month, n.Version = r.Month, r.Version }

func (p *Prepayment) head() Record {
	return Record{Kind: prepaymentKind, ID: p.ID, Month: p.Month, A: p.Treatment, B: p.Insured, Version: p.Version}
}

func (p *Prepayment) restore(r Record) {
	p.ID, p.Month, p.Treatment, p.Insured, p.Version = r.ID, r.Month, r.A, r.B, r.Version
}

func (s *Signed) head() Record {
	return Record{Kind: agreementKind, ID: s.ID, Month: s.From, A: s.Treatment, B: s.Insured, Version: s.Version}
}
func (s *Signed) restore(r Record) { s.ID, s.Version = r.ID, r.Version }

func (w *window) head() Record {
	return Record{Kind: windowKind, ID: w.ID, Status: w.Status, Version: w.Version}
}
func (w *window) restore(r Record) { w.ID, w.Status, w.Version = r.ID, r.Status, r.Version }

func (c *reconciled) head() Record {
	return Record{Kind: reconciledKind, ID: c.ID, Status: c.Status, Version: c.Version}
}
func (c *reconciled) restore(r Record) { c.ID, c.Status, c.Version = r.ID, r.Status, r.Version }

// pack writes a document as a record of a holder's.
func pack(holder string, d document) (Record, error) {
	r := d.head()
	text, err := json.Marshal(d)
	if err != nil {
		return r, fmt.Errorf("clearing: %w", err)
	}
	r.Holder, r.Doc = holder, string(text)
	return r, nil
}

func unpack(r Record, d document) error {
	if err := json.Unmarshal([]byte(r.Doc), d); err != nil {
		return fmt.Errorf("clearing: stored %s: %w", r.Kind, err)
	}
	d.restore(r)
	return nil
}

// doc is a pointer to T that is a document.
type doc[T any] interface {
	*T
	document
}

// get reads one record; fault NOT_FOUND.
func get[T any, P doc[T]](ctx context.Context, s *Service, holder, id string) (P, error) {
	d := P(new(T))
	r, err := s.store.Record(ctx, d.head().Kind, holder, id)
	if err != nil {
		return nil, err
	}
	return d, unpack(r, d)
}

// put stores a new record, and says whether it was new.
func put(ctx context.Context, s *Service, holder string, d document) (bool, error) {
	r, err := pack(holder, d)
	if err != nil {
		return false, err
	}
	r.Version = 1
	isNew, err := s.store.InsertRecord(ctx, r)
	if isNew {
		d.restore(r)
	}
	return isNew, err
}

// update changes a record under its lock.
func update[T any, P doc[T]](ctx context.Context, s *Service, holder, id, etag string, change func(ctx context.Context, d P) error) (P, error) {
	var out P
	r, err := s.store.UpdateRecord(ctx, P(new(T)).head().Kind, holder, id, etag, func(ctx context.Context, r *Record) error {
		d := P(new(T))
		if err := unpack(*r, d); err != nil {
			return err
		}
		if err := change(ctx, d); err != nil {
			return err
		}
		changed, err := pack(holder, d)
		if err != nil {
			return err
		}
		r.Status, r.Doc = changed.Status, changed.Doc
		return nil
	})
	if err != nil {
		return nil, err
	}
	out = P(new(T))
	return out, unpack(r, out)
}

// list reads records by id; without a limit all of them.
func list[T any, P doc[T]](ctx context.Context, s *Service, q Query) ([]P, string, error) {
	q.Kind = P(new(T)).head().Kind
	var out []P
	for all := q.Limit == 0; ; {
		if all {
			q.Limit = 500
		}
		records, next, err := s.store.Records(ctx, q)
		if err != nil {
			return nil, "", err
		}
		for _, r := range records {
			d := P(new(T))
			if err := unpack(r, d); err != nil {
				return nil, "", err
			}
			out = append(out, d)
		}
		if !all || next == "" {
			return out, next, nil
		}
		q.After = next
	}
}

func etagOf(version int64) string { return strconv.FormatInt(version, 10) }
