package clearing

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/ledger"
)

// ListTransfers returns a province's transfers.
func (s *Service) ListTransfers(ctx context.Context, province string, m Month, status TransferStatus, after string, limit int) ([]*Transfer, string, error) {
	if err := s.reads(ctx, province); err != nil {
		return nil, "", err
	}
	return list[Transfer](ctx, s, Query{Holder: province, Month: m, Status: string(status), After: after, Limit: limit})
}

// PayTransfer records that the payer's finance sent the money. Late is late, but paid.
func (s *Service) PayTransfer(ctx context.Context, province, id, etag, reference string) (*Transfer, error) {
	return s.move(ctx, province, id, etag, func(ctx context.Context, t *Transfer) (ledger.Entry, error) {
		if t.Payer != province {
			return ledger.Entry{}, notOwn()
		}
		if t.Status != Due {
			return ledger.Entry{}, wrongState(string(t.Status))
		}
		t.Status, t.Sent, t.SentBy, t.Reference = Sent, s.clock.Now(), by(ctx), reference
		t.SentLate = t.Sent.After(t.DueBy)
		return s.paid(province, ledger.Insured, "sent_"+id,
			ledger.Posting{Account: ledger.Position(province, string(t.Month)), Debit: t.Amount}, ledger.Posting{Account: ledger.Bank(province), Credit: t.Amount})
	})
}

// ReceiveTransfer records that the money has arrived at the payee's.
func (s *Service) ReceiveTransfer(ctx context.Context, province, id, etag string) (*Transfer, error) {
	return s.move(ctx, province, id, etag, func(ctx context.Context, t *Transfer) (ledger.Entry, error) {
		if t.Payee != province {
			return ledger.Entry{}, notOwn()
		}
		if t.Status != Sent {
			return ledger.Entry{}, wrongState(string(t.Status))
		}
		t.Status, t.Received, t.ReceivedBy = Received, s.clock.Now(), by(ctx)
		return s.paid(province, ledger.Treatment, "received_"+id,
			ledger.Posting{Account: ledger.Bank(province), Debit: t.Amount}, ledger.Posting{Account: ledger.Position(province, string(t.Month)), Credit: t.Amount})
	})
}

func (s *Service) paid(province string, side ledger.Side, source string, postings ...ledger.Posting) (ledger.Entry, error) {
	return ledger.New(ledger.Head{
		ID: s.ids.New("ent_" + province), Province: province, Side: side, Kind: ledger.Payment, Source: source, Day: s.today(),
	}, postings...)
}

func (s *Service) move(ctx context.Context, province, id, etag string, change func(ctx context.Context, t *Transfer) (ledger.Entry, error)) (*Transfer, error) {
	if err := s.acts(ctx, province); err != nil {
		return nil, err
	}
	var out *Transfer
	err := s.store.Atomically(ctx, func(ctx context.Context) (err error) {
		var e ledger.Entry
		out, err = update(ctx, s, province, id, etag, func(ctx context.Context, t *Transfer) (err error) {
			e, err = change(ctx, t)
			return err
		})
		if err != nil {
			return err
		}
		if err := s.store.Post(ctx, e, s.clock.Now()); err != nil {
			return err
		}
		return s.store.Later(ctx, Job{Do: "report", Province: province, Other: National, ID: id})
	})
	return out, err
}

// report tells how far a transfer is.
func (s *Service) report(ctx context.Context, holder, to, id string) error {
	t, err := get[Transfer](ctx, s, holder, id)
	if err != nil {
		return err
	}
	return s.peers.ReportTransfer(ctx, to, t)
}

var transferStep = map[TransferStatus]int{Due: 0, Sent: 1, Received: 2}

// TakeReport brings a copy of a transfer forward; the national center passes it on to payer and payee.
func (s *Service) TakeReport(ctx context.Context, holder string, given *Transfer) error {
	if err := s.serves(holder); err != nil {
		return err
	}
	return s.store.Atomically(ctx, func(ctx context.Context) error {
		moved := false
		_, err := update(ctx, s, holder, given.ID, "", func(_ context.Context, t *Transfer) error {
			if moved = transferStep[given.Status] > transferStep[t.Status]; !moved {
				return ErrUnchanged
			}
			t.Status, t.Reference, t.Sent, t.SentBy, t.SentLate = given.Status, given.Reference, given.Sent, given.SentBy, given.SentLate
			t.Received, t.ReceivedBy = given.Received, given.ReceivedBy
			return nil
		})
		if err != nil || holder != National || !moved {
			return err
		}
		for _, party := range []string{given.Payer, given.Payee} {
			if err := s.store.Later(ctx, Job{Do: "report", Province: National, Other: party, ID: given.ID}); err != nil {
				return err
			}
		}
		return nil
	})
}

