package matching

import (
	"strconv"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// Status is the life of an offer.
type Status string

// The statuses. Open, Accepting and Accepted are live.
const (
	Open      Status = "OPEN"
	Accepting Status = "ACCEPTING"
	Accepted  Status = "ACCEPTED"
	Declined  Status = "DECLINED"
	Expired   Status = "EXPIRED"
	Withdrawn Status = "WITHDRAWN"
)

// Offer asks one center to take one patient (转诊邀约).
type Offer struct {
	ID           string    `json:"offer_id"`
	ReferralID   string    `json:"referral_id"`
	PatientID    string    `json:"patient_id"`
	MatchRunID   string    `json:"match_run_id"`
	CenterID     string    `json:"center_id"`
	CenterCity   string    `json:"center_city"`
	Referrer     string    `json:"referrer"`
	Organ        string    `json:"organ"`
	Urgency      string    `json:"urgency"`
	Status       Status    `json:"status"`
	CreatedAt    time.Time `json:"created_at"`
	RemindAt     time.Time `json:"remind_at"`
	ExpiresAt    time.Time `json:"expires_at"`
	RemindedAt   time.Time `json:"reminded_at,omitzero"`
	DecidedAt    time.Time `json:"decided_at,omitzero"`
	RulesVersion string    `json:"rules_version"`
	// AtOnce is how many centers the rules have asked at the same time.
	AtOnce      int32  `json:"at_once,omitempty"`
	DeclineCode string `json:"decline_code,omitempty"`
	// WithdrawCode says why an offer was withdrawn by the line itself.
	WithdrawCode string `json:"withdraw_code,omitempty"`
	Comment      string `json:"comment,omitempty"`
	// Attempts counts the intents to accept; Acceptance is the last one.
	Attempts   int         `json:"attempts,omitempty"`
	Acceptance *Acceptance `json:"acceptance,omitempty"`
	HoldID     string      `json:"hold_id,omitempty"`
	// Conditions are those of the acceptance that stands.
	Conditions []Condition `json:"conditions,omitempty"`
	// ShownHash is that of the document the center decides by.
	ShownHash string `json:"shown_hash,omitempty"`
	Version   int64  `json:"version"`

	events  []Event
	jobs    []Job
	shown   []byte
	records [][]byte
	quiet   bool
}

// Acceptance is one attempt to accept: what the center said, before the units are held.
type Acceptance struct {
	RequestID    string    `json:"request_id"`
	Attempt      int       `json:"attempt"`
	Organisation string    `json:"organisation"`
	Subject      string    `json:"subject,omitempty"`
	Admission    time.Time `json:"admission"`
	Conditions   []string  `json:"conditions,omitempty"`
	// Wanted are the conditions with their days.
	Wanted  []Condition `json:"wanted,omitempty"`
	BegunAt time.Time   `json:"begun_at"`
	// LeaseUntil keeps other actors from asking for the units of this attempt meanwhile.
	LeaseUntil time.Time `json:"lease_until"`
	// Settled says that it is known whether the units are held.
	Settled bool `json:"settled"`
}

// Event is what the case must learn of an offer.
type Event struct {
	Kind         string    `json:"kind"`
	OccurredAt   time.Time `json:"occurred_at"`
	Organisation string    `json:"organisation,omitempty"`
	Subject      string    `json:"subject,omitempty"`
	OfferID      string    `json:"offer_id"`
	ReferralID   string    `json:"referral_id"`
	CenterID     string    `json:"center_id"`
	CenterCity   string    `json:"center_city"`
	ReasonCode   string    `json:"reason_code,omitempty"`
	HoldID       string    `json:"hold_id,omitempty"`
	Admission    time.Time `json:"admission,omitzero"`
	ExpiresAt    time.Time `json:"expires_at"`
	AtOnce       int32     `json:"at_once,omitempty"`
	// Condition is the one that was fulfilled or lapsed; OpenConditions are not fulfilled, the first of them due at
	// ConditionsDue.
	Condition      int32     `json:"condition,omitempty"`
	OpenConditions int32     `json:"open_conditions,omitempty"`
	ConditionsDue  time.Time `json:"conditions_due,omitzero"`
}

// The work an offer leaves to jobs.
const (
	JobRemind   = "remind"
	JobExpire   = "expire"
	JobComplete = "complete"
	JobRelease  = "release"
	JobTell     = "tell"
	JobLapse    = "lapse"
	// JobWorkOut and JobAskAssigned are of an assignment; OfferID is empty.
	JobWorkOut     = "work_out"
	JobAskAssigned = "ask_assigned"
)

// Job is one piece of work on an offer, done at least once.
type Job struct {
	Do         string    `json:"do"`
	OfferID    string    `json:"offer_id"`
	ReferralID string    `json:"referral_id"`
	HoldID     string    `json:"hold_id,omitempty"`
	At         time.Time `json:"at,omitzero"`
	// AssignmentID is the proposal's.
	AssignmentID string `json:"assignment_id,omitempty"`
}

// Etag is the version as clients see it.
func (o *Offer) Etag() string { return strconv.FormatInt(o.Version, 10) }

// Live reports whether the offer still binds the case to the center.
func (o *Offer) Live() bool { return o.Status == Open || o.Binding() }

// Binding reports whether the center is taking or has taken the patient.
func (o *Offer) Binding() bool { return o.Status == Accepting || o.Status == Accepted }

// VisibleTo reports whether the caller may see the offer.
func (o *Offer) VisibleTo(c access.Caller) bool { return c.MaySee(o.CenterID, o.Referrer) }

// Pending are the events and jobs of the changes made since the offer was read.
func (o *Offer) Pending() ([]Event, []Job) { return o.events, o.jobs }

// Quiet reports whether what changed is nothing anybody decides by, so that an etag read before still holds.
func (o *Offer) Quiet() bool { return o.quiet }

// Evidence is what the change leaves for the offer's proof: the document shown, once, and the decisions.
func (o *Offer) Evidence() (shown []byte, records [][]byte) { return o.shown, o.records }

// Settle forgets what is pending: it is stored.
func (o *Offer) Settle() {
	o.events, o.jobs, o.shown, o.records, o.quiet = nil, nil, nil, nil, false
}

func (o *Offer) job(do string, at time.Time) {
	o.jobs = append(o.jobs, Job{Do: do, OfferID: o.ID, ReferralID: o.ReferralID, At: at})
}

func (o *Offer) release(holdID string) {
	o.jobs = append(o.jobs, Job{Do: JobRelease, OfferID: o.ID, ReferralID: o.ReferralID, HoldID: holdID})
}

func (o *Offer) tell(kind string, at time.Time, organisation, subject string) {
	e := Event{
		Kind: kind, OccurredAt: at, Organisation: organisation, Subject: subject, OfferID: o.ID, ReferralID: o.ReferralID,
		CenterID: o.CenterID, CenterCity: o.CenterCity, ReasonCode: o.DeclineCode + o.WithdrawCode, HoldID: o.HoldID, ExpiresAt: o.ExpiresAt, AtOnce: o.AtOnce,
	}
	if o.Status == Accepted {
		e.Admission = o.Acceptance.Admission
	}
	for _, c := range o.Conditions {
		if c.Status == Fulfilled {
			continue
		}
		if e.OpenConditions++; e.ConditionsDue.IsZero() || c.Due.Before(e.ConditionsDue) {
			e.ConditionsDue = c.Due
		}
	}
	o.events = append(o.events, e)
	o.job(JobTell, time.Time{})
}

// tellCondition tells the case what became of one condition.
func (o *Offer) tellCondition(kind string, number int32, at time.Time, organisation, subject string) {
	o.tell(kind, at, organisation, subject)
	o.events[len(o.events)-1].Condition = number
}

// answerable refuses an offer that can no longer be answered. The clock counts even before its job came to it.
func (o *Offer) answerable(at time.Time) error {
	switch {
	case o.Status == Expired, o.Status == Open && !at.Before(o.ExpiresAt):
		return ranOut()
	case o.Status == Open:
		return nil
	case o.Status == Accepting:
		return fault.New(fault.FailedPrecondition, fault.WrongState, "", "The offer is just being accepted.", "该邀约正在被接受。").
			With("state", string(o.Status))
	}
	return o.decidedAlready()
}

func ranOut() error {
	return fault.New(fault.FailedPrecondition, fault.OfferExpired, "", "The offer's clock has run out.", "邀约已超过答复时限。")
}

// decidedAlready refuses an offer that is over; one that nobody answered in time was not decided.
func (o *Offer) decidedAlready() error {
	if o.Status == Expired {
		return ranOut()
	}
	return fault.New(fault.FailedPrecondition, fault.OfferDecided, "", "The offer was decided already.", "该邀约已有决定。").
		With("status", string(o.Status))
}
