package clearing

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
)

// partyAtNational is the province a caller is limited to at the national center; empty: none.
func (s *Service) partyAtNational(ctx context.Context) (string, error) {
	if err := s.serves(National); err != nil {
		return "", err
	}
	who := access.From(ctx)
	switch {
	case who.Has(access.Operations) || who.Has(access.Service):
		return "", nil
	case who.Has(access.Agency) && who.Province != "":
		return who.Province, nil
	}
	return "", notOwn()
}

// DisputeAsk opens a dispute.
type DisputeAsk struct {
	Month        Month
	Treatment    string
	SettlementID string
	Amount       money.Fen
	Reason       string
}

// OpenDispute lets an insured province's agency object to an amount of a table, while its window lasts and it is not netted.
func (s *Service) OpenDispute(ctx context.Context, ask DisputeAsk) (*Dispute, error) {
	insured, err := s.partyAtNational(ctx)
	if err != nil {
		return nil, err
	}
	if insured == "" {
		return nil, notOwn()
	}
	now := s.clock.Now()
	d := &Dispute{
		ID: s.ids.New("dsp"), Month: ask.Month, Treatment: ask.Treatment, Insured: insured, Status: Opened,
		SettlementID: ask.SettlementID, Amount: ask.Amount, Reason: ask.Reason, OpenedBy: by(ctx),
	}
	s.rules.clocks(d, now)
	err = s.store.Atomically(ctx, func(ctx context.Context) error {
		// Locks the table: disputes about it are opened one after another, and not while it is netted.
		_, err := update(ctx, s, National, tableID(ask.Month, ask.Treatment, insured), "", func(ctx context.Context, t *Table) error {
			if t.Status == Netted {
				return wrongState(string(t.Status))
			}
			if last := s.rules.Of(ask.Month).Last; now.After(last) {
				return deadlinePassed("last", last)
			}
			return s.mayDispute(ctx, t, ask)
		})
		if err != nil {
			return err
		}
		_, err = put(ctx, s, National, d)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// mayDispute refuses a second dispute about a settlement, and more than the table has.
func (s *Service) mayDispute(ctx context.Context, t *Table, ask DisputeAsk) error {
	others, err := s.disputesOf(ctx, t)
	if err != nil {
		return err
	}
	sum := ask.Amount
	for _, o := range others {
		if o.Status == Withdrawn {
			continue
		}
		if o.SettlementID == ask.SettlementID {
			return wrongState(string(o.Status)).With("dispute_id", o.ID)
		}
		sum += o.Amount
	}
	if sum > max(t.Total.Clears, 0) {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, "amount",
			"More is disputed than the table has.", "争议金额超过申报金额。")
	}
	return ErrUnchanged
}

func (s *Service) disputesOf(ctx context.Context, t *Table) ([]*Dispute, error) {
	all, _, err := list[Dispute](ctx, s, Query{Holder: National, Month: t.Month, A: t.Treatment, B: t.Insured})
	return all, err
}

// HeldOf is what disputes hold back of a table.
func (s *Service) HeldOf(ctx context.Context, m Month, treatment, insured string) (money.Fen, error) {
	if err := s.serves(National); err != nil {
		return 0, err
	}
	all, err := s.disputesOf(ctx, &Table{Month: m, Treatment: treatment, Insured: insured})
	return held(all), err
}

// held sums what is disputed and was not withdrawn: a decided amount is netted by itself.
func held(all []*Dispute) (sum money.Fen) {
	for _, d := range all {
		if d.Status != Withdrawn {
			sum += d.Amount
		}
	}
	return sum
}

// AnswerDispute is the treatment province's word.
func (s *Service) AnswerDispute(ctx context.Context, id, etag, text string) (*Dispute, error) {
	return s.step(ctx, id, etag, func(ctx context.Context, d *Dispute, party string) error {
		if party != d.Treatment {
			return notOwn()
		}
		return d.answer(text, by(ctx), s.clock.Now())
	})
}

// WithdrawDispute ends a dispute by the province that opened it.
func (s *Service) WithdrawDispute(ctx context.Context, id, etag string) (*Dispute, error) {
	return s.step(ctx, id, etag, func(ctx context.Context, d *Dispute, party string) error {
		if party != d.Insured {
			return notOwn()
		}
		if d.NettedIn != "" {
			return wrongState(string(d.Status))
		}
		t, err := get[Table](ctx, s, National, tableID(d.Month, d.Treatment, d.Insured))
		if err != nil {
			return err
		}
		if t.Status == Declared {
			return d.withdraw(by(ctx), s.clock.Now())
		}
		// The table was confirmed, or netted, without the amount: it is paid like one that was decided.
		if d.Over() {
			return wrongState(string(d.Status))
		}
		d.Status, d.Decision, d.DecidedBy, d.Decided = Rejected, "withdrawn", by(ctx), s.clock.Now()
		return nil
	})
}

// DecideDispute is the national center's word: upheld, the insured province need not pay.
func (s *Service) DecideDispute(ctx context.Context, id, etag string, upheld bool, text string) (*Dispute, error) {
	if err := s.national(ctx); err != nil {
		return nil, err
	}
	return s.step(ctx, id, etag, func(ctx context.Context, d *Dispute, _ string) error {
		return d.decide(upheld, text, by(ctx), s.clock.Now())
	})
}

func (s *Service) step(ctx context.Context, id, etag string, change func(ctx context.Context, d *Dispute, party string) error) (*Dispute, error) {
	party, err := s.partyAtNational(ctx)
	if err != nil {
		return nil, err
	}
	var out *Dispute
	err = s.store.Atomically(ctx, func(ctx context.Context) (err error) {
		// Who has no part learns nothing, not even that the etag is old.
		seen, err := s.dispute(ctx, id, party)
		if err != nil {
			return err
		}
		if _, err := update(ctx, s, National, tableID(seen.Month, seen.Treatment, seen.Insured), "", func(context.Context, *Table) error { return ErrUnchanged }); err != nil {
			return err
		}
		out, err = update(ctx, s, National, id, etag, func(ctx context.Context, d *Dispute) error { return change(ctx, d, party) })
		return err
	})
	return out, err
}

func (s *Service) dispute(ctx context.Context, id, party string) (*Dispute, error) {
	d, err := get[Dispute](ctx, s, National, id)
	if err == nil && party != "" && party != d.Insured && party != d.Treatment {
		return nil, access.NotVisible("dispute", id)
	}
	return d, err
}

// ListDisputes returns disputes of a month, or of all: to an agency those it has part in.
func (s *Service) ListDisputes(ctx context.Context, m Month, status DisputeStatus, after string, limit int) ([]*Dispute, string, error) {
	party, err := s.partyAtNational(ctx)
	if err != nil {
		return nil, "", err
	}
	return list[Dispute](ctx, s, Query{Holder: National, Month: m, Party: party, Status: string(status), After: after, Limit: limit})
}

// PutAgreement records what two provinces signed. It is never changed: one that ends is recorded with its end beforehand,
// and two for the same months are refused.
func (s *Service) PutAgreement(ctx context.Context, a Agreement) (*Signed, error) {
	if err := s.national(ctx); err != nil {
		return nil, err
	}
	if err := a.Check(); err != nil {
		return nil, err
	}
	signed := &Signed{ID: s.ids.New("agr"), Agreement: a}
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		if err := s.lockNational(ctx); err != nil {
			return err
		}
		all, _, err := list[Signed](ctx, s, Query{Holder: National, A: a.Treatment, B: a.Insured})
		if err != nil {
			return err
		}
		for _, other := range all {
			if other.Overlaps(a) {
				return fault.New(fault.AlreadyExists, fault.AgreementOverlap, "from_month",
					"An agreement of the two provinces holds for these months already.", "两省在该期间已有协议。").With("agreement_id", other.ID)
			}
		}
		_, err = put(ctx, s, National, signed)
		return err
	})
	return signed, err
}

// ListAgreements returns agreements: to an agency those it has part in.
func (s *Service) ListAgreements(ctx context.Context, after string, limit int) ([]*Signed, string, error) {
	party, err := s.partyAtNational(ctx)
	if err != nil {
		return nil, "", err
	}
	return list[Signed](ctx, s, Query{Holder: National, Party: party, After: after, Limit: limit})
}
