package patient

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/place"
)

// Patient is a registered person (患者).
type Patient struct {
	ID            string
	Identity      Identity
	Sex           Sex
	BirthDate     string // YYYY-MM-DD
	ResidenceCity string // GB/T 2260
	Coverage      Coverage
	Consents      []Consent
	RegisteredBy  string
	CreatedAt     time.Time
	Version       int64
	MergedInto    string   // the record this one is kept under, seen only while merging
	MergedIDs     []string // records kept under this one
}

// Identity is what is stored encrypted and nowhere else.
type Identity struct {
	Name     string         `json:"name"`
	Number   IdentityNumber `json:"number"`
	Phone    string         `json:"phone"`
	Guardian *Guardian      `json:"guardian,omitempty"`
}

// Guardian of a minor (监护人).
type Guardian struct {
	Name     string `json:"name"`
	Phone    string `json:"phone"`
	Relation string `json:"relation"`
}

// Coverage is the insurance as declared (参保信息); the insured province's agency decides.
type Coverage struct {
	Province     string   `json:"province"`
	PoolingArea  string   `json:"pooling_area"`
	Scheme       string   `json:"scheme"` // EMPLOYEE, RESIDENT
	Retired      bool     `json:"retired,omitempty"`
	CivilServant bool     `json:"civil_servant,omitempty"`
	Groups       []string `json:"groups,omitempty"` // DESTITUTE, SUBSISTENCE, MARGINAL, ILLNESS_POVERTY
}

// Purpose is what a consent covers.
type Purpose string

// The purposes, asked one by one (PIPL, sensitive personal information).
const (
	ForReferral   Purpose = "REFERRAL"
	ForTransfer   Purpose = "TRANSFER"
	ForSettlement Purpose = "SETTLEMENT"
	ForFollowUp   Purpose = "FOLLOW_UP"
)

// Consent is one purpose consented to (知情同意).
type Consent struct {
	Purpose     Purpose   `json:"purpose"`
	GivenAt     time.Time `json:"given_at"`
	WithdrawnAt time.Time `json:"withdrawn_at,omitzero"`
	GivenBy     string    `json:"given_by,omitempty"`
	WithdrawnBy string    `json:"withdrawn_by,omitempty"`
	Document    string    `json:"document,omitempty"` // the signed form
}

// Registration is what a coordinator fills in.
type Registration struct {
	Name, Number, Phone, ResidenceCity string
	Coverage                           Coverage
	Guardian                           *Guardian
	Consents                           []Purpose
}

const adult = 18

// Register makes a patient of a registration. Faults: IDENTITY_NUMBER_INVALID, CODE_UNKNOWN, FIELD_INVALID.
func (r Registration) Register(id, organisation string, now time.Time) (*Patient, error) {
	number, err := ParseIdentityNumber(r.Number, now)
	if err != nil {
		return nil, err
	}
	name := tidyName(r.Name)
	if utf8.RuneCountInString(name) < 2 {
		return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "name", "The name has at least two characters.", "姓名至少两个字。")
	}
	p := &Patient{
		ID: id, Sex: number.Sex(), BirthDate: number.BirthDate(), RegisteredBy: organisation, CreatedAt: now,
		Identity: Identity{Name: name, Number: number},
	}
	if err := p.SetPhone(r.Phone); err != nil {
		return nil, err
	}
	if err := p.SetResidence(r.ResidenceCity); err != nil {
		return nil, err
	}
	if err := p.SetCoverage(r.Coverage); err != nil {
		return nil, err
	}
	if err := p.SetGuardian(r.Guardian, now); err != nil {
		return nil, err
	}
	for _, purpose := range r.Consents {
		p.Give(purpose, Consent{GivenAt: now, GivenBy: organisation})
	}
	return p, nil
}

// SetPhone changes the phone.
func (p *Patient) SetPhone(phone string) error {
	phone = tidyPhone(phone)
	if len(phone) != 11 || strings.Trim(phone, "0123456789") != "" || phone[0] != '1' || phone[1] < '3' {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, "phone", "A mobile phone has 11 digits.", "手机号应为11位数字。")
	}
	p.Identity.Phone = phone
	return nil
}

