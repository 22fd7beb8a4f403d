package settlement

import (
	"strconv"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// Coverage is how a person is insured (参保信息).
type Coverage struct {
	Province     string         `json:"province"`
	PoolingArea  string         `json:"pooling_area"`
	Scheme       policy.Scheme  `json:"scheme"`
	Retired      bool           `json:"retired,omitempty"`
	CivilServant bool           `json:"civil_servant,omitempty"`
	Groups       []policy.Group `json:"groups,omitempty"`
	// Plans and Account are the agency's to know: codes of commercial plans, charities and grants, and what the personal
	// account holds for the year.
	Plans   []string  `json:"plans,omitempty"`
	Account money.Fen `json:"personal_account,omitempty"`
}

// Person is what a policy looks at.
func (c Coverage) Person() split.Person {
	return split.Person{Scheme: c.Scheme, Retired: c.Retired, CivilServant: c.CivilServant, Groups: c.Groups, Plans: c.Plans, Account: c.Account}
}

// Entitlement is what the insured province's agency knows of a person (待遇资格).
type Entitlement struct {
	PatientID string   `json:"-"`
	Province  string   `json:"-"`
	Coverage  Coverage `json:"coverage"`
	// ValidFrom and ValidTo are days; ValidTo is empty while open.
	ValidFrom string `json:"valid_from"`
	ValidTo   string `json:"valid_to"`
	Version   int64  `json:"-"`
}

// On reports whether the person is entitled on the day.
func (e Entitlement) On(day string) bool {
	return e.ValidFrom <= day && (e.ValidTo == "" || day <= e.ValidTo)
}

// Etag returns the version for the next update.
func (e Entitlement) Etag() string { return strconv.FormatInt(e.Version, 10) }

func notEntitled() *fault.Fault {
	return fault.New(fault.FailedPrecondition, fault.NotEntitled, "",
		"The person is not insured in this province on that day.", "该人员当日未在该省参保。")
}

// ownProvince refuses an agency that acts for another province than its own.
func ownProvince(who access.Caller, province string) error {
	if who.Province == province {
		return nil
	}
	return fault.New(fault.PermissionDenied, fault.RightMissing, "province",
		"An agency acts for its own province only.", "经办机构只能办理本省业务。")
}

// checkDay refuses what is not a day of the calendar.
func checkDay(field, day string) error {
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, field,
			"This is not a day of the calendar.", "日期不存在。")
	}
	return nil
}

func timeInvalid(field, en, zh string) error {
	return fault.New(fault.InvalidArgument, fault.TimeInvalid, field, en, zh)
}
