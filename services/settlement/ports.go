package settlement

import (
	"context"
	"errors"
	"time"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/ledger"
	"huhang.example/services/settlement/split"
)

// ErrUnchanged returned by an update's change leaves the record as it was; the update then succeeds.
var ErrUnchanged = errors.New("settlement: unchanged")

// Store keeps everything of the provinces an instance serves. Every method joins the transaction its context carries.
type Store interface {
	// Atomically runs fn in one transaction; it may run several times and touches nothing but the store.
	Atomically(ctx context.Context, fn func(ctx context.Context) error) error
	Insurance
	Claims
	Messages
	Preauthorisations
	Books
	Jobs
}

// Insurance keeps entitlements and filings of insured provinces.
type Insurance interface {
	// Entitlement returns what is recorded of a person; fault NOT_FOUND.
	Entitlement(ctx context.Context, province, patientID string) (Entitlement, error)
	// PutEntitlement records e as the next version; etag is the version seen, "" for the first. Fault STALE_VERSION.
	PutEntitlement(ctx context.Context, e Entitlement, etag string) (Entitlement, error)
	// LockPerson makes transactions about one person of a province wait for one another.
	LockPerson(ctx context.Context, province, patientID string) error
	// CreateFiling stores a new filing.
	CreateFiling(ctx context.Context, f *Filing) error
	// Filing returns a filing; fault NOT_FOUND.
	Filing(ctx context.Context, filingID string) (*Filing, error)
	// UpdateFiling locks a filing, runs change and stores it as the next version. An etag other than "" must be the
	// current one: fault STALE_VERSION. Fault NOT_FOUND, and whatever change returns.
	UpdateFiling(ctx context.Context, filingID, etag string, change func(ctx context.Context, f *Filing) error) (*Filing, error)
	// FilingsOf returns a person's filings, newest first, at most 200.
	FilingsOf(ctx context.Context, province, patientID string) ([]*Filing, error)
	// ListFilings returns filings older than the cursor, newest first, and the cursor to go on with, "" at the end.
	ListFilings(ctx context.Context, q FilingQuery, cursor string, limit int) ([]*Filing, string, error)
}

// Scope is what of a list a caller may see: all, what its organisation has part in, or what concerns its province.
type Scope struct {
	All                    bool
	Organisation, Province string
}

// FilingQuery narrows a list of filings; empty fields do not.
type FilingQuery struct {
	Scope                           Scope
	Province, PatientID, ReferralID string
}

// ClaimQuery narrows a list of claims; empty fields do not.
type ClaimQuery struct {
	Scope                Scope
	Province, ReferralID string
	Status               ClaimStatus
}

// Claims keeps claims, their lines and their settlements, at the treatment province.
type Claims interface {
	// CreateClaim stores a new claim. Fault WRONG_STATE when the case has an open claim at the center.
	CreateClaim(ctx context.Context, c *Claim) error
	// Claim returns a claim; fault NOT_FOUND.
	Claim(ctx context.Context, claimID string) (*Claim, error)
	// UnderWay returns the claims of a treatment province that are under way since before the time, the oldest first.
	UnderWay(ctx context.Context, province string, before time.Time, cursor string, limit int) ([]*Claim, string, error)
	// RecallLines takes lines of a claim back and keeps them apart, under the number of the recall. Fault NOT_FOUND when
	// one is not there.
	RecallLines(ctx context.Context, claimID string, recall int64, numbers []int32) error
	// UpdateClaim is as UpdateFiling.
	UpdateClaim(ctx context.Context, claimID, etag string, change func(ctx context.Context, c *Claim) error) (*Claim, error)
	// ListClaims is as ListFilings.
	ListClaims(ctx context.Context, q ClaimQuery, cursor string, limit int) ([]*Claim, string, error)
	// AddLines adds lines to a claim.
	AddLines(ctx context.Context, claimID string, lines []FeeLine) error
	// Lines returns a claim's lines by number.
	Lines(ctx context.Context, claimID string) ([]FeeLine, error)
	// CreateSettlement stores a settlement; a second that stands for one claim is an error.
	CreateSettlement(ctx context.Context, s *Settlement) error
	// Settlement returns a settlement; fault NOT_FOUND.
	Settlement(ctx context.Context, settlementID string) (*Settlement, error)
	// MarkReversed marks a settlement as reversed.
	MarkReversed(ctx context.Context, settlementID string) error
}