// SetResidence changes the city of residence. Faults: CODE_UNKNOWN.
func (p *Patient) SetResidence(city string) error {
	if _, known := place.City(city); !known {
		return unknownCity("residence_city")
	}
	p.ResidenceCity = city
	return nil
}

// SetCoverage changes the declared insurance. Faults: CODE_UNKNOWN, FIELD_INVALID.
func (p *Patient) SetCoverage(c Coverage) error {
	if _, known := place.Province(c.Province); !known {
		return fault.New(fault.InvalidArgument, fault.CodeUnknown, "coverage.province",
			"The province is not in GB/T 2260.", "省级代码不在GB/T 2260中。")
	}
	area, known := place.City(c.PoolingArea)
	if !known {
		return unknownCity("coverage.pooling_area")
	}
	if area.Province != c.Province {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, "coverage.pooling_area",
			"The pooling area lies in another province than the insurance.", "统筹区不在参保省内。")
	}
	if c.CivilServant && c.Scheme != "EMPLOYEE" {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, "coverage.civil_servant",
			"Only the employees' scheme has the civil servants' supplement.", "公务员补助仅限职工医保。")
	}
	p.Coverage = c
	return nil
}

// SetGuardian changes the guardian; a minor must have one.
func (p *Patient) SetGuardian(g *Guardian, now time.Time) error {
	if g == nil && AgeOn(p.BirthDate, now) < adult {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, "guardian", "A patient under 18 has a guardian.", "未满18岁须填写监护人。")
	}
	p.Identity.Guardian = g
	return nil
}

func unknownCity(field string) error {
	return fault.New(fault.InvalidArgument, fault.CodeUnknown, field, "The city is not in GB/T 2260.", "城市代码不在GB/T 2260中。")
}

// Give records a consent; one that holds already stays as it is.
func (p *Patient) Give(purpose Purpose, given Consent) {
	if !p.Consented(purpose) {
		given.Purpose = purpose
		p.Consents = append(p.Consents, given)
	}
}

// Withdraw ends a consent. Faults: CONSENT_MISSING when none holds.
func (p *Patient) Withdraw(purpose Purpose, by string, now time.Time) error {
	for i, c := range p.Consents {
		if c.Purpose == purpose && c.WithdrawnAt.IsZero() {
			p.Consents[i].WithdrawnAt, p.Consents[i].WithdrawnBy = now, by
			return nil
		}
	}
	return fault.New(fault.FailedPrecondition, fault.ConsentMissing, "purpose",
		"There is no consent for this purpose to withdraw.", "该用途没有可撤回的同意。").With("purpose", string(purpose))
}

// Consented tells whether a consent holds now.
func (p *Patient) Consented(purpose Purpose) bool {
	return slices.ContainsFunc(p.Consents, func(c Consent) bool { return c.Purpose == purpose && c.WithdrawnAt.IsZero() })
}

// Etag is the version a next update names.
func (p *Patient) Etag() string { return strconv.FormatInt(p.Version, 10) }

// View is a patient as one caller sees it: always masked where it must be.
type View struct {
	*Patient
	Name, NumberMasked, PhoneMasked string
	Guardian                        *Guardian
}

// For masks the patient for a caller: the full name and guardian only for the registering organisation.
func (p *Patient) For(c access.Caller) View {
	v := p.masked()
	if c.Organisation == p.RegisteredBy {
		v.Name, v.Guardian = p.Identity.Name, p.Identity.Guardian
	}
	return v
}

func (p *Patient) masked() View {
	return View{Patient: p, Name: maskName(p.Identity.Name), NumberMasked: p.Identity.Number.Masked(), PhoneMasked: maskPhone(p.Identity.Phone)}
}

func maskName(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	if size == 0 {
		return ""
	}
	return string(first) + strings.Repeat("*", max(utf8.RuneCountInString(name)-1, 1))
}

func maskPhone(phone string) string {
	if len(phone) < 4 {
		return ""
	}
	return strings.Repeat("*", len(phone)-4) + phone[len(phone)-4:]
}

// Age is the age in full years today.
func (p *Patient) Age(now time.Time) int { return AgeOn(p.BirthDate, now.In(clock.Shanghai)) }
