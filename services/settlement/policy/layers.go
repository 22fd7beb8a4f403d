package policy

import "huhang.example/services/internal/money"

// What the second layer looks at.
const (
	// BaseSelfPay: what the person is left with after basic, as far as it counts.
	BaseSelfPay = "self_pay"
	// BaseOverCap: what is in scope beyond the point where basic reached its cap.
	BaseOverCap = "over_cap"
)

// Where the bands of a layer begin.
const (
	FromZero      = "zero"
	FromThreshold = "threshold"
)

// Tier is one set of threshold (起付线), bands and cap, over the year.
type Tier struct {
	Threshold Amount `yaml:"threshold"`
	Bands     []Band `yaml:"bands"`
	Cap       Cap    `yaml:"cap"`
}

// SecondLayer pays on top of basic, over the whole year.
type SecondLayer struct {
	Base   string `yaml:"base"`
	Counts Items  `yaml:"counts"`
	// BandsFrom says whether the bands are measured from zero or from the threshold.
	BandsFrom string `yaml:"bands_from"`
	Tier      `yaml:",inline"`
	// Hardship are the tiers of hardship groups; a person gets the best that is open to them.
	Hardship []HardshipTier `yaml:"hardship"`
}

// HardshipTier is the tier of some groups (倾斜).
type HardshipTier struct {
	Groups Groups `yaml:"groups"`
	Tier   `yaml:",inline"`
}

// Supplement pays a share of what is left.
type Supplement struct {
	Ratio  Ratio `yaml:"ratio"`
	Counts Items `yaml:"counts"`
	Cap    Cap   `yaml:"cap"`
	tier   Tier
}

// Tier is the supplement as a tier without threshold.
func (s *Supplement) Tier() *Tier { return &s.tier }

// Account is what a personal account may pay.
type Account struct {
	Counts Items `yaml:"counts"`
}

// Assistance pays by identity; of several the best one, never added up.
type Assistance struct {
	Counts Items `yaml:"counts"`
	// LastYearIncome is last year's per-capita disposable income here, where a deductible is a share of it.
	LastYearIncome Amount            `yaml:"last_year_income"`
	Groups         []AssistanceTerms `yaml:"groups"`
	// Tilt is tilt aid (倾斜救助) on what is left after assistance.
	Tilt *Tilt `yaml:"tilt"`
}

// AssistanceTerms are the terms of one group, by the year.
type AssistanceTerms struct {
	Group Group `yaml:"group"`
	Ratio Ratio `yaml:"ratio"`
	// Deductible is absolute; IncomeShare makes it a share of last year's income. Exactly one is given.
	Deductible  Amount `yaml:"deductible"`
	IncomeShare *Ratio `yaml:"income_share"`
	Cap         Cap    `yaml:"cap"`
	tier        Tier
}

// Tier is the group's terms with its deductible worked out.
func (t *AssistanceTerms) Tier() *Tier { return &t.tier }

// Tilt is tilt aid.
type Tilt struct {
	// OnlyWithin pays for treatment inside the province only, as is usual.
	OnlyWithin *bool  `yaml:"only_within"`
	Groups     Groups `yaml:"groups"`
	Threshold  Amount `yaml:"threshold"`
	Ratio      Ratio  `yaml:"ratio"`
	Cap        Cap    `yaml:"cap"`
	tier       Tier
}

// Tier is the aid as a tier.
func (t *Tilt) Tier() *Tier { return &t.tier }

// Plan is a commercial plan, a charitable fund or a grant: it pays to those enrolled in it. Of several of one kind the
// best pays.
type Plan struct {
	Code   string `yaml:"code"`
	NameZh string `yaml:"name_zh"`
	NameEn string `yaml:"name_en"`
	// Groups narrows the plan to some identities; absent: all enrolled.
	Groups *Groups `yaml:"groups"`
	Counts Items   `yaml:"counts"`
	Tier   `yaml:",inline"`
}

func oneBand(r Ratio) []Band { return []Band{{From: Amount{Set: true}, Ratio: r}} }

// finish works out what follows from the document.
func (p *Policy) finish() error {
	for i := range p.Schemes {
		s := &p.Schemes[i]
		for j := range s.Remote.Terms {
			if own := s.Remote.Terms[j].Own; own != nil {
				own.bands = oneBand(own.Ratio)
			}
		}
		if c := s.CivilServant; c != nil {
			c.tier = Tier{Threshold: Amount{Set: true}, Bands: oneBand(c.Ratio), Cap: c.Cap}
		}
	}
	if p.Assistance == nil {
		return nil
	}
	for i := range p.Assistance.Groups {
		g := &p.Assistance.Groups[i]
		deductible := g.Deductible
		if g.IncomeShare != nil {
			fen, err := p.Assistance.LastYearIncome.Fen.Share(g.IncomeShare.BP, money.Rounding(p.Rounding))
			if err != nil {
				return err
			}
			deductible = Amount{Set: true, Fen: fen}
		}
		g.tier = Tier{Threshold: deductible, Bands: oneBand(g.Ratio), Cap: g.Cap}
	}
	if t := p.Assistance.Tilt; t != nil {
		t.tier = Tier{Threshold: t.Threshold, Bands: oneBand(t.Ratio), Cap: t.Cap}
	}
	return nil
}
