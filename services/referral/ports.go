package referral

import (
	"context"
	"fmt"
	"time"
)

// Store keeps cases, their timelines and the feed. Inside a transaction carried by the context every method joins it.
type Store interface {
	// Create stores a new case with what is pending. LiveCaseError when the patient has a live one for the organ.
	Create(ctx context.Context, r *Referral) error
	// Get returns a case; fault NOT_FOUND.
	Get(ctx context.Context, referralID string) (*Referral, error)
	// Update locks the case, runs change, and stores the case with its entries and jobs as the next version; without any
	// of these it writes nothing. An etag other than "" must be the current one: fault STALE_VERSION. Fault NOT_FOUND,
	// and whatever change returns; LiveCaseError when it makes a second live case of the patient for the organ.
	Update(ctx context.Context, referralID, etag string, change func(*Referral) error) (*Referral, error)
	// List returns cases after a cursor and the cursor to go on with, empty at the end.
	List(ctx context.Context, f Filter, cursor string, limit int) ([]*Referral, string, error)
	// Worklist returns what waits, first to expire first, in the same way.
	Worklist(ctx context.Context, q Worklist, cursor string, limit int) ([]*Referral, string, error)
	// CountWorklists counts each reading, up to a bound.
	CountWorklists(ctx context.Context, queries []Worklist, most int) ([]int, error)
	// Search returns cases by their id, by another institution's number or by the patient's id, newest first.
	Search(ctx context.Context, s Scope, query string, most int) ([]*Referral, error)
	// OfPatients returns the cases of patients, newest first.
	OfPatients(ctx context.Context, s Scope, patientIDs []string, most int) ([]*Referral, error)
	// Timeline returns entries after a sequence, oldest first.
	Timeline(ctx context.Context, referralID string, after int64, limit int) ([]Entry, error)
	// Feed returns the events after one position and up to another that the organisation may see, or all of them.
	Feed(ctx context.Context, s Scope, after, upTo int64, limit int) ([]Event, error)
	// Head returns the last position of the feed; everything up to it is committed.
	Head(ctx context.Context) (int64, error)
}

// LiveCaseError says that the patient has a live case for the organ.
type LiveCaseError struct{ Existing *Referral }

func (e *LiveCaseError) Error() string { return fmt.Sprintf("live case %s", e.Existing.ID) }

// Scope narrows a reading to one organisation in some of its parts, unless All.
type Scope struct {
	All                   bool
	Organisation, Subject string
	Parts                 Party
}

// Filter narrows a list of cases.
type Filter struct {
	Scope     Scope
	State     State
	PatientID string
	// ChangedSince other than zero: changed after it, oldest change first; else the newest case first.
	ChangedSince time.Time
}

// Worklist is a reading of one kind of worklist (工作清单).
type Worklist struct {
	Scope  Scope
	States []State
	// Waiting are the parts of an organisation that the list waits for; Operations see it whatever they are.
	Waiting Party
	// DueBefore other than zero: only what was due before it, also what the line itself is at.
	DueBefore time.Time
	// Attention narrows the list to cases in which a step needs a person.
	Attention bool
	// ClaimStages, when there are any, narrow the list to bills that stand so, also what the line itself is at.
	ClaimStages []string
}

// Registered is who looks after a patient (登记机构).
type Registered struct {
	// PatientID is the record that counts, Others are those merged into it.
	PatientID    string
	Others       []string
	Organisation string
}

// FoundPatient is a record found by a person's name or number.
type FoundPatient struct {
	PatientID  string
	Others     []string
	NameMasked string
}

// Profile is what the patient service tells of a patient.
type Profile struct {
	InsuredProvince                    string
	ConsentReferral, ConsentSettlement bool
	ClinicalRecorded                   bool
}

// MatchAsk asks for a ranking.
type MatchAsk struct {
	ReferralID, PatientID, Organ, Referrer string
	Preferred, Refused                     []string
}

