package settlement

import (
	"context"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/settlement/ledger"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// QuoteSplit computes the split as of now and changes nothing.
func (s *Service) QuoteSplit(ctx context.Context, in SplitInput) (Answer, error) {
	if err := s.serves(in.InsuredProvince); err != nil {
		return Answer{}, err
	}
	if err := in.check(); err != nil {
		return Answer{}, err
	}
	year := s.yearOf(in)
	counters, err := s.store.Counters(ctx, in.InsuredProvince, in.PatientID, year)
	if err != nil {
		return Answer{}, err
	}
	reserved, err := s.store.PreauthorisationsOf(ctx, in.InsuredProvince, in.PatientID)
	if err != nil {
		return Answer{}, err
	}
	return s.split(ctx, in, seen(counters, reserved, in, year, s.clock.Now()), s.declared(ctx, in.InsuredProvince, in.PatientID))
}

// yearOf is the year whose sums the bill counts in, as the policy in force says.
func (s *Service) yearOf(in SplitInput) string {
	if p, ok := s.rules.Book.Policy(in.InsuredProvince, in.DischargeDate); ok {
		return p.Year(in.AdmissionDate, in.DischargeDate)
	}
	return in.DischargeDate[:4] // there is no split either
}

// split decides entitlement, policy and filing, and divides the bill.
func (s *Service) split(ctx context.Context, in SplitInput, counters split.Counters, d declared) (Answer, error) {
	e, err := s.entitlement(ctx, in.InsuredProvince, in.PatientID, d)
	if err != nil {
		return Answer{}, err
	}
	if !e.On(in.AdmissionDate) {
		return Answer{}, notEntitled()
	}
	p, ok := s.rules.Book.Policy(in.InsuredProvince, in.DischargeDate)
	if !ok {
		return Answer{}, noPolicy()
	}
	filings, err := s.store.FilingsOf(ctx, in.InsuredProvince, in.PatientID)
	if err != nil {
		return Answer{}, err
	}
	stay := split.Stay{Filing: policy.Unfiled, Province: in.TreatmentProvince, City: in.TreatmentCity}
	var a Answer
	if f := bestFiling(filings, in); f != nil {
		stay.Filing, a.FilingID = f.Type, f.ID
	}
	if in.Emergency && filingRank(policy.Emergency) < filingRank(stay.Filing) {
		stay.Filing, a.FilingID = policy.Emergency, ""
	}
	if in.Kind == Outpatient {
		stay.Disease = policy.AntiRejection
	}
	if terms, ok := p.Terms(e.Coverage.Scheme); ok && terms.Basic.Continuous && in.ReferralID != "" {
		if stay.ReferralDeductible, err = s.store.ReferralDeductible(ctx, in.InsuredProvince, in.ReferralID); err != nil {
			return Answer{}, err
		}
	}
	a.Split, err = split.Split(p, e.Coverage.Person(), stay, in.Totals, counters)
	return a, err
}

// CommitSplit commits a split once per message id: the split, the year counters and the postings, or nothing. The same
// message gets the same answer. Faults: MESSAGE_ID_REUSED for other contents, WRONG_STATE for a message that was closed,
// ALREADY_SETTLED for a claim that is settled under another message, NOT_ENTITLED, NO_POLICY.
func (s *Service) CommitSplit(ctx context.Context, messageID string, in SplitInput) (Answer, error) {
	if err := s.serves(in.InsuredProvince); err != nil {
		return Answer{}, err
	}
	ctx = telemetry.WithReferral(ctx, in.ReferralID)
	hash, err := hashOf(Commit, in)
	if err != nil {
		return Answer{}, err
	}
	// What was committed is answered before anything is asked: its peers may be away by now.
	if known, err := s.store.Message(ctx, messageID); err == nil {
		return known.recall(Commit, in.InsuredProvince, hash)
	} else if !fault.Is(err, fault.ReasonNotFound) {
		return Answer{}, err
	}
	if err := in.check(); err != nil {
		return Answer{}, err
	}
	day, err := s.onBusinessDay(in.BusinessDay, "input.business_day")
	if err != nil {
		return Answer{}, err
	}
	d := s.declared(ctx, in.InsuredProvince, in.PatientID)
	var answer Answer
	var held error
	err = s.store.Atomically(ctx, func(ctx context.Context) (err error) {
		answer, held, err = s.commit(ctx, messageID, hash, day, in, d)
		return err
	})
	if err == nil && held != nil {
		// The findings are stored; of the bill nothing is.
		return Answer{}, held
	}
	return answer, err
}

func (s *Service) commit(ctx context.Context, messageID, hash, day string, in SplitInput, d declared) (answer Answer, held, err error) {
	m := &Message{
		ID: messageID, Province: in.InsuredProvince, Kind: Commit, Status: MessageCommitted, ClaimID: in.ClaimID, Hash: hash,
		PatientID: in.PatientID, ReferralID: in.ReferralID, Year: s.yearOf(in), Treatment: in.TreatmentProvince, Created: s.clock.Now(),
	}
	// Counters first: two messages about one person wait for one another here.
	err = s.store.UpdateCounters(ctx, in.InsuredProvince, in.PatientID, m.Year, func(ctx context.Context, c *split.Counters) error {
		held = nil
		known, err := s.store.Message(ctx, messageID)
		if err == nil {
			m.Answer, err = known.recall(Commit, in.InsuredProvince, hash)
			return err
		}
		if !fault.Is(err, fault.ReasonNotFound) {
			return err
		}
		if manual, err := s.store.LockWay(ctx, in.ClaimID); err != nil {
			return err
		} else if manual != nil {
			return fault.New(fault.FailedPrecondition, fault.ClaimManual, "",
				"The bill was taken as a manual claim.", "该费用已按手工报销受理。")
		}
		if other, err := s.store.CommittedFor(ctx, in.ClaimID); err == nil {
			return fault.New(fault.AlreadyExists, fault.AlreadySettled, "",
				"The claim was settled already.", "该费用单已结算。").With("settlement_id", other.Answer.SettlementID)
		} else if !fault.Is(err, fault.ReasonNotFound) {
			return err
		}
		if held, err = s.rules.Watch.Committing(ctx, in); err != nil || held != nil {
			return err
		}
		reserved, err := s.store.PreauthorisationsOf(ctx, in.InsuredProvince, in.PatientID)
		if err != nil {
			return err
		}
		if m.Answer, err = s.split(ctx, in, seen(*c, reserved, in, m.Year, m.Created), d); err != nil {
			return err
		}
		if m.Preauthorisation, err = s.spend(ctx, reserved, in, messageID); err != nil {
			return err
		}
		m.Answer.SettlementID = s.ids.New("stl_" + in.InsuredProvince)
		if err := m.Answer.Split.Check(); err != nil {
			return err
		}
		if inserted, err := s.store.InsertMessage(ctx, m); err != nil || !inserted {
			return errOr(err, m.busy())
		}
		*c = c.Plus(m.Answer.Split.Used)
		entry, err := insuredEntry(s.ids.New("ent_"+in.InsuredProvince), in.InsuredProvince, in.TreatmentProvince, day, m.Answer)
		if err != nil {
			return err
		}
		if err := s.store.Post(ctx, entry, m.Created); err != nil {
			return err
		}
		return s.rules.Watch.Committed(ctx, m, in)
	})
	return m.Answer, held, err
}

func errOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// busy is a message that came up while this one was being decided: asking again finds it.
func (m *Message) busy() error {
	return fault.New(fault.Unavailable, fault.PeerUnavailable, "", "The message is being decided.", "该报文正在处理。")
}

// recall answers a message that is known.
func (m *Message) recall(kind MessageKind, province, hash string) (Answer, error) {
	switch {
	case m.Status == MessageClosed && m.Province == province:
		return Answer{}, wrongState(string(MessageClosed))
	case m.Kind != kind || m.Hash != hash || m.Province != province:
		return Answer{}, fault.New(fault.AlreadyExists, fault.MessageIDReused, "message_id",
			"The message id was used before with another content.", "该报文编号已用于其他内容。")
	}
	return m.Answer, nil
}

// ResolveMessage tells what became of a message (冲正查询). One that was not committed is closed by being asked about:
// should it arrive later, it is refused.
func (s *Service) ResolveMessage(ctx context.Context, messageID, province string) (Resolution, error) {
	if err := s.serves(province); err != nil {
		return Resolution{}, err
	}
	var out Resolution
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		out = Resolution{}
		closed := &Message{ID: messageID, Province: province, Kind: Commit, Status: MessageClosed, Created: s.clock.Now()}
		if inserted, err := s.store.InsertMessage(ctx, closed); err != nil || inserted {
			return err
		}
		m, err := s.store.Message(ctx, messageID)
		if err != nil {
			return err
		}
		// Another province's message is none of the asker's business.
		if m.Province != province || m.Status == MessageClosed {
			return nil
		}
		out = Resolution{Committed: true, Reversed: m.Status == MessageReversed, Answer: m.Answer}
		return nil
	})
	return out, err
}

