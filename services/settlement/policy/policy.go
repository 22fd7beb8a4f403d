package policy

import "slices"

// Head is what every document begins with.
type Head struct {
	Kind      string `yaml:"kind"`
	Province  string `yaml:"province"`
	Version   string `yaml:"version"`
	ValidFrom Date   `yaml:"valid_from"`
	ValidTo   Date   `yaml:"valid_to"`
	// Standing is "sourced" where the numbers come from the province's published rules, "illustrative" where they only
	// have the right shape, "mixed" where the document says of each which it is.
	Standing string   `yaml:"standing"`
	TitleZh  string   `yaml:"title_zh"`
	TitleEn  string   `yaml:"title_en"`
	Source   string   `yaml:"source"`
	Currency Currency `yaml:"currency"`

	// Digest is the SHA-256 of the document as it was read, in hexadecimal: with kind, province and version it says
	// which text decided.
	Digest string `yaml:"-"`
	text   []byte
}

// InForce reports whether the document holds on the day.
func (h Head) InForce(day string) bool {
	return string(h.ValidFrom) <= day && (h.ValidTo == "" || day <= string(h.ValidTo))
}

// Policy is what an insured province pays (参保地政策).
type Policy struct {
	Head     `yaml:",inline"`
	Rounding Rounding `yaml:"rounding"`
	// CountersBy says in which year a bill counts that lies in two: that of the discharge (where it is not given), or that
	// of the admission.
	CountersBy CountersBy    `yaml:"counters_by"`
	Schemes    []SchemeTerms `yaml:"schemes"`
	// Assistance is medical assistance (医疗救助), the same for all schemes.
	Assistance *Assistance `yaml:"assistance"`
	// Commercial are 惠民保 and other commercial plans, Charities charitable funds (慈善), Grants what employers and
	// governments give (企业、政府补助). They pay in this order, each to those enrolled.
	Commercial []Plan `yaml:"commercial"`
	Charities  []Plan `yaml:"charities"`
	Grants     []Plan `yaml:"grants"`
	// Accepted says out loud that the policy lets a better filing cost the patient more; without it the check objects.
	Accepted []string `yaml:"accepted"`
}

// BetterFilingCostsMore in Accepted keeps the check from objecting.
const BetterFilingCostsMore = "better_filing_costs_more"

// SchemeTerms are the terms of one scheme.
type SchemeTerms struct {
	Scheme Scheme `yaml:"scheme"`
	Basic  Basic  `yaml:"basic"`
	Remote Remote `yaml:"remote"`
	// Outpatient are the outpatient special diseases.
	Outpatient []Outpatient `yaml:"outpatient"`
	// SecondLayer is 大病保险 (residents) or 大额医疗补助 (employees).
	SecondLayer *SecondLayer `yaml:"second_layer"`
	// CivilServant is the civil servants' supplement (公务员医疗补助).
	CivilServant *Supplement `yaml:"civil_servant"`
	// PersonalAccount is what a personal account (个人账户) may pay of the rest; absent: nothing.
	PersonalAccount *Account `yaml:"personal_account"`
}

// CountersBy names a day of a stay.
type CountersBy string

// The days.
const (
	ByDischarge CountersBy = "discharge"
	ByAdmission CountersBy = "admission"
)

func (c CountersBy) known() bool { return c == "" || c == ByDischarge || c == ByAdmission }

// Year returns the year whose sums a stay counts in.
func (p *Policy) Year(admission, discharge string) string {
	if p.CountersBy == ByAdmission {
		return admission[:4]
	}
	return discharge[:4]
}

// Over says what a rule runs over: every stay anew, or the year.
type Over string

// The two.
const (
	Stay Over = "stay"
	Year Over = "year"
)

func (o Over) known() bool { return o == Stay || o == Year }

// Basic is the basic fund (基本医保统筹基金).
type Basic struct {
	// Cap is what the fund pays for a person in a year at most.
	Cap Cap `yaml:"cap"`
	// DeductibleOver says whether the deductible is charged once a year or at every stay.
	DeductibleOver Over `yaml:"deductible_over"`
	// Continuous (连续计算), with a deductible at every stay: what one end of a referral was charged counts at the other.
	Continuous bool `yaml:"continuous"`
	// BandsOver says whether the bands are measured within a stay or over the year; with one band the sums are the same
	// but for the rounding, which over the year does not depend on how the year is cut into bills.
	BandsOver Over   `yaml:"bands_over"`
	Terms     []Term `yaml:"terms"`
}