// Messages keeps what the insured province committed, and the year counters.
type Messages interface {
	// InsertMessage stores a message if its id is new, and reports whether it was; of two at once the second waits.
	InsertMessage(ctx context.Context, m *Message) (bool, error)
	// Message returns a message; fault NOT_FOUND.
	Message(ctx context.Context, messageID string) (*Message, error)
	// CommittedFor returns the message under which a claim is settled now; fault NOT_FOUND.
	CommittedFor(ctx context.Context, claimID string) (*Message, error)
	// LockWay makes transactions about one claim at its insured province wait for one another; the manual claim if it
	// was taken as one, else nil.
	LockWay(ctx context.Context, claimID string) (*ManualClaim, error)
	// TakeManual takes a claim whose way is locked as a manual one.
	TakeManual(ctx context.Context, m ManualClaim) error
	// ReferralDeductible sums the deductibles of stays of a case that are committed and not reversed.
	ReferralDeductible(ctx context.Context, province, referralID string) (money.Fen, error)
	// SaveMessage stores a message that InsertMessage stored before.
	SaveMessage(ctx context.Context, m *Message) error
	// Counters returns a person's sums of a year; zero when there are none.
	Counters(ctx context.Context, province, patientID, year string) (split.Counters, error)
	// UpdateCounters locks a person's sums of a year, runs change and stores them.
	UpdateCounters(ctx context.Context, province, patientID, year string, change func(ctx context.Context, c *split.Counters) error) error
}

// Preauthorisations keeps what is reserved at insured provinces.
type Preauthorisations interface {
	// CreatePreauthorisation stores a new one; a second active one of a case at a center is an error.
	CreatePreauthorisation(ctx context.Context, p *Preauthorisation) error
	// Preauthorisation returns one; fault NOT_FOUND.
	Preauthorisation(ctx context.Context, id string) (*Preauthorisation, error)
	// PreauthorisationsOf returns those of a person that are active or used.
	PreauthorisationsOf(ctx context.Context, province, patientID string) ([]*Preauthorisation, error)
	// UpdatePreauthorisation is as UpdateFiling, for any version.
	UpdatePreauthorisation(ctx context.Context, id string, change func(p *Preauthorisation) error) (*Preauthorisation, error)
	// ExpireLater ends one at the time given.
	ExpireLater(ctx context.Context, id string, at time.Time) error
}

// Books keeps the ledger; nothing in it is ever changed.
type Books interface {
	// Post adds an entry; a second one of the same province, side, kind and source is an error.
	Post(ctx context.Context, e ledger.Entry, at time.Time) error
	// Entry returns the entry of a source; fault NOT_FOUND.
	Entry(ctx context.Context, province string, side ledger.Side, kind ledger.Kind, source string) (ledger.Entry, error)
	// Balances sums every account of a province, by name.
	Balances(ctx context.Context, province string) ([]ledger.Balance, error)
}

// Jobs are written in the transaction that makes them due, and may run more than once.
type Jobs interface {
	// CompleteLater makes the service look after a claim that is SETTLING or REVERSING, at the time given.
	CompleteLater(ctx context.Context, claimID string, at time.Time) error
	// TellCase owes the case an event of a claim, and makes a job tell it.
	TellCase(ctx context.Context, e Event) error
	// TellTreatment owes the treatment province that a manual claim was taken, and makes a job tell it.
	TellTreatment(ctx context.Context, m ManualClaim) error
	// Untold returns what the case is owed of a claim up to a number, in order.
	Untold(ctx context.Context, claimID string, upTo int64) ([]Event, error)
	// Told ends what is owed of one event.
	Told(ctx context.Context, claimID string, number int64) error
}

// Profile is what the patient service tells of a person.
type Profile struct {
	// Coverage as declared; its province is empty when none was.
	Coverage          Coverage
	ConsentSettlement bool
	RegisteredBy      string
}

// Case is what the referral service tells of a case.
type Case struct{ PatientID, Referrer, CenterID string }

// Resolution is what became of a message.
type Resolution struct {
	Committed, Reversed bool
	Answer              Answer
}

// Peers are the other services, and the settlement service of the insured province. They are asked as this service, not
// as its caller. Errors are the peers' own faults, or PEER_UNAVAILABLE and DEADLINE_EXCEEDED.
type Peers interface {
	// Profile tells of a patient; fault NOT_FOUND.
	Profile(ctx context.Context, patientID string) (Profile, error)
	// Case tells of a case; fault NOT_FOUND.
	Case(ctx context.Context, referralID string) (Case, error)
	// Tell records a claim's event at its case, once per key.
	Tell(ctx context.Context, e Event) error
	// QuoteSplit, CommitSplit, ResolveMessage and ReverseSplit are InsuredPlaceService of the province asked.
	QuoteSplit(ctx context.Context, in SplitInput) (Answer, error)
	CommitSplit(ctx context.Context, messageID string, in SplitInput) (Answer, error)
	ResolveMessage(ctx context.Context, messageID, province string) (Resolution, error)
	ReverseSplit(ctx context.Context, messageID, originalID, province, reason, businessDay string) error
	// ManualAccepted is TreatmentPlaceService of the province told.
	ManualAccepted(ctx context.Context, province string, m ManualClaim) error
}