// MatchRun is what the case needs of a ranking.
type MatchRun struct {
	ID     string
	Ranked []string
	// Reasons are the exclusion codes with how many centers have each, such as "BMI 3".
	Reasons []string
}

// OfferAsk asks for an offer to one center.
type OfferAsk struct {
	ReferralID, PatientID, MatchRunID, Center, Referrer, Organ, Urgency string
}

// Offer is what the case needs of one.
type Offer struct {
	ID              string
	Created, Expire time.Time
	AtOnce          int
}

// FilingAsk asks for a filing (备案) of type referral.
type FilingAsk struct{ ReferralID, PatientID, Province, City, OnBehalfOf string }

// Peers are the other services of the line. Every mutation takes a request id that makes repeating it harmless. Errors are
// the peers' own faults, or PEER_UNAVAILABLE and DEADLINE_EXCEEDED.
type Peers interface {
	// Registered tells under which ids a patient is known and who registered them, as far as the context's caller may see the
	// patient; fault NOT_FOUND.
	Registered(ctx context.Context, patientID string) (Registered, error)
	// FindPatients returns the patients of a whole name, an identity number or a patient id that an organisation may see; empty: all.
	FindPatients(ctx context.Context, text, organisation string) ([]FoundPatient, error)
	Profile(ctx context.Context, patientID, organ string) (Profile, error)
	GrantAccess(ctx context.Context, requestID, patientID, organisation, referralID string) error
	// RevokeAccess ends what GrantAccess gave up to a time; what a later offer gave stays.
	RevokeAccess(ctx context.Context, requestID, patientID, organisation, referralID, reason string, until time.Time) error
	RunMatch(ctx context.Context, requestID string, ask MatchAsk) (MatchRun, error)
	MatchRun(ctx context.Context, matchRunID string) (MatchRun, error)
	CreateOffer(ctx context.Context, requestID string, ask OfferAsk) (Offer, error)
	WithdrawOffer(ctx context.Context, requestID, offerID, reason string) error
	// MoveAdmission moves a hold or its bookings so that the bed is there from a time on; faults RESOURCE_TAKEN, TIME_INVALID.
	MoveAdmission(ctx context.Context, requestID, holdID string, to time.Time) error
	// ConfirmHold turns a hold into bookings; fault HOLD_EXPIRED.
	ConfirmHold(ctx context.Context, requestID, holdID string) error
	ReleaseHold(ctx context.Context, requestID, holdID, reason string) error
	// AbortTransfer ends a transfer that has not ended.
	AbortTransfer(ctx context.Context, requestID, transferID string) error
	CreateFiling(ctx context.Context, requestID string, ask FilingAsk) (filingID string, err error)
}

// The kinds of jobs (后台任务).
const (
	JobMatch    = "match"
	JobAsk      = "ask"
	JobFile     = "file"
	JobGrant    = "grant"
	JobRevoke   = "revoke"
	JobDeadline = "deadline"
	JobWithdraw = "withdraw"
	JobRelease  = "release"
	JobAbort    = "abort"
	JobRemind   = "remind"
	JobDied     = "died"
	JobAlive    = "alive"
	JobPerson   = "person"
)

// Job is a step the line owes a case. It is written with the change that makes it due, and may run more than once.
type Job struct {
	Do         string `json:"do"`
	ReferralID string `json:"referral_id"`
	// Number is the match run or the round of asking.
	Number int `json:"number,omitempty"`
	// Organisation is the center to ask or the one to open the patient to; of an alive job, the case whose closing told of the
	// death, where that is another one.
	Organisation string `json:"organisation,omitempty"`
	// Record is the offer, hold or transfer.
	Record string `json:"record,omitempty"`
	// Due is the deadline looked at, or when the offer ended, in microseconds.
	Due int64 `json:"due,omitempty"`
	// At is when to run; zero: at once.
	At time.Time `json:"-"`
}
