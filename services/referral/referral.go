package referral

import (
	"slices"
	"strconv"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/money"
)

// State is where a case stands (状态).
type State string

// The states, in the order a case passes them.
const (
	Draft           State = "DRAFT"
	Submitted       State = "SUBMITTED"
	Screening       State = "SCREENING"
	Returned        State = "RETURNED_FOR_INFORMATION"
	Consultation    State = "CONSULTATION"
	Matched         State = "MATCHED"
	Offered         State = "OFFERED"
	Accepted        State = "ACCEPTED"
	Booked          State = "BOOKED"
	TransferPlanned State = "TRANSFER_PLANNED"
	InTransit       State = "IN_TRANSIT"
	Arrived         State = "ARRIVED"
	Evaluating      State = "EVALUATING"
	Listed          State = "LISTED"
	Suspended       State = "SUSPENDED"
	Operated        State = "SURGERY"
	Rehabilitation  State = "REHABILITATION"
	BackReferred    State = "BACK_REFERRED"
	FollowUp        State = "FOLLOW_UP"
	Exhausted       State = "EXHAUSTED"
	Closed          State = "CLOSED"
)

// States lists all of them.
var States = []State{
	Draft, Submitted, Screening, Returned, Consultation, Matched, Offered, Accepted, Booked, TransferPlanned,
	InTransit, Arrived, Evaluating, Listed, Suspended, Operated, Rehabilitation, BackReferred, FollowUp, Exhausted, Closed,
}

// CloseReason says why a case ended (结案原因).
type CloseReason string

// The reasons to close. Lapsed is given by the deadline job alone, NotIndicated by the desk, TooEarly by a panel, and
// Superseded when the hospital that looks after the patient now opens a case.
const (
	Completed    CloseReason = "COMPLETED"
	Died         CloseReason = "DIED"
	Withdrawn    CloseReason = "WITHDRAWN"
	Lost         CloseReason = "LOST"
	Duplicate    CloseReason = "DUPLICATE"
	EnteredWrong CloseReason = "ERROR"
	NotIndicated CloseReason = "NOT_INDICATED"
	Lapsed       CloseReason = "LAPSED"
	TooEarly     CloseReason = "TOO_EARLY"
	Elsewhere    CloseReason = "ADMITTED_ELSEWHERE"
	Superseded   CloseReason = "SUPERSEDED"
)

// Routine is the urgency without haste; the others are URGENT and EMERGENCY.
const Routine = "ROUTINE"

// Surgery is what the line keeps of a surgery (手术): exactly one of the two references, nothing of a donor.
type Surgery struct {
	Time           time.Time
	COTRSReference string
	EthicsApproval string
	ProcedureCode  string
}

// Referral is one case: one patient, one need (转诊).
type Referral struct {
	ID, PatientID, Organ, Urgency string
	// Referrer is the referring organisation.
	Referrer    string
	State       State
	CloseReason CloseReason
	// ClosedIn is the state in which it was closed. DiedWith is the case whose closing told that the patient died, where that
	// was another one.
	ClosedIn State  `json:",omitempty"`
	DiedWith string `json:",omitempty"`
	// Anew is what has to be done again after a death was corrected, until a center accepts: the kind of its entry.
	Anew string `json:",omitempty"`

	// Deadline of the present state; zero when no clock runs, or while it is suspended.
	Deadline time.Time
	// ClockSuspended is why the clock stands; Left is what it had left.
	ClockSuspended string
	Left           time.Duration
	// OverdueTold says that the timeline has this deadline's passing.
	OverdueTold bool

	// InsuredProvince is known from submission on.
	InsuredProvince    string
	Preferred, Refused []string

	// Runs counts match runs asked for; Matching says that the last one has not answered.
	Runs       int
	Matching   bool
	MatchRunID string

	// Chosen are the centers to ask in order, Asking the one being asked, Round the how-manieth choice this is.
	Chosen []string
	Asking string
	Round  int
	// OfferID is the open offer, later the accepted one.
	OfferID string
	// AtOnce is how many centers the offer rules ask at the same time; Beside are those asked before Asking and not
	// answered yet.
	AtOnce int
	Beside []Asked

	CenterID, CenterCity, HoldID string
	AcceptTime, Admission        time.Time
	HoldConfirmed                bool
	// OpenConditions are those of the acceptance that are not fulfilled, ConditionsDue when the first of them is due.
	OpenConditions int
	ConditionsDue  time.Time

	FilingID    string
	FilingWaits bool
	TransferID  string
	// WayBack is the move to the local hospital while it has not ended.
	WayBack string `json:",omitempty"`
	// Stays are the bills. ClaimID is the one shown: the latest that is still to be settled, else the latest; ClaimStage is its
	// last event, ClaimTime when that happened. SelfPay sums what is settled.
	Stays      []StayBill `json:",omitempty"`
	ClaimID    string
	ClaimStage string
	ClaimTime  time.Time
	SelfPay    *money.Fen
	// Admitted is the claim with whose admission the evaluation began.
	Admitted string `json:",omitempty"`

	Surgery            *Surgery
	RehabilitationPlan string
	LocalHospital      string

	Consultations []ConsultationRecord
	// Visits is the follow-up's schedule, Schedule the version of its intervals.
	Visits        []FollowUpVisit
	Schedule      string
	Registrations []Registration
	Prescriptions []Prescription
	// Numbers are those of other institutions.
	Numbers []CaseNumber
	// Attention are steps of the line that failed again and again and wait for a person.
	Attention []Attention
	// Outpatient are claims of prescriptions; their outcome is not the bill of a stay.
	Outpatient []string

	TraceID                string
	CreateTime, UpdateTime time.Time
	Version                int64
	// Length is how many entries the timeline has.
	Length int64
	// Seen are the events of peers that were applied, "record kind".
	Seen []string

	// partsBefore are those before the move that is under way.
	partsBefore map[string][]string
	entries     []Entry
	jobs        []Job
}

