package settlement

import (
	"slices"
	"strconv"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/settlement/policy"
)

// FilingStatus is the life of a filing.
type FilingStatus string

// The states.
const (
	FilingActive    FilingStatus = "ACTIVE"
	FilingCancelled FilingStatus = "CANCELLED"
)

// Filing lets a person be settled directly in another city (备案). It is for a city, not for one hospital.
type Filing struct {
	ID            string        `json:"-"`
	PatientID     string        `json:"-"`
	ReferralID    string        `json:"-"`
	Province      string        `json:"-"`
	TreatmentCity string        `json:"-"`
	FiledBy       string        `json:"-"`
	Status        FilingStatus  `json:"-"`
	Type          policy.Filing `json:"type"`
	ValidFrom     string        `json:"valid_from"`
	// ValidTo is the last day; empty: until changed.
	ValidTo string `json:"valid_to"`
	// Automatic: made by the line at acceptance, without an application (免申即享).
	Automatic bool `json:"automatic,omitempty"`
	// Documents are what was shown or handed in.
	Documents []FilingDocument `json:"documents,omitempty"`
	Created   time.Time        `json:"created"`
	Version   int64            `json:"-"`
}

// Etag returns the version for the next update.
func (f *Filing) Etag() string { return strconv.FormatInt(f.Version, 10) }

// Live reports whether the filing is in force on the day or will be.
func (f *Filing) Live(day string) bool {
	return f.Status == FilingActive && (f.ValidTo == "" || day <= f.ValidTo)
}

// Covers reports whether the filing opens direct settlement for a stay: one made by the day of the discharge does, also
// when it has run out since; one made later or cancelled during the stay does not.
func (f *Filing) Covers(city, admission, discharge string) bool {
	if f.TreatmentCity != city || f.ValidFrom > discharge || clock.Day(f.Created) > discharge || f.ValidTo != "" && f.ValidTo < admission {
		return false
	}
	return f.Status == FilingActive || f.ValidTo >= discharge
}

// VisibleTo reports whether the caller may see the filing without asking the case.
func (f *Filing) VisibleTo(who access.Caller) bool {
	return who.MaySee(f.FiledBy) || who.Has(access.Agency) && who.Province != "" && who.Province == f.Province
}

// bestFiling returns the filing that is best for the person among those that cover the stay; nil when unfiled.
func bestFiling(all []*Filing, in SplitInput) *Filing {
	var best *Filing
	for _, f := range all {
		if f.Covers(in.TreatmentCity, in.AdmissionDate, in.DischargeDate) && (best == nil || filingRank(f.Type) < filingRank(best.Type)) {
			best = f
		}
	}
	return best
}

// filingRank orders the grounds, the best for the person first.
func filingRank(kind policy.Filing) int { return slices.Index(policy.Filings(), kind) }

func shiftDay(day string, days int) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return t.AddDate(0, 0, days).Format(time.DateOnly)
}