// Term is deductible and ratios for hospital levels and a state of the person.
type Term struct {
	Levels []int `yaml:"levels"`
	// Retired narrows the term to the retired or to the others; absent: both.
	Retired *bool `yaml:"retired"`
	// Deductible (起付线).
	Deductible Amount `yaml:"deductible"`
	// Bands are measured on what is in scope above the deductible.
	Bands []Band `yaml:"bands"`
}

// Band is a ratio from an amount up to another; the last one is open.
type Band struct {
	From  Amount  `yaml:"from"`
	To    *Amount `yaml:"to"`
	Ratio Ratio   `yaml:"ratio"`
}

// Remote is how treatment in another province is paid (异地就医).
type Remote struct {
	// LocalProvinces and LocalCities are treated as the person's own.
	LocalProvinces []string     `yaml:"local_provinces"`
	LocalCities    []string     `yaml:"local_cities"`
	Terms          []RemoteTerm `yaml:"terms"`
}

// RemoteTerm is one of the three models of paying less elsewhere, for some kinds of filing. Exactly one model is given.
type RemoteTerm struct {
	Filings []Filing `yaml:"filings"`
	// FirstPay is model A: a share the person pays before basic (先行自付).
	FirstPay *Ratio `yaml:"first_pay"`
	// PointsOff and Factor are model B: basis points off every ratio, or a factor on it.
	PointsOff *Ratio `yaml:"points_off"`
	Factor    *Ratio `yaml:"factor"`
	// Own is model C: a ratio and a deductible of its own.
	Own *OwnTerm `yaml:"own"`
	// NoSecondLayer and NoAssistance keep what is left out of those layers.
	NoSecondLayer bool `yaml:"no_second_layer"`
	NoAssistance  bool `yaml:"no_assistance"`
}

// OwnTerm is model C.
type OwnTerm struct {
	Ratio      Ratio  `yaml:"ratio"`
	Deductible Amount `yaml:"deductible"`
	bands      []Band
}

// Bands is the own ratio as bands.
func (o *OwnTerm) Bands() []Band { return o.bands }

// Outpatient are the terms of an outpatient special disease.
type Outpatient struct {
	Disease Disease `yaml:"disease"`
	// Deductible is the disease's own, once a year.
	Deductible Amount `yaml:"deductible"`
	// InpatientRatios pays by the ratios for stays; else by Bands, measured over the year.
	InpatientRatios bool   `yaml:"inpatient_ratios"`
	Bands           []Band `yaml:"bands"`
	// SharedCap counts toward the yearly cap of basic; Cap is the disease's own. Both may hold.
	SharedCap *bool `yaml:"shared_cap"`
	Cap       Cap   `yaml:"cap"`
	// Remote takes off for treatment elsewhere as at a stay; SecondLayer lets the rest count there.
	Remote      *bool `yaml:"remote"`
	SecondLayer *bool `yaml:"second_layer"`
}

// Terms returns the terms of a scheme.
func (p *Policy) Terms(scheme Scheme) (*SchemeTerms, bool) {
	for i := range p.Schemes {
		if p.Schemes[i].Scheme == scheme {
			return &p.Schemes[i], true
		}
	}
	return nil, false
}

// Term returns the term of a hospital level and a state.
func (b *Basic) Term(level int, retired bool) (*Term, bool) {
	for i := range b.Terms {
		if t := &b.Terms[i]; slices.Contains(t.Levels, level) && (t.Retired == nil || *t.Retired == retired) {
			return t, true
		}
	}
	return nil, false
}

// Disease returns the terms of an outpatient special disease.
func (s *SchemeTerms) Disease(d Disease) (*Outpatient, bool) {
	for i := range s.Outpatient {
		if s.Outpatient[i].Disease == d {
			return &s.Outpatient[i], true
		}
	}
	return nil, false
}

// Term returns the term of a filing.
func (r *Remote) Term(filing Filing) (*RemoteTerm, bool) {
	for i := range r.Terms {
		if slices.Contains(r.Terms[i].Filings, filing) {
			return &r.Terms[i], true
		}
	}
	return nil, false
}

// Local reports whether a city (it may be empty) of a province is treated as the person's own.
func (p *Policy) Local(terms *SchemeTerms, province, city string) bool {
	return province == p.Province || slices.Contains(terms.Remote.LocalProvinces, province) ||
		city != "" && slices.Contains(terms.Remote.LocalCities, city)
}
