package settlement

import (
	"context"
	"fmt"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/place"
	"huhang.example/services/settlement/policy"
)

// FilingAsk asks for a filing.
type FilingAsk struct {
	PatientID, ReferralID, Province, TreatmentCity string
	Type                                           policy.Filing
	// ValidFrom is the first day; empty: today.
	ValidFrom string
	// OnBehalfOf is the organisation behind an automatic filing; services only.
	OnBehalfOf string
	Documents  []FilingDocument
}

// FilingPrepared is what the peers told of a filing asked for.
type FilingPrepared struct {
	profile  Profile
	declared declared
	err      error
}

// PrepareFiling asks the patient service.
func (s *Service) PrepareFiling(ctx context.Context, ask FilingAsk) FilingPrepared {
	if err := s.serves(ask.Province); err != nil {
		return FilingPrepared{err: err}
	}
	profile, err := s.peers.Profile(ctx, ask.PatientID)
	if err != nil {
		return FilingPrepared{err: err}
	}
	return FilingPrepared{profile: profile, declared: s.declared(ctx, ask.Province, ask.PatientID)}
}

// CreateFiling files a person for a city. A live filing of the same case for the same city is answered as it is.
func (s *Service) CreateFiling(ctx context.Context, ask FilingAsk, p FilingPrepared) (*Filing, error) {
	if p.err != nil {
		return nil, p.err
	}
	f, err := s.newFiling(access.From(ctx), ask, p.profile)
	if err != nil {
		return nil, err
	}
	e, err := s.entitlement(ctx, ask.Province, ask.PatientID, p.declared)
	if err != nil {
		return nil, err
	}
	if !e.On(max(f.ValidFrom, s.today())) && !e.On(f.ValidFrom) {
		return nil, notEntitled()
	}
	if err := s.store.LockPerson(ctx, ask.Province, ask.PatientID); err != nil {
		return nil, err
	}
	all, err := s.store.FilingsOf(ctx, ask.Province, ask.PatientID)
	if err != nil {
		return nil, err
	}
	for _, has := range all {
		same := has.ReferralID == ask.ReferralID && has.TreatmentCity == ask.TreatmentCity
		if same && has.Live(s.today()) && (ask.ReferralID != "" || has.Type == ask.Type) {
			return has, nil
		}
	}
	return f, s.store.CreateFiling(ctx, f)
}

func (s *Service) newFiling(who access.Caller, ask FilingAsk, profile Profile) (*Filing, error) {
	f := &Filing{
		PatientID: ask.PatientID, ReferralID: ask.ReferralID, Province: ask.Province, TreatmentCity: ask.TreatmentCity,
		Status: FilingActive, Type: ask.Type, ValidFrom: ask.ValidFrom, Created: s.clock.Now(), Version: 1,
		Documents: ask.Documents,
	}
	switch {
	case who.Has(access.Service):
		if ask.OnBehalfOf == "" {
			return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "on_behalf_of",
				"An automatic filing names the organisation behind it.", "自动备案须注明所代表的机构。")
		}
		f.FiledBy, f.Automatic = ask.OnBehalfOf, true
	case ask.OnBehalfOf != "":
		return nil, fault.New(fault.PermissionDenied, fault.RightMissing, "on_behalf_of",
			"Only the line's services file on behalf of others.", "只有平台服务可以代为备案。")
	case !who.MaySee(profile.RegisteredBy):
		return nil, access.NotVisible("patient", ask.PatientID)
	default:
		f.FiledBy = who.Organisation
	}
	if !profile.ConsentSettlement {
		return nil, consentMissing()
	}
	if _, ok := place.City(ask.TreatmentCity); !ok {
		return nil, fault.New(fault.InvalidArgument, fault.CodeUnknown, "treatment_city", "There is no such city.", "没有此城市。")
	}
	today := s.today()
	if f.ValidFrom == "" {
		f.ValidFrom = today
	}
	if err := checkDay("valid_from", f.ValidFrom); err != nil {
		return nil, err
	}
	if terms := s.rules.Life.Filing; f.ValidFrom < shiftDay(today, -terms.PastDays) || f.ValidFrom > shiftDay(today, terms.AheadDays) {
		return nil, timeInvalid("valid_from", fmt.Sprintf("A filing begins at most %d days ago and at most %d days ahead.", terms.PastDays, terms.AheadDays),
			fmt.Sprintf("备案起始日最早为 %d 天前，最晚为 %d 天后。", terms.PastDays, terms.AheadDays))
	}
	// The line files on a center's acceptance, which stands for the papers.
	if !f.Automatic {
		if err := s.rules.Life.complete(f.Type, f.Documents); err != nil {
			return nil, err
		}
	}
	f.ValidTo = s.rules.Life.validTo(f.Type, f.ValidFrom)
	f.ID = s.ids.New("fil_" + f.Province)
	return f, nil
}

func consentMissing() error {
	return fault.New(fault.FailedPrecondition, fault.ConsentMissing, "",
		"The patient's consent to settlement is missing.", "缺少患者对结算的知情同意。").With("purpose", "SETTLEMENT")
}

// GetFiling returns a filing the caller may see: who filed it, the center of its case, the insured province's agency.
func (s *Service) GetFiling(ctx context.Context, filingID string) (*Filing, error) {
	if err := s.serves(provinceOf(filingID)); err != nil {
		return nil, err
	}
	f, err := s.store.Filing(ctx, filingID)
	if err != nil {
		return nil, err
	}
	who := access.From(ctx)
	if f.VisibleTo(who) {
		return f, nil
	}
	if who.Has(access.Center) && f.ReferralID != "" {
		if theirs, err := s.treats(ctx, f.ReferralID); err != nil || theirs {
			return f, err
		}
	}
	return nil, access.NotVisible("filing", filingID)
}

// ListFilings lists what the caller may see. A center sees the filings of a case of its own, named in the query.
func (s *Service) ListFilings(ctx context.Context, q FilingQuery, cursor string, limit int) ([]*Filing, string, error) {
	if err := s.serves(q.Province); err != nil {
		return nil, "", err
	}
	who := access.From(ctx)
	q.Scope = scope(who)
	if who.Has(access.Center) && !q.Scope.All && q.ReferralID != "" {
		theirs, err := s.treats(ctx, q.ReferralID)
		if err != nil {
			return nil, "", err
		}
		q.Scope.All = theirs
	}
	return s.store.ListFilings(ctx, q, cursor, limit)
}

// CancelFiling ends a filing today. Cancelling a cancelled one changes nothing.
func (s *Service) CancelFiling(ctx context.Context, filingID, etag string) (*Filing, error) {
	if err := s.serves(provinceOf(filingID)); err != nil {
		return nil, err
	}
	who := access.From(ctx)
	return s.store.UpdateFiling(ctx, filingID, "", func(_ context.Context, f *Filing) error {
		if !f.VisibleTo(who) {
			return access.NotVisible("filing", filingID)
		}
		if f.Status == FilingCancelled {
			return ErrUnchanged
		}
		if etag != f.Etag() {
			return fault.Stale(f.Etag())
		}
		today := s.today()
		f.Status = FilingCancelled
		if f.ValidTo == "" || f.ValidTo > today {
			f.ValidTo = today
		}
		return nil
	})
}
