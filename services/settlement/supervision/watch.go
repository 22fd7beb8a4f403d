package supervision

import (
	"context"
	"errors"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/workday"
	"huhang.example/services/settlement"
)

var _ settlement.Watch = (*Service)(nil)

// record stores findings, and returns those that stand for them. before says that the bill is not settled yet: only then
// does a rule hold it.
func (s *Service) record(ctx context.Context, province string, side Side, v Stay, r *Rules, found []Finding, before bool) ([]*Hit, error) {
	var out []*Hit
	for _, f := range found {
		if !before && f.Related != "" {
			// Of a pair, one finding is enough once both stand.
			if has, err := s.store.HasHit(ctx, province, side, f.Rule, f.Related, v.ClaimID); err != nil || has {
				if err != nil {
					return nil, err
				}
				continue
			}
		}
		h := &Hit{
			ID: s.ids.New("hit_" + province), Province: province, Side: side, Rule: f.Rule, ClaimID: v.ClaimID, PatientID: v.PatientID,
			Cause: f.Cause, Holds: before && f.Action == Hold, State: Open, RulesVersion: f.Version, RulesDigest: r.Digest,
			Related: f.Related, Period: f.Period, Evidence: f.Evidence, Created: s.clock.Now(),
		}
		if f.Rule == PovertyWarning || f.Rule == RegionalAlarm {
			// Of a year or a month, not of the claim that happened to bring it up.
			h.ClaimID = ""
		}
		if f.Rule == PovertyWarning {
			h.Due = workday.China().Add(h.Created, r.PovertyWarning.Workdays)
		}
		stands, err := s.store.PutHit(ctx, h)
		if err != nil {
			return nil, err
		}
		out = append(out, stands)
	}
	return out, nil
}

// Settling looks at a claim that is about to be sent, and returns the findings that hold it.
func (s *Service) Settling(ctx context.Context, c *settlement.Claim, lines []settlement.FeeLine) ([]string, error) {
	r, ok := s.Book.On(clock.Day(s.clock.Now()))
	if !ok {
		return nil, nil
	}
	others, err := s.beside(ctx, c)
	if err != nil {
		return nil, err
	}
	v := stayOf(c, lines)
	hits, err := s.record(ctx, c.Province, TreatmentSide, v, r, r.Treatment(v, others, clock.Day(s.clock.Now())), true)
	if err != nil {
		return nil, err
	}
	var holding []string
	for _, h := range hits {
		if h.stands() != nil {
			holding = append(holding, h.ID)
		}
	}
	return holding, nil
}

// Standing returns what stands against a claim that findings held when it was about to be sent.
func (s *Service) Standing(ctx context.Context, hits []string) error {
	var all []*Hit
	for _, id := range hits {
		h, err := s.store.Hit(ctx, id)
		if err != nil {
			return err
		}
		all = append(all, h)
	}
	return against(all)
}

// against is the worst of what stands: a confirmed finding ends the way at once.
func against(hits []*Hit) error {
	var held error
	for _, h := range hits {
		err := h.stands()
		if fault.Is(err, fault.SupervisionConfirmed) {
			return err
		}
		if held == nil {
			held = err
		}
	}
	return held
}

// Committing looks at a bill at its insured province before it is committed. held stands against it; the findings are
// stored either way, in the transaction of the context.
func (s *Service) Committing(ctx context.Context, in settlement.SplitInput) (held, err error) {
	r, ok := s.Book.On(clock.Day(s.clock.Now()))
	if !ok {
		return nil, nil
	}
	hits, err := s.insured(ctx, in.InsuredProvince, stayIn(in), r, true)
	if err != nil {
		return nil, err
	}
	return against(hits), nil
}

func (s *Service) insured(ctx context.Context, province string, v Stay, r *Rules, before bool) ([]*Hit, error) {
	history, err := s.store.History(ctx, province, v.PatientID)
	if err != nil {
		return nil, err
	}
	p, err := s.person(ctx, province, v.PatientID)
	if err != nil {
		return nil, err
	}
	return s.record(ctx, province, InsuredSide, v, r, r.Insured(v, history, p), before)
}