// Asked is a center with an open offer.
type Asked struct{ Center, OfferID string }

// Etag is the version as callers see it.
func (r *Referral) Etag() string { return strconv.FormatInt(r.Version, 10) }

// Live reports whether the case goes on.
func (r *Referral) Live() bool { return r.State != Closed }

// Busy reports whether the line itself is at work, so that nobody is waited for.
func (r *Referral) Busy() bool {
	return r.Matching || r.Asking != "" && r.OfferID == "" && len(r.Beside) == 0 && (r.State == Matched || r.State == Offered)
}

// AskedCenters are those with an open offer, and later the one that accepted.
func (r *Referral) AskedCenters() []string {
	var centers []string
	if r.OfferID != "" && r.Asking != "" {
		centers = append(centers, r.Asking)
	}
	for _, b := range r.Beside {
		centers = append(centers, b.Center)
	}
	return centers
}

// Parties are the organisations that may see the case now.
func (r *Referral) Parties() []string {
	var parties []string
	all := append([]string{r.Referrer, r.CenterID, r.LocalHospital}, r.AskedCenters()...)
	if c := r.OpenConsultation(); c != nil {
		for _, e := range c.Panel {
			all = append(all, e.Organisation)
		}
	}
	for _, organisation := range all {
		if organisation != "" && !slices.Contains(parties, organisation) {
			parties = append(parties, organisation)
		}
	}
	return parties
}

// VisibleTo reports whether the caller may see the case.
func (r *Referral) VisibleTo(caller access.Caller) bool {
	if caller.MaySee(r.Parties()...) {
		return true
	}
	if !caller.Has(access.Agency) || caller.Province == "" || r.CenterID == "" {
		return false
	}
	return caller.Province == r.InsuredProvince || caller.Province == provinceOf(r.CenterCity)
}

// provinceOf is the province of a GB/T 2260 code: its first two digits.
func provinceOf(city string) string {
	if len(city) != 6 {
		return ""
	}
	return city[:2] + "0000"
}

// next is the center to ask after the one being asked; empty at the end.
func (r *Referral) next() string {
	if i := slices.Index(r.Chosen, r.Asking); i >= 0 && i+1 < len(r.Chosen) {
		return r.Chosen[i+1]
	}
	return ""
}

func (r *Referral) saw(record, kind string) bool { return slices.Contains(r.Seen, record+" "+kind) }

// maxSeen bounds what is remembered of peers' events; a case that runs well has some twenty.
const maxSeen = 400

func (r *Referral) see(record, kind string) {
	r.Seen = append(r.Seen, record+" "+kind)
	if extra := len(r.Seen) - maxSeen; extra > 0 {
		r.Seen = slices.Delete(r.Seen, 0, extra)
	}
}

// Pending hands what changed since it was loaded to the store: entries without sequence, and jobs.
func (r *Referral) Pending() ([]Entry, []Job) { return r.entries, r.jobs }

// Settle forgets what was pending: the store has it.
func (r *Referral) Settle() { r.entries, r.jobs = nil, nil }
