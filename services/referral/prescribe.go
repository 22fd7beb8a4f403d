package referral

import (
	"context"
	"slices"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
)

// Registration is an expert's at a site (执业备案), as somebody looked it up.
type Registration struct {
	Subject, Site, Number string
	// ValidUntil is the last day, in China.
	ValidUntil string
	CheckedBy  string
	Checked    time.Time
}

// Prescription is one of anti-rejection drugs (抗排异处方).
type Prescription struct {
	Number             int
	Drugs              []string
	Days               int
	Prescriber, Site   string
	RegistrationNumber string
	Time               time.Time
	ClaimID            string
}

// CaseNumber is another institution's number of the case.
type CaseNumber struct{ Organisation, Number string }

// maxOutpatient is ten years of a claim a week.
const maxOutpatient = 520

const (
	maxRegistrations = 50
	maxPrescriptions = 200
	maxNumbers       = 20
)

// CheckExpert records that a registration was looked up and is in force; a later check of the same expert and site replaces
// it. Faults TIME_INVALID, RIGHT_MISSING, WRONG_STATE, STALE_VERSION, NOT_FOUND.
func (s *Service) CheckExpert(ctx context.Context, referralID, etag string, g Registration) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		if _, err := r.pick(CheckExpert, a); err != nil {
			return err
		}
		if _, err := time.Parse(time.DateOnly, g.ValidUntil); err != nil || g.ValidUntil < clock.Day(a.At) {
			return fault.New(fault.InvalidArgument, fault.TimeInvalid, "valid_until",
				"The registration's last day is not a day, or has passed.", "备案有效期不是有效日期，或已过期。")
		}
		// An expert does not vouch for themselves.
		if g.Subject == a.By.Subject {
			return fault.New(fault.PermissionDenied, fault.RightMissing, "subject",
				"Somebody else checks an expert's registration.", "执业备案须由他人核验。")
		}
		g.CheckedBy, g.Checked = a.By.Organisation, a.At
		return r.apply(CheckExpert, a, func() {
			r.Registrations = slices.DeleteFunc(r.Registrations, func(o Registration) bool { return o.Subject == g.Subject && o.Site == g.Site })
			r.Registrations = append(r.Registrations, g)
			if extra := len(r.Registrations) - maxRegistrations; extra > 0 {
				r.Registrations = slices.Delete(r.Registrations, 0, extra)
			}
		})
	})
}

// registered finds the caller's registration at a site that is in force.
func (r *Referral) registered(caller access.Caller, site string, at time.Time) (Registration, bool) {
	i := slices.IndexFunc(r.Registrations, func(g Registration) bool {
		return g.Subject == caller.Subject && g.Site == site && g.ValidUntil >= clock.Day(at)
	})
	if i < 0 {
		return Registration{}, false
	}
	return r.Registrations[i], true
}

// RecordPrescription records the calling expert's prescription; faults EXPERT_NOT_REGISTERED, RIGHT_MISSING, WRONG_STATE,
// STALE_VERSION, NOT_FOUND.
func (s *Service) RecordPrescription(ctx context.Context, referralID, etag string, p Prescription) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		if _, err := r.pick(Prescribe, a); err != nil {
			return err
		}
		g, ok := r.registered(a.By, p.Site, a.At)
		if !ok {
			return fault.New(fault.FailedPrecondition, fault.ExpertNotRegistered, "site",
				"Your registration at this site was not checked, or has ended: the prescription would not count.", "您在该机构的执业备案未核验或已到期，处方不能生效。")
		}
		if len(r.Prescriptions) >= maxPrescriptions {
			return fault.New(fault.ResourceExhausted, fault.FieldInvalid, "", "The case holds its 200 prescriptions.", "该病例处方已达 200 张上限。")
		}
		return r.apply(Prescribe, a, func() {
			p.Number, p.Prescriber, p.RegistrationNumber, p.Time = len(r.Prescriptions)+1, a.By.Subject, g.Number, a.At
			r.Prescriptions = append(r.Prescriptions, p)
		})
	})
}

// LinkPrescription ties a prescription to its claim; faults ALREADY_SETTLED when it has another, FIELD_INVALID,
// RIGHT_MISSING, STALE_VERSION, NOT_FOUND.
func (s *Service) LinkPrescription(ctx context.Context, referralID, etag string, number int, claimID string) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		if partOf(r, a.By)&(TheCenter|TheLocalHospital) == 0 {
			return fault.New(fault.PermissionDenied, fault.RightMissing, "",
				"This step belongs to another party of the case.", "此步骤由病例的另一方办理。")
		}
		if number < 1 || number > len(r.Prescriptions) {
			return fault.New(fault.InvalidArgument, fault.FieldInvalid, "number", "The case has no such prescription.", "病例没有该处方。")
		}
		p := &r.Prescriptions[number-1]
		switch p.ClaimID {
		case claimID:
			return nil
		case "":
		default:
			return fault.New(fault.FailedPrecondition, fault.AlreadySettled, "claim_id",
				"The prescription is settled by another claim.", "该处方已由其他费用单结算。").With("claim_id", p.ClaimID)
		}
		p.ClaimID = claimID
		if !contains(r.Outpatient, claimID) && r.stay(claimID) == nil && len(r.Outpatient) < maxOutpatient {
			r.Outpatient = append(r.Outpatient, claimID)
		}
		a.Record = claimID
		r.note("PRESCRIPTION_LINKED", a)
		return nil
	})
}

// AddCaseNumber ties the caller's own number for the case to it; faults FIELD_INVALID, STALE_VERSION, NOT_FOUND.
func (s *Service) AddCaseNumber(ctx context.Context, referralID, etag, number string) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		n := CaseNumber{a.By.Organisation, number}
		if slices.Contains(r.Numbers, n) {
			return nil
		}
		if identityLike(number) {
			return fault.New(fault.InvalidArgument, fault.FieldInvalid, "number",
				"This looks like an identity number, which has no place here.", "该编号疑似身份证号，不能在此登记。")
		}
		if len(r.Numbers) >= maxNumbers {
			return fault.New(fault.ResourceExhausted, fault.FieldInvalid, "number", "The case has its 20 numbers.", "该病例编号已达 20 个上限。")
		}
		r.Numbers = append(r.Numbers, n)
		r.note("NUMBER_ADDED", a)
		return nil
	})
}

// identityLike tells 18 digits, the last perhaps an X.
func identityLike(number string) bool {
	if len(number) != 18 {
		return false
	}
	for i, c := range number {
		if (c < '0' || c > '9') && (i != 17 || c != 'X' && c != 'x') {
			return false
		}
	}
	return true
}