// ReverseSplit undoes a committed split whole, once per message id. Faults: NOT_FOUND for an original that was never
// committed, MESSAGE_ID_REUSED, WRONG_STATE for one that was reversed under another message.
func (s *Service) ReverseSplit(ctx context.Context, messageID, originalID, province, reason, businessDay string) error {
	if err := s.serves(province); err != nil {
		return err
	}
	hash, err := hashOf(Reverse, originalID, province, reason)
	if err != nil {
		return err
	}
	day, err := s.onBusinessDay(businessDay, "business_day")
	if err != nil {
		return err
	}
	return s.store.Atomically(ctx, func(ctx context.Context) error {
		m := &Message{ID: messageID, Province: province, Kind: Reverse, Status: MessageCommitted, Hash: hash, Created: s.clock.Now()}
		inserted, err := s.store.InsertMessage(ctx, m)
		if err != nil {
			return err
		}
		if !inserted {
			known, err := s.store.Message(ctx, messageID)
			if err != nil {
				return err
			}
			_, err = known.recall(Reverse, province, hash)
			return err
		}
		original, err := s.store.Message(ctx, originalID)
		if err != nil {
			return err
		}
		if original.Province != province || original.Kind != Commit || original.Status == MessageClosed {
			return fault.NotFoundf("settlement", originalID)
		}
		if original.Status == MessageReversed {
			return wrongState(string(original.Status))
		}
		return s.undo(ctx, original, day)
	})
}

func (s *Service) undo(ctx context.Context, original *Message, day string) error {
	err := s.store.UpdateCounters(ctx, original.Province, original.PatientID, original.Year, func(ctx context.Context, c *split.Counters) error {
		*c = c.Minus(original.Answer.Split.Used)
		if original.Preauthorisation == "" {
			return nil
		}
		return s.restore(ctx, original)
	})
	if err != nil {
		return err
	}
	if err := s.postReversal(ctx, original.Province, ledger.Insured, original.Answer.SettlementID, day); err != nil {
		return err
	}
	original.Status = MessageReversed
	return s.store.SaveMessage(ctx, original)
}
