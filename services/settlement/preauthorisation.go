package settlement

import (
	"strconv"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/split"
)

// PreauthorisationStatus is the life of a pre-authorisation.
type PreauthorisationStatus string

// The states.
const (
	PreauthorisationActive    PreauthorisationStatus = "ACTIVE"
	PreauthorisationUsed      PreauthorisationStatus = "USED"
	PreauthorisationCancelled PreauthorisationStatus = "CANCELLED"
	PreauthorisationExpired   PreauthorisationStatus = "EXPIRED"
)

// Preauthorisation keeps what of a person's yearly caps a planned stay will need (预授权). Only caps are kept: the
// deductible and the thresholds are the person's to reach, and another bill that reaches them first never makes this one
// dearer.
type Preauthorisation struct {
	ID         string                 `json:"-"`
	Province   string                 `json:"-"`
	PatientID  string                 `json:"-"`
	ReferralID string                 `json:"-"`
	CenterID   string                 `json:"-"`
	Year       string                 `json:"-"`
	Status     PreauthorisationStatus `json:"-"`
	Expires    time.Time              `json:"-"`
	// Reserved holds what the layers with a cap would pay; its other sums are zero.
	Reserved          split.Counters `json:"reserved"`
	TreatmentProvince string         `json:"treatment_province"`
	TreatmentCity     string         `json:"treatment_city"`
	AdmissionDate     string         `json:"admission_date"`
	Organ             string         `json:"organ"`
	Answer            Answer         `json:"answer"`
	Zh                string         `json:"zh"`
	En                string         `json:"en"`
	RequestedBy       string         `json:"requested_by"`
	Referrer          string         `json:"referrer"`
	// UsedBy is the message that spent it.
	UsedBy  string    `json:"used_by,omitempty"`
	Created time.Time `json:"created"`
	Version int64     `json:"-"`
}

// Etag returns the version for the next update.
func (p *Preauthorisation) Etag() string { return strconv.FormatInt(p.Version, 10) }

// Holds reports whether what is reserved is kept at the time: an expiry holds before its job has run.
func (p *Preauthorisation) Holds(at time.Time) bool {
	return p.Status == PreauthorisationActive && at.Before(p.Expires)
}

// For reports whether the stay asked about is the one the pre-authorisation was made for.
func (p *Preauthorisation) For(in SplitInput) bool {
	return in.Kind != Outpatient && p.ReferralID == in.ReferralID && p.CenterID == in.CenterID && p.PatientID == in.PatientID
}

// VisibleTo reports whether the caller may see it: the referrer, the center, the insured province's agency, operations.
func (p *Preauthorisation) VisibleTo(who access.Caller) bool {
	return who.MaySee(p.Referrer, p.CenterID) || who.Has(access.Agency) && who.Province != "" && who.Province == p.Province
}

// caps are the sums of a year that a cap limits.
func caps(c split.Counters) split.Counters {
	return split.Counters{
		Basic: c.Basic, SecondLayer: c.SecondLayer, Assistance: c.Assistance, Tilt: c.Tilt, Commercial: c.Commercial, Charity: c.Charity, Grant: c.Grant,
	}
}

// atMost limits each sum of c by that of limit: what a reversal gives back is all that can be reserved again.
func atMost(c, limit split.Counters) split.Counters {
	most := limit.Values()
	for i, sum := range c.Values() {
		*sum = min(*sum, *most[i])
	}
	return c
}

// seen is the year as one bill sees it: what was paid, and what is kept for the other stays of the person.
func seen(paid split.Counters, all []*Preauthorisation, in SplitInput, year string, at time.Time) split.Counters {
	for _, p := range all {
		if p.Year == year && p.Holds(at) && !p.For(in) {
			paid = paid.Plus(p.Reserved)
		}
	}
	return paid
}

// mostExpected is the largest bill that can be pre-authorised.
func (r *LifeRules) mostExpected() money.Fen {
	most, err := money.Parse(r.Preauthorisation.MostTotal)
	if err != nil {
		return 0 // checked when the rules were read
	}
	return most
}
