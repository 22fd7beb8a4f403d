package settlement

import (
	"context"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/place"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// PreauthorisationAsk asks for a pre-authorisation.
type PreauthorisationAsk struct {
	Province, PatientID, ReferralID, TreatmentCity, Organ, AdmissionDate string
	// Total is the expected total; zero: that of the typical bill.
	Total money.Fen
}

// PreauthorisationPrepared is what the peers told of one asked for.
type PreauthorisationPrepared struct {
	profile  Profile
	case_    Case
	declared declared
	err      error
}

// PreparePreauthorisation asks the case, the person and their coverage.
func (s *Service) PreparePreauthorisation(ctx context.Context, ask PreauthorisationAsk) (p PreauthorisationPrepared) {
	if p.err = s.serves(ask.Province); p.err != nil {
		return p
	}
	ctx = telemetry.WithReferral(ctx, ask.ReferralID)
	if p.case_, p.err = s.peers.Case(ctx, ask.ReferralID); p.err != nil {
		return p
	}
	if p.profile, p.err = s.peers.Profile(ctx, ask.PatientID); p.err == nil {
		p.declared = s.declared(ctx, ask.Province, ask.PatientID)
	}
	return p
}

// Preauthorise reserves what the caps leave for the expected bill of a case's stay. The one that is live is answered as
// it is. Call it in a transaction.
func (s *Service) Preauthorise(ctx context.Context, ask PreauthorisationAsk, prepared PreauthorisationPrepared) (*Preauthorisation, error) {
	if prepared.err != nil {
		return nil, prepared.err
	}
	who, theCase := access.From(ctx), prepared.case_
	if theCase.PatientID != ask.PatientID || theCase.CenterID == "" || !who.MaySee(theCase.Referrer, theCase.CenterID) {
		return nil, access.NotVisible("referral", ask.ReferralID)
	}
	if !prepared.profile.ConsentSettlement {
		return nil, consentMissing()
	}
	p, err := s.newPreauthorisation(ask, theCase, who.Organisation)
	if err != nil {
		return nil, err
	}
	ctx = telemetry.WithReferral(ctx, ask.ReferralID)
	err = s.store.UpdateCounters(ctx, p.Province, p.PatientID, p.Year, func(ctx context.Context, paid *split.Counters) error {
		all, err := s.store.PreauthorisationsOf(ctx, p.Province, p.PatientID)
		if err != nil {
			return err
		}
		in := p.input()
		for _, has := range all {
			if !has.For(in) || has.Status != PreauthorisationActive {
				continue
			}
			if has.Holds(s.clock.Now()) {
				p = has
				return nil
			}
			// Its time is over, its job has not run yet.
			if _, err := s.end(ctx, has.ID, PreauthorisationExpired); err != nil {
				return err
			}
		}
		return s.reserve(ctx, p, ask.Total, seen(*paid, all, in, p.Year, s.clock.Now()), prepared.declared)
	})
	return p, err
}

func (s *Service) newPreauthorisation(ask PreauthorisationAsk, theCase Case, by string) (*Preauthorisation, error) {
	city, ok := place.City(ask.TreatmentCity)
	if !ok {
		return nil, fault.New(fault.InvalidArgument, fault.CodeUnknown, "treatment_city", "There is no such city.", "没有此城市。")
	}
	if err := checkDay("admission_date", ask.AdmissionDate); err != nil {
		return nil, err
	}
	rules, today := s.rules.Life.Preauthorisation, s.today()
	if ask.AdmissionDate < today || ask.AdmissionDate > shiftDay(today, rules.AheadDays) {
		return nil, timeInvalid("admission_date", "The planned admission lies in the past or too far ahead.", "计划入院日已过或过远。")
	}
	if ask.Total < 0 || ask.Total > s.rules.Life.mostExpected() {
		return nil, fault.New(fault.OutOfRange, fault.AmountOverflow, "expected_total",
			"The expected total is outside the range of a pre-authorisation.", "预计总费用超出预授权允许范围。")
	}
	end, err := time.ParseInLocation(time.DateOnly, shiftDay(ask.AdmissionDate, rules.Days), clock.Shanghai)
	if err != nil {
		return nil, err
	}
	return &Preauthorisation{
		ID: s.ids.New("pre_" + ask.Province), Province: ask.Province, PatientID: ask.PatientID, ReferralID: ask.ReferralID, CenterID: theCase.CenterID, Referrer: theCase.Referrer,
		Year: ask.AdmissionDate[:4], Status: PreauthorisationActive, Expires: end, TreatmentProvince: city.Province, TreatmentCity: ask.TreatmentCity,
		AdmissionDate: ask.AdmissionDate, Organ: ask.Organ, RequestedBy: by, Created: s.clock.Now(), Version: 1,
	}, nil
}

// input is the planned stay as a bill would ask about it.
func (p *Preauthorisation) input() SplitInput {
	return SplitInput{
		PatientID: p.PatientID, InsuredProvince: p.Province, TreatmentProvince: p.TreatmentProvince, TreatmentCity: p.TreatmentCity,
		CenterID: p.CenterID, ReferralID: p.ReferralID, AdmissionDate: p.AdmissionDate, DischargeDate: p.AdmissionDate,
	}
}

func (s *Service) reserve(ctx context.Context, p *Preauthorisation, total money.Fen, year split.Counters, d declared) error {
	typical, ok := s.rules.Book.Typical(s.today())
	if !ok {
		return noTypicalBill()
	}
	in := p.input()
	var err error
	if in.Totals, err = s.typicalTotals(typical, p.Organ, p.TreatmentProvince, total); err != nil {
		return err
	}
	if p.Answer, err = s.split(ctx, in, year, d); err != nil {
		return err
	}
	p.Reserved = caps(p.Answer.Split.Used)
	p.Zh, p.En = assumption(typical.Version, policy.Referral, in.Totals, p.Answer.Split.PolicyVersion)
	if err := s.store.CreatePreauthorisation(ctx, p); err != nil {
		return err
	}
	return s.store.ExpireLater(ctx, p.ID, p.Expires)
}

// GetPreauthorisation returns one the caller may see.
func (s *Service) GetPreauthorisation(ctx context.Context, id string) (*Preauthorisation, error) {
	if err := s.serves(provinceOf(id)); err != nil {
		return nil, err
	}
	p, err := s.store.Preauthorisation(ctx, id)
	if err != nil {
		return nil, err
	}
	if !p.VisibleTo(access.From(ctx)) {
		return nil, access.NotVisible("preauthorisation", id)
	}
	return p, nil
}

// CancelPreauthorisation frees what is reserved. Cancelling one that has ended changes nothing; one that is spent is not
// cancelled.
func (s *Service) CancelPreauthorisation(ctx context.Context, id, etag string) (*Preauthorisation, error) {
	p, err := s.GetPreauthorisation(ctx, id)
	if err != nil {
		return nil, err
	}
	if p.Status == PreauthorisationUsed {
		return nil, wrongState(string(p.Status))
	}
	if p.Status != PreauthorisationActive {
		return p, nil
	}
	if etag != p.Etag() {
		return nil, fault.Stale(p.Etag())
	}
	var out *Preauthorisation
	err = s.store.Atomically(ctx, func(ctx context.Context) error {
		out, err = s.end(ctx, id, PreauthorisationCancelled)
		return err
	})
	return out, err
}

// Expire ends a pre-authorisation whose time is over; a job calls it.
func (s *Service) Expire(ctx context.Context, id string) error {
	p, err := s.store.Preauthorisation(ctx, id)
	if err != nil || p.Status != PreauthorisationActive || s.clock.Now().Before(p.Expires) {
		return err
	}
	_, err = s.end(ctx, id, PreauthorisationExpired)
	return err
}

// end ends an active one; any other stays as it is.
func (s *Service) end(ctx context.Context, id string, as PreauthorisationStatus) (*Preauthorisation, error) {
	return s.store.UpdatePreauthorisation(ctx, id, func(p *Preauthorisation) error {
		if p.Status != PreauthorisationActive {
			return ErrUnchanged
		}
		p.Status = as
		return nil
	})
}

// spend marks the pre-authorisation of a stay as used by the message that settles it.
func (s *Service) spend(ctx context.Context, all []*Preauthorisation, in SplitInput, messageID string) (id string, err error) {
	for _, p := range all {
		if !p.For(in) || !p.Holds(s.clock.Now()) {
			continue
		}
		_, err := s.store.UpdatePreauthorisation(ctx, p.ID, func(p *Preauthorisation) error {
			if p.Status != PreauthorisationActive {
				return ErrUnchanged
			}
			p.Status, p.UsedBy, id = PreauthorisationUsed, messageID, p.ID
			return nil
		})
		return id, err
	}
	return "", nil
}

// restore reserves again what a reversal gives back, if the pre-authorisation has not run out and none has taken its place.
func (s *Service) restore(ctx context.Context, original *Message) error {
	all, err := s.store.PreauthorisationsOf(ctx, original.Province, original.PatientID)
	if err != nil {
		return err
	}
	_, err = s.store.UpdatePreauthorisation(ctx, original.Preauthorisation, func(p *Preauthorisation) error {
		if p.Status != PreauthorisationUsed || p.UsedBy != original.ID {
			return ErrUnchanged
		}
		p.Status, p.UsedBy, p.Reserved = PreauthorisationActive, "", atMost(p.Reserved, caps(original.Answer.Split.Used))
		for _, other := range all {
			if other.ID != p.ID && other.For(p.input()) && other.Status == PreauthorisationActive {
				p.Status = PreauthorisationExpired
			}
		}
		if p.Year != original.Year || !p.Holds(s.clock.Now()) {
			p.Status = PreauthorisationExpired
		}
		return nil
	})
	return err
}
