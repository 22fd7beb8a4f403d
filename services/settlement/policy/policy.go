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
	// have the right shape.
	Standing string `yaml:"standing"`
	TitleZh  string `yaml:"title_zh"`
	TitleEn  string `yaml:"title_en"`
	Source   string `yaml:"source"`
}

// InForce reports whether the document holds on the day.
func (h Head) InForce(day string) bool {
	return string(h.ValidFrom) <= day && (h.ValidTo == "" || day <= string(h.ValidTo))
}

// Policy is what an insured province pays (参保地政策).
type Policy struct {
	Head     `yaml:",inline"`
	Rounding Rounding      `yaml:"rounding"`
	Schemes  []SchemeTerms `yaml:"schemes"`
	// Assistance is medical assistance (医疗救助), the same for both schemes.
	Assistance *Assistance `yaml:"assistance"`
}

// SchemeTerms are the terms of one scheme.
type SchemeTerms struct {
	Scheme Scheme `yaml:"scheme"`
	Basic  Basic  `yaml:"basic"`
	Remote Remote `yaml:"remote"`
	// SecondLayer is 大病保险 (residents) or 大额医疗补助 (employees).
	SecondLayer *SecondLayer `yaml:"second_layer"`
	// CivilServant is the civil servants' supplement (公务员医疗补助).
	CivilServant *Supplement `yaml:"civil_servant"`
}

// Basic is the basic fund (基本医保统筹基金).
type Basic struct {
	// Cap is what the fund pays for a person in a year at most.
	Cap   Cap    `yaml:"cap"`
	Terms []Term `yaml:"terms"`
}

// Term is deductible and ratios for hospital levels and a state of the person.
type Term struct {
	Levels []int `yaml:"levels"`
	// Retired narrows the term to the retired or to the others; absent: both.
	Retired *bool `yaml:"retired"`
	// Deductible (起付线) is charged once a year.
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
	// LocalProvinces are treated as the person's own.
	LocalProvinces []string     `yaml:"local_provinces"`
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
	// NoSecondLayer keeps what is left out of the second layer.
	NoSecondLayer bool `yaml:"no_second_layer"`
}

// OwnTerm is model C.
type OwnTerm struct {
	Ratio      Ratio  `yaml:"ratio"`
	Deductible Amount `yaml:"deductible"`
}

// What the second layer looks at.
const (
	// BaseSelfPay: what the person is left with after basic, as far as it counts.
	BaseSelfPay = "self_pay"
	// BaseOverCap: what is in scope beyond the point where basic reached its cap.
	BaseOverCap = "over_cap"
)

// Where the bands of the second layer begin.
const (
	FromZero      = "zero"
	FromThreshold = "threshold"
)

// SecondLayer pays on top of basic, over the whole year.
type SecondLayer struct {
	Base   string `yaml:"base"`
	Counts []Item `yaml:"counts"`
	// BandsFrom says whether the bands are measured from zero or from the threshold.
	BandsFrom string `yaml:"bands_from"`
	Tier      `yaml:",inline"`
	// Hardship are the tiers of hardship groups; a person gets the best that is open to them.
	Hardship []HardshipTier `yaml:"hardship"`
}

// Tier is one set of threshold (起付线), bands and cap.
type Tier struct {
	Threshold Amount `yaml:"threshold"`
	Bands     []Band `yaml:"bands"`
	Cap       Cap    `yaml:"cap"`
}

// HardshipTier is the tier of some groups (倾斜).
type HardshipTier struct {
	Groups []Group `yaml:"groups"`
	Tier   `yaml:",inline"`
}

// Supplement pays a share of what is left.
type Supplement struct {
	Ratio  Ratio  `yaml:"ratio"`
	Counts []Item `yaml:"counts"`
}

// Assistance pays by identity; of several the best one, never added up.
type Assistance struct {
	Counts []Item            `yaml:"counts"`
	Groups []AssistanceTerms `yaml:"groups"`
}

// AssistanceTerms are the terms of one group, by the year.
type AssistanceTerms struct {
	Group      Group  `yaml:"group"`
	Ratio      Ratio  `yaml:"ratio"`
	Deductible Amount `yaml:"deductible"`
	Cap        Cap    `yaml:"cap"`
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
func (b Basic) Term(level int, retired bool) (Term, bool) {
	for _, t := range b.Terms {
		if slices.Contains(t.Levels, level) && (t.Retired == nil || *t.Retired == retired) {
			return t, true
		}
	}
	return Term{}, false
}

// Term returns the term of a filing.
func (r Remote) Term(filing Filing) (RemoteTerm, bool) {
	for _, t := range r.Terms {
		if slices.Contains(t.Filings, filing) {
			return t, true
		}
	}
	return RemoteTerm{}, false
}

// Local reports whether a province is treated as the person's own.
func (p *Policy) Local(terms *SchemeTerms, province string) bool {
	return province == p.Province || slices.Contains(terms.Remote.LocalProvinces, province)
}