// maxPrepayment bounds one payment.
const maxPrepayment money.Fen = 1_000_000_000_000_000

// GetPrepayment judges what an insured province paid ahead to a treatment province, for a year.
func (s *Service) GetPrepayment(ctx context.Context, province, treatment string, year int) (Prepaid, error) {
	if err := s.reads(ctx, province); err != nil {
		return Prepaid{}, err
	}
	return s.prepaid(ctx, province, treatment, year)
}

func (s *Service) prepaid(ctx context.Context, province, treatment string, year int) (Prepaid, error) {
	var quarter money.Fen
	for i := range 3 {
		t, err := s.sum(ctx, Book{province, ledger.Insured}, TotalQuery{Counterparty: treatment, Month: yearMonth(year-1, 10).Plus(i)})
		if err != nil {
			return Prepaid{}, err
		}
		quarter += t.Clears
	}
	proposed, err := s.rules.Prepayment(quarter)
	if err != nil {
		return Prepaid{}, err
	}
	balances, err := s.store.Balances(ctx, province)
	if err != nil {
		return Prepaid{}, err
	}
	return s.rules.Prepaid(proposed, -outstanding(balances, ledger.PrepaidTo(province, treatment)), outstanding(balances, ledger.PayableTo(province, treatment)))
}

// PayPrepayment records money paid ahead: the year's, or an emergency top-up.
func (s *Service) PayPrepayment(ctx context.Context, province, treatment string, amount money.Fen, topUp bool, reference string) (*Prepayment, error) {
	if err := s.acts(ctx, province); err != nil {
		return nil, err
	}
	if province == treatment || amount <= 0 || amount > maxPrepayment {
		return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "amount", "A prepayment is a positive amount to another province.", "预付金须为付给他省的正数金额。")
	}
	p := &Prepayment{
		ID: s.ids.New("ppy_" + province), Insured: province, Treatment: treatment, Month: MonthOf(s.today()), Amount: amount, TopUp: topUp,
		Reference: reference, Paid: s.clock.Now(), PaidBy: by(ctx),
	}
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		if _, err := put(ctx, s, province, p); err != nil {
			return err
		}
		if err := s.prepay(ctx, Book{province, ledger.Insured}, p); err != nil {
			return err
		}
		return s.store.Later(ctx, Job{Do: "prepaid", Province: province, Other: treatment, ID: p.ID})
	})
	return p, err
}

func (s *Service) prepay(ctx context.Context, at Book, p *Prepayment) error {
	debit, credit := ledger.PrepaidTo(at.Province, p.Treatment), ledger.Bank(at.Province)
	if at.Side == ledger.Treatment {
		debit, credit = ledger.Bank(at.Province), ledger.PrepaidBy(at.Province, p.Insured)
	}
	e, err := ledger.New(ledger.Head{
		ID: s.ids.New("ent_" + at.Province), Province: at.Province, Side: at.Side, Kind: ledger.Prepayment, Source: p.ID, Day: s.today(),
	}, ledger.Posting{Account: debit, Debit: p.Amount}, ledger.Posting{Account: credit, Credit: p.Amount})
	if err != nil {
		return err
	}
	return s.store.Post(ctx, e, s.clock.Now())
}

func (s *Service) tellPrepaid(ctx context.Context, province, id string) error {
	p, err := get[Prepayment](ctx, s, province, id)
	if err != nil {
		return err
	}
	return s.peers.ReceivePrepayment(ctx, p)
}

// TakePrepayment books at the treatment province what was paid ahead to it, once.
func (s *Service) TakePrepayment(ctx context.Context, p *Prepayment) error {
	if err := s.serves(p.Treatment); err != nil {
		return err
	}
	return s.store.Atomically(ctx, func(ctx context.Context) error {
		isNew, err := put(ctx, s, p.Treatment, p)
		if err != nil || !isNew {
			return err
		}
		return s.prepay(ctx, Book{p.Treatment, ledger.Treatment}, p)
	})
}

// own is whom a service's job acts for: nobody but itself.
func own(ctx context.Context) context.Context {
	return access.With(ctx, access.Caller{Service: "settlement", Roles: []access.Role{access.Service}})
}