func (s *Service) person(ctx context.Context, province, patientID string) (Person, error) {
	c, err := s.store.Contact(ctx, province, patientID)
	if err != nil || c.Phone == "" {
		return Person{Identity: c.Identity}, err
	}
	same, err := s.store.SamePhone(ctx, province, c.Phone)
	return Person{Identity: c.Identity, SamePhone: same}, err
}

// Committed keeps a stay that was committed, and opens the assistance assessment where the year's burden asks for it.
func (s *Service) Committed(ctx context.Context, m *settlement.Message, in settlement.SplitInput) error {
	k := Kept{
		Stay: stayIn(in), MessageID: m.ID, Province: m.Province, Year: m.Year, SelfPay: m.Answer.Split.Total - m.Answer.Split.Funds(), At: m.Created,
	}
	if err := s.store.Keep(ctx, k); err != nil {
		return err
	}
	r, ok := s.Book.On(clock.Day(s.clock.Now()))
	if !ok {
		return nil
	}
	return s.poverty(ctx, k, r)
}

func (s *Service) poverty(ctx context.Context, k Kept, r *Rules) error {
	burden, err := s.store.Burden(ctx, k.Province, k.PatientID, k.Year)
	if err != nil {
		return err
	}
	f, hit := r.Poverty(k.Province, yearOf(k.Year), burden)
	if !hit {
		return nil
	}
	_, err = s.record(ctx, k.Province, InsuredSide, k.Stay, r, []Finding{f}, false)
	return err
}

// TookManual looks at a manual claim that its agency takes. It only flags: the payment is that agency's own act.
func (s *Service) TookManual(ctx context.Context, m settlement.ManualClaim) error {
	v := Stay{ClaimID: m.ClaimID, PatientID: m.PatientID, Manual: true, Total: m.Total}
	if r, ok := s.Book.On(clock.Day(s.clock.Now())); ok {
		if _, err := s.insured(ctx, m.Province, v, r, false); err != nil {
			return err
		}
	}
	return s.store.Keep(ctx, Kept{Stay: v, MessageID: m.ClaimID, Province: m.Province, At: m.Time})
}

// beside returns a person's other bills of a claim's treatment province.
func (s *Service) beside(ctx context.Context, c *settlement.Claim) ([]Stay, error) {
	bills, err := s.store.BillsOf(ctx, c.Province, c.PatientID)
	var out []Stay
	for _, b := range bills {
		if b.Claim.ID != c.ID {
			out = append(out, stayOf(b.Claim, b.Lines))
		}
	}
	return out, err
}

func stayOf(c *settlement.Claim, lines []settlement.FeeLine) Stay {
	v := Stay{
		ClaimID: c.ID, PatientID: c.PatientID, ReferralID: c.ReferralID, CenterID: c.CenterID, Treatment: c.Province,
		Outpatient: c.Kind == settlement.Outpatient, Admission: c.AdmissionDate, Discharge: c.DischargeDate, Organ: c.Organ,
		Diagnosis: c.Facts.Diagnosis, Planned: c.Facts.Planned, Identity: c.Facts.Identity, Total: c.Total,
	}
	charged := make(map[int32]string, len(lines))
	for _, l := range lines {
		charged[l.Number] = l.ServiceDate
	}
	for _, l := range lines {
		item := Item{Code: l.Item, Day: l.ServiceDate, Quantity: l.QuantityMilli}
		if l.RefundOf != 0 { // a refund belongs to the day of its charge
			item.Day, item.Quantity = charged[l.RefundOf], -l.QuantityMilli
		}
		v.Items = append(v.Items, item)
	}
	return v
}

func stayIn(in settlement.SplitInput) Stay {
	v := Stay{
		ClaimID: in.ClaimID, PatientID: in.PatientID, ReferralID: in.ReferralID, CenterID: in.CenterID, Treatment: in.TreatmentProvince,
		Outpatient: in.Kind == settlement.Outpatient, Admission: in.AdmissionDate, Discharge: in.DischargeDate, Total: in.Totals.Total,
	}
	if f := in.Facts; f != nil {
		v.Diagnosis, v.Planned, v.Identity = f.Diagnosis, f.Planned, f.Identity
	}
	return v
}

// errDays is a day that is none, in what was stored: never.
var errDays = errors.New("supervision: a stored day is no day")
